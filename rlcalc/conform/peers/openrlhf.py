"""OpenRLHF: the modules of its losses, which are classes with settings."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import no_empty_rows, one_row, one_table

_PLACE = "openrlhf.models.loss"
_peer = partial(peer, backend="torch")
_FLOAT32 = "float32 in its source"


@_peer(
    f"{_PLACE}.PolicyLoss",
    convention="log-ratio-clamped-20 loss mean-over-batch",
    note="a loss, the mean over tokens, and log-ratios held within 20, in its source",
)
def policy_clip(PolicyLoss, /, logp, old_logp, adv, eps_low, eps_high=None, dual=None):
    loss = PolicyLoss(eps_low, eps_low if eps_high is None else eps_high, dual)
    rows = [numbers.reshape(1, -1) for numbers in torch.broadcast_tensors(logp, old_logp, adv)]
    return loss(*rows, torch.ones_like(rows[0]))[0]


@_peer(
    f"{_PLACE}.PolicyLoss",
    note="policy_loss_type=gspo; without a valid token it is 0/0",
    outside=[one_table("logp"), no_empty_rows],
)
def gspo(PolicyLoss, /, logp, old_logp, adv, mask, eps_low, eps_high, sequences=None):
    loss = PolicyLoss(eps_low, eps_high, policy_loss_type="gspo")
    return {"loss": loss(logp, old_logp, adv[:, None], mask.long(), global_batch_size=sequences)[0]}


@_peer(
    f"{_PLACE}.PolicyLoss",
    settings={"unit": "token"},
    convention="out-of-bounds-masked",
    note="is_correction_mode=mask; the weights as the derivative of its loss at a ratio of 1",
    outside=one_table("train_logp"),
)
@_peer(
    f"{_PLACE}.PolicyLoss",
    settings={"unit": "seq"},
    convention="out-of-bounds-masked gated-by-the-mean",
    note="is_correction_level=seq; the weights as the derivative of its loss at a ratio of 1",
    outside=one_table("train_logp"),
)
def rollout_correction(PolicyLoss, /, train_logp, rollout_logp, mask, low, high, unit):
    settings = {"is_correction_level": unit, "is_correction_threshold": [low, high]}
    loss = PolicyLoss(is_correction_mode="mask", **settings)
    adv = torch.zeros_like(train_logp).requires_grad_()
    found = loss(train_logp, train_logp, adv, mask.long(), rollout_logp, batch_num_tokens=1)[0]
    return {"weights": -torch.autograd.grad(found, adv)[0]}


@_peer(
    f"{_PLACE}.ValueLoss",
    convention="nan-when-empty",
    note="the half of the mean, in its source",
    outside=one_table("values"),
)
def value_clip_loss(ValueLoss, /, values, old_values, returns, mask, eps, tokens=None):
    loss = ValueLoss(eps)(values, old_values, returns, mask.long(), batch_num_tokens=tokens)
    return {"loss": loss}


@_peer(f"{_PLACE}.PairWiseLoss", outside=one_row("chosen"))
def reward_model_loss(PairWiseLoss, /, chosen, rejected, margin=None):
    return {"loss": PairWiseLoss()(chosen, rejected, margin)}


@_peer(
    f"{_PLACE}.LogExpLoss",
    formula="reward_model_loss",
    note="its margin is not read, so that it is given none",
    outside=one_row("chosen"),
)
def log_exp_loss(LogExpLoss, /, chosen, rejected):
    return {"loss": LogExpLoss()(chosen, rejected)}


@_peer(f"{_PLACE}.DPOLoss", note="of sums over the answers", outside=one_row("chosen"))
def dpo_loss(DPOLoss, /, chosen, rejected, ref_chosen, ref_rejected, beta, label_smoothing=0.0):
    loss = DPOLoss(beta, label_smoothing)(chosen, rejected, ref_chosen, ref_rejected)
    return dict(zip(("loss", "chosen_rewards", "rejected_rewards"), loss, strict=True))


@_peer(
    f"{_PLACE}.DPOLoss",
    note="ipo=True; of sums over the answers, as the paper prints it",
    outside=one_row("chosen"),
)
def ipo_loss(DPOLoss, /, chosen, rejected, ref_chosen, ref_rejected, beta):
    return {"loss": DPOLoss(beta, ipo=True)(chosen, rejected, ref_chosen, ref_rejected)[0]}


_kl = partial(_peer, "openrlhf.models.utils.compute_approx_kl", dtypes=("float32",))


@_kl(
    settings={"estimator": "k1"},
    convention="k1 every-estimate-clamped-10",
    note=f"its default, within 10; {_FLOAT32}",
)
@_kl(settings={"estimator": "k2"}, convention="k2 every-estimate-clamped-10", note=f"within 10; {_FLOAT32}")
@_kl(
    settings={"estimator": "k3"},
    convention="clamped-10 k3-as-written",
    note=f"kl_estimator=k3, whose estimates are held within 10 in its source; {_FLOAT32}",
)
def kl_estimate(function, /, logp, ref_logp, estimator):
    return function(logp, ref_logp, kl_estimator=estimator)


@_peer(
    "openrlhf.models.utils.compute_reward",
    note="of the estimates k1, which the adapter makes; rewards of masked tokens are left to the caller",
    outside=one_table("logp"),
)
def token_rewards(function, /, score, logp, ref_logp, mask, beta, clip_score=None):
    kept = None if clip_score is None else (-clip_score, clip_score)
    return {"rewards": function(score, beta, logp - ref_logp, mask.long(), kept) * mask}


@_peer("openrlhf.trainer.ppo_utils.kl_controller.AdaptiveKLController", backend="numpy")
def adaptive_kl(AdaptiveKLController, /, coef, kl, target, n_steps, horizon):
    controller = AdaptiveKLController(coef, target, horizon)
    found = []
    for divergence in kl:
        controller.update(divergence, n_steps)
        found.append(controller.value)
    return found
