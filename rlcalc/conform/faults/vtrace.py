"""Faults of V-trace."""

from __future__ import annotations

import math
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets
from rlcalc.conform.faults._sequence import early
from rlcalc.recurrence.scan import scan


def _cut_off(arrays: Arrays, bound: str) -> Any:
    """Ratios up to a bound."""
    bar = 1.0 if arrays.get(bound) is None else arrays[bound]
    return np.minimum(bar, np.exp(np.minimum(arrays["log_rhos"], 80)))


def _traces(arrays: Arrays) -> Any:
    return (1.0 if arrays.get("lam") is None else arrays["lam"]) * _cut_off(arrays, "c_bar")


def _decay(arrays: Arrays) -> Any:
    """What a correction keeps on its way back over a step."""
    return arrays["discounts"] * _traces(arrays)


def _errors(arrays: Arrays) -> Any:
    """TD errors without a ratio."""
    values = arrays["values"]
    return arrays["rewards"] + arrays["discounts"] * values[..., 1:] - values[..., :-1]


def _of_values(arrays: Arrays, vs: Any) -> Outputs:
    """These targets, and the advantages that follow from them."""
    values, kind = arrays["values"], arrays["rewards"].dtype
    after = np.concatenate([vs[..., 1:], values[..., -1:]], -1)
    gains = arrays["rewards"] + arrays["discounts"] * after - values[..., :-1]
    advantages = _cut_off(arrays, "rho_bar_pg") * gains
    return {"vs": vs.astype(kind), "advantages": advantages.astype(kind)}


@argument_fault("termination", "pytorch/rl issue #4209", "pytorch/rl PR #4210")
def trace_crosses_ends(arrays: Arrays) -> Arrays:
    """Bootstraps and carries corrections back across the end of an episode.

    Shown when: A discount of 0 inside the sequence.
    Cause: One discount for all steps is used, and the flags of the end are not looked at.
    Fix: Multiply every discount by 1 − terminated.
    - discounts = gamma * torch.ones_like(rewards)
    + discounts = gamma * (1 - terminated)
    """
    largest = arrays["discounts"].max(axis=-1, keepdims=True)
    return {
        "discounts": np.where(
            arrays["discounts"] == 0, np.where(largest == 0, 1, largest), arrays["discounts"]
        )
    }


@argument_fault("indexing", "micdoh/XLRON PR #50")
def last_value_one_early(arrays: Arrays) -> Arrays:
    """Bootstraps the last step from the value of its own state, not from that of the state after it.

    Shown when: A last step that goes on, and two last values that differ.
    Cause: The values of a chunk end with its last step, and the last of them stands in for the one after it.
    Fix: Compute the value of the state after the last step, and append it.
    - values = torch.cat([values, values[-1:]])
    + values = torch.cat([values, value_after_the_last_step])
    """
    values = arrays["values"]
    return {"values": np.concatenate([values[..., :-1], values[..., -2:-1]], -1)}


