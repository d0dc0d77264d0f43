"""Forms over logits, a few lines at a time: what comes between stays in cache and takes hardly any memory."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend

SIZE = 1 << 16  # logits at a time: of a few arrays as large, all fit into the cache of a core


def height_of(xp: Backend, logits: Any) -> int:
    """How many lines go at once: all of them where derivatives are to pass."""
    lines: int = prod(logits.shape[:-1])
    return max(1, SIZE // max(logits.shape[-1], 1) if xp.values_only(logits) else lines)


def by_lines(xp: Backend, form: Callable[..., dict[str, Any]], *arrays: Any) -> dict[str, Any]:
    """``form(*arrays)``, of as many lines at once as fit into the cache.

    Args:
        xp: library of the arrays.
        form: takes arrays [..., K, any], for any K, and treats the lines along K apart; its outputs are
            [..., K, any], too.
        arrays: the logits, and others with the same axes before the last.

    Returns:
        The outputs of the form. Where derivatives are to pass, or with few lines, that is one call.
    """
    *lead, lines, _ = arrays[0].shape
    height = height_of(xp, arrays[0])
    if prod(lead) * lines <= height:
        return form(*arrays)
    found: dict[str, Any] = {}
    for place in np.ndindex(*lead):
        for top in range(0, lines, height):
            rows = (*place, slice(top, top + height))
            for name, piece in form(*(array[rows] for array in arrays)).items():
                if name not in found:
                    shape = (*lead, lines, *piece.shape[1:])
                    found[name] = xp.empty(shape, dtype=piece.dtype)
                found[name][rows] = piece
    return found
