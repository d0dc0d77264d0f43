"""XTuner: the losses and rewards of its PPO, which take one answer at a time."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import no_options, one_table

_PLACE = "xtuner._lite.algorithms.ppo.loss"
_peer = partial(peer, backend="torch")


def each_answer(function, mask, *tables):
    found = torch.zeros_like(tables[0])
    for k in range(len(mask)):
        if mask[k].any():
            found[k, mask[k]] = function(k, *(table[k, mask[k]] for table in tables))
    return found


@_peer(
    f"{_PLACE}.compute_kl_rewards",
    note="each answer without its padding",
    helpers=(each_answer,),
    outside=[one_table("logp"), no_options("clip_score", "kind")],
)
def token_rewards(function, /, score, logp, ref_logp, mask, beta):
    return each_answer(lambda k, new, old: function(new, old, score[k], beta), mask, logp, ref_logp)


@_peer(
    f"{_PLACE}.compute_advantages_and_returns",
    note="each answer without its padding",
    helpers=(each_answer,),
    outside=one_table("rewards"),
)
def token_gae(function, /, rewards, values, mask, gamma, lam):
    return each_answer(lambda k, gains, ahead: function(ahead, gains, gamma, lam)[0], mask, rewards, values)


@_peer(
    f"{_PLACE}.PPOPolicyLoss",
    convention="loss mean-over-batch",
    note="loss_type=per_seq, the mean over one answer; one width for both sides",
    outside=no_options("eps_high", "dual"),
)
def policy_clip(PPOPolicyLoss, /, logp, old_logp, adv, eps_low):
    logp, old_logp, adv = (x.reshape(-1) for x in torch.broadcast_tensors(logp, old_logp, adv))
    return PPOPolicyLoss(eps_low)(logp, old_logp, adv)


@_peer(
    f"{_PLACE}.CriticLoss",
    note="loss_type=per_token, whose weights of the tokens are the caller's",
    outside=[one_table("values"), no_options("factor")],
)
def value_clip_loss(CriticLoss, /, values, old_values, returns, mask, eps):
    weights = mask.to(values.dtype) / mask.sum().clamp(min=1)
    tables = (torch.where(mask, table, 0) for table in (values, old_values, returns))
    return {"loss": CriticLoss(eps, "per_token")(*tables, weights)}
