"""Raw input -> exact inputs that satisfy the specification.

Everything that reaches an exact form comes through ``bind``: words from the
command line, strings from a TOML file, numbers from Python. It parses,
fills in defaults, matches lengths and checks domains, and says in one
sentence what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError
from rlcalc.exact import symbols_of, to_float, to_text
from rlcalc.exact.assumptions import Known
from rlcalc.inputs.domains import Pairs, check_domain, check_together, known_signs
from rlcalc.inputs.padding import pad_rows
from rlcalc.inputs.read import read_parameter, without_masked
from rlcalc.mdp.policies import named_policy
from rlcalc.nested import flatten, map_nested
from rlcalc.specs import Formula, Parameter
from rlcalc.spelling import at_a_prompt, spelled, worded


@dataclass
class Inputs:
    """Checked inputs of one computation; each parameter is an attribute.

    Attributes:
        given: by parameter; absent optional ones are ``None``.
        typed: names that were typed, as opposed to defaults.
        dims: length of every dimension, such as ``{"T": 3}``.
        notes: remarks of the specification (a step size above 1).
        names: what the entries of a dimension are called, such as ``{"S": ("high", "low")}``.
    """

    formula: Formula
    given: dict[str, Any]
    typed: frozenset[str]
    dims: dict[str, int]
    notes: list[str] = field(default_factory=list)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _floats: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def floats(self, name: str) -> Any:
        """The nearest floats of one parameter, in its nesting; found once for all backends."""
        value = self.given[name]
        if name not in self._floats or self._floats[name][0] is not value:
            self._floats[name] = (value, map_nested(to_float, value))
        return self._floats[name][1]

    def __getattr__(self, name: str) -> Any:
        # asked of the instance itself first: a copy in the making has neither inputs nor formula yet
        given = self.__dict__.get("given", {})
        if name not in given:
            formula = self.__dict__.get("formula")
            raise AttributeError(f"{formula.name if formula else 'Inputs'} has no parameter {name!r}")
        return given[name]

    @property
    def symbols(self) -> frozenset[str]:
        """Names left as symbols; with any, the numeric backends cannot run."""
        found: frozenset[str] = frozenset()
        for parameter in self.formula.parameters:
            if parameter.kind == "number":
                for value in flatten(self.given[parameter.name]):
                    if not isinstance(value, Fraction | str) and value is not None:
                        found |= symbols_of(value)
            elif parameter.kind == "mdp" and self.given[parameter.name] is not None:
                found |= self.given[parameter.name].symbols
        return found

    def pairs(self) -> Pairs:
        """Parameters with what is given for them."""
        return [(parameter, self.given[parameter.name]) for parameter in self.formula.parameters]

    def signs(self) -> dict[str, Known]:
        """Symbols that the domains make positive, or not negative."""
        return known_signs(self.pairs()) if self.symbols else {}

    def texts(self) -> dict[str, Any]:
        """Inputs as strings in the expression grammar, for the JSON contract."""
        return {name: map_nested(_text, value) for name, value in self.given.items() if value is not None}


def bind(formula: Formula, raw: Mapping[str, Any]) -> Inputs:
    """Parse and check all inputs of a formula.

    Args:
        formula: the specification.
        raw: by parameter name; text, integers, Fractions, SymPy
            expressions or (nested) lists of them. A Python float stands for
            the shortest decimal that prints it: 0.9 is 9/10.

    Raises:
        InputError: with a stable code, such as ``gamma_out_of_range``,
            ``values_wrong_length``, ``rewards_missing``, ``forms_mixed``.
        UnknownName: ``unknown_parameter``.
    """
    given = {name: value for name, value in raw.items() if not _absent(formula.parameter(name), value)}
    active = active_parameters(formula, given)
    for parameter in active:
        if parameter.required and parameter.name not in given and not parameter.of_mdp:
            raise missing(formula, parameter)

    values: dict[str, Any] = {parameter.name: None for parameter in formula.parameters}
    dims: dict[str, int] = {}
    mask = formula.mask
    if mask is not None and mask.name in given:
        values[mask.name] = read_parameter(formula, mask, given[mask.name])
    for parameter in active:
        if parameter.name in given and parameter is not mask:
            value = given[parameter.name]
            if formula.is_masked(parameter) and formula.hides(given):
                value = without_masked(value, values[mask.name] if mask else None)
            if parameter.policy:
                value = _by_name(active, values, value)
            values[parameter.name] = read_parameter(formula, parameter, value)
            if parameter.kind == "number" and parameter.shape == ("S",):
                values[parameter.name] = _by_state(_process(active, values), values[parameter.name])
    padded = pad_rows(formula, values)
    for parameter in active:
        if parameter.name in given:
            _measure(parameter, values[parameter.name], dims)
    for parameter in active:
        if parameter.name in given:
            _check_shape(parameter, values[parameter.name], dims)
        elif parameter.default is not None:
            values[parameter.name] = _default(formula, parameter, dims)
        elif parameter.of_mdp:
            values[parameter.name] = _of_mdp(formula, parameter, active, values)
    inputs = Inputs(
        formula, values, frozenset(given), dims, [padded] if padded else [], _names(active, values)
    )
    for parameter in active:
        if parameter.name in given or (parameter.of_mdp and values[parameter.name] is not None):
            check_domain(parameter, _valid(formula, parameter, values), inputs.notes)
    if inputs.symbols:
        check_together(inputs.pairs(), inputs.notes)
    return inputs


def _valid(formula: Formula, parameter: Parameter, values: Mapping[str, Any]) -> Any:
    """A value without what is masked in it."""
    mask = formula.mask
    if mask is None or not (formula.is_masked(parameter) and formula.hides(values)):
        return values[parameter.name]
    rows = zip(values[parameter.name], values[mask.name], strict=True)
    return [[entry for entry, there in zip(row, flags, strict=True) if there] for row, flags in rows]


def _names(active: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What the entries of a dimension are called, by the inputs that know it."""
    found: dict[str, tuple[str, ...]] = {}
    for parameter in active:
        found |= getattr(values[parameter.name], "names", None) or {}
    return found


