"""torchrl: its value functionals, plain and vectorised. Time stands before a feature axis of 1."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount

_PLACE = "torchrl.objectives.value.functional"
_FLOATS = (
    "gamma and lmbda are Python floats, as annotated; times an integer tensor they become tensors of "
    "torch's default dtype, float32"
)
_SERIES = "powers of γλ below 1e-7 are left out, as its helpers document; at γλ = 0 it raises"


def _end(numbers):
    """[..., T] to [..., T, 1]."""
    return numbers.unsqueeze(-1)


def _flags(terminated, truncated):
    """Both kinds of end, under the library's names."""
    return {"done": _end(terminated | truncated), "terminated": _end(terminated)}


def _successors(rewards, values, bootstrap, next_values):
    """Values of the state after each step, from whichever of the three says them."""
    if next_values is not None:
        return next_values
    if values is not None:
        return values[..., 1:]
    found = torch.zeros_like(rewards)
    if bootstrap is not None:
        found[..., -1] = bootstrap
    return found


_peer = partial(peer, backend="torch", outside=one_discount, helpers=(_end, _flags))


@_peer(f"{_PLACE}.generalized_advantage_estimate", note=_FLOATS)
@_peer(f"{_PLACE}.vec_generalized_advantage_estimate", note=_SERIES)
def gae(estimate, /, rewards, values, gamma, lam, terminated, truncated, next_values):
    ends = _flags(terminated, truncated)
    now = _end(values[..., :-1])
    advantages, returns = estimate(gamma, lam, now, _end(next_values), _end(rewards), **ends)
    return {"advantages": advantages.squeeze(-1), "returns": returns.squeeze(-1)}


@_peer(f"{_PLACE}.td_lambda_return_estimate")
@_peer(f"{_PLACE}.vec_td_lambda_return_estimate", note=_SERIES)
def lambda_return(estimate, /, rewards, values, gamma, lam, terminated, truncated, next_values, alpha=None):
    ends = _flags(terminated, truncated)
    return estimate(gamma, lam, _end(next_values), _end(rewards), **ends).squeeze(-1)


@_peer(f"{_PLACE}.td1_return_estimate", formula="discounted_return", helpers=(_end, _flags, _successors))
@_peer(
    f"{_PLACE}.vec_td1_return_estimate",
    formula="discounted_return",
    note=_SERIES,
    helpers=(_end, _flags, _successors),
)
def td1(estimate, /, rewards, gamma, terminated, truncated, values=None, bootstrap=None, next_values=None):
    after = _successors(rewards, values, bootstrap, next_values)
    return estimate(gamma, _end(after), _end(rewards), **_flags(terminated, truncated)).squeeze(-1)


@_peer(
    f"{_PLACE}.reward2go",
    formula="discounted_return",
    helpers=(_end,),
    note="it documents done as the end of an episode and no truncation, so it is asked for none",
)
def reward2go(estimate, /, rewards, gamma, terminated):
    return estimate(_end(rewards), _end(terminated), gamma).squeeze(-1)


@_peer(f"{_PLACE}.td0_advantage_estimate", note=_FLOATS)
def td_error(estimate, /, rewards, values, gamma, terminated, truncated, next_values):
    ends = _flags(terminated, truncated)
    return estimate(gamma, _end(values[..., :-1]), _end(next_values), _end(rewards), **ends).squeeze(-1)
