"""Faults of the TD error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.fault import Arrays, Fault, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _targets
from rlcalc.conform.faults._sequence import bootstraps, mapped, next_values, own_values


@output_fault("sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V minus the target.

    Shown when: Any TD error other than 0.
    Cause: Taken from a squared loss, where the order makes no difference.
    Fix: The target minus the value: a positive error means better than expected.
    - delta = value - target
    + delta = target - value
    """
    return mapped(found, "td_error", lambda error: -error)


@output_fault("discounting")
def gamma_on_difference(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives R + γ·(V' − V): the old value is discounted too.

    Shown when: γ below 1 and an old value other than 0.
    Cause: A bracket too many, or the difference of a shaping potential, γΦ' − Φ, half remembered.
    Fix: R + γ·V' − V: only the successor lies a step ahead.
    - delta = r + gamma * (next_value - value)
    + delta = r + gamma * next_value - value
    """
    old = _old(arrays)
    return {**found, "td_error": found["td_error"] + old - arrays["gamma"] * old}


@argument_fault("termination", "navneet-nmk/pytorch-rl issue #2")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' after a terminated step.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: The factor (1 − terminated) is missing; the critic's output for a terminal state is taken as it is.
    Fix: R + γ·V'·(1 − terminated) − V.
    - delta = r + gamma * next_value - value
    + delta = r + gamma * (1 - terminated) * next_value - value
    """
    return shared.as_truncations(arrays)


@fault("discounting", "mcmachado/count_based_exploration_sr issue #1")
def gamma_added(form: Form, **arrays: Any) -> Outputs:
    """Gives R + γ − V' − V: a minus sign stands where γ is to be multiplied.

    Shown when: Nearly every input.
    Cause: A mistyped operator; with small values and a dense reward learning still looks plausible.
    Fix: R + γ·V'·(1 − terminated) − V.
    - delta = r + gamma - (1 - terminated) * next_value - value
    + delta = r + gamma * (1 - terminated) * next_value - value
    """
    if arrays.get("reward") is not None:
        target, old = arrays["reward"] + arrays["gamma"] - arrays["next_value"], arrays["value"]
    else:
        target, old = arrays["rewards"] + arrays["gamma"] - bootstraps(arrays), own_values(arrays)
    return {"td_error": target - old, "target": target}


@argument_fault("indexing")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Takes the value of the state itself for that of its successor.

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Both values are read at the same index, or the critic is called with the old observation twice.
    Fix: Evaluate the critic at the next observation, before an automatic reset replaces it.
    - delta = r + gamma * (1 - terminated) * critic(obs) - critic(obs)
    + delta = r + gamma * (1 - terminated) * critic(next_obs) - critic(obs)
    """
    if arrays.get("reward") is not None:
        return {"next_value": arrays["value"]}
    return {"next_values": own_values(arrays)}


@output_fault("indexing")
def next_value_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Takes the value of the next state from the target, not that of the own one.

    Shown when: Two neighbouring values that differ.
    Cause: The critic was called once, with the next observations, and its answer stands in both places.
    Fix: R + γ·V' − V: what is corrected is the value of the state that was left.
    - delta = r + gamma * (1 - terminated) * next_value - next_value
    + delta = r + gamma * (1 - terminated) * next_value - value
    """
    if arrays.get("reward") is not None:
        old, after = arrays["value"], arrays["next_value"]
    else:
        old, after = own_values(arrays), next_values(arrays)
    return {**found, "td_error": found["td_error"] + old - after}


@output_fault("swapped")
def value_not_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the target itself.

    Shown when: Any value other than 0.
    Cause: Target and error are one word in the reader's mind, or the subtraction is left to the caller.
    Fix: R + γ·V' − V.
    - delta = r + gamma * (1 - terminated) * next_value
    + delta = r + gamma * (1 - terminated) * next_value - value
    """
    return {**found, "td_error": found["td_error"] + _old(arrays)}


@output_fault("sign")
def value_added(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds the value of the state to the target instead of taking it off.

    Shown when: Any value other than 0.
    Cause: A plus where a minus belongs.
    Fix: R + γ·V' − V.
    - delta = r + gamma * (1 - terminated) * next_value + value
    + delta = r + gamma * (1 - terminated) * next_value - value
    """
    return {**found, "td_error": found["td_error"] + 2 * _old(arrays)}


def _old(arrays: Arrays) -> Any:
    """The value of the state that was left."""
    return arrays["value"] if arrays.get("reward") is not None else own_values(arrays)


def _of_sequences(known: Fault) -> Fault:
    """The fault where there are rows that could be mistaken; one step of three numbers is right."""

    def change(form: Form, /, **arrays: Any) -> Outputs:
        return dict((form if arrays.get("rewards") is None else known.around(form))(**arrays))

    return replace(known, change=change)


whole = (
    _targets.gamma_missing,
    _targets.flags_inverted,
    _targets.reward_lost_at_the_end,
    _targets.difference_masked,
    shared.next_value_of_reset_state,
    shared.gamma_twice,
    shared.reward_discounted,
    precision.computes_in_float32,
    precision.discounts_in_float32,
)
of_sequences = tuple(
    _of_sequences(known)
    for known in (
        shared.truncation_bootstraps_own_value,
        shared.done_mask_one_late,
        shared.done_mask_one_early,
        shared.done_mask_one_early_but_the_last,
        shared.value_two_steps_ahead,
        shared.reward_one_late,
    )
)
