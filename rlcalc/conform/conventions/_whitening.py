"""Conventions that whiten: one for each way to divide by a deviation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, Convention

EPS = Constant("eps", 1e-13, 0.5, zero=True)
ROOT_EPS = Constant("eps", 1e-13, 0.5)  # 0 is that of ``EPS``


@dataclass(frozen=True)
class Way:
    """A way to whiten.

    Attributes:
        suffix: of the names of its conventions.
        words: what it divides by.
        alone: what becomes of a single number.
        ddof: as NumPy has it.
        inside: ε is added to the variance, as rsqrt(variance + ε) has it.
    """

    suffix: str
    words: str
    alone: str = "is kept"
    ddof: int = 1
    inside: bool = False

    def whitened(self, found: Any, eps: float) -> Any:
        """Mean 0 and deviation 1 over all entries of the last axis."""
        small = found.dtype.type(eps)
        spread = np.var(found, axis=-1, ddof=self.ddof, keepdims=True)
        spread = np.sqrt(spread + small) if self.inside else np.sqrt(spread) + small
        return (found - np.mean(found, axis=-1, keepdims=True)) / spread

    def all_whitened(self, found: Any, eps: float) -> Any:
        """Over all rows of a batch, as libraries do; of a single number nothing is said."""
        if found.size < 2:
            return np.full_like(found, np.nan)
        return self.whitened(found.reshape(-1), eps).reshape(found.shape)

    def magnified(self, found: Any, eps: float) -> Any:
        """How much the division by a small deviation of all entries magnifies."""
        least = math.sqrt(eps) if self.inside else eps
        return (1 / (np.std(found.reshape(-1)) + max(least, 1e-300))).item()


DDOF_1 = Way("", "ddof 1, ε added")
DDOF_0 = Way("-ddof-0", "ddof 0, ε added", "becomes 0", ddof=0)
INSIDE_ROOT = Way("-eps-inside-root", "ddof 1, ε added to the variance and not to its root", inside=True)


def whitening(
    name: str,
    about: str,
    formula: str,
    users: Mapping[Way, str],
    change: Callable[..., Any],
    slack: Callable[..., Any] | None = None,
) -> list[Convention]:
    """A convention for every way that has users.

    Args:
        about: with places for ``words`` and ``alone``.
        change, slack: as of a convention, after the way.
    """
    return [
        Convention(
            name + way.suffix,
            about.format(words=way.words, alone=way.alone),
            {formula: who},
            partial(change, way),
            constants=(ROOT_EPS if way.inside else EPS,),
            slack=None if slack is None else partial(slack, way),
        )
        for way, who in users.items()
    ]
