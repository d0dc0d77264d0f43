"""rlax: returns, advantages, losses and distances of one sequence, on JAX."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import finite_count, one_distribution, one_sequence, without_zeros

_peer = partial(peer, backend="jax")
_DISCOUNT = "an episode's end is a discount of 0; it has no word for a truncation, so it is asked for none"


def _discount(gamma, terminated, rewards):
    return gamma * (1 - terminated.astype(rewards.dtype))


_sequence = partial(_peer, helpers=(_discount,))


@_sequence("rlax.truncated_generalized_advantage_estimation", note=_DISCOUNT, outside=one_sequence)
def gae(function, /, rewards, values, gamma, lam, terminated):
    return function(rewards, _discount(gamma, terminated, rewards), lam, values)


@_sequence("rlax.lambda_returns", note=_DISCOUNT, outside=one_sequence)
def lambda_return(function, /, rewards, values, gamma, lam, terminated, alpha=None):
    return function(rewards, _discount(gamma, terminated, rewards), values[1:], lam)


@_sequence(
    "rlax.n_step_bootstrapped_returns",
    note=f"{_DISCOUNT}; float64 alone, since it pads with arrays of JAX's default dtype",
    dtypes=("float64",),
    outside=[one_sequence, finite_count],
)
def n_step_return(function, /, rewards, values, gamma, n, terminated, alpha=None):
    return function(rewards, _discount(gamma, terminated, rewards), values[1:], n)


@_sequence("rlax.discounted_returns", note=_DISCOUNT, outside=one_sequence)
def discounted_return(function, /, rewards, gamma, terminated, values=None, bootstrap=None):
    import jax.numpy as jnp

    last = jnp.zeros((), rewards.dtype) if bootstrap is None else bootstrap
    if values is not None and bootstrap is None:
        last = values[-1]
    return function(rewards, _discount(gamma, terminated, rewards), last)


@_sequence("rlax.td_learning", note=_DISCOUNT, outside=one_sequence)
def td_error(function, /, rewards, values, gamma, terminated):
    import jax

    return jax.vmap(function)(values[:-1], rewards, _discount(gamma, terminated, rewards), values[1:])


@_peer(
    "rlax.clipped_surrogate_pg_loss",
    convention="loss mean-over-batch",
    note="the docstring gives the loss, with its minus sign and its mean",
)
def ppo_clip(function, /, ratio, adv, eps):
    import jax.numpy as jnp

    ratio, adv = jnp.broadcast_arrays(ratio, adv)
    return function(ratio.ravel(), adv.ravel(), eps)


@_peer(
    "rlax.entropy_loss",
    convention="loss mean-over-batch",
    note="the docstring calls it a regularization loss; its weights are all 1",
    outside=without_zeros,
)
def entropy(function, /, p):
    import jax.numpy as jnp

    logits = jnp.log(p).reshape(-1, p.shape[-1])
    return function(logits, jnp.ones(len(logits), p.dtype))


@_peer("rlax.categorical_kl_divergence", outside=[one_distribution, without_zeros])
def kl(function, /, p, q):
    import jax.numpy as jnp

    return function(jnp.log(p), jnp.log(q))
