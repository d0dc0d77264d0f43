"""Faults of the returns that generalized advantage estimation gives beside the advantages."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault
from rlcalc.conform.faults._sequence import flags


@fault("swapped", stage="outputs")
def returns_are_rewards_alone(form: Form, **arrays: Any) -> Outputs:
    """The advantages are right; the returns are discounted sums of rewards, without a value after them.

    Shown when: A sequence that goes on after its last step, with a value other than 0 there.
    Cause: The value was appended to the rewards for one of the two sums, and cut off again for the other.
    Fix: Return advantages + values, or start the discounted sum from the value after the last step.
    - returns = discounted_sums(rewards[:-1], gamma)
    + returns = advantages + values
    """
    over = flags(arrays, "terminated").copy()
    over[..., -1] = True
    whole = form(**{**arrays, "lam": arrays["lam"] * 0 + 1, "terminated": over})
    return {**form(**arrays), "returns": whole["returns"]}


@fault("swapped", stage="outputs")
def returns_are_one_step_targets(form: Form, **arrays: Any) -> Outputs:
    """The advantages are right; the returns are R + γ·V', which hold one reward each.

    Shown when: Two steps of one episode and λ above 0.
    Cause: The target of the critic is taken from the line of δ, before the recursion.
    Fix: Return advantages + values, or say that the target is the one-step one.
    - returns[t] = rewards[t] + gamma * next_value * mask
    + returns[t] = advantages[t] + values[t]
    """
    whole = form(**{**arrays, "lam": arrays["lam"] * 0})
    return {**form(**arrays), "returns": whole["returns"]}


@output_fault("swapped", "vwxyzjn/cleanrl PR #337")
def returns_are_values(found: Outputs, arrays: Arrays) -> Outputs:
    """The advantages are right; the returns are the old values, so that the critic learns nothing from them.

    Shown when: Any sequence with an advantage that is not 0.
    Cause: Returns are formed from the buffer's advantages before those are written: 0 + V.
    Fix: Form the returns from the advantages just computed.
    - returns = buffer.advantages + values
      buffer.advantages = advantages
    + returns = buffer.advantages + values
    """
    return {**found, "returns": np.broadcast_to(arrays["values"][..., :-1], found["advantages"].shape)}
