"""Printers of steps: text and LaTeX, one class each.

Every printer writes a term twice, once with names and once with the numbers
in place of the names, and dispatches on the term's class: a new format is a
new subclass of ``Printer``, a new kind of term one method in each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unicodedata import combining, east_asian_width

from rlcalc.exact.printing import ADD, ATOM, MULTIPLY, POWER, Printed, superscript, to_latex, to_unicode
from rlcalc.steps.terms import (
    Apply,
    Constant,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Rewritten,
    Step,
    Sum,
    Symbol,
    Term,
)

WIDTH = 100  # of a line of steps, where the caller does not say how wide the page is

LATEX_NAMES = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon",
    "θ": r"\theta", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\phi", "ω": r"\omega", "∇": r"\nabla", "Σ": r"\sum", "∞": r"\infty",
    "Δ": r"\Delta", "ℓ": r"\ell", "∂": r"\partial",
}  # fmt: skip


class Printer:
    """Walks a term; subclasses say how each shape is written."""

    def __init__(self, *, numbers: bool) -> None:
        self.numbers = numbers

    def write(self, term: Term, least: int = ADD) -> str:
        """The term as text, in brackets when it binds less than ``least``."""
        text, strength = self.visit(term)
        return text if strength >= least else self.bracket(text)

    def visit(self, term: Term) -> Printed:
        for kind in type(term).__mro__:
            method: Callable[[Any], Printed] | None = getattr(self, f"write_{kind.__name__}", None)
            if method is not None:
                return method(term)
        raise TypeError(f"{type(self).__name__} cannot write a {type(term).__name__}")

    def write_Number(self, term: Number) -> Printed:
        return self.value(term.value)

    def write_Symbol(self, term: Symbol) -> Printed:
        if self.numbers:
            return self.value(term.value)
        # a power of G^λ needs brackets; one of V^π(S) does not
        marked = bool(term.name.sup) and term.name.arg is None
        return self.name(term.name), POWER if marked else ATOM

    def write_Sum(self, term: Sum) -> Printed:
        text = self.write(term.terms[0], ADD)
        for part in term.terms[1:]:
            if isinstance(part, Negative):
                text += self.minus() + self.write(part.part, MULTIPLY)
            else:
                text += self.plus() + self.write(part, MULTIPLY)
        return text, ADD

    def write_Rewritten(self, term: Rewritten) -> Printed:
        return self.visit(term.part)

    def write_Constant(self, term: Constant) -> Printed:
        return f"sg[{self.visit(term.part)[0]}]", ATOM

    def write_Product(self, term: Product) -> Printed:
        return self.times().join(self.write(part, MULTIPLY) for part in term.factors), MULTIPLY

    def write_Negative(self, term: Negative) -> Printed:
        return self.minus().strip() + self.write(term.part, MULTIPLY), ADD

    def strength(self, value: Any) -> int:
        """How tightly the printed form of a bare value holds together."""
        if value.is_Add or value.could_extract_minus_sign():
            return ADD
        if value.is_Mul or (value.is_Rational and not value.is_Integer):
            return MULTIPLY
        return POWER if value.is_Pow else ATOM

    def name(self, name: Name) -> str:
        raise TypeError

    def value(self, value: Any) -> Printed:
        raise TypeError

    def bracket(self, text: str) -> str:
        raise TypeError

    def plus(self) -> str:
        return " + "

    def minus(self) -> str:
        return " − "

    def times(self) -> str:
        return "·"


class TextPrinter(Printer):
    """Unicode text that reads the same when pasted into an e-mail."""

    def name(self, name: Name) -> str:
        sub = name.sub.replace("-", "−") if name.sub[1:].isdigit() else name.sub
        optimal = name.sup == "*"  # V*, as the formulas write it
        text = name.base + ("*" if optimal else "") + (f"_{sub}" if sub else "")
        text += f"^{name.sup}" if name.sup and not optimal else ""
        return f"{text}({self.name(name.arg)})" if name.arg else text

    def value(self, value: Any) -> Printed:
        return to_unicode(value), self.strength(value)

    def bracket(self, text: str) -> str:
        return f"({text})"

    def write_Quotient(self, term: Quotient) -> Printed:
        return f"{self.write(term.above, MULTIPLY)} / {self.write(term.below, POWER)}", MULTIPLY

    def write_Power(self, term: Power) -> Printed:
        base, exponent = self.write(term.base, ATOM), self.write(term.exponent, ATOM)
        if exponent.isascii() and exponent.isdigit():
            return base + superscript(exponent), POWER
        return f"{base}^{exponent.replace(' ', '')}", POWER

    def write_Apply(self, term: Apply) -> Printed:
        return f"{term.function}({', '.join(self.write(arg) for arg in term.args)})", ATOM


class LatexPrinter(Printer):
    """LaTeX that needs amsmath only."""

    def name(self, name: Name) -> str:
        base = name.tex or LATEX_NAMES.get(name.base, name.base)
        if len(base) > 2 and not name.tex and not base.startswith("\\"):
            word = base.replace("_", "").isalnum()
            base = rf"\mathrm{{{base.replace('_', chr(92) + '_')}}}" if word else latex_words(base)
        plain = base.rstrip("'")
        # a prime stands behind the index: before it, a power after the index would be a second superscript
        text = plain + (f"_{{{self._mark(name.sub)}}}" if name.sub else "") + base[len(plain) :]
        text += f"^{{{self._mark(name.sup)}}}" if name.sup else ""
        return f"{text}({self.name(name.arg)})" if name.arg else text

    def _mark(self, mark: str) -> str:
        for letter, command in LATEX_NAMES.items():
            mark = mark.replace(letter, command + " ")
        plain = mark.replace(" ", "")
        return rf"\mathrm{{{plain}}}" if plain.isalpha() and len(plain) > 1 else mark.strip()

    def value(self, value: Any) -> Printed:
        return to_latex(value), self.strength(value)

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)"

    def minus(self) -> str:
        return " - "

    def times(self) -> str:
        return r" \cdot "

    def write_Quotient(self, term: Quotient) -> Printed:
        return rf"\frac{{{self.write(term.above)}}}{{{self.write(term.below)}}}", POWER

    def write_Power(self, term: Power) -> Printed:
        return f"{self.write(term.base, ATOM)}^{{{self.write(term.exponent)}}}", POWER

    def write_Apply(self, term: Apply) -> Printed:
        args = ", ".join(self.write(arg) for arg in term.args)
        if term.function == "sqrt":
            return rf"\sqrt{{{args}}}", ATOM
        if term.function == "abs":
            return rf"\left|{args}\right|", ATOM
        command = {"clip": r"\operatorname{clip}"}.get(term.function, "\\" + term.function)
        return rf"{command}\left({args}\right)", ATOM


_ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_ESCAPES |= {sign: "\\" + sign for sign in "&%$#_{}"}


def latex_words(text: str) -> str:
    """Words inside a formula: their spaces kept, LaTeX's own signs escaped."""
    # a bar in words is a dash in the oldest font encoding
    return r" \mid ".join(rf"\text{{{escaped(part)}}}" for part in text.split(" | "))


