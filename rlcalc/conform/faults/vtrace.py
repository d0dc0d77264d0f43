"""Faults of V-trace."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.forms import Arrays, Form, Outputs


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
