"""Masks: which tokens of a batch of sequences are there.

A formula with a mask reduces over all rows [N, T] of one batch. Where the mask
is 0 there is nothing, whatever stands in the other inputs: NaN, infinity, the
losses of a prompt. This module alone makes that so, for exact inputs and for
arrays, so that no form of any formula sees what is masked.

``where(mask, x, 0)`` comes before any arithmetic; ``x * mask`` would not do,
since 0 · NaN is NaN, and in Torch the same holds for the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs.bind import Inputs
from rlcalc.specs import Formula


def hidden(inputs: Inputs) -> Inputs:
    """Exact inputs with 0 in every place that is masked."""
    spec = inputs.formula
    if spec.mask is None or not spec.hides(inputs.given):
        return inputs
    mask = inputs.given[spec.mask.name]
    given = dict(inputs.given)
    for parameter in spec.parameters:
        rows = given[parameter.name]
        if spec.is_masked(parameter) and isinstance(rows, list):
            given[parameter.name] = [
                [entry if there else Fraction(0) for entry, there in zip(row, flags, strict=True)]
                for row, flags in zip(rows, mask, strict=True)
            ]
    return replace(inputs, given=given)


def hidden_arrays(xp: Backend, spec: Formula, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays [..., N, T] with 0 in every place that is masked, and a mask where none was given."""
    found = dict(arrays)
    if spec.mask is None:
        return found
    names = [p.name for p in spec.parameters if spec.is_masked(p) and arrays.get(p.name) is not None]
    mask = found.get(spec.mask.name)
    if mask is None:
        first = found[names[0]]
        found[spec.mask.name] = xp.ones_like(first) == 1
        return found
    mask = xp.placed(mask, found[names[0]])
    found[spec.mask.name] = mask
    if spec.hides(arrays):
        found |= zip(names, xp.hidden(mask, [found[name] for name in names]), strict=True)
    return found
