"""Functions as trainers sign them: bound without an adapter, right ones conform, no faulty one passes."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.binding.bind import bind
from rlcalc.conform.binding.model import Binding, binding_of
from rlcalc.conform.binding.words.likely import guessed_formula
from rlcalc.conform.binding.words.names import of_tokens
from rlcalc.conform.binding.words.token_roles import derived_roles
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.faults import catalogue
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.data import data_folder, read_toml
from rlcalc.specs import load_formula
from tests.sweep import sweep

from .as_it_stands import bugs
from .field import trainers_faulty, trainers_right

# what each computes and under which conventions, as its text says
RIGHT = """
agg_loss                        loss_aggregation
reduce_token_losses             loss_aggregation        nan-when-empty
per_sequence_mean               loss_aggregation        seq-mean-token-mean
loss_of_valid_tokens            loss_aggregation
logprobs_from_logits            token_logprobs
selective_log_softmax           token_logprobs
response_logps                  token_logprobs
kl_penalty                      kl_estimate             k3-as-written
approx_kl_k1                    kl_estimate             k1
mean_kl                         kl_estimate             mean-over-batch k3-as-written
causal_lm_loss                  sft_loss                nan-when-empty
sft_nll                         sft_loss
compute_policy_loss             policy_clip             loss mean-over-batch
grpo_token_loss                 policy_clip             loss mean-over-batch
PolicyLoss.forward              policy_clip             loss mean-over-batch
clipped_pg_loss                 policy_clip             loss mean-over-batch
ppo_surrogate_per_token         policy_clip
apply_kl_penalty                token_rewards
compute_reward                  token_rewards
compute_grpo_outcome_advantage  group_advantage         singleton-raw eps-1e-6
group_normalised                group_advantage         singleton-nan eps-1e-4
centered_advantages             group_advantage         mean-only
rloo                            rloo_advantage          singleton-nan
masked_whiten                   masked_whiten           nan-when-one eps-1e-8-inside-root
normalise_advantages            masked_whiten           nan-when-one eps-outside-root=1e-5
compute_gae_advantage_return    token_gae
gae_openrlhf_style              token_gae               interior-zero
dpo_loss                        dpo_loss
DPOLoss.__call__                dpo_loss
reward_model_loss               reward_model_loss
simpo                           simpo_loss
compute_value_loss              value_clip_loss         nan-when-empty
value_loss                      value_clip_loss         nan-when-empty
entropy_from_logits             token_entropy
soft_overlong                   overlong_penalty
cispo_loss                      cispo                   mean-over-batch
gspo_loss                       gspo
tis_weights                     rollout_correction
cispo_of_widths                 cispo
gspo_of_valid_answers           gspo                    nan-when-empty
FixedLength.reduce              loss_aggregation        fixed-divisor count-all-rows
rloo_of_prompts                 rloo_advantage          singleton-nan
kto_loss                        kto_loss
estimate_pass_at_k              pass_at_k
"""
# faults without a name, or that behave like another one where a function takes less than the formula
UNNAMED = {
    "mean_over_padding",
    "logprobs_unshifted",
    "policy_loss_unmasked",
    "rewards_score_at_the_end",
    "grpo_neighbours",
    "masked_whiten_all",
    "gae_first_row",
}
# the inner loop has these, and of the faulty ones those after them
QUICK = {"agg_loss", "compute_policy_loss", "compute_gae_advantage_return", "dpo_loss", "cispo_of_widths"}
QUICK_FAULTS = {"agg_loss_ignores_global", "dpo_loss_beta_twice"}


def rows(text: str, quick: set[str]) -> list[object]:
    """Name, formula and the words after them of each line."""
    lines = [line.split() for line in text.strip().splitlines()]
    found = [(name, formula, tuple(rest)) for name, formula, *rest in lines]
    return sweep(found, lambda row: row[0] in quick, lambda row: row[0])


def report(module: object, name: str, formula: str) -> ConformReport:
    return run(from_function(attrgetter(name)(module), name), formula, random=10)


@pytest.mark.parametrize(("name", "formula", "conventions"), rows(RIGHT, QUICK))
def test_a_right_function_conforms_as_it_stands(
    name: str, formula: str, conventions: tuple[str, ...]
) -> None:
    found = report(trainers_right, name, formula)
    assert found.verdict == ("conforms-under-convention" if conventions else "conforms")
    assert {way.name for way in found.conventions} == set(conventions)
    assert found.binding is not None
    assert binding_of(found.binding.table(), name).inputs == found.binding.inputs


@pytest.mark.parametrize(("name", "formula", "fault"), rows(trainers_faulty.LIST, QUICK_FAULTS))
def test_a_faulty_function_never_passes(name: str, formula: str, fault: tuple[str, ...]) -> None:
    found = report(trainers_faulty, name, formula)
    assert not found.passed
    named = set(bugs(found))
    if found.binding is not None and found.binding.agreed == "fault":
        named |= set(found.binding.like)
    assert name in UNNAMED or set(fault) <= named


@pytest.mark.parametrize("formula", ["ppo_clip", "policy_clip"])
def test_a_loss_of_answers_under_a_mask_is_told_that_it_is_another_formula(formula: str) -> None:
    found = conform(trainers_right.grpo_loss, formula)
    assert (found.formula, found.verdict) == ("policy_clip", "conforms-under-convention")
    assert any("it is another formula" in note for note in found.notes) == (formula == "ppo_clip")


def bound(function: object, formula: str) -> Binding:
    found = bind(from_function(function), load_formula(formula)).binding
    assert found is not None
    return found


def test_what_a_mask_hides_is_seen_to_count() -> None:
    notes = bound(trainers_faulty.policy_loss_unmasked, "policy_clip").notes
    assert "numbers that action_mask hides change the answer: they must not count" in notes
    assert not any("hides" in note for note in bound(trainers_right.compute_policy_loss, "policy_clip").notes)


@pytest.mark.parametrize(("name", "leaks"), [("loss_of_valid_tokens", False), ("FixedLength.reduce", True)])
def test_a_nan_under_a_mask_is_said_to_reach_the_answer(name: str, leaks: bool) -> None:
    notes = bound(attrgetter(name)(trainers_right), "loss_aggregation").notes
    assert any("reaches the answer" in note for note in notes) is leaks


def test_masks_of_either_sign_and_words_of_a_mode() -> None:
    assert bound(trainers_right.loss_of_valid_tokens, "loss_aggregation").inputs["padding_masks"] == "padding"
    words = bound(trainers_right.agg_loss, "loss_aggregation").words
    assert words["fixed-divisor"] == "seq-mean-token-sum-norm"
    assert "prompt-mean" not in words


@pytest.mark.parametrize(
    "formula",
    [name for name in read_toml(data_folder("specs") / "aliases.toml")["tokens"] if of_tokens(name)],
)
def test_every_table_of_names_is_of_a_formula_and_its_roles(formula: str) -> None:
    own = read_toml(data_folder("specs") / "aliases.toml")["tokens"][formula]
    spec = load_formula(formula)
    known = {p.name for p in spec.parameters} | derived_roles(spec) | {"same_as"}
    assert set(own) <= known, set(own) - known
    assert all(way.sets in known for way in catalogue(formula).conventions if way.sets)


def test_the_formula_is_guessed_from_the_name() -> None:
    names = {
        "core_algos.py:agg_loss": "loss_aggregation",
        "utils:selective_log_softmax": "token_logprobs",
        "losses.py:masked_whiten": "masked_whiten",
        "trainer.py:DPOTrainer.dpo_loss": "dpo_loss",
        "ppo.py:compute_policy_loss": "ppo_clip",
        "losses.py:policy_clip": "policy_clip",
        "losses.py:value_clip_loss": "value_clip_loss",
        "core_algos.py:kl_penalty": "kl_estimate",
        "vtrace.py:vtrace_targets": "vtrace",
        "sft.py:causal_lm_loss": "sft_loss",
        "core_algos.py:compute_rloo_outcome_advantage": "rloo_advantage",
    }
    assert {name: guessed_formula(name) for name in names} == names


def test_what_only_trainers_take_is_read_as_a_formula_of_tokens() -> None:
    def compute_policy_loss(log_probs, old_log_probs, advantages, clip_low=0.2, clip_high=0.28): ...
    def ppo_loss(log_probs, old_log_probs, advantages, clip_eps=0.2): ...
    def kl_penalty(log_probs, ref_log_probs, response_mask): ...
    def compute_kl(p, q): ...

    functions = (compute_policy_loss, ppo_loss, kl_penalty, compute_kl)
    guessed = [guessed_formula(one.__name__, from_function(one).facts) for one in functions]
    assert guessed == ["policy_clip", "ppo_clip", "kl_estimate", "kl"]


def test_a_wrong_number_is_that_of_the_output_in_its_shape() -> None:
    def dpo(pi_chosen, pi_rejected, reference_chosen, reference_rejected, beta=0.1):
        margin = (pi_chosen - pi_rejected) + (reference_chosen - reference_rejected)
        return np.logaddexp(0, -2 * beta * margin).mean()

    found = bind(from_function(dpo), load_formula("dpo_loss"))
    assert found.binding is not None
    assert list(found.binding.outputs) == ["loss"]  # not the losses of the pairs, an array
