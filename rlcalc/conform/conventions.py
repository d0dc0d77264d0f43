"""Declared conventions: readings under which other answers are right.

``specs/faults/<formula>.toml`` says which of these a formula has and who
uses them; a convention's name with underscores is its function here. It
takes the right form and the arrays, and gives what the convention gives.
``CALLS`` changes what the target is called with, where a convention is about
the arguments; ``REDUCTIONS`` make one number of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _flags(arrays: dict[str, Any], name: str) -> Any:
    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


def truncation_as_termination(form: Form, **arrays: Any) -> Outputs:
    """A time limit ends the episode for good: no bootstrap after it."""
    if arrays.get("truncated") is None:
        return dict(form(**arrays))
    over = _flags(arrays, "terminated") | _flags(arrays, "truncated")
    return dict(form(**{**arrays, "terminated": over, "truncated": None}))


def no_bootstrap(form: Form, **arrays: Any) -> Outputs:
    """The sequence ends where the data end: nothing is bootstrapped from behind the last step."""
    over = _flags(arrays, "terminated").copy()
    over[..., -1] = True
    return dict(form(**{**arrays, "terminated": over}))


def without_last_value(form: Form, **arrays: Any) -> Outputs:
    """Values [T] instead of [T+1]: the target is never told the value of the last state."""
    return no_bootstrap(form, **arrays)


def loss(form: Form, **arrays: Any) -> Outputs:
    """The negative of the objective, to be minimised."""
    return {name: -value for name, value in form(**arrays).items() if value is not None}


def _whole(found: Mapping[str, Any]) -> Outputs:
    """Outputs that can be reduced; a derivative by one sample is none of the reduced answer."""
    return {name: v for name, v in found.items() if v is not None and not name.startswith("d_")}


def mean_over_batch(form: Form, **arrays: Any) -> Outputs:
    """One number: the mean over all samples."""
    return {name: np.mean(value) for name, value in _whole(form(**arrays)).items()}


def sum_over_batch(form: Form, **arrays: Any) -> Outputs:
    """One number: the sum over all samples."""
    return {name: np.sum(value) for name, value in _whole(form(**arrays)).items()}


def mean_reduction(form: Form, **arrays: Any) -> Outputs:
    """The mean over the samples, where the definition sums."""
    return dict(form(**{**arrays, "reduction": "mean"}))


def half_mean_reduction(form: Form, **arrays: Any) -> Outputs:
    """Half the mean of the squares."""
    return dict(form(**{**arrays, "reduction": "half-mean"}))


def ddof_1(form: Form, **arrays: Any) -> Outputs:
    """Divide by n − 1 in the variance, as torch.std does."""
    return dict(form(**{**arrays, "ddof": np.asarray(1)}))


def dual_clip_3(form: Form, **arrays: Any) -> Outputs:
    """Where the advantage is negative the objective is bounded below by 3·A."""
    found = dict(form(**arrays))
    adv, plain = arrays["adv"], found["objective"]
    return {"objective": np.where(adv < 0, np.maximum(plain, 3 * adv), plain)}


def quarter_mean_reduction(form: Form, **arrays: Any) -> Outputs:
    """A quarter of the mean of the squares: one half in the loss, one half as its weight."""
    found = dict(form(**{**arrays, "reduction": "half-mean"}))
    found.pop("updated", None)
    return {name: value if name == "minimiser" else value / 2 for name, value in found.items()}


def smooth_l1_mean(form: Form, **arrays: Any) -> Outputs:
    """Errors count squared and halved up to 1, and by their size less one half beyond it."""
    size = np.abs(arrays["values"] - arrays["returns"])
    return {"loss": np.where(size < 1, np.square(size) / 2, size - size.dtype.type(0.5)).mean(axis=-1)}


def whitened_advantages(form: Form, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 before they are used; a single one stays."""
    adv = arrays["advantages"]
    if adv.shape[-1] > 1:
        spread = np.std(adv, axis=-1, ddof=1, keepdims=True) + adv.dtype.type(1e-8)
        adv = (adv - np.mean(adv, axis=-1, keepdims=True)) / spread
    return dict(form(**{**arrays, "advantages": adv}))


