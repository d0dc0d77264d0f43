"""Faults of REINFORCE from episodes."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault, sets

GRADIENTS = ("gradient", "discounted_gradient")


def _ended(arrays: Arrays) -> Any:
    """Which steps end an episode, the last one in any case."""
    over = arrays.get("terminated")
    over = np.zeros(arrays["rewards"].shape, bool) if over is None else over.copy()
    over[..., -1] = True
    return over


def _with_gains(form: Form, arrays: Arrays, gains: Any) -> Outputs:
    """The gradients of other returns: steps that are paid these numbers and have no future."""
    own: Any = 0
    if arrays.get("baseline") is not None:
        own = np.take_along_axis(arrays["baseline"], arrays["states"], -1)
    paid = {**arrays, "gamma": arrays["gamma"] * 0, "baseline": None}
    return {
        "gradient": form(**{**paid, "rewards": gains - own})["gradient"],
        "discounted_gradient": form(**{**paid, "rewards": (gains - own) * _powers(arrays)})["gradient"],
        "returns": form(**arrays)["returns"],
    }


def _powers(arrays: Arrays) -> Any:
    """γ to the power of the steps since the start of the episode."""
    over = _ended(arrays)
    age = np.zeros(arrays["rewards"].shape)
    for t in range(1, age.shape[-1]):
        age[..., t] = np.where(over[..., t - 1], 0, age[..., t - 1] + 1)
    return (arrays["gamma"] ** age).astype(arrays["rewards"].dtype)


@fault("weighting", "huggingface/deep-rl-class PR #95", "udacity/deep-reinforcement-learning issue #42")
def whole_return_for_every_step(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs every step with the return of the whole episode.

    Shown when: An episode of two steps or more, with a reward before the last one or a discount.
    Cause: The return is summed before the loop over the steps. Right on average, and far noisier.
    Fix: The return from each step on.
    - loss = -sum(log_prob * total_return for log_prob in log_probs)
    + loss = -sum(log_prob * g for log_prob, g in zip(log_probs, returns))
    """
    returns, over = form(**arrays)["returns"], _ended(arrays)
    gains = returns.copy()
    for t in range(1, gains.shape[-1]):
        gains[..., t] = np.where(over[..., t - 1], returns[..., t], gains[..., t - 1])
    return _with_gains(form, arrays, gains)


@fault("swapped")
def reward_for_return(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs every step with its own reward, nothing of what follows.

    Shown when: A reward after the first step of an episode.
    Cause: The rewards are at hand; the returns have to be summed backwards.
    Fix: The return from each step on.
    - loss = -(log_probs * rewards).sum()
    + loss = -(log_probs * returns).sum()
    """
    return _with_gains(form, arrays, arrays["rewards"])


@fault("termination", "pytorch/examples PR #1422")
def returns_cross_episodes(form: Form, /, **arrays: Any) -> Outputs:
    """Sums returns across the end of an episode.

    Shown when: Two episodes or more, and a discount above 0.
    Cause: The running sum is not reset where an episode ends.
    Fix: Start again at 0 after every end.
    - g = r + gamma * g
    + g = r + gamma * g * (1 - done)
    """
    returns = form(**{**arrays, "terminated": None})["returns"]
    return {**_with_gains(form, arrays, returns), "returns": returns}


@output_fault("reduction")
def summed_over_episodes(found: Outputs, arrays: Arrays) -> Outputs:
    """Sums over the episodes.

    Shown when: Two episodes or more.
    Cause: The division by the number of episodes is left to the step size.
    Fix: Average over the episodes.
    - grad = sum(grads)
    + grad = sum(grads) / len(episodes)
    """
    count = _ended(arrays).sum(-1).astype(found["gradient"].dtype)[..., None, None]
    return {**found, **{name: found[name] * count for name in GRADIENTS}}


@output_fault("reduction")
def averaged_over_steps(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages over the steps: a long episode counts less.

    Shown when: An episode of two steps or more.
    Cause: mean() of the losses of all steps.
    Fix: Sum over the steps of an episode, average over the episodes.
    - loss = -(log_probs * returns).mean()
    + loss = -(log_probs * returns).sum() / n_episodes
    """
    over = _ended(arrays)
    share = (over.sum(-1) / over.shape[-1]).astype(found["gradient"].dtype)[..., None, None]
    return {**found, **{name: found[name] * share for name in GRADIENTS}}


@sets("ignored", baseline=None)
def baseline_ignored() -> None:
    """Weighs every step with the whole return, whatever the baseline.

    Shown when: A baseline other than 0.
    Cause: It is computed and never subtracted.
    Fix: The return less the baseline of the state.
    - loss = -(log_probs * returns).sum()
    + loss = -(log_probs * (returns - baselines)).sum()
    """


@fault("weighting")
def probability_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Raises the preference of the action that was taken, and leaves the others alone.

    Shown when: A gain other than 0.
    Cause: The gradient of the preference is taken for that of its log-probability.
    Fix: [a = b] − π(b|s) for every action.
    - grad[s, a] += g
    + grad[s] += g * (one_hot(a) - pi[s])
    """
    # what an even policy takes away, 1/A of the gains of each state, is added again
    count = arrays["theta"].shape[-1]
    even = form(**{**arrays, "theta": arrays["theta"] * 0})
    found = {
        name: even[name] + _gain_per_state(arrays, even["returns"], name)[..., None] / count
        for name in GRADIENTS
    }
    return {**found, "returns": even["returns"]}


def _gain_per_state(arrays: Arrays, returns: Any, name: str) -> Any:
    """Sum of the gains of the steps in each state, over the number of episodes."""
    gains = returns
    if arrays.get("baseline") is not None:
        gains = gains - np.take_along_axis(arrays["baseline"], arrays["states"], -1)
    if name == "discounted_gradient":
        gains = gains * _powers(arrays)
    here = arrays["states"][..., None] == np.arange(arrays["theta"].shape[-2])
    return (gains[..., None] * here).sum(-2) / _ended(arrays).sum(-1)[..., None]


@output_fault("sign")
def descends(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the gradient of a loss where that of the objective is asked for.

    Shown when: A gain other than 0.
    Cause: The minus that an optimiser wants is left in.
    Fix: The objective is climbed.
    - theta -= alpha * grad_log_prob * g
    + theta += alpha * grad_log_prob * g
    """
    return {**found, **{name: -found[name] for name in GRADIENTS}}
