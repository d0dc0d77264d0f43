"""Faults of the TD error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Fault, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _targets
from rlcalc.conform.faults._losses import huber_without_offset, huber_without_offset_from_1
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


def _in_the_loss(form: Form, arrays: Arrays, of_error: Callable[[Any], Any]) -> Outputs:
    """A loss that makes something else than a square of each error, reduced as that of the form.

    Of a form without a loss it is the sum.
    """
    found = dict(form(**arrays))
    if arrays.get("reward") is not None:
        errors = arrays["reward"] + arrays["gamma"] * _after(arrays) - arrays["value"]
    else:
        errors = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - own_values(arrays)
    squares, others = (
        terms.sum(-1, keepdims=terms.shape[-1] == 1) if terms.ndim else terms
        for terms in (np.square(errors), of_error(errors))
    )
    if np.array_equal(found["td_error"], errors):
        return {"td_error": others}
    with np.errstate(all="ignore"):
        reduced = np.where(squares > 0, found["td_error"] / squares, 0)
    return {"td_error": (reduced * others).astype(errors.dtype)}


def _after(arrays: Arrays) -> Any:
    over = arrays.get("terminated")
    return arrays["next_value"] if over is None else np.where(over, 0, arrays["next_value"])


@fault("swapped", stage="outputs", outermost=True)
def error_not_squared(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the size of each error in the loss, where its square belongs.

    Shown when: A loss of errors of which one is neither 0 nor of size 1.
    Cause: An L1 loss, or abs() of the error as a replay buffer needs it for priorities, was taken.
    Fix: Square the errors: the mean of the targets is the least-squares answer, the median the other one.
    - loss = (target - q).abs().mean()
    + loss = (target - q).pow(2).mean()
    """
    return _in_the_loss(form, arrays, np.abs)


@fault("swapped", stage="outputs", outermost=True)
def square_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes each error with its sign in the loss: no bound keeps the values from growing.

    Shown when: A loss of errors of which one is neither 0 nor 1.
    Cause: The square was lost in a rewrite.
    Fix: Square every error.
    - loss = (target - q).mean()
    + loss = (target - q).pow(2).mean()
    """
    return _in_the_loss(form, arrays, lambda errors: errors)


@fault("clipping", stage="outputs", outermost=True)
def huber_offset_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the whole size of an error beyond 1 in Huber's loss: it jumps by 1/2 where the parabola ends.

    Shown when: A loss of errors of which one is larger than 1.
    Cause: The branch beyond δ is remembered as δ·|e|, without the term that makes both meet.
    Fix: δ·(|e| − δ/2) beyond δ, or smooth_l1_loss.
    - loss = torch.where(e.abs() <= 1, 0.5 * e**2, e.abs()).mean()
    + loss = torch.where(e.abs() <= 1, 0.5 * e**2, e.abs() - 0.5).mean()
    """
    return _in_the_loss(form, arrays, huber_without_offset)


@fault("clipping", stage="outputs", outermost=True)
def huber_offset_missing_from_1(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the whole size of an error of 1 or more in Huber's loss: it jumps by 1/2 where the parabola ends.

    Shown when: An error of size 1 or more.
    Cause: The branch beyond δ is remembered as δ·|e|, without the term that makes both meet.
    Fix: δ·(|e| − δ/2) from δ on, or smooth_l1_loss.
    - loss = torch.where(e.abs() < 1, 0.5 * e**2, e.abs()).mean()
    + loss = torch.where(e.abs() < 1, 0.5 * e**2, e.abs() - 0.5).mean()
    """
    return _in_the_loss(form, arrays, huber_without_offset_from_1)


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
