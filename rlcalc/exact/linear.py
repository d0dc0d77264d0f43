"""Square systems of linear equations, solved exactly.

Rows are given by their non-zero entries. Rational systems go through
fraction-free elimination (Bareiss), large ones through p-adic lifting
(Dixon), whose answer is checked against the system; systems with symbols
through SymPy's polynomial matrices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd, isqrt, lcm
from typing import Any

from rlcalc._lazy import np, sympy
from rlcalc.exact.effort import TooMuchWork, arithmetic_cost, charge
from rlcalc.exact.values import is_symbolic, to_sympy

SparseRow = Mapping[int, Any]

LIFTED_FROM = 120  # unknowns: below, elimination is faster
_PRIMES = (2147483629, 2147483587, 2147483579)  # products of two residues fit 64 bits
_MOST_SYMBOLIC = 24  # unknowns of a system with symbols


def solve(rows: Sequence[SparseRow], right: Sequence[Any]) -> list[Any] | None:
    """The solution of a square system; ``None`` when it is singular.

    Raises:
        TooMuchWork: within ``limited()``, where the numbers or expressions grow too long.
    """
    if any(is_symbolic(entry) for row in rows for entry in row.values()) or any(map(is_symbolic, right)):
        return _solve_symbolic(rows, right)
    scaled = [_integers(row, value) for row, value in zip(rows, right, strict=True)]
    if len(rows) >= LIFTED_FROM:
        found = _lifted(scaled)
        if found is not None:
            return list(found)
    return _eliminated(scaled)


def _integers(row: SparseRow, value: Fraction) -> tuple[dict[int, int], int]:
    """An equation multiplied by its common denominator."""
    scale = lcm(value.denominator, *(entry.denominator for entry in row.values()))
    return {k: int(entry * scale) for k, entry in row.items() if entry}, int(value * scale)


# fraction-free elimination


def _eliminated(equations: Sequence[tuple[dict[int, int], int]]) -> list[Fraction] | None:
    """On integers every division comes out even, so no entry grows beyond a minor of the matrix."""
    size = len(equations)
    rows = [[row.get(k, 0) for k in range(size)] + [value] for row, value in equations]
    _announce(rows)
    before = 1
    for k in range(size):
        pivot = next((row for row in range(k, size) if rows[row][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = rows[k]
        for row in range(k + 1, size):
            old, factor = rows[row], rows[row][k]
            rows[row] = [0] * (k + 1) + [
                (head[k] * old[j] - factor * head[j]) // before for j in range(k + 1, size + 1)
            ]
        before = head[k]
    solution = [Fraction(0)] * size
    for k in reversed(range(size)):
        rest = sum((rows[k][j] * solution[j] for j in range(k + 1, size)), Fraction(0))
        solution[k] = (rows[k][size] - rest) / rows[k][k]
    return solution


def _announce(rows: Sequence[Sequence[int]]) -> None:
    """The work of eliminating: entries of step k are minors of k rows, with their digits together."""
    bits = max((entry.bit_length() for row in rows for entry in row), default=0)
    size = len(rows)
    charge(sum(2 * arithmetic_cost(k * bits, k * bits) * (size - k) ** 2 for k in range(size)), "digits")


# p-adic lifting


def _lifted(equations: Sequence[tuple[dict[int, int], int]]) -> list[Fraction] | None:
    """Digits of the solution to a prime base, until a fraction is found that solves the system.

    ``None`` where the matrix is singular for every prime that is tried.
    """
    for prime in _PRIMES:
        inverse = _inverse(equations, prime)
        if inverse is not None:
            return _lift(equations, inverse, prime)
    return None


def _inverse(equations: Sequence[tuple[dict[int, int], int]], prime: int) -> Any:
    """The inverse modulo a prime by Gauss-Jordan elimination; ``None`` where there is none."""
    size = len(equations)
    charge(0.02 * size**3, "digits")
    both = np.zeros((size, 2 * size), np.int64)
    for i, (row, _) in enumerate(equations):
        for k, entry in row.items():
            both[i, k] = entry % prime
        both[i, size + i] = 1
    for k in range(size):
        usable = np.flatnonzero(both[k:, k])
        if not len(usable):
            return None
        pivot = k + int(usable[0])
        if pivot != k:
            both[[k, pivot]] = both[[pivot, k]]
        both[k] = both[k] * pow(int(both[k, k]), -1, prime) % prime
        others = np.flatnonzero(both[:, k])
        others = others[others != k]
        both[others] = (both[others] - both[others, k][:, None] * both[k] % prime) % prime
    return both[:, size:]


def _lift(equations: Sequence[tuple[dict[int, int], int]], inverse: Any, prime: int) -> list[Fraction]:
    """x = x_0 + x_1 p + x_2 p² + …: each x_k is the inverse applied to what is left of the right side."""
    size = len(equations)
    # products of residues are added in halves of 16 bits, so that sums of thousands of them fit
    low, high = inverse & 0xFFFF, inverse >> 16
    left = [value for _, value in equations]
    found = [0] * size
    power, tried = 1, 8
    count = 0
    while True:
        charge(2 * size * size * 0.002 + 0.5 * sum(len(row) for row, _ in equations), "digits")
        residues = np.array([value % prime for value in left], np.int64)
        digits = _product(low, high, residues, prime).tolist()
        for k, digit in enumerate(digits):
            found[k] += digit * power
        left = [
            (value - sum(entry * digits[k] for k, entry in row.items())) // prime
            for value, (row, _) in zip(left, equations, strict=True)
        ]
        power *= prime
        count += 1
        if count == tried or not any(left):
            solution = _fractions(found, power)
            if solution is not None and _solves(equations, solution):
                return solution
            tried = count + max(4, count // 4)


def _product(low: Any, high: Any, residues: Any, prime: int) -> Any:
    """inverse · residues modulo the prime."""
    parts = (residues & 0xFFFF, residues >> 16)
    found = np.zeros(len(residues), np.int64)
    for matrix, shift in ((low, 0), (high, 16)):
        for part, more in zip(parts, (0, 16), strict=True):
            factor = pow(2, shift + more, prime)
            found = (found + (matrix @ part) % prime * factor) % prime
    return found


def _fractions(residues: Sequence[int], modulus: int) -> list[Fraction] | None:
    """The fractions of small parts that the residues stand for; a denominator found serves the next."""
    bound = isqrt(modulus // 2)
    common = 1
    found = []
    for residue in residues:
        value = residue * common % modulus
        if value > modulus // 2:
            value -= modulus
        if abs(value) > bound:
            pair = _fraction(residue * common % modulus, modulus, bound)
            if pair is None:
                return None
            above, below = pair
            found.append(Fraction(above, below * common))
            common *= below
            if common > bound:
                return None
        else:
            found.append(Fraction(value, common))
    return found


def _fraction(residue: int, modulus: int, bound: int) -> tuple[int, int] | None:
    """a/b ≡ residue with |a|, b <= bound, by Euclid's algorithm stopped half way."""
    charge(2e-5 * modulus.bit_length() ** 2, "digits")
    a, b = modulus, residue
    u, v = 0, 1
    while b > bound:
        quotient = a // b
        a, b = b, a - quotient * b
        u, v = v, u - quotient * v
    if not v or abs(v) > bound or gcd(b, abs(v)) != 1:
        return None
    return (b, v) if v > 0 else (-b, -v)


