"""The right NumPy form of a formula, as faults and conventions get it: arguments by name, outputs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np

Arrays = dict[str, Any]
Outputs = dict[str, Any]
Form = Callable[..., Mapping[str, Any]]
Change = Callable[..., Any]


def given(arrays: Mapping[str, Any], name: str, default: Any) -> Any:
    """An argument, or what stands for one that is absent."""
    value = arrays.get(name)
    return default if value is None else value


def log_std(arrays: Mapping[str, Any]) -> Any:
    """log σ, whichever of both was given."""
    given = arrays.get("log_std")
    return np.log(arrays["std"]) if given is None else given
