"""Correct digits over length, as a picture that a page holds: SVG in the colours of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from rlcalc.digits import DIGITS
from rlcalc.site.markdown import attribute

Point = tuple[int, float]  # length and correct digits
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 44, 36, 12
_STYLE = {"float64": "wide", "float32": "narrow"}


def accuracy(points: Mapping[str, Sequence[Point]], about: str) -> str:
    """One mark per certified case and dtype; a line for what the dtype can hold."""
    longest = max((length for found in points.values() for length, _ in found), default=1)
    right = max(math.log10(longest), 1.0)

    def x(length: int) -> float:
        return LEFT + (WIDTH - LEFT - 12) * math.log10(max(length, 1)) / right

    def y(digits: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - digits / 16)

    parts = [
        f'<svg class="accuracy" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{attribute(about)}">',
        *_axes(x, y, right),
    ]
    for dtype, found in points.items():
        level, kind = y(DIGITS[dtype]), _STYLE[dtype]
        parts.append(
            f'<line class="{kind} most" x1="{LEFT}" x2="{WIDTH - 12}" y1="{level:.1f}" y2="{level:.1f}"/>'
        )
        parts.append(
            f'<text class="{kind}" x="{WIDTH - 14}" y="{level + 13:.1f}" text-anchor="end">{dtype}</text>'
        )
        for length, digits in sorted(set(found)):
            parts.append(f'<circle class="{kind}" cx="{x(length):.1f}" cy="{y(digits):.1f}" r="4"/>')
    return "".join([*parts, "</svg>"])


def _axes(x: Callable[[int], float], y: Callable[[float], float], right: float) -> Iterator[str]:
    for digits in (0, 4, 8, 12, 16):
        at = y(digits)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 12}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{digits}</text>'
    for power in range(math.ceil(right) + (right == int(right))):
        at = x(10**power)
        yield f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power}</text>'
    middle = (LEFT + WIDTH) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 2}" text-anchor="middle">entries of the longest input</text>'
