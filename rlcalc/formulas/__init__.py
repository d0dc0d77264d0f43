"""One module per formula: its exact, NumPy and Torch forms side by side.

A formula module defines

- ``exact_form(d, i)``: writes the definition into the derivation ``d`` from
  the checked exact inputs ``i`` and declares the outputs;
- ``numpy_form(a)`` and ``torch_form(a)``: take the parameters of the
  specification as attributes, arrays (tensors) of one dtype, time last, flags
  as booleans, absent optional ones as ``None``; return a dict by output name,
  in which an output may be a ``Later``.
  Where the formula has a mask, masked entries are 0 and the mask is always there.
  They check nothing. Where both would be the same lines, one
  ``array_form(xp, a)`` stands for the two, ``xp`` being a
  ``rlcalc.backends.Backend``;
- optionally ``check(i)`` and ``check_arrays(a)``: conditions between several
  inputs, on exact inputs and on arrays (``rlcalc.inputs.Arrays``, as above),
  with the same codes.

Modules whose name starts with an underscore hold what several share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY, TORCH, Backend
from rlcalc.inputs import Arrays
from rlcalc.inputs.masks import hidden, hidden_arrays
from rlcalc.inputs.transforms import guarded
from rlcalc.records import Place
from rlcalc.specs import Formula, load_formula

Outputs = dict[str, Any]


@dataclass(frozen=True)
class Later:
    """An output that is computed when it is asked for: a pass that most calls have no use for."""

    value: Callable[[], Any]


def resolved(found: Outputs, only: str | None = None) -> Outputs:
    """All outputs, or the one that is asked for, with what was left for later computed."""
    names = found if only is None else [name for name in (only,) if name in found]
    return {name: value.value() if isinstance(value := found[name], Later) else value for name in names}


@dataclass(frozen=True)
class Forms:
    """What ``rlcalc.formulas.<name>`` provides.

    Attributes:
        numpy_form, torch_form: called by keyword; what is left out has its usual value.
        outputs: the same by the name of their library, which may leave outputs for later.
    """

    exact_form: Callable[..., None]
    numpy_form: Callable[..., Outputs]
    torch_form: Callable[..., Outputs]
    check: Callable[..., None] | None
    check_arrays: Callable[..., None] | None
    outputs: Mapping[str, Callable[..., Outputs]]


def _quiet(form: Callable[..., Outputs]) -> Callable[..., Outputs]:
    """A NumPy form without warnings: overflow and underflow are answers, as they are in Torch."""

    def numpy_form(*args: Any, **inputs: Any) -> Outputs:
        with np.errstate(all="ignore"):
            found = form(*args, **inputs)
        for name, value in found.items():
            if isinstance(value, Later):
                found[name] = Later(np.errstate(all="ignore")(value.value))
        return found

    return numpy_form


def load_forms(name: str) -> Forms:
    """The forms of a formula; its module is imported when it is first needed.

    Raises:
        DataError: ``bad_spec`` when there is no such module.
    """
    module = _module(name)
    return _joined(name, module.exact_form, *(getattr(module, name, None) for name in _OTHERS))


@cache  # by what the module holds: to put this together takes longer than many a form runs
def _joined(
    name: str,
    exact_form: Any,
    array_form: Any,
    numpy_form: Any,
    torch_form: Any,
    check: Any,
    check_arrays: Any,
) -> Forms:
    numpy_form = partial(array_form, NUMPY) if array_form else numpy_form
    torch_form = partial(array_form, TORCH) if array_form else torch_form
    spec = load_formula(name)
    if spec.mask is not None:
        exact_form = _masked(exact_form)
    numpy_form, torch_form = _called(NUMPY, spec, numpy_form), _called(TORCH, spec, torch_form)
    outputs = {"numpy": _quiet(numpy_form), "torch": guarded(name, torch_form)}
    return Forms(
        exact_form=exact_form,
        numpy_form=_whole(outputs["numpy"]),
        torch_form=_whole(outputs["torch"]),
        check=check,
        check_arrays=check_arrays,
        outputs=outputs,
    )


def _whole(form: Callable[..., Outputs]) -> Callable[..., Outputs]:
    """A form that leaves nothing for later."""

    def whole_form(*args: Any, **inputs: Any) -> Outputs:
        return resolved(form(*args, **inputs))

    return whole_form


def _masked(form: Callable[..., None]) -> Callable[..., None]:
    """An exact form that never sees what is masked."""

    def exact_form(d: Any, i: Any) -> None:
        form(d, hidden(i))

    return exact_form


def _called(xp: Backend, spec: Formula, form: Callable[[Arrays], Outputs]) -> Callable[..., Outputs]:
    """A numeric form as it is called; it never sees what is masked."""
    usual = {parameter.name: parameter.usual_number for parameter in spec.parameters}
    names = tuple(usual)

    def called_form(*args: Any, **inputs: Any) -> Outputs:
        # as many names as arguments: the compiler of Torch 2.3 refuses a zip of two lengths
        given = {**usual, **dict(zip(names[: len(args)], args, strict=True)), **inputs}
        if len(given) > len(usual):
            raise TypeError(f"{spec.name} has no parameter {', '.join(given.keys() - usual.keys())}")
        return form(Arrays(given if spec.mask is None else hidden_arrays(xp, spec, given)))

    return called_form


_OTHERS = ("array_form", "numpy_form", "torch_form", "check", "check_arrays")


@cache
def _module(name: str) -> ModuleType:
    """The module of a formula."""
    try:
        return import_module(f"rlcalc.formulas.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"rlcalc.formulas.{name}":
            raise
        Place(f"{name}.toml", code="bad_spec").refuse(f"there is no module rlcalc/formulas/{name}.py.")
