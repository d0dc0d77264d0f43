"""torchrl: its value functionals, plain and vectorised. Time stands before a feature axis of 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import one_discount

DISTRIBUTION = "torchrl"
_PLACE = "torchrl.objectives.value.functional"
_FLOATS = (
    "gamma and lmbda are Python floats, as annotated; times an integer tensor they become tensors of "
    "torch's default dtype, float32"
)
_SERIES = "powers of γλ below 1e-7 are left out, as its helpers document; at γλ = 0 it raises"


def _end(numbers: Any) -> Any:
    """[..., T] to [..., T, 1]."""
    return numbers.unsqueeze(-1)


def _flags(terminated: Any, truncated: Any) -> dict[str, Any]:
    """Both kinds of end, under the library's names."""
    return {"done": _end(terminated | truncated), "terminated": _end(terminated)}


def _gae(name: str) -> Callable[..., Any]:
    from torchrl.objectives.value import functional

    estimate = getattr(functional, name)

    def call(
        rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any, next_values: Any
    ) -> Any:
        ends = _flags(terminated, truncated)
        now = _end(values[..., :-1])
        advantages, returns = estimate(gamma, lam, now, _end(next_values), _end(rewards), **ends)
        return {"advantages": advantages.squeeze(-1), "returns": returns.squeeze(-1)}

    return call


def _lambda_return(name: str) -> Callable[..., Any]:
    from torchrl.objectives.value import functional

    estimate = getattr(functional, name)

    def call(
        rewards: Any,
        values: Any,
        gamma: Any,
        lam: Any,
        terminated: Any,
        truncated: Any,
        next_values: Any,
        alpha: Any = None,
    ) -> Any:
        ends = _flags(terminated, truncated)
        return estimate(gamma, lam, _end(next_values), _end(rewards), **ends).squeeze(-1)

    return call


def _successors(rewards: Any, values: Any, bootstrap: Any, next_values: Any) -> Any:
    """Values behind each step, from whichever of the three says them."""
    import torch

    if next_values is not None:
        return next_values
    if values is not None:
        return values[..., 1:]
    found = torch.zeros_like(rewards)
    if bootstrap is not None:
        found[..., -1] = bootstrap
    return found


def _td1(name: str) -> Callable[..., Any]:
    from torchrl.objectives.value import functional

    estimate = getattr(functional, name)

    def call(
        rewards: Any,
        gamma: Any,
        terminated: Any,
        truncated: Any,
        values: Any = None,
        bootstrap: Any = None,
        next_values: Any = None,
    ) -> Any:
        behind = _successors(rewards, values, bootstrap, next_values)
        return estimate(gamma, _end(behind), _end(rewards), **_flags(terminated, truncated)).squeeze(-1)

    return call


def _reward2go(name: str) -> Callable[..., Any]:
    from torchrl.objectives.value import functional

    estimate = getattr(functional, name)

    def call(rewards: Any, gamma: Any, terminated: Any) -> Any:
        return estimate(_end(rewards), _end(terminated), gamma).squeeze(-1)

    return call


def _td0(name: str) -> Callable[..., Any]:
    from torchrl.objectives.value import functional

    estimate = getattr(functional, name)

    def call(rewards: Any, values: Any, gamma: Any, terminated: Any, truncated: Any, next_values: Any) -> Any:
        ends = _flags(terminated, truncated)
        return estimate(gamma, _end(values[..., :-1]), _end(next_values), _end(rewards), **ends).squeeze(-1)

    return call


_TD1 = (_flags, _successors)


def _adapter(name: str, formula: str, load: Callable[[str], Callable[..., Any]], **more: Any) -> Adapter:
    helpers = (_end, *more.pop("helpers", (_flags,)))
    return Adapter(
        f"{_PLACE}.{name}",
        formula,
        load,
        backend="torch",
        helpers=helpers,
        outside=one_discount,
        variant=name,
        **more,
    )


ADAPTERS = (
    _adapter("generalized_advantage_estimate", "gae", _gae, note=_FLOATS),
    _adapter("vec_generalized_advantage_estimate", "gae", _gae, note=_SERIES),
    _adapter("td_lambda_return_estimate", "lambda_return", _lambda_return),
    _adapter("vec_td_lambda_return_estimate", "lambda_return", _lambda_return, note=_SERIES),
    _adapter("td1_return_estimate", "discounted_return", _td1, helpers=_TD1),
    _adapter("vec_td1_return_estimate", "discounted_return", _td1, note=_SERIES, helpers=_TD1),
    _adapter(
        "reward2go",
        "discounted_return",
        _reward2go,
        helpers=(),
        note="it documents done as the end of an episode and no truncation, so it is asked for none",
    ),
    _adapter("td0_advantage_estimate", "td_error", _td0, note=_FLOATS),
)
