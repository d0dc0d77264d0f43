"""Faults of the λ-return."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _sequence_rows as rows
from rlcalc.conform.faults import _targets
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
from rlcalc.recurrence.scan import scan_numpy

of_every_return = shared.reported(
    (
        *shared.TO_THE_END,
        shared.last_row_is_bootstrap,
        shared.truncated_advantage_zero,
        shared.value_two_steps_ahead,
        precision.gamma_in_float32,
        precision.raises_at_gamma_lam_zero,
        precision.lam_of_zero_for_one,
    ),
    reward_one_late=["kc-ml2/SimpleDreamer issue #6"],
    value_two_steps_ahead=["epignatelli/navix PR #152"],
)
of_targets = (_targets.reward_lost_at_the_end,)
of_rows = (rows.first_step_left_out,)


@argument_fault("indexing", "mttga/purejaxql issue #12", "keraJLi/rejax issue #34")
def wrong_state_before_last(arrays: Arrays) -> Arrays:
    """Bootstraps step T − 2 from V(S_T), the value after the last step, instead of V(S_{T−1}).

    Shown when: Two steps or more, λ below 1, and two last values that differ.
    Cause: The scan begins with the last return and the last value as its carry, and only then takes its first
        step.
    Fix: Begin with the return set to the bootstrap value and scan over all T steps, or take the value of
        S_{T−1} into the carry.
    - ret, next_value = returns[T - 1], last_value
    + ret, next_value = returns[T - 1], values[T - 1]
      for t in reversed(range(T - 1)):
    """
    after = next_values(arrays).copy()
    if after.shape[-1] > 1:
        after[..., -2] = after[..., -1]
    return {"next_values": after}


@fault("weighting", stage="outputs")
def remainder_missing(form: Form, **arrays: Any) -> Outputs:
    """Weights the last return of the episode with (1−λ)λ^(N−1), as the others: the weights sum to 1 − λ^N, at
    λ = 1 to 0.

    Shown when: λ above 0 and a full return that is not 0.
    Cause: The infinite sum of the definition was cut off at the end of the episode.
    Fix: The last return takes all the weight that is left, λ^(N−1).
    - weights = (1 - lam) * lam ** np.arange(N)
    + weights = np.append((1 - lam) * lam ** np.arange(N - 1), lam ** (N - 1))
    """
    found = form(**arrays)
    full = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})["returns"]
    ends = cut(arrays) | last_step(arrays)
    lam = arrays["lam"]
    powers = scan_numpy((lam * ends).astype(full.dtype), lam * ~ends)
    return with_returns(found, arrays, found["returns"] - powers * full)


@fault("weighting")
def one_minus_lam_missing(form: Form, **arrays: Any) -> Outputs:
    """Computes R + γ·(V' + λG), with weights that sum to more than 1.

    Shown when: Two steps of one episode, λ above 0, and a value between them that is not 0.
    Cause: The recursion of advantages was copied for returns, where the value is not subtracted.
    Fix: R + γ·((1−λ)·V' + λ·G).
    - ret = rewards[t] + gamma * live * (values[t + 1] + lam * ret)
    + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    over = cut(arrays) | last_step(arrays)
    base = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays)
    returns = scan_numpy(base, arrays["gamma"] * arrays["lam"] * ~over)
    return with_returns({}, arrays, returns.astype(arrays["rewards"].dtype))


@argument_fault("weighting")
def lam_and_rest_swapped(arrays: Arrays) -> Arrays:
    """Weights the value with λ and the return to come with 1 − λ.

    Shown when: Two steps of one episode and λ other than 1/2.
    Cause: λ is read as the share of the bootstrap.
    Fix: λ = 0 must give the one-step return and λ = 1 the full one.
    - ret = rewards[t] + gamma * (lam * values[t + 1] + (1 - lam) * ret)
    + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": 1 - arrays["lam"]}


@argument_fault("discounting")
def gamma_missing_before_value(arrays: Arrays) -> Arrays:
    """Adds (1−λ)·V' without γ; the return to come has γλ.

    Shown when: γ and λ below 1, and a successor whose value is not 0.
    Cause: The factor γ stands before the second summand, and no bracket takes in the first.
    Fix: R + γ·((1−λ)·V' + λ·G).
    - ret = rewards[t] + live * ((1 - lam) * values[t + 1] + gamma * lam * ret)
    + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    share = np.where(flags(arrays, "truncated"), 1, 1 - arrays["lam"])
    more = (1 - arrays["gamma"]) * share * bootstraps(arrays)
    return {"rewards": (arrays["rewards"] + more).astype(arrays["rewards"].dtype)}


@argument_fault("termination", "ray-project/ray issue #57683 / PR #59958")
def value_before_termination_zero(arrays: Arrays) -> Arrays:
    """Counts the value of the state in which the terminating action is taken as 0, so that a step before it
    never sees the last reward at λ = 0.

    Shown when: A terminated step with a step of its episode before it, λ below 1, and a value there that is
        not 0.
    Cause: Values are multiplied by (1 − terminated) of their own row, but it is the state after a terminated
        step that is worth nothing.
    Fix: Mask the value of the successor of step t with the flag of step t.
    - values = critic(obs) * (1 - terminated)
    + values = critic(obs)
      ret = rewards[t] + gamma * (1 - terminated[t]) * ((1 - lam) * values[t + 1] + lam * ret)
    """
    over = flags(arrays, "terminated")
    after = np.where(early(over), arrays["rewards"].dtype.type(0), next_values(arrays))
    return {"next_values": after}


@argument_fault("termination")
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Counts V' after a terminated step as 0, but goes on with the return of the next episode.

    Shown when: A step inside the sequence that ends its episode, with λ above 0.
    Cause: The mask was written next to the value and left out next to the return.
    Fix: Both summands with a successor need the mask: γ·(1 − terminated)·((1−λ)·V' + λ·G).
    - ret = rewards[t] + gamma * ((1 - lam) * live * values[t + 1] + lam * ret)
    + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return shared.without_bootstraps(arrays)


@argument_fault("termination")
def value_unmasked(arrays: Arrays) -> Arrays:
    """Stops the return at a terminated step, but adds γ·(1−λ)·V' of the state after it.

    Shown when: A terminated step whose successor has a value other than 0, with λ below 1.
    Cause: The mask was written next to the return and left out next to the value.
    Fix: Both summands with a successor need the mask: γ·(1 − terminated)·((1−λ)·V' + λ·G).
    - ret = rewards[t] + gamma * ((1 - lam) * next_values[t] + lam * live * ret)
    + ret = rewards[t] + gamma * live * ((1 - lam) * next_values[t] + lam * ret)
    """
    if arrays.get("terminated") is None:
        return {}
    after = next_values(arrays)
    kept = np.where(arrays["terminated"], (1 - arrays["lam"]) * after, after).astype(after.dtype)
    return {"next_values": kept, "terminated": None, "truncated": cut(arrays)}


@argument_fault("termination")
def return_unmasked(arrays: Arrays) -> Arrays:
    """Takes the return after a terminated step as it is: that of the next episode, and at the last step the
    value that the recursion begins with.

    Shown when: A terminated step, with λ above 0; at the last step a value after it that is not 0.
    Cause: The mask was written next to the value and left out next to the return, which begins with a value.
    Fix: Both summands with a successor need the mask: γ·(1 − terminated)·((1−λ)·V' + λ·G).
      ret = last_value
    - ret = rewards[t] + gamma * ((1 - lam) * live * values[t + 1] + lam * ret)
    + ret = rewards[t] + gamma * live * ((1 - lam) * values[t + 1] + lam * ret)
    """
    after, masked = next_values(arrays), bootstraps(arrays)
    lam = np.asarray(arrays["lam"])[..., None]
    last = np.arange(after.shape[-1]) == after.shape[-1] - 1
    begun = (lam * after + (1 - lam) * masked).astype(after.dtype)
    return {"next_values": np.where(last, begun, masked), "terminated": None, "truncated": None}


@argument_fault("discounting")
def one_step_returns(arrays: Arrays) -> Arrays:
    """Gives R + γ·V', as if λ were 0.

    Shown when: Two steps of one episode, with γ and λ above 0.
    Cause: The return that is carried is set again inside the loop, or the line that keeps it is missing.
    Fix: Set it once, before the loop, and keep every G_t in it.
    - ret = values[t + 1]  # inside the loop
    + ret = values[T]  # before it
      returns[t] = ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": arrays["lam"] * 0}


@argument_fault("swapped")
def returns_are_monte_carlo(arrays: Arrays) -> Arrays:
    """Gives discounted sums with a bootstrap, whatever λ is.

    Shown when: Two steps of one episode, λ below 1, and values that differ from the returns.
    Cause: The target of the critic is computed by a function of its own, from the rewards.
    Fix: G_t = R_{t+1} + γ·((1−λ)·V(S_{t+1}) + λ·G_{t+1}).
    - ret = rewards[t] + gamma * ret
    + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    return {"lam": arrays["lam"] * 0 + 1}


@argument_fault("indexing", "danijar/dreamerv3 issue #181")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Weights V(S_t) with 1 − λ, in the place of V(S_{t+1}); the return after the last step is V(S_T).

    Shown when: λ below 1, γ above 0, and neighbouring values that differ.
    Cause: The formula counts rewards from 1 and is read with those of an array that counts from 0.
    Fix: G_t = R_{t+1} + γ·((1−λ)·V(S_{t+1}) + λ·G_{t+1}): both parts lie one step ahead.
    - ret = rewards[t] + gamma * ((1 - lam) * values[t] + lam * ret)
    + ret = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * ret)
    """
    own, after, lam = own_values(arrays), next_values(arrays), arrays["lam"]
    ends = cut(arrays) | last_step(arrays)
    return {"next_values": np.where(ends, (1 - lam) * own + lam * after, own).astype(own.dtype)}


@fault("precision", "pytorch/rl")
def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """Leaves out the powers of γλ after the last one above 1e-7, one too many where γλ is small, and raises
    IndexError at γλ = 0.

    Shown when: γλ at 0, or so small that a power of it below 1e-7 belongs to the answer.
    Cause: The returns are a convolution with a kernel of int(log(1e-7)/log(γλ)) powers; at 0 that kernel is
        empty.
    Fix: Run the recursion, or round the length up, keep at least the first power, and return the one-step
        return at γλ = 0.
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


@fault("precision", "pytorch/rl", rounds="inputs", stage="inputs")
def discounts_in_float32(form: Form, **arrays: Any) -> Outputs:
    """Rounds γ, γλ and 1 − λ to float32 before they meet float64 data: seven digits, in an answer that is
    float64.

    Shown when: γ or λ such as 9/10 in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype: gamma *
        (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
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


@argument_fault("weighting")
def starts_from_zero(arrays: Arrays) -> Arrays:
    """Begins the recursion from 0: the last step adds γ·(1 − λ)·V', and the share λ of its bootstrap is lost.

    Shown when: A last step that goes on, with γ, λ and the value after it above 0.
    Cause: The recursion of advantages, which begins from 0, was copied for returns.
    Fix: Begin with the value after the last step, so that its weight is 1.
    - ret = 0.0
    + ret = values[T]
      for t in reversed(range(T)):
    """
    after = next_values(arrays).copy()
    after[..., -1] = (1 - arrays["lam"]) * after[..., -1]
    return {"next_values": after}
