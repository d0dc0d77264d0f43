"""verl: the core algorithms of its PPO and GRPO, on responses of tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import (
    any_of,
    no_options,
    one_batch,
    one_discount,
    one_group,
    one_sequence,
    ratio_within_e20,
    several_steps,
    without_zeros,
)

DISTRIBUTION = "verl"
_PLACE = "verl.trainer.ppo.core_algos"
_GAE = "the advantages come back whitened, so its returns are judged; a response ends with its last token"
_GRPO = "epsilon = 1e-6 is in the signature and the docstring; torch.std in its source divides by G − 1"


def _gae() -> Callable[..., Any]:
    import torch
    from verl.trainer.ppo.core_algos import compute_gae_advantage_return

    def call(rewards: Any, values: Any, gamma: Any, lam: Any) -> Any:
        mask = torch.ones_like(rewards)[None]
        _, returns = compute_gae_advantage_return(rewards[None], values[None, :-1], mask, gamma, lam)
        return {"returns": returns[0]}

    return call


def _lambda_return() -> Callable[..., Any]:
    import torch
    from verl.trainer.ppo.core_algos import compute_gae_advantage_return

    def call(rewards: Any, values: Any, gamma: Any, lam: Any, alpha: Any = None) -> Any:
        mask = torch.ones_like(rewards)[None]
        return compute_gae_advantage_return(rewards[None], values[None, :-1], mask, gamma, lam)[1][0]

    return call


def _grpo(name: str) -> Callable[..., Any]:
    import numpy as np
    import torch
    from verl.trainer.ppo import core_algos

    estimate = getattr(core_algos, name)

    def call(rewards: Any) -> Any:
        mask, index = torch.ones_like(rewards)[:, None], np.zeros(len(rewards), int)
        return estimate(rewards[:, None], mask, index)[0][:, 0]

    return call


def _ppo_clip() -> Callable[..., Any]:
    import torch
    from verl.trainer.ppo.core_algos import compute_policy_loss_vanilla
    from verl.workers.config import ActorConfig

    def call(ratio: Any, adv: Any, eps: Any) -> Any:
        config = ActorConfig(
            strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1,
            clip_ratio=eps, clip_ratio_low=eps, clip_ratio_high=eps,
        )  # fmt: skip
        ratio, adv = torch.broadcast_tensors(ratio, adv)  # type: ignore[no-untyped-call]
        new, adv = ratio.log().reshape(1, -1), adv.reshape(1, -1)  # one response of so many tokens
        mask = torch.ones_like(new)
        return compute_policy_loss_vanilla(torch.zeros_like(new), new, adv, mask, config=config)[0]

    return call


def _critic_loss() -> Callable[..., Any]:
    import torch
    from verl.trainer.ppo.core_algos import compute_value_loss

    def call(values: Any, returns: Any, alpha: Any = None) -> Any:
        mask = torch.ones_like(returns)[None]
        known = (torch.zeros_like(returns) + values)[None]
        return compute_value_loss(known, returns[None], known, mask, cliprange_value=1.0)[0]

    return call


def _entropy() -> Callable[..., Any]:
    import torch
    from verl.trainer.ppo.core_algos import compute_entropy_loss

    def call(p: Any) -> Any:
        logits = p.log().reshape(1, -1, p.shape[-1])
        return compute_entropy_loss(logits, torch.ones(logits.shape[:2], dtype=p.dtype))

    return call


def _kl(estimator: str) -> Callable[..., Any]:
    from verl.trainer.ppo.core_algos import kl_penalty

    def call(p: Any, q: Any) -> Any:
        return (p * kl_penalty(p.log(), q.log(), estimator)).sum(-1)

    return call


ADAPTERS = (
    Adapter(
        f"{_PLACE}.compute_gae_advantage_return",
        "gae",
        _gae,
        backend="torch",
        note=_GAE,
        outside=any_of(one_sequence, one_discount, several_steps),
    ),
    Adapter(
        f"{_PLACE}.compute_gae_advantage_return",
        "lambda_return",
        _lambda_return,
        backend="torch",
        note=_GAE,
        outside=any_of(one_sequence, one_discount, several_steps),
    ),
    Adapter(
        f"{_PLACE}.compute_grpo_outcome_advantage",
        "grpo_advantage",
        _grpo,
        variant="compute_grpo_outcome_advantage",
        backend="torch",
        conventions=("ddof-1", "eps-1e-6"),
        note=_GRPO,
        outside=any_of(one_group, no_options("ddof", "eps")),
    ),
    Adapter(
        f"{_PLACE}.compute_grpo_vectorized_outcome_advantage",
        "grpo_advantage",
        _grpo,
        variant="compute_grpo_vectorized_outcome_advantage",
        backend="torch",
        conventions=("ddof-1", "eps-1e-6"),
        note="epsilon = 1e-6 is in the signature; group_mean_std documents G − 1, and float32 alone",
        dtypes=("float32",),
        outside=any_of(one_group, no_options("ddof", "eps")),
    ),
    Adapter(
        f"{_PLACE}.compute_policy_loss_vanilla",
        "ppo_clip",
        _ppo_clip,
        backend="torch",
        conventions=("loss", "dual-clip-3", "mean-over-batch"),
        note="a loss, by its name, and the mean over tokens, by its argument; clip_ratio_c = 3 of the "
        "dual clip and the log-ratio held within 20 are in its source, with reasons",
        outside=ratio_within_e20,
    ),
    Adapter(
        f"{_PLACE}.compute_value_loss",
        "critic_loss",
        _critic_loss,
        backend="torch",
        note="the new values are also given as the old ones, so that nothing is clipped",
        outside=one_batch,
    ),
    Adapter(
        f"{_PLACE}.compute_entropy_loss",
        "entropy",
        _entropy,
        backend="torch",
        conventions=("mean-over-batch",),
        note="+H, in spite of its name; the mean over tokens",
        outside=without_zeros,
    ),
    Adapter(
        f"{_PLACE}.kl_penalty",
        "kl",
        _kl,
        variant="k1",
        backend="torch",
        note='"k1", an estimator per token, of which the adapter takes the expectation under p',
        outside=without_zeros,
    ),
    Adapter(
        f"{_PLACE}.kl_penalty",
        "kl",
        _kl,
        variant="k2",
        backend="torch",
        conventions=("k2",),
        note='"k2", by its name; the adapter takes the expectation under p',
        outside=without_zeros,
    ),
    Adapter(
        f"{_PLACE}.kl_penalty",
        "kl",
        _kl,
        variant="k3",
        backend="torch",
        conventions=("k3-clamped-10",),
        note='"k3"; its source holds each estimate within 10; the adapter takes the expectation under p',
        outside=without_zeros,
    ),
)
