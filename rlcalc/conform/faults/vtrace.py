"""Faults of V-trace."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.recurrence.scan import scan


@argument_fault(
    "trace-crosses-ends", "termination", reported_in=["pytorch/rl issue #4209", "pytorch/rl PR #4210"]
)
def trace_crosses_ends(arrays: Arrays) -> Arrays:
    """Bootstraps and carries corrections back across the end of an episode.

    Shown when: A discount of 0 inside the sequence.
    Cause: One discount for all steps is used, and the flags of the end are not looked at.
    Fix: Multiply every discount by 1 − terminated.
    Diff:
        - discounts = gamma * torch.ones_like(rewards)
        + discounts = gamma * (1 - terminated)
    """
    largest = arrays["discounts"].max(axis=-1, keepdims=True)
    return {
        "discounts": np.where(
            arrays["discounts"] == 0, np.where(largest == 0, 1, largest), arrays["discounts"]
        )
    }


@argument_fault("ratios-ignored", "ignored")
def ratios_ignored(arrays: Arrays) -> Arrays:
    """Takes the steps for the policy's own.

    Shown when: A ratio below 1, or bounds above 1.
    Cause: Both log-probabilities were computed by the same network.
    Fix: Keep the log-probabilities of the time of acting.
    Diff:
        - rhos = torch.exp(log_probs - log_probs.detach())
        + rhos = torch.exp(log_probs - behaviour_log_probs)
    """
    return {"log_rhos": np.zeros_like(arrays["log_rhos"])}


@argument_fault("ratios-inverted", "swapped")
def ratios_inverted(arrays: Arrays) -> Arrays:
    """Divides the behaviour's probability by the policy's.

    Shown when: A ratio other than 1.
    Cause: The arguments of the difference were mixed up.
    Fix: log π − log μ.
    Diff:
        - log_rhos = behaviour_log_probs - log_probs
        + log_rhos = log_probs - behaviour_log_probs
    """
    return {"log_rhos": -arrays["log_rhos"]}


@argument_fault("ratios-not-cut-off", "clipping")
def ratios_not_cut_off(arrays: Arrays) -> Arrays:
    """Uses the ratios as they are, in the errors and in the traces.

    Shown when: A ratio above the bounds.
    Cause: The minimum was forgotten.
    Fix: ρ = min(ρ_max, π/μ), c = λ min(c_max, π/μ).
    Diff:
        - rho = c = torch.exp(log_rhos)
        + rho = torch.exp(log_rhos).clamp(max=rho_bar)
        + c = torch.exp(log_rhos).clamp(max=c_bar)
    """
    return {"rho_bar": np.inf, "c_bar": np.inf}


@argument_fault("errors-not-cut-off", "clipping")
def errors_not_cut_off(arrays: Arrays) -> Arrays:
    """Weights the TD errors with the ratios as they are; the traces alone are cut off.

    Shown when: A ratio above ρ_max.
    Cause: Only one of the two minima was written: the bound that keeps the variance small.
    Fix: ρ = min(ρ_max, π/μ) in front of δ, which also says what the values converge to.
    Diff:
        - delta = rhos * (rewards + discounts * values[1:] - values[:-1])
        + delta = rhos.clamp(max=rho_bar) * (rewards + discounts * values[1:] - values[:-1])
    """
    return {"rho_bar": np.inf}


@argument_fault("traces-not-cut-off", "clipping")
def traces_not_cut_off(arrays: Arrays) -> Arrays:
    """Carries corrections back with the ratios as they are; the TD errors alone are cut off.

    Shown when: A ratio above c_max before a step whose correction is not 0.
    Cause: Only one of the two minima was written: the bound that says what the values converge to.
    Fix: c = λ min(c_max, π/μ).
    Diff:
        - acc = delta[t] + discounts[t] * rhos[t] * acc
        + acc = delta[t] + discounts[t] * rhos[t].clamp(max=c_bar) * acc
    """
    return {"c_bar": np.inf}


@fault("errors-not-weighted", "weighting")
def errors_not_weighted(form: Form, /, **arrays: Any) -> Outputs:
    """Leaves the ratio out of the TD errors: only the traces are corrected.

    Shown when: A ratio other than 1, and an error that is not 0.
    Cause: δ was taken over from the λ-return, and only its decay was changed.
    Fix: δ = ρ·(R + γ·V' − V).
    Diff:
        - delta = rewards + discounts * values[1:] - values[:-1]
        + delta = rho * (rewards + discounts * values[1:] - values[:-1])
    """
    given, values = arrays, arrays["values"]
    bounds = [1.0 if given.get(name) is None else given[name] for name in ("c_bar", "rho_bar_pg")]
    c, rho = (np.minimum(bound, np.exp(np.minimum(given["log_rhos"], 80))) for bound in bounds)
    lam = 1.0 if given.get("lam") is None else given["lam"]
    errors = given["rewards"] + given["discounts"] * values[..., 1:] - values[..., :-1]
    vs = values[..., :-1] + scan(errors, (given["discounts"] * lam * c).astype(errors.dtype))
    after = np.concatenate([vs[..., 1:], values[..., -1:]], -1)
    advantages = rho * (given["rewards"] + given["discounts"] * after - values[..., :-1])
    return {"vs": vs, "advantages": advantages.astype(errors.dtype)}


@fault("values-for-targets-in-advantages", "swapped")
def values_for_targets_in_advantages(form: Form, /, **arrays: Any) -> Outputs:
    """Bootstraps the advantages from the values, not from the corrected ones.

    Shown when: Two steps or more of an episode whose values are not right already.
    Cause: The TD errors are at hand.
    Fix: R + γ v_{t+1} − V_t.
    Diff:
        - pg_advantages = rho * (rewards + discounts * values[1:] - values[:-1])
        + pg_advantages = rho * (rewards + discounts * vs[1:] - values[:-1])
    """
    bar = arrays.get("rho_bar_pg")
    ratio = np.minimum(1.0 if bar is None else bar, np.exp(np.minimum(arrays["log_rhos"], 80)))
    values = arrays["values"]
    errors = arrays["rewards"] + arrays["discounts"] * values[..., 1:] - values[..., :-1]
    found = (ratio * errors).astype(arrays["rewards"].dtype)
    return {"vs": form(**arrays)["vs"], "advantages": found}
