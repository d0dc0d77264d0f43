"""Faults of generalised advantage estimation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence as shared
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
from rlcalc.recurrence.scan import scan_numpy


def _with_advantages(arrays: dict[str, Any], advantages: Any) -> Outputs:
    return {"advantages": advantages, "returns": advantages + arrays["values"][..., :-1]}


def _recursion(arrays: dict[str, Any], delta: Any, decay: Any) -> Outputs:
    advantages = scan_numpy(delta, decay * ~cut(arrays))
    return _with_advantages(arrays, advantages.astype(arrays["rewards"].dtype))


# ends of episodes


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


@argument_fault(
    "truncated-advantage-zero",
    "termination",
    reported_in=["EdanToledo/Stoix issue #142", "google/brax", "PaddlePaddle/PARL issue #959"],
)
def truncated_advantage_zero(arrays: Arrays) -> Arrays:
    """Sets the TD error of a truncated step to 0, and with it the advantage.

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
    return _recursion(arrays, delta, arrays["gamma"] * arrays["lam"] * ~early(cut(arrays)))


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
def lam_missing_in_recursion(arrays: Arrays) -> Arrays:
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
def gamma_missing_in_recursion(form: Form, **arrays: Any) -> Outputs:
    """Carries the next advantage back with λ alone.

    Shown when: Two steps of one episode, γ below 1 and λ above 0.
    Cause: γ was written into δ and forgotten in the recursion.
    Fix: A_t = δ_t + γ·λ·A_{t+1}: the advantage to come lies one step ahead as well.
    Diff:
        - adv = delta + lam * live * adv
        + adv = delta + gamma * lam * live * adv
    """
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return _recursion(arrays, delta, arrays["lam"])


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
    return _recursion(arrays, delta, arrays["gamma"] * arrays["lam"])


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
    return _with_advantages(arrays, arrays["rewards"] - arrays["values"][..., :-1])


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
    return _with_advantages(arrays, convolved(delta, decay, ~cut(arrays)))


# precision

computes_in_float32 = shared.computes_in_float32


@argument_fault("discounts-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ, and the product γλ, to float32 before they meet float64 data: seven digits, in an answer that
    is float64.

    Shown when: One γ for all steps, and γ or γλ such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype: gamma *
        (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    Diff:
        - discount = gamma * (~done).int()
        + discount = gamma * (~done).to(rewards.dtype)
    """
    gamma, lam = narrow_discount(arrays["gamma"]), arrays["lam"]
    if not np.ndim(gamma) and gamma > 0:
        lam = narrow(arrays["gamma"] * lam) / gamma
    return {"gamma": gamma, "lam": lam}


@argument_fault("bootstrap-discount-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def bootstrap_discount_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 in the TD error, and nowhere else.

    Shown when: One γ for all steps, such as 9/10, in float64, with a bootstrap other than 0.
    Cause: gamma * (~terminated).int() is a float32 tensor in Torch, while the powers of γλ are made with the
        dtype of the data.
    Fix: Give the mask the dtype of the data, (~terminated).to(rewards.dtype).
    Diff:
        - target = rewards + gamma * (~terminated).int() * next_values
        + target = rewards + gamma * (~terminated).to(rewards.dtype) * next_values
    """
    more = (narrow_discount(arrays["gamma"]) - arrays["gamma"]) * bootstraps(arrays)
    return {"rewards": arrays["rewards"] + more}


@argument_fault("raises-at-gamma-lam-zero", "precision")
def raises_at_gamma_lam_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γλ = 0; right everywhere else, also where γλ is small.

    Shown when: γ or λ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γλ) is taken without need.
    Fix: Return δ at γλ = 0, and test it: λ = 0 is the one-step advantage.
    Diff:
        - powers = np.exp(np.arange(T) * math.log(gamma * lam))
        + powers = (gamma * lam) ** np.arange(T)
    """
    return shared.raises_at_zero(arrays["gamma"] * arrays["lam"])


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
