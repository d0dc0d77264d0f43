"""Sweeps: one check over many rows. Cheap rows are one test; of dear ones the inner loop has a few."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
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


def in_one(name: str, rows: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """All rows in one test: a row of its own takes longer to be listed and reported than a cheap one to run.

    Every row is run, whatever another does, and a failure names its row.

    Args:
        name: the argument that takes a row; the others are fixtures or parameters, as of any test.
    """
    found = list(rows)
    assert found, "a sweep over nothing"

    def made(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def whole(**others: Any) -> None:
            failed: list[BaseException] = []
            for row in found:
                try:
                    test(**{name: row}, **others)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"{name} = {row!r}")
                    failed.append(error)
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(found)} rows", failed)

        known = inspect.signature(test)
        left = [parameter for parameter in known.parameters.values() if parameter.name != name]
        whole.__signature__ = known.replace(parameters=left)  # type: ignore[attr-defined]
        return whole

    return made
