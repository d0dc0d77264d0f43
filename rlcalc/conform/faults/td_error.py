"""Faults of the TD error."""

from __future__ import annotations

from rlcalc.conform.catalogue import Arrays, Outputs, argument_fault, output_fault
from rlcalc.conform.faults import _sequence as shared
from rlcalc.conform.faults._sequence import mapped


@output_fault("sign-flipped", "sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V minus the target.

    Shown when: Any TD error other than 0.
    Cause: Taken from a squared loss, where the order makes no difference.
    Fix: The target minus the value: a positive error means better than expected.
    """
    return mapped(found, "td_error", lambda error: -error)


@argument_fault("gamma-missing", "discounting")
def gamma_missing(arrays: Arrays) -> Arrays:
    """Adds V' without γ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: Written and tried with γ = 1.
    Fix: R + γ·V' − V.
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@output_fault("gamma-on-difference", "discounting")
def gamma_on_difference(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives R + γ·(V' − V): the old value is discounted too.

    Shown when: γ below 1 and an old value other than 0.
    Cause: A bracket too many, or the difference of a shaping potential, γΦ' − Φ, half remembered.
    Fix: R + γ·V' − V: only the successor lies a step ahead.
    """
    old = arrays["value"] if arrays.get("reward") is not None else arrays["values"][..., :-1]
    return {**found, "td_error": found["td_error"] + old - arrays["gamma"] * old}


@argument_fault("bootstrap-after-terminal", "termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' after a terminated step.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: The factor (1 − terminated) is missing; the critic's output for a terminal state is taken as it is.
    Fix: R + γ·V'·(1 − terminated) − V.
    """
    return shared.bootstrap_after_terminal(arrays)


next_value_of_reset_state = shared.next_value_of_reset_state


# precision

computes_in_float32 = shared.computes_in_float32


discounts_in_float32 = shared.discounts_in_float32
