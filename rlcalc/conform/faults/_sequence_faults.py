"""Faults that several sequence formulas have in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Fault, Outputs, argument_fault, output_fault, sets
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults._sequence import (
    FLAGS,
    VALUED,
    bootstraps,
    cut,
    cut_off,
    discounts,
    early,
    early_but_the_last,
    flags,
    last_step,
    late,
    late_but_the_last,
    next_values,
    own_values,
)


def without_bootstraps(arrays: Arrays) -> Arrays:
    """Flags take the bootstrap away and do nothing else."""
    return {"next_values": bootstraps(arrays), "terminated": None, "truncated": None}


def as_truncations(arrays: Arrays) -> Arrays:
    """A terminated step is handled as a truncated one."""
    return {} if arrays.get("terminated") is None else {"terminated": None, "truncated": cut(arrays)}


def reported(known: Sequence[Fault], **places: Sequence[str]) -> tuple[Fault, ...]:
    """Shared faults, some of them with the places where they were reported for one formula."""
    found = {fault.name.replace("-", "_"): fault for fault in known}
    found |= {name: replace(found[name], reported_in=tuple(where)) for name, where in places.items()}
    return tuple(found.values())


@argument_fault("discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Gives γ·(R + what follows): the reward of the step is discounted as well.

    Shown when: γ below 1 and a reward that is not 0.
    Cause: A pair of brackets takes in the reward: γ·(R + what follows).
    Fix: The reward is paid by the step itself: R + γ·(what follows).
    - target = gamma * (rewards + live * after)
    + target = rewards + gamma * live * after
    """
    name = "reward" if arrays.get("rewards") is None else "rewards"
    return {name: (arrays["gamma"] * arrays[name]).astype(arrays[name].dtype)}


