"""Faults of Monte Carlo estimates of state values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _learning as shared
from rlcalc.experience import Step
from rlcalc.formulas._learning import visits

discount_missing = shared.discount_missing
step_size_of_the_old_value = shared.step_size_of_the_old_value


def _averaged(form: Form, arrays: dict[str, Any], gains: Sequence[Any]) -> Outputs:
    """The estimates from other returns of the visits that count: each as an episode of one step."""
    seen = shared.experience(arrays)
    states = [seen.steps[t].state for t in _visits(arrays)]
    single = tuple(Step(s, "", gain, None, last=True) for s, gain in zip(states, gains, strict=True))
    return dict(form(**{**arrays, "episodes": None, "steps": replace(seen, steps=single)}))


def _visits(arrays: dict[str, Any]) -> list[int]:
    return [visit.t for visit in visits(shared.experience(arrays), arrays["visit"])]


@sets("counting", visit="every")
def every_visit_counted() -> None:
    """Counts every visit of a state, where only the first one of each episode counts.

    Shown when: First-visit estimates, and a state that comes twice in an episode.
    Cause: No record is kept of the states that an episode has met.
    Fix: Leave out the return of a state that the episode has met before.
    - returns[s].append(g)
    + if s not in states[:t]:
    +     returns[s].append(g)
    """


@sets("counting", visit="first")
def first_visits_only() -> None:
    """Counts the first visit of each episode only, where every visit counts.

    Shown when: Every-visit estimates, and a state that comes twice in an episode.
    Cause: The first-visit method is the better known one.
    Fix: Every visit has a return of its own.
    - if s not in states[:t]:
    -     returns[s].append(g)
    + returns[s].append(g)
    """


@fault("counting")
def last_visits_only(form: Form, /, **arrays: Any) -> Outputs:
    """Counts the last visit of each episode, where the first one counts.

    Shown when: First-visit estimates, and a state that comes twice in an episode.
    Cause: The episode is gone through backwards, and the states met on that way are left out.
    Fix: Look for the state among the steps before it.
    - if s not in seen: seen.add(s); returns[s].append(g)
    + if s not in states[:t]: returns[s].append(g)
    """
    if arrays["visit"] == "every":
        return dict(form(**arrays))
    seen, found = shared.experience(arrays), dict(form(**arrays))
    every, gains = visits(seen, "every"), form(**{**arrays, "visit": "every", "alpha": None})["returns"]
    last = {(visit.episode, seen.steps[visit.t].state): k for k, visit in enumerate(every)}
    gained: dict[str, list[Any]] = {step.state: [] for step in seen.steps}
    for (_, state), k in last.items():
        gained[state].append(gains[k])
    first, means = arrays["values"], []
    for state, some in gained.items():
        now = gains[0] * 0 if first is None else first.get((state,))
        for count, gain in enumerate(some, start=1):
            rate = 1 / count if not isinstance(arrays["alpha"], np.floating | np.ndarray) else arrays["alpha"]
            now = now + rate * (gain - now)
        means.append(now)
    return {"state_values": np.array(means, gains.dtype), "visits": found["visits"]}


@fault("counting")
def start_counted_as_a_return(form: Form, /, **arrays: Any) -> Outputs:
    """Counts the initial value as if it were a first return.

    Shown when: A mean, whose first return is not the initial value.
    Cause: The counts begin with 1, so that nothing is divided by 0.
    Fix: Counts begin with 0 and rise before they divide.
    - count = np.ones(n_states)
    + count = np.zeros(n_states)
    """
    if arrays["alpha"] is not None and not isinstance(arrays["alpha"], str):
        return dict(form(**arrays))
    found, first = dict(form(**arrays)), arrays["values"]
    left = list(dict.fromkeys(step.state for step in shared.experience(arrays).steps))
    start = [0 if first is None else first.get((state,)) for state in left]
    number = found["visits"]
    kind = found["state_values"].dtype
    means = (found["state_values"] * number + np.array(start, kind)) / (number + 1)
    return {"state_values": means.astype(kind), "returns": found["returns"]}


@argument_fault("discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Discounts the first reward of a return too: γR + γ²R' + ….

    Shown when: γ below 1 and a return other than 0.
    Cause: γ is counted from the time index of R_{t+1}.
    Fix: G = R_{t+1} + γ·R_{t+2} + ….
    - g = gamma * (r + g)
    + g = r + gamma * g
    """
    return shared.with_steps(arrays, lambda t, step: replace(step, reward=arrays["gamma"] * step.reward))


