"""Faults of the discounted return."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _sequence_rows as rows
from rlcalc.conform.faults import _targets
from rlcalc.conform.faults._sequence import (
    VALUED,
    bootstraps,
    convolved,
    cut,
    discounts,
    fades,
    flags,
    last_step,
    late,
)

of_every_return = shared.reported(
    (*shared.TO_THE_END, shared.last_row_is_bootstrap, precision.discounts_in_float32),
    flags_ignored=["pytorch/examples PR #1422"],
)
of_targets = (_targets.reward_lost_at_the_end,)
of_rows = (rows.first_step_left_out,)


@output_fault("sign")
def negated(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives −G: what weighs log-probabilities with it makes likelier what was worse.

    Shown when: Any return other than 0.
    Cause: The minus of a loss is forgotten, stands twice, or was put before the returns.
    Fix: loss = −Σ log π·G, with G = Σ γ^k·R as it is.
    - loss = (log_probs * returns).sum()
    + loss = -(log_probs * returns).sum()
    """
    return {"returns": -found["returns"]}


@output_fault("discounting")
def first_reward_discounted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives γ·G_t: the reward of the step itself is discounted as well.

    Shown when: γ below 1 and a return other than 0.
    Cause: Powers of γ are counted from 1, as the index of R_{t+1} is.
    Fix: The first reward has the factor γ^0 = 1.
    - total = gamma * (rewards[t] + total)
    + total = rewards[t] + gamma * total
    """
    return {"returns": discounts(arrays) * found["returns"]}


@output_fault("discounting")
def discounted_from_the_start(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives γ^t·G_t: rewards are discounted to the first step of the sequence, not to step t.

    Shown when: Two steps or more, γ below 1, and a later return other than 0.
    Cause: The discounted rewards are summed from the end in one cumulative sum, and not divided by γ^t; a γ^t
        that belongs into the policy gradient is then found in the critic's target.
    Fix: Run G_t = R_{t+1} + γ·G_{t+1} from the end.
    - returns = np.cumsum((gamma ** np.arange(T) * rewards)[::-1])[::-1]
    + for t in reversed(range(T)):
    +     returns[t] = total = rewards[t] + gamma * total
    """
    before = late(discounts(arrays))
    before[..., 0] = 1
    return {"returns": np.cumprod(before, axis=-1) * found["returns"]}


@fault("indexing")
def summed_forward(form: Form, **arrays: Any) -> Outputs:
    """Gives the discounted sum of the rewards up to step t, not of those from t on.

    Shown when: Two rewards, of which one is not 0.
    Cause: The loop runs forward and stores the running sum, which is right for the last entry alone.
    Fix: Go through the rewards backwards: G_t = R_{t+1} + γ·G_{t+1}.
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


@output_fault("indexing", spared="whole-return")
def first_return_at_every_step(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives every step the return of the first one: rewards that came before an action count for it.

    Shown when: Two steps whose returns differ.
    Cause: The total of the episode, as in the first form of REINFORCE, is taken for the reward to go.
    Fix: Sum from step t on; the total is unbiased in a policy gradient, noisier, and no target of a critic.
    - returns = [total] * T
    + for t in reversed(range(T)):
    +     returns[t] = total = rewards[t] + gamma * total
    """
    returns = found["returns"]
    return {"returns": np.broadcast_to(returns[..., :1], returns.shape).copy()}


@fault("discounting", stage="outputs")
def bootstrap_not_discounted(form: Form, **arrays: Any) -> Outputs:
    """Adds the value after the last reward of an episode without any power of γ.

    Shown when: γ below 1 and a bootstrap value other than 0.
    Cause: The value is added to the finished sum.
    Fix: Start the recursion from the bootstrap value, so that it is discounted with the rewards.
    - returns = discounted_sums(rewards, gamma) + last_value
    + returns = discounted_sums(rewards, gamma, start=last_value)
    """
    silent = {**arrays, "rewards": arrays["rewards"] * 0}
    rewards = form(**arrays)["returns"] - form(**silent)["returns"]
    return {"returns": rewards + form(**{**silent, "gamma": arrays["gamma"] * 0 + 1})["returns"]}


@fault("discounting", "hunkim/ReinforcementZeroToAll issue #1")
def discounted_and_not_summed(form: Form, **arrays: Any) -> Outputs:
    """Gives γ^t·R_{t+1}: each reward is discounted to the first step, and nothing is summed.

    Shown when: Two steps or more, with a reward after the first one.
    Cause: The formula of one summand was taken for that of the return.
    Fix: Sum the discounted rewards from step t on: run G_t = R_{t+1} + γ·G_{t+1} from the end.
    - returns = [gamma ** t * r for t, r in enumerate(rewards)]
    + for t in reversed(range(T)):
    +     returns[t] = total = rewards[t] + gamma * total
    """
    before = late(discounts(arrays))
    before[..., 0] = 1
    return {"returns": np.cumprod(before, axis=-1) * arrays["rewards"]}


