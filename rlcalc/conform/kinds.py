"""How each kind of input is read from drawn bytes.

A byte stands for one number; 0 is the simplest choice everywhere. A further
kind of input is one more entry of ``KINDS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc.conform.palettes import distribution, palette_of
from rlcalc.specs import Parameter


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        read: bytes, parameter, whether huge numbers may occur, lengths of the axes -> exact value.
        shared: the same for the whole batch.
    """

    read: Callable[[Sequence[int], Parameter, bool, Sequence[int]], Any]
    shared: bool = False


def _flag(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> Any:
    # one step in four, so that episodes have a length
    flags = [byte % 4 == 3 for byte in data]
    return flags if p.shape else flags[0]


def _choice(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> str:
    return p.choices[data[0] % len(p.choices)]


def _whole(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> int:
    low = p.domain.low if p.domain.low is not None else Fraction(0)
    high = p.domain.high if p.domain.high is not None else low + 9
    return int(low) + data[0] % (int(min(high, low + 9)) - int(low) + 1)


def _count(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> float:
    return math.inf if data[0] == 255 else _whole(data, p, wide, lengths)


def _number(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> Any:
    if p.distribution:
        return distribution(data)
    known = palette_of(p, wide)
    numbers = [known[byte] for byte in data]
    return numbers if lengths else numbers[0]


KINDS: Mapping[str, Kind] = {
    "number": Kind(_number),
    "flag": Kind(_flag),
    "choice": Kind(_choice, shared=True),
    "integer": Kind(_whole, shared=True),
    "count": Kind(_count, shared=True),
}
