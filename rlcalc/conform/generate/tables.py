"""Small decision processes, and the tables of numbers that belong to one.

Two to four states and one to three actions. Transition probabilities are
quarters and rewards come from the pool, so that both floating dtypes hold
a process exactly and an episode that can end does so soon: a chance of 1 in a
thousand to end would cost float32 three of its digits, and no one would be at fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.generate.number_pool import Numbers, below, pool
from rlcalc.specs import Formula, Parameter

NAME = "mdp"
BOUNDS = {"S": (2, 4), "A": (1, 3)}
# nearer to 1 the system is so badly conditioned that float32 has no digits left
LARGEST_GAMMA = Fraction(127, 128)
# trajectories are enumerated where a horizon is given
LONGEST_HORIZON = 3

Table = dict[str, Any]


def count(lengths: Sequence[int]) -> int:
    """Bytes of one process: three per action in a state, one per state, two for the rest."""
    states, actions = lengths
    return 3 * states * actions + states + 2


def read(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Table:
    """A table as ``read_mdp`` takes it, with exact numbers."""
    states, actions = lengths
    pairs = states * actions
    first, third, paid = (data[k * pairs : (k + 1) * pairs] for k in range(3))
    over = list(data[3 * pairs : 3 * pairs + states])
    begin, shape = data[3 * pairs + states], data[3 * pairs + states + 1]
    # where every step leads on to a later state, each episode ends: gamma 1 and no horizon are then allowed
    onward = shape % 2 == 1
    terminal = [s for s in range(states) if over[s] % 4 == 3]
    if (onward or over[-1] % 8 != 6) and states - 1 not in terminal:
        terminal.append(states - 1)
    if len(terminal) == states:
        terminal.remove(0)
    numbers = pool(None, None, (False, False))
    rows: list[Any] = []
    rewards: list[Any] = []
    for s in range(states):
        here = range(s * actions, (s + 1) * actions) if s not in terminal else ()
        low = s + 1 if onward else 0
        rows.append([_chances(first[k], third[k], low, states) for k in here])
        rewards.append([numbers[paid[k]] for k in here])
    table: Table = {"P": rows, "R": rewards, "terminal": terminal}
    start = _chances(begin, 0, 0, states)
    # the first state is where an episode starts unless something else is said
    return table if start[0] == 1 else {**table, "start": start}


def _chances(byte: int, other: int, low: int, count: int) -> list[Fraction]:
    """Quarters for up to three of the states from ``low`` on."""
    width = count - low
    quarters = [0] * count
    one, two, share = byte % width, byte // 4 % width, byte // 16 % 4
    quarters[low + one] += 4 - share
    quarters[low + two] += share
    if other // 4 % 4 == 3:
        quarters[low + one] -= 1
        quarters[low + other % width] += 1
    return [Fraction(k, 4) for k in quarters]


def finish(formula: Formula, draft: Draft, switches: Mapping[str, int]) -> Draft:
    """Give tables one row for each state, for each that goes on, or one for all; cut the horizon."""
    if NAME not in draft.shared:
        return draft
    for p in _row_tables(formula):
        if switches.get(p.name) == 1:
            draft = draft.mapped(p.name, partial(_rows_at, _live(draft.shared[NAME])))
        elif switches.get(p.name) == 0 and not p.distribution:
            draft = draft.mapped(p.name, partial(_rows_at, [0]))
    # a drawn table has no names, so nothing can put its states in an order; sweeps that may be left out
    # are shown beside the answer, which a function does not return
    beside = any(p.name == "sweeps" and p.optional for p in formula.parameters)
    idle = ["order", "sweeps", "values", "in_place"] if beside else ["order"]
    for p in formula.parameters:
        if p.name in idle and p.optional:
            draft = draft.without(p.name)
    for name in ("horizon", "sweeps"):
        steps = draft.shared.get(name, math.inf)
        if steps != math.inf:
            draft = draft.with_shared(name, 1 + (steps - 1) % LONGEST_HORIZON)
    return draft


def normalise(draft: Draft) -> Draft:
    """Keep the discount away from 1 unless it is 1."""
    gamma = draft.shared.get("gamma")
    if NAME not in draft.shared or gamma is None or gamma == 1 or gamma <= LARGEST_GAMMA:
        return draft
    return draft.with_shared("gamma", LARGEST_GAMMA)


def smaller(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """Simpler processes: fewer states, fewer actions, certain transitions, plainer rewards."""
    table = draft.shared.get(NAME)
    if table is None:
        return
    states = len(table["P"])
    for s in reversed(range(states)):
        yield from _without_state(formula, draft, s)
    for a in reversed(range(_actions(table))):
        if _actions(table) > 1:
            yield _without_action(formula, draft, a)
    for s in _live(table):
        if len(_live(table)) > 1:
            yield _ended(formula, draft, s)
    for p in _row_tables(formula):
        for k in range(_height(draft, p.name)):
            if _height(draft, p.name) > 1 and not p.distribution:
                yield draft.mapped(p.name, partial(_rows_at, [k]))
    if "start" in table:
        yield draft.with_shared(NAME, {key: part for key, part in table.items() if key != "start"})
    yield from _plainer(draft, table)


def _plainer(draft: Draft, table: Table) -> Iterator[Draft]:
    last = len(table["P"]) - 1
    for s, rows in enumerate(table["P"]):
        for a, row in enumerate(rows):
            ways = [t for t, chance in enumerate(row) if chance]
            for t in dict.fromkeys([last, *ways]):
                if len(ways) > 1 or (t == last and ways != [last]):
                    yield draft.with_shared(
                        NAME, {**table, "P": _put(table["P"], s, a, _certain(t, last + 1))}
                    )
    if any(x for row in table["R"] for x in row):
        yield draft.with_shared(NAME, {**table, "R": [[Fraction(0)] * len(row) for row in table["R"]]})
    for s, rewards in enumerate(table["R"]):
        for a, reward in enumerate(rewards):
            for plain in below(reward):
                yield draft.with_shared(NAME, {**table, "R": _put(table["R"], s, a, plain)})


def _without_state(formula: Formula, draft: Draft, s: int) -> Iterator[Draft]:
    """The draft without a state; what led there leads to the last one left, or back to where it came from."""
    table = draft.shared[NAME]
    left = [t for t in range(len(table["P"])) if t != s]
    live = _live(table)
    if live == [s] or not left:
        return
    for stays in (False, True):
        rows = []
        for t in left:
            to = left.index(t) if stays else len(left) - 1
            rows.append([_moved(row, s, to) for row in table["P"][t]])
        new = {
            "P": rows,
            "R": [table["R"][t] for t in left],
            "terminal": [left.index(t) for t in table["terminal"] if t != s],
        }
        if "start" in table:
            new["start"] = _moved(table["start"], s, 0)
        yield _cut_rows(formula, draft.with_shared(NAME, new), table, s)


def _without_action(formula: Formula, draft: Draft, a: int) -> Draft:
    table = draft.shared[NAME]
    new = {
        **table,
        "P": [rows[:a] + rows[a + 1 :] for rows in table["P"]],
        "R": [row[:a] + row[a + 1 :] for row in table["R"]],
    }
    draft = draft.with_shared(NAME, new)
    for p in _row_tables(formula):
        drop: Callable[[Any], Any] = partial(_moved, s=a, to=0) if p.distribution else partial(_dropped, a)
        draft = draft.mapped(p.name, partial(_each_row, drop))
    return draft


def _ended(formula: Formula, draft: Draft, s: int) -> Draft:
    """The draft with one more terminal state."""
    table = draft.shared[NAME]
    new = {
        **table,
        "P": [[] if t == s else rows for t, rows in enumerate(table["P"])],
        "R": [[] if t == s else row for t, row in enumerate(table["R"])],
        "terminal": sorted([*table["terminal"], s]),
    }
    return _cut_rows(formula, draft.with_shared(NAME, new), table, s, whole=False)


def _cut_rows(formula: Formula, draft: Draft, table: Table, s: int, whole: bool = True) -> Draft:
    """Tables without the row of a state, where they have one row a state, or one a state that goes on."""
    count, live = len(table["P"]), _live(table)
    for p in _row_tables(formula):
        height = _height(draft, p.name)
        if height == count and whole:
            draft = draft.mapped(p.name, partial(_rows_at, [t for t in range(count) if t != s]))
        elif height == len(live) < count and s in live:
            draft = draft.mapped(p.name, partial(_rows_at, [k for k, t in enumerate(live) if t != s]))
    return draft


def _moved(row: Sequence[Fraction], s: int, to: int) -> list[Fraction]:
    """Chances without entry ``s``, whose share goes to entry ``to`` of what is left."""
    left = _dropped(s, row)
    left[to] += row[s]
    return left


def _dropped(s: int, row: Sequence[Any]) -> list[Any]:
    return [*row[:s], *row[s + 1 :]]


def _certain(t: int, count: int) -> list[Fraction]:
    return [Fraction(k == t) for k in range(count)]


def _put(rows: Sequence[Sequence[Any]], s: int, a: int, value: Any) -> list[list[Any]]:
    found = [list(row) for row in rows]
    found[s][a] = value
    return found


def _live(table: Table) -> list[int]:
    return [s for s in range(len(table["P"])) if s not in table["terminal"]]


def _actions(table: Table) -> int:
    return max(len(rows) for rows in table["P"])


def _row_tables(formula: Formula) -> list[Parameter]:
    """Parameters with rows for states: a policy, preferences."""
    return [p for p in formula.parameters if p.shape[:1] == ("K",)]


def _height(draft: Draft, name: str) -> int:
    """Rows of a table; 0 where it is left at its default."""
    return len(draft.rows[0].get(name, ()))


def _rows_at(kept: Sequence[int], rows: Sequence[Any]) -> list[Any]:
    return [rows[k] for k in kept]


def _each_row(change: Callable[[Any], Any], rows: Sequence[Any]) -> list[Any]:
    return [change(row) for row in rows]
