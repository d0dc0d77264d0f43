"""One backup of one state: expected, or optimal over the actions.

    q_a = Σ_i p_{a,i} (R_i + γ v_i),   value = q, or max_a q_a

The rows of ``probs`` are actions, its columns the states that can follow.
Without it the expected backup weighs all successors equally, and the optimal
one takes each successor for the sure outcome of an action of its own.

Source: Sutton and Barto, 2nd edition, equations 3.14 and 3.19.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, apply, total


def check(i: Inputs) -> None:
    """Refuse several actions of which nothing says which is taken.

    Raises:
        InputError: ``max_missing``.
    """
    _check(1 if i.probs is None else len(i.probs), bool(i.max))


def check_arrays(a: Arrays) -> None:
    _check(1 if a.probs is None else a.probs.shape[-2], bool(a.max))


def _check(actions: int, optimal: bool) -> None:
    if actions > 1 and not optimal:
        raise InputError(
            "max_missing",
            f"{spelled('probs')} has {actions} rows, one per action, and nothing says which is taken.",
            f"Add {spelled('max')} for the best one, or give one row.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    gamma, count = d.given("γ", i.gamma), len(i.next_values)
    gains = []
    for k, value in enumerate(i.next_values):
        mark = str(k + 1)
        several = isinstance(i.rewards, list)
        reward = d.given(Name("R", mark if several else ""), i.rewards[k] if several else i.rewards)
        gains.append(reward + gamma * d.given(Name("v", mark), value))
    if i.probs is None and i.max:
        sums: list[Term] = gains
    elif i.probs is None:
        share = d.given("p", Fraction(1, count))
        sums = [total(share * gain for gain in gains)]
    else:
        sums = [_expected(d, gains, row, a if len(i.probs) > 1 else None) for a, row in enumerate(i.probs)]
    q = [d.step(Name("q", str(a + 1) if len(sums) > 1 else ""), term) for a, term in enumerate(sums)]
    d.output("value", d.step("value", apply("max", *q)) if len(q) > 1 else q[0])
    d.output("q_values", q)


def _expected(d: Derivation, gains: Sequence[Term], row: Sequence[Any], action: int | None) -> Term:
    """Σ_i p_i (R_i + γ v_i), without the successors that the action never leads to."""
    before = "" if action is None else f"{action + 1},"
    return total(
        d.given(Name("p", f"{before}{k + 1}"), chance) * gain
        for k, (chance, gain) in enumerate(zip(row, gains, strict=True))
        if chance != 0
    )


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """rewards a number or [..., N], next_values [..., N], probs [..., A, N] -> value, q_values [..., A]."""
    gains = a.rewards + a.gamma * a.next_values
    if a.probs is not None:
        q_values = (a.probs * gains[..., None, :]).sum(-1)
    elif a.max:
        q_values = gains
    else:
        q_values = gains.mean(-1)[..., None]
    return {"value": xp.amax(q_values, -1), "q_values": q_values}
