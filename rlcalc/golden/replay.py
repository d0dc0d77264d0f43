"""A case as the command line that shows it, and its values on one line."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from rlcalc.specs import Formula


def brief(value: Any, limit: int = 300) -> str:
    """A value for a report: one line, not without end."""
    text = _listed(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _listed(value: Any) -> str:
    return f"[{', '.join(map(_listed, value))}]" if isinstance(value, list | tuple) else str(value)


def command_line(
    formula: Formula, given: Mapping[str, Any], backend: str, dtype: str = "", device: str = "cpu"
) -> str:
    """The ``rlcalc`` command that computes this; empty where words cannot say it.

    Args:
        formula: the specification.
        given: inputs by parameter name, as a golden file has them.
        backend: the one to run.
        dtype: of a numeric backend.
        device: of Torch.
    """
    switches = {parameter.name for parameter in formula.parameters if parameter.is_switch}
    words = ["rlcalc", formula.command]
    for name, value in given.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if name in switches:
            words += [option] if str(value).lower() in ("1", "true", "yes") else []
            continue
        values = value if isinstance(value, list) else [value]
        if any(isinstance(part, list) for part in values):
            if not all(isinstance(row, list) for row in values) or _nested(
                [p for row in values for p in row]
            ):
                return ""
            # rows of a matrix stand between semicolons
            values = ["; ".join(" ".join(map(str, row)) for row in values)]
        if _nested(values):
            return ""
        words += [option, *(quote(str(part)) for part in values)]
    words += ["--backends", backend]
    if dtype not in ("", "float64"):
        words += ["--dtype", dtype]
    if device != "cpu" and backend == "torch":
        words += ["--device", device]
    return " ".join(words)


def _nested(values: list[Any]) -> bool:
    return any(isinstance(value, list | dict) for value in values)
