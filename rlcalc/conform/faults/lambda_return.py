"""Faults of the λ-return."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import (
    bootstraps,
    convolved,
    cut,
    early,
    fades,
    flags,
    last_step,
    narrow,
    narrow_discount,
    next_values,
    own_values,
    with_returns,
)
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.recurrence.scan import scan_numpy


@argument_fault(
    "wrong-state-before-last",
    "indexing",
    reported_in=["mttga/purejaxql issue #12"],
)
def wrong_state_before_last(arrays: Arrays) -> Arrays:
    """Bootstraps step T − 2 from V(S_T), the value after the last step, instead of V(S_{T−1}).

    Shown when: Two steps or more, λ below 1, and two last values that differ.
    Cause: The scan begins with the last return and the last value as its carry, and only then takes its first
        step.
    Fix: Begin with the return set to the bootstrap value and scan over all T steps, or take the value of
        S_{T−1} into the carry.
    Diff:
        - ret, next_value = returns[T - 1], last_value
        + ret, next_value = returns[T - 1], values[T - 1]
          for t in reversed(range(T - 1)):
    """
    after = next_values(arrays).copy()
    if after.shape[-1] > 1:
        after[..., -2] = after[..., -1]
    return {"next_values": after}


@fault("remainder-missing", "weighting", stage="outputs")
def remainder_missing(form: Form, **arrays: Any) -> Outputs:
    """Weights the last return of the episode with (1−λ)λ^(N−1), as the others: the weights sum to 1 − λ^N, at
    λ = 1 to 0.

    Shown when: λ above 0 and a full return that is not 0.
    Cause: The infinite sum of the definition was cut off at the end of the episode.
    Fix: The last return takes all the weight that is left, λ^(N−1).
    Diff:
        - weights = (1 - lam) * lam ** np.arange(N)
        + weights = np.append((1 - lam) * lam ** np.arange(N - 1), lam ** (N - 1))
    """
    found = form(**arrays)
    full = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})["returns"]
    ends = cut(arrays) | last_step(arrays)
    lam = arrays["lam"]
    powers = scan_numpy((lam * ends).astype(full.dtype), lam * ~ends)
    return with_returns(found, arrays, found["returns"] - powers * full)


@fault("one-minus-lam-missing", "weighting")
def one_minus_lam_missing(form: Form, **arrays: Any) -> Outputs:
    """Computes R + γ·(V' + λG), with weights that sum to more than 1.

    Shown when: Two steps of one episode, λ above 0, and a value between them that is not 0.
    Cause: The recursion of advantages was copied for returns, where the value is not subtracted.
    Fix: R + γ·((1−λ)·V' + λ·G).
    Diff:
        - ret = rewards[t] + gamma * live * (values[t + 1] + lam * ret)
        + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    over = cut(arrays) | last_step(arrays)
    base = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays)
    returns = scan_numpy(base, arrays["gamma"] * arrays["lam"] * ~over)
    return with_returns({}, arrays, returns.astype(arrays["rewards"].dtype))


@argument_fault("lam-and-rest-swapped", "weighting")
def lam_and_rest_swapped(arrays: Arrays) -> Arrays:
    """Weights the value with λ and the return to come with 1 − λ.

    Shown when: Two steps of one episode and λ other than 1/2.
    Cause: λ is read as the share of the bootstrap.
    Fix: λ = 0 must give the one-step return and λ = 1 the full one.
    Diff:
        - ret = rewards[t] + gamma * (lam * values[t + 1] + (1 - lam) * ret)
        + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": 1 - arrays["lam"]}


@argument_fault(
    "value-before-termination-zero", "termination", reported_in=["ray-project/ray issue #57683 / PR #59958"]
)
def value_before_termination_zero(arrays: Arrays) -> Arrays:
    """Counts the value of the state in which the terminating action is taken as 0, so that a step before it
    never sees the last reward at λ = 0.

    Shown when: A terminated step with a step of its episode before it, λ below 1, and a value there that is
        not 0.
    Cause: Values are multiplied by (1 − terminated) of their own row, but it is the state after a terminated
        step that is worth nothing.
    Fix: Mask the value of the successor of step t with the flag of step t.
    Diff:
        - values = critic(obs) * (1 - terminated)
        + values = critic(obs)
          ret = rewards[t] + gamma * (1 - terminated[t]) * ((1 - lam) * values[t + 1] + lam * ret)
    """
    over = flags(arrays, "terminated")
    after = np.where(early(over), arrays["rewards"].dtype.type(0), next_values(arrays))
    return {"next_values": after}


@argument_fault("recursion-crosses-truncation", "termination")
def recursion_crosses_truncation(arrays: Arrays) -> Arrays:
    """Goes on with the return of the next episode after a truncated step.

    Shown when: A truncated step that is not the last, with λ above 0.
    Cause: Only 'terminated' masks the recursion.
    Fix: After a truncated step the return is R + γ·V', with all the weight on V'.
    Diff:
        - after = ret
        + after = next_values[t] if truncated[t] else ret
          ret = rewards[t] + gamma * live * ((1 - lam) * next_values[t] + lam * after)
    """
    return {"truncated": None}


@argument_fault("bootstrap-after-terminal", "termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Adds γ·V' after a terminated step, with all the weight on it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: Terminations are handled as time limits, since both say done.
    Fix: The return of a terminated step is its reward.
    Diff:
          mixed = next_values[t] if done[t] else (1 - lam) * next_values[t] + lam * ret
        - ret = rewards[t] + gamma * mixed
        + ret = rewards[t] + gamma * (1 - terminated[t]) * mixed
    """
    return shared.bootstrap_after_terminal(arrays)


next_value_of_reset_state = shared.next_value_of_reset_state
truncation_bootstraps_own_value = shared.truncation_bootstraps_own_value
truncation_adds_own_value = shared.truncation_adds_own_value
time_out_bonus_on_top = shared.time_out_bonus_on_top


@argument_fault("recursion-crosses-ends", "termination")
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Counts V' after a terminated step as 0, but goes on with the return of the next episode.

    Shown when: A step inside the sequence that ends its episode, with λ above 0.
    Cause: The mask was written next to the value and left out next to the return.
    Fix: Both summands with a successor need the mask: γ·(1 − terminated)·((1−λ)·V' + λ·G).
    Diff:
        - ret = rewards[t] + gamma * ((1 - lam) * live * values[t + 1] + lam * ret)
        + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return shared.recursion_crosses_ends(arrays)


@argument_fault("return-unmasked", "termination")
def return_unmasked(arrays: Arrays) -> Arrays:
    """Takes the return after a terminated step as it is: that of the next episode, and at the last step the
    value that the recursion begins with.

    Shown when: A terminated step, with λ above 0; at the last step a value after it that is not 0.
    Cause: The mask was written next to the value and left out next to the return, which begins with a value.
    Fix: Both summands with a successor need the mask: γ·(1 − terminated)·((1−λ)·V' + λ·G).
    Diff:
          ret = last_value
        - ret = rewards[t] + gamma * ((1 - lam) * live * values[t + 1] + lam * ret)
        + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    after, masked = next_values(arrays), bootstraps(arrays)
    lam = np.asarray(arrays["lam"])[..., None]
    last = np.arange(after.shape[-1]) == after.shape[-1] - 1
    begun = (lam * after + (1 - lam) * masked).astype(after.dtype)
    return {"next_values": np.where(last, begun, masked), "terminated": None, "truncated": None}


@argument_fault("flags-ignored", "termination")
def flags_ignored(arrays: Arrays) -> Arrays:
    """Takes the whole sequence for one episode.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one episode, or an imagined one, then called with a buffer that holds several.
    Fix: Multiply γ by (1 − terminated) of the step, and start again after a truncated one.
    Diff:
        - ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
        + live = 1 - terminated[t]
        + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"terminated": None, "truncated": None}


# the wrong row

done_mask_one_late = shared.done_mask_one_late
done_mask_one_early = shared.done_mask_one_early
done_mask_one_early_but_the_last = shared.done_mask_one_early_but_the_last
reward_one_late = shared.reported(shared.reward_one_late, "kc-ml2/SimpleDreamer issue #6")
last_reward_lost = shared.last_reward_lost
left_in_reverse_order = shared.left_in_reverse_order


value_two_steps_ahead = shared.reported(shared.value_two_steps_ahead, "epignatelli/navix PR #152")
last_value_one_early = shared.reported(shared.last_value_one_early)
gamma_twice = shared.gamma_twice
gamma_ignored = shared.gamma_ignored
truncated_advantage_zero = shared.truncated_advantage_zero


@argument_fault("one-step-returns", "discounting")
def one_step_returns(arrays: Arrays) -> Arrays:
    """Gives R + γ·V', as if λ were 0.

    Shown when: Two steps of one episode, with γ and λ above 0.
    Cause: The return that is carried is set again inside the loop, or the line that keeps it is missing.
    Fix: Set it once, before the loop, and keep every G_t in it.
    Diff:
        - ret = values[t + 1]  # inside the loop
        + ret = values[T]  # before it
          returns[t] = ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": arrays["lam"] * 0}


@argument_fault("returns-are-monte-carlo", "swapped")
def returns_are_monte_carlo(arrays: Arrays) -> Arrays:
    """Gives discounted sums with a bootstrap, whatever λ is.

    Shown when: Two steps of one episode, λ below 1, and values that differ from the returns.
    Cause: The target of the critic is computed by a function of its own, from the rewards.
    Fix: G_t = R_{t+1} + γ·((1−λ)·V(S_{t+1}) + λ·G_{t+1}).
    Diff:
        - ret = rewards[t] + gamma * ret
        + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": arrays["lam"] * 0 + 1}


@argument_fault("bootstraps-from-own-value", "indexing", reported_in=["danijar/dreamerv3 issue #181"])
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Weights V(S_t) with 1 − λ, in the place of V(S_{t+1}); the return after the last step is V(S_T).

    Shown when: λ below 1, γ above 0, and neighbouring values that differ.
    Cause: The formula counts rewards from 1 and is read with those of an array that counts from 0.
    Fix: G_t = R_{t+1} + γ·((1−λ)·V(S_{t+1}) + λ·G_{t+1}): both parts lie one step ahead.
    Diff:
        - ret = rewards[t] + gamma * ((1 - lam) * values[t] + lam * ret)
        + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    own, after, lam = own_values(arrays), next_values(arrays), arrays["lam"]
    ends = cut(arrays) | last_step(arrays)
    return {"next_values": np.where(ends, (1 - lam) * own + lam * after, own).astype(own.dtype)}


@fault("small-weights-dropped", "precision", reported_in=["pytorch/rl"])
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γλ after the last one above 1e-7, one too many where γλ is small, and raises
    IndexError at γλ = 0.

    Shown when: γλ at 0, or so small that a power of it below 1e-7 belongs to the answer.
    Cause: The returns are a convolution with a kernel of int(log(1e-7)/log(γλ)) powers; at 0 that kernel is
        empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return the one-step
        return at γλ = 0.
    Diff:
        - kernel = (gamma * lam) ** np.arange(int(np.log(1e-7) / np.log(gamma * lam)))
        + kernel = (gamma * lam) ** np.arange(T)
    """
    gamma, lam = arrays["gamma"], arrays["lam"]
    if not fades(gamma * lam):
        return dict(form(**arrays))
    ends = cut(arrays) | last_step(arrays)
    rest = np.where(ends, np.ones_like(lam), 1 - lam)
    base = arrays["rewards"] + gamma * rest * bootstraps(arrays)
    return with_returns({}, arrays, convolved(base, gamma * lam, ~ends))


@argument_fault("raises-at-gamma-lam-zero", "precision")
def raises_at_gamma_lam_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γλ = 0; right everywhere else, also where γλ is small.

    Shown when: γ or λ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γλ) is taken without need.
    Fix: Return R + γ·V' at γλ = 0, and test it: λ = 0 is the target of TD(0).
    Diff:
        - powers = np.exp(np.arange(T) * math.log(gamma * lam))
        + powers = (gamma * lam) ** np.arange(T)
    """
    return shared.raises_at_zero(arrays["gamma"] * arrays["lam"])


# precision

computes_in_float32 = shared.computes_in_float32
gamma_in_float32 = shared.gamma_in_float32


@fault("discounts-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs", stage="inputs")
def discounts_in_float32(form: Form, **arrays: Any) -> Outputs:
    """Rounds γ, γλ and 1 − λ to float32 before they meet float64 data: seven digits, in an answer that is
    float64.

    Shown when: γ or λ such as 9/10 in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype: gamma *
        (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    Diff:
        - discount = gamma * (~done).int()
        + discount = gamma * (~done).to(rewards.dtype)
    """
    gamma, lam = narrow_discount(arrays["gamma"]), narrow(arrays["lam"])
    changed = {**arrays, "gamma": gamma, "lam": lam}
    if not np.ndim(gamma) and gamma > 0:
        changed["lam"] = narrow(gamma * lam) / gamma
        more = gamma * (narrow(1 - lam) - (1 - changed["lam"])) * bootstraps(arrays)
        goes_on = ~(cut(arrays) | last_step(arrays))
        changed["rewards"] = arrays["rewards"] + np.where(goes_on, more, 0)
    return dict(form(**changed))
