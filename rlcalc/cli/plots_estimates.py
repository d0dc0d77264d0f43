"""Pictures of estimates: double Q-learning, Monte Carlo by visits, batch TD beside batch Monte Carlo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.cli.plot_parts import brief, draw_pairs, name_axes, numbers, whole_numbers
from rlcalc.cli.plots_learning import COLOURS, MARKERS, MOST_LINES, STYLES, draw_lines, moved
from rlcalc.errors import InputError
from rlcalc.evaluation import Evaluation, run_numeric
from rlcalc.exact import to_float
from rlcalc.formulas._learning import experience_of, visits
from rlcalc.plotting import GREY


def double_q(upper: Any, lower: Any, found: Evaluation) -> None:
    """Both tables after each step: one of them moves at a time."""
    names = list(found.names["pair"])
    steps = experience_of(found.inputs).steps
    at = [names.index(" ".join(step.key)) for step in steps]
    update = found.inputs.given["update"] or ["1"]
    tables = {}
    for number in (1, 2):
        table = found.inputs.given[f"q{number}"]
        start = [0.0 if table is None else to_float(table.get(tuple(name.split(" ")))) for name in names]
        rows = tables[number] = [start]
        for t, (k, value) in enumerate(zip(at, numbers(found, "new_value"), strict=True)):
            here = int(update[t if len(update) > 1 else 0]) == number
            rows.append([*rows[-1][:k], value if here else rows[-1][k], *rows[-1][k + 1 :]])
    both = [[*one, *other] for one, other in zip(tables[1], tables[2], strict=True)]
    change = [moved([row[k] for row in both]) for k in range(2 * len(names))]
    ranked = sorted(range(len(names)), key=lambda k: -max(change[k], change[k + len(names)]))
    entries = [(k, names[k]) for k in sorted(ranked[:MOST_LINES])]
    for axes, number in ((upper, 1), (lower, 2)):
        draw_lines(axes, tables[number], entries, named=number == 1)
        name_axes(axes, "", "step" * (number == 2), f"Q{number}")
    upper.set_title("Double Q-learning: both tables over the steps")


def monte_carlo(axes: Any, found: Evaluation) -> None:
    """The return of every visit that counts, and the estimate that the visits so far give."""
    inputs = found.inputs
    experience, returns = experience_of(inputs), numbers(found, "returns")
    counted = visits(experience, inputs.given["visit"])
    new = numbers(found, "new_value") if "new_value" in found.results else None
    for number, state in enumerate(experience.left[:MOST_LINES]):
        own = [k for k, visit in enumerate(counted) if experience.steps[visit.t].state == state]
        gains = [returns[k] for k in own]
        so_far = [sum(gains[: k + 1]) / (k + 1) for k in range(len(gains))]
        colour = COLOURS[number % len(COLOURS)]
        estimates = so_far if new is None else [new[k] for k in own]
        at = [k + 1 for k in own]
        axes.plot(
            at, estimates, STYLES[number % len(STYLES)], color=colour, label=f"V({state})",
            marker=MARKERS[number % len(MARKERS)], markersize=5,
        )  # fmt: skip
        axes.plot(at, gains, "x", color=colour, label="returns" if not number else None)
    whole_numbers(axes)
    how = f"{inputs.given['visit']} visit, γ = {brief(to_float(inputs.given['gamma']))}"
    name_axes(axes, f"Monte Carlo estimates, {how}", "visit that counts", "return and V")


def batch(axes: Any, found: Evaluation) -> None:
    """Batch TD and batch Monte Carlo of every state beside each other; the one that was asked for first."""
    asked = found.inputs.given["method"]
    other = "mc" if asked == "td" else "td"
    words = {"td": "batch TD", "mc": "batch Monte Carlo"}
    series = {words[asked]: numbers(found, "state_values")}
    try:
        inputs = replace(found.inputs, given={**found.inputs.given, "method": other})
        series[f"{words[other]}, for comparison"] = run_numeric(inputs, "numpy")["state_values"]
    except (InputError, ArithmeticError, ValueError):
        pass  # without a discount TD has no fixed point where some state never ends
    draw_pairs(axes, series)
    axes.axhline(0, color=GREY, linewidth=0.7)
    states = experience_of(found.inputs).left
    axes.set_xticks(range(len(states)), states)
    gamma = brief(to_float(found.inputs.given["gamma"]))
    name_axes(axes, f"Batch values of the states, γ = {gamma}", "state", "V")
