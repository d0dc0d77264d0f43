"""Faults that one-step targets of action values have in common: ends, discounts, rows of another step."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.forms import Arrays, Form, Outputs

# arguments with a row per step that say what follows
FOLLOWING = (
    "next_q",
    "next_q_online",
    "next_q_target",
    "next_actions",
    "q_values",
    "policy",
    "next_q1",
    "next_q2",
    "next_log_probs",
    "q1_values",
    "q2_values",
    "next_probs",
)


@argument_fault("bootstrap-after-terminal", "termination", reported_in=["navneet-nmk/pytorch-rl issue #2"])
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Adds what follows after a terminated step too.

    Shown when: A terminated step whose row is not all zeros.
    Cause: The factor (1 − terminated) is missing; the network's value of a terminal state is kept.
    Fix: R + γ·(1 − terminated)·(what follows).
    Diff:
        - target = rewards + gamma * next_q.max(dim=1).values
        + target = rewards + gamma * (1 - terminated) * next_q.max(dim=1).values
    """
    return {"terminated": None}


@fault("flags-inverted", "termination")
def flags_inverted(form: Form, /, **arrays: Any) -> Outputs:
    """Bootstraps after terminated steps, and nowhere else.

    Shown when: Any flag is given.
    Cause: The flag stands where its complement belongs, or a buffer that stores 1 − done is inverted twice.
    Fix: Multiply by 1 − terminated.
    Diff:
        - target = rewards + gamma * dones * next_value
        + target = rewards + gamma * (1 - dones) * next_value
    """
    over = arrays.get("terminated")
    return dict(form(**{**arrays, "terminated": None if over is None else ~over}))


@fault("reward-lost-at-the-end", "termination")
def reward_lost_at_the_end(form: Form, /, **arrays: Any) -> Outputs:
    """Gives 0 as the target of a terminated step: the mask takes its reward away too.

    Shown when: A terminated step whose reward is not 0.
    Cause: A bracket in the wrong place: the mask multiplies the whole target.
    Fix: Multiply only what follows by 1 − terminated.
    Diff:
        - target = (rewards + gamma * next_value) * (1 - dones)
        + target = rewards + gamma * next_value * (1 - dones)
    """
    found, over = dict(form(**arrays)), arrays.get("terminated")
    if over is not None:
        found["target"] = np.where(over, np.zeros_like(found["target"]), found["target"])
    return found


@argument_fault("gamma-missing", "discounting")
def gamma_missing(arrays: Arrays) -> Arrays:
    """Adds what follows without γ.

    Shown when: γ below 1 and a next value other than 0.
    Cause: Written and tried with γ = 1.
    Fix: R + γ·(what follows).
    Diff:
        - target = rewards + (1 - dones) * next_value
        + target = rewards + gamma * (1 - dones) * next_value
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@argument_fault("reward-discounted", "discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Gives γ·(R + what follows).

    Shown when: γ below 1 and a reward other than 0.
    Cause: A bracket too many.
    Fix: The reward is paid by the step itself and is not discounted.
    Diff:
        - target = gamma * (rewards + (1 - dones) * next_value)
        + target = rewards + gamma * (1 - dones) * next_value
    """
    return {"rewards": arrays["gamma"] * arrays["rewards"]}


@argument_fault("n-step-discounted-once", "discounting")
def n_step_discounted_once(arrays: Arrays) -> Arrays:
    """Discounts what follows n steps later by γ, not by γ^n.

    Shown when: Rewards that sum two steps or more, and γ between 0 and 1.
    Cause: The buffer was changed to n-step returns and the line of the target was not.
    Fix: R^(n) + γ^n·(what follows).
    Diff:
        - target = n_step_rewards + gamma * (1 - dones) * next_value
        + target = n_step_rewards + gamma**n * (1 - dones) * next_value
    """
    return {"n": 1}


@argument_fault("next-row-one-late", "indexing")
def next_row_one_late(arrays: Arrays) -> Arrays:
    """Takes what follows from the row of the step before: the state itself, not the one that it led to.

    Shown when: Two steps or more whose rows differ.
    Cause: The networks are called with the observations of the batch, which start a step earlier.
    Fix: Call them with the next observations.
    Diff:
        - next_q = target_net(obs)
        + next_q = target_net(next_obs)
    """
    steps = arrays["rewards"].ndim - 1
    return {
        name: np.concatenate([np.take(rows, [0], steps), np.delete(rows, -1, steps)], steps)
        for name in FOLLOWING
        if (rows := arrays.get(name)) is not None
    }
