"""Faults of the n-step return."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision
from rlcalc.conform.faults import _sequence_rows as rows
from rlcalc.conform.faults import _targets
from rlcalc.conform.faults._sequence import discounts, with_returns

of_every_return = (*shared.OF_EVERY_RETURN, shared.reward_discounted, precision.discounts_in_float32)
of_targets = (_targets.reward_lost_at_the_end,)
of_rows = (rows.first_step_left_out,)


def _parts(form: Form, arrays: dict[str, Any]) -> tuple[Any, Any]:
    """The share of the rewards, and the value that each window is closed on, before it is discounted."""
    silent = {**arrays, "rewards": arrays["rewards"] * 0, "alpha": None}
    rewards = form(**arrays)["returns"] - form(**silent)["returns"]
    return rewards, form(**{**silent, "gamma": arrays["gamma"] * 0 + 1})["returns"]


@fault("discounting", "younggyoseo/FastTD3 issue #6 / PR #7", stage="outputs")
def gamma_not_to_the_n(form: Form, /, **arrays: Any) -> Outputs:
    """Discounts the value at the end of the window by γ instead of γ^n.

    Shown when: n of 2 or more, γ between 0 and 1, and a value other than 0.
    Cause: The buffer sums n discounted rewards, and the update keeps the line of the one-step target, R +
        γ·V'.
    Fix: Store γ^m with each sample, m being the steps of its window, and multiply V' by that.
    - target = reward_sum + gamma * (1 - terminated) * next_value
    + target = reward_sum + gamma ** len(window) * (1 - terminated) * next_value
    """
    rewards, value = _parts(form, arrays)
    return with_returns({}, arrays, rewards + discounts(arrays) * value)


@fault("discounting", stage="outputs")
def value_not_discounted(form: Form, /, **arrays: Any) -> Outputs:
    """Adds the value at the end of the window without any power of γ.

    Shown when: γ below 1 and a value other than 0.
    Cause: The value is added to the finished sum.
    Fix: Multiply it by γ^m, with the number m of rewards that are in the window.
    - target = reward_sum + (1 - terminated) * next_value
    + target = reward_sum + gamma ** len(window) * (1 - terminated) * next_value
    """
    rewards, value = _parts(form, arrays)
    return with_returns({}, arrays, rewards + value)


@fault("discounting", stage="outputs")
def value_power_one_short(form: Form, /, **arrays: Any) -> Outputs:
    """Discounts the value at the end of every window of m rewards by γ^(m−1).

    Shown when: γ other than 0 and 1, and a value other than 0.
    Cause: The power of the last reward is used for the value as well, which lies a step further on.
    Fix: A window with m rewards ends m steps ahead: γ^m.
    - target = reward_sum + gamma ** (len(window) - 1) * next_value
    + target = reward_sum + gamma ** len(window) * next_value
    """
    if np.ndim(arrays["gamma"]):
        return dict(form(**arrays))
    rewards, value = _parts(form, arrays)
    ones = {**arrays, "rewards": np.ones_like(arrays["rewards"]), "gamma": arrays["gamma"] * 0 + 1}
    worthless = {"values": np.zeros_like(arrays["values"]), "next_values": None, "alpha": None}
    length = form(**{**ones, **worthless})["returns"]
    return with_returns({}, arrays, rewards + (arrays["gamma"] ** (length - 1) * value).astype(rewards.dtype))


@fault("discounting", "ray-project/ray issue #4626", stage="outputs")
def gamma_to_the_n_in_short_windows(form: Form, /, **arrays: Any) -> Outputs:
    """Discounts the value by γ^n where the window was cut short after fewer than n steps.

    Shown when: A window that ends at a truncation or by the end of the data, γ between 0 and 1, and a value
        other than 0.
    Cause: γ^n is computed once, outside of the loop over samples.
    Fix: Discount by γ^m with the number m of rewards that are in the window.
    - target = reward_sum + gamma ** n * next_value
    + target = reward_sum + gamma ** len(window) * next_value
    """
    if np.ndim(arrays["gamma"]):
        return dict(form(**arrays))
    rewards, value = _parts(form, arrays)
    return with_returns({}, arrays, rewards + arrays["gamma"] ** arrays["n"] * value)


@fault("discounting", "opendilab/DI-engine", stage="outputs")
def gamma_power_one_short_at_the_end(form: Form, /, **arrays: Any) -> Outputs:
    """Discounts the value by γ^(m−1) where the window was cut short after m steps, fewer than n.

    Shown when: A window that ends at a truncation or by the end of the data, γ between 0 and 1, and a value
        other than 0.
    Cause: The power is counted from the index of the last row, not from the number of rewards.
    Fix: A window with m rewards ends m steps ahead: γ^m.
    - power = gamma ** (last - t)
    + power = gamma ** (last - t + 1)
    """
    if np.ndim(arrays["gamma"]):
        return dict(form(**arrays))
    rewards, value = _parts(form, arrays)
    ones = np.ones_like(arrays["rewards"])
    worthless = {"values": np.zeros_like(arrays["values"]), "next_values": None, "alpha": None}
    counted = {**arrays, **worthless, "rewards": ones, "gamma": arrays["gamma"] * 0 + 1}
    length = form(**counted)["returns"]
    power = arrays["gamma"] ** (length - (length < arrays["n"]))
    return with_returns({}, arrays, rewards + (power * value).astype(rewards.dtype))


@argument_fault("termination", "younggyoseo/FastTD3 issue #6 / PR #7")
def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Sums rewards of the next episode into a window that holds an end; only a flag on the last step of the
    window takes its value away.

    Shown when: n of 2 or more and an episode that ends inside a window.
    Cause: The window is a slice of the buffer, and the mask is that of its last row.
    Fix: Stop the sum at the first end inside the window, and bootstrap from there if it was a truncation.
    - stop = min(t + n, T)
    + stop = min(t + n, T, end_of_episode[t] + 1)
      value = (1 - terminated[stop - 1]) * next_values[stop - 1]
    """
    return shared.without_bootstraps(arrays)


