"""Printers of steps: text, LaTeX and MathML, one class each.

Every printer writes a term twice, once with names and once with the numbers
in place of the names, and dispatches on the term's class: a new format is a
new subclass of ``Printer``, a new kind of term one method in each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.entities import html5
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.exact import to_text
from rlcalc.steps.derivation import Step
from rlcalc.steps.terms import (
    Apply,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Rewritten,
    Sum,
    Symbol,
    Term,
)

# binding strength of what was printed; an operand that binds less is bracketed
ADD, MULTIPLY, POWER, ATOM = 1, 2, 3, 4

LATEX_NAMES = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\epsilon",
    "θ": r"\theta", "λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "φ": r"\phi", "ω": r"\omega", "∇": r"\nabla", "Σ": r"\sum", "∞": r"\infty",
    "Δ": r"\Delta", "ℓ": r"\ell", "∂": r"\partial",
}  # fmt: skip

Printed = tuple[str, int]


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
        return self.value(term.value) if self.numbers else (self.name(term.name), ATOM)

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
        return " - "

    def times(self) -> str:
        return "·"


class TextPrinter(Printer):
    """Unicode text that reads the same when pasted into an e-mail."""

    def name(self, name: Name) -> str:
        text = name.base + (f"_{name.sub}" if name.sub else "") + (f"^{name.sup}" if name.sup else "")
        return f"{text}({self.name(name.arg)})" if name.arg else text

    def value(self, value: Any) -> Printed:
        # the marks of the steps, so that named and evaluated lines read alike
        return to_text(value).replace("**", "^").replace("*", "·"), self.strength(value)

    def bracket(self, text: str) -> str:
        return f"({text})"

    def write_Quotient(self, term: Quotient) -> Printed:
        return f"{self.write(term.above, MULTIPLY)} / {self.write(term.below, POWER)}", MULTIPLY

    def write_Power(self, term: Power) -> Printed:
        return f"{self.write(term.base, ATOM)}^{self.write(term.exponent, ATOM)}", POWER

    def write_Apply(self, term: Apply) -> Printed:
        return f"{term.function}({', '.join(self.write(arg) for arg in term.args)})", ATOM


class LatexPrinter(Printer):
    """LaTeX that needs amsmath only."""

    def name(self, name: Name) -> str:
        base = name.tex or LATEX_NAMES.get(name.base, name.base)
        if len(base) > 2 and not name.tex and not base.startswith("\\"):
            base = rf"\mathrm{{{base.replace('_', chr(92) + '_')}}}"
        text = base + (f"_{{{self._mark(name.sub)}}}" if name.sub else "")
        text += f"^{{{self._mark(name.sup)}}}" if name.sup else ""
        return f"{text}({self.name(name.arg)})" if name.arg else text

    def _mark(self, mark: str) -> str:
        for letter, command in LATEX_NAMES.items():
            mark = mark.replace(letter, command + " ")
        plain = mark.replace(" ", "")
        return rf"\mathrm{{{plain}}}" if plain.isalpha() and len(plain) > 1 else mark.strip()

    def value(self, value: Any) -> Printed:
        return sympy.latex(value), self.strength(value)

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)"

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


class MathMLPrinter(Printer):
    """Presentation MathML, for pages without scripts."""

    def name(self, name: Name) -> str:
        text = f"<mi>{escape(name.base)}</mi>"
        sub, sup = (f"<mtext>{escape(mark)}</mtext>" for mark in (name.sub, name.sup))
        if name.sub and name.sup:
            text = f"<msubsup>{text}{sub}{sup}</msubsup>"
        elif name.sub:
            text = f"<msub>{text}{sub}</msub>"
        elif name.sup:
            text = f"<msup>{text}{sup}</msup>"
        return f"{text}<mo>(</mo>{self.name(name.arg)}<mo>)</mo>" if name.arg else text

    def value(self, value: Any) -> Printed:
        from sympy.printing.mathml import MathMLPresentationPrinter

        printer = MathMLPresentationPrinter()
        return _characters(printer._print(value).toxml()), self.strength(value)

    def bracket(self, text: str) -> str:
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def plus(self) -> str:
        return "<mo>+</mo>"

    def minus(self) -> str:
        return "<mo>−</mo>"

    def times(self) -> str:
        return "<mo>·</mo>"

    def write_Quotient(self, term: Quotient) -> Printed:
        above, below = (f"<mrow>{self.write(part)}</mrow>" for part in (term.above, term.below))
        return f"<mfrac>{above}{below}</mfrac>", POWER

    def write_Power(self, term: Power) -> Printed:
        base, exponent = self.write(term.base, ATOM), self.write(term.exponent)
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>", POWER

    def write_Apply(self, term: Apply) -> Printed:
        args = "<mo>,</mo>".join(f"<mrow>{self.write(arg)}</mrow>" for arg in term.args)
        if term.function == "sqrt":
            return f"<msqrt>{args}</msqrt>", ATOM
        if term.function == "abs":
            return f"<mrow><mo>|</mo>{args}<mo>|</mo></mrow>", ATOM
        return f"<mrow><mi>{term.function}</mi><mo>(</mo>{args}<mo>)</mo></mrow>", ATOM


def escape(text: str) -> str:
    """Characters that XML reserves; the standard library's own would import an HTTP client."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _characters(markup: str) -> str:
    """Characters for SymPy's named entities, which XML does not know."""

    def character(match: re.Match[str]) -> str:
        return match[0] if match[1] in ("amp", "lt", "gt", "quot", "apos") else html5[match[1] + ";"]

    return re.sub(r"&([A-Za-z]+);", character, markup)


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


def print_text(step: Step, *, note: bool = True) -> list[str]:
    """Lines of one step; later ``=`` stand below the first."""
    name = TextPrinter(numbers=False).name(step.name)
    first, *rest = _sides(step, TextPrinter)
    lines = [f"{name} = {first}"] + [f"{' ' * len(name)} = {side}" for side in rest]
    if note and step.note:
        lines.append(f"{' ' * len(name)}   ({step.note})")
    return lines


def print_latex(step: Step) -> list[str]:
    """Rows of one step for an ``aligned`` block, without the row ends."""
    first, *rest = _sides(step, LatexPrinter)
    name = LatexPrinter(numbers=False).name(step.name)
    return [f"{name} &= {first}"] + [f"&= {side}" for side in rest]


def print_mathml(step: Step) -> str:
    """One ``<math>`` element: the chain of equalities of the step."""
    chain = "<mo>=</mo>".join(f"<mrow>{side}</mrow>" for side in _sides(step, MathMLPrinter))
    name = MathMLPrinter(numbers=False).name(step.name)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{name}<mo>=</mo>{chain}</math>'
