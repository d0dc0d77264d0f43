"""Faults of generalized advantage estimation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, declared_in, fault, output_fault
from rlcalc.conform.faults import _gae_ends as ends
from rlcalc.conform.faults import _gae_returns as returned
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _sequence_rows as rows
from rlcalc.conform.faults import _targets
from rlcalc.conform.faults._gae_ends import recursion, with_advantages
from rlcalc.conform.faults._sequence import (
    bootstraps,
    convolved,
    cut,
    discounts,
    early,
    fades,
    flags,
    last_step,
    narrow,
    narrow_discount,
    next_values,
    own_values,
)

at_the_ends = declared_in(ends)
of_the_returns = declared_in(returned)
of_every_return = shared.reported(
    (
        *shared.OF_EVERY_RETURN,
        shared.truncated_advantage_zero,
        shared.value_two_steps_ahead,
        shared.reward_discounted,
        precision.gamma_in_float32,
        precision.raises_at_gamma_lam_zero,
        precision.lam_of_zero_for_one,
    ),
    truncation_bootstraps_own_value=["leggedrobotics/rsl_rl issue #151"],
    time_out_bonus_on_top=["Toni-SM/skrl issue #224"],
    truncated_advantage_zero=["EdanToledo/Stoix issue #142", "google/brax", "PaddlePaddle/PARL issue #959"],
    done_mask_one_early_but_the_last=["DLR-RM/stable-baselines3 issue #105", "AgileRL/AgileRL"],
    reward_one_late=["openai/spinningup issue #50"],
    last_value_one_early=["tensorflow/agents issue #953"],
)
of_targets = (_targets.reward_lost_at_the_end, _targets.difference_masked)
of_rows = (rows.first_step_left_out,)


@argument_fault("indexing", "PufferAI/PufferLib")
def rows_one_early(arrays: Arrays) -> Arrays:
    """Takes reward and flag of row t + 1 for step t and leaves the last advantage at 0.

    Shown when: Any sequence whose last TD error is not 0.
    Cause: A loop for buffers that store what led to an observation, used on rows that store what followed
        from it; no bootstrap is kept.
    Fix: Use rewards[t] and the flag of step t, and run from the last step with its bootstrap value.
    - for t in reversed(range(T - 1)):
    -     delta = rewards[t + 1] + gamma * values[t + 1] * (1 - dones[t + 1]) - values[t]
    + for t in reversed(range(T)):
    +     delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
    """
    at_end = last_step(arrays)
    return {
        # without a TD error, and nothing is carried over from it
        "rewards": np.where(at_end, arrays["values"][..., :-1], early(arrays["rewards"])),
        "terminated": early(flags(arrays, "terminated")) | at_end,
        "truncated": early(flags(arrays, "truncated")),
    }


@argument_fault("indexing", "rgilman33/simple-A2C-PPO issue #5", "PufferAI/PufferLib issue #363")
def last_advantage_zero(arrays: Arrays) -> Arrays:
    """Leaves the advantage of the last step at 0 and starts the recursion from there.

    Shown when: Any sequence whose last TD error is not 0.
    Cause: The loop runs backwards from T − 2, because step T − 1 looks for a successor that the buffer lacks.
    Fix: Run the loop from T − 1, with the bootstrap value as successor of the last step.
    - for t in reversed(range(T - 1)):
    + for t in reversed(range(T)):
          advantages[t] = adv = delta[t] + gamma * lam * adv
    """
    at_end = last_step(arrays)
    rewards = np.where(at_end, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | at_end
    return {"rewards": rewards, "terminated": over}


@argument_fault("termination", "simonsays1980/rl-triton PR #4")
def bootstrap_counted_twice(arrays: Arrays) -> Arrays:
    """Adds (γλ)^(T−t)·V(S_T) to every advantage of the last episode.

    Shown when: A sequence that does not end in a cut, with V(S_T), γ and λ other than 0.
    Cause: The scan starts from V(S_T), as that of a return does, although the last δ holds γ·V(S_T) already;
        tests against a loop with the same start pass.
    Fix: Start the recursion of advantages from 0. Check: at λ = 1 the advantage is the return minus the
        value.
    - adv = last_value
    + adv = 0
      for t in reversed(range(T)):
    """
    again = discounts(arrays) * arrays["lam"] * next_values(arrays)
    rewards = arrays["rewards"] + np.where(last_step(arrays) & ~cut(arrays), again, 0)
    return {"rewards": rewards.astype(arrays["rewards"].dtype)}


@argument_fault("indexing")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Takes V(S_t) for the value of the successor of every step: δ_t = R + γ·V(S_t) − V(S_t).

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Both values are read at the same index.
    Fix: δ_t = R + γ·V(S_{t+1}) − V(S_t).
    - delta = rewards[t] + gamma * live * values[t] - values[t]
    + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    return {"next_values": own_values(arrays)}


@output_fault("indexing")
def returns_from_next_value(found: Outputs, arrays: Arrays) -> Outputs:
    """The advantages are right; the returns are A_t + V(S_{t+1}), with the value of the next state.

    Shown when: Two neighbouring values that differ, and returns that are looked at.
    Cause: Values have one entry more than advantages, and the wrong end of them is cut off.
    Fix: returns = advantages + values[:-1].
    - returns = advantages + values[1:]
    + returns = advantages + values[:-1]
    """
    return {**found, "returns": found["advantages"] + arrays["values"][..., 1:]}


@output_fault("sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the value minus the λ-return: good actions become less likely.

    Shown when: Any advantage other than 0.
    Cause: The error of the critic, prediction minus target, was used for the advantage as well.
    Fix: A_t = G_t − V(S_t): what came minus what was expected.
    - advantages = values - returns
    + advantages = returns - values
    """
    return {**found, "advantages": -found["advantages"]}


