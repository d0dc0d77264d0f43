"""verl: the core algorithms of its PPO and GRPO, on responses of tokens."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import np, torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import (
    log_ratio_within,
    no_empty_rows,
    no_options,
    one_batch,
    one_discount,
    one_group,
    one_sequence,
    one_table,
    only,
    ratio_within_e20,
    several_steps,
    two_bounds,
    without_zeros,
)

_PLACE = "verl.trainer.ppo.core_algos"
_peer = partial(peer, backend="torch")
_estimate = partial(
    _peer,
    function=f"{_PLACE}.compute_gae_advantage_return",
    note="the advantages come back whitened, so its returns are judged; a response ends with its last token",
    outside=[one_sequence, one_discount, several_steps],
)
_group = partial(_peer, convention="ddof-1 eps-1e-6")
_kl = partial(_peer, f"{_PLACE}.kl_penalty", outside=without_zeros)


@_estimate()
def lambda_return(function, /, rewards, values, gamma, lam, alpha=None):
    return function(rewards[None], values[None, :-1], torch.ones_like(rewards)[None], gamma, lam)[1][0]


@_estimate(helpers=(lambda_return,))
def gae(function, /, rewards, values, gamma, lam):
    return {"returns": lambda_return(function, rewards, values, gamma, lam)}


@_group(
    f"{_PLACE}.compute_grpo_outcome_advantage",
    note="epsilon = 1e-6 is in the signature and the docstring; torch.std in its source divides by G − 1",
    outside=[one_group, no_options("ddof", "eps")],
)
@_group(
    f"{_PLACE}.compute_grpo_vectorized_outcome_advantage",
    note="epsilon = 1e-6 is in the signature; group_mean_std documents G − 1, and float32 alone",
    dtypes=("float32",),
    outside=[one_group, no_options("ddof", "eps")],
)
def grpo_advantage(estimate, /, rewards):
    mask, index = torch.ones_like(rewards)[:, None], np.zeros(len(rewards), int)
    return estimate(rewards[:, None], mask, index)[0][:, 0]


@_peer(
    f"{_PLACE}.compute_policy_loss_vanilla",
    convention="loss dual-clip-3 mean-over-batch",
    note="a loss, by its name, and the mean over tokens, by its argument; clip_ratio_c = 3 of the "
    "dual clip and the log-ratio held within 20 are in its source, with reasons",
    outside=ratio_within_e20,
)
def ppo_clip(function, /, ratio, adv, eps):
    from verl.workers.config import ActorConfig

    clip = {"clip_ratio": eps, "clip_ratio_low": eps, "clip_ratio_high": eps}
    config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1, **clip)
    ratio, adv = torch.broadcast_tensors(ratio, adv)
    new, adv = ratio.log().reshape(1, -1), adv.reshape(1, -1)  # one response of so many tokens
    return function(torch.zeros_like(new), new, adv, torch.ones_like(new), config=config)[0]


@_peer(
    f"{_PLACE}.compute_value_loss",
    note="the new values are also given as the old ones, so that nothing is clipped",
    outside=one_batch,
)
def critic_loss(function, /, values, returns, alpha=None):
    known = (torch.zeros_like(returns) + values)[None]
    return function(known, returns[None], known, torch.ones_like(returns)[None], cliprange_value=1.0)[0]


@_peer(
    f"{_PLACE}.compute_entropy_loss",
    convention="mean-over-batch",
    note="+H, in spite of its name; the mean over tokens",
    outside=without_zeros,
)
def entropy(function, /, p):
    logits = p.log().reshape(1, -1, p.shape[-1])
    return function(logits, torch.ones(logits.shape[:2], dtype=p.dtype))


@_kl(
    settings={"estimator": "k1"},
    note='"k1", an estimator per token, of which the adapter takes the expectation under p',
)
@_kl(
    settings={"estimator": "k2"},
    convention="k2",
    note='"k2", by its name; the adapter takes the expectation under p',
)
@_kl(
    settings={"estimator": "k3"},
    convention="k3-clamped-10",
    note='"k3"; its source holds each estimate within 10; the adapter takes the expectation under p',
)
def kl(function, /, p, q, estimator):
    return (p * function(p.log(), q.log(), estimator)).sum(-1)


def actor_config(eps_low, eps_high):
    from verl.workers.config import ActorConfig

    clip = {"clip_ratio": eps_low, "clip_ratio_low": eps_low, "clip_ratio_high": eps_high}
    return ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1, **clip)


@_peer(
    f"{_PLACE}.compute_policy_loss_gspo",
    note="with its own aggregation, seq-mean-token-mean; log-ratios of 10 at most, in its source",
    helpers=(actor_config,),
    outside=[one_table("logp"), no_empty_rows, log_ratio_within(10, "logp", "old_logp")],
)
def gspo(function, /, logp, old_logp, adv, mask, eps_low, eps_high):
    rows = adv[:, None].expand_as(logp)
    found = function(old_logp, logp, rows, mask.long(), config=actor_config(eps_low, eps_high))
    return {"loss": found[0]}


@_peer(
    f"{_PLACE}.compute_policy_loss_cispo",
    convention="log-ratio-clamped-20 mean-over-batch",
    note="the bounds are 1 - clip_ratio_low and 1 + clip_ratio_high; the mean over tokens, by its argument; "
    "log-ratios within 20, in its source",
    helpers=(actor_config,),
)
def cispo(function, /, logp, old_logp, adv, low=0.0, high=float("inf")):
    logp, old_logp, adv = (x.reshape(1, -1) for x in torch.broadcast_tensors(logp, old_logp, adv))
    return function(old_logp, logp, adv, torch.ones_like(logp), config=actor_config(1 - low, high - 1))[0]


_CORRECTION = "verl.trainer.ppo.rollout_corr_helper"
_BOUNDED = log_ratio_within(20, "train_logp", "rollout_logp")
_MASKED = only(level="token", action="mask", gate="")


@_peer(
    f"{_CORRECTION}.compute_rollout_correction_weights",
    formula="rollout_correction",
    settings={"unit": "token"},
    note="token weights, truncated from above alone",
    outside=[one_table("train_logp"), _BOUNDED, only(level="token", action="truncate")],
)
@_peer(
    f"{_CORRECTION}.compute_rollout_correction_weights",
    formula="rollout_correction",
    settings={"unit": "sequence"},
    note="weights of whole answers, a product, truncated from above alone",
    outside=[one_table("train_logp"), only(level="sequence", action="truncate")],
)
def truncated_weights(
    function, /, train_logp, rollout_logp, mask, high, unit, level="", action="", normalise=False
):
    found = function(train_logp - rollout_logp, mask.long(), unit, high, normalise)
    return {"weights": found[0]}


@_peer(
    f"{_CORRECTION}.compute_rollout_correction_weights",
    formula="rollout_correction",
    note="two bounds, which mask",
    outside=[one_table("train_logp"), _BOUNDED, two_bounds, _MASKED],
)
def masked_weights(function, /, train_logp, rollout_logp, mask, low, high, action="", normalise=False):
    bounds = f"{low!r}_{high!r}"
    found = function(train_logp - rollout_logp, mask.long(), "token", bounds, normalise)
    return {"weights": found[0]}


@_peer(
    f"{_CORRECTION}.compute_rollout_rejection_mask",
    formula="rollout_correction",
    note='"token_k1", documented as bounds of the ratio; the weights of the tokens that it keeps',
    outside=[one_table("train_logp"), _BOUNDED, two_bounds, _MASKED],
)
def rejection(function, /, train_logp, rollout_logp, mask, low, high, action=""):
    ratio = train_logp - rollout_logp
    kept = function(ratio, mask.long(), "token_k1", f"{low!r}_{high!r}")[0]
    return {"weights": kept * torch.where(mask, ratio, 0).exp(), "keep": kept}


@_peer(
    f"{_PLACE}.compute_reinforce_plus_plus_outcome_advantage",
    convention="eps-1e-8-inside-root",
    note="1e-8 in the source of its whitening; a single valid token is refused",
    outside=one_table("rewards"),
)
def reinforce_pp_advantage(function, /, rewards, mask, gamma):
    from types import SimpleNamespace

    found = function(rewards, mask.long(), SimpleNamespace(gamma=gamma))
    return {"advantages": found[0], "returns": found[1]}
