"""Exact numbers back out: as text, decimals, floats, and compared with each other.

The other half of ``exact.py``, which reads text.  A value is a ``Fraction`` or
a SymPy expression; SymPy is imported only where a value already is one, so
rational work never pays for it.

Irrational constants are decided with intervals (mpmath's directed rounding)
that shrink until the question has one answer, never with a rounded value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cmp_to_key, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from rlcalc.errors import InputError, shown

if TYPE_CHECKING:
    import sympy

    Exact: TypeAlias = Fraction | sympy.Expr
else:  # the alias can be imported at run time, without SymPy
    Exact = Any

Interval: TypeAlias = tuple[Fraction, Fraction]

# log(1 + exp(-9999)) needs some 14 500 bits before it differs from 0; two
# constants that agree to this many bits (about 9800 digits) count as equal.
_PRECISIONS = (128, 512, 2048, 8192, 32768)
_EXACT_ATTEMPT = 1  # index of the interval after which a proof of 0 is tried
_MAX_RADICALS = 4  # the minimal polynomial's degree doubles with each of them
_MAX_CASES = 200  # orders of the arguments of min, max and abs
_CHUNK = 500  # digits; below Python's smallest settable limit of 640


class _Undefined(ArithmeticError):
    """An expression has no real value at a point."""


# --- integers and text -------------------------------------------------------


def int_to_text(number: int) -> str:
    """Print an integer of any length; ``str`` refuses beyond 4300 digits."""
    if number < 0:
        return "-" + int_to_text(-number)
    if number.bit_length() <= 1600:
        return str(number)
    half = number.bit_length() * 30103 // 200000
    high, low = divmod(number, 10**half)
    return int_to_text(high) + int_to_text(low).rjust(half, "0")


def text_to_int(digits: str) -> int:
    """Read ASCII digits of any length; ``int`` refuses beyond 4300 of them."""
    if len(digits) <= _CHUNK:
        return int(digits)
    half = len(digits) // 2
    scale: int = 10**half
    return text_to_int(digits[:-half]) * scale + text_to_int(digits[-half:])


# --- what a value is ---------------------------------------------------------


def symbol(name: str) -> sympy.Symbol:
    """Make the one kind of symbol that rlcalc uses: real, without further assumptions."""
    import sympy

    return sympy.Symbol(name, real=True)


def to_sympy(value: Exact | int) -> sympy.Expr:
    """Turn a number into the equal SymPy expression."""
    import sympy

    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Integer(value) if isinstance(value, int) else value


def rational(value: Exact | int) -> Fraction | None:
    """The value as a ``Fraction`` when it visibly is a rational number."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value)
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else None


def symbols_of(value: Exact | int) -> frozenset[str]:
    """Names of the symbols in a value."""
    if isinstance(value, Fraction | int):
        return frozenset()
    return frozenset(str(s.name) for s in value.free_symbols)


def is_symbolic(value: Exact | int) -> bool:
    """Whether a value contains a symbol."""
    return not isinstance(value, Fraction | int) and bool(value.free_symbols)


def _infinite(value: Exact | int) -> int:
    """The sign of an infinite value; 0 for a finite one."""
    if isinstance(value, Fraction | int):
        return 0
    import sympy

    return 1 if value is sympy.oo else -1 if value is sympy.S.NegativeInfinity else 0


# --- printing ----------------------------------------------------------------

_ADD, _MUL, _POW, _ATOM = 1, 2, 3, 4
_Printed: TypeAlias = tuple[str, int]


def to_text(value: Exact | int) -> str:
    """Print a value so that ``parse_number`` reads the same value back.

    Nothing is shortened.  Infinity is printed as ``infinity``, which the
    grammar refuses; functions outside the grammar are printed as SymPy does.
    """
    plain = rational(value)
    return _rational_text(plain)[0] if plain is not None else _text(value)[0]


def _rational_text(value: Fraction) -> _Printed:
    text = int_to_text(value.numerator)
    if value.denominator != 1:
        text += "/" + int_to_text(value.denominator)
    if value < 0:
        return text, _ADD
    return text, _ATOM if value.denominator == 1 else _MUL


