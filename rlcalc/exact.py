"""Text to exact numbers, without evaluating any of it.

A hand-written tokenizer and precedence parser::

    sum     = product { ("+" | "-") product }
    product = prefix { ("*" | "/") prefix }
    prefix  = { "+" | "-" } power
    power   = atom [ ("**" | "^") prefix ]          right to left, as in Python
    atom    = number | symbol | "pi" | function "(" sum { "," sum } ")" | "(" sum ")"

Rational arithmetic stays in ``fractions.Fraction``; SymPy is imported when a
symbol, an irrational root, ``exp``, ``log`` or ``pi`` first needs it.  Every
step has a budget that is checked before the step is taken, since
``10**10**10`` is ten characters long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import Any, Final, NoReturn

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.exact_text import (
    Exact,
    compare,
    equal,
    is_symbolic,
    rational,
    symbol,
    symbols_of,
    text_to_int,
    to_decimal,
    to_float,
    to_sympy,
    to_text,
)

__all__ = [
    "Exact",
    "compare",
    "equal",
    "is_symbolic",
    "parse_literal",
    "parse_number",
    "symbol",
    "symbols_of",
    "to_decimal",
    "to_float",
    "to_sympy",
    "to_text",
]

MAX_CHARS: Final = 10_000
MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 4000
MAX_BITS: Final = MAX_DIGITS * 3322 // 1000  # 10**4000 fits: a one and 4000 digits
MAX_EXPONENT: Final = 10_000  # of a symbol, and of exp in a constant
MAX_SUM_POWER: Final = 64  # of a sum, which someone will expand
MAX_TERMS: Final = 5000  # when expanded
MAX_ROOT: Final = 100
MAX_RADICAND_BITS: Final = 1330  # 400 digits: SymPy looks for factors of radicands
MAX_CHOICES: Final = 16  # symbolic arguments of min and max: SymPy compares all pairs

_GREEK_LETTERS: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
GREEK: Final = (*_GREEK_LETTERS.values(), "lam", "eps", "varepsilon", "varphi")
FUNCTIONS: Final = ("sqrt", "exp", "log", "ln", "abs", "min", "max")
_NOT_FINITE: Final = {"nan", "inf", "infinity", "infty", "oo", "zoo"}
_LOOKALIKES: Final = {
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u00f7": "/",
    "\u2044": "/", "\u2215": "/", "\u00a0": "a plain space", "\u202f": "a plain space", "\u221a": "sqrt(...)",
    "\u201a": ".", "\u066b": ".", "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4", "\u2153": "1/3",
    "π": "pi",
}  # fmt: skip

# Short enough that no budget and no limit of ``int`` can be reached; longer
# literals take the parser's way.  The last group says which form it is.
_LITERAL: Final = re.compile(
    r"[ \t]*(?:([+-]?[0-9]{1,500})(?:/([0-9]{1,500})|\.([0-9]{0,130}))?"
    r"|([+-]?[0-9]{1,500})(?:\.([0-9]{0,130}))?[eE]([+-]?[0-9]{1,3}))[ \t]*"
).fullmatch
_TENS: Final = tuple(10**k for k in range(1500))
_TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/^(),])|(?P<end>\Z))"
)
_NUMBER: Final = re.compile(r"([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")
_SYMBOL: Final = re.compile(rf"(?:[A-Za-z]|{'|'.join(GREEK)})(?:_?[0-9]+)?")


class _Refusal(Exception):
    """Why a text is refused, before it is known whose text it is."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def parse_literal(text: str) -> Fraction | None:
    """Read ``-3``, ``0.1``, ``1e-3`` or ``2/3`` fast; ``None`` for anything else, right or wrong."""
    match = _LITERAL(text)
    if match is None:
        return None
    form = match.lastindex
    if form == 1:
        return Fraction(int(match[1]))
    if form == 3:
        tail = match[3]
        return Fraction(int(match[1] + tail), _TENS[len(tail)])
    if form == 2:
        bottom = int(match[2])
        return Fraction(int(match[1]), bottom) if bottom else None
    tail = match[5] or ""
    scale = int(match[6]) - len(tail)
    number = int(match[4] + tail)
    return Fraction(number, _TENS[-scale]) if scale < 0 else Fraction(number * _TENS[scale])


