"""Faults of the two tables of double Q-learning."""

from __future__ import annotations

from typing import Any

from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.experience import Table
from rlcalc.formulas import _learning_arrays as learning

of_every_step = shared.OF_EVERY_STEP


def _mixed(form: Form, arrays: dict[str, Any], chooses: int, values: int, both: bool = False) -> Outputs:
    """All updates, with one of the tables to choose the next action and one to value it.

    Args:
        chooses: 0 for the table that is updated, 1 for the other one; ``values`` likewise.
        both: each step moves both tables towards its target.
    """
    seen, alpha = arrays["steps"], arrays["alpha"]
    firsts = [arrays["q1"], arrays["q2"]]
    known = learning.universe(seen, firsts, arrays["actions"])
    now = [learning.start(seen, known, first) for first in firsts]
    like, update = seen.steps[0].reward, arrays["update"]
    rates = [learning.Rates(alpha, like * 0 + 1) for _ in now]
    columns: dict[str, list[Any]] = {"target": [], "error": [], "new_value": []}
    for t, step in enumerate(seen.steps):
        moved = int(update[t if len(update) > 1 else 0]) - 1 if update is not None else 0
        pair = [Table(dict(now[(moved + place) % 2]), like * 0, "") for place in (chooses, values)]
        alone = {"steps": type(seen)((step,), ""), "update": ["1"], "actions": known.actions}
        target = form(**{**arrays, **alone, "q1": pair[0], "q2": pair[1]})["target"][0]
        columns["target"].append(target)
        columns["error"].append(target - now[moved][step.key])
        for table in (0, 1) if both else (moved,):
            old = now[table][step.key]
            now[table][step.key] = old + rates[table].at(step.key) * (target - old)
        columns["new_value"].append(now[moved][step.key])
    tables = {f"q{k + 1}_values": learning.grid(NUMPY, table, known, like) for k, table in enumerate(now)}
    return {**tables, **{name: learning.vector(NUMPY, column, like) for name, column in columns.items()}}


@fault("termination")
def terminal_value_bootstrapped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes what the other table says of the state after an end, of which it has learnt nothing.

    Shown when: A second table that begins with a number other than 0, and an episode that ends.
    Cause: The done flag is taken and not read.
    Fix: The value of a terminal state is 0: the last target is the reward.
    - target = r + gamma * q2[s2, best]
    + target = r if done else r + gamma * q2[s2, best]
    """
    return shared.past_the_end(form, arrays, {"q1": "q1_values", "q2": "q2_values"})


@fault("swapped")
def own_table_values(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the largest value of the table that is updated: Q-learning, with its bias.

    Shown when: Tables that differ in what the best next action is worth.
    Cause: max() is kept from Q-learning; the second table has no say.
    Fix: The updated table chooses the action, the other one says what it is worth.
    - target = r + gamma * q1[s2].max()
    + target = r + gamma * q2[s2, q1[s2].argmax()]
    """
    return _mixed(form, arrays, 0, 0)


@fault("swapped")
def other_table_alone(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the largest value of the other table, which chooses and values.

    Shown when: Tables that prefer different next actions.
    Cause: The target network of DQN is taken over whole.
    Fix: The updated table chooses the action, the other one says what it is worth.
    - target = r + gamma * q2[s2].max()
    + target = r + gamma * q2[s2, q1[s2].argmax()]
    """
    return _mixed(form, arrays, 1, 1)


@fault("swapped")
def tables_exchanged(form: Form, /, **arrays: Any) -> Outputs:
    """Lets the other table choose the action and takes its value from the one that is updated.

    Shown when: Tables that prefer different next actions, or differ in their values.
    Cause: The two indices of the formula are read the wrong way round.
    Fix: The updated table chooses the action, the other one says what it is worth.
    - target = r + gamma * q1[s2, q2[s2].argmax()]
    + target = r + gamma * q2[s2, q1[s2].argmax()]
    """
    return _mixed(form, arrays, 1, 0)


@fault("counting")
def both_tables_updated(form: Form, /, **arrays: Any) -> Outputs:
    """Moves both tables towards the target of each step.

    Shown when: Any target other than the value of the other table.
    Cause: The coin that chooses the table is left out.
    Fix: Each step updates one table.
    - for q in (q1, q2):
    -     q[s, a] += alpha * (target - q[s, a])
    + q1[s, a] += alpha * (target - q1[s, a])
    """
    return _mixed(form, arrays, 0, 1, both=True)


@argument_fault("swapped")
def other_table_updated(arrays: Arrays) -> Arrays:
    """Exchanges the parts of the tables: the update goes to the other one.

    Shown when: Any step that changes a value.
    Cause: Heads and tails are mixed up.
    Fix: The table that is named for the step is updated.
    - q, other = q2, q1
    + q, other = q1, q2
    """
    update = arrays["update"] if arrays["update"] is not None else ["1"]
    return {"update": [str(3 - int(word)) for word in update]}