def _text(expr: Any) -> _Printed:
    import sympy

    if expr.is_Rational:
        return _rational_text(Fraction(int(expr.p), int(expr.q)))
    for test, printer in _printers():
        if isinstance(expr, test):
            return printer(expr)
    return sympy.sstr(expr), _ATOM if expr.is_Atom or expr.is_Function else 0


def _inside(expr: Any, level: int) -> str:
    text, own = _text(expr)
    return text if own >= level else f"({text})"


@lru_cache(maxsize=1)
def _printers() -> tuple[tuple[type, Callable[[Any], _Printed]], ...]:
    import sympy

    def call(word: str) -> Callable[[Any], _Printed]:
        def printer(expr: Any) -> _Printed:
            args = sorted(expr.args, key=sympy.default_sort_key)  # Max keeps a set: no order
            return f"{word}({', '.join(_text(a)[0] for a in args)})", _ATOM

        return printer

    def fixed(text: str, level: int = _ATOM) -> Callable[[Any], _Printed]:
        return lambda expr: (text, level)

    return (
        (sympy.Symbol, lambda expr: (str(expr.name), _ATOM)),
        (sympy.Add, _add_text),
        (sympy.Mul, _mul_text),
        (sympy.exp, lambda expr: (f"exp({_text(expr.exp)[0]})", _ATOM)),
        (sympy.Pow, _pow_text),
        (sympy.log, call("log")),
        (sympy.Min, call("min")),
        (sympy.Max, call("max")),
        (sympy.Abs, call("abs")),
        (type(sympy.E), fixed("exp(1)")),
        (type(sympy.pi), fixed("pi")),
        (type(sympy.oo), fixed("infinity")),
        (type(-sympy.oo), fixed("-infinity", _ADD)),
    )


def _add_text(expr: Any) -> _Printed:
    import sympy

    try:
        terms = list(expr.as_ordered_terms())
    except (OverflowError, ValueError):  # SymPy's order goes through floats
        terms = sorted(expr.args, key=sympy.default_sort_key)
    if not expr.free_symbols:  # 1 + exp(-1), as people write it
        terms.sort(key=lambda term: not term.is_Rational)
    text = ""
    for term in terms:
        # A negative term is level _ADD and carries its own sign; only a true
        # sum inside a sum (built unevaluated) needs brackets.
        part = f"({_text(term)[0]})" if term.is_Add else _text(term)[0]
        if not text:
            text = part
        elif part.startswith("-"):
            text += " - " + part[1:]
        else:
            text += " + " + part
    return text, _ADD


def _mul_text(expr: Any) -> _Printed:
    import sympy

    coefficient, rest = expr.as_coeff_Mul()
    if not coefficient.is_Rational or coefficient == 0:  # 2*infinity and other unevaluated forms
        coefficient, rest = sympy.S.One, expr
    sign = "-" if coefficient < 0 else ""
    above, below = [], []
    if abs(coefficient.p) != 1:
        above.append(int_to_text(abs(int(coefficient.p))))
    if coefficient.q != 1:
        below.append(int_to_text(int(coefficient.q)))
    factors = rest.as_ordered_factors() if rest.is_Mul else [rest]
    for factor in factors:
        if isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
            inverse = sympy.Pow(factor.base, -factor.exp, evaluate=False)
            below.append(_inside(inverse if factor.exp != -1 else factor.base, _POW))
        else:
            above.append(_inside(factor, _POW))
    text = "*".join(above) or "1"
    if len(below) == 1:
        text += "/" + below[0]
    elif below:
        text += f"/({'*'.join(below)})"
    return sign + text, _ADD if sign else _MUL


