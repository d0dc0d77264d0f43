"""Faults of the policy gradient; one of its arguments is called ``form`` too, hence the slashes."""

from __future__ import annotations

from rlcalc.conform.catalogue import Arrays, Outputs, argument_fault, output_fault
from rlcalc.conform.faults._sequence import mapped


@argument_fault("gamma-t-left-out", "discounting")
def gamma_t_left_out(arrays: Arrays) -> Arrays:
    """Weights the score at time t with G_t, without γ^t, also where the gradient of the discounted objective
    is asked for.

    Shown when: γ below 1 and a reward that is earned after the first step.
    Cause: Returns are discounted from their own step, and steps are averaged as if all were first steps; most
        code does so.
    Fix: Weight with γ^t·G_t, or name what is computed: at γ below 1 it is not the gradient of J.
    """
    return {"form": "no-gamma-t"}


@output_fault("sign-flipped", "sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the gradient of −J.

    Shown when: Any gradient other than 0.
    Cause: The gradient of the loss that an optimiser minimises is returned as that of the objective.
    Fix: Negate it, or call it the gradient of the loss.
    """
    return mapped(found, "gradient", lambda gradient: -gradient)


@argument_fault("rewards-not-discounted", "discounting")
def rewards_not_discounted(arrays: Arrays) -> Arrays:
    """Sums the rewards without γ, in the gradient and in the objective.

    Shown when: γ below 1 and a reward that is earned after the first step.
    Cause: γ is a setting of the critic, and the rewards of the policy's update are summed by another
        function.
    Fix: J = E[Σ_t γ^t R_{t+1}], and its gradient with the same powers.
    """
    return {"gamma": arrays["gamma"] * 0 + 1}
