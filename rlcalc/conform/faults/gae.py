"""Faults of generalized advantage estimation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.faults import _gae_ends as ends
from rlcalc.conform.faults import _gae_precision as precision
from rlcalc.conform.faults import _sequence_faults as shared
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
    next_values,
    own_values,
)
from rlcalc.conform.forms import Arrays, Form, Outputs

recursion_crosses_truncation = ends.recursion_crosses_truncation
recursion_crosses_ends = ends.recursion_crosses_ends
flags_ignored = ends.flags_ignored
bootstrap_after_terminal = ends.bootstrap_after_terminal
bootstrap_after_last_terminal = ends.bootstrap_after_last_terminal
next_value_of_reset_state = ends.next_value_of_reset_state
truncation_bootstraps_own_value = ends.truncation_bootstraps_own_value
truncation_adds_own_value = ends.truncation_adds_own_value
time_out_bonus_on_top = ends.time_out_bonus_on_top
truncated_advantage_zero = ends.truncated_advantage_zero
truncation_ends_with_discounts_per_step = ends.truncation_ends_with_discounts_per_step
carried_advantage_masked_twice = ends.carried_advantage_masked_twice
done_mask_one_late = ends.done_mask_one_late
done_mask_one_early = ends.done_mask_one_early
done_mask_one_early_but_the_last = ends.done_mask_one_early_but_the_last
bootstrap_masked_one_early = ends.bootstrap_masked_one_early
flag_used_as_mask = ends.flag_used_as_mask


# rewards and values in the wrong row


reward_one_late = shared.reported(shared.reward_one_late, "openai/spinningup issue #50")
last_reward_lost = shared.last_reward_lost


@argument_fault("rows-one-early", "indexing", reported_in=["PufferAI/PufferLib"])
def rows_one_early(arrays: Arrays) -> Arrays:
    """Takes reward and flag of row t + 1 for step t and leaves the last advantage at 0.

    Shown when: Any sequence whose last TD error is not 0.
    Cause: A loop for buffers that store what led to an observation, used on rows that store what followed
        from it; no bootstrap is kept.
    Fix: Use rewards[t] and the flag of step t, and run from the last step with its bootstrap value.
    Diff:
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


