"""Conventions of returns and advantages: what ends an episode, and whitening."""

from __future__ import annotations

import math
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import convention
from rlcalc.conform.conventions._whitening import EPS, ROOT_EPS, all_whitened, magnified
from rlcalc.conform.forms import Form, Outputs


def _shorter_values(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "values": arguments["values"][..., :-1]} if "values" in arguments else arguments


def _flags(arrays: dict[str, Any], name: str) -> Any:
    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


@convention(
    "truncation-as-termination",
    {
        "discounted_return": "libraries with one flag, done",
        "double_q_target": "libraries with one flag, done",
        "expected_sarsa_target": "libraries with one flag, done",
        "gae": "cleanrl, LeanRL, baselines ppo1 and ppo2, purejaxrl",
        "lambda_return": "libraries with one flag, done",
        "n_step_return": "libraries with one flag, done",
        "c51_projection": "libraries with one flag, done",
        "q_target": "libraries with one flag, done",
        "sac_target": "libraries with one flag, done",
        "sarsa_target": "libraries with one flag, done",
        "td_error": "libraries with one flag, done",
    },
)
def truncation_as_termination(form: Form, /, **arrays: Any) -> Outputs:
    """Truncation is treated as termination: there is no bootstrap after a truncated step."""
    if arrays.get("truncated") is None:
        return dict(form(**arrays))
    over = _flags(arrays, "terminated") | _flags(arrays, "truncated")
    return dict(form(**{**arrays, "terminated": over, "truncated": None}))


@convention(
    "no-bootstrap",
    {
        "discounted_return": "libraries for token rewards",
        "gae": "verl, trl (old PPO), OpenRLHF, torchtune, tunix, NeMo-RL, open-instruct, garage",
        "lambda_return": "libraries for token rewards",
        "n_step_return": "libraries for token rewards",
    },
)
def no_bootstrap(form: Form, /, **arrays: Any) -> Outputs:
    """The value after the last step counts as 0, whether or not the episode ended there."""
    over = _flags(arrays, "terminated").copy()
    over[..., -1] = True
    return dict(form(**{**arrays, "terminated": over}))


@convention(
    "without-last-value",
    {
        "gae": "libraries for token rewards",
        "lambda_return": "libraries for token rewards",
        "n_step_return": "libraries for token rewards",
    },
    call=_shorter_values,
)
def without_last_value(form: Form, /, **arrays: Any) -> Outputs:
    """Values have T entries, not T + 1: the value after the last step is never given and counts as 0."""
    return dict(no_bootstrap.change(form, **arrays))


@convention(
    "advantage-plus-value",
    {"lambda_return": "returns that come with GAE: stable-baselines3, cleanrl, TorchRL's GAE and others"},
)
def advantage_plus_value(form: Form, /, **arrays: Any) -> Outputs:
    """The advantage of GAE plus V(S_t): between steps that go on, the return to come is compared with
    V(S_{t+1}) of values, not with that of next_values.
    """
    rewards, successors = arrays["rewards"], arrays.get("next_values")
    if successors is None:
        return dict(form(**arrays))
    values = arrays.get("values")
    following = np.zeros_like(rewards) if values is None else values[..., 1:]
    goes_on = ~(_flags(arrays, "terminated") | _flags(arrays, "truncated"))
    goes_on[..., -1:] = False  # nothing is carried into the last step
    more = np.where(goes_on, arrays["gamma"] * arrays["lam"] * (successors - following), 0)
    return dict(form(**{**arrays, "rewards": (rewards + more).astype(rewards.dtype)}))


def _gae_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Advantages that are all equal but for rounding."""
    largest = max(np.abs(arrays["rewards"]).max(), np.abs(arrays["values"]).max())
    return largest * magnified(form(**arrays)["advantages"].reshape(-1), eps).item()


@convention(
    "whitened-advantages",
    {"gae": "skrl and AReaL, some as an option"},
    constants=[EPS],
    slack=_gae_slack,
)
def whitened_inside(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 (ddof 1, ε added); returns are of those before."""
    found = dict(form(**arrays))
    return {**found, "advantages": all_whitened(found["advantages"], eps, 1)}


def _gae_root_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    return _gae_slack(form, arrays, math.sqrt(eps))


@convention(
    "whitened-advantages-eps-inside-root",
    {"gae": "verl, trlx, SkyRL, EasyR1 and ROLL, which multiply by rsqrt(variance + ε)"},
    constants=[ROOT_EPS],
    slack=_gae_root_slack,
)
def whitened_inside_eps_inside_root(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 (ddof 1, ε added to the variance and not to its root);
    returns are of those before.
    """
    found = dict(form(**arrays))
    return {**found, "advantages": all_whitened(found["advantages"], eps, 1, inside=True)}


@convention(
    "whitened-advantages-ddof-0",
    {"gae": "code that whitens with NumPy's std"},
    constants=[EPS],
    slack=_gae_slack,
)
def whitened_inside_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 (ddof 0, ε added); returns are of those before."""
    found = dict(form(**arrays))
    return {**found, "advantages": all_whitened(found["advantages"], eps, 0)}


def _returns_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Returns that are all equal but for rounding."""
    returns = form(**arrays)["returns"]
    return np.abs(returns).max() * magnified(returns.reshape(-1), eps).item()


@convention(
    "standardised-returns",
    {"discounted_return": "pytorch/examples and PPO-PyTorch"},
    constants=[EPS],
    slack=_returns_slack,
)
def standardised_returns(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Returns get mean 0 and standard deviation 1 (ddof 1, ε added) over all steps."""
    return {"returns": all_whitened(form(**arrays)["returns"], eps, 1)}


@convention(
    "standardised-returns-ddof-0",
    {"discounted_return": "code that standardises with NumPy's std"},
    constants=[EPS],
    slack=_returns_slack,
)
def standardised_returns_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Returns get mean 0 and standard deviation 1 (ddof 0, ε added) over all steps."""
    return {"returns": all_whitened(form(**arrays)["returns"], eps, 0)}
