"""Indices that count the entries of another input, from 0."""

from __future__ import annotations

from collections.abc import Sequence

from rlcalc.errors import InputError, many
from rlcalc.inputs.array_checks import Arrays
from rlcalc.spelling import spelled


def check_below(parameter: str, indices: Sequence[int], count: int, of: str) -> None:
    """Refuse an index beyond the last entry.

    Args:
        parameter: that holds the indices.
        count: entries of ``of``, in a row.

    Raises:
        InputError: ``<parameter>_out_of_range``.
    """
    wrong = [index for index in indices if not 0 <= index < count]
    if wrong:
        raise InputError(
            f"{parameter.rstrip('_')}_out_of_range",
            f"{spelled(parameter)} must be from 0 to {count - 1}, not {wrong[0]}: "
            f"{spelled(of)} has {many(count, 'entry', 'entries')}.",
            "They are counted from 0.",
        )


def check_arrays_below(a: Arrays, parameter: str, of: str) -> None:
    """``check_below`` for indices in an array, of the entries of the last axis of ``of``."""
    found = a.look(parameter)
    if found is not None and found[0].size:
        ends = [int(found[0].min()), int(found[0].max())]
        check_below(parameter, ends, getattr(a, of).shape[-1], of)