def _process(active: Sequence[Parameter], values: Mapping[str, Any]) -> Any:
    return next((values[parameter.name] for parameter in active if parameter.kind == "mdp"), None)


def _by_name(active: Sequence[Parameter], values: Mapping[str, Any], raw: Any) -> Any:
    """A policy that is written by names, as rows."""
    process = _process(active, values)
    return raw if process is None else named_policy(process, raw)


def _by_state(process: Any, given: list[Any]) -> list[Any]:
    """One number per state from one for all, or from one for each that is not terminal."""
    if process is None:
        return given
    live = process.non_terminal
    if len(given) == 1 or len(given) == len(live):
        rest = iter(given if len(given) > 1 else given * len(live))
        return [Fraction(0) if ends else next(rest) for ends in process.terminal]
    return given


def _of_mdp(
    formula: Formula, parameter: Parameter, active: Sequence[Parameter], values: Mapping[str, Any]
) -> Any:
    """What the process itself says of a parameter that was not given."""
    found = getattr(_process(active, values), parameter.name, None)
    if found is None and parameter.required:
        raise missing(formula, parameter)
    return found


def _absent(parameter: Parameter, value: Any) -> bool:
    """Whether nothing was given; ``False`` says so of a switch, and is a mistake elsewhere."""
    return value is None or (value is False and parameter.is_switch)


def missing(formula: Formula, parameter: Parameter) -> InputError:
    """The error for a required parameter that was not given."""
    name, example = formula.name, f"For example: rlcalc {formula.command} {formula.examples[0]['args']}"
    hint = worded(parameter.ask) or (
        example if at_a_prompt() else f"help(rlcalc.{name}) shows what it takes."
    )
    return InputError(
        f"{parameter.label}_missing",
        f"{spelled(parameter.name)} is missing: {worded(parameter.help)}",
        hint,
    )


