"""What the faults of the sequence formulas share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def flags(arrays: Mapping[str, Any], name: str) -> Any:
    """``terminated`` or ``truncated``, all off where it is absent."""
    import numpy as np

    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


def next_values(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step."""
    import numpy as np

    given = arrays.get("next_values")
    if given is not None:
        return given
    values = arrays.get("values")
    return np.zeros_like(arrays["rewards"]) if values is None else values[..., 1:]


def last_step(arrays: Mapping[str, Any]) -> Any:
    """True at the last step of the sequence."""
    import numpy as np

    steps = arrays["rewards"].shape[-1]
    return np.arange(steps) == steps - 1


def mapped(found: Mapping[str, Any], name: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    """Outputs with one of them changed."""
    return {**found, name: change(found[name])}