def _solves(equations: Sequence[tuple[dict[int, int], int]], solution: Sequence[Fraction]) -> bool:
    """Whether the system holds exactly."""
    common = lcm(*(value.denominator for value in solution))
    whole = [value.numerator * (common // value.denominator) for value in solution]
    return all(
        sum(entry * whole[k] for k, entry in row.items()) == value * common for row, value in equations
    )


# symbols


def _solve_symbolic(rows: Sequence[SparseRow], right: Sequence[Any]) -> list[Any] | None:
    size = len(rows)
    if size > _MOST_SYMBOLIC:
        raise TooMuchWork(f"{size} unknowns with symbols are more than the {_MOST_SYMBOLIC} solved for")
    charge(150.0 * size**3, "symbols")
    from sympy.polys.matrices import DomainMatrix
    from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

    matrix = sympy.Matrix(size, size, lambda i, j: to_sympy(rows[i].get(j, 0)))
    both = DomainMatrix.from_Matrix(matrix.row_join(sympy.Matrix(size, 1, list(map(to_sympy, right)))))
    field = both.to_field()
    try:
        found = field[:, :size].lu_solve(field[:, size:])
    except DMNonInvertibleMatrixError:
        return None
    return [_in_order(entry) for entry in found.to_Matrix()]


def _in_order(value: Any) -> Any:
    """A fraction in lowest terms, its denominator positive where all symbols are 0, as in 1/(1 − g²)."""
    above, below = sympy.fraction(sympy.cancel(value))
    here = below.subs(dict.fromkeys(below.free_symbols, 0))
    sign = -1 if here < 0 else 1
    return sympy.expand(sign * above) / sympy.expand(sign * below)