@argument_fault("ignored")
def last_reward_only(arrays: Arrays) -> Arrays:
    """Takes the reward of the visit's own step for its return.

    Shown when: γ above 0 and a visit that is not the last step of its episode.
    Cause: Rewards are averaged by state, as if they were returns.
    Fix: Sum the rewards to the end of the episode.
    - returns[s].append(r)
    + returns[s].append(sum(gamma**k * x for k, x in enumerate(rewards[t:])))
    """
    return {"gamma": arrays["gamma"] * 0}


@fault("indexing")
def own_reward_left_out(form: Form, /, **arrays: Any) -> Outputs:
    """Begins the return of a visit with the reward after next: G_{t+1} for G_t.

    Shown when: γ above 0 and a visit whose own reward is not the whole return.
    Cause: The reward that stands behind a state in the record is taken for the one that led to it.
    Fix: The return of S_t begins with R_{t+1}, the reward on leaving it.
    - returns[s].append(g)
      g = r + gamma * g
    + returns[s].append(g)
    """
    gamma, steps = arrays["gamma"], shared.experience(arrays).steps
    gains = [steps[0].reward * 0] * (len(steps) + 1)
    for t in range(len(steps) - 1, -1, -1):
        later = gains[t + 1] * 0 if steps[t].last else gains[t + 1]
        gains[t] = steps[t].reward + gamma * later
    after = [gains[t] * 0 if steps[t].last else gains[t + 1] for t in _visits(arrays)]
    return _averaged(form, arrays, after)


@fault("indexing")
def return_of_the_episode(form: Form, /, **arrays: Any) -> Outputs:
    """Gives every state that an episode visits the return of its first step.

    Shown when: A visit later than the first step of an episode, after a reward other than 0.
    Cause: The score of the episode is credited to all of it.
    Fix: Only what comes after a visit counts for it.
    - returns[s].append(sum(gamma**k * x for k, x in enumerate(rewards)))
    + returns[s].append(sum(gamma**k * x for k, x in enumerate(rewards[t:])))
    """
    seen, gamma = shared.experience(arrays), arrays["gamma"]
    whole: dict[int, Any] = {}
    for episode in seen.episodes():
        total = sum(gamma**k * seen.steps[t].reward for k, t in enumerate(episode))
        whole.update(dict.fromkeys(episode, total))
    return _averaged(form, arrays, [whole[t] for t in _visits(arrays)])


@fault("counting")
def divided_by_episodes(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the sum of returns by the number of episodes, not by the visits that count.

    Shown when: A state that an episode does not visit, or visits twice where every visit counts.
    Cause: The mean is taken outside of the loop over states.
    Fix: Divide by the number of returns of the state.
    - value[s] = sum(returns[s]) / n_episodes
    + value[s] = sum(returns[s]) / len(returns[s])
    """
    found = dict(form(**arrays))
    if arrays["alpha"] is None:
        found["state_values"] = (
            found["state_values"] * found["visits"] / len(shared.experience(arrays).episodes())
        )
    return found


@fault("reduction")
def sum_of_returns(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the sum of the returns of a state, not their mean.

    Shown when: A state with two returns or more.
    Cause: The division is left out.
    Fix: Divide by the number of returns.
    - value[s] = sum(returns[s])
    + value[s] = sum(returns[s]) / len(returns[s])
    """
    found = dict(form(**arrays))
    if arrays["alpha"] is None:
        found["state_values"] = found["state_values"] * found["visits"]
    return found


@argument_fault("termination")
def episodes_joined(arrays: Arrays) -> Arrays:
    """Lets a return go on into the next episode.

    Shown when: Two episodes or more.
    Cause: The sum runs to the end of the record.
    Fix: A return ends with its episode.
    - g = r + gamma * g
    + g = r + (0 if done else gamma * g)
    """
    count = len(shared.experience(arrays))
    return shared.with_steps(arrays, lambda t, step: replace(step, last=t + 1 == count))
