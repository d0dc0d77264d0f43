"""Chapter 8: generalised advantages, the entropy bonus, what the small loop counts, and TRPO."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch1_tradeoff import covariance, second_undoes_first, variance_of
from rlcalc.audit.lecture.ch7_loop import run
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Statement, claim

EXAMPLE = "gae/lecture-2.4"
COUNTS = "ppo_count/lecture-8.4"


# generalised advantages


@claim("L8.2-gae", power=1)
def gae(s: Statement, show: ev.Findings) -> None:
    """The λ-weighted mean of the n-step advantages gives δ_{t+l} the weight (γλ)^l, and equals G^λ − V."""
    (lam, gamma), at = reals("lambda gamma"), index("l")
    reward, value, after, gained = reals("R V W G")
    decay = gamma**s.power * lam
    forward = reward + gamma * ((1 - lam) * after + lam * gained) - value
    backward = reward + gamma * after - value + decay * (gained - after)
    before, here = lam ** (at - 1), lam**at
    averaged = vector("lambda_return/lecture-2.4").answer()
    show.fill(weight=decay**at)
    show.literal.induction(
        "the weights of the n-step advantages with n > l add up to λ^l",
        base=(ev.Identity("l = N − 1: 1 less all before", 1 - (1 - before), before),),
        step=(ev.Identity("l + 1 → l: one weight more", here * lam + (1 - lam) * here, here),),
        over="0 ≤ l < N, an episode of N steps, downwards from N − 1",
        variable="l",
    )
    show.literal.identity(
        "with the γ^l of δ_{t+l} its weight is (γλ)^l", gamma**at * here, decay**at, "l ≥ 1"
    )
    show.literal.identity("one step earlier it is still G^λ − V", backward, forward, "all R, V, γ and λ")
    show.literal.exact("2.4, V = 0: it is the λ-return", vector(EXAMPLE).answer()[0], "=", averaged)


def _spread(episodes: Sequence[Sequence[int]], lam: str) -> Any:
    """Variance of the advantage at the start over equally likely rewards, with V = 0 and γ = 1."""
    case = vector("gae/audit-shorter-varies-more")
    return variance_of([case.answer(rewards=[*map(str, one)], lam=lam)[0] for one in episodes])


@claim("L8.2-gae-smoother", relation="<", uncorrelated=True)
def smoother(s: Statement, show: ev.Findings) -> None:
    """TD errors of an exact critic are uncorrelated; those of a wrong one can cancel in the return."""
    pair, search = second_undoes_first()
    case = vector("gae/audit-shorter-varies-more")
    share, spread, cross, at = unit("p"), positives("v"), positives("c"), index("l")
    correlated = 0 if s.uncorrelated else cross
    show.against += case.refutes(
        "V = 0, and the second reward undoes the first or both are 0; λ = 0 against λ = 1",
        ev.Exact(
            f"Var at λ = 0 {s.relation} Var of G − V",
            _spread(pair, case.given["lam"]),
            s.relation,
            _spread(pair, "1"),
        ),
        premises=(ev.Fact("its rewards", [int(one) for one in case.given["rewards"]], "in", pair),),
        violates=ev.Exact("both TD errors are correlated: Cov", covariance(pair), "!=", 0),
        smallest=search,
    )
    show.repair.induction(
        "each TD error but the first enters with less variance: λ^(2l) v against v",
        base=(ev.ordered("l = 1", share**2 * spread + correlated, s.relation, spread, "0 < λ < 1"),),
        step=(
            ev.ordered(
                "l → l + 1: once more the factor λ²",
                share ** (2 * at + 2) * spread + correlated,
                s.relation,
                share ** (2 * at) * spread,
            ),
        ),
        over="l ≥ 1, 0 < λ < 1, γ > 0",
        variable="l",
    )


@claim("L8.2-critic-training", minus=1, towards=1)
def critic_training(s: Statement, show: ev.Findings) -> None:
    """A step towards the returns shrinks the value's error in the mean; the advantage has that error."""
    gained, value, true, mean, alpha = reals("q V v G alpha")
    step = 2 * unit("s")  # any number between 0 and 2
    trained = value + s.towards * alpha * (mean - value)
    show.literal.identity(
        "after a step of size α towards returns with the mean v, V is off by 1 − α of what it was",
        trained.subs(mean, true) - true,
        (1 - alpha) * (value - true),
        "every value V, true value v and step size α",
    )
    show.literal.sign("which is less", 1 - (1 - step) ** 2, "0 < α < 2")
    show.literal.identity(
        "mean of G − V, less the true advantage q − v, is what V is off",
        (gained - s.minus * value) - (gained - true),
        true - value,
        "every mean return q of an action, value V and true value v",
    )


