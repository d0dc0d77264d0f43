"""What one-step targets of action values share: the reward, and what follows unless the episode ended.

    target_t = R_{t+1} + γ_t^n · (what follows),   R_{t+1} alone after a terminated step.

A reward that is already the discounted sum of n steps is followed n steps later, hence the power.
A truncated step is cut off by a limit and leads on to a state that has a value: it is a step like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs.bind import Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term


def exact_targets(d: Derivation, i: Inputs, following: Callable[[int], Term]) -> None:
    """The output ``target`` from what follows each step; it is not asked for where nothing does."""
    targets = []
    for t, reward in enumerate(i.rewards):
        found: Term = d.given(Name("R", str(t + 1)), reward)
        if not ended(i, t):
            found = found + discount(d, i, t) * following(t)
        targets.append(d.step(Name("target", str(t)), found))
    d.output("target", targets)


def ended(i: Inputs, t: int) -> bool:
    """Whether nothing follows step t."""
    return bool(i.terminated and i.terminated[t])


def discount(d: Derivation, i: Inputs, t: int) -> Term:
    """γ of step t, to the power of the steps that its reward sums."""
    per_step = isinstance(i.gamma, list)
    gamma = d.given(Name("γ", str(t) if per_step else ""), i.gamma[t] if per_step else i.gamma)
    return gamma if i.n == 1 else gamma**i.n


def action_values(
    d: Derivation, rows: Sequence[Sequence[Any]], t: int, name: str = "Q", tex: str = ""
) -> list[Symbol]:
    """Q(S_{t+1}, a) of every action as given quantities."""
    names = [Name(name, str(t + 1), arg=Name("a", str(a)), tex=tex) for a in range(len(rows[t]))]
    return [d.given(known, value) for known, value in zip(names, rows[t], strict=True)]


def targets(xp: Backend, rewards: Any, gamma: Any, following: Any, terminated: Any, n: Any) -> dict[str, Any]:
    """R + γ^n · following for rewards and what follows [..., T]."""
    onward = powered(xp, gamma, n) * following
    if terminated is not None:
        onward = xp.where(terminated, xp.zeros_like(onward), onward)
    return {"target": rewards + onward}


def powered(xp: Backend, gamma: Any, n: Any) -> Any:
    """γ^n in the dtype of γ: an integer array as the exponent would make float32 wide."""
    return gamma ** xp.placed(xp.cast(xp.asarray(n), gamma.dtype), gamma)


def largest_index(xp: Backend, values: Any) -> Any:
    """Index of the largest entry of the last axis, of several equal ones the first."""
    count = values.shape[-1]
    places = xp.indices(count, values)
    highest = values == xp.amax(values, -1)[..., None]
    return xp.amin(xp.where(highest, places, xp.full_like(places, count - 1)), -1)
