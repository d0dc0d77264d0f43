"""One backup of one state: expected, or optimal over the actions.

    q_a = Σ_i p_{a,i} (R_{a,i} + γ v_i),   value = q, or max_a q_a

The rows of ``probs`` are actions, its columns the states that can follow.
Without it the expected backup weighs all successors equally, and the optimal
one takes each successor for the sure outcome of an action of its own.

Source: Sutton and Barto, 2nd edition, equations 3.14 and 3.19.
"""

from __future__ import annotations

from typing import Any

from rlcalc.errors import InputError, many
from rlcalc.inputs.array_checks import Seen
from rlcalc.inputs.bind import Inputs
from rlcalc.spelling import spelled
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Term, apply, product, total


def check(i: Inputs) -> None:
    """Match rewards and probabilities with the successors.

    Raises:
        InputError: ``rewards_wrong_length``, ``probs_wrong_length``, ``max_missing``.
    """
    rows = len(i.rewards)
    _check(len(i.next_values), [rows, len(i.rewards[0])], None if i.probs is None else
           [len(i.probs), len(i.probs[0])], bool(i.max))  # fmt: skip


def check_arrays(a: Seen) -> None:
    probs = None if a.probs is None else list(a.probs.shape[-2:])
    _check(a.next_values.shape[-1], list(a.rewards.shape[-2:]), probs, bool(a.max))


def _check(count: int, rewards: list[int], probs: list[int] | None, optimal: bool) -> None:
    if probs is not None and probs[1] != count:
        raise InputError(
            "probs_wrong_length",
            f"{spelled('probs')} has {many(probs[1], 'entry', 'entries')} in a row, expected {count}: one "
            f"per value in {spelled('next_values')}.",
            "Write ';' between the rows of different actions.",
        )
    actions = probs[0] if probs is not None else 1
    if rewards[0] not in (1, actions) or rewards[1] not in (1, count):
        raise InputError(
            "rewards_wrong_length",
            f"{spelled('rewards')} has {many(rewards[0], 'row')} of {many(rewards[1], 'entry', 'entries')}, "
            f"expected one number, {count} in a row, or {many(actions, 'row')} of {count}.",
        )
    if actions > 1 and not optimal:
        raise InputError(
            "max_missing",
            f"{spelled('probs')} has {actions} rows, one per action, and nothing says which is taken.",
            f"Add {spelled('max')} for the best one, or give one row.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    gamma = d.given("γ", i.gamma)
    count = len(i.next_values)
    values = [d.given(Name("v", str(k + 1)), value) for k, value in enumerate(i.next_values)]
    single = i.probs is None
    actions = (count if i.max else 1) if single else len(i.probs)
    q = []
    for a in range(actions):
        mark = "" if actions == 1 else str(a + 1)
        own = range(a, a + 1) if single and i.max else range(count)
        parts: list[Term] = []
        for k in own:
            row = i.rewards[a if len(i.rewards) > 1 else 0]
            marks = f"{mark},{k + 1}" if len(i.rewards) > 1 else str(k + 1)
            reward = d.given(Name("R", "" if len(row) == 1 else marks), row[k if len(row) > 1 else 0])
            gain = reward + gamma * values[k]
            if single and i.max:
                parts.append(gain)
                continue
            chance = _share(d, count) if single else d.given(
                Name("p", f"{mark},{k + 1}" if mark else str(k + 1)), i.probs[a][k]
            )  # fmt: skip
            parts.append(product([chance, gain]))
        q.append(d.step(Name("q", mark), total(parts)))
    answer = d.step("value", apply("max", *q) if len(q) > 1 else q[0]) if i.max else q[0]
    d.output("value", answer)
    d.output("q_values", q)


def _share(d: Derivation, count: int) -> Term:
    from fractions import Fraction

    return d.given("p", Fraction(1, count))


def array_form(xp: Any, rewards: Any, next_values: Any, probs: Any, gamma: Any, max: Any) -> dict[str, Any]:
    """rewards [..., 1 or A, 1 or N], next_values [..., N], probs [..., A, N] -> value, q_values [..., A]."""
    gains = rewards + gamma * next_values[..., None, :]
    if probs is not None:
        q_values = (probs * gains).sum(-1)
    elif max:
        q_values = gains[..., 0, :]
    else:
        q_values = gains.mean(-1)
    return {"value": xp.amax(q_values, -1), "q_values": q_values}
