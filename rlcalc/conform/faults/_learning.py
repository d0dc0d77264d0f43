"""Faults that the tables of learning have in common: what is read of a step, and the update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.experience import Experience, Step, Table
from rlcalc.formulas import _learning_arrays as learning

# old value, target, α and reward of a step -> new value
Move = Callable[[Any, Any, Any, Any], Any]
MOST_WORK = 100_000
TINY = 1e-13


def experience(arrays: dict[str, Any]) -> Experience:
    found: Experience = arrays["steps"] if arrays.get("steps") is not None else arrays["episodes"]
    return found


def with_steps(arrays: Arrays, change: Callable[[int, Step], Step]) -> Arrays:
    """The argument that holds the steps, each changed; ``change`` gets its number from 0."""
    name = "steps" if arrays.get("steps") is not None else "episodes"
    seen = arrays[name]
    return {name: replace(seen, steps=tuple(change(t, step) for t, step in enumerate(seen.steps)))}


def stepwise(
    form: Form,
    arrays: dict[str, Any],
    move: Move = lambda old, target, alpha, reward: old + alpha * (target - old),
    *,
    alpha: Callable[[int], Any] | None = None,
    frozen: bool = False,
    after_end: bool = False,
) -> Outputs:
    """All updates one by one, each towards the right target of the table as it stands.

    Nothing is changed where there are traces, which move all entries at once, nor where windows are so long
    that it would take seconds: each step computes all targets of its window.

    Args:
        move: the new value of the entry.
        alpha: of the number of the step, from 1, in the place of 1/k per entry.
        frozen: targets are read from the initial table.
        after_end: what follows the end is worth as much as an entry that is not listed.
    """
    name = "values" if "values" in arrays else "q"
    seen, first = experience(arrays), arrays[name]
    reach = int(min(arrays["n"], len(seen)))
    if arrays.get("lam") is not None or reach**2 * len(seen) > MOST_WORK:
        return dict(form(**arrays))
    actions = arrays.get("actions")
    known = learning.universe(seen, [first], actions)
    initial = learning.start(seen, known, first)
    now, like = dict(initial), seen.steps[0].reward
    rates = learning.Rates(arrays["alpha"], like * 0 + 1)
    declared = {"actions": known.actions} if "actions" in arrays else {"episodes": None}
    targets, errors, new = [], [], []
    for t, step in enumerate(seen.steps):
        window = seen.steps[t : t + reach]
        window = (*window[:-1], replace(window[-1], last=True))  # nothing is known behind it
        table = Table(dict(initial if frozen else now), like * 0, "")
        asked = {**arrays, **declared, "steps": replace(seen, steps=window), name: table}
        target = form(**asked)["target"][0]
        if after_end and first is not None:
            end = end_of(window)
            target = target + (arrays["gamma"] ** (end + 1) * first.rest if window[end].after is None else 0)
        rate = rates.at(step.key)
        if alpha is not None and isinstance(arrays["alpha"], str):
            rate = alpha(t + 1)
        targets.append(target)
        errors.append(target - now[step.key])
        now[step.key] = move(now[step.key], target, rate, step.reward)
        new.append(now[step.key])
    columns = {"target": targets, "error": errors, "new_value": new}
    found = {key: learning.vector(NUMPY, column, like) for key, column in columns.items()}
    if name == "values":
        return {"state_values": learning.vector(NUMPY, list(now.values()), like), **found}
    return {"q_values": learning.grid(NUMPY, now, known, like), **found}


def counted(arrays: dict[str, Any]) -> bool:
    """Whether the step size is 1/k, in a table that is learnt step by step."""
    return isinstance(arrays["alpha"], str) and "n" in arrays


def with_alpha(form: Form, arrays: dict[str, Any], change: Callable[[Any], Any]) -> Outputs:
    """The outputs with another step size, where it is a number."""
    alpha = arrays["alpha"]
    return dict(
        form(**{**arrays, "alpha": alpha if alpha is None or isinstance(alpha, str) else change(alpha)})
    )


def end_of(window: tuple[Step, ...]) -> int:
    """Place of the last step of an episode that begins with the first one."""
    return next((k for k, step in enumerate(window) if step.last), len(window) - 1)


@argument_fault("discounting")
def discount_missing(arrays: Arrays) -> Arrays:
    """Adds what follows without γ.

    Shown when: γ below 1, and something other than 0 that follows.
    Cause: The first exercise had γ = 1, or values are copied from the table as they stand.
    Fix: R + γ·(what follows).
    - target = r + following
    + target = r + gamma * following
    """
    return {"gamma": np.ones_like(arrays["gamma"])}


@argument_fault("discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Discounts the reward of the step as well: γ·(R + what follows).

    Shown when: γ below 1 and a reward other than 0.
    Cause: A bracket too many, or γ is counted from the time index of R_{t+1}.
    Fix: The reward of the step itself has weight 1.
    - target = gamma * (r + following)
    + target = r + gamma * following
    """
    return with_steps(arrays, lambda t, step: replace(step, reward=arrays["gamma"] * step.reward))


