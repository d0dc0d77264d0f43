"""Sweeps: one check over many rows, of which the inner loop has a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def sweep(rows: Iterable[Any], inner: Callable[[Any], bool], ids: Callable[[Any], str] = str) -> list[Any]:
    """Rows as parameters; those for which ``inner`` is false are slow."""
    return [pytest.param(row, id=ids(row), marks=() if inner(row) else pytest.mark.slow) for row in rows]
