"""rlax: returns, advantages, losses and distances of one sequence, on JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import (
    any_of,
    finite_count,
    one_distribution,
    one_sequence,
    without_zeros,
)

DISTRIBUTION = "rlax"
_DISCOUNT = "an episode's end is a discount of 0; it has no word for a truncation, so it is asked for none"


def _gae() -> Callable[..., Any]:
    from rlax import truncated_generalized_advantage_estimation

    def call(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any) -> Any:
        discount = gamma * (1 - terminated.astype(rewards.dtype))
        return truncated_generalized_advantage_estimation(rewards, discount, lam, values)

    return call


def _lambda_return() -> Callable[..., Any]:
    from rlax import lambda_returns

    def call(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, alpha: Any = None) -> Any:
        discount = gamma * (1 - terminated.astype(rewards.dtype))
        return lambda_returns(rewards, discount, values[1:], lam)

    return call


def _n_step() -> Callable[..., Any]:
    from rlax import n_step_bootstrapped_returns

    def call(rewards: Any, values: Any, gamma: Any, n: Any, terminated: Any, alpha: Any = None) -> Any:
        discount = gamma * (1 - terminated.astype(rewards.dtype))
        return n_step_bootstrapped_returns(rewards, discount, values[1:], n)

    return call


def _discounted() -> Callable[..., Any]:
    import jax.numpy as jnp
    from rlax import discounted_returns

    def call(rewards: Any, gamma: Any, terminated: Any, values: Any = None, bootstrap: Any = None) -> Any:
        last = jnp.zeros((), rewards.dtype) if bootstrap is None else bootstrap
        if values is not None and bootstrap is None:
            last = values[-1]
        discount = gamma * (1 - terminated.astype(rewards.dtype))
        return discounted_returns(rewards, discount, last)

    return call


def _td_error() -> Callable[..., Any]:
    import jax
    from rlax import td_learning

    def call(rewards: Any, values: Any, gamma: Any, terminated: Any) -> Any:
        discount = gamma * (1 - terminated.astype(rewards.dtype))
        return jax.vmap(td_learning)(values[:-1], rewards, discount, values[1:])

    return call


def _ppo_clip() -> Callable[..., Any]:
    import jax.numpy as jnp
    from rlax import clipped_surrogate_pg_loss

    def call(ratio: Any, adv: Any, eps: Any) -> Any:
        ratio, adv = jnp.broadcast_arrays(ratio, adv)
        return clipped_surrogate_pg_loss(ratio.ravel(), adv.ravel(), eps)

    return call


def _entropy_loss() -> Callable[..., Any]:
    import jax.numpy as jnp
    from rlax import entropy_loss

    def call(p: Any) -> Any:
        logits = jnp.log(p).reshape(-1, p.shape[-1])
        return entropy_loss(logits, jnp.ones(len(logits), p.dtype))

    return call


def _kl() -> Callable[..., Any]:
    import jax.numpy as jnp
    from rlax import categorical_kl_divergence

    def call(p: Any, q: Any) -> Any:
        return categorical_kl_divergence(jnp.log(p), jnp.log(q))

    return call


ADAPTERS = (
    Adapter(
        "rlax.truncated_generalized_advantage_estimation",
        "gae",
        _gae,
        backend="jax",
        note=_DISCOUNT,
        outside=one_sequence,
    ),
    Adapter(
        "rlax.lambda_returns",
        "lambda_return",
        _lambda_return,
        backend="jax",
        note=_DISCOUNT,
        outside=one_sequence,
    ),
    Adapter(
        "rlax.n_step_bootstrapped_returns",
        "n_step_return",
        _n_step,
        backend="jax",
        note=f"{_DISCOUNT}; float64 alone, since it pads with arrays of JAX's default dtype",
        dtypes=("float64",),
        outside=any_of(one_sequence, finite_count),
    ),
    Adapter(
        "rlax.discounted_returns",
        "discounted_return",
        _discounted,
        backend="jax",
        note=_DISCOUNT,
        outside=one_sequence,
    ),
    Adapter("rlax.td_learning", "td_error", _td_error, backend="jax", note=_DISCOUNT, outside=one_sequence),
    Adapter(
        "rlax.clipped_surrogate_pg_loss",
        "ppo_clip",
        _ppo_clip,
        backend="jax",
        conventions=("loss", "mean-over-batch"),
        note="the docstring gives the loss, with its minus sign and its mean",
    ),
    Adapter(
        "rlax.entropy_loss",
        "entropy",
        _entropy_loss,
        backend="jax",
        conventions=("loss", "mean-over-batch"),
        note="the docstring calls it a regularization loss; its weights are all 1",
        outside=without_zeros,
    ),
    Adapter(
        "rlax.categorical_kl_divergence",
        "kl",
        _kl,
        backend="jax",
        outside=any_of(one_distribution, without_zeros),
    ),
)
