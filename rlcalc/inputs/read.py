"""One parameter's raw input -> exact values: numbers, flags, words, lists and matrices of them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import parse_literal, parse_number
from rlcalc.specs import Formula, Parameter
from rlcalc.spelling import spelled, worded

_HOLE = re.compile(r",\s*,")
# 1.0 and 0.0 are how arrays and tables of floats spell them
_TRUE = frozenset({"1", "1.0", "true", "yes"})
_FALSE = frozenset({"0", "0.0", "false", "no"})
_LARGEST_INTEGER = 2**63 - 1  # of the array backends


def read_parameter(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    """What was given for one parameter, as exact values; lengths and domains are not looked at.

    Raises:
        InputError: ``..._empty``, ``..._unknown``, ``..._not_an_integer``,
            ``..._not_a_flag`` and the codes of the number grammar.
    """
    if parameter.kind == "mdp" or parameter.is_text:
        return read_object(parameter, raw, formula.symbolic)
    if parameter.is_switch:
        return bool(raw) if isinstance(raw, bool) else _flag(parameter, raw)
    _refuse_what_is_no_number(parameter, raw)
    raw = _plain(raw)
    if parameter.choices and parameter.shape and _is_choice(parameter, raw):
        return raw if isinstance(raw, str) else raw[0]
    if len(parameter.shape) == 3:
        return [[_row(formula, parameter, row) for row in _rows(table)] for table in _tables(raw)]
    if len(parameter.shape) == 2:
        return [_row(formula, parameter, row) for row in _rows(raw)]
    if parameter.spaces:
        parts = raw if isinstance(raw, list) else [raw]
        raw = [word for part in parts for word in (part.split() if isinstance(part, str) else [part])]
    if parameter.shape or (parameter.each and isinstance(raw, list) and len(raw) != 1):
        return _row(formula, parameter, raw if isinstance(raw, list) else [raw])
    if isinstance(raw, list):
        if len(raw) != 1:
            what = "one value" if raw else "a value"
            raise InputError(
                f"{parameter.label}_wrong_length",
                f"{spelled(parameter.name)} takes {what}, not {len(raw)}: {shown(' '.join(map(str, raw)))}.",
                worded(parameter.help),
            )
        raw = raw[0]
    return _entry(formula, parameter, raw)


def read_object(parameter: Parameter, raw: Any, symbols: bool = False) -> Any:
    """A decision process, experience or a table: what is no number and becomes arrays by itself."""
    if parameter.kind == "mdp":
        from rlcalc.mdp.reading import read_mdp

        return read_mdp(raw, symbols)
    from rlcalc.experience import read_experience, read_table

    if parameter.kind == "table":
        return read_table(raw, actions=parameter.actions, name=parameter.name)
    episodes = parameter.kind == "episodes"
    return read_experience(raw, actions=parameter.actions, episodes=episodes, name=parameter.name)


def without_masked(raw: Any, mask: list[list[bool]] | None) -> Any:
    """Rows with 0 for what is masked and is no finite number: NaN, infinity, ``None`` for a gap."""
    rows = _plain(raw)
    if mask is None or not (isinstance(rows, list) and all(isinstance(row, list | tuple) for row in rows)):
        return raw
    return [
        [0 if at < len(flags) and not flags[at] and _is_gap(part) else part for at, part in enumerate(row)]
        for row, flags in zip(rows, [*mask, *[[]] * len(rows)], strict=False)
    ]


def _is_gap(part: Any) -> bool:
    return part is None or str(part).lower().lstrip("+-") in ("nan", "inf", "infinity")


def _is_choice(parameter: Parameter, raw: Any) -> bool:
    """Whether one of the words stands in place of a whole vector or matrix."""
    word = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
    return isinstance(word, str) and word in parameter.choices


def _refuse_what_is_no_number(parameter: Parameter, raw: Any) -> None:
    """Dates, records and masked entries of an array, which would read as something else when printed."""
    kind = getattr(getattr(raw, "dtype", None), "kind", "")
    if kind in ("m", "M", "V") or (hasattr(raw, "mask") and np.ma.is_masked(raw)):
        raise InputError(
            f"{parameter.label}_not_numeric",
            f"{spelled(parameter.name)} must be numbers or an array of them, not {shown(raw)}.",
        )


def _plain(raw: Any) -> Any:
    """Lists for arrays, tuples and tensors; scalars as they are."""
    if hasattr(raw, "detach"):
        # through NumPy, so that a float32 tensor means the same as a float32 array
        raw = raw.detach().cpu()
        raw = (raw.float() if str(raw.dtype) == "torch.bfloat16" else raw).numpy()  # which NumPy lacks
    if hasattr(raw, "tolist") and not isinstance(raw, Fraction):
        # numpy prints a float32 as its shortest decimal, which is what was meant
        return str(raw) if getattr(raw, "ndim", 1) == 0 else [_plain(part) for part in raw]
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        return list(raw)
    return raw


def _tables(raw: Any) -> list[Any]:
    """Tables of a batch: nested lists, or words with ``|`` between the tables."""
    if isinstance(raw, list) and raw and all(isinstance(table, list | tuple) for table in raw):
        nested = all(isinstance(row, list | tuple) for table in raw for row in table)
        return [list(table) for table in raw] if nested else [raw]
    words = " ".join(map(str, raw)) if isinstance(raw, list) else str(raw)
    return [table.split() for table in words.split("|") if table.strip()]


def _rows(raw: Any) -> list[Any]:
    """Rows of a matrix: nested lists, or words with ``;`` between the rows."""
    if isinstance(raw, list) and raw and all(isinstance(row, list | tuple) for row in raw):
        return [list(row) for row in raw]
    if isinstance(raw, list) and not all(isinstance(word, str) for word in raw):
        return [raw]
    words = " ".join(raw) if isinstance(raw, list) else str(raw)
    if _HOLE.search(words):
        raise InputError("empty_entry", f"There is nothing between two commas in {shown(words)}.")
    return [row.replace(",", " ").split() for row in words.split(";") if row.strip()]


def _row(formula: Formula, parameter: Parameter, raw: Sequence[Any]) -> list[Any]:
    if not raw:
        raise InputError(
            f"{parameter.label}_empty",
            f"{spelled(parameter.name)} has nothing after it; it takes at least one value.",
            worded(parameter.help),
        )
    if parameter.kind == "number":
        # plain literals, the bulk of any long list, take the short way
        read = [parse_literal(part) if type(part) is str else None for part in raw]
        return [
            _entry(formula, parameter, part, among=True) if value is None else value
            for part, value in zip(raw, read, strict=True)
        ]
    return [_entry(formula, parameter, part) for part in raw]


def _entry(formula: Formula, parameter: Parameter, raw: Any, *, among: bool = False) -> Any:
    """One value; ``among`` others a word that stands for all of them has no place."""
    kind = parameter.kind
    if kind == "flag":
        return _flag(parameter, raw)
    if parameter.choices and isinstance(raw, str):
        if raw in parameter.choices and among and kind == "number":
            raise InputError(
                "number_syntax",
                f"{spelled(parameter.name)}: {shown(raw)} stands for all numbers, not for one of them.",
                f"Write {raw} alone, or numbers only.",
            )
        if raw in parameter.choices:
            return raw
        if kind == "choice":
            known = list(parameter.choices)
            raise InputError(
                f"{parameter.label}_unknown",
                f"{spelled(parameter.name)} takes {' or '.join(known)}, not {shown(raw)}.",
                suggestion(raw, known),
            )
    if kind in ("word", "choice"):
        return str(raw)
    endless = kind == "count" and not parameter.finite
    infinite = kind == "count" and (raw == math.inf or raw == "inf")
    if endless and infinite:
        return math.inf
    number = raw if infinite else _number(formula, parameter, raw)
    if kind == "number":
        return number
    if not isinstance(number, Fraction) or number.denominator != 1:
        what = "an integer or inf" if endless else "an integer"
        raise InputError(
            f"{parameter.label}_not_an_integer",
            f"{spelled(parameter.name)} takes {what}, not {shown(raw)}.",
            worded(parameter.help),
        )
    if abs(number) > _LARGEST_INTEGER:
        raise InputError(
            "number_too_large", f"{spelled(parameter.name)} takes integers up to 2**63 - 1, not {shown(raw)}."
        )
    return int(number)


def _number(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    if isinstance(raw, Fraction):
        return raw
    if isinstance(raw, bool):
        raise InputError("number_syntax", f"{spelled(parameter.name)} takes a number, not {raw}.")
    if isinstance(raw, int):
        return Fraction(raw)
    if isinstance(raw, float | Decimal):
        raw = str(raw)
    if isinstance(raw, str):
        return parse_number(raw, name=parameter.name, symbols=formula.symbolic)
    if hasattr(raw, "free_symbols"):
        return _expression(formula, parameter, raw)
    raise InputError("number_syntax", f"{spelled(parameter.name)} takes a number, not {shown(raw)}.")


def _expression(formula: Formula, parameter: Parameter, raw: Any) -> Any:
    """A SymPy expression, held to what the grammar promises of text: finite, real, exact."""
    from sympy import Float, nan

    if raw.is_Rational:
        return Fraction(int(raw.p), int(raw.q))
    if raw.is_Float:
        return parse_number(str(raw), name=parameter.name, symbols=formula.symbolic)
    subject = f"{parameter.name} = {shown(raw)}"
    if raw is nan or raw.is_finite is False:
        raise InputError("number_not_finite", f"{subject}: it is not finite.", "Write a finite number.")
    if raw.is_extended_real is False:
        raise InputError("number_not_real", f"{subject}: it is not real.", "Write a real number.")
    if raw.has(Float):
        raise InputError("number_not_exact", f"{subject}: it holds a rounded number.", "Use sympy.Rational.")
    if raw.free_symbols and not formula.symbolic:
        raise InputError("symbol_not_allowed", f"{subject}: it holds a symbol, a number was expected.")
    return raw


def _flag(parameter: Parameter, raw: Any) -> bool:
    word = str(raw[0] if isinstance(raw, list) and len(raw) == 1 else raw).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InputError(
        f"{parameter.name}_not_a_flag", f"{spelled(parameter.name)} takes 0 or 1 per step, not {shown(raw)}."
    )