def _pow_text(expr: Any) -> _Printed:
    import sympy

    base, exponent = expr.base, expr.exp
    if exponent == sympy.Rational(1, 2):
        return f"sqrt({_text(base)[0]})", _ATOM
    if exponent.is_Rational and exponent < 0:
        inverse = base if exponent == -1 else sympy.Pow(base, -exponent, evaluate=False)
        return "1/" + _inside(inverse, _POW), _MUL
    return f"{_inside(base, _ATOM)}**{_inside(exponent, _ATOM)}", _POW


def to_decimal(value: Exact | int, digits: int = 20) -> str | None:
    """Print ``digits`` significant digits, correctly rounded, ties to even.

    Scientific (``1.5000000000000000000e-30``) when the exponent is below -6,
    or is 20 or more, or has no digit to fill its last place.  ``None`` when
    the value has symbols or is not a real number.
    """
    plain = rational(value)
    if plain is not None:
        return _rounded(plain, digits)
    if is_symbolic(value):
        return None
    if _infinite(value):
        return "infinity" if _infinite(value) > 0 else "-infinity"
    try:
        for low, high in _enclosures(value, 4 * digits):
            if _rounded(low, digits) == _rounded(high, digits):
                return _rounded(low, digits)
        # Indistinguishable from the point where the rounding turns: on it.
        return _rounded(_simplest_between(low, high), digits)
    except _Undefined:
        return None


def _rounded(value: Fraction, digits: int) -> str:
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    over, under = abs(value.numerator), value.denominator
    exponent = (over.bit_length() - under.bit_length()) * 30103 // 100000 + 1  # never too small
    while _times_power_of_ten(under, exponent) > _times_power_of_ten(over, -exponent):
        exponent -= 1
    shift = digits - 1 - exponent
    whole, rest = divmod(_times_power_of_ten(over, shift), scale := _times_power_of_ten(under, -shift))
    if 2 * rest > scale or (2 * rest == scale and whole % 2):
        whole += 1
    text = int_to_text(whole)
    if len(text) > digits:  # 9.99 became 10.0
        text, exponent = text[:digits], exponent + 1
    if exponent < -6 or exponent >= min(20, digits):
        mantissa = text[0] + ("." + text[1:] if digits > 1 else "")
        return f"{sign}{mantissa}e{exponent:+d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{text}"
    tail = text[exponent + 1 :]
    return f"{sign}{text[: exponent + 1]}{'.' if tail else ''}{tail}"


def _times_power_of_ten(number: int, power: int) -> int:
    """number * 10**power, or the number itself when the power is negative."""
    return number * 10**power if power > 0 else number


