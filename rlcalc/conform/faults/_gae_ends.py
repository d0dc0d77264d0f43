"""Faults of generalized advantage estimation at the ends of episodes."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import bootstraps, cut, early, flags, last_step, next_values
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.recurrence.scan import scan_numpy


def with_advantages(arrays: dict[str, Any], advantages: Any) -> Outputs:
    return {"advantages": advantages, "returns": advantages + arrays["values"][..., :-1]}


def recursion(arrays: dict[str, Any], delta: Any, decay: Any) -> Outputs:
    advantages = scan_numpy(delta, decay * ~cut(arrays))
    return with_advantages(arrays, advantages.astype(arrays["rewards"].dtype))


@argument_fault(
    "recursion-crosses-truncation",
    "termination",
    reported_in=["EdanToledo/Stoix issue #142", "Toni-SM/skrl issue #449"],
)
def recursion_crosses_truncation(arrays: Arrays) -> Arrays:
    """Bootstraps after a truncated step, but carries on the recursion across it into the next episode.

    Shown when: A truncated step that is not the last, with λ above 0.
    Cause: Only 'terminated' masks the recursion; 'truncated' was split off from 'done' and forgotten there.
    Fix: Multiply γλ·A by (1 − terminated)·(1 − truncated); multiply γ·V' by (1 − terminated) alone.
    Diff:
        - adv = delta + gamma * lam * (1 - terminated[t]) * adv
        + adv = delta + gamma * lam * (1 - terminated[t]) * (1 - truncated[t]) * adv
    """
    return {"truncated": None}


@argument_fault("recursion-crosses-ends", "termination")
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Masks V' after a terminated step, but adds the advantage of the next episode's first step to it.

    Shown when: A step inside the sequence that ends its episode, with λ above 0.
    Cause: The mask was written into δ and left out of the line of the recursion.
    Fix: Both summands with a successor need a mask: γ·V'·(1 − terminated) and γ·λ·A_{t+1}·(1 − terminated)·(1
        − truncated).
    Diff:
        - adv = delta + gamma * lam * adv
        + adv = delta + gamma * lam * (1 - terminated[t]) * (1 - truncated[t]) * adv
    """
    return shared.recursion_crosses_ends(arrays)


@argument_fault("flags-ignored", "termination")
def flags_ignored(arrays: Arrays) -> Arrays:
    """Takes the whole sequence for one episode: neither V' nor the recursion is ever masked.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one episode at a time, then called with a buffer that holds several.
    Fix: Cut the buffer at the ends of episodes, or pass the flags and mask with them.
    Diff:
        - delta = rewards[t] + gamma * values[t + 1] - values[t]
        - adv = delta + gamma * lam * adv
        + delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
        + adv = delta + gamma * lam * (1 - done[t]) * adv
    """
    return {"terminated": None, "truncated": None}


