"""Roles that places of a function of tokens can play besides a formula's own parameters."""

from __future__ import annotations

from collections.abc import Mapping

from rlcalc.specs import Formula

# an index that is too large for a dual clip to act
NEVER = 1e30
# what a function that insists on a bound gets where there is none
NO_BOUND = {"dual": NEVER, "high": NEVER, "low": 0.0}
INSISTED = (*NO_BOUND, "bootstrap", "margin", "divisor", "chosen_lengths", "rejected_lengths")
STANDS_FOR: Mapping[str, tuple[str, ...]] = {
    "eps_both": ("eps_low",),
    "tokens_always": ("tokens",),
    **{f"{name}_always": (name,) for name in INSISTED},
    "low_width": ("low",),
    "high_width": ("high",),
    "both_widths": ("low", "high"),
    "log_ratio": ("logp", "old_logp", "ref_logp"),
    "ratio": ("logp", "old_logp"),
    "padding": ("mask",),
    "valid": ("mask",),
    "group_size": ("groups",),
    "token_scores": ("rewards", "score"),
    "small": ("eps",),
    "unbiased": ("ddof",),
    "by_std": ("scale",),
    "input_ids": ("labels",),
    "gamma_ratio": ("gamma",),
    "chosen_average": ("chosen", "chosen_lengths"),
    "rejected_average": ("rejected", "rejected_lengths"),
    "halves": ("chosen", "rejected"),
    **dict.fromkeys(("chosen", "rejected"), ("logps", "desirable")),
    **dict.fromkeys(("ref_chosen", "ref_rejected"), ("ref_logps",)),
    "chosen_nll": ("chosen", "chosen_lengths"),
    "loss_mask": ("labels",),
    "answer_logits": ("logps",),
    "pair_gap": ("chosen", "rejected"),
    "ref_gap": ("ref_chosen", "ref_rejected"),
    "answer_labels": ("mask",),
}

# losses that trainers add others to: a divergence from a reference, a loss of values, an entropy
WITH_TERMS = frozenset(["policy_clip", "cispo", "gspo", "decoupled_ppo", "actor_loss"])
# ... which are 0 where values are what they are to be, and each token is certain
TERMS = {
    "values": "no_values",
    "old_values": "no_values",
    "returns": "no_values",
    "terms": "no_values",
    "logits": "certain",
    "eps": "no_width",
}
# their weights, of values and of entropies, which are 0 then
WEIGHTS = ("no_value_term", "no_entropy_term")
# roles of a loss's other places while one of those terms is asked for alone
AROUND_A_TERM = frozenset(["no_adv", "same_logp", "no_term", "observations", "zero", "wide", *TERMS.values()])


def derived_roles(formula: Formula) -> frozenset[str]:
    """Roles besides a formula's own parameters that it can play."""
    own = formula.names
    found = {
        "option",
        "device",
        "none",
        "on",
        "off",
        "zero",
        "reference_free",
        "ipo",
        "vocabulary",
        "ignored",
    }
    if formula.mask is None:
        found |= {"valid"}
    if "mode" not in own:
        found |= {"mode"}
    if formula.name in WITH_TERMS:
        found |= {"no_kl", *WEIGHTS, "ref_logp", *TERMS.values()}
    for role, parts in STANDS_FOR.items():
        needed = {"score"} & own or set(parts) & own if role == "token_scores" else set(parts) & own
        if needed and not (role == "valid" and formula.mask is not None):
            found.add(role)
    return frozenset(found | {"padding", "attended", "loss_mask", "length"})
