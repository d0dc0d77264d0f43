"""unsloth-zoo: the log-probabilities and the loss that it puts in the place of trl's."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import dual_clip_above, no_empty_rows, one_table

_PLACE = "unsloth_zoo.rl_replacements"
_peer = partial(peer, backend="torch")


@_peer(
    f"{_PLACE}.selective_log_softmax",
    dtypes=("float32",),
    note="of logits that are cut and divided by the temperature already; float32 in its source",
)
def token_logprobs(function, /, logits, ids, temperature):
    return function(logits[..., :-1, :] / temperature, ids[..., 1:])


def grpo_loss(function, logp, old_logp, adv, mask, ref_logp=None, beta=0.0, **settings):
    settings = {"loss_type": "dapo", "num_items_in_batch": mask.sum(), **settings}
    return function(ref_logp, logp, old_logp, None, mask.long(), mask, beta, adv, **settings)[0]


def of_one_row(function, logp, old_logp, adv, **settings):
    new, old, gains = (x.reshape(1, -1) for x in torch.broadcast_tensors(logp, old_logp, adv))
    return grpo_loss(function, new, old, gains, torch.ones_like(new, dtype=torch.long), **settings)


_grpo = partial(_peer, function=f"{_PLACE}.grpo_compute_loss", helpers=(grpo_loss, of_one_row))
_TOKENS = "the mean over all tokens, which loss_type=dapo documents"


@_grpo(
    convention="loss mean-over-batch",
    note=f"delta is the dual clip, above 1 + epsilon as in trl; a loss, {_TOKENS}",
    outside=dual_clip_above,
)
def policy_clip(function, /, logp, old_logp, adv, eps_low, eps_high=None, dual=None):
    high = eps_low if eps_high is None else eps_high
    return of_one_row(function, logp, old_logp, adv, epsilon_low=eps_low, epsilon_high=high, delta=dual)


@_grpo(convention="mean-over-batch", note=f"epsilon_high is the bound itself; {_TOKENS}")
def cispo(function, /, logp, old_logp, adv, high=None):
    bound = float("inf") if high is None else high
    return of_one_row(function, logp, old_logp, adv, loss_type="cispo", epsilon_high=bound)


@_grpo(convention="mean-over-batch clamped-20-10", note=f"its loss with beta = 1; {_TOKENS}")
def kl_estimate(function, /, logp, ref_logp):
    policy, reference = (x.reshape(1, -1) for x in torch.broadcast_tensors(logp, ref_logp))
    none = torch.zeros_like(policy)
    return of_one_row(function, policy, policy.detach(), none, ref_logp=reference, beta=1.0)


@_grpo(
    note="importance_sampling_level=sequence with loss_type=grpo, whose mean is over all rows",
    outside=[one_table("logp"), no_empty_rows],
)
def gspo(function, /, logp, old_logp, adv, mask, eps_low, eps_high):
    clip = {"epsilon_low": eps_low, "epsilon_high": eps_high}
    level = {"importance_sampling_level": "sequence", "loss_type": "grpo"}
    return {"loss": grpo_loss(function, logp, old_logp, adv, mask.long(), **clip, **level)}


@_grpo(
    settings={"way": "dapo"},
    note="loss_type=dapo at a ratio of 1, by the tokens of the whole batch",
    outside=one_table("loss"),
)
@_grpo(
    settings={"way": "grpo"},
    convention="seq-mean-token-mean count-all-rows",
    note="loss_type=grpo, the mean over all rows in its source",
    outside=one_table("loss"),
)
@_grpo(
    settings={"way": "dr_grpo"},
    convention="fixed-divisor count-all-rows",
    note="loss_type=dr_grpo, rows times max_completion_length in its source",
    outside=one_table("loss"),
)
def loss_aggregation(function, /, loss, mask, way, tokens=None, divisor=None):
    none = torch.zeros_like(loss)
    sizes = {"loss_type": way, "max_completion_length": loss.shape[-1] if divisor is None else divisor}
    sizes |= {} if tokens is None else {"num_items_in_batch": tokens}
    return grpo_loss(function, none, none, -loss, mask.long(), **sizes)
