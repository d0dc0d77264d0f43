"""Policies that functions of a process answer with, judged by what their actions are worth.

The worth of a policy is the mean of the right action values under it: the
largest of each state, whichever of several best actions it takes, and no
other where it takes a worse one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.process_values import ProcessCall
from rlcalc.conform.target.call import Part, Reply

WORTH = "the worth of its policy"
# less of a difference may come from sweeps that were not endless
NEAR = 1e-3


def with_policy_valued(call: ProcessCall, reply: Reply) -> Reply:
    """The reply with what its policy is worth, where it has one.

    Beside right values of a policy that is not the best, that is what they are.
    """
    if reply.kind != "answer" or call.formula.name == "policy_eval":
        return reply
    policies = {name: rows for name, part in reply.parts.items() if (rows := _rows(part, call)) is not None}
    if not policies:
        return reply
    rows = next(iter(policies.values()))
    q_values = call.action_values()
    worth = (rows * q_values).sum(-1).astype(call.mdp.r.dtype)
    part = Part(worth, str(worth.dtype), "ndarray", worth.shape)
    others = {name: part for name, part in reply.parts.items() if name not in policies}
    values = [name for name, other in others.items() if _of_states(other, worth)]
    if not values:
        return replace(reply, parts={**reply.parts, WORTH: part})
    best = q_values.max(-1)
    right = any(np.allclose(np.ravel(others[name].array), best, NEAR, NEAR) for name in values)
    if np.allclose(worth, best, NEAR, NEAR) or not right:  # wrong values have a bug of their own
        return reply
    return replace(reply, parts={**reply.parts, **dict.fromkeys(values, part)})


def _of_states(part: Part, like: Any) -> bool:
    array = part.array
    return array is not None and array.dtype.kind == "f" and array.shape in (like.shape, (*like.shape, 1))


def _rows(part: Part, call: ProcessCall) -> Any:
    """A policy as [S, A], of an action a state or of rows with one action each; ``None`` for what is none."""
    array, (states, actions) = part.array, call.mdp.r.shape
    if array is None:
        return None
    if array.shape == (states,) and array.dtype.kind in "iu":
        return np.eye(actions)[array] if ((array >= 0) & (array < actions)).all() else None
    array = array.T if array.shape == (actions, states) != (states, actions) else array
    one_each = array.shape == (states, actions) and np.isin(array, (0, 1)).all()
    return array.astype(np.float64) if one_each and (array.sum(-1) == 1).all() else None
