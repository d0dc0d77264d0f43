"""Chapter 2: the worked example, and what it recalls of Monte Carlo."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import answer, index, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.returns import NStep
from rlcalc.audit.zero import as_expression
from rlcalc.exact import symbol

WEIGHTS = "lambda_weights/lecture-2.4-list"


@claim("L2.4-weights", printed=("0.5", "0.25", "0.125"), exponent=-1)
def weights(s: Statement, show: ev.Findings) -> None:
    """The geometric weights themselves; the rest is the next claim."""
    lam, n = reals("lambda"), index()
    half = as_expression(vector(WEIGHTS).given["lam"])

    def weight(lam: Any, n: Any) -> Any:
        return (1 - lam) * lam ** (n + s.exponent)

    count = ev.Exact("how many", sympy.Integer(len(s.printed)), "=", 3)
    show.fill(weight=weight(lam, n), printed=", ".join(s.printed))
    show.literal.append(count)
    show.literal += (
        ev.Exact(f"weight {at}", weight(half, at), "=", printed)
        for at, printed in enumerate(s.printed, start=1)
    )


@claim("L2.4-remaining", printed="0.125", joint="0.25")
def remaining(s: Statement, show: ev.Findings) -> None:
    """What is left after three weights, and what the last return then has; for every λ and N besides."""
    case = vector(WEIGHTS)
    apart = case.otherwise().answer()
    left = 1 - sum(apart[:3], sympy.Integer(0))
    lam, last = reals("lambda"), index("N")
    show.fill(left=left)
    show.literal.exact("left after three weights", left, "=", s.printed)
    show.literal.exact("weight of the final return", case.answer()[2], "=", s.joint)
    show.literal.identity(
        "in general: its own weight and the rest make λ^(N−1)",
        (1 - lam) * lam ** (last - 1) + lam**last,
        lam ** (last - 1),
        "N ≥ 1, every λ",
    )


@claim("L2.4-indexing", first=1, scope="instance")  # a statement about one index
def indexing(s: Statement, show: ev.Findings) -> None:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    from sympy.core.function import AppliedUndef

    calls = sorted(str(call) for call in NStep(reals("gamma")).one(0).atoms(AppliedUndef))
    show.literal.fact("the 1-step target from S_0 contains", f"R({s.first})", "in", calls)


@claim("L2.5-mc-update", sign=1)
def mc_update(s: Statement, show: ev.Findings) -> None:
    """A step of size α towards the return; the calculator does the same with symbols."""

    def moved(value: Any, full: Any, alpha: Any) -> Any:
        return value + s.sign * alpha * (full - value)

    alpha, value, full = symbol("a"), symbol("v"), symbol("g")
    new = moved(value, full, alpha)
    state = sequence("V")(sympy.Symbol("s"))
    calculated = answer("mc_update", value="v", returns=["g"], alpha="a")
    show.fill(moved=moved(state, sequence("G")(index("t")), reals("alpha")))
    show.literal.identity("the error left is 1 − α of the old one", full - new, (1 - alpha) * (full - value))
    show.literal.identity("the calculator's update", calculated, new, "every α, V and G")


@claim("L2.5-mc-averaging", harmonic=True, sign=1)
def averaging(s: Statement, show: ev.Findings) -> None:
    """With α = 1/k the update is the running mean; a constant α forgets."""
    case = vector("mc_update/audit-constant-step-is-no-mean")
    total, full, n, value = reals("S"), reals("G"), index("k"), reals("V")
    alpha = 1 / (n + 1) if s.harmonic else reals("alpha")
    first_alpha = 1 if s.harmonic else reals("alpha")

    def moved(value: Any, full: Any, alpha: Any) -> Any:
        return value + s.sign * alpha * (full - value)

    returns = case.given["returns"]
    show.fill(moved=moved(value, sequence("G")(index("t")), reals("alpha")))
    show.against += case.refutes(
        "one return of 1, started from 0 with α = 1/2",
        ev.Exact(
            "value after the update = average of the returns",
            case.answer(),
            "=",
            sum(map(as_expression, returns)) / len(returns),
        ),
        violates=ev.Exact("α is not 1/k = 1", case.given["alpha"], "!=", 1),
    )
    show.repair.induction(
        "the value after k returns is their sum over k",
        base=(ev.Identity("k = 1", moved(value, full, first_alpha), full),),
        step=(ev.Identity("k → k + 1", moved(total / n, full, alpha), (total + full) / (n + 1)),),
        over="k ≥ 1, all returns, any first guess",
        variable="k",
    )


@claim("L2.5-return-exponent", shift=0)
def return_exponent(s: Statement, show: ev.Findings) -> None:
    """The sum obeys G_t = R_{t+1} + γ G_{t+1}; one reward more at the end adds its last term."""
    gamma, t, n, end = reals("gamma"), index("t"), index(), index("T")
    reward = sequence("R")

    def last(start: Any, end: Any) -> Any:
        """The term with which R at the time ``end`` stands in the return from ``start``."""
        return gamma ** (end - start - 1 + s.shift) * reward(end)

    show.fill(first=last(t, t + 1), second=last(t, t + 2), last=last(t, end))
    show.literal.equal_by_increments(
        "the sum is the unrolled recursion G_t = R_{t+1} + γ G_{t+1}, G_T = 0",
        (last(t, t + 1), reward(t + 1)),
        (last(t, t + 1 + n), gamma * last(t + 1, t + 1 + n)),
        over="every number T − t ≥ 1 of steps, every γ and R",
    )


@claim("L2.5-mc-after-end", discounted=True, waits=True)
def after_end(s: Statement, show: ev.Findings) -> None:
    """The last reward stands in the return with the factor γ^(T−t−1); at γ = 0 it does not count."""
    case = vector("discounted_return/audit-myopic-return-is-early")
    gamma = positives("gamma") if s.discounted else 0 * positives("gamma")
    if not s.waits:
        ordinary = [answer("discounted_return", rewards=["1", last], gamma="1/2") for last in ("1", "0")]
        known = ev.Exact("returns that differ in the last reward", ordinary[0], "=", ordinary[1])
        show.literal.append(known)
        return
    show.against += case.refutes(
        "γ = 0: the return of the first state is the first reward, whatever the last one is",
        ev.Exact(
            "the return depends on the last reward: G differs",
            case.answer(),
            "!=",
            case.answer(rewards=["1", "0"]),
        ),
        violates=ev.Exact("γ is not above 0", case.given["gamma"], "<=", 0),
    )
    show.repair.sign(
        "weight of the last reward in the return",
        gamma ** index(),
        "γ > 0, T − t − 1 = n ≥ 1 (for the last step it is 1)",
    )