@output_fault("indexing")
def left_in_reverse_order(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the answers in the order in which they are made, that of the last step first.

    Shown when: Two steps or more whose answers differ.
    Cause: The recursion runs from the end, over a reversed array or with append(), and is not turned back.
    Fix: Reverse the result once, after the loop.
    - return lfilter([1], [1, -gamma * lam], deltas[::-1])
    + return lfilter([1], [1, -gamma * lam], deltas[::-1])[::-1]
    """
    steps = arrays["rewards"].shape[-1:]
    return {
        name: value[..., ::-1] if np.shape(value)[-1:] == steps else value for name, value in found.items()
    }


# flags in the wrong row


@argument_fault("indexing")
def done_mask_one_late(arrays: Arrays) -> Arrays:
    """Reads the flag of step t as that of step t − 1: the mask acts one step too late.

    Shown when: A step inside the sequence that ends its episode.
    Cause: The buffer stores 'done' of the observation next to the action taken from it, and the loop uses
        dones[t].
    Fix: Use the flag that the environment returned with reward t: next_done, or dones[t + 1].
    - live = 1 - dones[t - 1] if t > 0 else 1
    + live = 1 - dones[t]
    """
    return {name: late(flags(arrays, name)) for name in FLAGS}


@argument_fault("indexing")
def done_mask_one_early(arrays: Arrays) -> Arrays:
    """Reads the flag of step t + 1 at step t: the mask acts one step too early, and the last step has none.

    Shown when: A terminated or truncated step.
    Cause: A loop with dones[t + 1] on a buffer whose dones[t] belongs to reward t already.
    Fix: Decide once what a row holds; with the flag that came with reward t, the mask of step t is 1 −
        dones[t].
    - live = 1 - dones[t + 1] if t + 1 < T else 1
    + live = 1 - dones[t]
    """
    return {name: early(flags(arrays, name)) for name in FLAGS}


@argument_fault("indexing", presumes=VALUED)
def done_mask_one_early_but_the_last(arrays: Arrays) -> Arrays:
    """Reads the flag of step t + 1 at step t; only the last step reads its own.

    Shown when: A step after the first one that ends its episode, or a first one that does before others.
    Cause: The estimator is that of buffers whose flag came with the observation, and the rollout stores the
        flag that came with the reward; the flag after the last step is handed over by itself, and is right.
    Fix: Store the flag from before the step, or read dones[t] at step t.
    - live = 1 - (dones[t + 1] if t + 1 < T else last_done)
    + live = 1 - dones[t]
    """
    return {name: early_but_the_last(flags(arrays, name)) for name in FLAGS}


@argument_fault("indexing", presumes=VALUED)
def done_mask_one_late_but_the_last(arrays: Arrays) -> Arrays:
    """Reads the flag of step t − 1 at step t; only the last step reads its own.

    Shown when: A step before the last one that ends its episode.
    Cause: The buffer stores the flag that came with the observation, and the loop uses row t of it in the
        place of row t + 1; the flag after the last step is handed over by itself, and is right.
    Fix: The flag of observation t + 1 says whether step t ended its episode.
    - live = 1 - (episode_starts[t] if t + 1 < T else last_done)
    + live = 1 - (episode_starts[t + 1] if t + 1 < T else last_done)
    """
    return {name: late_but_the_last(flags(arrays, name)) for name in FLAGS}


# rewards in the wrong row


@argument_fault("indexing")
def reward_one_late(arrays: Arrays) -> Arrays:
    """Credits step t with the reward of step t − 1; the first step gets 0 and the last reward is lost.

    Shown when: Any sequence whose rewards are not all 0.
    Cause: The row is stored before the environment has answered, with the reward still in the variable; or
        the last reward is dropped where rewards and states are cut to one length, and not the first.
    Fix: Step the environment first, then store state, action and the reward that they earned.
    - buffer.store(obs, action, reward, value)
    - obs, reward, done, info = env.step(action)
    + next_obs, reward, done, info = env.step(action)
    + buffer.store(obs, action, reward, value)
    """
    return {"rewards": late(arrays["rewards"])}


@argument_fault("indexing")
def last_reward_lost(arrays: Arrays) -> Arrays:
    """Counts the reward of the last step as 0.

    Shown when: A last reward other than 0.
    Cause: The loop stops one step short, or an expression such as a if last else b takes in more than was
        meant, so that the last row is the bootstrap alone.
    Fix: Every step has its reward, the last one too: G_{T−1} = R_T + γ·V(S_T).
    - total = 0 if t == T - 1 else rewards[t] + gamma * total
    + total = rewards[t] + gamma * total
    """
    return {"rewards": np.where(last_step(arrays), arrays["rewards"].dtype.type(0), arrays["rewards"])}


@argument_fault("indexing", presumes=VALUED)
def last_row_is_bootstrap(arrays: Arrays) -> Arrays:
    """Gives V(S_T), or 0 after a termination, as the return of the last step: its reward is never read.

    Shown when: A last step whose reward is not (1 − γ)·V(S_T).
    Cause: The bootstrap is written into the last row of the returns, and the loop runs from T − 2.
    Fix: Keep one row more than there are steps, or start the loop at T − 1 with the bootstrap beside.
    - returns[T - 1] = live * last_value
    - for t in reversed(range(T - 1)):
    + later = last_value
    + for t in reversed(range(T)):
    """
    alone = (1 - discounts(arrays)) * bootstraps(arrays)
    return {"rewards": np.where(last_step(arrays), alone, arrays["rewards"]).astype(arrays["rewards"].dtype)}


@argument_fault("indexing")
def last_value_one_early(arrays: Arrays) -> Arrays:
    """Bootstraps the last step from V(S_{T−1}), the state before it, instead of V(S_T).

    Shown when: A last step that does not terminate, γ above 0, and two last values that differ.
    Cause: The last value is taken from the array of values after its last entry was stripped off.
    Fix: Take V(S_T) first, then strip it off: final = values[-1]; values = values[:-1].
    - values = values[:-1]
    - last_value = values[-1]
    + last_value = values[-1]
    + values = values[:-1]
    """
    if arrays.get("values") is None:
        return {}
    return {"next_values": np.where(last_step(arrays), own_values(arrays), next_values(arrays))}


@argument_fault("indexing")
def value_two_steps_ahead(arrays: Arrays) -> Arrays:
    """Bootstraps step t from V(S_{t+2}); the last two steps share the last value.

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Values that are those of the successors already are shifted once more.
    Fix: Shift once: the state after step t is S_{t+1}.
    - later = np.append(next_values[1:], next_values[-1:])
    + later = next_values
    """
    after = next_values(arrays)
    return {"next_values": np.concatenate([after[..., 1:], after[..., -1:]], axis=-1)}


# factors


@argument_fault("discounting")
def gamma_twice(arrays: Arrays) -> Arrays:
    """Discounts by γ² at every step.

    Shown when: γ between 0 and 1, and a value, or a reward after the first step, that is not 0.
    Cause: The discounts of the environment hold γ already, and the estimator multiplies by γ once more.
    Fix: Pass (1 − terminated) where the estimator multiplies by γ, or γ·(1 − terminated) where it does not.
      discount = gamma * (1 - terminated[t])
    - target = rewards[t] + gamma * discount * after
    + target = rewards[t] + discount * after
    """
    return {"gamma": arrays["gamma"] * arrays["gamma"]}


# truncated steps


@argument_fault("termination")
def truncation_bootstraps_own_value(arrays: Arrays) -> Arrays:
    """Bootstraps a truncated step from V(S_t), the state before the step, instead of its successor.

    Shown when: A truncated step whose successor has another value than the state before it.
    Cause: The successor was lost to the reset, and γ·V(S_t) is added to the reward as a stand-in.
    Fix: Keep the final observation and add γ·V of that one.
    - rewards[t] += gamma * values[t] * truncated[t]
    + rewards[t] += gamma * critic(final_observation[t]) * truncated[t]
    """
    return {"next_values": np.where(cut_off(arrays), own_values(arrays), next_values(arrays))}


@argument_fault("termination", "AI4Finance-Foundation/ElegantRL", presumes=["values"])
def truncation_adds_own_value(arrays: Arrays) -> Arrays:
    """Adds V(S_t) to the reward of a truncated step, without γ, and bootstraps from nothing else there.

    Shown when: A truncated step, with γ below 1 or another value after it than before it.
    Cause: The reward is corrected with the critic's value of the stored state; the factor of a bootstrap is
        forgotten, since this is a reward.
    Fix: Add γ·V of the state that was reached.
    - rewards[truncated] += critic(states[truncated])
    + rewards[truncated] += gamma * critic(final_states[truncated])
    """
    more = np.where(cut_off(arrays), own_values(arrays), 0).astype(arrays["rewards"].dtype)
    return {"rewards": arrays["rewards"] + more, "terminated": cut(arrays), "truncated": None}


@argument_fault("termination", presumes=["values"])
def time_out_bonus_on_top(arrays: Arrays) -> Arrays:
    """Adds γ·V(S_t) to the reward of a truncated step, and goes on as if its episode did: values and
    rewards of the next one are credited as well.

    Shown when: A truncated step, with γ and the value before it other than 0.
    Cause: The bonus stands for the bootstrap of an environment that says 'done' at a time limit; here only
        'terminated' masks.
    Fix: Bootstrap a truncated step once, from the state that was reached, and stop the recursion there.
    - rewards[t] += gamma * values[t] * truncated[t]
    - live = 1 - terminated[t]
    + rewards[t] += gamma * critic(final_observation[t]) * truncated[t]
    + live = 1 - (terminated[t] | truncated[t])
    """
    more = discounts(arrays) * np.where(cut_off(arrays), own_values(arrays), 0)
    rewards = (arrays["rewards"] + more).astype(arrays["rewards"].dtype)
    return {"rewards": rewards, "truncated": None, "next_values": None}


@sets("termination", next_values=None)
def next_value_of_reset_state() -> None:
    """Bootstraps a truncated step from the value of the state that the environment was reset to.

    Shown when: A truncated step inside the sequence, with next values given.
    Cause: An environment that resets by itself returns the first observation of the next episode; V' is then
        read from values[t + 1].
    Fix: Evaluate the final observation that the environment returns next to the reset one, and use it at
        truncated steps.
    - next_value = critic(next_obs[t])
    + next_value = critic(final_obs[t] if truncated[t] else next_obs[t])
    """


@argument_fault("termination", "google/brax")
def truncated_advantage_zero(arrays: Arrays) -> Arrays:
    """Sets the TD error of a truncated step to 0, and with it the advantage: its return is its value.

    Shown when: A truncated step whose TD error is not 0.
    Cause: δ is multiplied by the truncation mask, because its true successor is not in the buffer.
    Fix: Store the value of the true successor; δ of a truncated step is an ordinary one.
    - delta = (1 - truncated[t]) * (rewards[t] + gamma * live * next_values[t] - values[t])
    + delta = rewards[t] + gamma * live * next_values[t] - values[t]
    """
    cut_off = flags(arrays, "truncated")
    rewards = np.where(cut_off, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | cut_off
    return {"rewards": rewards, "terminated": over}


@argument_fault("ignored")
def gamma_ignored(arrays: Arrays) -> Arrays:
    """Takes γ and computes as if it were 1.

    Shown when: γ below 1, and a reward or value that lies ahead.
    Cause: Tried with γ = 1 only, as on short episodes and token rewards, or the factor was lost in a rewrite.
    Fix: Multiply what lies a step ahead by γ.
    - total = rewards[t] + live * total
    + total = rewards[t] + gamma * live * total
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


# of returns that go on step by step, to the end of the episode


@sets("termination", truncated=None)
def recursion_crosses_truncation() -> None:
    """Goes on with the return of the next episode after a truncated step.

    Shown when: A truncated step that is not the last, with λ above 0 where there is one.
    Cause: Only 'terminated' masks what follows.
    Fix: After a truncated step the return is R + γ·V', with all the weight on V'.
    - after = total
    + after = next_values[t] if truncated[t] else total
    """


@sets("termination", terminated=None, truncated=None)
def flags_ignored() -> None:
    """Takes the whole sequence for one episode: the return goes on across its ends.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one episode, or an imagined one, then called with a buffer that holds several.
    Fix: Multiply what follows by (1 − terminated) of the step, and start again from V' after a truncated one.
    - total = rewards[t] + gamma * total
    + after = next_values[t] if truncated[t] else total
    + total = rewards[t] + gamma * (1 - terminated[t]) * after
    """


@argument_fault("termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Ends a return at a terminated step, but adds γ times the value of the state after it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: Terminations are handled as time limits, since both say done.
    Fix: The return of a terminated step is its reward.
      after = next_values[t] if done[t] else total
    - total = rewards[t] + gamma * after
    + total = rewards[t] + gamma * (1 - terminated[t]) * after
    """
    return as_truncations(arrays)


OF_EVERY_RETURN = (
    truncation_bootstraps_own_value,
    truncation_adds_own_value,
    time_out_bonus_on_top,
    next_value_of_reset_state,
    done_mask_one_late,
    done_mask_one_late_but_the_last,
    done_mask_one_early,
    done_mask_one_early_but_the_last,
    reward_one_late,
    last_value_one_early,
    gamma_twice,
    gamma_ignored,
    last_reward_lost,
    left_in_reverse_order,
    precision.computes_in_float32,
)
TO_THE_END = (*OF_EVERY_RETURN, recursion_crosses_truncation, flags_ignored, bootstrap_after_terminal)
