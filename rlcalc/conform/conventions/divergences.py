"""Conventions of ratios, entropies and divergences: estimators, clamps and guarded logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.forms import Form, Outputs


@convention(
    "log-ratio-clamped",
    {"ratio": "SLM-Lab, EasyR1 and SkyRL"},
    constants=[Constant("bound", 1e-2, 700.0)],
)
def log_ratio_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The log-ratio is held within ±bound before it is exponentiated, so that the ratio stays finite."""
    held = np.clip(form(**arrays)["log_ratio"], -bound, bound)
    return {"ratio": np.exp(held), "log_ratio": held}


log_ratio_clamped_20 = log_ratio_clamped.instance("log-ratio-clamped-20", {"ratio": "verl"}, 20.0)


@convention(
    "log-ratio-clamped-20", {"ppo_clip": "SLM-Lab, EasyR1, SkyRL and verl, whose ratio comes from logarithms"}
)
def ratio_clamped_20(form: Form, /, **arrays: Any) -> Outputs:
    """The log-ratio is held within ±20, so that the ratio lies between e^−20 and e^20."""
    ratio = np.clip(arrays["ratio"], np.exp(-20.0), np.exp(20.0))
    return dict(form(**{**arrays, "ratio": ratio.astype(arrays["ratio"].dtype)}))


_BOTH = {"entropy": "code from logits that masks no action", "kl": "code that masks no outcome"}


@convention("positive-probabilities", _BOTH, excuses="where a probability is 0")
def positive_probabilities(form: Form, /, **arrays: Any) -> Outputs:
    """No probability is 0: of a distribution that has one nothing is asked."""
    zero = (arrays["p"] == 0).any(axis=-1)
    return {
        name: np.where(zero, np.nan, value) for name, value in form(**arrays).items() if value is not None
    }


def _log_quotients(arrays: dict[str, Any]) -> Any:
    """log(p/q) where p is positive, else 0."""
    p, q = np.broadcast_arrays(arrays["p"], arrays["q"])
    drawn = p > 0
    return np.where(drawn, np.log(np.where(drawn, p, 1)) - np.log(np.where(drawn, q, 1)), 0).astype(p.dtype)


@convention(
    "k2",
    {"kl": "libraries for tokens, as a choice next to k1 (whose expectation is the divergence) and k3"},
)
def k2(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of half the squared log-ratio, an estimator with a small bias and a small variance."""
    squares = np.square(_log_quotients(arrays)) / 2
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * squares, 0).sum(axis=-1)}


@convention("k3", {"kl": "trl"})
def k3(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of q/p − 1 − log(q/p) under p; where p is 0 and q is not, it stays below the
    divergence.
    """
    reached = np.where(arrays["p"] > 0, arrays["q"], 0).sum(axis=-1)
    return {"divergence": form(**arrays)["divergence"] + reached - arrays["p"].sum(axis=-1)}


@convention("absolute-k1", {"kl": "ROLL and verl, under the name abs"})
def absolute_k1(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of the size of the log-ratio, which is never below the divergence."""
    return _expected(arrays, np.abs(_log_quotients(arrays)))


def _expected(arrays: dict[str, Any], estimates: Any) -> Outputs:
    """The expectation under p of one estimate per outcome."""
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * estimates, 0).sum(axis=-1)}


BOUND = Constant("bound", 1e-2, 1e3)


@convention(
    "k1-clamped",
    {"kl": "libraries for tokens with a bound of their own"},
    # a smaller one holds ordinary log-ratios, and the divergence need not rise with it
    constants=[Constant("bound", 2.5, 1e3)],
)
def k1_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The log-ratio of each outcome is held within ±bound before the expectation is taken."""
    return _expected(arrays, np.clip(_log_quotients(arrays), -bound, bound))


k1_clamped_10 = k1_clamped.instance("k1-clamped-10", {"kl": "OpenRLHF"}, 10.0)


@convention("k3-clamped", {"kl": "libraries for tokens with a bound of their own"}, constants=[BOUND])
def k3_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The estimate k3 of each outcome is held within ±bound before the expectation is taken."""
    logs = _log_quotients(arrays)
    return _expected(arrays, np.clip(np.exp(-logs) - 1 + logs, -bound, bound))


k3_clamped_10 = k3_clamped.instance("k3-clamped-10", {"kl": "verl, OpenRLHF"}, 10.0)


def _safe_logs(arrays: dict[str, Any], log: Callable[[Any], Any]) -> Outputs:
    """Entropy or divergence of probabilities whose logarithm is taken by another function."""
    if "q" in arrays:
        p, q = np.broadcast_arrays(arrays["p"], arrays["q"])
        return {"divergence": (p * (log(p) - log(q))).sum(axis=-1)}
    base = arrays["base"]
    scale = 1 if base is None or isinstance(base, str) else np.log(base)
    return {"entropy": -(arrays["p"] * log(arrays["p"])).sum(axis=-1) / scale}


@convention(
    "log-eps",
    {"entropy": "epymarl with 1e-10", "kl": "code that guards a logarithm of 0"},
    constants=[Constant("eps", 1e-40, 1e-3)],
)
def log_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """log(p + ε) is taken for log p, so that it stays finite at 0."""
    return _safe_logs(arrays, lambda x: np.log(x + x.dtype.type(eps)))


@convention(
    "log-floor",
    {"entropy": "code that clamps probabilities", "kl": "PaLM-rlhf-pytorch with 1e-20"},
    constants=[Constant("floor", 1e-40, 1e-3)],
)
def log_floor(form: Form, floor: float, /, **arrays: Any) -> Outputs:
    """Probabilities are held at a floor or above before their logarithm is taken."""
    return _safe_logs(arrays, lambda x: np.log(np.maximum(x, x.dtype.type(floor))))


_KEPT_ABOVE_0 = {
    "entropy": "code that keeps probabilities above 0 from its first line on",
    "kl": "code that keeps probabilities above 0 from its first line on",
}


@convention("probability-floor", _KEPT_ABOVE_0, constants=[Constant("floor", 1e-40, 1e-3)])
def probability_floor(form: Form, floor: float, /, **arrays: Any) -> Outputs:
    """Probabilities are held at a floor or above, as weights and in their logarithm."""
    return _safe_logs(_each(arrays, lambda x: np.maximum(x, x.dtype.type(floor))), np.log)


@convention("probability-eps", _KEPT_ABOVE_0, constants=[Constant("eps", 1e-40, 1e-3)])
def probability_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to each probability, as a weight and in its logarithm."""
    return _safe_logs(_each(arrays, lambda x: x + x.dtype.type(eps)), np.log)


def _each(arrays: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    return arrays | {name: change(arrays[name]) for name in ("p", "q") if name in arrays}