def _simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in an interval (Stern-Brocot)."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest_between(-high, -low)
    whole = -((-low.numerator) // low.denominator)
    if whole <= high:
        return Fraction(whole)
    floor = whole - 1
    return floor + 1 / _simplest_between(1 / (high - floor), 1 / (low - floor))


def to_float(value: Exact | int) -> float:
    """The nearest float64; infinite when the value is beyond the range.

    Raises:
        InputError: ``symbol_not_allowed`` or ``number_not_real`` when there is no such float.
    """
    plain = rational(value)
    if plain is not None:
        return _nearest_float(plain)
    if is_symbolic(value):
        names = ", ".join(sorted(symbols_of(value)))
        message = f"{shown(to_text(value))} has no float value: it contains {names}."
        raise InputError("symbol_not_allowed", message)
    if _infinite(value):
        return float("inf") * _infinite(value)
    try:
        for low, high in _enclosures(value):
            if _nearest_float(low) == _nearest_float(high):
                return _nearest_float(low)
        return _nearest_float(_simplest_between(low, high))
    except _Undefined:
        raise InputError("number_not_real", f"{shown(to_text(value))} is not a real number.") from None


def _nearest_float(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


# --- comparing ---------------------------------------------------------------


def compare(a: Exact | int, b: Exact | int) -> int | None:
    """The sign of a - b: -1, 0 or 1; ``None`` when that depends on a symbol.

    Rationals are exact.  -1 and 1 are proved by intervals.  0 is proved by
    simplification where that succeeds; otherwise it means that the two agree
    to some 9800 digits.
    """
    left, right = rational(a), rational(b)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    if is_symbolic(a) or is_symbolic(b):
        return None
    if _infinite(a) or _infinite(b):
        return (_infinite(a) > _infinite(b)) - (_infinite(a) < _infinite(b))
    difference = to_sympy(a) - to_sympy(b)
    try:
        return _sign(difference)
    except _Undefined:
        return None


def _sign(constant: Any) -> int:
    for attempt, (low, high) in enumerate(_enclosures(constant)):
        if low > 0 or high < 0:
            return 1 if low > 0 else -1
        if low == high == 0 or (attempt == _EXACT_ATTEMPT and _proved_zero(constant)):
            return 0
    return 0


def _proved_zero(constant: Any) -> bool:
    """Try to prove that a constant is 0, by rewritings that cannot run away."""
    import sympy

    # General ``simplify`` is avoided: it may write 10**9*log(2) as log(2**10**9).
    if sympy.count_ops(constant) > 200:
        return False
    expr = sympy.expand(constant)
    if expr != 0 and expr.has(sympy.exp):
        # exp(1/10) and exp(-1/10) become one unknown and its reciprocal
        expr = sympy.cancel(expr)
    if expr == 0:
        return True
    logs = expr.atoms(sympy.log)
    if logs and all(_bits(x) <= 128 for log in logs for x in log.atoms(sympy.Rational)):
        expr = sympy.expand(sympy.expand_log(expr, force=True, factor=True))
    radicals = [p for p in expr.atoms(sympy.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
    if expr != 0 and len(radicals) <= _MAX_RADICALS and expr.is_algebraic:
        expr = sympy.expand(sympy.sqrtdenest(sympy.radsimp(expr)))
        small = all(_bits(x) <= 64 for x in expr.atoms(sympy.Rational))
        if expr != 0 and small:
            unknown = sympy.Dummy("x")
            return bool(sympy.minimal_polynomial(expr, unknown) == unknown)
    return bool(expr == 0)


def _bits(number: Any) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def equal(a: Exact | int, b: Exact | int) -> bool:
    """Whether two values are the same number, or the same function of their symbols.

    Constants: see ``compare``.  With symbols, ``False`` at once when the two
    differ at one of several rational points (proved by intervals), and
    ``True`` only when the difference is rewritten to 0 in every order that
    the arguments of min, max and abs can have.  So
    ``True`` is proved; ``False`` may also mean that no proof was found.
    """
    if not is_symbolic(a) and not is_symbolic(b):
        return compare(a, b) == 0
    left, right = to_sympy(a), to_sympy(b)
    if left == right:
        return True
    if _infinite(a) or _infinite(b):
        return False
    difference = left - right
    return not _refuted(difference) and _identically_zero(difference)


def _refuted(difference: Any) -> bool:
    from random import Random

    random = Random(20)  # the same points in every run: an answer must not change
    names = sorted(difference.free_symbols, key=lambda s: str(s.name))
    for round_ in range(12):
        low = 1 if round_ % 2 else -400  # logs and roots want positive points
        point = {s: Fraction(random.randint(low, 400), random.randint(1, 97)) for s in names}
        try:
            interval = _enclose(difference, 256, point)
        except _Undefined:
            continue
        if interval is not None and (interval[0] > 0 or interval[1] < 0):
            return True
    return False


def _identically_zero(difference: Any) -> bool:
    import sympy

    if sympy.expand(difference) == 0:
        return True
    expr = difference.replace(sympy.Abs, lambda x: sympy.Max(x, -x))
    return _zero_in_every_case(expr, (), [_MAX_CASES])


def _zero_in_every_case(expr: Any, facts: tuple[Any, ...], budget: list[int]) -> bool:
    """Whether ``expr`` is 0 wherever all facts are >= 0.

    Takes away one argument of min or max at a time.  Where its place in the
    order is not known, both orders are tried; they cover every point between
    them, so that an identity that holds in each of them holds everywhere.
    """
    import sympy

    while choices := expr.atoms(sympy.Max, sympy.Min):
        innermost = [c for c in choices if not any(a.has(sympy.Max, sympy.Min) for a in c.args)]
        node = min(innermost, key=sympy.default_sort_key)
        x, y, *others = sorted(node.args, key=sympy.default_sort_key)
        sign, open_factor = _sign_given(x - y, facts)
        if sign is None:
            budget[0] -= 1
            return budget[0] > 0 and all(
                _zero_in_every_case(expr, _with_fact(facts, side), budget)
                for side in (open_factor, sympy.expand(-open_factor))
            )
        kept = x if (sign > 0) == isinstance(node, sympy.Max) else y
        expr = expr.xreplace({node: node.func(kept, *others)})
    if sympy.expand(expr) == 0:
        return True
    if sympy.count_ops(expr) > 1000:
        return False
    return bool(sympy.cancel(sympy.together(sympy.expand(expr))) == 0) or bool(sympy.simplify(expr) == 0)


def _sign_given(expr: Any, facts: tuple[Any, ...]) -> tuple[int | None, Any]:
    """1 where expr >= 0, -1 where expr <= 0; else ``None`` and a factor whose sign would help."""
    import sympy

    expr = sympy.expand(expr)
    if sympy.count_ops(expr) <= 200:
        expr = sympy.factor(expr)
    sign = 1
    for factor in sympy.Mul.make_args(expr):
        if factor.is_Pow and factor.exp.is_Integer:
            if factor.exp % 2 == 0:
                continue
            factor = factor.base
        factor = sympy.expand(factor)
        if factor.is_nonnegative or any((factor - fact).expand().is_nonnegative for fact in facts):
            continue
        if factor.is_nonpositive or any((factor + fact).expand().is_nonpositive for fact in facts):
            sign = -sign
            continue
        return None, factor
    return sign, None


def _with_fact(facts: tuple[Any, ...], fact: Any) -> tuple[Any, ...]:
    """Facts stay closed under addition: from a >= b and b >= c follows a >= c."""
    import sympy

    return (*facts, fact, *(sympy.expand(fact + other) for other in facts))[:64]


# --- intervals ---------------------------------------------------------------


def _enclosures(constant: Any, extra: int = 0) -> Iterator[Interval]:
    """Ever narrower intervals around a constant, for as long as it may pay.

    Raises:
        _Undefined: the constant is not a real number, or nothing is known about it.
    """
    last = None
    for precision in _PRECISIONS:
        last = _enclose(constant, precision + extra, {})
        if last is not None:
            yield last
    if last is None:
        raise _Undefined("unbounded")


def _enclose(expr: Any, precision: int, point: dict[Any, Fraction]) -> Interval | None:
    """Two rationals that the value lies between; ``None`` when the precision was too low."""
    mp: Any = import_module("mpmath.libmp")
    try:
        low, high = _interval(expr, precision, point, mp)
    except (mp.ComplexResult, ZeroDivisionError, OverflowError, ValueError) as error:
        raise _Undefined(str(error)) from error
    if any(end in (mp.finf, mp.fninf, mp.fnan) for end in (low, high)):
        return None
    return _fraction(low), _fraction(high)


def _fraction(raw: Any) -> Fraction:
    sign, mantissa, exponent, _ = raw
    number = -int(mantissa) if sign else int(mantissa)
    return Fraction(number << exponent) if exponent >= 0 else Fraction(number, 1 << -exponent)


def _interval(expr: Any, prec: int, point: dict[Any, Fraction], mp: Any) -> Any:
    import sympy

    def inner(part: Any) -> Any:
        return _interval(part, prec, point, mp)

    if expr.is_Symbol:
        return _rational_interval(point[expr], prec, mp)
    if expr.is_Rational:
        return _rational_interval(Fraction(int(expr.p), int(expr.q)), prec, mp)
    if expr.is_Add or expr.is_Mul:
        total, *rest = map(inner, expr.args)
        join = mp.mpi_add if expr.is_Add else mp.mpi_mul
        for part in rest:
            total = join(total, part, prec)
        return total
    if isinstance(expr, sympy.exp):
        exponent = inner(expr.exp)
        _refuse_huge(exponent, mp)
        return mp.mpi_exp(exponent, prec)
    if isinstance(expr, sympy.log):
        return _log_interval(inner(expr.args[0]), prec, mp)
    if expr.is_Pow:
        return _pow_interval(inner(expr.base), expr.exp, inner, prec, mp)
    if isinstance(expr, sympy.Abs):
        return mp.mpi_abs(inner(expr.args[0]), prec)
    if isinstance(expr, sympy.Max | sympy.Min):
        parts = [inner(a) for a in expr.args]
        keep = max if isinstance(expr, sympy.Max) else min
        order = cmp_to_key(mp.mpf_cmp)
        return tuple(keep((part[end] for part in parts), key=order) for end in (0, 1))
    if expr is sympy.pi or expr is sympy.E:
        make = mp.mpf_pi if expr is sympy.pi else mp.mpf_e
        return make(prec, mp.round_floor), make(prec, mp.round_ceiling)
    return _evalf_interval(expr, prec, point, mp)


def _rational_interval(value: Fraction, prec: int, mp: Any) -> Any:
    p, q = value.numerator, value.denominator
    return mp.from_rational(p, q, prec, mp.round_floor), mp.from_rational(p, q, prec, mp.round_ceiling)


def _refuse_huge(exponent: Any, mp: Any) -> None:
    for end in exponent:  # exp(10**1000) would exhaust the memory
        if end not in (mp.fzero, mp.finf, mp.fninf) and end[2] + end[3] > 64:
            raise _Undefined("exponent out of range")


def _log_interval(x: Any, prec: int, mp: Any) -> Any:
    if mp.mpf_le(x[1], mp.fzero):
        raise _Undefined("log of a number that is not positive")
    if mp.mpf_le(x[0], mp.fzero):  # too coarse to tell: no lower bound yet
        return mp.fninf, mp.finf
    return mp.mpi_log(x, prec)


def _pow_interval(base: Any, exponent: Any, inner: Any, prec: int, mp: Any) -> Any:
    if exponent.is_Integer and abs(int(exponent)) < 1 << 40:
        return mp.mpi_pow_int(base, int(exponent), prec)
    if mp.mpf_lt(base[1], mp.fzero):
        raise _Undefined("root of a negative number")
    power = inner(exponent)
    if base == (mp.fzero, mp.fzero) and mp.mpf_gt(power[0], mp.fzero):
        return mp.fzero, mp.fzero
    if mp.mpf_gt(base[0], mp.fzero):
        if exponent.is_Rational and exponent.q == 2 and abs(int(exponent.p)) < 1 << 40:
            return mp.mpi_pow_int(mp.mpi_sqrt(base, prec), int(exponent.p), prec)
        scaled = mp.mpi_mul(mp.mpi_log(base, prec), power, prec)
        _refuse_huge(scaled, mp)
        return mp.mpi_exp(scaled, prec)
    if mp.mpf_le(power[0], mp.fzero) or mp.mpf_le(base[1], mp.fzero):
        return mp.fninf, mp.finf
    # The base may be 0: only its upper end bounds the root.
    top = _pow_interval((base[1], base[1]), exponent, inner, prec, mp)
    return mp.fzero, top[1]


def _evalf_interval(expr: Any, prec: int, point: dict[Any, Fraction], mp: Any) -> Any:
    """SymPy's own number for a function that the grammar does not have, with a margin."""
    digits = prec * 30103 // 100000 + 10
    number = expr.xreplace({s: to_sympy(v) for s, v in point.items()}).evalf(digits)
    if not (number.is_Float or number.is_Rational):
        raise _Undefined("no real value")
    exact = to_sympy(number)._to_mpmath(prec + 40)._mpf_ if number.is_Rational else number._mpf_
    margin = mp.mpf_shift(mp.mpf_abs(exact), -prec + 8)
    return mp.mpf_sub(exact, margin), mp.mpf_add(exact, margin)
