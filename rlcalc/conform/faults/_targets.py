"""Faults that one-step targets of action values have in common: ends, discounts, rows of another step."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _sequence_faults as sequences
from rlcalc.conform.faults._sequence import own_values

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


@sets("termination", "navneet-nmk/pytorch-rl issue #2", terminated=None)
def bootstrap_after_terminal() -> None:
    """Adds what follows after a terminated step too.

    Shown when: A terminated step whose row is not all zeros.
    Cause: The factor (1 − terminated) is missing; the network's value of a terminal state is kept.
    Fix: R + γ·(1 − terminated)·(what follows).
    - target = rewards + gamma * next_q.max(dim=1).values
    + target = rewards + gamma * (1 - terminated) * next_q.max(dim=1).values
    """


@fault("termination")
def flags_inverted(form: Form, /, **arrays: Any) -> Outputs:
    """Bootstraps after terminated steps, and nowhere else.

    Shown when: Any flag is given.
    Cause: The flag stands where its complement belongs, or a buffer that stores 1 − done is inverted twice.
    Fix: Multiply by 1 − terminated.
    - target = rewards + gamma * dones * next_value
    + target = rewards + gamma * (1 - dones) * next_value
    """
    over = arrays.get("terminated")
    if over is None:  # flags that are all off, where they are asked for
        like = arrays["reward"] if arrays.get("rewards") is None else arrays["rewards"]
        over = np.zeros(like.shape, bool)
    return dict(form(**{**arrays, "terminated": ~over}))


@argument_fault("termination")
def reward_lost_at_the_end(arrays: Arrays) -> Arrays:
    """Gives 0 as the target of a terminated step: the mask takes its reward away too.

    Shown when: A terminated step whose reward is not 0.
    Cause: A bracket in the wrong place: the mask multiplies the whole target.
    Fix: Multiply only what follows by 1 − terminated.
    - target = (rewards + gamma * next_value) * (1 - dones)
    + target = rewards + gamma * next_value * (1 - dones)
    """
    paid = "rewards" if arrays.get("rewards") is not None else "reward"
    over = arrays.get("terminated")
    return {} if over is None else {paid: np.where(over, np.zeros_like(arrays[paid]), arrays[paid])}


@argument_fault("discounting")
def difference_masked(arrays: Arrays) -> Arrays:
    """Gives R + γ·(1 − terminated)·(V' − V): the old value is discounted, and left where an episode ends.

    Shown when: An old value other than 0, with γ below 1 or a terminated step.
    Cause: A bracket too many: the discount and the mask of what follows take in the value that was left.
    Fix: R + γ·(1 − terminated)·V' − V: only the successor lies a step ahead.
    - delta = r + gamma * (next_value - value) * (1 - terminated)
    + delta = r + gamma * next_value * (1 - terminated) - value
    """
    paid, old = "reward", arrays.get("value")
    if arrays.get("rewards") is not None:
        paid, old = "rewards", own_values(arrays)
    over = arrays.get("terminated")
    kept = arrays["gamma"] * (1 if over is None else ~np.asarray(over))
    return {paid: (arrays[paid] + old - kept * old).astype(arrays[paid].dtype)}


@argument_fault("discounting")
def gamma_missing(arrays: Arrays) -> Arrays:
    """Adds what follows without γ.

    Shown when: γ below 1 and a next value other than 0.
    Cause: Written and tried with γ = 1.
    Fix: R + γ·(what follows).
    - target = rewards + (1 - dones) * next_value
    + target = rewards + gamma * (1 - dones) * next_value
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@sets("discounting", n=1)
def n_step_discounted_once() -> None:
    """Discounts what follows n steps later by γ, not by γ^n.

    Shown when: Rewards that sum two steps or more, and γ between 0 and 1.
    Cause: The buffer was changed to n-step returns and the line of the target was not.
    Fix: R^(n) + γ^n·(what follows).
    - target = n_step_rewards + gamma * (1 - dones) * next_value
    + target = n_step_rewards + gamma**n * (1 - dones) * next_value
    """


@argument_fault("indexing")
def next_row_one_late(arrays: Arrays) -> Arrays:
    """Takes what follows from the row of the step before: the state itself, not the one that it led to.

    Shown when: Two steps or more whose rows differ.
    Cause: The networks are called with the observations of the batch, which start a step earlier.
    Fix: Call them with the next observations.
    - next_q = target_net(obs)
    + next_q = target_net(next_obs)
    """
    steps = arrays["rewards"].ndim - 1
    return {
        name: np.concatenate([np.take(rows, [0], steps), np.delete(rows, -1, steps)], steps)
        for name in FOLLOWING
        if (rows := arrays.get(name)) is not None
    }


OF_EVERY_TARGET = (
    bootstrap_after_terminal,
    flags_inverted,
    reward_lost_at_the_end,
    gamma_missing,
    sequences.reward_discounted,
    n_step_discounted_once,
    next_row_one_late,
)
