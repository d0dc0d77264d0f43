"""``rlcalc.<formula>(...)``: numeric functions, made from the specifications.

Signature and docstring come from the same file as the command's options, so
the three cannot drift apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from textwrap import wrap
from typing import Any

from rlcalc._lazy import np
from rlcalc.errors import InputError, UnknownName, suggestion
from rlcalc.formulas import Forms, load_forms, resolved
from rlcalc.inputs.array_checks import Arrays
from rlcalc.inputs.arrays import from_user
from rlcalc.specs import Formula, load_formula
from rlcalc.spelling import worded


def compute(formula: str, /, **inputs: Any) -> dict[str, Any]:
    """All outputs of a formula, numerically, by name.

    Args:
        formula: Python name or command.
        inputs: by parameter name; NumPy arrays, lists and numbers run the
            NumPy form, Torch tensors the Torch form on their device and dtype.
            Time is the last axis, any batch axes stand before it.

    Returns:
        Arrays (tensors) by output name; for a sequence formula all time
        steps under the plural name (``"returns"``).

    Raises:
        InputError: a shape, domain or combination that the formula refuses.
        UnknownName: no such formula or parameter.
    """
    _load(formula)
    spec, forms = getattr(_LOADED, formula)
    for name in inputs:
        spec.parameter(name)
    return _run(spec, forms, inputs)


class _Loaded:
    """Specification and forms by the name of a formula, as attributes: a graph looks at one, not at all."""


_LOADED = _Loaded()


def _load(name: str) -> bool:
    """Keep a formula, from its files or as they were read before."""
    spec = load_formula(name)
    setattr(_LOADED, name, (spec, load_forms(spec.name)))
    return True


# torch.compile runs it instead of tracing it: no graph holds how files are read
_load._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _run(spec: Formula, forms: Forms, inputs: dict[str, Any], only: str | None = None) -> dict[str, Any]:
    """Checked inputs -> outputs: shapes and domains, then the formula's own conditions, then its form."""
    xp, arrays = from_user(spec, inputs)
    if forms.check_arrays is not None:
        forms.check_arrays(Arrays(arrays))
    found = resolved(forms.outputs[xp.name](**arrays), only)
    return {name: _own(value) for name, value in found.items() if value is not None}


def _own(value: Any) -> Any:
    """A result that can be written to; a view that repeats one entry cannot."""
    return value.copy() if isinstance(value, np.ndarray) and not value.flags.writeable else value


@cache
def numeric_function(name: str) -> Callable[..., Any]:
    """The public function of a formula: its first output for all time steps."""
    spec = load_formula(name)
    answer = spec.answer.of or spec.answer.name
    signature = signature_of(spec)
    names = frozenset(signature.parameters)

    def bound(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return signature.bind_partial(*args, **kwargs).arguments
        except TypeError as error:
            unknown = [key for key in kwargs if key not in names]
            if unknown:
                hint = suggestion(unknown[0], list(signature.parameters)) or f"{spec.name}{signature}"
                raise UnknownName(
                    "unknown_parameter", f"{spec.name} has no parameter '{unknown[0]}'.", hint
                ) from None
            raise TypeError(f"{spec.name}: {error}") from None

    def function(*args: Any, **kwargs: Any) -> Any:
        # partially: what is missing is reported with its meaning, by the shared check
        given = kwargs if not args and names.issuperset(kwargs) else bound(args, kwargs)
        _load(name)
        _, forms = getattr(_LOADED, name)
        found = _run(spec, forms, given, answer)
        if answer not in found:
            raise InputError(
                "no_numeric_answer",
                f"{spec.name} has no {answer} in numbers for these inputs; its answer is a formula.",
                f"Use rlcalc.derive({spec.name!r}, ...).",
            )
        return found[answer]

    function.__name__ = function.__qualname__ = spec.name
    function.__module__ = "rlcalc"
    function.__doc__ = _docstring(spec)
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


class _Required:
    """Stands as default of a required parameter that follows an optional one."""

    def __repr__(self) -> str:
        return "<required>"


REQUIRED = _Required()


def signature_of(spec: Formula) -> inspect.Signature:
    """Parameters in the order of the specification, all of them positional or by keyword."""
    found: list[inspect.Parameter] = []
    for parameter in spec.parameters:
        special = any(parameter.name in form.parameters for form in spec.forms)
        after_optional = bool(found) and found[-1].default is not inspect.Parameter.empty
        default: Any = inspect.Parameter.empty
        if special or parameter.of_mdp or not parameter.required:
            default = parameter.usual_value
        elif after_optional:
            default = REQUIRED
        found.append(
            inspect.Parameter(parameter.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        )
    return inspect.Signature(found)


def _docstring(spec: Formula) -> str:
    lines = [f"{spec.title}.", "", f"    {spec.text}", "", *wrap(spec.about, 96), "", "Args:"]
    for parameter in spec.parameters:
        shape = f"[..., {', '.join(parameter.shape)}]" if parameter.shape else "[...]"
        if parameter.single:
            shape = f"one number or [..., {parameter.each}]" if parameter.each else "one number"
        facts = [shape, parameter.domain.words() if parameter.kind == "number" else parameter.kind]
        if parameter.distribution:
            facts[1] = "probabilities that sum to 1"
        if parameter.default is not None:
            facts.append(f"default {parameter.default}")
        elif parameter.optional:
            facts.append("optional")
        entry = f"{parameter.name}: {'; '.join(facts)}. {worded(parameter.help)}"
        lines += wrap(entry, 96, initial_indent=" " * 4, subsequent_indent=" " * 8)
    lines += ["", "Returns:"]
    answer = next(o for o in spec.outputs if o.name == (spec.answer.of or spec.answer.name))
    shape = f"[..., {', '.join(answer.shape)}]" if answer.shape else "[...]"
    lines.append(f"    {answer.name} {shape}: {answer.about}")
    lines.append("    In the dtype and on the device of the inputs; float64 for lists and plain numbers.")
    lines.append(f"    ``rlcalc.compute({spec.name!r}, ...)`` gives every output.")
    lines += ["", "Raises:"]
    lines += wrap(
        "InputError: a value is missing, has the wrong shape or lies outside its domain. Tensors are "
        "looked at on a CPU, outside of torch.compile, torch.jit.trace and torch.func.vmap; elsewhere "
        "only their shapes and dtypes are checked. A bounded input has to be finite; an unbounded one "
        "hands nan and infinity on.",
        96,
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
    )
    lines += ["", "Source:"] + [f"    {reference}." for reference in spec.references]
    return "\n".join(lines)
