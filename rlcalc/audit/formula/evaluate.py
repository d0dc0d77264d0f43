"""The value of a formula at a random exact point, whether it came from LaTeX or from SymPy.

Names stand for random rational numbers, functions for random functions: equal
names with equal arguments have equal values, everything else differs. So two
expressions with the same value at a few points say the same. (The larger of
two numbers is a random function too, since its value alone would not show the
smaller one.)

A state is its index, S_t = t: V(S_{t+n}) and V(t + n) are the same value. An
endless sum is known by its first terms, a sum with dots by the terms it shows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from hashlib import sha256
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.formula.reader import LatexError, Node

# what indices may be: integers, far enough apart for a sum to have some terms
_INDICES = {
    "t": (1, 3),
    "n": (2, 4),
    "k": (2, 4),
    "i": (1, 3),
    "j": (1, 3),
    "l": (1, 3),
    "N": (5, 7),
    "M": (8, 9),
}
_INDICES["T"] = (9, 12)
_INFINITE = Node("name", "infty")
_SHOWN = 4  # terms by which an endless sum is known
_DIGITS = 40


class Point:
    """A random point; the same seed gives the same one.

    Args:
        seed: of the random numbers.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.bound: dict[str, Any] = {}

    def value(self, node: Node) -> Any:
        """A Fraction, a real number of 40 digits, or a tuple of values.

        Raises:
            LatexError: limits of a sum that are not integers, a division by zero.
        """
        match node.head:
            case "num":
                return node.value
            case "name" | "apply":
                return self._named(node.name, tuple(self.value(part) for part in node.parts))
            case "neg":
                return self._scaled(-1, self.value(node.parts[0]))
            case "add":
                return self._sum(node)
            case "mul" | "div":
                return self._product(node)
            case "pow":
                return _power(self.value(node.parts[0]), self.value(node.parts[1]))
            case "abs":
                return abs(self._number(node.parts[0]))
            case "sum" | "prod":
                return self._series(node)
            case "relation":
                return (node.name, *(self.value(part) for part in node.parts))
            case "dots":
                return self._random("dots", ())
        return tuple(self.value(part) for part in node.parts)

    def _number(self, node: Node) -> Any:
        found = self.value(node)
        if isinstance(found, tuple):
            raise LatexError("a list stands where a number must.")
        return found

    def _sum(self, node: Node) -> Any:
        if any(part.head == "dots" for part in node.parts):
            return self._random("dots", tuple(self.value(part) for part in node.parts if part.head != "dots"))
        return _total([self.value(part) for part in node.parts])

    def _product(self, node: Node) -> Any:
        values = [self.value(part) for part in node.parts]
        if node.head == "div":
            values[1] = _power(values[1], Fraction(-1))
        found = values[0]
        for value in values[1:]:
            found = self._scaled(found, value)
        return found

    def _scaled(self, one: Any, other: Any) -> Any:
        if isinstance(one, tuple) and isinstance(other, tuple):
            return self._random("product", (one, other))
        if isinstance(one, tuple):
            one, other = other, one
        if isinstance(other, tuple):
            return tuple(self._scaled(one, part) for part in other)
        return one * other

    def _series(self, node: Node) -> Any:
        variable, low, high, body = node.parts
        first = self.value(low)
        last = first + _SHOWN if high == _INFINITE else self.value(high)
        if not all(isinstance(end, Fraction) and end.denominator == 1 for end in (first, last)):
            raise LatexError("the limits of a sum are not integers.")
        outer, terms = self.bound, []
        for at in range(int(first), int(last) + 1):
            self.bound = {**outer, variable.name: Fraction(at)}
            terms.append(self.value(body))
        self.bound = outer
        if high == _INFINITE:
            return self._random(f"endless {node.head}", tuple(terms))
        if node.head == "sum":
            return _total(terms) if terms else Fraction(0)
        found: Any = Fraction(1)
        for term in terms:
            found = self._scaled(found, term)
        return found

    def _named(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name in self.bound and not arguments:
            return self.bound[name]
        if name in ("max", "min"):
            arguments = tuple(sorted(arguments, key=repr))
        elif name in _KNOWN:
            if any(isinstance(one, tuple) for one in arguments):
                raise LatexError(f"{name} of a list.")
            return _KNOWN[name](*arguments)
        if name == "S" and len(arguments) == 1:
            return arguments[0]
        return self._random(name, arguments)

    def _random(self, name: str, arguments: tuple[Any, ...]) -> Any:
        digest = sha256(repr((self.seed, name, _frozen(arguments))).encode()).digest()
        draw = int.from_bytes(digest[:8], "big")
        if name in _INDICES and not arguments:
            low, high = _INDICES[name]
            return Fraction(low + draw % (high - low + 1))
        share = Fraction(1 + draw % 9972, 9973)
        if name[0].isupper() or name.startswith(("hat ", "nabla", "delta", "E_", "sum_")):
            return 6 * share - 3
        return share


def _total(values: list[Any]) -> Any:
    if any(isinstance(value, tuple) for value in values):
        if len({len(value) if isinstance(value, tuple) else 0 for value in values}) > 1:
            raise LatexError("a list and a number are added.")
        return tuple(_total(list(parts)) for parts in zip(*values, strict=True))
    return sum(values[1:], values[0])


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, tuple) or isinstance(exponent, tuple):
        raise LatexError("a list stands where a number must.")
    if base == 0 and exponent < 0:
        raise LatexError("a number is divided by zero.")
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) < 1000:
        return base ** int(exponent)
    return _reals().power(_real(base), _real(exponent))


