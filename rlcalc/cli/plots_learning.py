"""Pictures of what is learned: values over the steps, a bandit's estimates, the λ-return over λ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.cli.plot_parts import brief, name_axes, numbers, whole_numbers
from rlcalc.evaluation import Evaluation, run_numeric
from rlcalc.exact import to_float
from rlcalc.formulas._learning import experience_of
from rlcalc.plotting import BLACK, BLUE, GREEN, GREY, VERMILION

MOST_LINES = 8  # entries of a table that can be distinguished
_POINTS = 101  # of a curve over λ
COLOURS = (BLUE, VERMILION, GREEN, BLACK, GREY)
STYLES = ("-", "--", "-.", ":")
MARKERS = "osD^vPX*"
_MARKED = 40  # steps that carry markers


def learning(axes: Any, found: Evaluation) -> None:
    """Every value of a table after each step; the entries that move most where there are many."""
    names, rows = _history(found)
    kept = sorted(range(len(names)), key=lambda k: -moved([row[k] for row in rows]))[:MOST_LINES]
    draw_lines(axes, rows, [(k, names[k]) for k in sorted(kept)])
    left_out = len(names) - len(kept)
    title = f"{found.formula.title.split(':')[0]}: values over the steps"
    if left_out:
        title += f" (the {len(kept)} that move most of {len(names)})"
    name_axes(axes, title, "step", found.formula.answer.symbol)


def bandit(axes: Any, found: Evaluation) -> None:
    """The estimate of every arm after each pull, and the pulls that cannot have been greedy."""
    rows = numbers(found, "history")
    names = found.inputs.names["arm"]
    initial = to_float(found.inputs.given["initial"])
    draw_lines(
        axes,
        [[initial] * len(names), *rows],
        [(k, f"arm {names[k]}") for k in range(len(names))][:MOST_LINES],
    )
    exploratory = found.results["exploratory"].exact if "exploratory" in found.results else None
    sure = [t for t, word in enumerate(exploratory or (), start=1) if word == "surely"]
    if sure:
        new = numbers(found, "new_value")
        label = "surely exploratory"
        axes.plot(
            sure, [new[t - 1] for t in sure], "o", markersize=13, fillstyle="none", color=BLACK, label=label
        )
    name_axes(axes, "Estimates of the arms", "pull", "Q")


def lambda_return(axes: Any, found: Evaluation) -> None:
    """The λ-return of the first state for every λ, with the one that was asked for."""
    inputs = found.inputs
    lam, here = to_float(inputs.given["lam"]), numbers(found, "return")
    grid = [k / (_POINTS - 1) for k in range(_POINTS)]
    asked = [
        replace(inputs, given={**inputs.given, "lam": Fraction(k, _POINTS - 1), "alpha": None})
        for k in range(_POINTS)
    ]
    curve = [run_numeric(one, "numpy")["return"] for one in asked]
    axes.plot(grid, curve, "-", color=BLUE, linewidth=2, label="λ-return")
    for at, place, style in ((0, 0.0, "TD target"), (-1, 1.0, "Monte Carlo")):
        axes.plot([place], [curve[at]], "s", color=GREY, label=f"λ = {place:.0f}: {style}")
    axes.plot([lam], [here], "o", color=BLACK, markersize=8, label=f"λ = {brief(lam)}: {brief(here)}")
    name_axes(axes, "λ-return over λ", "λ", "$G_0^λ$")


# parts


def _history(found: Evaluation) -> tuple[list[str], list[list[float]]]:
    """Names of the entries, and all of them before the first step and after each."""
    first = found.formula.answer
    final = numbers(found, first.name)
    flat = [value for row in final for value in row] if len(first.shape) == 2 else list(final)
    known = found.names
    names = list(known["pair"] if len(first.shape) == 2 else known["state"])
    steps = experience_of(found.inputs).steps
    at = [names.index(" ".join(step.key)) for step in steps]
    table = found.inputs.given.get("values") or found.inputs.given.get("q")
    start = [0.0] * len(flat) if table is None else [_initial(table, name) for name in names]
    if "history" in found.results:
        return names, [start, *numbers(found, "history")]
    rows = [start]
    for k, value in zip(at, numbers(found, "new_value"), strict=True):
        rows.append([*rows[-1][:k], value, *rows[-1][k + 1 :]])
    return names, rows


def _initial(table: Any, name: str) -> float:
    return to_float(table.get(tuple(name.split(" "))))


def moved(values: Sequence[float]) -> float:
    return max(values) - min(values)


def draw_lines(
    axes: Any, rows: Sequence[Sequence[float]], entries: Sequence[tuple[int, str]], named: bool = True
) -> None:
    """A line for each entry; named in the legend, unless a panel above has done so."""
    marked = len(rows) <= _MARKED
    for number, (k, name) in enumerate(entries):
        style: dict[str, Any] = {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": STYLES[number % len(STYLES)],
        }
        if marked:
            style |= {"marker": MARKERS[number % len(MARKERS)], "markersize": 5}
        label = (name if len(name) <= 24 else name[:23] + "…") if named else None
        axes.plot(range(len(rows)), [row[k] for row in rows], label=label, drawstyle="steps-post", **style)
    whole_numbers(axes)
