"""Faults of eligibility traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, output_fault, sets


def _with_traces(found: Mapping[str, Any], arrays: Mapping[str, Any], eligibility: Any) -> Outputs:
    """Outputs with other traces, and with the credit and the updates that follow from them."""
    changed = {**found, "eligibility": eligibility}
    errors = found.get("td_errors")
    if errors is not None:
        changed["credit"] = (errors[..., None] * eligibility).sum(axis=-2)
        if arrays["alpha"] is not None:
            before = given(arrays, "values", 0)
            changed["updates"] = arrays["alpha"] * changed["credit"]
            changed["new_values"] = before + changed["updates"]
    return changed


@sets("ignored", replacing=None)
def always_accumulating() -> None:
    """Adds 1 at every visit, also where replacing traces are asked for.

    Shown when: Replacing traces, and a state that is visited again while its trace is not 0.
    Cause: The option is accepted and never read.
    Fix: With replacing traces a visit sets the trace to 1.
    - trace[s] += 1
    + trace[s] = 1 if replacing else trace[s] + 1
    """


@sets("ignored", replacing=True)
def always_replacing() -> None:
    """Sets the trace to 1 at every visit, also where accumulating traces are asked for.

    Shown when: Accumulating traces, and a state that is visited again while its trace is not 0.
    Cause: e[s] = 1 instead of e[s] += 1; without a second visit no one sees it.
    Fix: Add 1: only accumulating traces give the same updates as the λ-return.
    - trace[s] = 1
    + trace[s] = 1 if replacing else trace[s] + 1
    """


@argument_fault("ignored")
def ratios_ignored(arrays: Arrays) -> Arrays:
    """Learns from another policy's episode as if it were its own.

    Shown when: Importance ratios other than 1.
    Cause: The ratios are accepted and never read.
    Fix: Multiply the trace by the ratio of the step, after the visit is added.
    - trace = gamma * lam * trace + visit
    + trace = ratio * (gamma * lam * trace + visit)
    """
    ratios = arrays["ratios"]
    return {} if ratios is None else {"ratios": np.ones_like(ratios)}


@fault("weighting", "SlopDotCash/asi PR #487", stage="outputs")
def ratio_applied_twice(form: Form, **arrays: Any) -> Outputs:
    """Puts the ratio of the step into the decay of the trace and once more into the update.

    Shown when: Two steps whose ratios differ from 1, and γλ above 0.
    Cause: Papers write the ratio at either place; both were taken over.
    Fix: Once: the trace takes the ratio of its step, after the visit is added, and the update none.
    - trace = ratio * gamma * lam * trace + visit
    - values += alpha * ratio * delta * trace
    + trace = ratio * (gamma * lam * trace + visit)
    + values += alpha * delta * trace
    """
    found, ratios = dict(form(**arrays)), arrays["ratios"]
    if ratios is None:
        return dict(found)
    plain = {**arrays, "lam": arrays["lam"] * 0, "ratios": np.ones_like(ratios)}
    visits = form(**plain)["eligibility"]
    eligibility, trace = np.zeros_like(visits), 0 * visits[..., 0, :]
    for t in range(visits.shape[-2]):
        ratio, visit = ratios[..., t, None], visits[..., t, :]
        trace = ratio * arrays["gamma"] * arrays["lam"] * trace + visit
        if arrays["replacing"]:
            trace = np.where(visit > 0, 1, trace).astype(visits.dtype)
        eligibility[..., t, :] = ratio * trace
    return _with_traces(found, arrays, eligibility)


@fault("discounting", stage="outputs")
def decay_by_lam_alone(form: Form, **arrays: Any) -> Outputs:
    """Decays traces by λ; γ is only in the TD error.

    Shown when: Two steps, γ below 1 and λ above 0.
    Cause: γ was written into the TD error and forgotten in the traces.
    Fix: Decay by γλ.
    - trace *= lam
    + trace *= gamma * lam
    """
    found = form(**arrays)
    eligibility = form(**{**arrays, "gamma": arrays["gamma"] * 0 + 1})["eligibility"]
    return _with_traces(found, arrays, eligibility)


@fault("discounting", stage="outputs")
def decay_by_gamma_alone(form: Form, **arrays: Any) -> Outputs:
    """Decays traces by γ, as if λ were 1.

    Shown when: Two steps and λ below 1, with γ above 0.
    Cause: TD(1) was written first, and λ was never added.
    Fix: Decay by γλ.
    - trace *= gamma
    + trace *= gamma * lam
    """
    found = form(**arrays)
    eligibility = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})["eligibility"]
    return _with_traces(found, arrays, eligibility)


@output_fault("indexing")
def decay_after_visit(found: Outputs, arrays: Arrays) -> Outputs:
    """Decays all traces after the visit and before they are used: every entry has one factor γλ too many.

    Shown when: γλ below 1.
    Cause: The decay stands between the visit and the update.
    Fix: Decay, then visit, then update; or visit, update, and decay at the very end of the step.
    + trace *= gamma * lam
      trace[s] += 1
    - trace *= gamma * lam
      values += alpha * delta * trace
    """
    return _with_traces(found, arrays, arrays["gamma"] * arrays["lam"] * found["eligibility"])


@output_fault("indexing")
def used_before_visit(found: Outputs, arrays: Arrays) -> Outputs:
    """Multiplies each TD error with the traces of the step before: the state just left gets nothing for it.

    Shown when: Any sequence.
    Cause: Values are updated at the top of the loop, before the trace of the current state is raised.
    Fix: Raise the trace of S_t before the update with δ_t.
    - values += alpha * delta * trace
      trace *= gamma * lam
      trace[s] += 1
    + values += alpha * delta * trace
    """
    eligibility = np.zeros_like(found["eligibility"])
    eligibility[..., 1:, :] = found["eligibility"][..., :-1, :]
    return _with_traces(found, arrays, eligibility)
