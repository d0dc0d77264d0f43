"""Pictures of formulas, drawn from one evaluation.

A specification names its picture (``plot = "ppo_clip"``); ``DRAW`` maps that
name to a function that draws on one or two pairs of axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rlcalc.cli import plots_estimates as estimates
from rlcalc.cli import plots_training as training
from rlcalc.cli.plot_parts import (
    MOST_BARS,
    MOST_NUMBERS,
    brief,
    draw_bars,
    draw_pairs,
    draw_parts,
    name_axes,
    numbers,
    short,
    whole_numbers,
)
from rlcalc.cli.plots_learning import bandit, lambda_return, learning
from rlcalc.cli.process_plots import process
from rlcalc.errors import InputError
from rlcalc.evaluation import Evaluation, run_numeric
from rlcalc.exact import to_float
from rlcalc.nested import map_nested
from rlcalc.plotting import BLACK, BLUE, GREEN, GREY, VERMILION, new_figure, save


def draw(found: Evaluation, name: str) -> str:
    """Draw an evaluation into a PNG, SVG or PDF file, and say where it is.

    Raises:
        InputError: ``plot_needs_numbers``, ``plot_folder`` or as ``check_file``.
    """
    free = sorted(found.inputs.symbols)
    if free:
        raise InputError(
            "plot_needs_numbers", f"A picture needs numbers, and {', '.join(free)} is left as a symbol."
        )
    panels, function = DRAW[found.formula.plot]
    figure, axes = new_figure(panels)
    function(*axes, found)
    return f"The plot is in {save(figure, name)}."


# PPO


def ppo_clip(axes: Any, found: Evaluation) -> None:
    """The clipped objective over the ratio for both signs of A, r·A beside it, and the current point."""
    inputs = found.inputs
    ratio, adv, eps = (to_float(inputs.given[name]) for name in ("ratio", "adv", "eps"))
    size = abs(adv) or 1.0
    low, high = 1 - eps, 1 + eps
    right = max(2.0, 1.15 * ratio)
    # the curves are straight between these points
    grid = sorted({0.0, low, high, right})
    for sign, colour, style in ((1, BLUE, "-"), (-1, VERMILION, "--")):
        a = sign * size
        axes.plot(grid, [r * a for r in grid], ":", color=colour, linewidth=1.2, label=f"r·A, A = {brief(a)}")
        curve = [min(r * a, max(low, min(r, high)) * a) for r in grid]
        axes.plot(grid, curve, style, color=colour, linewidth=2.2, label=f"L, A = {brief(a)}")
    edges = f"1 ± ε = {brief(low)} … {brief(high)}"
    axes.axvspan(low, high, color=GREY, alpha=0.18, linewidth=0, label=edges)
    axes.axhline(0, color=GREY, linewidth=0.7)
    here = numbers(found, "objective")
    point = f"r = {brief(ratio)}, L = {brief(here)}"
    axes.plot([ratio], [here], "o", color=BLACK, markersize=8, label=point)
    axes.set_xlim(0, right)
    name_axes(axes, f"PPO's clipped objective, ε = {short(inputs.given['eps'])}", "probability ratio r", "L")


# returns and advantages


def lambda_weights(axes: Any, found: Evaluation) -> None:
    """The weight of each n-step return as bars."""
    lam = found.inputs.given["lam"]
    weights = _weights(found)
    of = len(weights) if _ends(found) else None
    weights = weights[: _visible(weights)]
    last = weights[-1:] if len(weights) == of else []
    body = weights[: len(weights) - len(last)]
    counts = range(1, len(weights) + 1)
    if body:
        draw_bars(axes, counts[: len(body)], body, color=BLUE, label="(1 − λ) λⁿ⁻¹")
    if last:
        draw_bars(
            axes, counts[-1:], last, max(0.75, len(weights) / 120), color=VERMILION, hatch="//",
            edgecolor="white", label="λᴺ⁻¹, all that is left", numbered=len(weights) <= MOST_NUMBERS,
        )  # fmt: skip
    whole_numbers(axes)
    axes.set_ylim(0, max(weights) * 1.08 or 1)
    beyond = "" if last else f"; the first {len(weights)} of {of or 'infinitely many'}"
    title = f"Weights of the λ-return, λ = {short(lam)}"
    name_axes(axes, title, f"n, steps before the bootstrap{beyond}", "weight of the n-step return")


def weights_and_return(weights: Any, over: Any, found: Evaluation) -> None:
    """The weights of the n-step returns, and the λ-return for every other λ."""
    lambda_weights(weights, found)
    weights.set_ylabel("weight")
    lambda_return(over, found)


def n_step(axes: Any, found: Evaluation) -> None:
    """The n-step return of the first state for every n, split into its rewards and its bootstrap."""
    inputs = found.inputs
    length = len(inputs.given["rewards"])
    counts = range(1, length + 1)
    nothing = {name: _zeros(inputs.given[name]) for name in ("values", "next_values")}
    totals, rewards = [], []
    for n in counts:
        asked = replace(inputs, given={**inputs.given, "n": n, "alpha": None})
        totals.append(run_numeric(asked, "numpy")["return"])
        asked = replace(asked, given={**asked.given, **nothing})
        rewards.append(run_numeric(asked, "numpy")["return"])
    bootstraps = [total - part for total, part in zip(totals, rewards, strict=True)]
    axes.bar(counts, rewards, 0.7, color=BLUE, label="discounted rewards")
    axes.bar(
        counts, bootstraps, 0.7, bottom=rewards, color=VERMILION, hatch="//", edgecolor="white",
        label="discounted value of the state reached",
    )  # fmt: skip
    axes.plot(counts, totals, "o", color=GREEN, markersize=5, label="n-step return of S_0")
    chosen = length if inputs.given["n"] == math.inf else min(inputs.given["n"], length)
    axes.plot(
        [chosen], [totals[chosen - 1]], "o", color=BLACK, markersize=11, fillstyle="none", markeredgewidth=2,
        label=f"n = {inputs.given['n']}: {brief(totals[chosen - 1])}",
    )  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.7)
    whole_numbers(axes)
    gamma = inputs.given["gamma"]
    discount = "discounts per step" if isinstance(gamma, list) else f"γ = {short(gamma)}"
    name_axes(
        axes, f"n-step returns, {discount}", "n, steps before the bootstrap", "return of the first state"
    )


def gae(upper: Any, lower: Any, found: Evaluation) -> None:
    """TD errors and advantages by step; below, what every TD error adds to the first advantage."""
    inputs = found.inputs
    advantages = numbers(found, "advantages")
    # with λ = 0 an advantage is its TD error
    errors = run_numeric(replace(inputs, given={**inputs.given, "lam": inputs.given["lam"] * 0}), "numpy")
    deltas = errors["advantages"]
    draw_pairs(upper, {"TD error δ_t": deltas, "advantage A_t": advantages})
    draw_parts(upper, lower, _shares(inputs, deltas), "(γλ)^t δ_t, its share of A_0")
    upper.axhline(0, color=GREY, linewidth=0.7)
    title = f"Generalized advantage estimation, λ = {short(inputs.given['lam'])}"
    name_axes(upper, title, "", "δ_t and A_t")
    name_axes(lower, "", "step t", f"shares of A_0 = {brief(advantages[0])}")


def _shares(inputs: Any, deltas: Sequence[float]) -> list[float]:
    """What every TD error adds to A_0: its discounts and λ so far, and nothing after an episode's end."""
    lam, gamma = to_float(inputs.given["lam"]), inputs.given["gamma"]
    ends = [inputs.given[name] or [0] * len(deltas) for name in ("terminated", "truncated")]
    shares, weight = [], 1.0
    for t, delta in enumerate(deltas):
        shares.append(weight * delta)
        discount = to_float(gamma[t] if isinstance(gamma, list) else gamma)
        weight *= 0.0 if ends[0][t] or ends[1][t] else discount * lam
    return shares


