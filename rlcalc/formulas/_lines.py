"""Forms that treat lines apart, a few at a time: what comes between fits into the cache."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend

SIZE = 1 << 17  # entries at a time: of a few arrays as large, all fit into the cache of a core


def height_of(xp: Backend, first: Any, *others: Any) -> int:
    """How many lines go at once: all of them where derivatives are to pass."""
    lines: int = prod(first.shape[:-1])
    return max(1, SIZE // max(first.shape[-1], 1) if xp.values_only(first, *others) else lines)


def by_lines(
    xp: Backend, form: Callable[..., dict[str, Any]], *arrays: Any, inside: bool = False
) -> dict[str, Any]:
    """``form(*arrays)``, of as many lines at once as fit into the cache.

    Args:
        xp: library of the arrays.
        form: takes arrays [..., K, any], for any K, and treats the lines along K apart; its outputs are
            [..., K, any], too.
        arrays: all with the same axes before the last; the first is the longest.
        inside: whether the form takes ``out=``: memory for one output as large as the first array, where it
            makes that output, or ``None``.

    Returns:
        The outputs of the form. Where derivatives are to pass, or with few lines, that is one call.
    """
    *lead, lines, _ = arrays[0].shape
    height = height_of(xp, *arrays)
    if prod(lead) * lines <= height:
        return form(*arrays, out=None) if inside else form(*arrays)
    found: dict[str, Any] = {}
    whole: Any = xp.empty(arrays[0].shape, dtype=arrays[0].dtype) if inside else None
    for place in np.ndindex(*lead):
        for top in range(0, lines, height):
            rows = (*place, slice(top, top + height))
            parts, out = [array[rows] for array in arrays], whole[rows] if inside else None
            for name, piece in (form(*parts, out=out) if inside else form(*parts)).items():
                if piece is out:
                    found[name] = whole
                    continue
                if name not in found:
                    shape = (*lead, lines, *piece.shape[1:])
                    found[name] = xp.empty(shape, dtype=piece.dtype)
                found[name][rows] = piece
    return found
