"""The ε-greedy policy, as terms and as arrays: equal largest values share the greedy probability.

π(a) = ε/A + (1 − ε)/m where Q(a) is one of the m largest values, ε/A elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, to_text
from rlcalc.spelling import spelled
from rlcalc.steps.terms import Term, term


def largest(values: Sequence[Any], parameter: str) -> list[int]:
    """Indices of the largest exact values; more than one where they are equal.

    Raises:
        InputError: ``<parameter>_not_ordered`` where a symbol leaves it open.
    """
    found = [0]
    for index in range(1, len(values)):
        order = compare(values[index], values[found[0]])
        if order is None:
            raise InputError(
                f"{parameter}_not_ordered",
                f"Which entry of {spelled(parameter)} is the largest is open: "
                f"{to_text(values[index])} or {to_text(values[found[0]])}.",
                f"Give numbers for {spelled(parameter)}; other inputs may be letters.",
            )
        if order > 0:
            found = [index]
        elif order == 0:
            found.append(index)
    return found


def chances(epsilon: Term, best: Sequence[int], count: int) -> list[Term]:
    """π(a) for every action as a term."""
    explored = epsilon / count if count > 1 else epsilon
    exploited = 1 - epsilon if len(best) == 1 else (1 - epsilon) / len(best)
    return [term(explored) + exploited if a in best else explored for a in range(count)]


def policy(xp: Backend, q: Any, epsilon: Any) -> Any:
    """π(a) for action values [..., A] and ε [...]."""
    best = xp.cast(q == xp.amax(q, -1)[..., None], q.dtype)
    epsilon = epsilon[..., None]
    return epsilon / q.shape[-1] + (1 - epsilon) * best / best.sum(-1)[..., None]
