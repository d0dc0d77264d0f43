"""Pictures of three formulas; the only module that imports matplotlib.

A specification names its picture (``plot = "ppo_clip"``); ``DRAW`` maps that
name to a function that draws on one pair of axes. Colours are Okabe and
Ito's, which the colour-blind can tell apart, and no series is told apart by
colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import to_float, to_text
from rlcalc.files import check_target, replacing

if TYPE_CHECKING:
    from rlcalc.evaluation import Evaluation

SUFFIXES = (".png", ".svg", ".pdf")
BLUE, VERMILION, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777"
CHAIN_STEPS = 4
MOST_BARS = 60  # that are drawn one by one
# what a picture shows that nobody typed
REMARKS = {
    "n_step": f"It shows a chain of {CHAIN_STEPS} steps at this discount; rewards and values play no part."
}


def check_file(name: str) -> Path:
    """The path to draw into, before any work is done for it.

    Raises:
        InputError: ``plot_suffix``, ``plot_folder`` or ``plot_extra_missing``.
    """
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        what = f"the suffix {shown(path.suffix)}" if suffix else "no suffix"
        hint = suggestion(suffix, list(SUFFIXES))
        message = f"--plot {shown(name)} has {what}; it takes {', '.join(SUFFIXES)}."
        raise InputError("plot_suffix", message, hint)
    with _as_plot_error():
        check_target(path)
    if find_spec("matplotlib") is None:
        raise InputError(
            "plot_extra_missing",
            "--plot needs matplotlib, which is not installed.",
            "pip install 'rlcalc[plot]'",
        )
    return path


@contextmanager
def _as_plot_error() -> Iterator[None]:
    """What cannot be written, under the code that ``--plot`` has always had for it."""
    try:
        yield
    except InputError as error:
        raise InputError("plot_folder", error.message, error.hint) from None


def draw(found: Evaluation, name: str) -> str:
    """Draw an evaluation into a PNG, SVG or PDF file, and say where it is.

    The file appears under its name only when it is complete.

    Raises:
        InputError: ``plot_needs_numbers``, ``plot_folder`` or as ``check_file``.
    """
    path = check_file(name)
    free = sorted(found.inputs.symbols)
    if free:
        raise InputError(
            "plot_needs_numbers", f"A picture needs numbers, and {', '.join(free)} is left as a symbol."
        )
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    DRAW[found.formula.plot](axes, found)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    # outside the axes, so that it can cover no data
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    with _as_plot_error(), replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=150)
    return f"The plot is in {path}. {REMARKS.get(found.formula.plot, '')}".rstrip()


def ppo_clip(axes: Any, found: Evaluation) -> None:
    """The clipped objective over the ratio for both signs of A, with the current point."""
    inputs = found.inputs
    ratio, adv, eps = (to_float(inputs.values[name]) for name in ("ratio", "adv", "eps"))
    size = abs(adv) or 1.0
    low, high = 1 - eps, 1 + eps
    right = max(2.0, 1.15 * ratio)
    # the curves are straight between these points
    grid = sorted({0.0, low, high, right})
    for sign, colour, style in ((1, BLUE, "-"), (-1, VERMILION, "--")):
        a = sign * size
        curve = [min(r * a, max(low, min(r, high)) * a) for r in grid]
        axes.plot(grid, curve, style, color=colour, linewidth=2.2, label=f"A = {_brief(a)}")
    edges = f"1 ± ε = {_brief(low)} … {_brief(high)}"
    axes.axvspan(low, high, color=GREY, alpha=0.18, linewidth=0, label=edges)
    axes.axhline(0, color=GREY, linewidth=0.7)
    here = _answer(found)
    axes.plot(
        [ratio], [here], "o", color=BLACK, markersize=8, label=f"r = {_brief(ratio)}, L = {_brief(here)}"
    )
    axes.set_xlim(0, right)
    axes.set_xlabel("probability ratio r")
    axes.set_ylabel("clipped objective L")
    axes.set_title(f"PPO's clipped objective, ε = {to_text(inputs.values['eps'])}")


def lambda_weights(axes: Any, found: Evaluation) -> None:
    """The weight of each n-step return as bars."""
    lam = found.inputs.values["lam"]
    weights = _weights(found)
    of = len(weights) if _ends(found) else None
    weights = weights[: _visible(weights)]
    counts = range(1, len(weights) + 1)
    last = weights[-1:] if len(weights) == of else []
    body = weights[: len(weights) - len(last)]
    if len(body) > MOST_BARS:
        # bars thinner than a pixel vanish; their outline does not
        edges = [n - 0.5 for n in range(1, len(body) + 2)]
        axes.stairs(body, edges, fill=True, color=BLUE, label="(1 − λ) λⁿ⁻¹")
    elif body:
        axes.bar(counts[: len(body)], body, color=BLUE, width=0.75, label="(1 − λ) λⁿ⁻¹")
    if last:
        axes.bar(
            counts[-1:], last, color=VERMILION, width=max(0.75, len(weights) / 120), hatch="//",
            edgecolor="white", label="λᴺ⁻¹, all that is left",
        )  # fmt: skip
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, max(weights) * 1.08 or 1)
    beyond = "" if last else f"; the first {len(weights)} of {of or 'infinitely many'}"
    axes.set_xlabel(f"n, steps before the bootstrap{beyond}")
    axes.set_ylabel("weight of the n-step return")
    axes.set_title(f"Weights of the λ-return, λ = {to_text(lam)}")


def n_step(axes: Any, found: Evaluation) -> None:
    """Bias and variance of n-step returns on a chain whose true values are 0."""
    gamma = found.inputs.values["gamma"]
    if isinstance(gamma, list):
        raise InputError(
            "plot_needs_one_discount", "The picture is drawn for one discount, not one per step."
        )
    bias, variance = chain_bias_and_variance(gamma)
    counts = range(1, CHAIN_STEPS + 1)
    # a bar of height 0 cannot be seen, so every bar carries its number
    left = axes.bar([n - 0.2 for n in counts], [to_float(b) for b in bias], 0.38, color=BLUE, label="bias")
    right = axes.bar(
        [n + 0.2 for n in counts], [to_float(v) for v in variance], 0.38,
        color=VERMILION, hatch="//", edgecolor="white", label="variance",
    )  # fmt: skip
    for bars in (left, right):
        axes.bar_label(bars, fmt="%.4g", fontsize=9, padding=2)
    axes.set_xticks(list(counts))
    axes.set_xlabel("n, steps before the bootstrap (n = 4 is Monte Carlo)")
    axes.set_ylabel("bias, variance")
    axes.set_title(f"n-step returns on a {CHAIN_STEPS}-step chain, R = ±1, V = 1, γ = {to_text(gamma)}")


def chain_bias_and_variance(gamma: Any) -> tuple[list[Any], list[Any]]:
    """Exact bias and variance of G^(n), n = 1 … 4, of the lecture's chain.

    Rewards are ±1 with even odds and independent, so each has mean 0 and
    variance 1, and every true value is 0. V is 1 on the non-terminal states.
    Hence E G^(n) = γⁿ while S_n is not terminal and 0 at the end, which is the
    bias, and Var G^(n) = 1 + γ² + … + γ^{2(n−1)}, since V adds a constant.
    """
    one = gamma * 0 + 1
    bias: list[Any] = []
    variance: list[Any] = []
    power, spread = one, one * 0
    for n in range(1, CHAIN_STEPS + 1):
        spread = spread + power * power
        power = power * gamma
        bias.append(power if n < CHAIN_STEPS else one * 0)
        variance.append(spread)
    return bias, variance


def _answer(found: Evaluation) -> float:
    result = found.answer
    if result.exact is not None:
        return to_float(result.exact)
    return float(result.numpy if result.numpy is not None else result.torch)


def _weights(found: Evaluation) -> list[float]:
    if not _ends(found):
        return _first_weights(to_float(found.inputs.values["lam"]))
    result = found.results.get("weights")
    for values in (result.exact, result.numpy, result.torch) if result is not None else ():
        if isinstance(values, list):
            return [value if isinstance(value, float) else to_float(value) for value in values]
    raise InputError("plot_needs_weights", "There are no weights to draw.")


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
    return bool(found.inputs.values.get("steps") != float("inf"))


def _brief(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


DRAW: dict[str, Callable[[Any, Any], None]] = {
    "ppo_clip": ppo_clip,
    "lambda_weights": lambda_weights,
    "n_step": n_step,
}
