"""How each kind of input is read from drawn bytes.

A byte stands for one number; 0 is the simplest choice everywhere. A further
kind of input is one more entry of ``KINDS``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rlcalc.conform.generate import tables, tokens
from rlcalc.conform.generate.number_pool import Numbers, distribution, palette_of
from rlcalc.specs import Formula, Parameter

if TYPE_CHECKING:
    from rlcalc.conform.generate.draft import Draft


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of input.

    Attributes:
        read: bytes, parameter, further numbers of the palette, lengths of the axes -> exact value.
        shared: the same for the whole batch.
        alone: such an input never comes in a batch.
        count: bytes that a value of these lengths takes.
        axes: what a value spans where the specification gives it no shape.
        bounds: shortest and longest length along these axes.
        finish: the last touch to a fresh draft, with two drawn bits per parameter.
        tidy: what every draft has to go through to be a fair question.
        smaller: simpler drafts, greatest steps first; lengths included.
    """

    read: Callable[[Sequence[int], Parameter, Numbers, Sequence[int]], Any]
    shared: bool = False
    alone: bool = False
    count: Callable[[Sequence[int]], int] = math.prod
    axes: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    finish: Callable[[Formula, Draft, Mapping[str, int]], Draft] | None = None
    tidy: Callable[[Draft], Draft] | None = None
    smaller: Callable[[Formula, Draft], Iterator[Draft]] | None = None


def _flag(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    # one step in four, so that episodes have a length
    flags = [byte % 4 == 3 for byte in data]
    return flags if p.shape else flags[0]


def _choice(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> str:
    return p.choices[data[0] % len(p.choices)]


def _whole(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> int:
    low = p.domain.low if p.domain.low is not None else Fraction(0)
    high = p.domain.high if p.domain.high is not None else low + 9
    return int(low) + data[0] % (int(min(high, low + 9)) - int(low) + 1)


def _count(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> float:
    return math.inf if data[0] == 255 else _whole(data, p, extra, lengths)


def _number(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    if len(lengths) == 2:
        width = lengths[1]
        return [_number(data[k * width : (k + 1) * width], p, extra, (width,)) for k in range(lengths[0])]
    if p.distribution:
        return distribution(data)
    known = palette_of(p, extra)
    numbers = [known[byte] for byte in data]
    return numbers if lengths else numbers[0]


KINDS: Mapping[str, Kind] = {
    "number": Kind(_number),
    "flag": Kind(_flag),
    "choice": Kind(_choice, shared=True),
    "integer": Kind(_whole, shared=True),
    "count": Kind(_count, shared=True),
    "mdp": Kind(
        tables.read,
        shared=True,
        count=tables.count,
        axes=tuple(tables.BOUNDS),
        bounds=tables.BOUNDS,
        finish=tables.finish,
        tidy=tables.tidy,
        smaller=tables.smaller,
    ),
    "word": Kind(tokens.read, shared=True, alone=True, tidy=tokens.tidy, smaller=tokens.smaller),
}
