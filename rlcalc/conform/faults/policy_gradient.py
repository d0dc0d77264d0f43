"""Faults of the policy gradient; one of its arguments is called ``form`` too, hence the slashes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets
from rlcalc.conform.faults._sequence import mapped
from rlcalc.formulas._tabular import row_of_state


@sets("discounting", form="no-gamma-t")
def gamma_t_left_out() -> None:
    """Weights the score at time t with G_t, without γ^t, also where the gradient of the discounted objective
    is asked for.

    Shown when: γ below 1 and a reward that is earned after the first step.
    Cause: Returns are discounted from their own step, and steps are averaged as if all were first steps; most
        code does so.
    Fix: Weight with γ^t·G_t, or name what is computed: at γ below 1 it is not the gradient of J.
    - gradient += returns[t] * score(states[t], actions[t])
    + gradient += gamma ** t * returns[t] * score(states[t], actions[t])
    """


@output_fault("sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the gradient of −J.

    Shown when: Any gradient other than 0.
    Cause: The gradient of the loss that an optimiser minimises is returned as that of the objective.
    Fix: Negate it, or call it the gradient of the loss.
    - return torch.autograd.grad(loss, theta)
    + return torch.autograd.grad(-loss, theta)
    """
    return mapped(found, "gradient", lambda gradient: -gradient)


@argument_fault("discounting")
def rewards_not_discounted(arrays: Arrays) -> Arrays:
    """Sums the rewards without γ, in the gradient and in the objective.

    Shown when: γ below 1 and a reward that is earned after the first step.
    Cause: γ is a setting of the critic, and the rewards of the policy's update are summed by another
        function.
    Fix: J = E[Σ_t γ^t R_{t+1}], and its gradient with the same powers.
    - total = sum(rewards)
    + total = sum(gamma ** t * r for t, r in enumerate(rewards))
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@fault("reduction", "huggingface/deep-rl-class issue #285")
def one_score_only(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the return of a trajectory with the score of its first action alone.

    Shown when: A reward that depends on a later action.
    Cause: The theorem is printed with one score in front of the return; the sum over the steps is missing.
    Fix: Σ_t ∇ log π(A_t|S_t)·G: every action of the trajectory has its score.
    - gradient = score(states[0], actions[0]) * total_return
    + gradient = sum(score(s, a) for s, a in zip(states, actions)) * total_return
    """
    found = dict(form(**arrays))  # with its objective, and its refusals
    mdp, theta, gamma = arrays["mdp"], arrays["theta"], arrays["gamma"]
    rows = row_of_state(mdp.mdp, theta.shape[-2], "theta", shared=True)
    policy = NUMPY.softmax(theta, -1)[..., rows, :]
    longest = mdp.mdp.longest()
    gained = mdp.r + np.zeros_like(policy)
    for _ in range(int(min(arrays["horizon"], math.inf if longest is None else longest)) - 1):
        values = (policy * gained).sum(axis=-1)
        gained = mdp.r + gamma * np.einsum("sat,...t->...sa", mdp.p, values)
    # the gradient of one step that pays all that is to come
    first = form(**{**arrays, "mdp": replace(mdp, r=gained), "form": "trajectory", "horizon": 1})
    return {**found, "gradient": first["gradient"]}
