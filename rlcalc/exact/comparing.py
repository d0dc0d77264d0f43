"""The order of exact values, and whether two of them are the same.

Irrational constants are decided with intervals that shrink until the question
has one answer, never with a rounded value.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.exact.assumptions import informed
from rlcalc.exact.effort import charge, multiplied_out, nodes, terms_of
from rlcalc.exact.intervals import Undefined, enclose, enclosures
from rlcalc.exact.logarithms import split_logs
from rlcalc.exact.values import Exact, bits_of, infinite, is_symbolic, rational, to_sympy

_EXACT_ATTEMPT = 1  # index of the interval after which a proof of 0 is tried
_MULTIPLIED_UP_TO = 2000  # terms of a numerator
_MAX_RADICALS = 4  # the minimal polynomial's degree doubles with each of them
_DEDUCED_UP_TO = 200  # parts of a difference with symbols
_MAX_CASES = 200  # orders of the arguments of min, max and abs


def compare(a: Exact | int, b: Exact | int) -> int | None:
    """The sign of a - b: -1, 0 or 1; ``None`` when that depends on a symbol.

    Rationals are exact.  -1 and 1 are proved by intervals.  0 is proved by
    simplification where that succeeds; otherwise it means that the two agree
    to some 9800 digits.  With symbols the sign is what SymPy deduces of the
    difference: x**2 + 1 is positive for every real x.
    """
    left, right = rational(a), rational(b)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    if is_symbolic(a) or is_symbolic(b):
        difference = _deduced(a, b)
        for sign, holds in ((0, "is_zero"), (1, "is_positive"), (-1, "is_negative")):
            if getattr(difference, holds):
                return sign
        return None
    if infinite(a) or infinite(b):
        return (infinite(a) > infinite(b)) - (infinite(a) < infinite(b))
    difference = to_sympy(a) - to_sympy(b)
    try:
        return _sign(difference)
    except Undefined:
        return None


def weak_order(a: Exact | int, b: Exact | int) -> int | None:
    """1 where a >= b for all symbols, -1 where a <= b; ``None`` when neither is deduced."""
    difference = _deduced(a, b)
    return 1 if difference.is_nonnegative else -1 if difference.is_nonpositive else None


def _deduced(a: Exact | int, b: Exact | int) -> Any:
    """a - b as SymPy can judge it; a long difference stays unjudged."""
    difference = informed(to_sympy(a) - to_sympy(b))
    if max(nodes(difference), terms_of(difference)) > _DEDUCED_UP_TO:
        return sympy.Dummy()
    return multiplied_out(difference)


def _sign(constant: Any) -> int:
    for attempt, (low, high) in enumerate(enclosures(constant)):
        if low > 0 or high < 0:
            return 1 if low > 0 else -1
        if low == high == 0 or (attempt == _EXACT_ATTEMPT and _proved_zero(constant)):
            return 0
    return 0


def _proved_zero(constant: Any) -> bool:
    """Try to prove that a constant is 0, by rewritings that cannot run away."""
    # General ``simplify`` is avoided: it may write 10**9*log(2) as log(2**10**9).
    if nodes(constant) > 300:
        return False
    charge(100 * nodes(constant), "constants")
    expr = sympy.expand(constant)
    logs = expr.atoms(sympy.log)
    if logs and all(bits_of(x) <= 128 for log in logs for x in log.atoms(sympy.Rational)):
        expr = sympy.expand(_expanded_logs(split_logs(expr)))
    if expr != 0 and expr.has(sympy.exp):
        # Over one denominator; products of powers of e merge when multiplied out.  A greatest common
        # divisor, which ``cancel`` looks for, may take hours with a dozen different powers.
        expr = sympy.together(expr)
        above = sympy.fraction(expr)[0]
        expr = sympy.expand(above) if terms_of(above) <= _MULTIPLIED_UP_TO else expr
    if expr == 0:
        return True
    radicals = [p for p in expr.atoms(sympy.Pow) if p.exp.is_Rational and not p.exp.is_Integer]
    if expr != 0 and len(radicals) <= _MAX_RADICALS and expr.is_algebraic:
        expr = sympy.expand(sympy.sqrtdenest(sympy.radsimp(expr)))
        small = all(bits_of(x) <= 64 for x in expr.atoms(sympy.Rational))
        if expr != 0 and small:
            unknown = sympy.Dummy("x")
            return bool(sympy.minimal_polynomial(expr, unknown) == unknown)
    return bool(expr == 0)


def _expanded_logs(expr: Any) -> Any:
    """Logarithms of quotients and products as sums: log(1 + exp(-1)) is log(1 + e) - 1.

    SymPy never ends where a factor is negative: log(-1/(1 - exp(1))).
    """
    wholes = {}
    for log in expr.atoms(sympy.log):
        arg = sympy.together(log.args[0])
        if terms_of(arg) <= _MULTIPLIED_UP_TO and not any(x.is_negative for x in sympy.Mul.make_args(arg)):
            wholes[log] = sympy.expand_log(sympy.log(arg, evaluate=False), force=True)
    return expr.xreplace(wholes)


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
    if infinite(a) or infinite(b):
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
            interval = enclose(difference, 256, point)
        except Undefined:
            continue
        if interval is not None and (interval[0] > 0 or interval[1] < 0):
            return True
    return False


def _identically_zero(difference: Any) -> bool:
    if multiplied_out(difference) == 0:
        return True
    expr = difference.replace(sympy.Abs, lambda x: sympy.Max(x, -x))
    return _zero_in_every_case(expr, (), [_MAX_CASES])


def _zero_in_every_case(expr: Any, facts: tuple[Any, ...], budget: list[int]) -> bool:
    """Whether ``expr`` is 0 wherever all facts are >= 0.

    Takes away one argument of min or max at a time.  Where its place in the
    order is not known, both orders are tried; they cover every point between
    them, so that an identity that holds in each of them holds everywhere.
    """
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
    return (*facts, fact, *(sympy.expand(fact + other) for other in facts))[:64]
