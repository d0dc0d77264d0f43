"""Chapter 6, sections 6.1, 6.2 and 6.5: returns against a baseline, advantages, control variates."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import Counterexample, Vector, vector
from rlcalc.audit.lecture.ch4 import ANY_SOFTMAX, chance_moves, odds_move
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, index, positives, reals, sequence, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.exact import symbol

UNEVEN = "baseline_variance/audit-value-raises-variance"  # chances 3/4 and 1/4, returns 1 and 0
EPISODES = ("advantage/lecture-6.4-episode-1", "advantage/lecture-6.4-episode-2")  # 15 and 7 against 10
CRITIC = "baseline_variance/lecture-6.4-critic"  # both of them at even chances


@claim("L6.1-grading-analogy", score="75", usual=">", better="<")
def grading(s: Statement, show: ev.Findings) -> None:
    """The sign of score − baseline at both ends of both ranges, and so between them."""
    usual, better = (50, 60), (80, 90)
    show.fill(low=usual[0], high=usual[1], lower=better[0], higher=better[1])
    for relation, ends in ((s.usual, usual), (s.better, better)):
        for end in ends:
            gap = answer("advantage", return_=s.score, value=str(end))
            show.literal.exact(f"{s.score} − {end}", gap, relation, 0)


@claim("L6.2-bad-episode-penalised", effect="<", negative=True)
def bad_episode(s: Statement, show: ev.Findings) -> None:
    """A low return that is positive still rewards every action of its episode."""
    case, size = vector("reinforce_step/audit-low-score-raised"), positives("g")
    low = case.given["return_"]
    show.against += case.refutes(
        "returns of 10 are usual; an episode of one good action ends with 1",
        chance_moves(case, s.effect),
        premises=(ev.Exact("the return is low", low, "<", 10),),
        violates=ev.Exact("the return is not negative", low, ">=", 0),
    )
    show.repair.append(odds_move(-size if s.negative else size, s.effect))


@claim("L6.2-bad-action-reinforced", effect=">", positive=True)
def bad_action(s: Statement, show: ev.Findings) -> None:
    """In the form per step an action is weighted with what follows it, not with the whole episode."""
    case, size = vector("reinforce_step/audit-high-return-negative"), positives("g")
    episode = vector("discounted_return/audit-late-mistake")
    show.against += case.refutes(
        "rewards 10 and −1: the total is 9, and the second, bad action has the return −1",
        chance_moves(case, s.effect),
        premises=(ev.Exact("the total is high", episode.answer(), ">", 0),),
        violates=ev.Exact("the return that follows is not positive", episode.answer("returns")[1], "<=", 0),
        also=(episode,),
    )
    show.repair.append(odds_move(size if s.positive else -size, s.effect))


@claim("L6.2-proportional", power=1, sign=-1)
def proportional(s: Statement, show: ev.Findings) -> None:
    """The calculator's step with return, baseline and step size left as symbols."""
    inputs = {"theta": ["0", "0"], "action": 0}
    moved = answer("reinforce_step", "theta", **inputs, return_="g", alpha="a", baseline="b")

    def gain(full: Any, baseline: Any) -> Any:
        return (full + s.sign * baseline) ** s.power

    show.fill(gain=gain(sequence("G")(index("t")), reals("b")))
    for part, score in zip(moved, answer("score", **inputs), strict=True):
        show.literal.identity(
            "entry of the step",
            part,
            symbol("a") * gain(symbol("g"), symbol("b")) * score,
            "every return, baseline and step size; two equally likely actions",
        )


@claim("L6.2-baseline-unbiased", of_action=False, same_policy=True)
def baseline_unbiased(s: Statement, show: ev.Findings) -> None:
    """Σ π(a) b ∇ log π(a) = b ∇1 = 0, for a number or a function of the state."""
    p, drawn = positives("pi q")
    b, own, slope, total = reals("b b_a dpi D")
    term = (p if s.same_policy else drawn) * (own if s.of_action else b) * slope / p
    show.fill(b=sequence("b")(sequence("A")(index("t"))) if s.of_action else b)
    show.literal.induction(
        "Σ π(a) b ∇ log π(a) over some actions is b ∇ Σ π(a), and over all of them b ∇1 = 0",
        base=(ev.Identity("one action", term, b * slope),),
        step=(ev.Identity("one action more", b * total + term, b * (total + slope)),),
        over="any number of actions, every differentiable policy, b a function of the state",
    )


