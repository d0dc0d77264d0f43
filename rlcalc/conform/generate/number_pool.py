"""The numbers that generated cases are made of: exact, dyadic, simplest first.

Every one of them is held exactly by both floating dtypes, so that a function
is asked the same question in either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations

from rlcalc.specs import Parameter

Numbers = tuple[Fraction, ...]
# where size costs no digits
HUGE = (*(Fraction(s * m * 2**20) for m in (1, 3, 5) for s in (1, -1)), Fraction(-1, 2**20))
# where an exponential of it overflows, and of differences need not
STEEP = tuple(Fraction(s * m) for m in (100, 1000) for s in (1, -1))


@cache
def pool(
    low: Fraction | None, high: Fraction | None, closed: tuple[bool, bool], extra: Numbers = ()
) -> Numbers:
    """256 numbers of an interval, simplest first; all of them dyadic and exact in float32.

    Args:
        low, high: the ends; ``None`` is infinite.
        closed: whether the ends belong to it.
        extra: further numbers, after the plain ones.
    """
    plain = [
        Fraction(0),
        Fraction(1),
        Fraction(-1),
        Fraction(1, 2),
        Fraction(-1, 2),
        Fraction(2),
        Fraction(-2),
    ]
    plain += [Fraction(sign * k, d) for d in (1, 4, 8, 16) for k in range(1, 40) for sign in (1, -1)]
    # near a bound, and next to nothing
    plain += [1 - Fraction(1, 2**k) for k in (7, 10, 20)] + [Fraction(1, 2**k) for k in (7, 10, 20, 30)]
    plain += extra

    def inside(x: Fraction) -> bool:
        above = low is None or x > low or (closed[0] and x == low)
        return above and (high is None or x < high or (closed[1] and x == high))

    fitting = [x for x in dict.fromkeys(plain) if inside(x)]
    # a quarter of the draws are the ends themselves, where most faults of γ and λ show;
    # the rest repeats the pool, the odd ones at its end as often as the plain ones
    ends = [x for x, there in ((low, closed[0]), (high, closed[1])) if x is not None and there]
    drawn = tuple(fitting[k % len(fitting)] for k in range(256 - 64 * bool(ends)))
    return drawn + tuple(ends[k % len(ends)] for k in range(64 * bool(ends)))


def pool_of(parameter: Parameter, extra: Numbers) -> Numbers:
    """The pool of a parameter's domain."""
    domain = parameter.domain
    return pool(domain.low, domain.high, (domain.low_closed, domain.high_closed), extra)


def distribution(weights: Sequence[int]) -> list[Fraction]:
    """Probabilities with a power of two below them, so that they sum to 1 in every dtype."""
    small = [w % 16 for w in weights]
    whole = 1 << max(0, (max(1, sum(small)) - 1).bit_length())
    small[0] += whole - sum(small)
    return [Fraction(w, whole) for w in small]


PLAIN = (Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(2))


def below(value: Fraction | bool) -> Iterator[Fraction | bool]:
    """Plainer values than this one, plainest first."""
    if isinstance(value, bool):
        if value:
            yield False
        return
    for plain in PLAIN:
        if plain == value:
            return
        yield plain


def plainer_distribution(chances: Sequence[Fraction]) -> Iterator[list[Fraction]]:
    """One outcome for certain, or two that are equally likely; nothing is plainer than the former."""
    possible = [k for k, chance in enumerate(chances) if chance]
    if len(possible) > 1:
        for k in possible:
            yield [Fraction(j == k) for j in range(len(chances))]
    if len(possible) > 2 or any(chances[k] != Fraction(1, 2) for k in possible[1:]):
        for pair in combinations(possible, 2):
            yield [Fraction(j in pair, 2) for j in range(len(chances))]
