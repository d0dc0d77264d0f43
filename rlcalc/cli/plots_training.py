"""Pictures of the formulas of language-model training.

Curves come from the NumPy forms, so that a picture cannot show another formula than the one computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.cli.plot_parts import brief, name_axes, numbers, short
from rlcalc.evaluation import Evaluation, run_numeric
from rlcalc.exact import to_float
from rlcalc.formulas import load_forms
from rlcalc.inputs.bind import Inputs
from rlcalc.plotting import BLACK, BLUE, GREEN, GREY, VERMILION
from rlcalc.specs import load_formula

# no series is known by its colour alone
STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": VERMILION, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": BLACK, "linestyle": ":", "marker": "D"},
    {"color": GREY, "linestyle": "-", "marker": "v"},
    {"color": BLUE, "linestyle": ":", "marker": "x"},
    {"color": VERMILION, "linestyle": "-.", "marker": "+"},
)
MOST_ANSWERS, MOST_OF_A_GROUP = 40, 64
FINE = 401  # points of a curve


def _lines() -> Iterator[dict[str, Any]]:
    """Styles without marks, for curves."""
    yield from ({key: style[key] for key in ("color", "linestyle")} for style in STYLES)


def _form(name: str, **inputs: Any) -> Any:
    """Outputs of a NumPy form."""
    return load_forms(name).numpy_form(**inputs)


def aggregation(axes: Any, found: Evaluation) -> None:
    """What one token weighs in each answer, the shortest first, by every mode."""
    inputs = found.inputs
    lengths = [sum(row) for row in inputs.given["mask"]]
    order = sorted((n for n, length in enumerate(lengths) if length), key=lambda n: lengths[n])
    order = order[:MOST_ANSWERS]
    modes = load_formula("loss_aggregation").parameter("mode").choices
    for style, mode in zip(STYLES, modes, strict=False):
        weights = _weights(inputs, mode)
        chosen = mode == inputs.given["mode"]
        axes.plot(
            range(len(order)), [max(weights[n]) for n in order], label=mode, linewidth=2.6 if chosen else 1.2,
            markersize=8 if chosen else 5, **style,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xticks(range(len(order)), [str(lengths[n]) for n in order])
    loss = brief(float(numbers(found, "loss")))
    title = f"Weight of one token by mode; {inputs.given['mode']} gives a loss of {loss}"
    name_axes(axes, title, "valid tokens of the answer", "weight of each of them")


def _weights(inputs: Inputs, mode: str) -> Any:
    asked = replace(inputs, given={**inputs.given, "mode": mode})
    return run_numeric(asked, "numpy")["weights"]


def policy_clip(upper: Any, lower: Any, found: Evaluation) -> None:
    """Objectives of a good and a bad action over the ratio, and their derivatives below."""
    inputs = found.inputs
    low = to_float(inputs.given["eps_low"])
    high = low if inputs.given["eps_high"] is None else to_float(inputs.given["eps_high"])
    dual = 3.0 if inputs.given["dual"] is None else to_float(inputs.given["dual"])
    ratios = _reached(found, dual)
    logs = np.log(ratios)
    zeros = np.zeros_like(ratios)
    range_ = {"eps_low": low, "eps_high": high}
    for adv, colour, label in ((1.0, BLUE, "A = 1"), (-1.0, VERMILION, "A = −1")):
        given = {"logp": logs, "old_logp": zeros, "adv": zeros + adv, **range_}
        plain = _form("policy_clip", **given)
        _pair(upper, lower, ratios, plain, color=colour, linewidth=2.2, label=label)
        if adv < 0:
            held = _form("policy_clip", **given, dual=dual)
            words = f"{label}, dual clip at {brief(dual)}"
            _pair(upper, lower, ratios, held, color=BLACK, linestyle="--", linewidth=1.4, label=words)
        weight = _form("cispo", logp=logs, old_logp=zeros, adv=zeros + adv, low=1 - low, high=1 + high)
        lower.plot(
            ratios, -weight["d_logp"], ":", color=colour, linewidth=1.6,
            label="CISPO in that range" if adv > 0 else "",
        )  # fmt: skip
    upper.plot(
        numbers(found, "ratio"), _unit(found), "o", color=BLACK, fillstyle="none", label="tokens given"
    )
    edges = f"{brief(1 - low)} … {brief(1 + high)}"
    for axes, words in ((upper, f"range {edges}"), (lower, "")):
        axes.axvspan(1 - low, 1 + high, color=GREY, alpha=0.18, linewidth=0, label=words)
        axes.axhline(0, color=GREY, linewidth=0.7)
        axes.set_xlim(0, float(ratios[-1]))
    name_axes(upper, "Clipped surrogate and its gradient", "", "objective")
    name_axes(lower, "", "probability ratio r", "∂ objective/∂ log π")


def _pair(upper: Any, lower: Any, x: Any, found: Any, **style: Any) -> None:
    upper.plot(x, found["objective"], **style)
    lower.plot(x, found["d_logp"], **{**style, "label": ""})


def _reached(found: Evaluation, dual: float) -> Any:
    """Ratios to draw: to those of the tokens, and past the dual clip."""
    most = max([1.35 * dual, 2.0, *(1.15 * r for r in numbers(found, "ratio") if r < 20)])
    return np.linspace(1e-3, most, FINE)


def _unit(found: Evaluation) -> Any:
    """Objectives of the tokens for advantages of one."""
    size = np.array([abs(to_float(value)) for value in found.inputs.given["adv"]])
    return np.array(numbers(found, "objective")) / np.where(size > 0, size, 1)


def kl_estimate(upper: Any, lower: Any, found: Evaluation) -> None:
    """Estimates of one token over its ratio; below, bias and deviation of each for two outcomes."""
    ratios = np.geomspace(1 / 8, 8, FINE)
    kinds = ("k1", "k2", "k3", "abs")
    for style, kind in zip(_lines(), kinds, strict=False):
        value = _form("kl_estimate", logp=np.log(ratios), ref_logp=np.zeros_like(ratios), kind=kind)
        chosen = kind == found.inputs.given["kind"]
        upper.plot(ratios, value["estimate"], linewidth=2.6 if chosen else 1.4, label=kind, **style)
    given = found.inputs.given
    gaps = [to_float(a) - to_float(b) for a, b in zip(given["logp"], given["ref_logp"], strict=True)]
    upper.plot(
        np.exp(gaps), numbers(found, "estimate"), "o", color=BLACK, fillstyle="none", label="tokens given"
    )
    base = 1 / 10  # of the first outcome under the reference
    own = base * np.geomspace(1 / 8, 8, FINE)
    chances, other = np.stack([own, 1 - own], -1), np.array([base, 1 - base])
    divergence = (chances * np.log(chances / other)).sum(-1)
    for style, kind in zip(_lines(), kinds[:3], strict=False):
        value = _form("kl_estimate", logp=np.log(chances), ref_logp=np.log(other), kind=kind)["estimate"]
        mean = (chances * value).sum(-1)
        spread = np.sqrt((chances * np.square(value - mean[..., None])).sum(-1))
        lower.plot(own / base, spread, linewidth=1.4, **style)
        lower.plot(
            own / base, mean - divergence, linewidth=3.2, alpha=0.45, color=style["color"],
            label=f"bias of {kind}, thick",
        )  # fmt: skip
    for axes in (upper, lower):
        axes.set_xscale("log", base=2)
        axes.axhline(0, color=GREY, linewidth=0.7)
    upper.set_ylim(-2.5, 7.5)
    lower.set_ylim(-0.6, 2.5)
    name_axes(upper, "Estimates of the KL divergence", "", "estimate of a token")
    name_axes(lower, "", "π/π_ref of the token; below, of an outcome of chance 1/10", "bias and deviation")


def preference(upper: Any, lower: Any, found: Evaluation) -> None:
    """The loss of a pair over its margin, by kind, and the derivative by the chosen answer below."""
    given = found.inputs.given
    beta, smoothing = to_float(given["beta"]), to_float(given["label_smoothing"])
    margins = np.linspace(-5 / beta, 5 / beta, FINE)
    zeros = np.zeros_like(margins)
    # a pair each, so that the mean of all divides nothing
    pairs = {
        "chosen": margins[:, None],
        **dict.fromkeys(("rejected", "ref_chosen", "ref_rejected"), zeros[:, None]),
    }
    for style, kind in zip(_lines(), ("sigmoid", "robust", "hinge"), strict=False):
        value = _form("dpo_loss", **pairs, beta=beta, label_smoothing=smoothing, kind=kind)
        width = 2.6 if kind == given["kind"] else 1.4
        upper.plot(margins, value["losses"][:, 0], linewidth=width, label=kind, **style)
        lower.plot(margins, value["d_chosen"][:, 0], linewidth=width, **style)
    own = [
        (a - c) / m - (b - d) / n
        for a, b, c, d, m, n in zip(*_answers(given, len(given["chosen"])), strict=True)
    ]
    upper.plot(own, numbers(found, "losses"), "o", color=BLACK, fillstyle="none", label="pairs given")
    for axes in (upper, lower):
        axes.axvline(0, color=GREY, linewidth=0.7)
        axes.axhline(0, color=GREY, linewidth=0.7)
        axes.set_xlim(min([margins[0], *own]), max([margins[-1], *own]))
    words = f"β = {short(given['beta'])}" + (f", smoothing {brief(smoothing)}" if smoothing else "")
    name_axes(upper, f"Loss of a pair and its gradient, {words}", "", "loss")
    name_axes(lower, "", "margin h of the log-ratios", "∂ loss/∂ log π(chosen)")


def _answers(given: Any, count: int) -> list[list[float]]:
    """Log-probabilities of both answers, of the reference, and lengths, which are 1 where none are given."""
    names = ("chosen", "rejected", "ref_chosen", "ref_rejected")
    lengths = [given[name] or [1] * count for name in ("chosen_lengths", "rejected_lengths")]
    return [[to_float(value) for value in row] for row in [*(given[name] for name in names), *lengths]]


def success_rate(upper: Any, lower: Any, found: Evaluation) -> None:
    """The advantage of a right and of a wrong answer over the share of right ones in a group.

    The answers given lie over the mean reward of their group: above those that reach it, below the rest.
    """
    groups = found.inputs.given["groups"]
    size = min(max(groups.count(g) for g in groups), MOST_OF_A_GROUP)
    size = size if size > 1 else 8
    right = np.arange(size + 1)
    rewards = (np.arange(size)[None, :] < right[:, None]) * 1.0
    one = {"rewards": rewards, "groups": np.zeros(size, int)}
    series = {
        "GRPO": _form("group_advantage", **one, scale="group"),
        "Dr. GRPO": _form("group_advantage", **one, scale="none"),
        "RLOO": _form("rloo_advantage", **one),
        "over the mean": _form("group_advantage", **one, scale="mean"),
    }
    for style, (label, value) in zip(STYLES, series.items(), strict=False):
        _marked(upper, right[1:] / size, value["advantages"][1:, 0], size, label=label, **style)
        _marked(lower, right[:-1] / size, value["advantages"][:-1, -1], size, **style)
    given = [to_float(reward) for reward in found.inputs.given["rewards"]]
    own = {g: [r for r, group in zip(given, groups, strict=True) if group == g] for g in groups}
    means = {g: sum(values) / len(values) for g, values in own.items()}
    answers = [*zip(given, groups, numbers(found, "advantages"), strict=True)]
    for axes, above in ((upper, True), (lower, False)):
        here = [(means[g], advantage) for r, g, advantage in answers if (r >= means[g]) == above]
        axes.plot(
            [mean for mean, _ in here], [advantage for _, advantage in here], "o", color=BLACK,
            fillstyle="none", markersize=9, label="answers given" if above else "",
        )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.7)
        axes.set_xlim(min([0.0, *means.values()]) - 0.02, max([1.0, *means.values()]) + 0.02)
    name_axes(upper, f"Advantages in a group of {size}", "", "of a right answer")
    name_axes(lower, "", "share of right answers", "of a wrong answer")


def _marked(axes: Any, x: Any, y: Any, count: int, **style: Any) -> None:
    axes.plot(x, y, markersize=5 if count <= 20 else 0, **style)
