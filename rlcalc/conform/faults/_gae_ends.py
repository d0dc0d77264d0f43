"""Faults of generalized advantage estimation at the ends of episodes."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import FLAGS, bootstraps, cut, early, flags, last_step, next_values
from rlcalc.recurrence.scan import scan_numpy


def with_advantages(arrays: dict[str, Any], advantages: Any) -> Outputs:
    return {"advantages": advantages, "returns": advantages + arrays["values"][..., :-1]}


def recursion(arrays: dict[str, Any], delta: Any, decay: Any) -> Outputs:
    advantages = scan_numpy(delta, decay * ~cut(arrays))
    return with_advantages(arrays, advantages.astype(arrays["rewards"].dtype))


@sets("termination", "EdanToledo/Stoix issue #142", "Toni-SM/skrl issue #449", truncated=None)
def recursion_crosses_truncation() -> None:
    """Bootstraps after a truncated step, but carries on the recursion across it into the next episode.

    Shown when: A truncated step that is not the last, with λ above 0.
    Cause: Only 'terminated' masks the recursion; 'truncated' was split off from 'done' and forgotten there.
    Fix: Multiply γλ·A by (1 − terminated)·(1 − truncated); multiply γ·V' by (1 − terminated) alone.
    - adv = delta + gamma * lam * (1 - terminated[t]) * adv
    + adv = delta + gamma * lam * (1 - terminated[t]) * (1 - truncated[t]) * adv
    """


@argument_fault("termination", "vietnh1009/Super-mario-bros-PPO-pytorch issue #21")
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Masks V' after a terminated step, but adds the advantage of the next episode's first step to it.

    Shown when: A step inside the sequence that ends its episode, with λ above 0.
    Cause: The mask was written into δ and left out of the line of the recursion.
    Fix: Both summands with a successor need a mask: γ·V'·(1 − terminated) and γ·λ·A_{t+1}·(1 − terminated)·(1
        − truncated).
    - adv = delta + gamma * lam * adv
    + adv = delta + gamma * lam * (1 - terminated[t]) * (1 - truncated[t]) * adv
    """
    return shared.without_bootstraps(arrays)


@sets("termination", terminated=None, truncated=None)
def flags_ignored() -> None:
    """Takes the whole sequence for one episode: neither V' nor the recursion is ever masked.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one episode at a time, then called with a buffer that holds several.
    Fix: Cut the buffer at the ends of episodes, or pass the flags and mask with them.
    - delta = rewards[t] + gamma * values[t + 1] - values[t]
    - adv = delta + gamma * lam * adv
    + delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
    + adv = delta + gamma * lam * (1 - done[t]) * adv
    """


@argument_fault("termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Stops the recursion at a terminated step, but adds γ times the value of the state after it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: The mask stands in the line of the recursion and is missing in δ; the critic's output for a
        terminal state is taken as it is.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V.
    - delta = rewards[t] + gamma * values[t + 1] - values[t]
    + delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
    """
    return shared.as_truncations(arrays)


@argument_fault("termination", "openai/spinningup issue #257")
def bootstrap_after_last_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' at the last step even where that step is terminal.

    Shown when: A terminated last step whose successor has a value other than 0.
    Cause: A full buffer closes the open trajectory with V(s), without asking whether the episode ended by
        itself in that very step.
    Fix: Ask for 'terminated' first: the value after the last step is 0 after a terminal one, whatever filled
        the buffer.
    - last_value = critic(obs)
    + last_value = 0 if terminated[-1] else critic(obs)
    """
    over = flags(arrays, "terminated") & ~last_step(arrays)
    return {"terminated": over}


@argument_fault("termination", "pytorch/rl PR #2773")
def truncation_ends_with_discounts_per_step(arrays: Arrays) -> Arrays:
    """With one discount for all steps it is right; with one per step it does not bootstrap after a truncated
    step.

    Shown when: A truncated step, with a discount for each step.
    Cause: The two kinds of discount have code of their own, and in one of them the TD error is masked with
        done for terminated.
    Fix: Mask γ·V' with (1 − terminated) in both, and run the same tests on both.
    - ends = done if np.ndim(gamma) else terminated
    + ends = terminated
      delta = rewards + gamma * ~ends * next_values - values
    """
    if not np.ndim(arrays["gamma"]) or arrays.get("truncated") is None:
        return {}
    return {"terminated": cut(arrays), "truncated": None}


@fault("termination", "alessiodm/drl-zh issue #13")
def carried_advantage_masked_twice(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the carried advantage by (1 − done) when it is kept and again when it is used: the step
    before an end gets nothing of the last advantage of its episode.

    Shown when: An episode that ends with its second step or later, with γ, λ and that advantage other than 0.
    Cause: The mask of step t stands in the line of A_t, and the finished A_t is masked once more for t − 1.
    Fix: A_t = δ_t + γ·λ·(1 − done_t)·A_{t+1}, and carry A_t as it is.
      advantages[t] = delta + gamma * lam * live * carried
    - carried = live * advantages[t]
    + carried = advantages[t]
    """
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["gamma"] * arrays["lam"] * ~early(cut(arrays)))


@argument_fault("indexing")
def bootstrap_masked_one_early(arrays: Arrays) -> Arrays:
    """Masks V' with the flag of step t + 1, and the recursion with that of step t.

    Shown when: A terminated step with a step before it in its episode, or one whose successor has a value
        other than 0.
    Cause: V' is read at t + 1 from values that were multiplied by (1 − done) of their own row, or together
        with dones[t + 1].
    Fix: It is the state after a terminated step that is worth nothing: mask V' with the flag of step t.
    - delta = rewards[t] + gamma * values[t + 1] * (1 - terminated[t + 1]) - values[t]
    + delta = rewards[t] + gamma * values[t + 1] * (1 - terminated[t]) - values[t]
    """
    masked = np.where(early(flags(arrays, "terminated")), 0, next_values(arrays))
    return {
        "next_values": masked.astype(arrays["rewards"].dtype),
        "terminated": None,
        "truncated": cut(arrays),
    }


@argument_fault("termination", presumes=FLAGS)
def flag_used_as_mask(arrays: Arrays) -> Arrays:
    """Bootstraps and goes on where an episode ended, and nowhere else.

    Shown when: Any step with a value after it, or an episode of two steps.
    Cause: The flag done stands where 1 − done belongs.
    Fix: Multiply by 1 − done; or store the continuation, and call it a mask.
    - delta = rewards[t] + gamma * after * dones[t] - values[t]
    - adv = delta + gamma * lam * dones[t] * adv
    + delta = rewards[t] + gamma * after * (1 - dones[t]) - values[t]
    + adv = delta + gamma * lam * (1 - dones[t]) * adv
    """
    return {"terminated": ~flags(arrays, "terminated")}