def parse_number(text: str, *, name: str = "", symbols: bool = True) -> Exact:
    """Read an exact number: ``0.1`` is 1/10, ``exp(-1)`` stays exp(-1), a letter is a symbol.

    Args:
        text: what was typed.
        name: the parameter that it was typed for, repeated in messages.
        symbols: whether letters may stand for unknowns.

    Returns:
        A ``Fraction`` for every rational value, a SymPy expression otherwise.

    Raises:
        InputError: ``number_empty``, ``number_syntax``, ``number_too_long``,
            ``number_too_deep``, ``number_too_large``, ``division_by_zero``,
            ``number_not_finite``, ``number_not_real``, ``number_not_ascii``
            or ``symbol_not_allowed``.
        UnknownName: ``unknown_name``; an ``InputError`` too.
    """
    literal = parse_literal(text)
    if literal is not None:
        return literal
    try:
        return _Parser(text, symbols).parse()
    except _Refusal as refusal:
        subject = f"{name} = {shown(text)}" if name else shown(text)
        kind = UnknownName if refusal.code == "unknown_name" else InputError
        raise kind(refusal.code, f"{subject}: {refusal.message}.", refusal.hint) from None


class _Parser:
    """One pass over one text; holds the next token and the depth so far."""

    def __init__(self, text: str, symbols: bool) -> None:
        if len(text) > MAX_CHARS:
            raise _Refusal(
                "number_too_long", f"it has {len(text)} characters, of at most {MAX_CHARS}", "Simplify it."
            )
        if not text.strip():
            raise _Refusal("number_empty", "a number was expected, nothing was given", "Write one: 1/3.")
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
            hint = "Write decimals with a point; a comma only parts the arguments of min and max."
        elif self.kind == "bad" and self.token in "[]{}":
            hint = "Only round brackets are read."
        raise _Refusal("number_syntax", message, hint)

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
            raise _Refusal(
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
            terms.append(_negative(term) if sign == "-" else term)
        return _added(terms)

    def product(self) -> Exact:
        first = self.prefix()
        if self.kind != "sign" or self.token not in ("*", "/"):
            return first
        factors = [first]
        while sign := self.takes("*", "/"):
            factor = self.prefix()
            factors.append(_inverse(factor) if sign == "/" else factor)
        return _multiplied(factors)

    def prefix(self) -> Exact:
        sign = self.takes("+", "-")
        if sign:
            value = self.deeper(self.prefix)
            return _negative(value) if sign == "-" else value
        return self.power()

    def power(self) -> Exact:
        base = self.atom()
        if self.takes("**", "^"):
            return _power(base, self.deeper(self.prefix))
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
        if word.lower() in _NOT_FINITE:
            raise _Refusal("number_not_finite", f"{shown(word)} is not finite", "Write a finite number.")
        if word in ("e", "E"):
            raise _Refusal(
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
                hint = "A symbol is one letter with digits behind it, or a Greek letter's name. " + hint
            raise _Refusal("unknown_name", f"{shown(word)} at character {at + 1} is no known {kind}", hint)
        if word == "pi":
            import sympy

            return sympy.pi
        if not self.symbols:
            raise _Refusal(
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
            return _extreme(args, word)
        return {"sqrt": _sqrt, "exp": _exp, "log": _log, "ln": _log, "abs": _abs}[word](args[0])


def _refuse_not_ascii(text: str) -> NoReturn:
    at = next(i for i, c in enumerate(text) if not c.isascii())
    char = text[at]
    hint = "Write it with plain ASCII characters."
    if char.isdecimal():
        hint = "Write the digits 0 to 9."
    elif char == "∞":
        hint = "Write a finite number."
    elif char in _LOOKALIKES:
        hint = f"Write {_LOOKALIKES[char]} instead."
    elif char in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
        hint = "Write powers with **, as in l**2."
    elif char.lower() in _GREEK_LETTERS:
        hint = f"Write {_GREEK_LETTERS[char.lower()]} instead."
    code = "number_not_finite" if char == "∞" else "number_not_ascii"
    raise _Refusal(code, f"{shown(char)} at character {at + 1} is not plain ASCII", hint)


# --- arithmetic within the budgets ---------------------------------------------


def _too_large(what: str, hint: str = f"Exact numbers have at most {MAX_DIGITS} digits here.") -> _Refusal:
    return _Refusal("number_too_large", what, hint)


def _fits(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise _too_large(f"a number with more than {MAX_DIGITS} digits comes up")
    return value


def _number(token: str) -> Fraction:
    match = _NUMBER.fullmatch(token)
    assert match is not None
    left, right, power = match.groups()
    # Digits are counted before any is converted: conversion is what hangs.
    power_digits = (power or "").lstrip("+-").lstrip("0") or "0"
    if len(left + right) > MAX_DIGITS + 1 or len(power_digits) > 4 or int(power_digits) > MAX_DIGITS:
        raise _too_large(f"{shown(token, 20)} has more than {MAX_DIGITS} digits")
    scale = (-int(power_digits) if "-" in (power or "") else int(power_digits)) - len(right)
    digits = text_to_int(left + right)
    return _fits(Fraction(digits, 10**-scale) if scale < 0 else Fraction(digits * 10**scale))


def _added(terms: list[Exact]) -> Exact:
    others = [t for t in terms if not isinstance(t, Fraction)]
    total = Fraction(0)
    for term in terms:
        if isinstance(term, Fraction):
            total = _fits(total + term)  # both fit, so that the sum itself is cheap
    if not others:
        return total
    import sympy

    return _settled(sympy.Add(*others, to_sympy(total)))


def _multiplied(factors: list[Exact]) -> Exact:
    others = [f for f in factors if not isinstance(f, Fraction)]
    total = Fraction(1)
    for factor in factors:
        if isinstance(factor, Fraction):
            total = _fits(total * factor)
    if not others:
        return total
    import sympy

    # sqrt(a)*sqrt(b) becomes sqrt(a*b), whose factors SymPy then looks for.
    if sum(_radicand_bits(f) for f in others) > 2 * MAX_RADICAND_BITS:
        raise _too_large("a product of roots has too many digits under its root", "Use fewer roots.")
    _terms_within_budget(*others)
    return _settled(sympy.Mul(to_sympy(total), *others))


def _negative(value: Exact) -> Exact:
    return -value if isinstance(value, Fraction) else _multiplied([Fraction(-1), value])


def _inverse(value: Exact) -> Exact:
    if _is_zero(value):
        raise _Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
    return 1 / value if isinstance(value, Fraction) else _settled(value**-1)


def _is_zero(value: Exact) -> bool:
    if isinstance(value, Fraction) or not is_symbolic(value):
        return compare(value, Fraction(0)) == 0
    return bool(value.is_Add and _terms(value) <= 500 and value.expand() == 0)


def _power(base: Exact, exponent: Exact) -> Exact:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        return _rational_power(base, exponent)
    if isinstance(exponent, Fraction) and exponent == 0:
        return Fraction(1)
    if compare(exponent, Fraction(0)) == -1 and _is_zero(base):
        raise _Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
    if isinstance(exponent, Fraction):
        _exponent_within_budget(exponent)
        if exponent.denominator > 1 and not is_symbolic(base) and compare(base, Fraction(0)) == -1:
            _refuse_root()
    elif not is_symbolic(base) and not is_symbolic(exponent):
        if compare(base, Fraction(0)) == -1:
            _refuse_root()
        if compare(base, Fraction(0)) == 1:
            _exp_within_budget(to_sympy(exponent) * to_sympy(_log(base)))
            _log_powers_within_budget(to_sympy(exponent))
    else:
        _log_powers_within_budget(to_sympy(exponent))
        _symbolic_exponent_within_budget(to_sympy(base), to_sympy(exponent))
    import sympy

    if isinstance(exponent, Fraction) and exponent.denominator == 1 and not isinstance(base, Fraction):
        _terms_within_budget(sympy.Pow(base, to_sympy(exponent), evaluate=False))
        rationals = base.atoms(sympy.Rational)
        if any(_size(r) * abs(exponent) > 2 * MAX_BITS for r in rationals if abs(r) != 1 and r != 0):
            raise _too_large(f"a power with more than {MAX_DIGITS} digits comes up")
    return _settled(sympy.Pow(to_sympy(base), to_sympy(exponent)))


def _exponent_within_budget(exponent: Fraction) -> None:
    if exponent.denominator > MAX_ROOT:
        order = shown(to_text(exponent.denominator), 20)
        raise _too_large(f"a root of order {order} comes up", f"Use at most {MAX_ROOT}.")
    if abs(exponent) > MAX_EXPONENT:
        raise _too_large(f"an exponent beyond {MAX_EXPONENT} comes up", "Use a smaller one.")


def _refuse_root() -> NoReturn:
    raise _Refusal(
        "number_not_real",
        "it takes a root of a negative number",
        "An odd root of a negative number is written -(8**(1/3)).",
    )


def _rational_power(base: Fraction, exponent: Fraction) -> Exact:
    if exponent == 0:
        return Fraction(1)  # 0**0 = 1, as in sums of gamma**k that start at k = 0 with gamma = 0
    if base == 0:
        if exponent < 0:
            raise _Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
        return Fraction(0)
    if base == 1:
        return base
    p, q = exponent.numerator, exponent.denominator
    if q > 1 and base < 0:
        _refuse_root()
    if q > 1:
        _exponent_within_budget(exponent)
    size = max(abs(base.numerator).bit_length(), base.denominator.bit_length()) - 1  # log2, rounded down
    if size * abs(p) > MAX_BITS * q:
        raise _too_large(f"a power with more than {MAX_DIGITS} digits comes up")
    if q == 1:
        return base ** (p % 2) if base == -1 else _fits(base**p)  # -1 has 0 bits: p may be huge
    above, below = _root(base.numerator, q), _root(base.denominator, q)
    if above is not None and below is not None:
        return _rational_power(Fraction(above, below), Fraction(p))
    if size >= MAX_RADICAND_BITS:
        raise _too_large("a root of a number with more than 400 digits", "Use a smaller number.")
    import sympy

    return _settled(sympy.Pow(to_sympy(base), to_sympy(exponent)))


def _root(number: int, order: int) -> int | None:
    """The exact root of a positive integer, or ``None`` when it has none."""
    if order == 2:
        guess = isqrt(number)
    else:
        guess = 1 << -(-number.bit_length() // order)  # Newton from above
        while True:
            better = ((order - 1) * guess + number // guess ** (order - 1)) // order
            if better >= guess:
                break
            guess = better
    return guess if guess**order == number else None


def _sqrt(value: Exact) -> Exact:
    return _power(value, Fraction(1, 2))


def _exp(value: Exact) -> Exact:
    if value == 0:
        return Fraction(1)
    _exp_within_budget(value)
    import sympy

    _log_powers_within_budget(to_sympy(value))
    return _settled(sympy.exp(to_sympy(value)))


def _exp_within_budget(value: Exact) -> None:
    if compare(value, Fraction(MAX_EXPONENT)) == 1 or compare(value, Fraction(-MAX_EXPONENT)) == -1:
        raise _too_large(f"exp of a number beyond {MAX_EXPONENT}", "Use a smaller number.")


def _log(value: Exact) -> Exact:
    sign = compare(value, Fraction(0))
    if sign == 0:
        raise _Refusal("number_not_finite", "log(0) is not finite", "Take it of a positive number.")
    if sign == -1:
        raise _Refusal("number_not_real", "it takes the logarithm of a negative number", "Make it positive.")
    if value == 1:
        return Fraction(0)
    import sympy

    return _settled(sympy.log(to_sympy(value)))


def _abs(value: Exact) -> Exact:
    sign = compare(value, Fraction(0))
    if sign is not None:
        return _negative(value) if sign < 0 else value
    import sympy

    result = sympy.Abs(value)
    # SymPy allows for a complex value where a root or logarithm might be one;
    # here everything stands for a real number.
    if any(not _in_grammar(f) for f in result.atoms(sympy.Function)):
        result = sympy.Abs(value, evaluate=False)
    return _settled(result)


def _extreme(args: list[Exact], word: str) -> Exact:
    wanted = 1 if word == "max" else -1
    best: list[Exact] = []  # the one constant that can matter
    unknown: list[Any] = []
    for arg in args:
        if is_symbolic(arg):
            unknown.append(arg)
        elif not best or compare(arg, best[0]) == wanted:
            best = [arg]
    if not unknown:
        return best[0]
    if len(unknown) > MAX_CHOICES:
        raise _too_large(f"{word} of {len(unknown)} symbolic arguments", f"Use at most {MAX_CHOICES}.")
    import sympy

    function = sympy.Max if word == "max" else sympy.Min
    try:
        return _settled(function(*unknown, *map(to_sympy, best)))
    except ValueError:  # "is not comparable", as for log(min(0, a))
        raise _Refusal(
            "number_not_real", f"an argument of {word} is not a real number", "Use real numbers only."
        ) from None


# --- budgets of symbolic expressions -------------------------------------------


def _size(number: Any) -> int:
    """Bits of a SymPy rational."""
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def _radicand_bits(expr: Any) -> int:
    factors = expr.args if expr.is_Mul else (expr,)
    roots = [f for f in factors if f.is_Pow and f.base.is_Rational and f.exp.is_Rational]
    return sum(_size(f.base) for f in roots)


def _log_powers_within_budget(exponent: Any) -> None:
    """SymPy writes exp(c*log(x)) as x**c at once; refuse a c that would not fit."""
    import sympy

    for term in sympy.Add.make_args(exponent):
        logs = term.atoms(sympy.log)
        if logs:
            factor = abs(term.as_coeff_Mul()[0])
            bits = max(_size(r) for log in logs for r in log.atoms(sympy.Rational) | {sympy.S.One})
            if factor > MAX_EXPONENT or factor * bits > MAX_BITS:
                raise _too_large(f"a power with more than {MAX_DIGITS} digits comes up")


def _symbolic_exponent_within_budget(base: Any, exponent: Any) -> None:
    """SymPy may take 7**-c out of 7**(l - c) to find a common factor; refuse a c that would not fit."""
    import sympy

    if base.is_Rational and abs(base) != 1 and base != 0:
        sizes = sorted(abs(r) for r in exponent.atoms(sympy.Rational))[-2:]
        product = sizes[0] * sizes[-1] if len(sizes) > 1 else sum(sizes)
        if (sizes and sizes[-1] > MAX_EXPONENT) or product * _size(base) > 20 * MAX_BITS:
            raise _too_large("a power with a large number in its exponent", "Use a smaller exponent.")


def _in_grammar(node: Any) -> bool:
    import sympy

    return isinstance(node, sympy.exp | sympy.log | sympy.Abs | sympy.Max | sympy.Min)


def _terms_within_budget(*factors: Any) -> None:
    terms = 1
    for factor in factors:
        terms *= _terms(factor)
        if terms > MAX_TERMS:
            raise _too_large(
                f"a product or power of sums with more than {MAX_TERMS} terms when expanded",
                "Use fewer symbols or smaller powers.",
            )


def _terms(expr: Any) -> int:
    """About how many terms an expression has when expanded; capped, so that it stays cheap."""
    if expr.is_Atom:
        return 1
    if expr.is_Add:
        return sum(map(_terms, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        inner, power = _terms(expr.base), abs(int(expr.exp))
        if inner > 1 and power > MAX_SUM_POWER:
            return MAX_TERMS + 1
        count = 1
        if inner > 1:  # multisets: C(inner + power - 1, power)
            for i in range(1, power + 1):
                count = count * (inner + i - 1) // i
                if count > MAX_TERMS:
                    return MAX_TERMS + 1
        return count
    count = 1
    for arg in expr.args:
        count = min(count * _terms(arg), MAX_TERMS + 1)
    return count


def _settled(expr: Any) -> Exact:
    """Check what SymPy made of an operation; rational results become fractions again."""
    plain = rational(expr)
    if plain is not None:
        return _fits(plain)
    import sympy

    for node in sympy.preorder_traversal(expr):
        if node.is_Rational:
            if _size(node) > MAX_BITS:
                raise _too_large(f"a number with more than {MAX_DIGITS} digits comes up")
        elif isinstance(node, sympy.exp) and not node.free_symbols:
            _exp_within_budget(node.exp)
        elif node.is_Pow and node.exp.is_Rational:
            _exponent_within_budget(Fraction(int(node.exp.p), int(node.exp.q)))
            if not node.exp.is_Integer and compare(node.base, Fraction(0)) == -1:
                _refuse_root()
        elif node.is_Pow:
            _symbolic_exponent_within_budget(node.base, node.exp)
        elif node is sympy.zoo:
            raise _Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
        elif node is sympy.I:
            raise _Refusal("number_not_real", "its value is not a real number", "Use real numbers only.")
        elif node.is_Function and not _in_grammar(node):
            raise _Refusal("number_not_real", "its value need not be real", "Use real numbers only.")
        elif node is sympy.nan or node.is_infinite:
            raise _Refusal("number_not_finite", "its value is not finite", "Use finite numbers only.")
    _terms_within_budget(expr)
    result: Exact = expr
    return result
