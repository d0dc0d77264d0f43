"""An Evaluation -> text for people, the bare answer, LaTeX or JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rlcalc._version import __version__
from rlcalc.agreement import AGREES_FROM, Result
from rlcalc.cli.numbers import (
    DIGITS,
    LONG,
    View,
    bracketed,
    decimal_text,
    exact_text,
    float_text,
    json_float,
    map_entries,
    readable,
    short_decimal,
    shown,
)
from rlcalc.cli.screen import ANSWER, CAUTION, FAINT, HEADING, Screen, clauses, filled, write_json
from rlcalc.cli.tables import Printable, is_table, joined, matrix, rows_of
from rlcalc.errors import InputError
from rlcalc.evaluation import Evaluation
from rlcalc.exact import rational
from rlcalc.nested import flatten, map_nested
from rlcalc.specs import Output
from rlcalc.steps import printers
from rlcalc.steps.derivation import Derivation

SCHEMA = "rlcalc-result-1"
TITLES = {"numpy": "NumPy", "torch": "Torch", "sympy": "SymPy"}
MOST_AT_TERMINAL = 24  # entries of a vector that fit on a few lines
MOST_GIVEN = 12  # entries of an input that are repeated
MOST_STEPS = 16  # that are shown in short
FIRST_STEPS = 12  # of them from the beginning
MOST_WORDS = 6  # long words of a list, one a line


def note(text: str) -> None:
    sys.stdout.flush()
    Screen(sys.stderr).note(text)


# text


def show_text(found: Evaluation, view: View) -> None:
    """Title, formula, inputs, steps, results, backends."""
    screen = Screen(sys.stdout)
    spec = found.formula
    screen.paragraph(f"{spec.title} ({spec.origin})", "", "  ", HEADING)
    screen.line()
    screen.lines(clauses(spec.text))
    screen.line()
    for line, default in given_lines(found):
        *rest, last = filled(line, "", "    ")
        screen.lines(rest, FAINT)
        screen.segments((last, FAINT), (default, CAUTION))
    if found.derivation is not None and found.derivation.steps and view.steps != "none":
        screen.line()
        screen.lines(step_lines(found.derivation, view))
    screen.line()
    for position, results in enumerate(_tables(found.wanted.values())):
        style = ANSWER if position == 0 else ""
        made = joined(found, results, view) if results[0].output.table else None
        if made is not None:
            _show_table(screen, [result.output for result in results], made, view, style)
            vectors = {r.output.name: rows_of(r) for r in results if not is_table(r)}
            from rlcalc.cli.grid_view import grid_lines

            for heading, lines in grid_lines(found, view, vectors):
                screen.line(heading)
                screen.lines(lines)
            continue
        for result in results:
            show_result(screen, found, result, view, style)
            style = ""
    if found.derivation is not None and found.derivation.rows and view.steps == "none":
        screen.line("'--row 1' shows how row 1 comes about, '--all' every row.", FAINT)
    verdict = backends_line(found)
    if verdict:
        screen.line()
        screen.paragraph(verdict, "", "  ", FAINT)


def _tables(results: Iterable[Result]) -> list[list[Result]]:
    """The outputs in order, those of one table together."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.output.table or f" {result.output.name}", []).append(result)
    return list(found.values())


def _show_table(screen: Screen, outputs: list[Output], made: Printable, view: View, style: str) -> None:
    """A heading with the outputs of a table, and the table."""
    first, *rest = outputs
    heading = "".join(f", {output.symbol}{_named(output)}" for output in rest)
    remark = f"  {made.remark}" if made.remark else ""
    room = view.width - len(f"{first.symbol}{_named(first)}{heading}")
    if room < 0:
        screen.headed(first.symbol, f"{_named(first)}{heading}", style, "  ")
    else:
        screen.segments(
            (first.symbol, style),
            (_named(first) + heading, ""),
            (remark if len(remark) <= room else "", FAINT),
        )
    if len(remark) > room:
        screen.line(remark, FAINT)
    for number, part in enumerate(made.parts):
        if number:
            screen.line()
        screen.line(part[0], HEADING)
        screen.block("\n".join(part[1:]))


def _named(output: Output) -> str:
    return f"  ({output.name})" if output.symbol != output.name else ""


def given_lines(found: Evaluation) -> Iterable[tuple[str, str]]:
    """The inputs by their symbols, and where each comes from that was not typed."""
    for parameter in found.formula.parameters:
        value = found.inputs.given[parameter.name]
        if value is None or value is False:
            continue
        if value is True:
            yield parameter.symbol, ""
        else:
            origin = "of the process" if parameter.of_mdp else "default"
            origin += f", {parameter.usual}" if parameter.usual else ""
            typed = parameter.name in found.inputs.typed
            yield f"{parameter.symbol} = {input_text(value)}", "" if typed else f"  ({origin})"