@argument_fault("ignored")
def never_bootstraps(arrays: Arrays) -> Arrays:
    """Moves towards the reward alone, as after a terminal step.

    Shown when: γ above 0 and something other than 0 that follows a step.
    Cause: The rule of a bandit is used, or all steps are taken for last ones.
    Fix: R + γ·(what follows); R alone only when the episode ends.
    - target = r
    + target = r if done else r + gamma * following
    """
    return {"gamma": arrays["gamma"] * 0}


@fault("swapped")
def step_size_of_the_old_value(form: Form, /, **arrays: Any) -> Outputs:
    """Gives α·old + (1 − α)·target.

    Shown when: A target other than the old value, and α other than 1/2.
    Cause: α is read as what is kept, as in a running average with a decay.
    Fix: (1 − α)·old + α·target: a small α moves little.
    - value = alpha * value + (1 - alpha) * target
    + value = (1 - alpha) * value + alpha * target
    """
    if counted(arrays):
        return stepwise(form, arrays, lambda old, target, alpha, reward: target + alpha * (old - target))
    return with_alpha(form, arrays, lambda alpha: 1 - alpha)


@fault("sign")
def away_from_target(form: Form, /, **arrays: Any) -> Outputs:
    """Gives old − α·(target − old): every update moves away from the target.

    Shown when: A target other than the old value.
    Cause: The error is written as old − target and added.
    Fix: old + α·(target − old).
    - value += alpha * (value - target)
    + value += alpha * (target - value)
    """
    if counted(arrays):
        return stepwise(form, arrays, lambda old, target, alpha, reward: old - alpha * (target - old))
    return with_alpha(form, arrays, lambda alpha: -alpha)


@fault("weighting")
def old_value_not_subtracted(form: Form, /, **arrays: Any) -> Outputs:
    """Gives old + α·target: α is applied to the target only.

    Shown when: An entry that is updated when it is not 0.
    Cause: The tables of an exercise begin with 0, where it makes no difference.
    Fix: old + α·(target − old), which is (1 − α)·old + α·target.
    - value += alpha * target
    + value += alpha * (target - value)
    """
    return stepwise(form, arrays, lambda old, target, alpha, reward: old + alpha * target)


@fault("weighting")
def bracket_closed_early(form: Form, /, **arrays: Any) -> Outputs:
    """Gives old + α·target − old, which is α·target: the old value is subtracted outside of the bracket.

    Shown when: α below 1 and an old value other than 0.
    Cause: The bracket after α is closed before − old.
    Fix: old + α·(target − old).
    - value = value + alpha * (r + gamma * following) - value
    + value = value + alpha * (r + gamma * following - value)
    """
    return stepwise(form, arrays, lambda old, target, alpha, reward: alpha * target)


@fault("weighting")
def step_size_on_the_reward_alone(form: Form, /, **arrays: Any) -> Outputs:
    """Gives old + α·R + γ·(what follows) − old: α multiplies the reward only.

    Shown when: α other than 1, and something that follows or an old value other than 0.
    Cause: The bracket around the error is left out.
    Fix: α multiplies the whole error.
    - value += alpha * r + gamma * following - value
    + value += alpha * (r + gamma * following - value)
    """
    return stepwise(form, arrays, lambda old, target, alpha, reward: target + (alpha - 1) * reward)


@fault("indexing")
def initial_values_throughout(form: Form, /, **arrays: Any) -> Outputs:
    """Reads what follows from the table of the beginning, whatever was updated since.

    Shown when: A step that leads to an entry which was updated before.
    Cause: All targets are computed before the first update, as in a sweep with two arrays.
    Fix: Look values up in the table as it stands after the step before.
    - targets = [r + gamma * value[s2] for s, r, s2 in steps]
    - for (s, r, s2), target in zip(steps, targets):
    -     value[s] += alpha * (target - value[s])
    + for s, r, s2 in steps:
    +     value[s] += alpha * (r + gamma * value[s2] - value[s])
    """
    return stepwise(form, arrays, frozen=True)