@cache
def _reals() -> Any:
    import mpmath

    context = mpmath.MPContext()
    context.dps = _DIGITS
    return context


def _real(value: Any) -> Any:
    context = _reals()
    return (
        context.mpf(value.numerator) / value.denominator
        if isinstance(value, Fraction)
        else context.mpmathify(value)
    )


_KNOWN: dict[str, Any] = {
    "exp": lambda x: _reals().exp(_real(x)),
    "log": lambda x: _reals().log(_real(x)),
}


def _frozen(value: Any) -> Any:
    """A value as what identifies it; two real numbers that differ by rounding are the same."""
    if isinstance(value, tuple):
        return tuple(_frozen(part) for part in value)
    return _reals().nstr(value, 25) if not isinstance(value, Fraction | str) else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, real numbers up to rounding."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        if not (isinstance(one, tuple) and isinstance(other, tuple)) or len(one) != len(other):
            return False
        return all(same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, str | Fraction) and isinstance(other, str | Fraction):
        return one == other
    if isinstance(one, str) or isinstance(other, str):
        return False
    return bool(abs(_real(one) - _real(other)) <= (1 + abs(_real(one))) * _reals().mpf(10) ** (8 - _DIGITS))


def as_node(value: Any) -> Node:
    """A number, text of a number, SymPy expression or list of them as a tree.

    Raises:
        LatexError: an expression that formulas have no notation for.
    """
    if isinstance(value, Node):
        return value
    if isinstance(value, int | Fraction | str):
        return Node("num", value=Fraction(value))
    if isinstance(value, list | tuple):
        return Node("list", "", tuple(as_node(part) for part in value))
    if value.is_Rational:
        return Node("num", value=Fraction(int(value.p), int(value.q)))
    if value.is_Symbol:
        return Node("name", value.name)
    if isinstance(value, sympy.Sum):
        variable, low, high = value.limits[0]
        return Node("sum", "", tuple(as_node(part) for part in (variable, low, high, value.function)))
    heads = {"Add": "add", "Mul": "mul", "Pow": "pow", "Abs": "abs"}
    kind = type(value).__name__
    parts = tuple(as_node(part) for part in value.args)
    if kind in heads:
        return Node(heads[kind], "", parts)
    if value.is_Function:
        return Node("apply", {"Max": "max", "Min": "min"}.get(kind, kind), parts)
    raise LatexError(f"formulas have no notation for {value}.")
