"""Faults of the TD error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.fault import Fault, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import bootstraps, mapped, next_values, own_values
from rlcalc.conform.forms import Arrays, Form, Outputs


@output_fault("sign-flipped", "sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V minus the target.

    Shown when: Any TD error other than 0.
    Cause: Taken from a squared loss, where the order makes no difference.
    Fix: The target minus the value: a positive error means better than expected.
    Diff:
        - delta = value - target
        + delta = target - value
    """
    return mapped(found, "td_error", lambda error: -error)


@argument_fault("gamma-missing", "discounting")
def gamma_missing(arrays: Arrays) -> Arrays:
    """Adds V' without γ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: Written and tried with γ = 1.
    Fix: R + γ·V' − V.
    Diff:
        - delta = r + (1 - terminated) * next_value - value
        + delta = r + gamma * (1 - terminated) * next_value - value
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@output_fault("gamma-on-difference", "discounting")
def gamma_on_difference(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives R + γ·(V' − V): the old value is discounted too.

    Shown when: γ below 1 and an old value other than 0.
    Cause: A bracket too many, or the difference of a shaping potential, γΦ' − Φ, half remembered.
    Fix: R + γ·V' − V: only the successor lies a step ahead.
    Diff:
        - delta = r + gamma * (next_value - value)
        + delta = r + gamma * next_value - value
    """
    old = arrays["value"] if arrays.get("reward") is not None else arrays["values"][..., :-1]
    return {**found, "td_error": found["td_error"] + old - arrays["gamma"] * old}


@argument_fault("bootstrap-after-terminal", "termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' after a terminated step.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: The factor (1 − terminated) is missing; the critic's output for a terminal state is taken as it is.
    Fix: R + γ·V'·(1 − terminated) − V.
    Diff:
        - delta = r + gamma * next_value - value
        + delta = r + gamma * (1 - terminated) * next_value - value
    """
    return shared.bootstrap_after_terminal(arrays)


next_value_of_reset_state = shared.next_value_of_reset_state


@fault("gamma-added", "discounting", reported_in=["mcmachado/count_based_exploration_sr issue #1"])
def gamma_added(form: Form, **arrays: Any) -> Outputs:
    """Gives R + γ − V' − V: a minus sign stands where γ is to be multiplied.

    Shown when: Nearly every input.
    Cause: A mistyped operator; with small values and a dense reward learning still looks plausible.
    Fix: R + γ·V'·(1 − terminated) − V.
    Diff:
        - delta = r + gamma - (1 - terminated) * next_value - value
        + delta = r + gamma * (1 - terminated) * next_value - value
    """
    if arrays.get("reward") is not None:
        target, old = arrays["reward"] + arrays["gamma"] - arrays["next_value"], arrays["value"]
    else:
        target, old = arrays["rewards"] + arrays["gamma"] - bootstraps(arrays), own_values(arrays)
    return {"td_error": target - old, "target": target}


@argument_fault("bootstraps-from-own-value", "indexing")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Takes the value of the state itself for that of its successor.

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Both values are read at the same index, or the critic is called with the old observation twice.
    Fix: Evaluate the critic at the next observation, before an automatic reset replaces it.
    Diff:
        - delta = r + gamma * (1 - terminated) * critic(obs) - critic(obs)
        + delta = r + gamma * (1 - terminated) * critic(next_obs) - critic(obs)
    """
    if arrays.get("reward") is not None:
        return {"next_value": arrays["value"]}
    return {"next_values": own_values(arrays)}


@output_fault("next-value-subtracted", "indexing")
def next_value_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Takes the value of the next state from the target, not that of the own one.

    Shown when: Two neighbouring values that differ.
    Cause: The critic was called once, with the next observations, and its answer stands in both places.
    Fix: R + γ·V' − V: what is corrected is the value of the state that was left.
    Diff:
        - delta = r + gamma * (1 - terminated) * next_value - next_value
        + delta = r + gamma * (1 - terminated) * next_value - value
    """
    if arrays.get("reward") is not None:
        old, after = arrays["value"], arrays["next_value"]
    else:
        old, after = own_values(arrays), next_values(arrays)
    return {**found, "td_error": found["td_error"] + old - after}


def _of_sequences(known: Fault) -> Fault:
    """The fault where there are rows that could be mistaken; one step of three numbers is right."""

    def change(form: Form, /, **arrays: Any) -> Outputs:
        return dict((form if arrays.get("rewards") is None else known.around(form))(**arrays))

    return replace(known, change=change)


truncation_bootstraps_own_value = _of_sequences(shared.truncation_bootstraps_own_value)
done_mask_one_late = _of_sequences(shared.done_mask_one_late)
done_mask_one_early = _of_sequences(shared.done_mask_one_early)
done_mask_one_early_but_the_last = _of_sequences(shared.done_mask_one_early_but_the_last)
value_two_steps_ahead = _of_sequences(shared.value_two_steps_ahead)
gamma_twice = shared.gamma_twice
reward_discounted = shared.reward_discounted
reward_one_late = _of_sequences(shared.reward_one_late)


# precision

computes_in_float32 = shared.computes_in_float32


discounts_in_float32 = shared.discounts_in_float32
