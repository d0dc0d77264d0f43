"""One module per formula: its exact, NumPy and Torch forms side by side.

A formula module defines

- ``exact_form(d, i)``: writes the definition into the derivation ``d`` from
  the checked exact inputs ``i`` and declares the outputs;
- ``numpy_form(...)`` and ``torch_form(...)``: take the parameters of the
  specification by name, as arrays (tensors) of one dtype, time last, flags
  as booleans, absent optional ones as ``None``; return a dict by output name;
- optionally ``check(i)``: conditions between several inputs, on exact inputs.

Modules whose name starts with an underscore hold what several share.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast


class FormulaModule(Protocol):
    """What ``rlcalc.formulas.<name>`` provides."""

    def exact_form(self, d: Any, i: Any) -> None: ...

    def numpy_form(self, **inputs: Any) -> dict[str, Any]: ...

    def torch_form(self, **inputs: Any) -> dict[str, Any]: ...


def load_forms(name: str) -> FormulaModule:
    """The module of a formula, imported when it is first needed."""
    return cast(FormulaModule, import_module(f"rlcalc.formulas.{name}"))