@fault("termination")
def terminal_value_bootstrapped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the initial value for what follows the end of an episode, where nothing does.

    Shown when: A table that begins with one number other than 0, and an episode that ends.
    Cause: Every state gets the initial value, the terminal one too.
    Fix: The value of a terminal state is 0: the last target is the reward.
    - target = r + gamma * following
    + target = r if done else r + gamma * following
    """
    if arrays.get("lam") is None:
        return stepwise(form, arrays, after_end=True)
    return past_the_end(form, arrays, {"values": "state_values"} if "values" in arrays else {"q": "q_values"})


# a state behind all others
END = "the end"


def past_the_end(form: Form, arrays: dict[str, Any], tables: Mapping[str, str]) -> Outputs:
    """The outputs where an end is a state as others are, of which nothing more is learnt.

    Args:
        tables: outputs by the initial tables that they begin as; an end is worth what these do not list.
    """
    initial = [arrays[name] for name in tables]
    if all(table is None for table in initial):
        return dict(form(**arrays))
    ends = with_steps(
        arrays, lambda t, step: step if step.after else replace(step, after=END, then=step.action)
    )
    known = learning.universe(next(iter(ends.values())), initial, arrays.get("actions"))
    stays = [k for k, state in enumerate(known.states) if state != END]
    found = dict(form(**{**arrays, **ends}))
    columns = {name: found[name] for name in ("target", "error", "new_value")}
    return {**{answer: found[answer][stays] for answer in tables.values()}, **columns}


@argument_fault("termination")
def next_episode_bootstrapped(arrays: Arrays) -> Arrays:
    """Goes on after an end with the first state of the next episode.

    Shown when: An episode that ends before the last step.
    Cause: The successor is read from the next row of the table.
    Fix: An end is followed by nothing: the target is the reward, and traces start again from 0.
    - target = rewards[t] + gamma * value[states[t + 1]]
    + target = rewards[t] + (0 if done[t] else gamma * value[states[t + 1]])
    """
    steps = experience(arrays).steps

    def linked(t: int, step: Step) -> Step:
        if step.after is not None or t + 1 == len(steps):
            return step
        return replace(step, after=steps[t + 1].state, then=steps[t + 1].action, last=False)

    return with_steps(arrays, linked)


@argument_fault("indexing")
def own_state_bootstrapped(arrays: Arrays) -> Arrays:
    """Takes the value of the state that is left for that of the state that follows.

    Shown when: A step to another state whose value differs.
    Cause: The row of S is read where that of S' is meant.
    Fix: What follows is looked up in S'.
    - target = r + gamma * value[s]
    + target = r + gamma * value[s2]
    """

    def back(t: int, step: Step) -> Step:
        return step if step.after is None else replace(step, after=step.state, then=step.action)

    return with_steps(arrays, back)


@fault("counting")
def all_steps_counted(form: Form, /, **arrays: Any) -> Outputs:
    """With step size 1/k, k counts all steps so far, not the updates of the entry.

    Shown when: Step size 1/k, and an entry that is updated after another one.
    Cause: The number of the step is at hand, a count of each entry is not.
    Fix: Count the updates of each entry.
    - value[s] += (target - value[s]) / t
    + count[s] += 1
    + value[s] += (target - value[s]) / count[s]
    """
    return stepwise(form, arrays, alpha=lambda number: 1 / number)


@fault("discounting")
def n_step_discounted_once(form: Form, /, **arrays: Any) -> Outputs:
    """Discounts what follows n steps later by γ, not by γ^n.

    Shown when: n of 2 or more, and γ between 0 and 1.
    Cause: The line for one step is kept when the rewards are summed.
    Fix: R + γR' + … + γ^n·(what follows).
    - target = sum(gamma**k * r[t + k] for k in range(n)) + gamma * following
    + target = sum(gamma**k * r[t + k] for k in range(n)) + gamma**n * following
    """
    if arrays["n"] == 1:
        return dict(form(**arrays))

    def once(**given: Any) -> Outputs:
        window, gamma = given["steps"].steps, given["gamma"]
        end = end_of(window)
        rewards = sum(gamma**k * window[k].reward for k in range(end + 1))
        target = form(**given)["target"][0]
        return {"target": [rewards + (target - rewards) / gamma**end]}

    return stepwise(once, arrays)


# what they read of a step, and do with its target
OF_EVERY_STEP = (
    discount_missing,
    reward_discounted,
    never_bootstraps,
    step_size_of_the_old_value,
    away_from_target,
    next_episode_bootstrapped,
    own_state_bootstrapped,
)
OF_ONE_TABLE = (
    *OF_EVERY_STEP,
    old_value_not_subtracted,
    bracket_closed_early,
    step_size_on_the_reward_alone,
    initial_values_throughout,
    terminal_value_bootstrapped,
    all_steps_counted,
    n_step_discounted_once,
)