def whitened_advantages_ddof_0(form: Form, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1, divided by N; a single one becomes 0."""
    adv = arrays["advantages"]
    spread = np.std(adv, axis=-1, keepdims=True) + adv.dtype.type(1e-8)
    return dict(form(**{**arrays, "advantages": (adv - np.mean(adv, axis=-1, keepdims=True)) / spread}))


def log_ratio_clamped_20(form: Form, **arrays: Any) -> Outputs:
    """The log-ratio is held within ±20 before it is exponentiated."""
    held = np.clip(form(**arrays)["log_ratio"], -20, 20)
    return {"ratio": np.exp(held), "log_ratio": held}


def _log_quotients(arrays: dict[str, Any]) -> Any:
    """log(p/q) where p is positive, else 0."""
    p, q = np.broadcast_arrays(arrays["p"], arrays["q"])
    drawn = p > 0
    return np.where(drawn, np.log(np.where(drawn, p, 1)) - np.log(np.where(drawn, q, 1)), 0).astype(p.dtype)


def k2(form: Form, **arrays: Any) -> Outputs:
    """The expectation of half the squared log-ratio."""
    squares = np.square(_log_quotients(arrays)) / 2
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * squares, 0).sum(axis=-1)}


def k3(form: Form, **arrays: Any) -> Outputs:
    """The expectation of q/p − 1 − log(q/p), from outcomes that p draws."""
    reached = np.where(arrays["p"] > 0, arrays["q"], 0).sum(axis=-1)
    return {"divergence": form(**arrays)["divergence"] + reached - arrays["p"].sum(axis=-1)}


def _clamped(arrays: dict[str, Any], estimates: Any) -> Outputs:
    """The expectation under p of one estimate per outcome, each held within ±10."""
    held = np.clip(estimates, -10, 10)
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * held, 0).sum(axis=-1)}


def k1_clamped_10(form: Form, **arrays: Any) -> Outputs:
    """The expectation of log(p/q), which no outcome drives beyond ±10."""
    return _clamped(arrays, _log_quotients(arrays))


def k3_clamped_10(form: Form, **arrays: Any) -> Outputs:
    """The expectation of q/p − 1 − log(q/p), which no outcome drives beyond 10."""
    logs = _log_quotients(arrays)
    return _clamped(arrays, np.exp(-logs) - 1 + logs)


def _with_eps(form: Form, arrays: dict[str, Any], eps: float) -> Outputs:
    return dict(form(**{**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}))


def eps_1e_8(form: Form, **arrays: Any) -> Outputs:
    """1e-8 is added to the standard deviation, whatever ε was asked for."""
    return _with_eps(form, arrays, 1e-8)


def eps_1e_6(form: Form, **arrays: Any) -> Outputs:
    """1e-6 is added to the standard deviation, whatever ε was asked for."""
    return _with_eps(form, arrays, 1e-6)


def eps_1e_4(form: Form, **arrays: Any) -> Outputs:
    """1e-4 is added to the standard deviation, whatever ε was asked for."""
    return _with_eps(form, arrays, 1e-4)


def eps_inside_root(form: Form, **arrays: Any) -> Outputs:
    """ε is added to the variance, not to its root."""
    rewards = arrays["rewards"]
    if arrays["eps"] is None:
        return dict(form(**arrays))
    ddof = 0 if arrays["ddof"] is None else int(arrays["ddof"])
    std = np.std(rewards, axis=-1, ddof=ddof, keepdims=True)
    # added to the root, this gives the root of the sum
    return dict(form(**{**arrays, "eps": np.sqrt(np.square(std) + arrays["eps"]) - std}))


def eps_1e_8_inside_root(form: Form, **arrays: Any) -> Outputs:
    """1e-8 is added to the variance, whatever ε was asked for."""
    return eps_inside_root(form, **{**arrays, "eps": np.asarray(1e-8, arrays["rewards"].dtype)})


def mean_only(form: Form, **arrays: Any) -> Outputs:
    """The mean is subtracted, and nothing is divided."""
    rewards = arrays["rewards"]
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {"advantages": np.where(equal, 0, rewards - rewards.mean(axis=-1, keepdims=True))}


def leave_one_out(form: Form, **arrays: Any) -> Outputs:
    """Each reward is compared with the others; where those are equal nothing is divided."""
    rewards = arrays["rewards"]
    count = rewards.shape[-1]
    others = np.broadcast_to(rewards[..., None, :], (*rewards.shape, count))
    others = others[..., ~np.eye(count, dtype=bool)].reshape(*rewards.shape, count - 1)
    deviations = rewards - others.mean(axis=-1)
    varies = others.max(axis=-1) != others.min(axis=-1)
    spread = np.zeros_like(rewards)
    if count > 2:
        spread = np.std(others, axis=-1, ddof=1)
    eps = 0.0 if arrays["eps"] is None else arrays["eps"]
    return {"advantages": deviations / np.where(varies, spread + eps, 1)}


def sample_variance(form: Form, **arrays: Any) -> Outputs:
    """The variances divide by N − 1; the best k and the correlation stay as they are."""
    found = dict(form(**arrays))
    count = np.broadcast_shapes(arrays["x"].shape, arrays["b"].shape)[-1]
    grown = count / (count - 1) if count > 1 else np.nan
    return {name: v * grown if name.startswith("variance") else v for name, v in found.items()}


def self_normalised(form: Form, **arrays: Any) -> Outputs:
    """The weighted sum is divided by the sum of the weights."""
    found = dict(form(**arrays))
    estimate = found["estimate"] / (arrays["q"] * found["weights"]).sum(axis=-1)
    # a function of one number is read as the expectation
    return {**found, "expectation": estimate, "estimate": estimate}


def weights_truncated_1(form: Form, **arrays: Any) -> Outputs:
    """No weight counts for more than 1."""
    weights = np.minimum(form(**arrays)["weights"], 1)
    estimate = (arrays["q"] * weights * arrays["f"]).sum(axis=-1)
    return {"expectation": estimate, "estimate": estimate, "weights": weights}


def reinforce_with_minibatches(form: Form, **arrays: Any) -> Outputs:
    """A step of REINFORCE is counted with as few trajectories as a minibatch of PPO holds."""
    found = dict(form(**arrays))
    return {**found, "reinforce_trajectories": found["trajectories"] * arrays["epochs"]}


def _shorter_values(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "values": arguments["values"][..., :-1]} if "values" in arguments else arguments


# these give one number for a whole batch
REDUCTIONS = frozenset({"mean-over-batch", "sum-over-batch"})
CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"without-last-value": _shorter_values}
