"""The small PPO loop: the bandit of section 4.4 with half of each action, run with bounds on every number.

100 trajectories, 50 of each action, returns 10 and 0, critic 5, so advantages
5 and −5; a full-batch step of gradient ascent on the mean clipped objective in
every epoch. The preferences stay opposite, θ_R = −θ_L. Every number is an
interval of 40 digits that contains the exact one, its ends are rational.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

ADVANTAGE = 5
DIGITS = 40


@dataclass(frozen=True)
class Epoch:
    """The state before a step: bounds of θ_L and of both ratios, and the slope that the step follows."""

    theta: tuple[Fraction, Fraction]
    good: tuple[Fraction, Fraction]
    bad: tuple[Fraction, Fraction]
    slope: tuple[Fraction, Fraction]


def first_theta(alpha: str) -> Fraction:
    """θ_L after the first step, exact: at θ = (0, 0) both ratios are 1 and both scores ±1/2."""
    half = Fraction(1, 2)
    return Fraction(alpha) * (half * ADVANTAGE * half + half * (-ADVANTAGE) * (-half))


def run(alpha: str, epochs: int, eps: str = "1/5") -> list[Epoch]:
    """The states before the first step and after each of the epochs.

    Raises:
        ValueError: an interval contains a bound of the clip, so that its side is not decided.
    """
    from mpmath import iv

    kept = iv.dps
    iv.dps = DIGITS
    try:
        step, width = (iv.mpf(part.numerator) / part.denominator for part in (Fraction(alpha), Fraction(eps)))
        theta, found = iv.mpf(0), []
        for _ in range(epochs + 1):
            chance = 1 / (1 + iv.exp(-2 * theta))
            good, bad = 2 * chance, 2 * (1 - chance)
            slope = iv.mpf(0)
            if not _beyond(good, 1 + width):
                slope += good * ADVANTAGE * (1 - chance) / 2
            if not _beyond(-bad, width - 1):
                slope += bad * ADVANTAGE * chance / 2
            found.append(Epoch(*(_ends(each) for each in (theta, good, bad, slope))))
            theta = theta + step * slope
    finally:
        iv.dps = kept
    return found


def _beyond(value: Any, bound: Any) -> bool:
    # None when the two overlap; the start, r = 1, is a number and no interval
    truth = value > bound
    if truth is None:
        raise ValueError(f"{value} may be on either side of {bound}")
    return bool(truth)


def _ends(value: Any) -> tuple[Fraction, Fraction]:
    from mpmath.libmp import to_rational

    low, high = (Fraction(*map(int, to_rational(end))) for end in value._mpi_)
    return low, high