@argument_fault("last-advantage-zero", "indexing", reported_in=["rgilman33/simple-A2C-PPO issue #5"])
def last_advantage_zero(arrays: Arrays) -> Arrays:
    """Leaves the advantage of the last step at 0 and starts the recursion from there.

    Shown when: Any sequence whose last TD error is not 0.
    Cause: The loop runs backwards from T − 2, because step T − 1 looks for a successor that the buffer lacks.
    Fix: Run the loop from T − 1, with the bootstrap value as successor of the last step.
    Diff:
        - for t in reversed(range(T - 1)):
        + for t in reversed(range(T)):
              advantages[t] = adv = delta[t] + gamma * lam * adv
    """
    at_end = last_step(arrays)
    rewards = np.where(at_end, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | at_end
    return {"rewards": rewards, "terminated": over}


@argument_fault("bootstrap-counted-twice", "termination", reported_in=["simonsays1980/rl-triton PR #4"])
def bootstrap_counted_twice(arrays: Arrays) -> Arrays:
    """Adds (γλ)^(T−t)·V(S_T) to every advantage of the last episode.

    Shown when: A sequence that does not end in a cut, with V(S_T), γ and λ other than 0.
    Cause: The scan starts from V(S_T), as that of a return does, although the last δ holds γ·V(S_T) already;
        tests against a loop with the same start pass.
    Fix: Start the recursion of advantages from 0. Check: at λ = 1 the advantage is the return minus the
        value.
    Diff:
        - adv = last_value
        + adv = 0
          for t in reversed(range(T)):
    """
    again = discounts(arrays) * arrays["lam"] * next_values(arrays)
    rewards = arrays["rewards"] + np.where(last_step(arrays) & ~cut(arrays), again, 0)
    return {"rewards": rewards.astype(arrays["rewards"].dtype)}


last_value_one_early = shared.last_value_one_early
value_two_steps_ahead = shared.value_two_steps_ahead


@argument_fault("bootstraps-from-own-value", "indexing")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Takes V(S_t) for the value of the successor of every step: δ_t = R + γ·V(S_t) − V(S_t).

    Shown when: γ above 0 and neighbouring values that differ.
    Cause: Both values are read at the same index.
    Fix: δ_t = R + γ·V(S_{t+1}) − V(S_t).
    Diff:
        - delta = rewards[t] + gamma * live * values[t] - values[t]
        + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    return {"next_values": own_values(arrays)}


reward_discounted = shared.reward_discounted
left_in_reverse_order = shared.left_in_reverse_order


@output_fault("returns-from-next-value", "indexing")
def returns_from_next_value(found: Outputs, arrays: Arrays) -> Outputs:
    """The advantages are right; the returns are A_t + V(S_{t+1}), with the value of the next state.

    Shown when: Two neighbouring values that differ, and returns that are looked at.
    Cause: Values have one entry more than advantages, and the wrong end of them is cut off.
    Fix: returns = advantages + values[:-1].
    Diff:
        - returns = advantages + values[1:]
        + returns = advantages + values[:-1]
    """
    return {**found, "returns": found["advantages"] + arrays["values"][..., 1:]}


@output_fault("sign-flipped", "sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the value minus the λ-return: good actions become less likely.

    Shown when: Any advantage other than 0.
    Cause: The error of the critic, prediction minus target, was used for the advantage as well.
    Fix: A_t = G_t − V(S_t): what came minus what was expected.
    Diff:
        - advantages = values - returns
        + advantages = returns - values
    """
    return {**found, "advantages": -found["advantages"]}


# factors


@argument_fault("lam-missing-in-recursion", "discounting")
def lam_missing_inrecursion(arrays: Arrays) -> Arrays:
    """Carries the next advantage back with γ instead of γλ, as if λ were 1.

    Shown when: Two steps of one episode and λ below 1.
    Cause: The recursion of a discounted return was copied, with δ for the reward.
    Fix: A_t = δ_t + γ·λ·A_{t+1}.
    Diff:
        - adv = delta + gamma * live * adv
        + adv = delta + gamma * lam * live * adv
    """
    return {"lam": arrays["lam"] * 0 + 1}


@argument_fault("lam-twice", "discounting")
def lam_twice(arrays: Arrays) -> Arrays:
    """Carries the next advantage back with γ·λ².

    Shown when: Two steps of one episode and λ between 0 and 1.
    Cause: The caller passes γλ for the discounts of the scan, and the scan multiplies by λ as well.
    Fix: Multiply by λ in one place.
    Diff:
        - adv = scan(delta, discount=gamma * lam, lam=lam)
        + adv = scan(delta, discount=gamma, lam=lam)
    """
    return {"lam": arrays["lam"] * arrays["lam"]}


gamma_ignored = shared.gamma_ignored


@argument_fault("gamma-twice", "discounting")
def gamma_twice(arrays: Arrays) -> Arrays:
    """Discounts by γ² in the TD error and in the recursion.

    Shown when: γ between 0 and 1 and a successor whose value is not 0, or two steps of one episode.
    Cause: The discounts of the environment hold γ already, and the estimator multiplies by γ once more.
    Fix: Pass (1 − terminated) where the estimator multiplies by γ, or γ·(1 − terminated) where it does not.
    Diff:
          discount = gamma * (1 - terminated[t])
        - delta = rewards[t] + gamma * discount * values[t + 1] - values[t]
        - adv = delta + gamma * discount * lam * adv
        + delta = rewards[t] + discount * values[t + 1] - values[t]
        + adv = delta + discount * lam * adv
    """
    return {"gamma": arrays["gamma"] * arrays["gamma"]}


@fault("gamma-missing-in-recursion", "discounting")
def gamma_missing_inrecursion(form: Form, **arrays: Any) -> Outputs:
    """Carries the next advantage back with λ alone.

    Shown when: Two steps of one episode, γ below 1 and λ above 0.
    Cause: γ was written into δ and forgotten in the recursion.
    Fix: A_t = δ_t + γ·λ·A_{t+1}: the advantage to come lies one step ahead as well.
    Diff:
        - adv = delta + lam * live * adv
        + adv = delta + gamma * lam * live * adv
    """
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["lam"])


@fault("gamma-missing-in-bootstrap", "discounting")
def gamma_missing_in_bootstrap(form: Form, **arrays: Any) -> Outputs:
    """Adds V' to the reward without γ; the recursion has γλ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: Written and tried with γ = 1, where it makes no difference.
    Fix: δ_t = R + γ·V'·(1 − terminated) − V.
    Diff:
        - delta = rewards[t] + live * values[t + 1] - values[t]
        + delta = rewards[t] + gamma * live * values[t + 1] - values[t]
    """
    delta = arrays["rewards"] + bootstraps(arrays) - arrays["values"][..., :-1]
    return recursion(arrays, delta, arrays["gamma"] * arrays["lam"])


@argument_fault("recursion-never-carried", "discounting", reported_in=["4kasha/CartPole_PPO issue #1"])
def recursion_never_carried(arrays: Arrays) -> Arrays:
    """Gives the TD errors alone, as if λ were 0.

    Shown when: Two steps of one episode, with γ, λ and the later TD error other than 0.
    Cause: The carried advantage is set to 0 inside the loop, or the line that keeps it is missing.
    Fix: Set the carried advantage to 0 once, before the loop, and keep every A_t in it.
    Diff:
        - advantages[t] = delta + gamma * lam * advantages[t]  # still 0
        + advantages[t] = adv = delta + gamma * lam * adv
    """
    return {"lam": arrays["lam"] * 0}


@output_fault("advantage-from-next-return", "indexing", reported_in=["google/brax issue #583"])
def advantage_from_next_return(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives R + γ·G_{t+1} − V with the λ-return G of the next step: the first of the later TD errors is not
    weighted with λ.

    Shown when: Two steps of one episode and λ below 1; rewards 0, 0, 1 with values 0, γ = 1 and λ = 1/2 give
        1/2, 1, 1 for 1/4, 1/2, 1.
    Cause: The policy-gradient advantage of V-trace was copied together with its recursion for targets.
    Fix: The advantage of GAE is the λ-return itself minus the value: A_t = G_t − V(S_t).
    Diff:
        - adv = rewards[t] + gamma * returns[t + 1] - values[t]
        + adv = returns[t] - values[t]
    """
    old, returns = arrays["values"][..., :-1], found["returns"]
    onward = arrays["rewards"] + arrays["gamma"] * early(returns) - old
    ends = cut(arrays) | last_step(arrays)
    return {**found, "advantages": np.where(ends, found["advantages"], onward)}


@output_fault("next-return-minus-value", "indexing", reported_in=["danijar/dreamerv2 issue #60"])
def next_return_minus_value(found: Outputs, arrays: Arrays) -> Outputs:
    """Subtracts V(S_t) from the λ-return of step t + 1; one advantage less than there are steps is left.

    Shown when: Any sequence: the answer is one entry short.
    Cause: Returns and values are cut to one length, the first at the front and the second at the end.
    Fix: A_t = G_t − V(S_t): cut both at the same end.
    Diff:
        - adv = returns[1:] - values[:T - 1]
        + adv = returns - values[:T]
    """
    old = arrays["values"][..., :-1]
    return {**found, "advantages": found["returns"][..., 1:] - old[..., :-1]}


@output_fault("returns-for-advantages", "swapped")
def returns_for_advantages(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the λ-returns where advantages are asked for: V(S_t) is not subtracted.

    Shown when: Any value other than 0.
    Cause: Returns are formed in place, or handed over in the order (returns, advantages).
    Fix: Keep both apart: returns = advantages + values.
    Diff:
        - advantages += values
        - return advantages
        + returns = advantages + values
        + return advantages, returns
    """
    return {**found, "advantages": found["returns"]}


@fault("reward-minus-value", "discounting", reported_in=["natolambert/rlhf-book PR #216"])
def reward_minus_value(form: Form, **arrays: Any) -> Outputs:
    """Subtracts the value from the reward of the step itself; nothing of what comes later counts.

    Shown when: A reward or a value after the first step, with γ above 0.
    Cause: In a bandit, or for an answer with one reward, reward and return are the same.
    Fix: Subtract the value from the return, or use A_t = δ_t + γ·λ·A_{t+1}.
    Diff:
        - advantages = rewards - values
        + advantages = returns - values
    """
    return with_advantages(arrays, arrays["rewards"] - arrays["values"][..., :-1])


@fault("small-weights-dropped", "precision", reported_in=["pytorch/rl"])
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γλ after the last one above 1e-7, one too many where γλ is small, and raises
    IndexError at γλ = 0.

    Shown when: γλ at 0, or below about 1/100.
    Cause: The advantages are a convolution with a kernel of int(log(1e-7)/log(γλ)) powers; at 0 that kernel
        is empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return δ at γλ = 0.
    Diff:
        - kernel = (gamma * lam) ** np.arange(int(np.log(1e-7) / np.log(gamma * lam)))
        + kernel = (gamma * lam) ** np.arange(T)
    """
    decay = arrays["gamma"] * arrays["lam"]
    if not fades(decay):
        return dict(form(**arrays))
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return with_advantages(arrays, convolved(delta, decay, ~cut(arrays)))


computes_in_float32 = precision.computes_in_float32
discounts_in_float32 = precision.discounts_in_float32
gamma_in_float32 = precision.gamma_in_float32
decay_in_float32 = precision.decay_in_float32
bootstrap_discount_in_float32 = precision.bootstrap_discount_in_float32
raises_at_gamma_lam_zero = precision.raises_at_gamma_lam_zero


# targets of the critic


@fault("returns-are-monte-carlo", "swapped", reported_in=["openai/spinningup"], stage="outputs")
def returns_are_monte_carlo(form: Form, **arrays: Any) -> Outputs:
    """The advantages are right; the returns are discounted sums with a bootstrap, whatever λ is.

    Shown when: Two steps of one episode and λ below 1.
    Cause: The target of the critic is computed by a function of its own, from the rewards.
    Fix: Return advantages + values, or say that the target is not the λ-return.
    Diff:
        - returns = discounted_sums(rewards, gamma, last_value)
        + returns = advantages + values
    """
    whole = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})
    return {**form(**arrays), "returns": whole["returns"]}


@output_fault("returns-are-values", "swapped", reported_in=["vwxyzjn/cleanrl PR #337"])
def returns_are_values(found: Outputs, arrays: Arrays) -> Outputs:
    """The advantages are right; the returns are the old values, so that the critic learns nothing from them.

    Shown when: Any sequence with an advantage that is not 0.
    Cause: Returns are formed from the buffer's advantages before those are written: 0 + V.
    Fix: Form the returns from the advantages just computed.
    Diff:
        - returns = buffer.advantages + values
          buffer.advantages = advantages
        + returns = buffer.advantages + values
    """
    return {**found, "returns": np.broadcast_to(arrays["values"][..., :-1], found["advantages"].shape)}
