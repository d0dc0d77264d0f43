"""Rows of different lengths as one table: padded at their ends, and the padding masked."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError
from rlcalc.specs import Formula, Parameter
from rlcalc.spelling import spelled, worded

NOTE = "The rows have different lengths: they were padded, and the padding masked."


def pad_rows(formula: Formula, values: dict[str, Any]) -> str:
    """Give rows of different lengths one length, and a formula with a mask its mask, in place.

    Answers of several lengths are the ordinary case of a batch of text. Rows
    that do not fit each other stay as they are, for the check of shapes to refuse.

    Returns:
        What was done, in a sentence; empty where there was nothing to do.

    Raises:
        InputError: ``mask_wrong_length``: a row goes on where its mask ends, or ends where its mask goes on.
    """
    mask = formula.mask
    if mask is None:
        return ""
    tables = [p for p in formula.parameters if formula.is_masked(p) and values[p.name] is not None]
    given = values[mask.name]
    if not tables:
        return ""
    lengths = [[len(row) for row in values[p.name]] for p in tables]
    if not all(lengths):
        return ""  # a table without a row is refused by the check of shapes
    if given is None:
        if any(other != lengths[0] for other in lengths):
            return ""
        values[mask.name] = [[True] * length for length in lengths[0]]
    elif any(len(other) != len(given) for other in lengths):
        return ""
    else:
        for parameter, other in zip(tables, lengths, strict=True):
            _check(parameter, other, mask, given)
    flags = values[mask.name]
    width = max(map(max, [*lengths, [len(row) for row in flags]]))
    values[mask.name] = [[*row, *[False] * (width - len(row))] for row in flags]
    ragged = any(length < width for length in lengths[0])
    for parameter in tables:
        values[parameter.name] = _padded(values[parameter.name], values[mask.name])
    return NOTE if ragged else ""


def _check(parameter: Parameter, lengths: list[int], mask: Parameter, flags: list[list[bool]]) -> None:
    for number, (length, row) in enumerate(zip(lengths, flags, strict=True), start=1):
        if length > len(row) or any(row[length:]):
            raise InputError(
                f"{mask.name}_wrong_length",
                f"{spelled(mask.name)} has {len(row)} entries in row {number}, "
                f"where {spelled(parameter.name)} has {length}.",
                worded(mask.help),
            )


def _padded(rows: list[Any], mask: list[list[bool]]) -> list[Any]:
    """Rows as long as their mask."""
    return [[*row, *[Fraction(0)] * (len(flags) - len(row))] for row, flags in zip(rows, mask, strict=True)]
