"""Conventions of returns and advantages: what ends an episode, and whitening."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import convention
from rlcalc.conform.conventions._whitening import DDOF_0, DDOF_1, INSIDE_ROOT, Way, whitening
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


@convention(
    "returns-without-lam",
    {"gae": "Spinning Up and its descendants, whose critic learns from rewards-to-go"},
)
def returns_without_lam(form: Form, /, **arrays: Any) -> Outputs:
    """The returns beside the advantages are discounted sums with the last value, whatever λ is."""
    whole = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})
    return {**form(**arrays), "returns": whole["returns"]}


def _whitened(way: Way, form: Form, eps: float, /, **arrays: Any) -> Outputs:
    found = dict(form(**arrays))
    return {**found, "advantages": way.all_whitened(found["advantages"], eps)}


def _advantages_slack(way: Way, form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Advantages that are all equal but for rounding."""
    largest = max(np.abs(arrays["rewards"]).max(), np.abs(arrays["values"]).max())
    return largest * way.magnified(form(**arrays)["advantages"], eps)


whitened, whitened_inside_root, whitened_ddof_0 = whitening(
    "whitened-advantages",
    "Advantages get mean 0 and standard deviation 1 ({words}); returns are of those before.",
    "gae",
    {
        DDOF_1: "skrl and AReaL, some as an option",
        INSIDE_ROOT: "verl, trlx, SkyRL, EasyR1 and ROLL, which multiply by rsqrt(variance + ε)",
        DDOF_0: "code that whitens with NumPy's std",
    },
    _whitened,
    _advantages_slack,
)


@convention(
    "whole-return",
    {"discounted_return": "policy gradients of whole trajectories, as in courses before the reward to go"},
    excuses="that every step has the return of its whole episode",
)
def whole_return(form: Form, /, **arrays: Any) -> Outputs:
    """Every step has the return of the first one: unbiased in a policy gradient, no target of a critic."""
    returns = form(**arrays)["returns"]
    return {"returns": np.broadcast_to(returns[..., :1], returns.shape).copy()}


def _standardised(way: Way, form: Form, eps: float, /, **arrays: Any) -> Outputs:
    return {"returns": way.all_whitened(form(**arrays)["returns"], eps)}


def _returns_slack(way: Way, form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Returns that are all equal but for rounding."""
    returns = form(**arrays)["returns"]
    return np.abs(returns).max() * way.magnified(returns, eps)


standardised, standardised_ddof_0 = whitening(
    "standardised-returns",
    "Returns get mean 0 and standard deviation 1 ({words}) over all steps.",
    "discounted_return",
    {DDOF_1: "pytorch/examples and PPO-PyTorch", DDOF_0: "code that standardises with NumPy's std"},
    _standardised,
    _returns_slack,
)


def _over_standardised(way: Way, form: Form, eps: float, /, **arrays: Any) -> Outputs:
    returns = way.all_whitened(form(**arrays)["returns"], eps)
    return {"returns": returns, "advantages": returns - arrays["values"][..., : returns.shape[-1]]}


(over_standardised,) = whitening(
    "advantages-of-standardised-returns",
    "Returns get mean 0 and standard deviation 1 ({words}) over all steps before the values are taken off.",
    "gae",
    {DDOF_1: "pytorch/examples, actor_critic.py"},
    _over_standardised,
    _returns_slack,
)
