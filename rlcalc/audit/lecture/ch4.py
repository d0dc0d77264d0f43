"""Chapter 4, sections 4.1 and 4.2: the log-derivative trick, and what samples are good for."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np, sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import Vector, vector
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, index, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim

ANY_SOFTMAX = "a softmax policy of any number of actions in one state, any step size and size of the return"
BANDIT: dict[str, Any] = {"mdp": "bandit", "theta": [["0", "0"]]}  # section 4.4
STALE = "importance/audit-stale-sample"  # samples of (3/4, 1/4) for the bandit at even chances


def chance_moves(case: Vector, effect: str) -> ev.Exact:
    """What the step of a case does to the chance of its action."""
    return ev.Exact(
        f"π after {effect} π before", case.answer("policy")[0], effect, case.answer("policy_before")[0]
    )


def odds_move(weight: Any, effect: str) -> ev.Evidence:
    """What a step with this weight does to the odds of its action."""
    what = "what the step adds to the log odds against every other action"
    return ev.ordered(what, odds_gain(positives("alpha") * weight), effect, 0, ANY_SOFTMAX)


@claim("L4.1-low-score-less", effect="<", below_baseline=True)
def low_score_less(s: Statement, show: ev.Findings) -> None:
    """Without a baseline a score of 1 out of 10 still raises what led to it."""
    case = vector("reinforce_step/audit-low-score-raised")
    score, gap = case.given["return_"], positives("g")
    show.against += case.refutes(
        "two ways of throwing, equally likely; one was tried and scored 1 where 10 is possible",
        chance_moves(case, s.effect),
        premises=(ev.Exact("the score is low", score, "<", 10),),
        violates=ev.Exact("it is not below the baseline, which is 0", score, ">=", 0),
    )
    show.repair.append(odds_move(-gap if s.below_baseline else gap, s.effect))


@claim("L4.2-high-return-more-likely", effect=">", positive=True)
def high_return(s: Statement, show: ev.Findings) -> None:
    """A return of −1 is the better of −1 and −2, and its action is taken less often afterwards."""
    case, size = vector("reinforce_step/audit-high-return-negative"), positives("g")
    show.against += case.refutes(
        "two actions with returns −1 and −2; the better one was taken",
        chance_moves(case, s.effect),
        premises=(ev.Exact("−1 is the higher return", case.given["return_"], ">", -2),),
        violates=ev.Exact("the return is not positive", case.given["return_"], "<=", 0),
    )
    show.repair.append(odds_move(size if s.positive else -size, s.effect))


@claim("L4.2-naive-gradient", relation="!=", in_distribution=True)
def naive_gradient(s: Statement, show: ev.Findings) -> None:
    """Of two outcomes: ∇(p x + (1−p) y) is (x − y)∇p, the mean of ∇x and ∇y is 0."""
    p = reals("p")
    x, y = sequence("x")(p), sequence("y")(p)
    chance = p if s.in_distribution else reals("q")
    case, gap, speed = vector("policy_gradient/audit-equal-returns"), positives("g"), positives("v")
    pays = case.given["mdp"]["R"][0]
    inside = sum(sympy.diff(sympy.Rational(pay), p) / 2 for pay in pays)  # no payment contains θ
    show.against += case.refutes(
        "a bandit that pays 10 for either action: nothing can be gained, and nothing in G moves",
        ev.Exact(f"gradient {s.relation} mean of ∇G", case.answer()[0][0], s.relation, inside),
        violates=ev.Exact("the returns do not differ", pays[0], "=", pays[1]),
    )
    show.repair.identity(
        "the slope of the mean of two outcomes, less the mean of their slopes",
        sympy.diff(chance * x + (1 - chance) * y, p)
        - (chance * sympy.diff(x, p) + (1 - chance) * sympy.diff(y, p)),
        x - y,
        "any returns x, y, which may depend on the chance p; ∇ is ∇p times the slope",
    )
    show.repair.ordered("a higher return that becomes likelier", gap * speed, s.relation, 0, "x > y, ∇p > 0")
    show.repair.ordered("and one that becomes less likely", -gap * speed, s.relation, 0, "x > y, ∇p < 0")
    show.repair.exact("for the bandit of 4.4", answer("policy_gradient", **BANDIT)[0][0], s.relation, inside)


@claim("L4.2-log-derivative", sign=1, logarithm=True)
def log_derivative(s: Statement, show: ev.Findings) -> None:
    """Right for probabilities that stay positive where they are; wrong when what can occur changes."""
    case, theta = vector("importance/audit-support-moves"), sympy.Symbol("theta", nonnegative=True)
    values, drawn = map(case.number, ("f", "q"))
    family = (1 - theta, theta)

    def score(chance: Any, at: Any) -> Any:
        return s.sign * sympy.diff(sympy.log(chance) if s.logarithm else chance, at)

    moved = sum(value * sympy.diff(chance, theta) for value, chance in zip(values, family, strict=True))
    scored = sum(
        weight * value * score(chance, theta).subs(theta, 0)
        for weight, value, chance in zip(drawn, values, family, strict=True)
        if weight != 0
    )
    p, f = positives("p f")
    slope, total = reals("dp S")
    weighted = p * f * score(p, p) * slope
    show.fill(log=r"\log" if s.logarithm else "")
    show.against += case.refutes(
        "two outcomes of chances 1 − θ and θ, at θ = 0 and from the right: the second is never drawn",
        ev.Exact("gradient of the mean = mean with the score", moved, "=", scored),
        violates=ev.Exact("an outcome that θ > 0 can have has the chance", drawn[1], "=", 0),
    )
    show.repair.induction(
        "Σ f ∇p = Σ p f ∇ log p",
        base=(ev.Identity("one outcome", f * slope, weighted),),
        step=(ev.Identity("one outcome more", total + f * slope, total + weighted),),
        over="any finite number of outcomes with p > 0, any f, any ∇p",
    )


@claim("L4.2-sampling", power=-1, drawn=Choice("1/2", "3/4"))
def sampling(s: Statement, show: ev.Findings) -> None:
    """The mean of N weighted scores has the gradient as its mean, and comes close in a simulation."""
    mu, count, k = reals("mu"), index("N"), 20_000
    takes_left = np.random.default_rng(42).random(k) < float(sympy.Rational(s.drawn))
    terms = np.where(takes_left, 10 * 0.5, 0.0)
    show.fill(share=count**s.power)
    show.literal.sum_by_induction(
        "N samples, each with mean μ, have the mean Nμ", lambda _: mu, lambda n: n * mu, over="N ≥ 1"
    )
    show.literal.identity("so that their average has the mean μ", count**s.power * (count * mu), mu, "N ≥ 1")
    show.literal.sampled(
        "the bandit of section 4.4, preference of L: the interval of the mean covers ∂J/∂θ",
        terms,
        "covers",
        float(answer("policy_gradient", **BANDIT)[0][0]),
        seed=42,
        matters=0.1,
    )


def _stale_bias(power: int) -> Any:
    """E_old[w G ∇ log π(a)] less the gradient, with the weights w = (π/π_old)^power.

    Two actions with returns x and y, chances p + d and 1 − p − d before, p and 1 − p now.
    """
    p, d, *returns = reals("p d x y")
    now, before, scores = (p, 1 - p), (p + d, 1 - p - d), (1 - p, -p)
    return sum(
        (old * (new / old) ** power - new) * gain * score
        for old, new, gain, score in zip(before, now, returns, scores, strict=True)
    )


def stale_samples(what: str, power: int) -> ev.Identity:
    """What the bias is for the weight 1."""
    p, d, x, y = reals("p d x y")
    over = "two actions, any returns x, y, chances p now and p + d before"
    return ev.Identity(what, _stale_bias(power), d * (x * (1 - p) + y * p), over)


@claim("L4.2-stale-data", relation="!=", weight=0)
def stale_data(s: Statement, show: ev.Findings) -> None:
    """The bias is a product; its second factor can vanish by luck."""
    case = vector("importance/audit-stale-by-luck")
    true, stale = case.answer(q=case.given["p"]), case.answer(p=case.given["q"])
    shift, size = positives("d c")
    pay_left, pay_right = (2 * case.number("f")[0], -2 * case.number("f")[1])
    over = "π_old(L) − π(L) and G_L(1 − π(L)) + G_R π(L) are not 0"
    show.against += case.refutes(
        "returns 1 and −1 at even chances: the scores make both terms 1/2, whatever is drawn",
        ev.Exact(f"mean over the old policy {s.relation} the gradient, for θ_L", stale, s.relation, true),
        premises=(ev.Exact("the policies differ", case.given["p"][0], "!=", case.given["q"][0]),),
        violates=ev.Exact("G_L(1 − π(L)) + G_R π(L)", (pay_left + pay_right) / 2, "=", 0),
    )
    show.repair.append(stale_samples("the bias of old samples", s.weight))
    show.repair.ordered("a product that is not 0", shift * size, s.relation, 0, over)
    show.repair.ordered("of either sign", -shift * size, s.relation, 0, over)


@claim("L4.2-must-discard", weight=0, reweighted=1)
def must_discard(s: Statement, show: ev.Findings) -> None:
    """Multiplied with π_new/π_old the old samples give the right mean; section 7 of the lecture does so."""
    case = vector(STALE)
    show.against += case.refutes(
        "the bandit of 4.4 with samples from (3/4, 1/4) for the policy (1/2, 1/2)",
        ev.Exact(
            "what old samples give in the mean ≠ the gradient",
            case.answer("estimate"),
            "!=",
            answer("policy_gradient", **BANDIT)[0][0],
        ),
        also=(vector("importance/audit-stale-samples-reweighted"),),
        premises=(ev.Exact("the policies differ", case.given["p"][0], "!=", case.given["q"][0]),),
        violates=ev.Exact("the first action is reweighted", case.answer("weights")[0], "!=", 1),
    )
    show.repair.append(stale_samples("samples of weight 1 are biased", s.weight))
    show.repair.identity("with the weights there is no bias", _stale_bias(s.reweighted), 0, "the same")


@claim("L4.2-sample-inefficient", reuse=Choice(4, 1))
def sample_inefficient(s: Statement, show: ev.Findings) -> None:
    """Trajectories until the bandit takes L nine times out of ten, once with one use and once with more."""
    runs = 200
    once = _trajectories_needed(1, runs, np.random.default_rng(7))
    often = _trajectories_needed(s.reuse, runs, np.random.default_rng(8))
    show.literal.exact(
        "trajectories for the same number of steps, with one use and with reuse",
        answer("ppo_count", "reinforce_trajectories", epochs=s.reuse),
        ">",
        answer("ppo_count", "trajectories", epochs=s.reuse),
    )
    show.literal.sampled(
        f"bandit of 4.4, the same step size and batches: trajectories needed relative to a clipped "
        f"objective that uses each {s.reuse} times",
        once / often,
        "above",
        1.5,
        seed=7,
        matters=0.25,
    )


def _trajectories_needed(uses: int, runs: int, rng: Any) -> Any:
    """Batches of 20, advantages ±5, step size 1/50, clipping at 1/5 (idle at the first use)."""
    odds, needed = np.zeros(runs), np.zeros(runs)
    for batch in range(1, 400):
        going = needed == 0
        if not going.any():
            break
        old = 1 / (1 + np.exp(-odds))
        share = rng.binomial(20, old) / 20
        for _ in range(uses):
            new = 1 / (1 + np.exp(-odds))
            left = np.where(new / old > 1.2, 0.0, 5 * new / old * share)
            right = np.where((1 - new) / (1 - old) < 0.8, 0.0, 5 * (1 - new) / (1 - old) * (1 - share))
            # θ_L − θ_R grows by α times [A ∇ log π] of L minus that of R, for both actions
            odds = odds + 2 / 50 * (left * (1 - new) + right * new)
        arrived = going & (1 / (1 + np.exp(-odds)) >= 0.9)
        needed[arrived] = 20 * batch
    return needed
