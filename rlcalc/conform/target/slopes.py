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

from rlcalc._lazy import torch

# name of the derivative, key of what is differentiated, its input, and "alone" for an answer without a name
Slope = Sequence[str]
# kind of a part of an answer that was found here
GRADIENT = "gradient"
# before the name of what a loss weighs a log-probability with
WEIGHT = "-"


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


class Leaves:
    """Log-probabilities that a loss is made of: what it weighs each with is its derivative.

    Losses of whole episodes are differentiated where they are made, or are handed back.
    """

    def __init__(
        self,
        values: dict[str, Any],
        places: Sequence[str],
        beside: Sequence[str],
        stacked: Sequence[str] = (),
    ) -> None:
        """The values of places become tensors.

        Args:
            beside: places of what else a network has said of each step.
            stacked: places whose entries are numbers; those of the others have one entry each, as a batch of
                one observation gives them.
        """
        self.leaves = {place: _leaf(values[place]) for place in places if _may_ask(values[place])}
        others = {place: _leaf(values[place]) for place in beside if _may_ask(values[place])}
        values |= {
            place: _as_given(values[place], leaf, place in stacked)
            for place, leaf in (self.leaves | others).items()
        }

    def weights(self, answer: Any) -> dict[str, Any]:
        """The weight of each step in a sum over steps, then in a mean, by what they are."""
        if all(leaf.grad is None for leaf in self.leaves.values()):
            parts = answer if isinstance(answer, tuple | list) else (answer,)
            loss = next((part for part in parts if getattr(part, "requires_grad", False)), None)
            if loss is not None:
                loss.sum().backward()
        found = {}
        for place, leaf in self.leaves.items():
            if leaf.grad is not None:
                found[f"{WEIGHT}d loss/d {place}"] = -leaf.grad
                found[f"{WEIGHT}T d loss/d {place}"] = -leaf.grad * leaf.numel()
        return found


def _may_ask(value: Any) -> bool:
    """Whether a gradient can be asked for: an array of another library has none."""
    return isinstance(value, list) or hasattr(value, "requires_grad_")


def _leaf(value: Any) -> Any:
    """A tensor that asks for its gradient; of a list one that is made of its entries."""
    whole = torch.stack([torch.as_tensor(part) for part in value]) if isinstance(value, list) else value
    return whole.requires_grad_()


def _as_given(value: Any, leaf: Any, single: bool) -> Any:
    """What a function gets of a leaf: for a list a tensor for each entry."""
    if not isinstance(value, list):
        return leaf.view_as(leaf)
    return [leaf[k] if leaf.ndim > 1 or single else leaf[k : k + 1] for k in range(len(value))]


def _picked(answer: Any, key: str, alone: bool) -> Any:
    if isinstance(answer, Mapping):
        return answer.get(key)
    if hasattr(answer, key):
        return getattr(answer, key)
    if isinstance(answer, tuple | list):
        return answer[int(key[1:-1])] if key.startswith("[") else answer[0] if alone else None
    return answer if alone else None
