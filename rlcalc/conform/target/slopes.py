"""Derivatives of a Torch function under test, by autograd.

A function that gives a loss says nothing of its gradient, and two losses of
the same value may have different ones: a constant weight, and a clipped one.
So it is called once more, with an input that asks for its gradient. What
comes without a graph (an advantage, a weight, an estimate for a reward) has
none, and is not asked for one.

Like ``call``, this runs where the target runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# name of the derivative, key of what is differentiated, its input, and "alone" for an answer without a name
Slope = Sequence[str]
# kind of a part of an answer that was found here
GRADIENT = "gradient"


def derivatives(
    call: Callable[[Mapping[str, Any]], Any],
    inputs: Callable[[], dict[str, Any]],
    slopes: Sequence[Slope],
) -> dict[str, Any]:
    """Gradients of the sum of an answer, by name; those that cannot be had are left out.

    Args:
        call: the function, of inputs by place.
        inputs: fresh ones, tensors.
        slopes: which to find.
    """
    found = {}
    for name, key, place, alone in slopes:
        given = inputs()
        leaf: Any = given.get(place)
        if not getattr(leaf, "is_floating_point", bool)():
            continue
        try:
            leaf.requires_grad_()
            # a view, so that the function may change its input in place
            answer = _picked(call({**given, place: leaf.view_as(leaf)}), key, bool(alone))
            if getattr(answer, "requires_grad", False):
                answer.sum().backward()
                found[name] = leaf.new_zeros(leaf.shape) if leaf.grad is None else leaf.grad
        except Exception:  # it answered without a graph, and that is what it is judged by
            continue
    return found


def _picked(answer: Any, key: str, alone: bool) -> Any:
    if isinstance(answer, Mapping):
        return answer.get(key)
    if hasattr(answer, key):
        return getattr(answer, key)
    if isinstance(answer, tuple | list):
        return answer[int(key[1:-1])] if key.startswith("[") else answer[0] if alone else None
    return answer if alone else None
