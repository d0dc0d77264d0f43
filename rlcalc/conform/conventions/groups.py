"""Conventions of advantages within a group: ε, ddof, and what is subtracted."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.forms import Form, Outputs, given


@convention("ddof-1", {"grpo_advantage": "verl, trl and others that use torch.std"})
def ddof_1(form: Form, /, **arrays: Any) -> Outputs:
    """The variance divides by G − 1, whatever ddof was asked for."""
    return dict(form(**{**arrays, "ddof": np.asarray(1)}))


def _with_eps(form: Form, arrays: dict[str, Any], eps: float) -> Outputs:
    return dict(form(**{**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}))


GROUP_EPS = Constant("eps", 1e-13, 0.5)


def _group_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Equal rewards have a mean that is rounded, which a small ε magnifies."""
    rewards = arrays["rewards"]
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return np.where(equal, np.abs(rewards).max(axis=-1, keepdims=True) / eps, 0) if eps else 0


def _root_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    return _group_slack(form, arrays, max(eps, 0.0) ** 0.5)


@convention(
    "eps",
    {"grpo_advantage": "nearly every library, each with its own"},
    constants=[GROUP_EPS],
    slack=_group_slack,
)
def any_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the standard deviation, whatever was asked for."""
    return _with_eps(form, arrays, eps)


eps_1e_8 = any_eps.instance(
    "eps-1e-8", {"grpo_advantage": "code that follows the whitening of stable-baselines3 and cleanrl"}, 1e-8
)


eps_1e_6 = any_eps.instance("eps-1e-6", {"grpo_advantage": "verl"}, 1e-6)


eps_1e_4 = any_eps.instance("eps-1e-4", {"grpo_advantage": "trl"}, 1e-4)


@convention("eps-inside-root", {"grpo_advantage": "whitening with rsqrt(variance + ε)"})
def eps_inside_root(form: Form, /, **arrays: Any) -> Outputs:
    """ε is added to the variance and not to its root."""
    rewards = arrays["rewards"]
    if arrays["eps"] is None:
        return dict(form(**arrays))
    ddof = int(given(arrays, "ddof", 0))
    std = np.std(rewards, axis=-1, ddof=ddof, keepdims=True)
    # added to the root, this gives the root of the sum
    return dict(form(**{**arrays, "eps": np.sqrt(np.square(std) + arrays["eps"]) - std}))


@convention(
    "eps-inside-root",
    {"grpo_advantage": "whitening with rsqrt(variance + ε)"},
    constants=[GROUP_EPS],
    slack=_root_slack,
)
def any_eps_inside_root(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the variance and not to its root, whatever was asked for."""
    changed = {**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}
    return dict(eps_inside_root.change(form, **changed))


eps_1e_8_inside_root = any_eps_inside_root.instance(
    "eps-1e-8-inside-root",
    {"grpo_advantage": "torchtune and the old PPO of trl, where they whiten"},
    1e-8,
)


def _floor_slack(form: Form, arrays: dict[str, Any]) -> Any:
    return _group_slack(form, arrays, 1e-12)


@convention("std-floored", {"grpo_advantage": "code that divides by max(std, floor)"}, slack=_floor_slack)
def std_floored(form: Form, /, **arrays: Any) -> Outputs:
    """The standard deviation is held at a small floor (1e-12 or above), so that equal rewards give what
    their mean was rounded by and not 0.
    """
    rewards = arrays["rewards"]
    noise = (rewards - rewards.mean(axis=-1, keepdims=True)) / rewards.dtype.type(1e-12)
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {"advantages": np.where(equal, noise, form(**arrays)["advantages"])}


@convention(
    "ddof",
    {"grpo_advantage": "code with a degree of freedom of its own"},
    constants=[Constant("ddof", 0, 1.9)],
)
def any_ddof(form: Form, ddof: float, /, **arrays: Any) -> Outputs:
    """The variance divides by G − ddof, whatever ddof was asked for."""
    count = arrays["rewards"].shape[-1]
    eps = given(arrays, "eps", 0.0)
    # the form divides by √(sum/G) + ε, and has to divide by √(sum/(G − ddof)) + ε
    grown = np.sqrt(count / (count - ddof))
    changed = {**arrays, "ddof": np.asarray(0), "eps": np.asarray(eps / grown, arrays["rewards"].dtype)}
    return {name: value / grown for name, value in form(**changed).items() if value is not None}


@convention("mean-only", {"grpo_advantage": "Dr. GRPO, and an option of several libraries"})
def mean_only(form: Form, /, **arrays: Any) -> Outputs:
    """The mean is subtracted and nothing is divided."""
    rewards = arrays["rewards"]
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {"advantages": np.where(equal, 0, rewards - rewards.mean(axis=-1, keepdims=True))}


@convention("leave-one-out", {"grpo_advantage": "NeMo-RL"})
def leave_one_out(form: Form, /, **arrays: Any) -> Outputs:
    """Each reward is compared with mean and standard deviation (ddof 1) of the others; equal others divide
    nothing.
    """
    rewards = arrays["rewards"]
    count = rewards.shape[-1]
    others = np.broadcast_to(rewards[..., None, :], (*rewards.shape, count))
    others = others[..., ~np.eye(count, dtype=bool)].reshape(*rewards.shape, count - 1)
    deviations = rewards - others.mean(axis=-1)
    varies = others.max(axis=-1) != others.min(axis=-1)
    spread = np.zeros_like(rewards)
    if count > 2:
        spread = np.std(others, axis=-1, ddof=1)
    eps = given(arrays, "eps", 0.0)
    return {"advantages": deviations / np.where(varies, spread + eps, 1)}