@output_fault("indexing", "PacktPublishing/Tensorflow-2-Reinforcement-Learning-Cookbook issue #27")
def reversed_after_every_append(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the returns in a shuffled order.

    Shown when: Three steps or more whose returns differ.
    Cause: The list that is filled from the end is reversed inside of the loop, after every append.
    Fix: Reverse it once, after the loop.
    -     returns.append(total)
    -     returns.reverse()
    +     returns.append(total)
    + returns.reverse()
    """
    order: list[int] = []
    for t in reversed(range(found["returns"].shape[-1])):
        order = [*order, t][::-1]
    return {"returns": found["returns"][..., order]}


@argument_fault("termination", presumes=["values", "bootstrap", "next_values"])
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Adds nothing for the state after a terminated step, but goes on with the return of the next episode.

    Shown when: A step inside the sequence that ends its episode.
    Cause: Flags take the bootstrap away, and the sum is that of one episode.
    Fix: Start the sum again after a step that ends its episode.
    - total = rewards[t] + gamma * total
    + total = rewards[t] + gamma * (1 - terminated[t]) * total
    """
    changed = shared.without_bootstraps(arrays)
    given = arrays.get("bootstrap")
    if given is not None:
        over = flags(arrays, "terminated")[..., -1]
        changed["bootstrap"] = np.where(over, 0, given).astype(arrays["rewards"].dtype)
    return changed


@fault("precision", "pytorch/rl")
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γ after the last one above 1e-7, one too many where γ is small, and raises
    IndexError at γ = 0.

    Shown when: γ at 0, or a sequence so long that a power of γ below 1e-7 belongs to the answer.
    Cause: The returns are a convolution with a kernel of int(log(1e-7)/log(γ)) powers; at 0 that kernel is
        empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return the one-step
        reward at γ = 0.
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


@argument_fault("precision")
def raises_at_gamma_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γ = 0; right everywhere else, also where γ is small.

    Shown when: γ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γ) is taken without need.
    Fix: Return the rewards at γ = 0, and test it: γ = 0 is an agent that only looks at the next reward.
    - powers = np.exp(np.arange(T) * math.log(gamma))
    + powers = gamma ** np.arange(T)
    """
    return precision.raises_at_zero(arrays["gamma"])


@argument_fault("discounting", presumes=VALUED)
def bootstrap_power_one_short(arrays: Arrays) -> Arrays:
    """Adds the value after the last step to the last reward as it is, without γ.

    Shown when: γ below 1 and a last step that does not terminate, with a value after it that is not 0.
    Cause: The value is added to the last reward, as if it were one.
    Fix: G_{T−1} = R_T + γ·V(S_T): start the recursion from the value.
    - rewards[-1] += live * last_value
    + total = last_value
    """
    more = np.where(last_step(arrays), (1 - discounts(arrays)) * bootstraps(arrays), 0)
    return {"rewards": (arrays["rewards"] + more).astype(arrays["rewards"].dtype)}


@fault("precision")
def powers_divided_out(form: Form, **arrays: Any) -> Outputs:
    """Sums γ^t·R_{t+1} from the end and divides by γ^t: nan where a power of γ is 0.

    Shown when: γ at 0, or a sequence so long that a power of γ vanishes.
    Cause: One cumulative sum in the place of a loop; the weights are counted from the first step.
    Fix: Run G_t = R_{t+1} + γ·G_{t+1} from the end, or filter with [1], [1, −γ].
    - returns = np.cumsum((powers * rewards)[::-1])[::-1] / powers
    + for t in reversed(range(T)):
    +     returns[t] = total = rewards[t] + gamma * total
    """
    found = form(**arrays)["returns"]
    if np.ndim(arrays["gamma"]):
        return {"returns": found}
    powers = arrays["gamma"] ** np.arange(found.shape[-1])
    return {"returns": np.where(powers == 0, found.dtype.type(np.nan), found)}


@fault("termination")
def reset_at_every_reward(form: Form, **arrays: Any) -> Outputs:
    """Starts the sum again at every reward that is not 0, as if an episode ended there.

    Shown when: Two rewards of one episode, of which the first is not 0.
    Cause: Copied from code for Pong, where a reward ends a rally.
    Fix: Start again where an episode ends; in Pong, say that a point is such an end.
    - if rewards[t] != 0:
    + if terminated[t]:
          total = 0
      total = rewards[t] + gamma * total
    """
    over = flags(arrays, "terminated") | (arrays["rewards"] != 0)
    return dict(form(**{**arrays, "terminated": over}))


@fault("indexing")
def rewards_not_reversed(form: Form, **arrays: Any) -> Outputs:
    """Sums from the first reward on and puts each sum before the others, as if it had begun at the last.

    Shown when: Two rewards, of which one is not 0.
    Cause: The loop is that over reversed(rewards), without reversed.
    Fix: Go through the rewards backwards where sums are inserted at the front.
    - for reward in rewards:
    + for reward in reversed(rewards):
          total = reward + gamma * total
          returns.insert(0, total)
    """
    rewards, gamma = arrays["rewards"], np.broadcast_to(discounts(arrays), arrays["rewards"].shape)
    sums = np.zeros_like(rewards)
    for t in range(rewards.shape[-1]):
        before = sums[..., t - 1] if t else 0
        sums[..., t] = rewards[..., t] + gamma[..., t] * before
    return {"returns": sums[..., ::-1]}