def input_text(value: Any) -> str:
    """An input in short; a long list is repeated in part and its length said."""
    if isinstance(value, list) and len(value) > MOST_GIVEN:
        parts = [input_text(part) for part in (*value[:3], value[-1])]
        return f"{parts[0]}, {parts[1]}, {parts[2]}, …, {parts[3]} ({len(value)} values)"
    if isinstance(value, list):
        nested = any(isinstance(part, list) for part in value)
        return ("; " if nested else ", ").join(input_text(part) for part in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return str(value)
    if hasattr(value, "brief"):
        return str(value.brief)
    return str(value.label) if hasattr(value, "label") else readable(value)


def step_lines(derivation: Derivation, view: View) -> list[str]:
    """The steps for a page; in short, the first and the last of them."""
    first, last = derivation.steps, []
    left_out = len(first) - MOST_STEPS
    if view.steps != "all" and left_out > 1:
        first, last = first[:FIRST_STEPS], first[FIRST_STEPS + left_out :]
    lines = [line for step in first for line in printers.step_lines(step, view.width, cut=view.cut)]
    if last:
        lines.append(f"… {left_out} more steps; --all shows them")
    return lines + [line for step in last for line in printers.step_lines(step, view.width, cut=view.cut)]


def show_result(screen: Screen, found: Evaluation, result: Result, view: View, style: str) -> None:
    """One output: a line, or a table where it has rows and columns."""
    output = result.output
    named = _named(output)
    if result.exact is None and found.derivation is not None and result.numpy != result.numpy:
        # the exact form found that there is none, such as the correlation with a constant
        screen.line(f"{output.symbol} is undefined{named}")
        return
    made = matrix(found, result, view) if is_table(result) else None
    if made is not None:
        _show_table(screen, [output], made, view, style)
        return
    values = rows_of(result)
    if is_table(result):
        screen.segments((output.symbol, style), (named, ""))
        for row in values:
            screen.lines(value_lines("  ", row, found.dtype, view))
        return
    if isinstance(values, list) and any(isinstance(v, str) and len(v) > MOST_AT_TERMINAL for v in values):
        screen.segments((output.symbol, style), (named, ""))
        screen.lines(_long_words(values, view))
        return
    *lines, last = value_lines(f"{output.symbol} = ", values, found.dtype, view, named)
    screen.lines(lines, style)
    screen.segments((last.removesuffix(named), style), (named, ""))


def _long_words(values: list[str], view: View) -> list[str]:
    """Texts below each other; at a terminal the middle of many is left out."""

    def lines(found: list[str]) -> list[str]:
        return [line for value in found for line in filled(value, "  ", "    ")]

    if view.whole or len(values) <= MOST_WORDS:
        return lines(values)
    return [*lines(values[:3]), f"  … {len(values) - 4} more; --all shows them", *lines(values[-1:])]


def value_lines(start: str, values: Any, dtype: str, view: View, end: str = "") -> list[str]:
    """A value or list between ``start`` and ``end``: exact, and decimal where that says more."""
    most = None if view.whole else MOST_AT_TERMINAL
    hang = " " * len(start)
    if any(isinstance(value, float) for value in flatten(values)):
        text = bracketed(values, lambda value: float_text(value, dtype, view.digits), most)
        return _wrapped(f"{start}{text}{end}", view, hang)
    entries = map_nested(lambda value: shown(value, view), values)
    found = list(flatten(entries))
    if all(entry.whole for entry in found) and any(entry.long for entry in found):
        entries = map_nested(lambda entry: replace(entry, exact=entry.near), entries)
    exact = bracketed(entries, lambda entry: entry.exact, most)
    near = bracketed(entries, lambda entry: entry.near, most)
    if near == exact or not all(entry.has_decimal for entry in found):
        return _wrapped(f"{start}{exact}{end}", view, hang)
    sign = "=" if all(entry.whole for entry in found) else "≈"
    line = f"{start}{exact} {sign} {near}{end}"
    if len(line) <= view.width:
        return [line]
    below = f"{' ' * max(len(start) - 2, 0)}{sign} {near}{end}"
    return [*_wrapped(start + exact, view, hang), *_wrapped(below, view, hang)]


def _wrapped(text: str, view: View, hang: str) -> list[str]:
    return printers.wrapped(text, view.width, hang, cut=view.cut)


def backends_line(found: Evaluation) -> str:
    """What the numeric backends said about the answer, with their correct digits."""
    ran = [backend for backend in found.backends if backend != "sympy"]
    if not ran:
        return ""
    if found.agree is None:
        return (
            f"Computed by {' and '.join(TITLES[b] for b in ran)} in {found.dtype}; nothing to compare with."
        )
    parts = [_verdict(found, backend) for backend in ran]
    return " ".join(part for part in parts if part)


def _verdict(found: Evaluation, backend: str) -> str:
    digits = [result.digits[backend] for result in found.results.values() if backend in result.digits]
    if not digits:
        return f"Computed by {TITLES[backend]} in {found.dtype}." if "sympy" not in found.backends else ""
    least = min(digits)
    agrees = least >= AGREES_FROM[found.dtype]
    answer = getattr(found.answer, backend)
    value = "" if isinstance(answer, list | str | None) else f": {float_text(answer, found.dtype)}"
    if agrees and _overflowed(found.answer.exact, answer):
        # infinity is the rounded truth there, but no digit of it
        got = "infinities" if isinstance(answer, list) else float_text(answer, found.dtype)
        return f"{TITLES[backend]} gives {got}: the answer is beyond the range of {found.dtype}."
    place = "" if found.dtype == "float64" else f" in {found.dtype}"
    count = f"{max(least, 0):.1f} digits" + (" or more everywhere" if len(digits) > 1 else "")
    return f"{TITLES[backend]} {'agrees' if agrees else 'DISAGREES'}{place}{value} ({count})."


def _overflowed(exact: Any, answer: Any) -> bool:
    """Whether a backend says infinity where the exact answer is a number."""
    if isinstance(answer, list):
        return isinstance(exact, list) and any(map(_overflowed, exact, answer))
    infinite = isinstance(answer, float) and math.isinf(answer)
    return infinite and exact is not None and not getattr(exact, "is_infinite", False)


def disagreement(found: Evaluation) -> tuple[str, str]:
    """Message and hint for backends that do not agree."""
    worst = min(
        (
            (digits, backend, result)
            for result in found.results.values()
            for backend, digits in result.digits.items()
        ),
        key=lambda entry: entry[0],
    )
    _, backend, result = worst
    against = "the exact answer" if result.exact is not None else "NumPy"
    hint = f"A wider dtype than {found.dtype} may help." if found.dtype != "float64" else ""
    return f"{TITLES[backend]} does not agree with {against} on {result.output.name}.", hint


# the other forms


def show_quiet(found: Evaluation, view: View) -> None:
    """The answer alone, so that it can be pasted back as an input."""
    answer = found.answer
    screen = Screen(sys.stdout)
    if answer.exact is not None:
        screen.line(_flat(answer.exact, lambda value: _decimal_or_exact(value, view)))
    else:
        numbers = answer.numpy if answer.numpy is not None else answer.torch
        screen.line(_flat(numbers, lambda value: _repr(value, view.digits)))


def _decimal_or_exact(value: Any, view: View) -> str:
    if not view.decimal and view.digits is None:
        text = exact_text(value)
        if view.fractions or len(text) <= LONG or rational(value) is None:
            return text
        near = short_decimal(value)
        # one that ends says all there is, and can be pasted back
        return (near if near and near[1] else short_decimal(value, DIGITS) or (text,))[0].replace("−", "-")
    decimal = short_decimal(value, view.digits or DIGITS)
    return exact_text(value) if decimal is None else decimal[0].replace("−", "-")


def _repr(value: Any, digits: int | None) -> str:
    if isinstance(value, float) and digits is not None:
        return float_text(value, digits=digits)
    return value if isinstance(value, str) else repr(value)


def _flat(value: Any, write: Callable[[Any], str]) -> str:
    if not isinstance(value, list | tuple):
        return write(value)
    if value and isinstance(value[0], list | tuple):
        return "; ".join(_flat(row, write) for row in value)
    # entries are separated by spaces, so they hold none
    return " ".join(write(part).replace(" ", "") for part in value)


def show_latex(found: Evaluation, view: View) -> None:
    """The steps as an ``align*`` that breaks across pages.

    Raises:
        InputError: ``no_steps`` where the exact backend did not run.
    """
    if found.derivation is None:
        reason = next((text for text in found.notes if "exact backend was skipped" in text), "")
        several = [p for p in found.formula.parameters if p.samples]
        if any(isinstance(found.inputs.given[p.name], list) for p in several):
            options = " and one ".join(p.option for p in several if p.required)
            reason = f"Steps are those of one sample: give one {options}."
        raise InputError(
            "no_steps", "There are no steps to print: the exact backend did not run.",
            reason or "Add sympy to --backends.",
        )  # fmt: skip
    Screen(sys.stdout).block(found.derivation.latex(pages=True))


def show_json(found: Evaluation, view: View) -> None:
    """The JSON contract: exact strings, 20 digits, no NaN and no Infinity."""
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "formula": found.formula.name,
        "inputs": found.inputs.texts(),
        "outputs": {
            name: {
                "exact": map_entries(exact_text, result.exact),
                "decimal": map_entries(decimal_text, result.exact),
                "numpy": map_entries(json_float, result.numpy),
                "torch": map_entries(json_float, result.torch),
            }
            for name, result in found.wanted.items()
        },
        "agree": found.agree,
        "steps": found.derivation.json_steps() if found.derivation is not None else [],
        "notes": found.notes,
    }
    if found.names:
        document["names"] = {dimension: list(names) for dimension, names in found.names.items()}
    write_json(document)


SHOW: dict[str, Callable[[Any, View], None]] = {
    "text": show_text,
    "quiet": show_quiet,
    "latex": show_latex,
    "json": show_json,
}