def active_parameters(formula: Formula, given: Mapping[str, Any]) -> Sequence[Parameter]:
    """The parameters of the form that the given ones belong to.

    Raises:
        InputError: ``forms_mixed`` when no form holds all of them.
    """
    if not formula.forms:
        return formula.parameters
    special = frozenset(name for form in formula.forms for name in form.parameters)
    used = special & set(given)
    fitting = [form for form in formula.forms if used <= set(form.parameters)]
    if not fitting:
        ways = " or ".join(
            "(" + ", ".join(spelled(name) for name in form.parameters) + ")" for form in formula.forms
        )
        mixed = ", ".join(spelled(name) for name in sorted(used))
        raise InputError("forms_mixed", f"{mixed} do not go together.", f"Give either {ways}.")
    # the form that lacks the fewest required inputs, so that the error names what is nearest
    lacking = [sum(_lacks(formula, name, given) for name in form.parameters) for form in fitting]
    nearest = fitting[lacking.index(min(lacking))].parameters
    return [p for p in formula.parameters if p.name in nearest or p.name not in special]


def _lacks(formula: Formula, name: str, given: Mapping[str, Any]) -> bool:
    return name not in given and formula.parameter(name).required


# lengths and defaults


def _measure(parameter: Parameter, value: Any, dims: dict[str, int]) -> None:
    """Let the first parameter of a dimension fix its length."""
    if parameter.kind == "mdp":
        dims |= {"S": len(value.states), "A": len(value.actions)}
    if parameter.is_text:
        dims |= getattr(value, "dims", {})
    if isinstance(value, str):
        return
    for axis, name in enumerate(parameter.shape):
        sizes = _lengths(value, axis)
        if name.isidentifier() and name not in dims and len(sizes) == 1:
            dims[name] = next(iter(sizes))


def _lengths(value: list[Any], axis: int) -> set[int]:
    return {len(value)} if axis == 0 else {len(row) for row in value}


def dimension(name: str, dims: Mapping[str, int]) -> int | None:
    """Length of ``"T"`` or ``"T+1"``; ``None`` while T is not known."""
    base, _, extra = name.partition("+")
    return dims[base] + int(extra or 0) if base in dims else None


def _check_shape(parameter: Parameter, value: Any, dims: dict[str, int]) -> None:
    shape = () if isinstance(value, str) else parameter.shape
    if parameter.each and isinstance(value, list):
        shape = (parameter.each,)
    for axis, name in enumerate(shape):
        want = dimension(name, dims)
        sizes = _lengths(value, axis)
        if not sizes:  # a table without a row
            raise InputError(
                f"{parameter.label}_empty",
                f"{spelled(parameter.name)} has no row.",
                worded(parameter.help),
            )
        if want is None and name.partition("+")[0] not in dims:
            dims[name.partition("+")[0]] = min(sizes) - int(name.partition("+")[2] or 0)
            want = min(sizes)
        if sizes != {want}:
            got = " and ".join(str(size) for size in sorted(sizes))
            raise InputError(
                f"{parameter.label}_wrong_length",
                f"{spelled(parameter.name)} has {got} {'entry' if got == '1' else 'entries'}"
                f"{' in a row' if axis else ''}, expected {want}.",
                worded(parameter.help),
            )


def _default(formula: Formula, parameter: Parameter, dims: Mapping[str, int]) -> Any:
    text = parameter.default
    if text == "zeros":
        return [Fraction(0)] * (dimension(parameter.shape[0], dims) or 0)
    return read_parameter(formula, parameter, text)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    if value == math.inf:
        return "inf"
    if isinstance(value, int | str):
        return str(value)
    return value.label if hasattr(value, "label") else to_text(value)
