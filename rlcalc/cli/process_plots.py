"""Pictures of decision processes: values and policy on a grid, v over sweeps or the discount, the process."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.cli.grid_view import ARROWS
from rlcalc.cli.plot_parts import brief, name_axes, numbers, short, whole_numbers
from rlcalc.errors import InputError
from rlcalc.evaluation import Evaluation, run_numeric
from rlcalc.exact import to_float, to_text
from rlcalc.mdp.model import MDP
from rlcalc.plotting import BLACK, BLUE, GREEN, GREY, VERMILION, new_figure, save

MOST_CELLS = 400  # of a grid whose numbers can be read
MOST_CURVES = 6
MOST_NODES = 24
POINTS = 40  # of a curve over the discount
LAST = 0.95  # discount to which it goes: nearer to 1 some values grow without bound
COLOURS = (BLUE, VERMILION, GREEN, BLACK, GREY, "#CC79A7")
STYLES = ("-", "--", "-.", ":", "-", "--")
_TURN = {"↑": (0.0, -1.0), "↓": (0.0, 1.0), "←": (-1.0, 0.0), "→": (1.0, 0.0)}  # rows go down


def process(upper: Any, lower: Any, found: Evaluation) -> None:
    """Values and best moves on a grid, or Q of every state and action.

    Below, v over the sweeps or the rounds where there are several, and over the discount elsewhere.
    """
    mdp = found.inputs.given["mdp"]
    if "values" not in found.results:
        raise InputError("plot_needs_values", "There are no values to draw: the policy never ends.")
    values, table = numbers(found, "values"), numbers(found, "q_values")
    if mdp.places:
        grid_values(upper, mdp, values, table)
    else:
        heat_map(upper, mdp, table)
    gamma = short(found.inputs.given["gamma"])
    upper.figure.suptitle(f"{found.formula.title} on {mdp.label}, γ = {gamma}")  # of both panels
    # one round is no curve
    several = (
        name for name in ("history", "rounds") if name in found.results and len(numbers(found, name)) > 1
    )
    rows = next(several, "")
    if rows:
        over_rounds(lower, found, values, rows)
    else:
        over_discount(lower, found, values)


def heat_map(axes: Any, mdp: MDP, table: list[list[float]]) -> None:
    """Q of every state and action; the best actions of a state are framed."""
    if len(mdp.states) * len(mdp.actions) > MOST_CELLS:
        raise InputError("plot_too_large", f"More than {MOST_CELLS} cells cannot be read in a picture.")
    cells = [[value if math.isfinite(value) else math.nan for value in row] for row in table]
    image = axes.imshow(cells, cmap="cividis", aspect="auto")
    axes.figure.colorbar(image, ax=axes, label="Q(s, a)")
    axes.set_xticks(range(len(mdp.actions)), mdp.actions)
    axes.set_yticks(range(len(mdp.states)), mdp.states)
    name_axes(axes, "", "action", "state")
    there = [value for row in table for value in row if math.isfinite(value)]
    middle = (min(there) + max(there)) / 2
    for s, row in enumerate(table):
        for a in mdp.available(s):
            value = row[a]
            colour = "white" if value < middle else "black"
            axes.text(a, s, brief(value), ha="center", va="center", color=colour)
            if not mdp.terminal[s] and value >= max(row) - 1e-12 * (1 + abs(value)):
                label = "" if axes.get_lines() else "best action of a state"
                axes.plot(
                    [a - 0.46, a + 0.46, a + 0.46, a - 0.46, a - 0.46],
                    [s - 0.44, s - 0.44, s + 0.44, s + 0.44, s - 0.44],
                    color=VERMILION, linewidth=2, label=label,
                )  # fmt: skip


def grid_values(
    axes: Any, mdp: MDP, values: list[float], q_values: list[list[float]] | None = None, label: str = "value"
) -> None:
    """Every cell with its value, coloured by it, and arrows for its best moves where these are known."""
    if len(mdp.states) > MOST_CELLS:
        raise InputError("plot_too_large", f"More than {MOST_CELLS} cells cannot be read in a picture.")
    rows = 1 + max(row for row, _ in mdp.places)
    columns = 1 + max(column for _, column in mdp.places)
    table = [[math.nan] * columns for _ in range(rows)]
    for (row, column), value in zip(mdp.places, values, strict=True):
        table[row][column] = value
    image = axes.imshow(table, cmap="cividis", aspect="equal")
    axes.figure.colorbar(image, ax=axes, label=label)
    axes.figure.set_size_inches(7, 7.4 if len(axes.figure.axes) > 2 else 5)
    axes.set_ylabel("state")
    axes.set_xticks([]), axes.set_yticks([])
    low, high = min(values), max(values)
    size = max(5, min(9, 60 / max(rows, columns)))
    for s, (row, column) in enumerate(mdp.places):
        dark = values[s] < (low + high) / 2
        colour = "white" if dark else "black"
        below = 0.0 if mdp.terminal[s] or q_values is None else 0.24
        text = "end" if mdp.terminal[s] else f"{values[s]:.3g}".replace("-", "−")
        axes.text(column, row + below, text, ha="center", va="center", color=colour, fontsize=size)
        if q_values is not None and not mdp.terminal[s]:
            _draw_arrows(axes, mdp, s, q_values[s], (row, column), colour)


def _draw_arrows(axes: Any, mdp: MDP, s: int, q: list[float], at: tuple[int, int], colour: str) -> None:
    """The best moves of a cell, from a point in its upper part."""
    best = max(q)
    for a in mdp.available(s):
        turn = _TURN.get(ARROWS.get(mdp.actions[a].lower(), ""))
        if turn is None or q[a] < best - 1e-9 * (1 + abs(best)):
            continue
        axes.annotate(
            "", xy=(at[1] + 0.26 * turn[0], at[0] - 0.16 + 0.26 * turn[1]), xytext=(at[1], at[0] - 0.16),
            arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def over_rounds(axes: Any, found: Evaluation, values: list[float], name: str) -> None:
    """v of some states after each sweep, or of the policy of each round; dotted, the answer."""
    mdp, rows = found.inputs.given["mdp"], numbers(found, name)
    for s, colour, style in zip(_some(mdp, values), COLOURS, STYLES, strict=False):
        axes.plot(
            range(len(rows)), [row[s] for row in rows], style, color=colour, marker="o", markersize=4,
            label=mdp.states[s],
        )  # fmt: skip
        if name == "history":
            axes.axhline(values[s], color=colour, linewidth=0.8, linestyle=":")
    whole_numbers(axes)
    axes.set_xlabel("sweep" if name == "history" else "round of policy iteration")
    axes.set_ylabel("value of a state")


def _some(mdp: MDP, values: list[float]) -> list[int]:
    """States whose values lie evenly between the smallest and the largest."""
    ranked = sorted(mdp.non_terminal, key=values.__getitem__)
    picks = {round(k * (len(ranked) - 1) / (MOST_CURVES - 1)) for k in range(MOST_CURVES)}
    return sorted(ranked[k] for k in picks if k < len(ranked))


def over_discount(axes: Any, found: Evaluation, values: list[float]) -> None:
    """v of some states over the discount, with the discount that was given."""
    mdp = found.inputs.given["mdp"]
    here = to_float(found.inputs.given["gamma"])
    last = max(LAST, here if here < 1 else 0)
    grid = [last * k / POINTS for k in range(POINTS + 1)]
    table = []
    for gamma in grid:
        asked = replace(
            found.inputs, given={**found.inputs.given, "gamma": Fraction(str(gamma)), **_plain(found)}
        )
        table.append(run_numeric(asked, "numpy")["values"])
    for s, colour, style in zip(_some(mdp, values), COLOURS, STYLES, strict=False):
        axes.plot(grid, [row[s] for row in table], style, color=colour, label=mdp.states[s])
        axes.plot([here], [values[s]], "o", color=colour, markersize=5)
    axes.axvline(here, color=GREY, linewidth=0.8)
    axes.set_xlabel(f"discount γ; here {to_text(found.inputs.given['gamma'])}")
    axes.set_ylabel("value of a state")


def _plain(found: Evaluation) -> dict[str, Any]:
    """Inputs of sweeps, which play no part in the solution."""
    return {
        p.name: None
        for p in found.formula.parameters
        if p.name in ("sweeps", "in_place", "order") and p.optional
    }


# the process itself


def draw_process(mdp: MDP, name: str) -> str:
    """Draw states and transitions, and say where the picture is.

    Raises:
        InputError: ``plot_too_large``, ``plot_folder`` or as ``check_file``.
    """
    if mdp.symbols:
        raise InputError(
            "plot_needs_numbers", f"A picture needs numbers, not {', '.join(sorted(mdp.symbols))}."
        )
    figure, (axes,) = new_figure()
    if mdp.places:
        paid = [max((to_float(x) for x in row), default=0.0) for row in mdp.r]
        grid_values(axes, mdp, paid, label="largest expected reward of a step")
        figure.suptitle(mdp.label)
    else:
        _graph(axes, mdp)
    return f"The plot is in {save(figure, name)}."


def _graph(axes: Any, mdp: MDP) -> None:
    """States on a circle, an arrow for every pair of states with what leads from one to the other."""
    count = len(mdp.states)
    if count > MOST_NODES:
        raise InputError("plot_too_large", f"More than {MOST_NODES} states cannot be drawn on a circle.")
    turn = [math.pi / 2 - 2 * math.pi * s / count for s in range(count)]
    at = [(1.6 * math.cos(x), math.sin(x)) for x in turn]
    labels: dict[tuple[int, int], list[str]] = {}
    for s in mdp.non_terminal:
        for a in mdp.available(s):
            for t, chance in mdp.moves[s][a] or ():
                size = "" if chance == 1 else f" {to_text(chance)}"
                labels.setdefault((s, t), []).append(f"{mdp.actions[a]}{size}, {to_text(mdp.r[s][a])}")
    for (s, t), texts in labels.items():
        if s == t:
            x, y = at[s][0] * 1.2, at[s][1] * 1.28
        else:
            axes.annotate(
                "", xy=at[t], xytext=at[s],
                arrowprops={"arrowstyle": "->", "color": GREY, "connectionstyle": "arc3,rad=0.16",
                            "shrinkA": 22, "shrinkB": 22, "linewidth": 1.2},
            )  # fmt: skip
            bend = (at[t][1] - at[s][1], at[s][0] - at[t][0])
            x = 0.5 * (at[s][0] + at[t][0]) + 0.1 * bend[0]
            y = 0.5 * (at[s][1] + at[t][1]) + 0.1 * bend[1]
        axes.text(
            x,
            y,
            "\n".join(texts),
            fontsize=7,
            ha="center",
            va="center",
            color=VERMILION,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    for s, (x, y) in enumerate(at):
        edge = {"boxstyle": "round,pad=0.4", "facecolor": "#DDDDDD" if mdp.terminal[s] else "white",
                "edgecolor": BLUE}  # fmt: skip
        axes.text(x, y, mdp.states[s], ha="center", va="center", fontsize=9, bbox=edge)
    axes.set_xlim(-2.4, 2.4), axes.set_ylim(-1.6, 1.6)
    axes.axis("off")
    axes.set_title(
        f"{mdp.label}: action, probability (if below 1), expected reward; grey states are terminal"
    )
