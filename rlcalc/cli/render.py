"""An Evaluation -> text for people, the bare answer, LaTeX or JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rlcalc.cli.numbers import (
    bracketed,
    decimal_text,
    deep,
    exact_text,
    float_text,
    json_float,
    short_decimal,
)
from rlcalc.cli.screen import ANSWER, FAINT, HEADING, Screen, write_json
from rlcalc.errors import InputError

if TYPE_CHECKING:
    from rlcalc.evaluation import Evaluation, Result

TITLES = {"numpy": "NumPy", "torch": "Torch", "sympy": "SymPy"}
MOST_AT_TERMINAL = 24  # entries of a vector that fit on a few lines
WIDE = 100  # a matrix with longer lines is shown row by row
MOST_GIVEN = 12  # entries of an input that are repeated


def note(text: str) -> None:
    sys.stdout.flush()
    Screen(sys.stderr).note(text)


# text


def show_text(found: Evaluation) -> None:
    """Title, formula, inputs, steps, results, backends."""
    screen = Screen(sys.stdout)
    spec = found.formula
    screen.line(f"{spec.title} ({lecture(spec.sections)})", HEADING)
    screen.line()
    screen.block(spec.text)
    screen.line()
    for line in given_lines(found):
        screen.line(line, FAINT)
    if found.derivation is not None and found.derivation.steps:
        screen.line()
        screen.block(found.derivation.text())
    screen.line()
    most = MOST_AT_TERMINAL if screen.terminal else None
    for position, result in enumerate(found.results.values()):
        if result.exact is None and found.derivation is not None and result.numpy != result.numpy:
            # the exact form found that there is none, such as the correlation with a constant
            screen.line(f"{result.output.name} is undefined")
            continue
        screen.line(result_line(result, found.dtype, most), ANSWER if position == 0 else "")
    line = backends_line(found)
    if line:
        screen.line()
        screen.line(line, FAINT)


def lecture(sections: tuple[str, ...]) -> str:
    return (
        f"lecture, section{'s' if len(sections) > 1 else ''} {', '.join(sections)}" if sections else "lecture"
    )


def given_lines(found: Evaluation) -> list[str]:
    """The inputs by their symbols, those that were not typed marked as defaults."""
    lines = []
    for parameter in found.formula.parameters:
        value = found.inputs.values[parameter.name]
        if value is None or value is False:
            continue
        if value is True:
            lines.append(f"{parameter.symbol}")
            continue
        text = input_text(value)
        default = "" if parameter.name in found.inputs.given else "  (default)"
        lines.append(f"{parameter.symbol} = {text}{default}")
    return lines


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
    return str(value.label) if hasattr(value, "label") else exact_text(value)


def result_line(result: Result, dtype: str, most: int | None) -> str:
    """``return = 11/4 = 2.75``; without an exact value, what a backend gave."""
    name = result.output.name
    if result.exact is None:
        backend = "numpy" if result.numpy is not None else "torch"
        text = bracketed(getattr(result, backend), lambda value: float_text(value, dtype), most)
        return f"{name} = {text}"
    line = f"{name} = {_with_decimals(result.exact, most)}"
    matrix = isinstance(result.exact, list) and all(isinstance(row, list) for row in result.exact)
    if not matrix or len(line) <= WIDE:
        return line
    return "\n".join([f"{name} =", *(f"  {_with_decimals(row, most)}" for row in result.exact)])


def _with_decimals(exact: Any, most: int | None) -> str:
    """``11/4 = 2.75`` or ``1/3 ≈ 0.333…``; an integer, a word or a symbol stands alone."""
    text = bracketed(exact, exact_text, most)
    decimals = deep(short_decimal, exact)
    entries = list(_pairs(decimals))
    if not entries or None in entries:
        return text  # words, symbols and infinities have no decimals
    near = bracketed(_texts(decimals), str, most)
    sign = "=" if all(whole for _, whole in entries) else "≈"
    return text if near == text else f"{text} {sign} {near}"


def _pairs(value: Any) -> Any:
    if isinstance(value, list):
        for part in value:
            yield from _pairs(part)
    else:
        yield value


def _texts(value: Any) -> Any:
    return [_texts(part) for part in value] if isinstance(value, list) else value[0]


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
    from rlcalc.evaluation import AGREES_FROM

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


def show_quiet(found: Evaluation) -> None:
    """The answer alone, so that it can be pasted back as an input."""
    answer = found.answer
    screen = Screen(sys.stdout)
    if answer.exact is not None:
        screen.line(_flat(answer.exact, exact_text))
    else:
        screen.line(_flat(answer.numpy if answer.numpy is not None else answer.torch, _repr))


def _repr(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _flat(value: Any, write: Callable[[Any], str]) -> str:
    if not isinstance(value, list | tuple):
        return write(value)
    if value and isinstance(value[0], list | tuple):
        return "; ".join(_flat(row, write) for row in value)
    # entries are parted by blanks, so they hold none
    return " ".join(write(part).replace(" ", "") for part in value)


def show_latex(found: Evaluation) -> None:
    """The steps as an ``aligned`` block.

    Raises:
        InputError: ``no_steps`` where the exact backend did not run.
    """
    if found.derivation is None:
        reason = next((text for text in found.notes if "exact backend was skipped" in text), "")
        raise InputError(
            "no_steps", "There are no steps to print: the exact backend did not run.",
            reason or "Add sympy to --backends.",
        )  # fmt: skip
    Screen(sys.stdout).block(found.derivation.latex())


def show_json(found: Evaluation) -> None:
    """The JSON contract: exact strings, 20 digits, no NaN and no Infinity."""
    document = {
        "formula": found.formula.name,
        "inputs": found.inputs.texts(),
        "outputs": {
            name: {
                "exact": deep(exact_text, result.exact),
                "decimal": deep(decimal_text, result.exact),
                "numpy": deep(json_float, result.numpy),
                "torch": deep(json_float, result.torch),
            }
            for name, result in found.results.items()
        },
        "agree": found.agree,
        "steps": found.derivation.json_steps() if found.derivation is not None else [],
        "notes": found.notes,
    }
    write_json(document)


SHOW: dict[str, Callable[[Any], None]] = {
    "text": show_text,
    "quiet": show_quiet,
    "latex": show_latex,
    "json": show_json,
}
__all__ = ["SHOW", "disagreement", "lecture", "note", "write_json"]
