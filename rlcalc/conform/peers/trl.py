"""trl: what it offers as functions, and the losses inside of its trainers' methods.

A method is called on as much of a trainer as it reads: its settings, one
process, and log-probabilities in the place of a model that computes them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import dual_clip_above, no_empty_rows, one_row, one_table, without_zeros

_peer = partial(peer, backend="torch")


@_peer("trl.trainer.utils.entropy_from_logits", outside=without_zeros)
def entropy(function, /, p):
    return function(p.log())


def trainer_of(**settings):
    from collections import defaultdict
    from types import SimpleNamespace

    def same(x, **how):
        return x

    alone = SimpleNamespace(num_processes=1, device="cpu", gather=same, gather_for_metrics=same, reduce=same)
    settings.setdefault("_metrics", defaultdict(lambda: defaultdict(list)))
    counts = {"_total_train_tokens": 0, "_tp_size": 1, "current_gradient_accumulation_steps": 1}
    model = SimpleNamespace(training=True)
    return SimpleNamespace(accelerator=alone, model=model, aux_loss_enabled=False, **counts, **settings)


def grpo_loss(compute, logp, old_logp, adv, mask, tokens=None, options=None, **settings):
    from types import SimpleNamespace

    args = {"delta": None, "use_bias_correction_kl": False, "steps_per_generation": 1, **(options or {})}
    off = {"top_entropy_quantile": 1.0, "off_policy_mask_threshold": None, "use_vllm": False, "beta": 0.0}
    level = {"importance_sampling_level": "token", "_entropy_bonus_enabled": False}
    known = {**off, **level, "epsilon_low": 0.2, "epsilon_high": 0.2, "loss_type": "dapo", **settings}
    trainer = trainer_of(args=SimpleNamespace(**args), **known)
    entropies = torch.zeros_like(logp)
    trainer._get_per_token_logps_and_entropies = lambda *given, **more: (logp, entropies, None)
    empty = torch.zeros(len(logp), 0, dtype=torch.long)
    batch = {"prompt_ids": empty, "prompt_mask": empty, "completion_ids": mask, "completion_mask": mask}
    count = torch.as_tensor(mask.sum() if tokens is None else tokens)
    batch |= {"old_per_token_logps": old_logp, "advantages": adv, "num_items_in_batch": count}
    return compute(trainer, None, batch | {"ref_per_token_logps": settings.get("ref_logp")})


_grpo = partial(
    _peer, function="trl.trainer.grpo_trainer.GRPOTrainer._compute_loss", helpers=(trainer_of, grpo_loss)
)
_TOKENS = "the mean over all tokens, which loss_type=dapo documents"


@_grpo(
    convention="loss mean-over-batch",
    note=f"delta is the dual clip, documented as above 1 + epsilon; a loss, {_TOKENS}",
    outside=dual_clip_above,
)
def policy_clip(compute, /, logp, old_logp, adv, eps_low, eps_high=None, dual=None):
    logp, old_logp, adv = (x.reshape(1, -1) for x in torch.broadcast_tensors(logp, old_logp, adv))
    clip = {"epsilon_low": eps_low, "epsilon_high": eps_low if eps_high is None else eps_high}
    mask = torch.ones_like(logp, dtype=torch.long)
    return grpo_loss(compute, logp, old_logp, adv, mask, options={"delta": dual}, **clip)


@_grpo(convention="mean-over-batch", note=f"epsilon_high is the bound itself; {_TOKENS}")
def cispo(compute, /, logp, old_logp, adv, high=None):
    logp, old_logp, adv = (x.reshape(1, -1) for x in torch.broadcast_tensors(logp, old_logp, adv))
    bound = float("inf") if high is None else high
    mask = torch.ones_like(logp, dtype=torch.long)
    return grpo_loss(compute, logp, old_logp, adv, mask, loss_type="cispo", epsilon_high=bound)


@_grpo(
    note="importance_sampling_level=sequence with loss_type=grpo, whose mean is over all rows",
    outside=[one_table("logp"), no_empty_rows],
)
def gspo(compute, /, logp, old_logp, adv, mask, eps_low, eps_high):
    clip = {"epsilon_low": eps_low, "epsilon_high": eps_high}
    level = {"importance_sampling_level": "sequence", "loss_type": "grpo"}
    return {"loss": grpo_loss(compute, logp, old_logp, adv, mask.long(), **clip, **level)}


@_grpo(convention="mean-over-batch k3-as-written", note=f"its loss with beta = 1 and advantages 0; {_TOKENS}")
def kl_estimate(compute, /, logp, ref_logp):
    policy, reference = (numbers.reshape(1, -1) for numbers in torch.broadcast_tensors(logp, ref_logp))
    none, mask = torch.zeros_like(policy), torch.ones_like(policy, dtype=torch.long)
    return grpo_loss(compute, policy, policy.detach(), none, mask, beta=1.0, ref_logp=reference)


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
def loss_aggregation(compute, /, loss, mask, way, tokens=None, divisor=None):
    none = torch.zeros_like(loss)
    length = loss.shape[-1] if divisor is None else divisor
    sizes = {"loss_type": way, "max_completion_length": length}
    return grpo_loss(compute, none, none, -loss, mask.long(), tokens, **sizes)


@_peer(
    "trl.trainer.rloo_trainer.RLOOTrainer._compute_loss",
    formula="policy_clip",
    convention="loss mean-over-batch",
    note="one ratio an answer, the product of its tokens' in its source; here answers of one token",
    helpers=(trainer_of,),
)
def rloo_clip(compute, /, logp, old_logp, adv, eps_low, eps_high=None):
    logp, old_logp, adv = (numbers.reshape(-1) for numbers in torch.broadcast_tensors(logp, old_logp, adv))
    rows = logp[:, None]
    clip = {"epsilon_low": eps_low, "epsilon_high": eps_low if eps_high is None else eps_high}
    trainer = trainer_of(**clip)
    trainer._get_per_token_logps_and_entropies = lambda *given, **more: (rows, torch.zeros_like(rows), None)
    mask = torch.ones_like(rows, dtype=torch.long)
    batch = {"prompt_ids": mask, "prompt_mask": mask, "completion_ids": mask, "completion_mask": mask}
    return compute(trainer, None, batch | {"old_logps": old_logp, "advantages": adv})


def preference_loss(compute, chosen, rejected, references, lengths, **settings):
    from types import SimpleNamespace

    sizes = torch.as_tensor([n for side in lengths for n in side]) if lengths else torch.ones(2 * len(chosen))
    columns = torch.arange(1 + int(sizes.max()))
    mask = ((columns > 0) & (columns <= sizes[:, None])).long()  # a prompt of one token before the answer
    whole = torch.cat([chosen, rejected])
    # the sum of an answer stands at its first token
    tokens = torch.cat([whole[:, None], torch.zeros(len(whole), mask.shape[1] - 2, dtype=whole.dtype)], 1)
    zeros = torch.zeros_like(tokens)
    outputs = SimpleNamespace(log_probs=tokens, entropy=zeros, mean_logits=zeros, is_top1=zeros > 0)
    given = {"ld_alpha": None, "precompute_ref_logps": True, "f_divergence_type": "reverse_kl"}
    trainer = trainer_of(**given, loss_weights=[1.0], use_weighting=False, **settings)
    batch = {"input_ids": mask, "attention_mask": torch.ones_like(mask), "completion_mask": mask}
    batch |= {"ref_chosen_logps": references[0], "ref_rejected_logps": references[1]}
    return {"loss": compute(trainer, lambda **inputs: outputs, batch, False)}


_dpo = partial(
    _peer,
    function="trl.trainer.dpo_trainer.DPOTrainer._compute_loss",
    helpers=(trainer_of, preference_loss),
    outside=one_row("chosen"),
)


@_dpo(settings={"loss_type": "sigmoid"}, note="loss_type=sigmoid, without label smoothing in it")
def dpo_loss(compute, /, chosen, rejected, ref_chosen, ref_rejected, beta, loss_type):
    references, kind = (ref_chosen, ref_rejected), {"loss_types": [loss_type], "beta": beta}
    return preference_loss(compute, chosen, rejected, references, None, **kind)


@_dpo(note="loss_type=ipo, by averages, as its source says with a reason")
def ipo_loss(compute, /, chosen, rejected, ref_chosen, ref_rejected, beta, chosen_lengths, rejected_lengths):
    references, kind = (ref_chosen, ref_rejected), {"loss_types": ["ipo"], "beta": beta}
    return preference_loss(compute, chosen, rejected, references, (chosen_lengths, rejected_lengths), **kind)


@_peer(
    "trl.trainer.reward_trainer.RewardTrainer.compute_loss",
    note="center_rewards_coefficient is the weight of the centring",
    helpers=(trainer_of,),
    outside=one_row("chosen"),
)
def reward_model_loss(compute, /, chosen, rejected, margin=None, centre=None):
    from types import SimpleNamespace

    rewards = torch.cat([chosen, rejected])[:, None]
    trainer = trainer_of(args=SimpleNamespace(center_rewards_coefficient=centre))
    batch = {"attention_mask": torch.ones(len(rewards), 1)}
    batch |= {} if margin is None else {"margin": margin}
    return {"loss": compute(trainer, lambda **inputs: SimpleNamespace(logits=rewards), batch)}


@_peer(
    "trl.experimental.cpo.cpo_trainer.CPOTrainer.cpo_loss",
    note="loss_type=simpo; simpo_gamma is the margin itself",
    helpers=(trainer_of,),
    outside=one_row("chosen"),
)
def simpo_loss(function, /, chosen, rejected, chosen_lengths, rejected_lengths, beta, gamma):
    trainer = trainer_of(loss_type="simpo", alpha=0.0, label_smoothing=0.0, beta=beta, simpo_gamma=gamma)
    losses = function(trainer, chosen / chosen_lengths, rejected / rejected_lengths)[0]
    return {"losses": losses, "loss": losses.mean()}


@_peer(
    "trl.experimental.orpo.orpo_trainer.ORPOTrainer.odds_ratio_loss",
    dtypes=("float32",),
    note="the log-odds alone, pair by pair; the likelihood is computed elsewhere; float32 in its source",
    helpers=(trainer_of,),
    outside=one_row("chosen"),
)
def orpo_loss(function, /, chosen, rejected, chosen_lengths, rejected_lengths, beta):
    better, worse = chosen / chosen_lengths, rejected / rejected_lengths
    pairs = [function(trainer_of(beta=beta), a[None], b[None])[4] for a, b in zip(better, worse, strict=True)]
    return {"log_odds": torch.stack(pairs)}
