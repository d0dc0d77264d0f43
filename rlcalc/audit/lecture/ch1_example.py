"""Chapter 1: the worked example, and TD(0) as the special case n = 1."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import Vector, vector
from rlcalc.audit.proofs import answer, index, reals, sequence
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.returns import NStep
from rlcalc.exact import symbol

_NOT_BESIDE = "the right number stands far from the printed one"


@claim(
    "L1.4-terminal-bootstrap",
    printed="12.8",
    corruptions=[Corruption("the last state is worth 0", _NOT_BESIDE, printed="4.7")],
)
def terminal_bootstrap(s: Statement, show: ev.Findings) -> None:
    """Nothing follows a terminal state, so its value is 0."""
    case = vector("n_step_return/lecture-1.4-terminal")
    full = answer("discounted_return", rewards=case.given["rewards"], gamma=case.given["gamma"])
    _terminal(
        show,
        case,
        ev.Exact("2-step target of the episode that ends in S_3", case.answer(), "=", s.printed),
        ev.Exact("2-step target with V(S_3) = 0 = full return", case.answer(), "=", full),
    )


@claim(
    "L1.4-upd2-terminal",
    printed="5.78",
    corruptions=[Corruption("the last state is worth 0", _NOT_BESIDE, printed="4.97")],
)
def update_terminal(s: Statement, show: ev.Findings) -> None:
    """The wrong target makes the value rise where it should fall."""
    case = vector("n_step_return/lecture-1.4-terminal")
    moved = answer(
        "td_update", value=case.given["values"][0], target=case.answer(), alpha=case.given["alpha"]
    )
    _terminal(
        show,
        case,
        ev.Exact("value of S_1 after the 2-step update", case.answer("updated"), "=", s.printed),
        ev.Exact("5 + 0.1·(4.7 − 5)", case.answer("updated"), "=", moved),
    )


def _terminal(show: ev.Findings, case: Vector, claimed: ev.Exact, right: ev.Exact) -> None:
    if claimed.status == "holds":
        show.literal.append(claimed)
        return
    where = "the episode itself, with the value that a terminal state has"
    show.against += case.refutes(where, claimed)
    show.repair.append(right)


@claim("L1.4-indexing", first=2, scope="instance")  # a statement about one index
def indexing(s: Statement, show: ev.Findings) -> None:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    from sympy.core.function import AppliedUndef

    calls = sorted(str(call) for call in NStep(reals("gamma")).one(1).atoms(AppliedUndef))
    show.literal.fact("the 1-step target from S_1 contains the reward", f"R({s.first})", "in", calls)
    show.literal.fact("and the value of", f"V({s.first})", "in", calls)


@claim("L1.5-td0-update", steps=1, sign=1)
def td0(s: Statement, show: ev.Findings) -> None:
    """Both updates written out; they are the same expression."""
    alpha, gamma, t = reals("alpha"), reals("gamma"), index("t")
    g = NStep(gamma)
    value = g.value(t)
    td = value + alpha * (g.reward(t + 1) + gamma * g.value(t + 1) - s.sign * value)
    n_step = value + alpha * (g.written(t, int(s.steps)) - value)
    show.fill(update=td)
    show.literal.identity("the n-step update with n = 1 is that of TD(0)", n_step, td, "every α, γ, R and V")


@claim("L1.5-td-error", minus=1, next_weight=1)
def td_error(s: Statement, show: ev.Findings) -> None:
    """The error is the target minus the value, which is what the calculator gives for symbols."""

    def error(reward: Any, value: Any, after: Any, gamma: Any) -> Any:
        return s.minus * (reward + gamma**s.next_weight * after - value)

    t, reward, value = index("t"), sequence("R"), sequence("V")
    calculated = answer("td_error", reward="r", value="v", next_value="w", gamma="g")
    example = vector("td_error/lecture-1.4-step").answer()
    symbols = [symbol(name) for name in "rvwg"]
    show.fill(error=error(reward(t + 1), value(t), value(t + 1), reals("gamma")))
    show.literal.identity("TD error = target − value", error(*symbols), calculated, "all numbers")
    show.literal.exact("in 1.4: target 9.2 minus value 5", example, "=", "4.2")
