"""Conventions that are one value of a parameter that the formula has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc.conform.convention import Convention, convention
from rlcalc.conform.forms import Form, Outputs


def always(name: str, about: str, used_by: Mapping[str, str], /, **sets: Any) -> Convention:
    """A parameter has one value, whatever the formula has by default."""
    ((parameter, value),) = sets.items()

    def change(form: Form, /, **arrays: Any) -> Outputs:
        return dict(form(**{**arrays, parameter: value}))

    change.__doc__ = about
    return convention(name, used_by, sets=parameter, value=value)(change)
