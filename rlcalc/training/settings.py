"""Settings of a run: out of a checkpoint, and whether every number of them makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rlcalc.errors import InputError, shown
from rlcalc.records import Place, read_record

Bounds = Mapping[str, tuple[float, float]]


def from_mapping(kind: Any, saved: Any) -> Any:
    """Settings out of a checkpoint; what only a later version knows is left out.

    Args:
        kind: a dataclass with a ``check``.

    Raises:
        DataError: ``checkpoint_foreign``.
        InputError: as its ``check``.
    """
    types = {field.name: field.type for field in fields(kind)}
    if isinstance(saved, Mapping):
        saved = {
            name: float(value) if types[name] == "float" and type(value) is int else value
            for name, value in saved.items()
            if name in types
        }
    return read_record(kind, saved, Place("the checkpoint", ("settings",), "checkpoint_foreign")).check()


def check_integer(value: Any, what: str, code: str, low: float, high: float) -> None:
    """Refuse what is not an integer from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(code, f"{what} must be an integer from {low} to {high}, not {shown(value)}.")


def check_ranges(settings: Any, counts: Bounds, numbers: Bounds) -> None:
    """Refuse integers and other numbers of settings that are out of their range, by name.

    Raises:
        InputError: ``..._out_of_range``.
    """
    for name, (low, high) in counts.items():
        check_integer(getattr(settings, name), name, f"{name}_out_of_range", low, high)
    for name, (low, high) in numbers.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InputError(
                f"{name}_out_of_range", f"{name} lies between {low:g} and {high:g}; {value} does not."
            )