@sets("termination", "tensorflow/agents issue #939", truncated=None)
def recursion_crosses_truncation() -> None:
    """Goes on across a truncated step: rewards of the next episode and its value enter the window.

    Shown when: n of 2 or more and a truncated step inside a window.
    Cause: A time limit leaves the discount at 1, and the window stops only where the discount is 0.
    Fix: End the window at a truncated step, and bootstrap from the state that was reached there.
    - if terminated[k]:
    + if terminated[k] or truncated[k]:
          break
    """


@sets("termination", terminated=None, truncated=None)
def flags_ignored() -> None:
    """Sums n rewards and adds the value, whatever ends lie between.

    Shown when: A terminated step, or a truncated one that is not the last.
    Cause: Written for one endless episode.
    Fix: Stop the sum at the first end inside the window; add V' only if that was no termination.
    - stop = min(t + n, T)
    - value = next_values[stop - 1]
    + stop = min(t + n, T, end_of_episode[t] + 1)
    + value = (1 - terminated[stop - 1]) * next_values[stop - 1]
    """


@argument_fault("termination")
def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """Stops the window at a terminated step, but adds the discounted value of the state after it.

    Shown when: A terminated step whose successor has a value other than 0.
    Cause: Both kinds of end are one flag, done, that shortens the window.
    Fix: Shorten the window at either; take the value as 0 after a termination.
      stop = min(t + n, T, end_of_episode[t] + 1)
    - value = next_values[stop - 1]
    + value = (1 - terminated[stop - 1]) * next_values[stop - 1]
    """
    return shared.as_truncations(arrays)


@argument_fault("indexing")
def one_step_too_many(arrays: Arrays) -> Arrays:
    """Sums n + 1 rewards and bootstraps one state later.

    Shown when: An episode that goes on for more than n steps.
    Cause: The loop runs to n inclusive, or the queue is drained when it holds more than n steps.
    Fix: n = 1 must give R + γ·V', the one-step target.
    - for k in range(n + 1):
    + for k in range(n):
          target += gamma ** k * rewards[t + k]
    """
    return {"n": arrays["n"] + 1}


@argument_fault("indexing")
def bootstrap_one_state_early(arrays: Arrays) -> Arrays:
    """Takes V(S_{t+n−1}), the state before the last reward of the window, with the factor γ^n.

    Shown when: Two neighbouring values that differ.
    Cause: The observation stored in the last row of the window is used, not the next observation of that row.
    Fix: The state after n rewards is S_{t+n}: the next observation of row t + n − 1.
    - target = reward_sum + gamma ** n * critic(obs[t + n - 1])
    + target = reward_sum + gamma ** n * critic(next_obs[t + n - 1])
    """
    values = arrays["values"]
    if values is None:
        return {}
    after = values[..., :-1].copy()
    if arrays.get("terminal"):
        after[..., -1] = np.zeros_like(after[..., -1])
    return {"next_values": after}


@argument_fault("ignored", presumes=["values"])
def never_bootstraps(arrays: Arrays) -> Arrays:
    """Adds up n rewards and nothing for what follows them.

    Shown when: γ above 0, and a window after which the episode goes on, to a state whose value is not 0.
    Cause: The values are accepted and never used, or their summand was lost.
    Fix: Add γ^n·V of the state after the last reward, unless the episode ended before.
    - returns[t] = total
    + returns[t] = total + live * gamma**n * values[t + n]
    """
    if arrays.get("values") is None:
        return {}
    return {"values": np.zeros_like(arrays["values"]), "next_values": None}