@claim("L6.2-baseline-reduces-variance", relation="<", between=True)
def reduces_variance(s: Statement, show: ev.Findings) -> None:
    """A parabola in b, least at b*; even the value can lie beyond 2b*, where it does harm."""
    case, none = vector(UNEVEN), vector("baseline_variance/audit-no-baseline-scatters-less")
    best, length = positives("b_best c")
    b = 2 * best * (unit("u") if s.between else 1 + positives("u"))
    show.against += case.refutes(
        "two actions with chances 3/4 and 1/4 and returns 1 and 0; the baseline is the value, 3/4",
        ev.Exact(
            f"variance with the baseline {s.relation} without it",
            case.answer("variance"),
            s.relation,
            none.answer("variance"),
        ),
        violates=ev.Exact("b ≥ 2b*", case.answer("subtracted"), ">=", 2 * case.answer("best")),
        also=(none,),
    )
    show.repair.ordered(
        "E (G−b)²|s|² − E G²|s|² = b² E|s|² − 2b E G|s|²; the means are equal, so the variances "
        "differ by the same",
        b**2 * length - 2 * b * best * length,
        s.relation,
        0,
        "0 < b < 2b*, any number of actions, E|s|² = c > 0, E G|s|² = b* c (mirrored for b* < 0)",
    )


@claim("L6.2-V-natural-baseline", mean=True, best=False)
def natural_baseline(s: Statement, show: ev.Findings) -> None:
    """No other number is as near to the returns; the least variance it has not, nor is that said."""
    case, (c, mean, squares, one) = vector(UNEVEN), reals("c M Q G_1")
    value = mean if s.mean else one

    def error(c: Any) -> Any:
        return squares - 2 * c * mean + c**2

    show.fill(expected=r"\mathbb{E}[G_t | S_t = s]" if s.mean else "G_t")
    show.literal.identity(
        "E(G − c)² − E(G − V)² = (c − V)²: any other number is farther from the returns",
        error(c) - error(value),
        (c - value) ** 2,
        "every c, all returns with a mean M and a mean square Q",
    )
    show.literal.exact(
        "chances 3/4, 1/4 and returns 1, 0: value against the baseline of least variance",
        case.answer("subtracted"),
        "=" if s.best else "!=",
        case.answer("best"),
    )


@claim("L6.2-advantage-def", sign=1, subtract=Choice("V", "Q"))
def advantage_definition(s: Statement, show: ev.Findings) -> None:
    """G − V is one draw of what has the mean Q − V."""
    w, x, y, value = reals("w G_1 G_2 V")
    worth = w * x + (1 - w) * y
    one, other = (s.sign * (full - (value if s.subtract == "V" else worth)) for full in (x, y))
    over = "an action followed by the return G_1 with chance w, otherwise by G_2"
    show.literal.identity("G − V is the advantage of the action", one, worth - value, over)
    show.repair.identity("E[G − V | s, a] = Q − V", w * one + (1 - w) * other, worth - value, over)
    show.repair.identity("with a single return they are equal", one.subs(y, x), x - value, "G_1 = G_2")


@claim("L6.2-sign-direction", effect=">", alone=True)
def sign_direction(s: Statement, show: ev.Findings) -> None:
    """Its own term does that; the sum over steps of 6.3 adds the terms of other actions."""
    case, (step, size) = vector("baseline_variance/audit-positive-advantage-falls"), positives("alpha a")
    returns, critic = case.given["returns"], case.given["baseline"]
    # the other action with five times the advantage, as in the counterexample
    others = 0 if s.alone else odds_gain(5 * step * size)
    up, down = odds_gain(step * size) - others, odds_gain(-step * size) - others
    show.against += case.refutes(
        "two equally likely actions were taken once each, with advantages 1 and 5 (a critic at 10)",
        ev.Exact("slope of the first preference", case.answer()[0], s.effect, 0),
        premises=(ev.Exact("its advantage", answer("advantage", return_=returns[0], value=critic), ">", 0),),
        violates=ev.Exact("samples in the step", sympy.Integer(len(returns)), ">", 1),
    )
    show.repair.ordered("A > 0: what the odds gain", up, s.effect, 0, ANY_SOFTMAX)
    show.repair.ordered("A < 0: what they lose", -down, s.effect, 0, ANY_SOFTMAX)
    show.repair.identity("A = 0: they stay", odds_gain(0) - others, 0, ANY_SOFTMAX)
    show.repair.sign(
        "slope of log π(a) along the step, A |∇ log π|²",
        size * (positives("g") ** 2 + positives("rest")),
        "every differentiable policy whose score is not 0",
    )


