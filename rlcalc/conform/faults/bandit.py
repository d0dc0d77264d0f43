"""Faults of the estimates of a bandit's arms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.formulas.bandit import arms_of

step_size_of_the_old_value = shared.step_size_of_the_old_value
away_from_target = shared.away_from_target


def _pulled(
    form: Form, arrays: dict[str, Any], move: Callable[[Any, Any, int, int], Any], shared_by_all: bool = False
) -> Outputs:
    """The estimates by another rule.

    Args:
        move: of the old estimate, the reward, the pulls of the arm so far (this one included) and of all.
        shared_by_all: every arm has the estimate of the pulled one.
    """
    rewards, names = arrays["rewards"], arms_of(arrays["actions"], arrays["arms"])
    now = [rewards[..., 0] * 0 + arrays["initial"] for _ in names]
    count, new, history = [0] * len(names), [], []
    for t, action in enumerate(arrays["actions"]):
        arm = names.index(str(action))
        count[arm] += 1
        now[arm] = move(now[arm], rewards[..., t], count[arm], t + 1)
        if shared_by_all:
            now = [now[arm]] * len(names)
        new.append(now[arm])
        history.append(np.stack(now, -1))
    found = {"estimates": history[-1], "new_value": np.stack(new, -1), "history": np.stack(history, -2)}
    return {**form(**arrays), **{name: array.astype(rewards.dtype) for name, array in found.items()}}


def _rate(arrays: dict[str, Any], pulls: int) -> Any:
    """The step size after so many pulls."""
    return 1 / pulls if isinstance(arrays["alpha"], str) else arrays["alpha"]


@fault("weighting")
def old_value_not_subtracted(form: Form, /, **arrays: Any) -> Outputs:
    """Gives old + α·R: α is applied to the target only.

    Shown when: An arm that is pulled when its estimate is not 0.
    Cause: The estimates of an exercise begin with 0, where it makes no difference.
    Fix: old + α·(R − old).
    - q[a] += alpha * r
    + q[a] += alpha * (r - q[a])
    """
    return _pulled(form, arrays, lambda old, reward, k, t: old + _rate(arrays, k) * reward)


@fault("counting")
def all_pulls_counted(form: Form, /, **arrays: Any) -> Outputs:
    """With step size 1/k, k counts the pulls of all arms.

    Shown when: Step size 1/k, and an arm that is pulled after another one.
    Cause: The number of the step is at hand, a count of each arm is not.
    Fix: Count the pulls of each arm.
    - q[a] += (r - q[a]) / t
    + count[a] += 1
    + q[a] += (r - q[a]) / count[a]
    """
    if not isinstance(arrays["alpha"], str):
        return dict(form(**arrays))
    return _pulled(form, arrays, lambda old, reward, k, t: old + (reward - old) / t)


@fault("counting")
def counted_after_dividing(form: Form, /, **arrays: Any) -> Outputs:
    """With step size 1/k, k counts the pulls before this one, and is 1 where there are none.

    Shown when: Step size 1/k, and an arm that is pulled twice.
    Cause: The count rises after the division; a max() with 1 keeps the first one from failing.
    Fix: Count first, then divide.
    - q[a] += (r - q[a]) / max(1, count[a])
      count[a] += 1
    + q[a] += (r - q[a]) / count[a]
    """
    if not isinstance(arrays["alpha"], str):
        return dict(form(**arrays))
    return _pulled(form, arrays, lambda old, reward, k, t: old + (reward - old) / max(1, k - 1))


@fault("counting")
def start_counted_as_a_reward(form: Form, /, **arrays: Any) -> Outputs:
    """With step size 1/k, divides by k + 1: the initial estimate counts as one reward more.

    Shown when: Step size 1/k, and a first reward other than the initial estimate.
    Cause: The count begins at 1 and is raised before the division.
    Fix: The first reward of an arm has weight 1, and replaces its initial estimate.
    - count = np.ones(n_arms)
    + count = np.zeros(n_arms)
      count[a] += 1
      q[a] += (r - q[a]) / count[a]
    """
    if not isinstance(arrays["alpha"], str):
        return dict(form(**arrays))
    return _pulled(form, arrays, lambda old, reward, k, t: old + (reward - old) / (k + 1))


@fault("counting")
def sample_average_with_a_constant_step(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the mean of each arm's rewards, where a constant step size is asked for.

    Shown when: A constant step size, and a reward other than the initial estimate.
    Cause: The sample average is the first rule that one learns.
    Fix: Each pull moves the estimate by the same share α of its error.
    - q[a] += (r - q[a]) / count[a]
    + q[a] += alpha * (r - q[a])
    """
    return dict(form(**{**arrays, "alpha": "1/k"}))


@fault("reduction")
def rewards_summed(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the sum of each arm's rewards, added to its initial estimate.

    Shown when: An arm that is pulled twice, or a constant step size below 1.
    Cause: The step size is left out.
    Fix: old + α·(R − old).
    - q[a] += r
    + q[a] += alpha * (r - q[a])
    """
    return _pulled(form, arrays, lambda old, reward, k, t: old + reward)


@argument_fault("ignored")
def last_reward_only(arrays: Arrays) -> Arrays:
    """Gives the last reward of each arm.

    Shown when: An arm that is pulled twice, or a constant step size below 1.
    Cause: The estimate is replaced by the reward.
    Fix: old + α·(R − old).
    - q[a] = r
    + q[a] += alpha * (r - q[a])
    """
    return {"alpha": np.ones_like(arrays["rewards"][..., 0])}


@fault("indexing")
def one_estimate_for_all_arms(form: Form, /, **arrays: Any) -> Outputs:
    """Moves one estimate that all arms share.

    Shown when: Two arms.
    Cause: The index of the arm is left out.
    Fix: Each arm has an estimate of its own, which its pulls alone move.
    - q += alpha * (r - q)
    + q[a] += alpha * (r - q[a])
    """
    return _pulled(form, arrays, lambda old, reward, k, t: old + _rate(arrays, t) * (reward - old), True)
