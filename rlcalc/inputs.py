"""Raw input -> exact inputs that satisfy the specification.

Everything that reaches an exact form comes through ``bind``: words from the
command line, strings from a TOML file, numbers from Python. It parses,
fills in defaults, matches lengths and checks domains, and says in one
sentence what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import compare, is_symbolic, parse_literal, parse_number, symbols_of, to_float, to_text
from rlcalc.specs import Formula, Parameter

_TRUE = frozenset({"1", "true", "yes"})
_LARGEST_INTEGER = 2**63 - 1  # of the array backends
_FALSE = frozenset({"0", "false", "no"})


@dataclass
class Inputs:
    """Checked inputs of one computation; each parameter is an attribute.

    Attributes:
        values: by parameter; absent optional ones are ``None``.
        given: names that were typed, as opposed to defaults.
        dims: length of every dimension, such as ``{"T": 3}``.
        notes: remarks of the specification (a step size above 1).
    """

    formula: Formula
    values: dict[str, Any]
    given: frozenset[str]
    dims: dict[str, int]
    notes: list[str] = field(default_factory=list)
    _floats: dict[str, tuple[Any, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def floats(self, name: str) -> Any:
        """The nearest floats of one parameter, in its nesting; found once for all backends."""
        value = self.values[name]
        if name not in self._floats or self._floats[name][0] is not value:
            self._floats[name] = (value, _to_floats(value))
        return self._floats[name][1]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(f"{self.formula.name} has no parameter {name!r}") from None

    @property
    def symbols(self) -> frozenset[str]:
        """Names left as symbols; with any, the numeric backends cannot run."""
        found: frozenset[str] = frozenset()
        for parameter in self.formula.parameters:
            if parameter.kind == "number":
                for value in flat(self.values[parameter.name]):
                    if not isinstance(value, Fraction | str) and value is not None:
                        found |= symbols_of(value)
        return found

    def texts(self) -> dict[str, Any]:
        """Inputs as strings in the expression grammar, for the JSON contract."""
        return {name: _text(value) for name, value in self.values.items() if value is not None}


def flat(value: Any) -> Iterator[Any]:
    """Every entry of a nested list, or the scalar itself."""
    if not isinstance(value, list):
        yield value
        return
    for part in value:
        if isinstance(part, list):
            yield from flat(part)
        else:
            yield part


def _to_floats(value: Any) -> Any:
    return [_to_floats(part) for part in value] if isinstance(value, list) else to_float(value)


def bind(formula: Formula, raw: Mapping[str, Any]) -> Inputs:
    """Parse and check all inputs of a formula.

    Args:
        formula: the specification.
        raw: by parameter name; text, whole numbers, Fractions, SymPy
            expressions or (nested) lists of them. A Python float stands for
            the shortest decimal that prints it: 0.9 is 9/10.

    Raises:
        InputError: with a stable code, such as ``gamma_out_of_range``,
            ``values_wrong_length``, ``rewards_missing``, ``forms_mixed``.
        UnknownName: ``unknown_parameter``.
    """
    given = {name: value for name, value in raw.items() if value is not None and value is not False}
    for name in given:
        formula.parameter(name)
    active = _active_parameters(formula, given)
    for parameter in active:
        if parameter.required and parameter.name not in given:
            raise missing(formula, parameter)

    values: dict[str, Any] = {parameter.name: None for parameter in formula.parameters}
    dims: dict[str, int] = {}
    for parameter in active:
        if parameter.name in given:
            values[parameter.name] = _read(formula, parameter, given[parameter.name])
            _measure(parameter, values[parameter.name], dims)
    for parameter in active:
        if parameter.name in given:
            _check_shape(parameter, values[parameter.name], dims)
        elif parameter.default is not None:
            values[parameter.name] = _default(formula, parameter, dims)
    inputs = Inputs(formula, values, frozenset(given), dims)
    for parameter in active:
        if parameter.name in given:
            _check_domain(parameter, values[parameter.name], inputs)
    return inputs


def missing(formula: Formula, parameter: Parameter) -> InputError:
    """The error for a required parameter that was not given."""
    hint = parameter.ask or f"For example: rlcalc {formula.command} {formula.examples[0]['args']}"
    return InputError(
        f"{parameter.name.rstrip('_')}_missing", f"{parameter.option} is missing: {parameter.help}", hint
    )


def active_form(formula: Formula, given: Mapping[str, Any]) -> frozenset[str]:
    """Names of the parameters of the form that the given ones belong to.

    Raises:
        InputError: ``forms_mixed`` when no form holds all of them.
    """
    names = frozenset(p.name for p in formula.parameters)
    if not formula.forms:
        return names
    special = frozenset(name for form in formula.forms for name in form.parameters)
    used = special & set(given)
    fitting = [form for form in formula.forms if used <= set(form.parameters)]
    if not fitting:
        ways = " or ".join(
            "(" + ", ".join(formula.parameter(name).option for name in form.parameters) + ")"
            for form in formula.forms
        )
        mixed = ", ".join(formula.parameter(name).option for name in sorted(used))
        raise InputError("forms_mixed", f"{mixed} do not go together.", f"Give either {ways}.")
    # the form that lacks the fewest required inputs, so that the error names what is nearest
    best = min(fitting, key=lambda form: sum(_lacks(formula, name, given) for name in form.parameters))
    return (names - special) | frozenset(best.parameters)


def _lacks(formula: Formula, name: str, given: Mapping[str, Any]) -> bool:
    return name not in given and formula.parameter(name).required


def _active_parameters(formula: Formula, given: Mapping[str, Any]) -> list[Parameter]:
    names = active_form(formula, given)
    return [parameter for parameter in formula.parameters if parameter.name in names]


# reading


def _read(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    if parameter.kind == "mdp":
        from rlcalc.mdp import read_mdp

        return read_mdp(raw)
    if parameter.is_switch:
        return bool(raw) if isinstance(raw, bool) else _flag(parameter, raw)
    raw = _plain(raw)
    if parameter.choices and parameter.shape and _is_choice(parameter, raw):
        return raw if isinstance(raw, str) else raw[0]
    if len(parameter.shape) == 2:
        return [_row(formula, parameter, row) for row in _rows(raw)]
    if parameter.shape or (parameter.each and isinstance(raw, list) and len(raw) != 1):
        return _row(formula, parameter, raw if isinstance(raw, list) else [raw])
    if isinstance(raw, list):
        if len(raw) != 1:
            what = "one value" if raw else "a value"
            raise InputError(
                f"{parameter.name.rstrip('_')}_wrong_length",
                f"{parameter.option} takes {what}, not {len(raw)}: {shown(' '.join(map(str, raw)))}.",
                parameter.help,
            )
        raw = raw[0]
    return _entry(formula, parameter, raw)


def _is_choice(parameter: Parameter, raw: Any) -> bool:
    """Whether one of the words stands in place of a whole vector or matrix."""
    word = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
    return isinstance(word, str) and word in parameter.choices


def _plain(raw: Any) -> Any:
    """Lists for arrays, tuples and tensors; scalars as they are."""
    if hasattr(raw, "tolist") and not isinstance(raw, Fraction):
        # numpy prints a float32 as its shortest decimal, which is what was meant
        if getattr(raw, "ndim", 1) == 0:
            return str(raw.item()) if hasattr(raw, "detach") else str(raw)
        return [_plain(part) for part in raw]
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return list(raw)
    return raw


def _rows(raw: Any) -> list[Any]:
    """Rows of a matrix: nested lists, or words with ``;`` between the rows."""
    if isinstance(raw, list) and raw and all(isinstance(row, list | tuple) for row in raw):
        return [list(row) for row in raw]
    if isinstance(raw, list) and not all(isinstance(word, str) for word in raw):
        return [raw]
    words = " ".join(raw) if isinstance(raw, list) else str(raw)
    return [row.replace(",", " ").split() for row in words.split(";") if row.strip()]


def _row(formula: Formula, parameter: Parameter, raw: Sequence[Any]) -> list[Any]:
    if not raw and not parameter.may_be_empty:
        raise InputError(
            f"{parameter.name.rstrip('_')}_empty",
            f"{parameter.option} has nothing after it; it takes at least one value.",
            parameter.help,
        )
    if parameter.kind == "number":
        # plain literals, the bulk of any long list, take the short way
        read = [parse_literal(part) if type(part) is str else None for part in raw]
        return [
            _entry(formula, parameter, part) if value is None else value
            for part, value in zip(raw, read, strict=True)
        ]
    return [_entry(formula, parameter, part) for part in raw]


def _entry(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    kind = parameter.kind
    if kind == "flag":
        return _flag(parameter, raw)
    if parameter.choices and isinstance(raw, str):
        if raw in parameter.choices:
            return raw
        if kind == "choice":
            known = list(parameter.choices)
            raise InputError(
                f"{parameter.name.rstrip('_')}_unknown",
                f"{parameter.option} takes {' or '.join(known)}, not {shown(raw)}.",
                suggestion(raw, known),
            )
    if kind in ("word", "choice"):
        return str(raw)
    if kind == "count" and (raw == math.inf or raw == "inf"):
        return math.inf
    number = _number(formula, parameter, raw)
    if kind == "number":
        return number
    if not isinstance(number, Fraction) or number.denominator != 1:
        what = "a whole number or inf" if kind == "count" else "a whole number"
        raise InputError(
            f"{parameter.name.rstrip('_')}_not_an_integer",
            f"{parameter.option} takes {what}, not {shown(raw)}.",
            parameter.help,
        )
    if abs(number) > _LARGEST_INTEGER:
        raise InputError(
            "number_too_large", f"{parameter.option} takes whole numbers up to 2**63 - 1, not {shown(raw)}."
        )
    return int(number)


def _number(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    if isinstance(raw, Fraction):
        return raw
    if isinstance(raw, bool):
        raise InputError("number_syntax", f"{parameter.option} takes a number, not {raw}.")
    if isinstance(raw, int):
        return Fraction(raw)
    if isinstance(raw, float):
        raw = repr(raw)
    if isinstance(raw, str):
        return parse_number(raw, name=parameter.name, symbols=formula.symbolic)
    if hasattr(raw, "free_symbols"):
        return Fraction(int(raw.p), int(raw.q)) if raw.is_Rational else raw
    raise InputError("number_syntax", f"{parameter.option} takes a number, not {shown(raw)}.")


def _flag(parameter: Parameter, raw: Any) -> bool:
    word = str(raw[0] if isinstance(raw, list) and len(raw) == 1 else raw).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InputError(
        f"{parameter.name}_not_a_flag", f"{parameter.option} takes 0 or 1 per step, not {shown(raw)}."
    )


# lengths and defaults


def _measure(parameter: Parameter, value: Any, dims: dict[str, int]) -> None:
    """Let the first parameter of a dimension fix its length."""
    if parameter.kind == "mdp":
        dims |= {"S": len(value.states), "A": len(value.actions)}
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
        if want is None and name.partition("+")[0] not in dims:
            dims[name.partition("+")[0]] = min(sizes) - int(name.partition("+")[2] or 0)
            want = min(sizes)
        if sizes != {want}:
            got = " and ".join(str(size) for size in sorted(sizes))
            raise InputError(
                f"{parameter.name.rstrip('_')}_wrong_length",
                f"{parameter.option} has {got} {'entry' if got == '1' else 'entries'}"
                f"{' in a row' if axis else ''}, expected {want}.",
                parameter.help,
            )


def _default(formula: Formula, parameter: Parameter, dims: Mapping[str, int]) -> Any:
    text = parameter.default
    if text == "zeros":
        return [Fraction(0)] * (dimension(parameter.shape[0], dims) or 0)
    return _read(formula, parameter, text)


# domains


def _check_domain(parameter: Parameter, value: Any, inputs: Inputs) -> None:
    if parameter.kind not in ("number", "integer", "count"):
        return
    interval = parameter.domain
    if interval.low is None and interval.high is None and not parameter.distribution:
        return
    for entry in flat(value):
        if isinstance(entry, str) or entry == math.inf:
            continue
        entry = Fraction(entry) if isinstance(entry, int) else entry
        inside = within(entry, parameter)
        if inside is None:
            free = ", ".join(sorted(symbols_of(entry)))
            inputs.notes.append(f"{to_text(entry)} is taken to be {interval.words()} ({free} is a symbol).")
        elif not inside and not parameter.distribution:
            raise InputError(
                f"{parameter.name.rstrip('_')}_out_of_range",
                f"{parameter.option} must be {interval.words()}, not {_brief(entry)}.",
                parameter.help,
            )
        elif not inside:
            raise not_a_distribution(parameter, f"{_brief(entry)} is no probability")
        if parameter.caution_above is not None and compare(entry, parameter.caution_above) == 1:
            inputs.notes.append(parameter.caution)
    if parameter.distribution and not isinstance(value, str):
        _check_sums(parameter, value)


def within(entry: Any, parameter: Parameter) -> bool | None:
    """Whether an exact number lies in the domain; ``None`` if a symbol hides it."""
    interval = parameter.domain
    for bound, closed, outside in (
        (interval.low, interval.low_closed, -1),
        (interval.high, interval.high_closed, 1),
    ):
        if bound is None:
            continue
        side = compare(entry, bound)
        if side is None:
            return None
        if side == outside or (side == 0 and not closed):
            return False
    return True


def _check_sums(parameter: Parameter, value: Any) -> None:
    rows = value if len(parameter.shape) == 2 else [value]
    for row in rows:
        if any(is_symbolic(entry) for entry in row):
            continue
        total = sum(row, start=Fraction(0))
        if compare(total, Fraction(1)) != 0:
            raise not_a_distribution(parameter, f"they sum to {_brief(total)}")


def not_a_distribution(parameter: Parameter, why: str) -> InputError:
    return InputError(
        f"{parameter.name.rstrip('_')}_not_a_distribution",
        f"{parameter.option} must be probabilities that sum to 1; {why}.",
        "Write fractions such as 1/3 where decimals do not add up exactly.",
    )


def _brief(value: Any) -> str:
    text = to_text(value) if not isinstance(value, int) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(part) for part in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    if value == math.inf:
        return "inf"
    if isinstance(value, int | str):
        return str(value)
    return value.label if hasattr(value, "label") else to_text(value)