@argument_fault("sign")
def value_added(arrays: Arrays) -> Arrays:
    """Adds the value of the state to its TD error instead of taking it off: δ_t = R + γ·V' + V.

    Shown when: Any value other than 0.
    Cause: A plus where a minus belongs.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V.
    - delta = rewards[t] + gamma * live * values[t + 1] + values[t]
    + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    return {"rewards": arrays["rewards"] + 2 * own_values(arrays)}


@argument_fault("indexing")
def bootstraps_from_own_value_but_the_last(arrays: Arrays) -> Arrays:
    """Takes V(S_t) for the value of the successor of every step but the last, which has a value of its own.

    Shown when: Two steps or more, γ above 0 and neighbouring values that differ.
    Cause: values[t] stands where values[t + 1] is meant; the value after the last step comes by itself.
    Fix: δ_t = R + γ·V(S_{t+1}) − V(S_t).
    - after = last_value if t == T - 1 else values[t]
    + after = last_value if t == T - 1 else values[t + 1]
    """
    return {"next_values": np.where(last_step(arrays), next_values(arrays), own_values(arrays))}


@output_fault("indexing")
def stored_one_step_late(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives step t the advantage of step t + 1, and the last step 0.

    Shown when: Any sequence with an advantage other than 0.
    Cause: The advantage that is carried is written down before it is updated.
    Fix: Update it first, then write it down.
      for t in reversed(range(T)):
    -     advantages[t] = adv
          adv = delta[t] + gamma * lam * live * adv
    +     advantages[t] = adv
    """
    return with_advantages(arrays, early(found["advantages"]))


@argument_fault("discounting")
def lam_missing_in_recursion(arrays: Arrays) -> Arrays:
    """Carries the next advantage back with γ instead of γλ, as if λ were 1.

    Shown when: Two steps of one episode and λ below 1.
    Cause: The recursion of a discounted return was copied, with δ for the reward.
    Fix: A_t = δ_t + γ·λ·A_{t+1}.
    - adv = delta + gamma * live * adv
    + adv = delta + gamma * lam * live * adv
    """
    return {"lam": arrays["lam"] * 0 + 1}


