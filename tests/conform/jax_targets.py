"""Functions under test that are written in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp

# without a dtype: float64 where JAX is told to have it, float32 where it is not
NOTHING = jnp.asarray([0.9, 0.1])[0] * 0


def right(rewards, values, gamma, lam, terminated, truncated, next_values):
    """A scan over the last axis, backwards, batched over the others."""
    kind = rewards.dtype
    gammas = jnp.broadcast_to(jnp.asarray(gamma, kind), rewards.shape)
    onward = 1 - terminated.astype(kind)
    keep = onward * (1 - truncated.astype(kind))
    delta = rewards + gammas * onward * next_values - values[..., :-1]

    def step(later, row):
        error, decay = row
        later = error + decay * later
        return later, later

    rows = tuple(jnp.moveaxis(part, -1, 0) for part in (delta, gammas * lam * keep))
    found = jax.lax.scan(step, jnp.zeros(rewards.shape[:-1], kind), rows, reverse=True)[1]
    return jnp.moveaxis(found, 0, -1)


jitted = jax.jit(right)
numbers_compiled_in = jax.jit(right, static_argnames=("gamma", "lam"))
donating = jax.jit(right, donate_argnames=("rewards",))


@jax.jit
def crosses(rewards, values, gamma, lam, terminated, truncated, next_values):
    return right(rewards, values, gamma, lam, terminated, jnp.zeros_like(truncated), next_values)


@jax.jit
def single(rewards, values, gamma, lam, terminated, truncated, next_values):
    rewards, values, next_values = (x.astype(jnp.float32) for x in (rewards, values, next_values))
    return right(rewards, values, gamma, lam, terminated, truncated, next_values)


@jax.jit
def with_a_constant(rewards, values, gamma, lam, terminated, truncated, next_values):
    return right(rewards, values, gamma, lam, terminated, truncated, next_values) + NOTHING


@jax.jit
def asks_a_tracer(rewards, gamma, terminated, truncated, next_values, values, lam):
    if gamma == 0:  # not known while this is compiled
        return rewards - values[..., :-1]
    return right(rewards, values, gamma, lam, terminated, truncated, next_values)