@claim("L6.2-actor-critic", weight=Choice("advantages", "values"), against=Choice("value", "policy"), power=2)
def actor_critic(s: Statement, show: ev.Findings) -> None:
    """What the critic learns, and that the actor needs it."""
    from rlcalc.specs import load_formula

    w, x, y, value = reals("w G_1 G_2 V")
    error = w * (value - x) ** s.power + (1 - w) * (value - y) ** s.power
    actor, advantage = ([p.name for p in load_formula(f).parameters] for f in ("actor_loss", "advantage"))
    show.literal.identity(
        "the squared error of the critic is at rest at the expected return",
        error.diff(value).subs(value, w * x + (1 - w) * y),
        0,
        "a return G_1 with chance w, otherwise G_2",
    )
    show.literal.fact("inputs of the actor's loss", s.weight, "in", actor)
    show.literal.fact("inputs of an advantage", s.against, "in", advantage)


@claim("L6.5-control-variate", relation="<", strong=True, cross=-2)
def control_variate(s: Statement, show: ev.Findings) -> None:
    """Var(X − b) = Var X − 2 Cov + Var b: correlation is not enough."""
    x2, b2, xb, x, b, joint = reals("X2 B2 XB X B c")
    spread, gain, own = positives("v d u")
    covariance = spread / 2 + (gain if s.strong else -gain)
    show.against += _correlated(s, vector("control_variate/audit-negative-correlation"))
    show.against += _correlated(s, vector("control_variate/lecture-6.5-fails"))
    show.repair.identity(
        "Var(X − b) = Var X − 2 Cov(X, b) + Var b",
        (x2 - 2 * xb + b2) - (x - b) ** 2,
        (x2 - x**2) + s.cross * (xb - x * b) + (b2 - b**2),
        "all X and b with second moments",
    )
    show.repair.ordered("−2 Cov + Var b, Cov = Var b/2 + d", spread - 2 * covariance, s.relation, 0, "d > 0")
    show.repair.identity(
        "Var X − 2k Cov + k² Var b at k = Cov/Var b",
        own - 2 * (joint / spread) * joint + (joint / spread) ** 2 * spread,
        own * (1 - joint**2 / (own * spread)),
        "all X and b that vary",
    )


def _correlated(s: Statement, case: Vector) -> list[Counterexample]:
    """X is 0 or 1, equally likely, and b takes its two values with it."""
    low, high = case.number("b")
    half = (high - low) / 2  # twice the covariance; its square is the variance of b
    after, before = case.answer("variance"), case.answer("variance_x")
    return case.refutes(
        f"X is 0 or 1, equally likely, and b is {low} or {high} with it",
        ev.Exact(f"Var(X − b) {s.relation} Var X", after, s.relation, before),
        premises=(ev.Exact("b correlates with X", case.answer("correlation"), "!=", 0),),
        violates=ev.Exact("2 Cov(X, b) is not above Var b", half, "<=", half**2),
    )


@claim("L6.5-analogy-to-baseline", multiplied=False, own_mean=0)
def analogy(s: Statement, show: ev.Findings) -> None:
    """b alone is a constant and correlates with nothing; what is subtracted from G·score is b·score."""
    case, (p, q, b) = vector(CRITIC), reals("p q b")
    pair = [case.answer("variance"), case.answer("variance", baseline="0")]
    if not s.multiplied:
        alone = {"x": case.given["returns"], "b": [case.given["baseline"]] * 2, "k": "1"}
        pair = [answer("control_variate", name, **alone) for name in ("variance", "variance_x")]
    score = sympy.Symbol("score") if s.multiplied else 1
    numbers = ev.Exact("returns 15 and 7, b = 10: variance with b, and without", pair[0], "<", pair[1])
    mean = p * b * (1 - p) + q * b * -p + (1 - p - q) * b * -p
    centred = ev.Identity("E[b ∇ log π], an entry of it", mean, s.own_mean, "three actions, every b")
    show.fill(full=reals("G") * score, part=b * score)
    show.literal += [numbers, centred] if s.multiplied else [numbers]
    show.repair.append(centred)
