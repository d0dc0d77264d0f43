"""Faults that several sequence formulas have in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Fault, argument_fault, fault, output_fault
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
    narrow_discount,
    next_values,
    own_values,
)
from rlcalc.conform.forms import Arrays, Form, Outputs


def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Flags take the bootstrap away and do nothing else."""
    return {"next_values": bootstraps(arrays), "terminated": None, "truncated": None}


def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """A terminated step is handled as a truncated one."""
    return {} if arrays.get("terminated") is None else {"terminated": None, "truncated": cut(arrays)}


def reported(known: Fault, *places: str) -> Fault:
    """A shared fault with the places where it was reported for one formula."""
    return replace(known, reported_in=places)


def raises_at_zero(decay: Any) -> Arrays:
    """A kernel of the powers of a factor is empty, or its logarithm is taken."""
    if not np.ndim(decay) and decay == 0:
        raise IndexError("tuple index out of range")
    return {}


@argument_fault("reward-discounted", "discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Multiplies the reward of the step by γ together with the value after it.

    Shown when: γ below 1 and a reward that is not 0.
    Cause: A pair of brackets takes in the reward: γ·(R + V').
    Fix: The reward is paid by the step itself: R + γ·V'.
    Diff:
        - target = gamma * (rewards[t] + live * after)
        + target = rewards[t] + gamma * live * after
    """
    name = "reward" if arrays.get("rewards") is None else "rewards"
    return {name: (arrays["gamma"] * arrays[name]).astype(arrays[name].dtype)}


@output_fault("left-in-reverse-order", "indexing")
def left_in_reverse_order(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the answers in the order in which they are made, that of the last step first.

    Shown when: Two steps or more whose answers differ.
    Cause: The recursion runs from the end, over a reversed array or with append(), and is not turned back.
    Fix: Reverse the result once, after the loop.
    Diff:
        - return lfilter([1], [1, -gamma * lam], deltas[::-1])
        + return lfilter([1], [1, -gamma * lam], deltas[::-1])[::-1]
    """
    steps = arrays["rewards"].shape[-1:]
    return {
        name: value[..., ::-1] if np.shape(value)[-1:] == steps else value for name, value in found.items()
    }


# flags in the wrong row


@argument_fault("done-mask-one-late", "indexing")
def done_mask_one_late(arrays: Arrays) -> Arrays:
    """Reads the flag of step t as that of step t − 1: the mask acts one step too late.

    Shown when: A step inside the sequence that ends its episode.
    Cause: The buffer stores 'done' of the observation next to the action taken from it, and the loop uses
        dones[t].
    Fix: Use the flag that the environment returned with reward t: next_done, or dones[t + 1].
    Diff:
        - live = 1 - dones[t - 1] if t > 0 else 1
        + live = 1 - dones[t]
    """
    return {name: late(flags(arrays, name)) for name in FLAGS}


@argument_fault("done-mask-one-early", "indexing")
def done_mask_one_early(arrays: Arrays) -> Arrays:
    """Reads the flag of step t + 1 at step t: the mask acts one step too early, and the last step has none.

    Shown when: A terminated or truncated step.
    Cause: A loop with dones[t + 1] on a buffer whose dones[t] belongs to reward t already.
    Fix: Decide once what a row holds; with the flag that came with reward t, the mask of step t is 1 −
        dones[t].
    Diff:
        - live = 1 - dones[t + 1] if t + 1 < T else 1
        + live = 1 - dones[t]
    """
    return {name: early(flags(arrays, name)) for name in FLAGS}


@argument_fault("done-mask-one-early-but-the-last", "indexing", presumes=VALUED)
def done_mask_one_early_but_the_last(arrays: Arrays) -> Arrays:
    """Reads the flag of step t + 1 at step t; only the last step reads its own.

    Shown when: A step after the first one that ends its episode, or a first one that does before others.
    Cause: The estimator is that of buffers whose flag came with the observation, and the rollout stores the
        flag that came with the reward; the flag after the last step is handed over by itself, and is right.
    Fix: Store the flag from before the step, or read dones[t] at step t.
    Diff:
        - live = 1 - (dones[t + 1] if t + 1 < T else last_done)
        + live = 1 - dones[t]
    """
    return {name: early_but_the_last(flags(arrays, name)) for name in FLAGS}


# rewards in the wrong row


@argument_fault("reward-one-late", "indexing")
def reward_one_late(arrays: Arrays) -> Arrays:
    """Credits step t with the reward of step t − 1; the first step gets 0 and the last reward is lost.

    Shown when: Any sequence whose rewards are not all 0.
    Cause: The row is stored before the environment has answered, with the reward still in the variable; or
        the last reward is dropped where rewards and states are cut to one length, and not the first.
    Fix: Step the environment first, then store state, action and the reward that they earned.
    Diff:
        - buffer.store(obs, action, reward, value)
        - obs, reward, done, info = env.step(action)
        + next_obs, reward, done, info = env.step(action)
        + buffer.store(obs, action, reward, value)
    """
    return {"rewards": late(arrays["rewards"])}


@argument_fault("last-reward-lost", "indexing")
def last_reward_lost(arrays: Arrays) -> Arrays:
    """Counts the reward of the last step as 0.

    Shown when: A last reward other than 0.
    Cause: The loop stops one step short, or an expression such as a if last else b takes in more than was
        meant, so that the last row is the bootstrap alone.
    Fix: Every step has its reward, the last one too: G_{T−1} = R_T + γ·V(S_T).
    Diff:
        - total = 0 if t == T - 1 else rewards[t] + gamma * total
        + total = rewards[t] + gamma * total
    """
    return {"rewards": np.where(last_step(arrays), arrays["rewards"].dtype.type(0), arrays["rewards"])}


@argument_fault("last-value-one-early", "indexing", reported_in=["tensorflow/agents issue #953"])
def last_value_one_early(arrays: Arrays) -> Arrays:
    """Bootstraps the last step from V(S_{T−1}), the state before it, instead of V(S_T).

    Shown when: A last step that does not terminate, γ above 0, and two last values that differ.
    Cause: The last value is taken from the array of values after its last entry was stripped off.
    Fix: Take V(S_T) first, then strip it off: final = values[-1]; values = values[:-1].
    Diff:
        - values = values[:-1]
        - last_value = values[-1]
        + last_value = values[-1]
        + values = values[:-1]
    """
    if arrays.get("values") is None:
        return {}
    return {"next_values": np.where(last_step(arrays), own_values(arrays), next_values(arrays))}


@argument_fault("value-two-steps-ahead", "indexing")
def value_two_steps_ahead(arrays: Arrays) -> Arrays:
    """Bootstraps step t from V(S_{t+2}); the last two steps share the last value.

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Values that are those of the successors already are shifted once more.
    Fix: Shift once: the state after step t is S_{t+1}.
    Diff:
        - later = np.append(next_values[1:], next_values[-1:])
        + later = next_values
    """
    after = next_values(arrays)
    return {"next_values": np.concatenate([after[..., 1:], after[..., -1:]], axis=-1)}


# factors


@argument_fault("gamma-twice", "discounting")
def gamma_twice(arrays: Arrays) -> Arrays:
    """Discounts by γ² at every step.

    Shown when: γ between 0 and 1, and a value, or a reward after the first step, that is not 0.
    Cause: The discounts of the environment hold γ already, and the estimator multiplies by γ once more.
    Fix: Pass (1 − terminated) where the estimator multiplies by γ, or γ·(1 − terminated) where it does not.
    Diff:
          discount = gamma * (1 - terminated[t])
        - target = rewards[t] + gamma * discount * after
        + target = rewards[t] + discount * after
    """
    return {"gamma": arrays["gamma"] * arrays["gamma"]}


# truncated steps


@argument_fault("truncation-bootstraps-own-value", "termination")
def truncation_bootstraps_own_value(arrays: Arrays) -> Arrays:
    """Bootstraps a truncated step from V(S_t), the state before the step, instead of its successor.

    Shown when: A truncated step whose successor has another value than the state before it.
    Cause: The successor was lost to the reset, and γ·V(S_t) is added to the reward as a stand-in.
    Fix: Keep the final observation and add γ·V of that one.
    Diff:
        - rewards[t] += gamma * values[t] * truncated[t]
        + rewards[t] += gamma * critic(final_observation[t]) * truncated[t]
    """
    return {"next_values": np.where(cut_off(arrays), own_values(arrays), next_values(arrays))}


@argument_fault(
    "truncation-adds-own-value",
    "termination",
    reported_in=["AI4Finance-Foundation/ElegantRL"],
    presumes=["values"],
)
def truncation_adds_own_value(arrays: Arrays) -> Arrays:
    """Adds V(S_t) to the reward of a truncated step, without γ, and bootstraps from nothing else there.

    Shown when: A truncated step, with γ below 1 or another value after it than before it.
    Cause: The reward is corrected with the critic's value of the stored state; the factor of a bootstrap is
        forgotten, since this is a reward.
    Fix: Add γ·V of the state that was reached.
    Diff:
        - rewards[truncated] += critic(states[truncated])
        + rewards[truncated] += gamma * critic(final_states[truncated])
    """
    more = np.where(cut_off(arrays), own_values(arrays), 0).astype(arrays["rewards"].dtype)
    return {"rewards": arrays["rewards"] + more, "terminated": cut(arrays), "truncated": None}


@argument_fault("time-out-bonus-on-top", "termination", presumes=["values"])
def time_out_bonus_on_top(arrays: Arrays) -> Arrays:
    """Adds γ·V(S_t) to the reward of a truncated step, and goes on as if its episode did: values and
    rewards of the next one are credited as well.

    Shown when: A truncated step, with γ and the value before it other than 0.
    Cause: The bonus stands for the bootstrap of an environment that says 'done' at a time limit; here only
        'terminated' masks.
    Fix: Bootstrap a truncated step once, from the state that was reached, and stop the recursion there.
    Diff:
        - rewards[t] += gamma * values[t] * truncated[t]
        - live = 1 - terminated[t]
        + rewards[t] += gamma * critic(final_observation[t]) * truncated[t]
        + live = 1 - (terminated[t] | truncated[t])
    """
    more = discounts(arrays) * np.where(cut_off(arrays), own_values(arrays), 0)
    rewards = (arrays["rewards"] + more).astype(arrays["rewards"].dtype)
    return {"rewards": rewards, "truncated": None, "next_values": None}


@argument_fault("next-value-of-reset-state", "termination")
def next_value_of_reset_state(arrays: Arrays) -> Arrays:
    """Reads V' from values[t + 1] at every step, although next values are given.

    Shown when: Next values that differ from values, as those of truncated steps do.
    Cause: The environment resets by itself, and the final observation is not kept.
    Fix: Bootstrap from the value of the true successor.
    Diff:
        - target = rewards[t] + gamma * live * values[t + 1]
        + target = rewards[t] + gamma * live * next_values[t]
    """
    return {"next_values": None}


@argument_fault("truncated-advantage-zero", "termination", reported_in=["google/brax"])
def truncated_advantage_zero(arrays: Arrays) -> Arrays:
    """Sets the TD error of a truncated step to 0, and with it the advantage: its return is its value.

    Shown when: A truncated step whose TD error is not 0.
    Cause: δ is multiplied by the truncation mask, because its true successor is not in the buffer.
    Fix: Store the value of the true successor; δ of a truncated step is an ordinary one.
    Diff:
        - delta = (1 - truncated[t]) * (rewards[t] + gamma * live * next_values[t] - values[t])
        + delta = rewards[t] + gamma * live * next_values[t] - values[t]
    """
    cut_off = flags(arrays, "truncated")
    rewards = np.where(cut_off, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | cut_off
    return {"rewards": rewards, "terminated": over}


@argument_fault("gamma-in-float32", "precision", reported_in=["Toni-SM/skrl"], rounds="inputs")
def gamma_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 wherever it stands, and λ not.

    Shown when: One γ for all steps, such as 9/10, in float64.
    Cause: gamma * not_done with a boolean mask is a float32 tensor in Torch; λ meets float64 numbers first.
    Fix: Give the mask the dtype of the data, not_done.to(rewards.dtype).
    Diff:
        - adv = delta + gamma * not_done[t] * (after + lam * adv)
        + adv = delta + gamma * not_done[t].to(after.dtype) * (after + lam * adv)
    """
    return {"gamma": narrow_discount(arrays["gamma"])}


@argument_fault("gamma-ignored", "ignored")
def gamma_ignored(arrays: Arrays) -> Arrays:
    """Takes γ and computes as if it were 1.

    Shown when: γ below 1, and a reward or value that lies ahead.
    Cause: Tried with γ = 1 only, as on short episodes and token rewards, or the factor was lost in a rewrite.
    Fix: Multiply what lies a step ahead by γ.
    Diff:
        - total = rewards[t] + live * total
        + total = rewards[t] + gamma * live * total
    """
    return {"gamma": arrays["gamma"] * 0 + 1}


@argument_fault("discounts-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 before it meets float64 data: seven digits, in an answer that is float64.

    Shown when: One γ for all steps, such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype:
        gamma * (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    Diff:
        - discount = gamma * (~done).int()
        + discount = gamma * (~done).to(rewards.dtype)
    """
    return {"gamma": narrow_discount(arrays["gamma"])}


@fault("computes-in-float32", "precision", stage="inputs", rounds="sums")
def computes_in_float32(form: Form, /, **arrays: Any) -> Outputs:
    """Computes in float32 whatever it is given: float64 inputs are answered with seven digits.

    Shown when: float64 inputs that float32 does not hold, such as 9/10, or 2^24 + 1.
    Cause: A buffer or a cast with a fixed dtype, torch.tensor(list) with the default one, or JAX without
        jax_enable_x64.
    Fix: Take dtype and device from the inputs: zeros_like(rewards), torch.as_tensor(x, dtype=rewards.dtype).
    Diff:
        - out = torch.zeros(len(rewards))
        + out = torch.zeros_like(rewards)
    """
    (kind,) = {value.dtype for value in arrays.values() if _floating(value)}
    single = {name: value.astype(np.float32) if _floating(value) else value for name, value in arrays.items()}
    return {name: value.astype(kind) for name, value in form(**single).items() if value is not None}


def _floating(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"