# distributions and decision processes


def kl(upper: Any, lower: Any, found: Evaluation) -> None:
    """Both distributions; below, what every outcome adds to the divergence."""
    p, q = ([to_float(value) for value in found.inputs.given[name]] for name in ("p", "q"))
    draw_pairs(upper, {"p": p, "q": q})
    if any(a and not b for a, b in zip(p, q, strict=True)):
        raise InputError("plot_infinite", "The divergence is infinite: p is above 0 where q is 0.")
    parts = [a * math.log(a / b) if a else 0.0 for a, b in zip(p, q, strict=True)]
    draw_parts(upper, lower, parts, "p log(p/q), its share of D")
    name_axes(upper, f"D(p‖q) = {brief(numbers(found, 'divergence'))}", "", "probability")
    name_axes(lower, "", "outcome", "share of D(p‖q)")


def policy_gradient(axes: Any, found: Evaluation) -> None:
    """The policy by rows of θ as bars, and from each an arrow to where the gradient moves its preference."""
    inputs = found.inputs
    mdp, slopes = inputs.given["mdp"], numbers(found, "gradient")
    rows = len(slopes)
    if rows * len(mdp.actions) > MOST_BARS:
        raise InputError("plot_too_large", f"More than {MOST_BARS} bars cannot be read in a picture.")
    chances = _softmax([[to_float(x) for x in row] for row in inputs.given["theta"]])
    names = {len(mdp.states): mdp.states, len(mdp.non_terminal): [mdp.states[s] for s in mdp.non_terminal]}
    longest = max(abs(slope) for row in slopes for slope in row) or 1.0
    places, labels, ends = [], [], [0.0]
    for k, row in enumerate(slopes):
        state = names[rows][k] if rows in names else "all states"
        for a, slope in enumerate(row):
            places.append(k * (len(row) + 1) + a)
            labels.append(f"{mdp.actions[a]}\n{state}" if a == len(row) // 2 else mdp.actions[a])
            top = chances[k][a]
            ends += [top, top + 0.3 * slope / longest]
            if slope:
                arrow = {"arrowstyle": "->", "color": VERMILION, "linewidth": 2}
                axes.annotate("", xy=(places[-1], ends[-1]), xytext=(places[-1], top), arrowprops=arrow)
            number = f"{slope:.2g}".replace("-", "−")
            axes.text(places[-1], max(ends[-2:]) + 0.03, number, ha="center", fontsize=7)
    axes.bar(places, [chance for row in chances for chance in row], 0.75, color=BLUE, label="π(a | s)")
    axes.plot([], [], color=VERMILION, marker="^", label="∂J/∂θ, the longest arrow the largest of them")
    axes.set_xticks(places, labels)
    axes.set_ylim(min(ends), max(ends) + 0.12)
    gamma, form = short(inputs.given["gamma"]), inputs.given["form"]
    title = f"Policy gradient on {mdp.label}, {form}, γ = {gamma}; J = {brief(numbers(found, 'objective'))}"
    name_axes(axes, title, "action, by state", "probability")


def _softmax(table: list[list[float]]) -> list[list[float]]:
    powers = [[math.exp(x - max(row)) for x in row] for row in table]
    return [[power / sum(row) for power in row] for row in powers]


def _zeros(value: Any) -> Any:
    return None if value is None else map_nested(lambda entry: entry * 0, value)


def _weights(found: Evaluation) -> list[float]:
    """The weights of an evaluation; with endless steps those that can be seen."""
    if not _ends(found):
        return _first_weights(to_float(found.inputs.given["lam"]))
    if "weights" not in found.results:
        raise InputError("plot_needs_weights", "There are no weights to draw.")
    return list(numbers(found, "weights"))


def _visible(weights: list[float]) -> int:
    """How many weights to draw: all of a short episode, else up to the last that would be seen."""
    if len(weights) <= MOST_BARS:
        return len(weights)
    least = max(weights) / 1000
    return max(n for n, weight in enumerate(weights, 1) if weight >= least)


def _first_weights(lam: float) -> list[float]:
    """The first weights of infinitely many: until 2 % are left, at most 60."""
    weights: list[float] = []
    left = 1.0
    while left > 0.02 and len(weights) < 60:
        weights.append((1 - lam) * left)
        left *= lam
    return weights


def _ends(found: Evaluation) -> bool:
    """Whether the last weight is the remainder, as it is for every episode that ends."""
    return bool(found.inputs.given.get("steps") != float("inf"))


DRAW: dict[str, tuple[int, Callable[..., None]]] = {
    "ppo_clip": (1, ppo_clip),
    "lambda_weights": (1, lambda_weights),
    "n_step": (1, n_step),
    "gae": (2, gae),
    "kl": (2, kl),
    "process": (2, process),
    "policy_gradient": (1, policy_gradient),
    "lambda_return": (2, weights_and_return),
    "learning": (1, learning),
    "bandit": (1, bandit),
    "double_q": (2, estimates.double_q),
    "monte_carlo": (1, estimates.monte_carlo),
    "batch": (1, estimates.batch),
    "aggregation": (1, training.aggregation),
    "policy_clip": (2, training.policy_clip),
    "kl_estimate": (2, training.kl_estimate),
    "preference": (2, training.preference),
    "success_rate": (2, training.success_rate),
}
