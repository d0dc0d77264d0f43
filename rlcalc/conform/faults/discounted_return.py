"""Faults of the discounted return."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import convolved, cut, discounts, fades, flags, last_step, late
from rlcalc.conform.forms import Arrays, Form, Outputs


@output_fault("first-reward-discounted", "discounting")
def first_reward_discounted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives γ·G_t: the reward of the step itself is discounted as well.

    Shown when: γ below 1 and a return other than 0.
    Cause: Powers of γ are counted from 1, as the index of R_{t+1} is.
    Fix: The first reward has the factor γ^0 = 1.
    Diff:
        - total = gamma * (rewards[t] + total)
        + total = rewards[t] + gamma * total
    """
    return {"returns": discounts(arrays) * found["returns"]}


@output_fault("discounted-from-the-start", "discounting")
def discounted_from_the_start(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives γ^t·G_t: rewards are discounted to the first step of the sequence, not to step t.

    Shown when: Two steps or more, γ below 1, and a later return other than 0.
    Cause: The discounted rewards are summed from the end in one cumulative sum, and not divided by γ^t; a γ^t
        that belongs into the policy gradient is then found in the critic's target.
    Fix: Run G_t = R_{t+1} + γ·G_{t+1} from the end.
    Diff:
        - returns = np.cumsum((gamma ** np.arange(T) * rewards)[::-1])[::-1]
        + for t in reversed(range(T)):
        +     returns[t] = total = rewards[t] + gamma * total
    """
    before = late(discounts(arrays))
    before[..., 0] = 1
    return {"returns": np.cumprod(before, axis=-1) * found["returns"]}


@fault("summed-forward", "indexing")
def summed_forward(form: Form, **arrays: Any) -> Outputs:
    """Gives the discounted sum of the rewards up to step t, not of those from t on.

    Shown when: Two rewards, of which one is not 0.
    Cause: The loop runs forward and stores the running sum, which is right for the last entry alone.
    Fix: Go through the rewards backwards: G_t = R_{t+1} + γ·G_{t+1}.
    Diff:
        - for t in range(T):
        -     total += gamma ** t * rewards[t]
        + for t in reversed(range(T)):
        +     total = rewards[t] + gamma * total
              returns[t] = total
    """
    rewards = arrays["rewards"]
    before = np.concatenate([np.ones_like(rewards[..., :1]), discounts(arrays)[..., :-1]], axis=-1)
    sums = np.cumsum(np.cumprod(before, axis=-1) * rewards, axis=-1).astype(rewards.dtype)
    return {"returns": sums}


@fault("bootstrap-not-discounted", "discounting", stage="outputs")
def bootstrap_not_discounted(form: Form, **arrays: Any) -> Outputs:
    """Adds the value after the last reward of an episode without any power of γ.

    Shown when: γ below 1 and a bootstrap value other than 0.
    Cause: The value is added to the finished sum.
    Fix: Start the recursion from the bootstrap value, so that it is discounted with the rewards.
    Diff:
        - returns = discounted_sums(rewards, gamma) + last_value
        + returns = discounted_sums(rewards, gamma, start=last_value)
    """
    silent = {**arrays, "rewards": arrays["rewards"] * 0}
    rewards = form(**arrays)["returns"] - form(**silent)["returns"]
    return {"returns": rewards + form(**{**silent, "gamma": arrays["gamma"] * 0 + 1})["returns"]}


@fault("discounted-and-not-summed", "discounting", reported_in=["hunkim/ReinforcementZeroToAll issue #1"])
def discounted_and_not_summed(form: Form, **arrays: Any) -> Outputs:
    """Gives γ^t·R_{t+1}: each reward is discounted to the first step, and nothing is summed.

    Shown when: Two steps or more, with a reward after the first one.
    Cause: The formula of one summand was taken for that of the return.
    Fix: Sum the discounted rewards from step t on: run G_t = R_{t+1} + γ·G_{t+1} from the end.
    Diff:
        - returns = [gamma ** t * r for t, r in enumerate(rewards)]
        + for t in reversed(range(T)):
        +     returns[t] = total = rewards[t] + gamma * total
    """
    before = late(discounts(arrays))
    before[..., 0] = 1
    return {"returns": np.cumprod(before, axis=-1) * arrays["rewards"]}


@output_fault(
    "reversed-after-every-append",
    "indexing",
    reported_in=["PacktPublishing/Tensorflow-2-Reinforcement-Learning-Cookbook issue #27"],
)
def reversed_after_every_append(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the returns in a shuffled order.

    Shown when: Three steps or more whose returns differ.
    Cause: The list that is filled from the end is reversed inside of the loop, after every append.
    Fix: Reverse it once, after the loop.
    Diff:
        -     returns.append(total)
        -     returns.reverse()
        +     returns.append(total)
        + returns.reverse()
    """
    order: list[int] = []
    for t in reversed(range(found["returns"].shape[-1])):
        order = [*order, t][::-1]
    return {"returns": found["returns"][..., order]}


@argument_fault("recursion-crosses-ends", "termination", presumes=["values", "bootstrap", "next_values"])
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Adds nothing for the state after a terminated step, but goes on with the return of the next episode.

    Shown when: A step inside the sequence that ends its episode.
    Cause: Flags take the bootstrap away, and the sum is that of one episode.
    Fix: Start the sum again after a step that ends its episode.
    Diff:
        - total = rewards[t] + gamma * total
        + total = rewards[t] + gamma * (1 - terminated[t]) * total
    """
    changed = shared.recursion_crosses_ends(arrays)
    given = arrays.get("bootstrap")
    if given is not None:
        over = flags(arrays, "terminated")[..., -1]
        changed["bootstrap"] = np.where(over, 0, given).astype(arrays["rewards"].dtype)
    return changed


@argument_fault("recursion-crosses-truncation", "termination")
def recursion_crosses_truncation(arrays: Arrays) -> Arrays:
    """Goes on with the return of the next episode after a truncated step.

    Shown when: A truncated step that is not the last.
    Cause: Only 'terminated' stops the sum.
    Fix: After a truncated step the return is R + γ·V'.
    Diff:
        - total = rewards[t] + gamma * (1 - terminated[t]) * total
        + after = next_values[t] if truncated[t] else total
        + total = rewards[t] + gamma * (1 - terminated[t]) * after
    """
    return {"truncated": None}


truncation_bootstraps_own_value = shared.truncation_bootstraps_own_value
truncation_adds_own_value = shared.truncation_adds_own_value
time_out_bonus_on_top = shared.time_out_bonus_on_top
next_value_of_reset_state = shared.next_value_of_reset_state
done_mask_one_late = shared.done_mask_one_late
done_mask_one_early = shared.done_mask_one_early
done_mask_one_early_but_the_last = shared.done_mask_one_early_but_the_last
reward_one_late = shared.reward_one_late
last_value_one_early = shared.reported(shared.last_value_one_early)
gamma_twice = shared.gamma_twice
gamma_ignored = shared.gamma_ignored
last_reward_lost = shared.last_reward_lost
left_in_reverse_order = shared.left_in_reverse_order


@argument_fault("flags-ignored", "termination")
def flags_ignored(arrays: Arrays) -> Arrays:
    """Sums on across the ends of episodes.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one episode, then called with a buffer that holds several.
    Fix: Set the carried return to 0 after a termination and to V' after a truncation.
    Diff:
        - total = rewards[t] + gamma * total
        + after = next_values[t] if truncated[t] else total
        + total = rewards[t] + gamma * (1 - terminated[t]) * after
    """
    return {"terminated": None, "truncated": None}


@argument_fault("bootstrap-after-terminal", "termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Stops the sum at a terminated step, but adds γ times the value of the state after it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: Terminations are handled as time limits, since both say done.
    Fix: The return of a terminated step is its reward.
    Diff:
        - after = next_values[t] if terminated[t] or truncated[t] else total
        + after = 0 if terminated[t] else next_values[t] if truncated[t] else total
          total = rewards[t] + gamma * after
    """
    return shared.bootstrap_after_terminal(arrays)


@fault("small-weights-dropped", "precision", reported_in=["pytorch/rl"])
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γ after the last one above 1e-7, one too many where γ is small, and raises
    IndexError at γ = 0.

    Shown when: γ at 0, or a sequence so long that a power of γ below 1e-7 belongs to the answer.
    Cause: The returns are a convolution with a kernel of int(log(1e-7)/log(γ)) powers; at 0 that kernel is
        empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return the one-step
        reward at γ = 0.
    Diff:
        - kernel = gamma ** np.arange(int(np.log(1e-7) / np.log(gamma)))
        + kernel = gamma ** np.arange(T)
    """
    gamma = arrays["gamma"]
    if not fades(gamma):
        return dict(form(**arrays))
    # at the ends of episodes the return is the reward with whatever is bootstrapped, and no more
    ends = cut(arrays) | last_step(arrays)
    closed = np.where(ends, form(**arrays)["returns"], arrays["rewards"])
    return {"returns": convolved(closed, gamma, ~ends)}


@argument_fault("raises-at-gamma-zero", "precision")
def raises_at_gamma_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γ = 0; right everywhere else, also where γ is small.

    Shown when: γ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γ) is taken without need.
    Fix: Return the rewards at γ = 0, and test it: γ = 0 is an agent that only looks at the next reward.
    Diff:
        - powers = np.exp(np.arange(T) * math.log(gamma))
        + powers = gamma ** np.arange(T)
    """
    return shared.raises_at_zero(arrays["gamma"])


# precision

computes_in_float32 = shared.computes_in_float32


discounts_in_float32 = shared.discounts_in_float32
