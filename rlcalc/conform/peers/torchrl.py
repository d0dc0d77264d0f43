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


def _end(flags: Any) -> Any:
    """[..., T] to [..., T, 1]."""
    return flags.unsqueeze(-1)


def _gae() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import generalized_advantage_estimate

    def call(
        rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any, next_values: Any
    ) -> Any:
        advantages, returns = generalized_advantage_estimate(
            gamma,
            lam,
            _end(values[..., :-1]),
            _end(next_values),
            _end(rewards),
            done=_end(terminated | truncated),
            terminated=_end(terminated),
        )
        return {"advantages": advantages.squeeze(-1), "returns": returns.squeeze(-1)}

    return call


def _vec_gae() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import vec_generalized_advantage_estimate

    def call(
        rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any, next_values: Any
    ) -> Any:
        advantages, _ = vec_generalized_advantage_estimate(
            gamma,
            lam,
            _end(values[..., :-1]),
            _end(next_values),
            _end(rewards),
            done=_end(terminated | truncated),
            terminated=_end(terminated),
        )
        # where it raises, a test can only tell what an array should have been
        return advantages.squeeze(-1)

    return call


def _lambda_return() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import td_lambda_return_estimate

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
        done = _end(terminated | truncated)
        returns = td_lambda_return_estimate(
            gamma, lam, _end(next_values), _end(rewards), done=done, terminated=_end(terminated)
        )
        return returns.squeeze(-1)

    return call


def _vec_lambda_return() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import vec_td_lambda_return_estimate

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
        done = _end(terminated | truncated)
        returns = vec_td_lambda_return_estimate(
            gamma, lam, _end(next_values), _end(rewards), done=done, terminated=_end(terminated)
        )
        return returns.squeeze(-1)

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


def _td1() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import td1_return_estimate

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
        done = _end(terminated | truncated)
        returns = td1_return_estimate(
            gamma, _end(behind), _end(rewards), done=done, terminated=_end(terminated)
        )
        return returns.squeeze(-1)

    return call


def _vec_td1() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import vec_td1_return_estimate

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
        done = _end(terminated | truncated)
        returns = vec_td1_return_estimate(
            gamma, _end(behind), _end(rewards), done=done, terminated=_end(terminated)
        )
        return returns.squeeze(-1)

    return call


def _reward2go() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import reward2go

    def call(rewards: Any, gamma: Any, terminated: Any) -> Any:
        return reward2go(_end(rewards), _end(terminated), gamma).squeeze(-1)

    return call


def _td0() -> Callable[..., Any]:
    from torchrl.objectives.value.functional import td0_advantage_estimate

    def call(rewards: Any, values: Any, gamma: Any, terminated: Any, truncated: Any, next_values: Any) -> Any:
        errors = td0_advantage_estimate(
            gamma,
            _end(values[..., :-1]),
            _end(next_values),
            _end(rewards),
            done=_end(terminated | truncated),
            terminated=_end(terminated),
        )
        return errors.squeeze(-1)

    return call


def _adapter(name: str, formula: str, load: Callable[[], Callable[..., Any]], **more: Any) -> Adapter:
    helpers = (_end, *more.pop("helpers", ()))
    return Adapter(
        f"{_PLACE}.{name}", formula, load, backend="torch", helpers=helpers, outside=one_discount, **more
    )


ADAPTERS = (
    _adapter("generalized_advantage_estimate", "gae", _gae, note=_FLOATS),
    _adapter("vec_generalized_advantage_estimate", "gae", _vec_gae, note=_SERIES),
    _adapter("td_lambda_return_estimate", "lambda_return", _lambda_return),
    _adapter("vec_td_lambda_return_estimate", "lambda_return", _vec_lambda_return, note=_SERIES),
    _adapter("td1_return_estimate", "discounted_return", _td1, helpers=(_successors,)),
    _adapter("vec_td1_return_estimate", "discounted_return", _vec_td1, note=_SERIES, helpers=(_successors,)),
    _adapter(
        "reward2go",
        "discounted_return",
        _reward2go,
        note="it documents done as the end of an episode and no truncation, so it is asked for none",
    ),
    _adapter("td0_advantage_estimate", "td_error", _td0, note=_FLOATS),
)