@argument_fault("discounting")
def lam_twice(arrays: Arrays) -> Arrays:
    """Carries the next advantage back with γ·λ².

    Shown when: Two steps of one episode and λ between 0 and 1.
    Cause: The caller passes γλ for the discounts of the scan, and the scan multiplies by λ as well.
    Fix: Multiply by λ in one place.
    - adv = scan(delta, discount=gamma * lam, lam=lam)
    + adv = scan(delta, discount=gamma, lam=lam)
    """
    return {"lam": arrays["lam"] * arrays["lam"]}


@argument_fault("discounting")
def lam_in_td_error(arrays: Arrays) -> Arrays:
    """Discounts V' by γλ in the TD error, as the recursion discounts the next advantage.

    Shown when: λ below 1, γ above 0, and a successor whose value is not 0.
    Cause: The product γλ is kept in one variable, and used in both lines.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V: λ weights later TD errors, never the value.
    - delta = rewards[t] + gamma * lam * live * values[t + 1] - values[t]
    + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    return {"next_values": (arrays["lam"] * next_values(arrays)).astype(arrays["rewards"].dtype)}


@fault("discounting")
def gamma_missing_in_recursion(form: Form, **arrays: Any) -> Outputs:
    """Carries the next advantage back with λ alone.

    Shown when: Two steps of one episode, γ below 1 and λ above 0.
    Cause: γ was written into δ and forgotten in the recursion.
    Fix: A_t = δ_t + γ·λ·A_{t+1}: the advantage to come lies one step ahead as well.
    - adv = delta + lam * live * adv
    + adv = delta + gamma * lam * live * adv
    """
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["lam"])


@fault("discounting")
def gamma_missing_in_bootstrap(form: Form, **arrays: Any) -> Outputs:
    """Adds V' to the reward without γ; the recursion has γλ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: Written and tried with γ = 1, where it makes no difference.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V.
    - delta = rewards[t] + live * values[t + 1] - values[t]
    + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    delta = arrays["rewards"] + bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["gamma"] * arrays["lam"])


@argument_fault("discounting", "4kasha/CartPole_PPO issue #1")
def recursion_never_carried(arrays: Arrays) -> Arrays:
    """Gives the TD errors alone, as if λ were 0.

    Shown when: Two steps of one episode, with γ, λ and the later TD error other than 0.
    Cause: The carried advantage is set to 0 inside the loop, or the line that keeps it is missing.
    Fix: Set the carried advantage to 0 once, before the loop, and keep every A_t in it.
    - advantages[t] = delta + gamma * lam * advantages[t]  # still 0
    + advantages[t] = adv = delta + gamma * lam * adv
    """
    return {"lam": arrays["lam"] * 0}