@fault("indexing", "ray-project/ray PR #36013")
def last_step_dropped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the value of the last step's state for the bootstrap of the steps before it, and drops the step.

    Shown when: Any sequence: the answers are one entry short, and a reward at the end is never seen.
    Cause: No value of the state after the last step was computed; the last one at hand is used.
    Fix: Compute the value of the state after the last step, and keep all steps.
    - vs = vtrace(rewards[:-1], values[:-1], discounts[:-1], log_rhos[:-1])
    + vs = vtrace(rewards, values, discounts, log_rhos)
    """
    if arrays["rewards"].shape[-1] == 1:
        return {name: value[..., :0] for name, value in form(**arrays).items()}
    cut = {name: arrays[name][..., :-1] for name in ("rewards", "values", "discounts", "log_rhos")}
    return dict(form(**{**arrays, **cut}))


@argument_fault("ignored")
def ratios_ignored(arrays: Arrays) -> Arrays:
    """Takes the steps for the policy's own.

    Shown when: A ratio below 1, or bounds above 1.
    Cause: Both log-probabilities were computed by the same network; those of the time of acting were not
        kept.
    Fix: Keep the log-probabilities of the time of acting.
    - rhos = torch.exp(log_probs - log_probs.detach())
    + rhos = torch.exp(log_probs - behaviour_log_probs)
    """
    return {"log_rhos": np.zeros_like(arrays["log_rhos"])}


@argument_fault("swapped")
def ratios_inverted(arrays: Arrays) -> Arrays:
    """Divides the behaviour's probability by the policy's.

    Shown when: A ratio other than 1.
    Cause: The arguments of the difference were mixed up.
    Fix: log π − log μ.
    - log_rhos = behaviour_log_probs - log_probs
    + log_rhos = log_probs - behaviour_log_probs
    """
    return {"log_rhos": -arrays["log_rhos"]}


@sets("clipping", rho_bar=math.inf, c_bar=math.inf)
def ratios_not_cut_off() -> None:
    """Uses the ratios as they are, in the errors and in the traces.

    Shown when: A ratio above the bounds.
    Cause: The minimum was forgotten.
    Fix: ρ = min(ρ_max, π/μ), c = λ min(c_max, π/μ).
    - rho = c = torch.exp(log_rhos)
    + rho = torch.exp(log_rhos).clamp(max=rho_bar)
    + c = torch.exp(log_rhos).clamp(max=c_bar)
    """


@sets("clipping", rho_bar=math.inf)
def errors_not_cut_off() -> None:
    """Weights the TD errors with the ratios as they are; the traces alone are cut off.

    Shown when: A ratio above ρ_max.
    Cause: Only one of the two minima was written: the bound that keeps the variance small.
    Fix: ρ = min(ρ_max, π/μ) in front of δ, which also says what the values converge to.
    - delta = rhos * (rewards + discounts * values[1:] - values[:-1])
    + delta = rhos.clamp(max=rho_bar) * (rewards + discounts * values[1:] - values[:-1])
    """


@sets("clipping", c_bar=math.inf)
def traces_not_cut_off() -> None:
    """Carries corrections back with the ratios as they are; the TD errors alone are cut off.

    Shown when: A ratio above c_max before a step whose correction is not 0.
    Cause: Only one of the two minima was written: the bound that says what the values converge to.
    Fix: c = λ min(c_max, π/μ).
    - acc = delta[t] + discounts[t] * rhos[t] * acc
    + acc = delta[t] + discounts[t] * rhos[t].clamp(max=c_bar) * acc
    """


@argument_fault("swapped")
def errors_bound_in_traces(arrays: Arrays) -> Arrays:
    """Carries corrections back with the ratios of the TD errors: ρ stands where c belongs.

    Shown when: Bounds that differ, and a ratio above the smaller one before a step whose correction is not 0.
    Cause: Both bounds are 1 in the paper's experiments, where ρ and c are the same.
    Fix: c = λ min(c_max, π/μ), with a bound of its own.
    - acc = delta[t] + discounts[t] * rhos[t] * acc
    + acc = delta[t] + discounts[t] * cs[t] * acc
    """
    return {"c_bar": arrays.get("rho_bar")}


@fault("weighting")
def errors_not_weighted(form: Form, /, **arrays: Any) -> Outputs:
    """Leaves the ratio out of the TD errors: only the traces are corrected.

    Shown when: A ratio other than 1, and an error that is not 0.
    Cause: δ was taken over from the λ-return, and only its decay was changed.
    Fix: δ = ρ·(R + γ·V' − V).
    - delta = rewards + discounts * values[1:] - values[:-1]
    + delta = rho * (rewards + discounts * values[1:] - values[:-1])
    """
    errors = _errors(arrays)
    return _of_values(arrays, arrays["values"][..., :-1] + scan(errors, _decay(arrays).astype(errors.dtype)))


@fault("indexing", "google-deepmind/trfl")
def trace_one_factor_short(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies an error by all traces before it but the last: that of the next step arrives whole.

    Shown when: Two steps of an episode or more, with a ratio or a λ below 1 in the first.
    Cause: The product runs over a slice that ends one step early; ratios of 1 or more hide it.
    Fix: The error of step t is carried back to step s by c_s … c_{t−1}.
    - weight = np.prod(cs[s : t - 1])
    + weight = np.prod(cs[s:t])
    """
    errors, gamma = _cut_off(arrays, "rho_bar") * _errors(arrays), arrays["discounts"]
    # c of a step, with error and γ of the next one
    decay = (_traces(arrays) * early(gamma)).astype(errors.dtype)
    carried = scan(early(errors), decay)
    return _of_values(arrays, arrays["values"][..., :-1] + errors + gamma * carried)


@fault("swapped")
def values_for_targets_in_advantages(form: Form, /, **arrays: Any) -> Outputs:
    """Bootstraps the advantages from the values, not from the corrected ones.

    Shown when: Two steps or more of an episode whose values are not right already.
    Cause: The TD errors are at hand.
    Fix: R + γ v_{t+1} − V_t.
    - pg_advantages = rho * (rewards + discounts * values[1:] - values[:-1])
    + pg_advantages = rho * (rewards + discounts * vs[1:] - values[:-1])
    """
    found = (_cut_off(arrays, "rho_bar_pg") * _errors(arrays)).astype(arrays["rewards"].dtype)
    return {"vs": form(**arrays)["vs"], "advantages": found}


@fault("clipping")
def errors_cut_off_below(form: Form, /, **arrays: Any) -> Outputs:
    """Holds the ratios of the errors above ρ̄, where they are to be held below.

    Shown when: A ratio other than ρ̄ with an error that is not 0.
    Cause: A minimum is read as the lower bound: clamp(min=…) for clamp(max=…), or max for min.
    Fix: ρ = min(ρ̄, π/μ).
    - rhos = torch.exp(log_rhos).clamp(min=rho_bar)
    + rhos = torch.exp(log_rhos).clamp(max=rho_bar)
    """
    bar = 1.0 if arrays.get("rho_bar") is None else arrays["rho_bar"]
    with np.errstate(all="ignore"):
        errors = np.maximum(bar, np.exp(np.minimum(arrays["log_rhos"], 80))) * _errors(arrays)
        return _of_values(arrays, arrays["values"][..., :-1] + scan(errors, _decay(arrays)))


@output_fault("swapped")
def values_not_added(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives what is to be added to the values, not the targets; the advantages are right.

    Shown when: Any value other than 0.
    Cause: The recursion runs over vs − V, and V is never added back.
    Fix: vs = V + the corrections.
    - vs = torch.stack(corrections)
    + vs = torch.stack(corrections) + values
    """
    return {**found, "vs": found["vs"] - arrays["values"][..., :-1]}
