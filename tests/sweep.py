"""Sweeps: one check over many rows, of which the inner loop has a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def sweep(
    rows: Iterable[Any], inner: Callable[[Any], bool] | int, ids: Callable[[Any], str] | None = None
) -> list[Any]:
    """Rows as parameters of a test, all but a few of them slow; a tuple has one for each argument.

    Args:
        inner: how many of the first, or which, the inner loop has.
        ids: the name of a row, where pytest's own says nothing.
    """
    found = []
    for number, row in enumerate(rows):
        inside = number < inner if isinstance(inner, int) else inner(row)
        values = row if isinstance(row, tuple) else (row,)
        marks = () if inside else pytest.mark.slow
        found.append(pytest.param(*values, id=ids(row) if ids else None, marks=marks))
    return found
