"""tunix: the parts of its PPO and GRPO, on JAX."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_sequence, without_zeros

_PLACE = "tunix.rl.algo_core"
_peer = partial(peer, backend="jax")


@_peer(
    f"{_PLACE}.compute_gae_advantages",
    convention="no-bootstrap",
    note="the advantages come back whitened, so its returns are judged; "
    "a completion ends with its last token: the recursion starts from 0 in its source",
    outside=[one_sequence, one_discount],
)
def lambda_return(function, /, rewards, values, gamma, lam, alpha=None):
    import jax.numpy as jnp

    return function(rewards[None], values[None, :-1], jnp.ones((1, len(rewards)), int), gamma, lam)[1][0]


@_peer(f"{_PLACE}.compute_entropy_from_logits", outside=without_zeros)
def entropy(function, /, p):
    import jax.numpy as jnp

    return function(jnp.log(p))


@_peer(
    "tunix.rl.common.compute_kl_divergence",
    settings={"method": "kl"},
    note='"kl", an estimator per token, of which the adapter takes the expectation; float32 in its source',
    outside=without_zeros,
)
@_peer(
    "tunix.rl.common.compute_kl_divergence",
    convention="k2",
    settings={"method": "mse_kl"},
    note='"mse_kl", half the squared difference in its docstring; float32 in its source',
    outside=without_zeros,
)
def kl(function, /, p, q, method):
    import jax.numpy as jnp

    return (p * function(jnp.log(p), jnp.log(q), method)).sum(-1)