# the entropy bonus


@claim("L8.2-entropy-prevents-convergence", sign=1, one_state=True)
def premature(s: Statement, show: ev.Findings) -> None:
    """In one state the bonus leaves one maximum, inside; with shared steps a small one leaves a trap."""
    case = vector("ppo_loss/audit-entropy-barrier")

    # two tokens by one policy (p, 1 − p): both a pays 1, both b pays 3/5, anything else 0
    def paid_by_two(p: Any) -> Any:
        return p**2 + sympy.Rational(3, 5) * (1 - p) ** 2

    def regularised(chance: Any) -> Any:
        entropy = answer("entropy", p=[str(chance), str(1 - chance)])
        return case.answer(clip=str(paid_by_two(chance)), entropy=2 * s.sign * entropy)

    valley, trap, best = (regularised(sympy.Rational(p)) for p in ("1/4", "1/10", "9/10"))
    p, c, t = unit("x"), positives("c"), sympy.Symbol("t")
    first, second = reals("Q_1 Q_2")
    paid = t * first + (1 - t) * second if s.one_state else paid_by_two(t)
    whole = paid - s.sign * c * (t * sympy.log(t) + (1 - t) * sympy.log(1 - t))
    odds = sympy.exp((first - second) / c)
    slope = whole.diff(t)
    if s.one_state:
        slope = sympy.expand_log(slope.subs(t, odds / (1 + odds)), force=True)
    show.against += case.refutes(
        "two tokens by one policy: aa pays 1, bb pays 3/5; c_2 = 1/100, entropy of both steps "
        "counted. From P(a) = 1/10 the way to aa leads through a valley, so ascent settles near bb",
        ev.Exact("J + c_2 H rises from p = 1/10 to p = 1/4", valley, ">", trap),
        premises=(ev.Exact("beyond the valley it is better", best, ">", trap),),
        violates=ev.Exact(
            "steps that share the policy: degree of J",
            sympy.Integer(sympy.degree(paid_by_two(t), t)),
            "!=",
            1,
        ),
    )
    show.repair.sign("strictly concave in π(a)", -whole.diff(t, 2).subs(t, p), "all Q, c_2 > 0, 0 < p < 1")
    show.repair.identity(
        "the slope is 0 at π(a) = 1/(1 + exp(−(Q_1 − Q_2)/c_2))", sympy.simplify(slope), 0, "all Q, c_2 > 0"
    )


# what the small loop counts


@claim("L8.4-400-collections", total=400, counted=Choice("reinforce_collections", "reinforce_trajectories"))
def collections(s: Statement, show: ev.Findings) -> None:
    """The number counts trajectories."""
    case = vector(COUNTS)
    trajectories = case.answer("reinforce_trajectories")
    show.fill(trajectories=trajectories)
    show.literal.exact("collections for 4 gradient steps", case.answer(s.counted), "=", s.total)
    show.repair.exact(
        "one collection for each step",
        case.answer("reinforce_collections"),
        "=",
        case.answer("gradient_steps"),
    )
    show.unchanged.exact("trajectories", trajectories, "=", s.total)


