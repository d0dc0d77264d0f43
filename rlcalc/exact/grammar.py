"""Tokens and a precedence parser, written by hand; nothing of the text is evaluated::

sum     = product { ("+" | "-") product }
product = prefix { ("*" | "/") prefix }
prefix  = { "+" | "-" } power
power   = atom [ ("**" | "^") prefix ]          right to left, as in Python
atom    = number | symbol | "pi" | function "(" sum { "," sum } ")" | "(" sum ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NoReturn

from rlcalc._lazy import sympy
from rlcalc.errors import shown, suggestion
from rlcalc.exact import arithmetic
from rlcalc.exact.budget import MAX_CHARS, MAX_DEPTH, MAX_DIGITS, Refusal, fits, too_large
from rlcalc.exact.values import Exact, symbol, text_to_int
from rlcalc.exact.words import FUNCTIONS, GREEK, GREEK_LETTERS, LOOKALIKES, NOT_FINITE

_TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/^(),])|(?P<end>\Z))"
)
_NUMBERS: Final = re.compile(r"[0-9.]+(?:[eE][+-]?[0-9]+)?")
_NUMBER: Final = re.compile(r"([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")
_SYMBOL: Final = re.compile(rf"(?:[A-Za-z]|{'|'.join(GREEK)})(?:_?[0-9]+)?")
_OF_ONE: Final = {
    "sqrt": arithmetic.sqrt,
    "exp": arithmetic.exp,
    "log": arithmetic.log,
    "ln": arithmetic.log,
    "abs": arithmetic.absolute,
}


def mentions_symbol(text: str) -> bool:
    """Whether a text that can be parsed has a symbol in it; SymPy is not imported to say so."""
    words = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", _NUMBERS.sub(" ", text))
    return any(_SYMBOL.fullmatch(word) for word in words if word not in ("pi", *FUNCTIONS))


class Parser:
    """One pass over one text; holds the next token and the depth so far."""

    def __init__(self, text: str, symbols: bool) -> None:
        if len(text) > MAX_CHARS:
            raise Refusal(
                "number_too_long", f"it has {len(text)} characters, of at most {MAX_CHARS}", "Simplify it."
            )
        if not text.strip():
            raise Refusal("number_empty", "a number was expected, nothing was given", "Write one: 1/3.")
        if not text.isascii():
            _refuse_not_ascii(text)
        self.text = text
        self.symbols = symbols
        self.depth = 0
        self.at = self.next_at = 0
        self.kind = self.token = ""
        self.advance()

    def parse(self) -> Exact:
        value = self.sum()
        if self.kind != "end":
            self.unexpected("an operator or the end")
        return value

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.next_at)
        if match is None:
            rest = self.text[self.next_at :]
            self.at = self.next_at + len(rest) - len(rest.lstrip(" \t\r\n"))
            self.kind, self.token = "bad", self.text[self.at]
            return
        self.kind = str(match.lastgroup)
        self.token = match[self.kind]
        self.at, self.next_at = match.start(self.kind), match.end()

    def unexpected(self, wanted: str) -> NoReturn:
        before = self.text[: self.at]
        if self.kind == "end":
            message = f"it ends where {wanted} was expected"
        else:
            message = f"{shown(self.token, 20)} at character {self.at + 1}, where {wanted} was expected"
        hint = "Write numbers as 0.1, 1/3, 2**3, sqrt(2) or exp(-1)."
        if self.kind == "word" and before[-1:].isdigit():
            if self.token.startswith("_"):
                hint = "Leave out underscores between digits."
            elif self.token[0] in "xXbBoO" and self.token[1:].isalnum():
                hint = "Write numbers in base ten."
            elif self.token in ("e", "E"):
                hint = "Write a power of ten as 2e5, the constant as exp(1)."
            else:
                hint = f"Write a product with *, as in 2*{self.token[:20]}."
        elif self.token == "(" and before.strip():
            hint = "Write a product with *, as in 2*(3 + 4)."
        elif self.token == ",":
            hint = "Write decimals with a point; a comma only separates the arguments of min and max."
        elif self.kind == "bad" and self.token in "[]{}":
            hint = "Only round brackets are read."
        raise Refusal("number_syntax", message, hint)

    def expect(self, sign: str) -> None:
        if self.kind != "sign" or self.token != sign:
            self.unexpected(f"'{sign}'")
        self.advance()

    def takes(self, *signs: str) -> str:
        """The next token if it is one of these signs, and step over it; else an empty string."""
        if self.kind != "sign" or self.token not in signs:
            return ""
        token = self.token
        self.advance()
        return token

    def deeper(self, read: Callable[[], Exact]) -> Exact:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Refusal(
                "number_too_deep",
                f"over {MAX_DEPTH} brackets, signs or powers inside each other at character {self.at + 1}",
                "Simplify it.",
            )
        value = read()
        self.depth -= 1
        return value

    # Sums and products are collected whole: adding to a SymPy sum term by
    # term would take quadratic time.

    def sum(self) -> Exact:
        first = self.product()
        if self.kind != "sign" or self.token not in "+-":
            return first
        terms = [first]
        while sign := self.takes("+", "-"):
            term = self.product()
            terms.append(arithmetic.negative(term) if sign == "-" else term)
        return arithmetic.added(terms)

    def product(self) -> Exact:
        first = self.prefix()
        if self.kind != "sign" or self.token not in ("*", "/"):
            return first
        factors = [first]
        while sign := self.takes("*", "/"):
            factor = self.prefix()
            factors.append(arithmetic.inverse(factor) if sign == "/" else factor)
        return arithmetic.multiplied(factors)

    def prefix(self) -> Exact:
        sign = self.takes("+", "-")
        if sign:
            value = self.deeper(self.prefix)
            return arithmetic.negative(value) if sign == "-" else value
        return self.power()

    def power(self) -> Exact:
        base = self.atom()
        if self.takes("**", "^"):
            return arithmetic.power(base, self.deeper(self.prefix))
        return base

    def atom(self) -> Exact:
        token = self.token
        if self.kind == "number":
            self.advance()
            return _number(token)
        if self.kind == "word":
            return self.word()
        if self.takes("("):
            value = self.deeper(self.sum)
            self.expect(")")
            return value
        self.unexpected("a number")

    def word(self) -> Exact:
        word, at = self.token, self.at
        self.advance()
        called = self.kind == "sign" and self.token == "("
        if word in FUNCTIONS:
            if not called:
                self.unexpected(f"'(' after {word}")
            return self.call(word)
        if word.lower() in NOT_FINITE:
            raise Refusal("number_not_finite", f"{shown(word)} is not finite", "Write a finite number.")
        if word in ("e", "E"):
            raise Refusal(
                "unknown_name",
                f"{shown(word)} at character {at + 1} could be a symbol or the constant",
                "Write exp(1) for the constant, 1e5 for a power of ten, another letter for a symbol.",
            )
        if called or (word != "pi" and not _SYMBOL.fullmatch(word)):
            kind = "function" if called else "number, symbol or function"
            known = [*FUNCTIONS] if called else [*FUNCTIONS, *GREEK, "pi"]
            hint = suggestion(word, known) or f"Functions are {', '.join(FUNCTIONS)}."
            if called and (word == "pi" or _SYMBOL.fullmatch(word)):
                hint = f"Write a product with *, as in {word}*(...)."
            elif not called and hint.startswith("Functions"):
                hint = "A symbol is a letter or a Greek letter's name, perhaps with digits after it. " + hint
            raise Refusal("unknown_name", f"{shown(word)} at character {at + 1} is not a known {kind}", hint)
        if word == "pi":
            return sympy.pi
        if not self.symbols:
            raise Refusal(
                "symbol_not_allowed", f"{shown(word)} is a symbol, a number was expected", "Write a number."
            )
        return symbol(word)

    def call(self, word: str) -> Exact:
        self.advance()
        if self.kind == "sign" and self.token == ")":
            self.unexpected(f"a number for {word} to work on")
        args = [self.deeper(self.sum)]
        while word in ("min", "max") and self.takes(","):
            args.append(self.deeper(self.sum))
        self.expect(")")
        if word in ("min", "max"):
            return arithmetic.extreme(args, word)
        return _OF_ONE[word](args[0])


def _refuse_not_ascii(text: str) -> NoReturn:
    at = next(i for i, c in enumerate(text) if not c.isascii())
    char = text[at]
    hint = "Write it with plain ASCII characters."
    if char.isdecimal():
        hint = "Write the digits 0 to 9."
    elif char == "∞":
        hint = "Write a finite number."
    elif char in LOOKALIKES:
        hint = f"Write {LOOKALIKES[char]} instead."
    elif char in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
        hint = "Write powers with **, as in l**2."
    elif char.lower() in GREEK_LETTERS:
        hint = f"Write {GREEK_LETTERS[char.lower()]} instead."
    code = "number_not_finite" if char == "∞" else "number_not_ascii"
    raise Refusal(code, f"{shown(char)} at character {at + 1} is not plain ASCII", hint)


def _number(token: str) -> Fraction:
    match = _NUMBER.fullmatch(token)
    assert match is not None
    left, right, power = match.groups()
    # Digits are counted before any is converted: conversion is what hangs.
    power_digits = (power or "").lstrip("+-").lstrip("0") or "0"
    if len(left + right) > MAX_DIGITS + 1 or len(power_digits) > 4 or int(power_digits) > MAX_DIGITS:
        raise too_large(f"{shown(token, 20)} has more than {MAX_DIGITS} digits")
    scale = (-int(power_digits) if "-" in (power or "") else int(power_digits)) - len(right)
    digits = text_to_int(left + right)
    return fits(Fraction(digits, 10**-scale) if scale < 0 else Fraction(digits * 10**scale))
