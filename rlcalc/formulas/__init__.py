"""One module per formula: its exact, NumPy and Torch forms side by side.

A formula module defines

- ``exact_form(d, i)``: writes the definition into the derivation ``d`` from
  the checked exact inputs ``i`` and declares the outputs;
- ``numpy_form(...)`` and ``torch_form(...)``: take the parameters of the
  specification by name, as arrays (tensors) of one dtype, time last, flags
  as booleans, absent optional ones as ``None``; return a dict by output name.
  They check nothing. Where both would be the same lines, one
  ``array_form(xp, ...)`` stands for the two, ``xp`` being a
  ``rlcalc.backends.Backend``;
- optionally ``check(i)`` and ``check_arrays(a)``: conditions between several
  inputs, on exact inputs and on arrays (``rlcalc.inputs.array_checks.Seen``),
  with the same codes.

Modules whose name starts with an underscore hold what several share.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY, TORCH
from rlcalc.records import Place
from rlcalc.specs import load_formula

Outputs = dict[str, Any]


@dataclass(frozen=True)
class Forms:
    """What ``rlcalc.formulas.<name>`` provides."""

    exact_form: Callable[..., None]
    numpy_form: Callable[..., Outputs]
    torch_form: Callable[..., Outputs]
    check: Callable[..., None] | None
    check_arrays: Callable[..., None] | None


def _quiet(form: Callable[..., Outputs]) -> Callable[..., Outputs]:
    """A NumPy form without warnings: overflow and underflow are answers, as they are in Torch."""

    def numpy_form(*args: Any, **inputs: Any) -> Outputs:
        with np.errstate(all="ignore"):
            return form(*args, **inputs)

    return numpy_form


def load_forms(name: str) -> Forms:
    """The forms of a formula; its module is imported when it is first needed.

    Raises:
        DataError: ``bad_spec`` when there is no such module, or it takes other inputs than specified.
    """
    module = _check_module(name)
    return _joined(module.exact_form, *(getattr(module, name, None) for name in _OTHERS))


@cache  # by what the module holds: to put this together takes longer than many a form runs
def _joined(
    exact_form: Any, array_form: Any, numpy_form: Any, torch_form: Any, check: Any, check_arrays: Any
) -> Forms:
    return Forms(
        exact_form=exact_form,
        numpy_form=_quiet(partial(array_form, NUMPY) if array_form else numpy_form),
        torch_form=partial(array_form, TORCH) if array_form else torch_form,
        check=check,
        check_arrays=check_arrays,
    )


_OTHERS = ("array_form", "numpy_form", "torch_form", "check", "check_arrays")


@cache
def _check_module(name: str) -> ModuleType:
    """The module of a formula; a specification that is not its own is refused before anything is computed."""
    place = Place(f"{name}.toml", code="bad_spec")
    try:
        module = import_module(f"rlcalc.formulas.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"rlcalc.formulas.{name}":
            raise
        place.refuse(f"there is no module rlcalc/formulas/{name}.py.")
    form = getattr(module, "array_form", None) or module.numpy_form
    taken = list(inspect.signature(form).parameters.values())
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        return module
    differ = {p.name for p in load_formula(name).parameters} ^ {p.name for p in taken if p.name != "xp"}
    if differ:
        place.refuse(f"only one of it and its module has the parameter {', '.join(sorted(differ))}.")
    return module