@output_fault("indexing", "google/brax issue #583")
def advantage_from_next_return(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives R + γ·G_{t+1} − V with the λ-return G of the next step: the first of the later TD errors is not
    weighted with λ.

    Shown when: Two steps of one episode and λ below 1; rewards 0, 0, 1 with values 0, γ = 1 and λ = 1/2 give
        1/2, 1, 1 for 1/4, 1/2, 1.
    Cause: The policy-gradient advantage of V-trace was copied together with its recursion for targets.
    Fix: The advantage of GAE is the λ-return itself minus the value: A_t = G_t − V(S_t).
    - adv = rewards[t] + gamma * returns[t + 1] - values[t]
    + adv = returns[t] - values[t]
    """
    old, returns = arrays["values"][..., :-1], found["returns"]
    onward = arrays["rewards"] + arrays["gamma"] * early(returns) - old
    ends = cut(arrays) | last_step(arrays)
    return {**found, "advantages": np.where(ends, found["advantages"], onward)}


@output_fault("indexing", "danijar/dreamerv2 issue #60")
def next_return_minus_value(found: Outputs, arrays: Arrays) -> Outputs:
    """Subtracts V(S_t) from the λ-return of step t + 1; one advantage less than there are steps is left.

    Shown when: Any sequence: the answer is one entry short.
    Cause: Returns and values are cut to one length, the first at the front and the second at the end.
    Fix: A_t = G_t − V(S_t): cut both at the same end.
    - adv = returns[1:] - values[:T - 1]
    + adv = returns - values[:T]
    """
    old = arrays["values"][..., :-1]
    return {**found, "advantages": found["returns"][..., 1:] - old[..., :-1]}


@output_fault("swapped")
def returns_for_advantages(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the λ-returns where advantages are asked for: V(S_t) is not subtracted.

    Shown when: Any value other than 0.
    Cause: Returns are formed in place, or handed over in the order (returns, advantages).
    Fix: Keep both apart: returns = advantages + values.
    - advantages += values
    - return advantages
    + returns = advantages + values
    + return advantages, returns
    """
    return {**found, "advantages": found["returns"]}


@fault("discounting", "natolambert/rlhf-book PR #216")
def reward_minus_value(form: Form, **arrays: Any) -> Outputs:
    """Subtracts the value from the reward of the step itself; nothing of what comes later counts.

    Shown when: A reward or a value after the first step, with γ above 0.
    Cause: In a bandit, or for an answer with one reward, reward and return are the same.
    Fix: Subtract the value from the return, or use A_t = δ_t + γ·λ·A_{t+1}.
    - advantages = rewards - values
    + advantages = returns - values
    """
    return with_advantages(arrays, arrays["rewards"] - arrays["values"][..., :-1])


@fault("precision", "pytorch/rl")
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γλ after the last one above 1e-7, one too many where γλ is small, and raises
    IndexError at γλ = 0.

    Shown when: γλ at 0, or below about 1/100.
    Cause: The advantages are a convolution with a kernel of int(log(1e-7)/log(γλ)) powers; at 0 that kernel
        is empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return δ at γλ = 0.
    - kernel = (gamma * lam) ** np.arange(int(np.log(1e-7) / np.log(gamma * lam)))
    + kernel = (gamma * lam) ** np.arange(T)
    """
    decay = arrays["gamma"] * arrays["lam"]
    if not fades(decay):
        return dict(form(**arrays))
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return with_advantages(arrays, convolved(delta, decay, ~cut(arrays)))


@argument_fault("precision", "pytorch/rl", rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ, and the product γλ, to float32 before they meet float64 data: seven digits, in an answer that
    is float64.

    Shown when: One γ for all steps, and γ or γλ such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype: gamma *
        (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    - discount = gamma * (~done).int()
    + discount = gamma * (~done).to(rewards.dtype)
    """
    gamma, lam = narrow_discount(arrays["gamma"]), arrays["lam"]
    if not np.ndim(gamma) and gamma > 0:
        lam = narrow(arrays["gamma"] * lam) / gamma
    return {"gamma": gamma, "lam": lam}


@argument_fault("precision", "alex-petrenko/sample-factory", rounds="inputs")
def decay_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γλ to float32 in the recursion, and γ nowhere.

    Shown when: Two steps of one episode and γλ such as 9/10, in float64.
    Cause: γ·λ times a mask that was cast with .float() is a float32 tensor, while γ·V' meets its mask as a
        product.
    Fix: Give the mask the dtype of the data, dones.to(rewards.dtype).
    - total = delta[t] + gamma * lam * (1 - dones[t].float()) * total
    + total = delta[t] + gamma * lam * (1 - dones[t].to(delta.dtype)) * total
    """
    gamma = arrays["gamma"]
    if np.ndim(gamma) or gamma <= 0:
        return {}
    return {"lam": narrow(gamma * arrays["lam"]) / gamma}


@argument_fault("precision", "pytorch/rl", rounds="inputs")
def bootstrap_discount_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 in the TD error, and nowhere else.

    Shown when: One γ for all steps, such as 9/10, in float64, with a bootstrap other than 0.
    Cause: gamma * (~terminated).int() is a float32 tensor in Torch, while the powers of γλ are made with the
        dtype of the data.
    Fix: Give the mask the dtype of the data, (~terminated).to(rewards.dtype).
    - target = rewards + gamma * (~terminated).int() * next_values
    + target = rewards + gamma * (~terminated).to(rewards.dtype) * next_values
    """
    more = (narrow_discount(arrays["gamma"]) - arrays["gamma"]) * bootstraps(arrays)
    return {"rewards": arrays["rewards"] + more}