@argument_fault("bootstrap-after-terminal", "termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Stops the recursion at a terminated step, but adds γ times the value of the state after it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: The mask stands in the line of the recursion and is missing in δ; the critic's output for a
        terminal state is taken as it is.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V.
    Diff:
        - delta = rewards[t] + gamma * values[t + 1] - values[t]
        + delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
    """
    return shared.bootstrap_after_terminal(arrays)


@argument_fault("bootstrap-after-last-terminal", "termination", reported_in=["openai/spinningup issue #257"])
def bootstrap_after_last_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' at the last step even where that step is terminal.

    Shown when: A terminated last step whose successor has a value other than 0.
    Cause: A full buffer closes the open trajectory with V(s), without asking whether the episode ended by
        itself in that very step.
    Fix: Ask for 'terminated' first: the value after the last step is 0 after a terminal one, whatever filled
        the buffer.
    Diff:
        - last_value = critic(obs)
        + last_value = 0 if terminated[-1] else critic(obs)
    """
    over = flags(arrays, "terminated") & ~last_step(arrays)
    return {"terminated": over}


@argument_fault("next-value-of-reset-state", "termination")
def next_value_of_reset_state(arrays: Arrays) -> Arrays:
    """Bootstraps a truncated step from the value of the state that the environment was reset to.

    Shown when: A truncated step inside the sequence, with next values given.
    Cause: An environment that resets by itself returns the first observation of the next episode; V' is then
        read from values[t + 1].
    Fix: Evaluate the final observation that the environment returns next to the reset one, and use it at
        truncated steps.
    Diff:
        - next_value = critic(next_obs[t])
        + next_value = critic(final_obs[t] if truncated[t] else next_obs[t])
    """
    return {"next_values": None}


truncation_bootstraps_own_value = shared.reported(
    shared.truncation_bootstraps_own_value, "leggedrobotics/rsl_rl issue #151"
)
truncation_adds_own_value = shared.truncation_adds_own_value
time_out_bonus_on_top = shared.reported(shared.time_out_bonus_on_top, "Toni-SM/skrl issue #224")


truncated_advantage_zero = shared.reported(
    shared.truncated_advantage_zero,
    *("EdanToledo/Stoix issue #142", "google/brax", "PaddlePaddle/PARL issue #959"),
)


@argument_fault("truncation-ends-with-discounts-per-step", "termination", reported_in=["pytorch/rl PR #2773"])
def truncation_ends_with_discounts_per_step(arrays: Arrays) -> Arrays:
    """With one discount for all steps it is right; with one per step it does not bootstrap after a truncated
    step.

    Shown when: A truncated step, with a discount for each step.
    Cause: The two kinds of discount have code of their own, and in one of them the TD error is masked with
        done for terminated.
    Fix: Mask γ·V' with (1 − terminated) in both, and run the same tests on both.
    Diff:
        - ends = done if np.ndim(gamma) else terminated
        + ends = terminated
          delta = rewards + gamma * ~ends * next_values - values
    """
    if not np.ndim(arrays["gamma"]) or arrays.get("truncated") is None:
        return {}
    return {"terminated": cut(arrays), "truncated": None}


@fault("carried-advantage-masked-twice", "termination", reported_in=["alessiodm/drl-zh issue #13"])
def carried_advantage_masked_twice(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the carried advantage by (1 − done) when it is kept and again when it is used: the step
    before an end gets nothing of the last advantage of its episode.

    Shown when: An episode that ends with its second step or later, with γ, λ and that advantage other than 0.
    Cause: The mask of step t stands in the line of A_t, and the finished A_t is masked once more for t − 1.
    Fix: A_t = δ_t + γ·λ·(1 − done_t)·A_{t+1}, and carry A_t as it is.
    Diff:
          advantages[t] = delta + gamma * lam * live * carried
        - carried = live * advantages[t]
        + carried = advantages[t]
    """
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["gamma"] * arrays["lam"] * ~early(cut(arrays)))


done_mask_one_late = shared.done_mask_one_late
done_mask_one_early = shared.done_mask_one_early
done_mask_one_early_but_the_last = shared.reported(
    shared.done_mask_one_early_but_the_last, "DLR-RM/stable-baselines3 issue #105", "AgileRL/AgileRL"
)


@argument_fault("bootstrap-masked-one-early", "indexing")
def bootstrap_masked_one_early(arrays: Arrays) -> Arrays:
    """Masks V' with the flag of step t + 1, and the recursion with that of step t.

    Shown when: A terminated step with a step before it in its episode, or one whose successor has a value
        other than 0.
    Cause: V' is read at t + 1 from values that were multiplied by (1 − done) of their own row, or together
        with dones[t + 1].
    Fix: It is the state after a terminated step that is worth nothing: mask V' with the flag of step t.
    Diff:
        - delta = rewards[t] + gamma * values[t + 1] * (1 - terminated[t + 1]) - values[t]
        + delta = rewards[t] + gamma * values[t + 1] * (1 - terminated[t]) - values[t]
    """
    masked = np.where(early(flags(arrays, "terminated")), 0, next_values(arrays))
    return {
        "next_values": masked.astype(arrays["rewards"].dtype),
        "terminated": None,
        "truncated": cut(arrays),
    }


@argument_fault("flag-used-as-mask", "termination")
def flag_used_as_mask(arrays: Arrays) -> Arrays:
    """Bootstraps and goes on where an episode ended, and nowhere else.

    Shown when: Any step with a value after it, or an episode of two steps.
    Cause: The flag done stands where 1 − done belongs.
    Fix: Multiply by 1 − done; or store the continuation, and call it a mask.
    Diff:
        - delta = rewards[t] + gamma * after * dones[t] - values[t]
        - adv = delta + gamma * lam * dones[t] * adv
        + delta = rewards[t] + gamma * after * (1 - dones[t]) - values[t]
        + adv = delta + gamma * lam * (1 - dones[t]) * adv
    """
    return {"terminated": ~flags(arrays, "terminated")}