@claim("L8.4-one-step-per-epoch", per_epoch=1)
def per_epoch(s: Statement, show: ev.Findings) -> None:
    """8.2 and the pseudocode make a step of every mini-batch."""
    case = vector("ppo_count/audit-two-minibatches")
    of_one = {n: case.answer("gradient_steps", epochs=n, minibatches=1) for n in range(1, 11)}
    steps, epochs = case.answer("gradient_steps"), s.per_epoch * case.given["epochs"]
    show.against += case.refutes(
        "two mini-batches, as the pseudocode of 8.3 allows",
        ev.Exact("gradient steps against epochs", steps, "=", epochs),
        violates=ev.Exact("mini-batches", case.given["minibatches"], "!=", 1),
    )
    show.repair.exhaustive(
        "as many steps as epochs",
        [(f"{n} epochs", steps == n * s.per_epoch) for n, steps in of_one.items()],
        "runs of 1 to 10 epochs with one mini-batch, counted by the calculator",
    )


@claim(
    "L8.4-loop-unspecified",
    sign=1,
    alpha="1/50",
    eps="1/5",
    # θ_L after epochs 1 to 5 of one way to fill the loop in, and the good action's ratio then
    trace=("0.05", "0.0998752080", "0.1493797533", "0.1982804279", "0.2463650693"),
    ratio="1.2414987440",
)
def loop(s: Statement, show: ev.Findings) -> None:
    """Without environment, step size and ε nothing follows; with them everything."""
    states = run(str(s.sign * Fraction(s.alpha)), 5, s.eps)
    case, faster = vector("ratio/audit-smaller-step"), vector("ratio/audit-one-step-leaves-the-interval")
    last = states[len(s.trace)]

    def rounded(what: str, bounds: tuple[Fraction, Fraction], told: str) -> list[ev.Evidence]:
        ends = dict.fromkeys(round(end, 10) for end in bounds)
        return [ev.Exact(f"{what}, to 10 decimals", end, "=", told) for end in ends]

    show.against += case.refutes(
        "the bandit of 4.4 with V = 5 and ε = 1/5, once with α = 1/50 and once with 1/10: ratio "
        "after epoch 1",
        ev.Exact("both runs agree", case.answer(), "=", faster.answer()),
        also=(faster,),
    )
    for at, told in enumerate(s.trace, start=1):
        show.repair += rounded(f"θ_L after epoch {at} is {told}", states[at].theta, told)
    show.repair += rounded(f"and the ratio of L is {s.ratio}", last.good, s.ratio)
    show.repair.exact("where the gradient has become 0", last.slope[1], "=", 0)


# TRPO


@claim("L8.5-kl-direction", first=Choice("theta", "theta_old"))
def kl_direction(s: Statement, show: ev.Findings) -> None:
    """The other direction lets pass what TRPO refuses."""
    own, reverse = vector("kl/half-from-nine-tenths"), vector("kl/nine-tenths-from-half")
    ours, theirs = r"\theta", r"\theta_{\text{old}}"
    delta = sympy.Rational(2, 5)
    source = "arXiv:1502.05477, equations 12 to 14"
    p, t = unit("x"), sympy.Symbol("t")
    before, shifted = (p, 1 - p), (p + t, 1 - p - t)

    def divergence(one: Any, other: Any) -> Any:
        return sum(a * sympy.log(a / b) for a, b in zip(one, other, strict=True))

    same = ev.Fact("policy that stands first in TRPO's constraint", s.first, "=", "theta_old", source)
    if same.status == "holds":
        show.fill(one=theirs, other=ours)
        show.literal.append(same)
        return
    show.fill(one=ours, other=theirs)
    show.against += own.refutes(
        "from (1/2, 1/2) to (9/10, 1/10) with δ = 2/5: allowed one way, refused the other",
        ev.Exact("D(π_old‖π) ≤ δ as well", own.answer(), "<=", delta),
        also=(reverse,),
        premises=(ev.Exact("D(π‖π_old) ≤ δ", reverse.answer(), "<=", delta),),
    )
    show.repair.identity(
        "second order of both at equality: 1/(p(1 − p))",
        divergence(before, shifted).diff(t, 2).subs(t, 0),
        divergence(shifted, before).diff(t, 2).subs(t, 0),
        "two actions, every p",
    )