def escaped(text: str) -> str:
    """Words with LaTeX's own signs escaped."""
    return "".join(_ESCAPES.get(c, c) for c in text)


def _sides(step: Step, printer: type[Printer]) -> list[str]:
    """Formula, formula with numbers, value: each once, in that order."""
    named = printer(numbers=False).write(step.term)
    substituted = printer(numbers=True).write(step.term)
    value = printer(numbers=True).value(step.value)[0]
    sides = [named]
    for side in (substituted, value):
        if side != sides[-1]:
            sides.append(side)
    return sides


def step_text(step: Step) -> str:
    """The whole chain of equalities on one line, without the note."""
    name = TextPrinter(numbers=False).name(step.name)
    return " = ".join([name, *_sides(step, TextPrinter)])


def step_lines(step: Step, width: int = WIDTH, *, cut: bool = True) -> list[str]:
    """Lines of one step for a page of a width: one if it fits, else one ``=`` a line.

    A side that is still too long is broken at its operators and hangs below
    itself; the note stands in brackets at the end, on a line of its own if it
    must. No line is wider than ``width``, but without ``cut`` for a single
    number that is.
    """
    name, sides = TextPrinter(numbers=False).name(step.name), _sides(step, TextPrinter)
    chain, note = " = ".join([name, *sides]), f"({step.note})" if step.note else ""
    if cells(chain) > width:
        margin = " " * min(cells(name), width // 4)
        first, *rest = sides
        lines = wrapped(f"{name} = {first}", width, margin + "    ", cut=cut)
        for side in rest:
            lines += wrapped(f"{margin} = {side}", width, margin + "    ", cut=cut)
    else:
        margin, lines = "", [chain]
    if note and len(lines) == 1 and cells(chain) + 3 + cells(note) <= width:
        return [f"{chain}   {note}"]
    return lines + (wrapped(f"{margin}    {note}", width, margin + "     ", words=True) if note else [])


# letters of one column each: Latin, Greek, marks of formulas
_NARROW = re.compile("[ -~\u00a0-\u02ff\u0370-\u0482\u2010-\u2027\u2070-\u209c\u2190-\u22ff]*").fullmatch

# where a line may be broken: before a summand, or before a factor of one that is too long
_SUMMANDS = re.compile(r"(?<=, )|(?<= )(?=[+−=] )")
_FACTORS = re.compile(r"(?=·)|(?<= )(?=/ )")
_WORDS = re.compile(r"(?<= )")


def wrapped(text: str, width: int, hang: str, *, words: bool = False, cut: bool = True) -> list[str]:
    """A line broken before operators or between words, later lines indented.

    A part that is too long for a line is cut, unless a program is to read it.
    """
    parts = _WORDS.split(text) if words else _operands(text, width - cells(hang))
    lines, line = [], ""
    for part in parts:
        if line.strip() and cells((line + part).rstrip()) > width:
            lines.append(line.rstrip())
            line = hang + part.lstrip(" ")
        else:
            line += part
        while cut and cells(line.rstrip()) > width:
            at = _fitting(line, width)
            lines.append(line[:at].rstrip())
            line = hang + line[at:]
    return [*lines, line.rstrip()]


def _operands(text: str, width: int) -> list[str]:
    """Parts of a formula that fit: outermost summands first, those in brackets only where they must."""
    depth, depths = 0, [0]
    for char in text:
        depth += (char in "([") - (char in ")]")
        depths.append(depth)
    ranges = [(0, len(text))]
    for pattern in (_SUMMANDS, _FACTORS):
        for level in range(max(depths) + 1):
            ranges = [
                part for found in ranges for part in _divided(text, found, pattern, depths, level, width)
            ]
    return [text[start:end] for start, end in ranges]


def _divided(
    text: str, found: tuple[int, int], pattern: re.Pattern[str], depths: list[int], level: int, width: int
) -> list[tuple[int, int]]:
    start, end = found
    if cells(text[start:end].strip()) <= width:
        return [found]
    places = [m.start() for m in pattern.finditer(text, start + 1, end) if depths[m.start()] == level]
    return list(zip([start, *places], [*places, end], strict=True))


def cells(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if _NARROW(text):
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _fitting(line: str, width: int) -> int:
    """How many characters of a line fit, at least one beyond its indent."""
    used = 0
    for count, char in enumerate(line):
        used += cells(char)
        if used > width:
            return max(count, len(line) - len(line.lstrip(" ")) + 1)
    return len(line)


def print_latex(step: Step) -> list[str]:
    """Rows of one step for an ``aligned`` block, without the row ends."""
    first, *rest = _sides(step, LatexPrinter)
    name = LatexPrinter(numbers=False).name(step.name)
    return [f"{name} &= {first}"] + [f"&= {side}" for side in rest]
