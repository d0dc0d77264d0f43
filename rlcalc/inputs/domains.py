"""Whether exact values lie in the domain that the specification declares, and what symbols leave open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.errors import InputError
from rlcalc.exact import (
    compare,
    equal,
    is_symbolic,
    rational,
    symbols_of,
    to_sympy,
    to_text,
    to_unicode,
    weak_order,
)
from rlcalc.exact.assumptions import Known
from rlcalc.exact.effort import multiplied_out
from rlcalc.interval import Interval
from rlcalc.nested import flatten
from rlcalc.specs import Parameter
from rlcalc.spelling import spelled, worded

Pairs = list[tuple[Parameter, Any]]


def check_domain(parameter: Parameter, value: Any, notes: list[str]) -> None:
    """Refuse what lies outside the domain; note what symbols leave open, and cautions.

    Raises:
        InputError: ``..._out_of_range`` or ``..._not_a_distribution``.
    """
    for entry in _bounded(parameter, value):
        inside = within(entry, parameter.domain)
        if inside is None:
            free = sorted(symbols_of(entry))
            notes.append(
                f"{to_unicode(entry)} is taken to be {parameter.domain.words()} "
                f"({', '.join(free)} {'is a symbol' if len(free) == 1 else 'are symbols'})."
            )
        elif not inside and parameter.distribution:
            raise not_a_distribution(parameter, f"{_brief(entry)} is not a probability")
        elif not inside:
            raise InputError(
                f"{parameter.label}_out_of_range",
                f"{spelled(parameter.name)} must be {parameter.domain.words()}, not {_brief(entry)}.",
                worded(parameter.help),
            )
        if parameter.caution is not None and compare(entry, parameter.caution.above) == 1:
            notes.append(parameter.caution.note)
    if parameter.distribution and not isinstance(value, str):
        for row in value if len(parameter.shape) == 2 else [value]:
            if not any(isinstance(entry, str) for entry in row):
                _check_sum(parameter, row, notes)


def _bounded(parameter: Parameter, value: Any) -> Iterator[Any]:
    """The exact numbers of a parameter that has a domain to lie in."""
    interval = parameter.domain
    unbounded = interval.low is None and interval.high is None
    if parameter.kind not in ("number", "integer", "count") or unbounded:
        return
    for entry in flatten(value):
        if entry is not None and not isinstance(entry, str) and entry != math.inf:
            yield Fraction(entry) if isinstance(entry, int) else entry


def within(entry: Any, interval: Interval) -> bool | None:
    """Whether an exact number lies in an interval; ``None`` if that depends on a symbol.

    What a symbol lets reach the interval at most at its edge counts as outside.
    """
    known = True
    for bound, closed, outside in (
        (interval.low, interval.low_closed, -1),
        (interval.high, interval.high_closed, 1),
    ):
        if bound is None:
            continue
        side = compare(entry, bound)
        if side is None:
            weak = weak_order(entry, bound)
            if weak == outside:
                return False
            known = known and weak is not None and closed
        elif side == outside or (side == 0 and not closed):
            return False
    return True if known else None


def _check_sum(parameter: Parameter, row: list[Any], notes: list[str]) -> None:
    """Probabilities add up to 1; where a symbol leaves that open, it is said to be assumed.

    Raises:
        InputError: ``..._not_a_distribution``.
    """
    if not any(map(is_symbolic, row)):
        total = sum(row, start=Fraction(0))
        if compare(total, 1) != 0:
            raise not_a_distribution(parameter, f"they sum to {_brief(total)}")
        return
    total = multiplied_out(sympy.Add(*map(to_sympy, row)))
    if not is_symbolic(total) or compare(total, 1) is not None:
        if compare(total, 1) != 0:
            raise not_a_distribution(parameter, f"they sum to {_brief(total)}")
        return
    least = sum((entry for entry in row if not is_symbolic(entry)), start=Fraction(0))
    if compare(least, 1) == 1:
        raise not_a_distribution(parameter, f"those without a symbol sum to {_brief(least)} already")
    if not equal(total, 1):
        notes.append(f"{to_unicode(total)} = 1 is assumed: probabilities sum to 1.")


def not_a_distribution(parameter: Parameter, why: str) -> InputError:
    return InputError(
        f"{parameter.label}_not_a_distribution",
        f"{spelled(parameter.name)} must be probabilities that sum to 1; {why}.",
        "Write fractions such as 1/3 where decimals do not add up exactly.",
    )


def _brief(value: Any) -> str:
    text = to_text(value) if not isinstance(value, int) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


# several inputs in one symbol


def check_together(given: Pairs, notes: list[str]) -> None:
    """Refuse assumptions about one symbol that no number meets, such as g and g + 2, both in [0, 1].

    Looked through are a·s + b and c/(a·s + b) in one symbol s; what else is assumed stays with its note.

    Raises:
        InputError: ``symbols_contradict``.
    """
    spans: dict[str, tuple[Any, Any]] = {}
    said: dict[str, list[str]] = {}
    for parameter, value in given:
        for entry in _bounded(parameter, value):
            span = _span(entry, parameter.domain)
            if span is None:
                continue
            name = next(iter(symbols_of(entry)))
            low, high = spans.get(name, (None, None))
            low = span[0] if low is None or (span[0] is not None and span[0] > low) else low
            high = span[1] if high is None or (span[1] is not None and span[1] < high) else high
            spans[name] = low, high
            said.setdefault(name, []).append(f"{to_unicode(entry)} {parameter.domain.words()}")
            if low is not None and high is not None and low > high:
                raise InputError(
                    "symbols_contradict",
                    f"No number {name} meets what is assumed: {' and '.join(dict.fromkeys(said[name]))}.",
                    "Use another expression, or numbers.",
                )
    for name, (low, high) in spans.items():
        if low is not None and low == high and len(said[name]) > 1:
            notes.append(f"Together these leave only {name} = {to_unicode(low)}.")


def _span(entry: Any, interval: Interval) -> tuple[Fraction | None, Fraction | None] | None:
    """The symbol's own interval (its hull), where an entry in one symbol lies in a domain."""
    if not is_symbolic(entry) or len(symbols_of(entry)) != 1:
        return None
    low, high = interval.low, interval.high
    inner, scale = entry, Fraction(1)
    if entry.is_Mul or entry.is_Pow:
        coefficient, rest = entry.as_coeff_Mul()
        if rest.is_Pow and rest.exp == -1 and coefficient.is_Rational and coefficient > 0:
            # c/x >= 0 needs x > 0, and turns the ends over
            inner, scale = rest.base, rational(coefficient) or scale
            if low is None or low < 0:
                return None
            low, high = scale / high if high else Fraction(0), scale / low if low else None
    symbol = next(iter(entry.free_symbols))
    with suppress(sympy.PolynomialError):
        poly = sympy.Poly(inner, symbol)
        if poly.degree() != 1 or not all(c.is_Rational for c in poly.all_coeffs()):
            return None
        a, b = (rational(c) or Fraction(0) for c in poly.all_coeffs())
        ends = [None if end is None else (end - b) / a for end in (low, high)]
        return (ends[0], ends[1]) if a > 0 else (ends[1], ends[0])
    return None


def known_signs(given: Pairs) -> dict[str, Known]:
    """Symbols that stand alone where only numbers above 0, or not below 0, may stand."""
    found: dict[str, Known] = {}
    for parameter, value in given:
        low = parameter.domain.low
        if low is None or low < 0:
            continue
        positive = low > 0 or not parameter.domain.low_closed
        for entry in _bounded(parameter, value):
            if is_symbolic(entry) and entry.is_Symbol and found.get(str(entry)) != "positive":
                found[str(entry)] = "positive" if positive else "nonnegative"
    return found
