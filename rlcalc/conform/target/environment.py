"""An environment that writes down what happens in it, for functions that play by themselves.

It has a few states, two actions, and rewards that are quarters. Every episode
ends within some steps, in a state that is never left. Like ``call``, this runs
where the target runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.agents import Environment, same_numbers
from rlcalc.conform.target.call import Reply, as_part, quiet, raised
from rlcalc.conform.target.facts import owner_of
from rlcalc.conform.target.objects import Bag
from rlcalc.time_limit import TimedOut

STATES, ACTIONS = 4, 2
LONGEST = 7
# the parts of a reply: what happened, and the table, a row a state and one for the end
STEPS, TABLE = "steps", "table"
# what a step is written down as
COLUMNS = ("state", "action", "reward", "after", "done")
# among values by place: the environment, and a policy that takes action after action
PLAYED, POLICY = "(environment)", "(policy)"


class Recorder(Environment):
    """One environment; ``seed`` decides where its actions lead and what they pay."""

    def __init__(self, seed: int, five: bool, info: bool) -> None:
        """Make one.

        Args:
            five: a step gives terminated and truncated, as in Gymnasium; else done.
            info: so does a reset beside the observation.
        """
        super().__init__(STATES + 1, ACTIONS)
        draw = random.Random(seed)
        pairs = [(s, a) for s in range(STATES) for a in range(ACTIONS)]
        leads = {pair: draw.randrange(STATES + 1) for pair in pairs}
        pays = {pair: draw.randrange(-12, 13) / 4 for pair in pairs}
        rows: list[tuple[float, ...]] = []
        now = {"state": STATES, "steps": 0, "begins": seed}

        def reset(*_: Any, **__: Any) -> Any:
            now.update(state=now["begins"] % STATES, steps=0, begins=now["begins"] + 1)
            return (now["state"], {}) if info else now["state"]

        def step(action: Any) -> Any:
            pair = now["state"], int(action)
            now["steps"] += 1
            after = STATES if now["steps"] >= LONGEST else leads[pair]
            done = after == STATES
            rows.append((*pair, pays[pair], after, done))
            now["state"] = after
            return (after, pays[pair], done, False, {}) if five else (after, pays[pair], done, {})

        self.rows = rows
        self |= {"reset": reset, "step": step, "close": lambda: None, "seed": lambda *_: None}
        self["action_space"] = Bag(n=ACTIONS, sample=lambda: draw.randrange(ACTIONS))
        self["observation_space"] = Bag(n=STATES + 1)
        self["unwrapped"] = self


def perform_play(function: Callable[..., Any], sheet: Mapping[str, Any]) -> Reply:
    """One call, with what it did in the environment and the table that it gives back.

    Args:
        sheet: ``values`` by parameter, of which ``PLAYED`` is the environment and ``POLICY`` a policy;
            ``seed``, ``five`` and ``info`` as ``Recorder`` takes them; of a method ``made``, what its class
            is made with, ``at``, the attribute that is the environment, and ``tables``, those that may be
            the table.
    """
    played = Recorder(sheet["seed"], sheet["five"], sheet["info"])
    draw = random.Random(sheet["seed"])
    made = {PLAYED: played, POLICY: lambda state: draw.randrange(ACTIONS)}

    def whole(values: Mapping[str, Any]) -> dict[str, Any]:
        return {n: made.get(v, v) if isinstance(v, str) else v for n, v in values.items()}

    try:
        with quiet(), same_numbers():
            owner = owner_of(function)
            learner = [] if owner is None else [owner(**whole(sheet["made"]))]
            if learner and sheet["at"]:
                setattr(learner[0], sheet["at"], played)
            answer = function(*learner, **whole(sheet["values"]))
            kept = tuple(getattr(one, name, None) for one in learner for name in sheet["tables"])
            table = _table(answer, *kept)
    except (KeyboardInterrupt, TimedOut):
        raise
    except BaseException as error:
        return raised(error)
    rows = np.array(played.rows, float).reshape(-1, len(COLUMNS))
    found = {STEPS: rows} | ({} if table is None else {TABLE: table})
    return Reply("answer", {name: as_part(array) for name, array in found.items()}, "mapping")


def _table(answer: Any, *kept: Any) -> Any:
    """The table that an answer is, or that stands first in it, or is kept; ``None`` for none."""
    parts = (*(answer if isinstance(answer, tuple) else (answer,)), *kept)
    return next((found for part in parts if (found := _as_table(part)) is not None), None)


def _as_table(value: Any) -> Any:
    """An array [S + 1, A] or [S + 1] of a table in any form; what is not in it is 0."""
    if isinstance(value, Mapping):
        pairs = value and all(isinstance(key, tuple) and len(key) > 1 for key in value)
        rows = [_entries(value, state, bool(pairs)) for state in range(STATES + 1)]
    elif hasattr(value, "__len__") and not isinstance(value, str) and len(value) in (STATES, STATES + 1):
        rows = [value[state] if state < len(value) else 0 for state in range(STATES + 1)]
    else:
        return None
    wide = any(np.ndim(_listed(row)) for row in rows)
    try:
        return np.array([_row(row) if wide else float(row) for row in rows])
    except (TypeError, ValueError):
        return None


def _entries(table: Mapping[Any, Any], state: int, pairs: bool) -> Any:
    if pairs:
        return [table.get((state, action), 0.0) for action in range(ACTIONS)]
    known = state in table  # a dict with defaults would answer to any
    return table[state] if known else 0


def _listed(row: Any) -> Any:
    return [row[action] for action in sorted(row)] if isinstance(row, Mapping) else row


def _row(row: Any) -> list[float]:
    if isinstance(row, Mapping):
        return [float(row.get(action, 0.0)) for action in range(ACTIONS)]
    return [float(entry) for entry in row] if np.ndim(row) else [0.0] * ACTIONS
