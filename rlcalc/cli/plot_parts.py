"""Parts of pictures: names of axes, bars with their numbers, and numbers in few digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.evaluation import Evaluation
from rlcalc.exact import to_float, to_text
from rlcalc.nested import map_nested
from rlcalc.plotting import BLUE, GREEN, GREY, VERMILION

MOST_BARS = 60  # that are drawn one by one
MOST_NUMBERS = 12  # bars that carry their number


def name_axes(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def whole_numbers(axes: Any) -> None:
    axes.xaxis.get_major_locator().set_params(integer=True)


def draw_bars(
    axes: Any,
    places: Sequence[float],
    heights: Sequence[float],
    width: float = 0.75,
    numbered: bool = True,
    **style: Any,
) -> None:
    """Bars with their numbers; an outline where they would be thinner than a pixel."""
    if len(heights) > MOST_BARS:
        edges = [places[0] - 0.5 + k for k in range(len(heights) + 1)]
        style.pop("hatch", None), style.pop("edgecolor", None)
        axes.stairs(heights, edges, fill=True, alpha=0.7, **style)
        return
    bars = axes.bar(places, heights, width, **style)
    if numbered and len(heights) <= MOST_NUMBERS:
        # a bar of height 0 cannot be seen, so every bar carries its number
        axes.bar_label(bars, labels=[brief(value) for value in heights], fontsize=8, padding=2)
        axes.margins(y=0.12)


def draw_pairs(axes: Any, series: dict[str, Sequence[float]]) -> None:
    """One or two series by their labels, the bars of an index beside each other."""
    styles: tuple[dict[str, Any], ...] = (
        {"color": BLUE},
        {"color": VERMILION, "hatch": "//", "edgecolor": "white"},
    )
    for shift, style, (label, values) in zip((-0.2, 0.2), styles, series.items(), strict=False):
        draw_bars(axes, [k + shift for k in range(len(values))], values, 0.38, label=label, **style)


def draw_parts(upper: Any, lower: Any, values: Sequence[float], label: str) -> None:
    """Below a picture by index, what each index adds to one number."""
    draw_bars(lower, range(len(values)), values, 0.7, color=GREEN, label=label)
    lower.axhline(0, color=GREY, linewidth=0.7)
    for axes in (upper, lower):
        whole_numbers(axes)
    lower.set_xlim(upper.get_xlim())


def numbers(found: Evaluation, name: str) -> Any:
    """An output as floats, from whichever backend ran."""
    result = found.results[name]
    if result.exact is not None:
        return map_nested(to_float, result.exact)
    return result.numpy if result.numpy is not None else result.torch


def brief(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def short(value: Any) -> str:
    text = to_text(value)
    return text if len(text) <= 12 else brief(to_float(value))
