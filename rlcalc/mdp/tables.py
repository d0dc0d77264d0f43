"""Files and tables -> MDP: every probability and reward read exactly, every shape checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from rlcalc.data import parse_toml
from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.mdp.model import MDP, Moves, Row
from rlcalc.mdp.numbers import check_name, number
from rlcalc.nested import to_python

MAX_ENTRIES = 200_000  # of P; every one is an exact fraction
KEYS = ("P", "R", "states", "actions", "terminal", "start", "name")
ARRAYS = ("p", "r", "start", "terminal", "states", "actions")
# what the probabilities of a row, rounded to float32, may miss 1 by
ROUNDING = Fraction(1, 10**6)


def from_toml(text: str, path: Path) -> MDP:
    """A file with the keys of ``from_table``.

    Raises:
        InputError: ``mdp_file_not_toml`` and those of ``from_table``.
    """
    try:
        # a decimal number keeps its digits as text: 0.1 is 1/10 and nothing else
        table = parse_toml(text, parse_float=str)
    except ValueError as error:
        raise InputError("mdp_file_not_toml", f"{shown(path)} is not valid TOML: {error}.") from error
    return from_table(table, str(path))


def from_table(table: Mapping[str, Any], label: str) -> MDP:
    _check_keys(table, KEYS, ("P", "R"), "P is [S][A][S'], R is [S][A].")
    p, r = to_python(table["P"]), to_python(table["R"])
    if not isinstance(p, list) or not p or not all(isinstance(rows, list) for rows in p):
        _shape("P must be a list of states, each a list of actions, each a row of probabilities")
    count = len(p)
    width = max(len(rows) for rows in p)
    if not width:
        _shape("P has no actions")
    if count * width * count > MAX_ENTRIES:
        raise InputError("mdp_too_large", f"P has more than {MAX_ENTRIES} entries ({count} states).")
    states = _names(table.get("states"), "s", count, "states")
    actions = _names(table.get("actions"), "a", width, "actions")
    ending = {_index(word, states, "terminal") for word in _listed(table.get("terminal", []))}
    terminal = tuple(s in ending for s in range(count))
    chances = tuple(_state_rows(s, p[s], states, actions, terminal[s]) for s in range(count))
    if not isinstance(r, list) or len(r) != count:
        _shape(f"R must have one entry per state, {count}")
    rewards = tuple(_state_rewards(s, r[s], chances[s], states, actions, terminal[s]) for s in range(count))
    name = str(table.get("name", "")) or f"MDP of {count} states and {width} actions"
    check_name(name)
    moves = tuple(tuple(map(_moves, rows)) for rows in chances)
    return MDP(
        moves, rewards, terminal, states, actions, _start(table.get("start", 0), states), label or name
    )


def _moves(row: Row | None) -> Moves | None:
    return None if row is None else tuple((t, chance) for t, chance in enumerate(row) if chance)


def from_arrays(table: Mapping[str, Any]) -> MDP:
    """Arrays as numeric code has them: p [S, A, S'], r [S, A], and if need be start [S], terminal [S].

    Names of ``states`` and ``actions`` are for inputs that name them.
    ``terminal`` is a mask; rows of terminal states are zeros. Floating
    probabilities are rounded: a row that misses 1 by no more than that gets
    the rest at its largest entry. A row of zeros beside others is an action
    that the state does not have.
    """
    _check_keys(table, ARRAYS, ("p", "r"), "p is [S, A, S'], r is [S, A].")
    p, r = to_python(table["p"]), to_python(table["r"])
    if not isinstance(p, list) or not all(isinstance(rows, list) for rows in p):
        _shape("p must have the shape [S, A, S']")
    flags = to_python(table.get("terminal", [False] * len(p)))
    if not isinstance(flags, list) or len(flags) != len(p) or any(flag not in (0, 1) for flag in flags):
        _shape(f"terminal must be {len(p)} flags, one per state")
    found = {"P": [_present([_completed(row) for row in rows], flags[s]) for s, rows in enumerate(p)], "R": r}
    found["terminal"] = [s for s, flag in enumerate(flags) if flag]
    found |= {name: table[name] for name in ("states", "actions") if name in table}
    if "start" in table:
        found["start"] = _completed(to_python(table["start"]))
    return from_table(found, "")


def _check_keys(table: Mapping[str, Any], known: Sequence[str], needed: Sequence[str], hint: str) -> None:
    for key in table:
        if key not in known:
            nearest = suggestion(str(key), list(known)) or f"The keys are {', '.join(known)}."
            raise UnknownName("mdp_unknown_key", f"An MDP has no key {shown(key)}.", nearest)
    for key in needed:
        if key not in table:
            raise InputError("mdp_key_missing", f"The MDP lacks {key}.", hint)


def _present(rows: list[Any], terminal: Any) -> list[Any]:
    """Rows of a state, those of zeros empty where there are others."""
    some = not terminal and any(isinstance(row, list) and any(row) for row in rows)
    return [[] if some and isinstance(row, list) and not any(row) else row for row in rows]


def _completed(row: Any) -> Any:
    """Probabilities with their rounding undone, as exact numbers."""
    if not isinstance(row, list) or not all(type(entry) in (int, float) for entry in row):
        return row
    exact = [number(entry, "a probability") for entry in row]
    missing = 1 - sum(exact, Fraction(0))
    if exact and 0 < abs(missing) <= ROUNDING:
        exact[exact.index(max(exact))] += missing
    return exact


def _state_rows(
    s: int, rows: list[Any], states: Sequence[str], actions: Sequence[str], terminal: bool
) -> tuple[Row | None, ...]:
    """P(.|s, a) for every action, ``None`` for one with an empty row; a terminal state may have no rows."""
    stays = tuple(Fraction(t == s) for t in range(len(states)))
    if terminal and not rows:
        return (stays,) * len(actions)
    if len(rows) != len(actions):
        _shape(f"P of state {states[s]} has {len(rows)} rows, expected {len(actions)}, one per action")
    found: list[Row | None] = []
    for row, action in zip(rows, actions, strict=True):
        where = f"P(.|{states[s]}, {action})"
        if row == [] and not terminal:
            found.append(None)
            continue
        if not isinstance(row, list) or len(row) != len(states):
            _shape(f"{where} must be {len(states)} probabilities, one per state")
        chances = tuple(number(entry, where) for entry in row)
        for chance in chances:
            if chance < 0:
                raise InputError(
                    "mdp_negative_probability", f"{where} holds {chance}, which is not a probability."
                )
        if terminal and (chances == stays or not any(chances)):
            found.append(stays)
            continue
        if terminal:
            raise InputError(
                "mdp_terminal_moves",
                f"{states[s]} is terminal, but {where} leads out of it.",
                "A terminal state has nothing after it: leave its rows empty, or let it stay.",
            )
        if sum(chances) != 1:
            raise InputError(
                "mdp_row_not_one",
                f"{where} sums to {sum(chances)}, not to 1.",
                "Write fractions such as 1/3 where decimals do not add up exactly.",
            )
        found.append(chances)
    if not any(found):
        _shape(f"P of state {states[s]} is empty, and {states[s]} is not terminal")
    return tuple(found)


def _state_rewards(
    s: int,
    row: Any,
    chances: tuple[Row | None, ...],
    states: Sequence[str],
    actions: Sequence[str],
    terminal: bool,
) -> Row:
    """R(s, a), the expectation terminal successors where rewards depend on them."""
    if terminal and row == []:
        return (Fraction(0),) * len(actions)
    where = f"R of state {states[s]}"
    if not isinstance(row, list) or len(row) != len(actions):
        _shape(f"{where} must have {len(actions)} entries, one per action")
    found = []
    for a, entry in enumerate(row):
        reach = chances[a]
        if reach is None:
            found.append(Fraction(0))
        elif isinstance(entry, list):
            if len(entry) != len(states):
                _shape(f"{where}, action {actions[a]}, must have {len(states)} entries, one per successor")
            rewards = [number(part, where) for part in entry]
            found.append(sum((chance * x for chance, x in zip(reach, rewards, strict=True)), Fraction(0)))
        else:
            found.append(number(entry, where))
    if terminal and any(found):
        raise InputError(
            "mdp_terminal_moves",
            f"{states[s]} is terminal, so nothing is earned there, but its rewards are not 0.",
            "Give the reward to the step that enters it.",
        )
    return tuple(found)


def _start(raw: Any, states: Sequence[str]) -> Row:
    raw = to_python(raw)
    if not isinstance(raw, list):
        first = _index(raw, states, "start")
        return tuple(Fraction(s == first) for s in range(len(states)))
    if len(raw) != len(states):
        _shape(f"start must be a state or {len(states)} probabilities")
    chances = tuple(number(entry, "start") for entry in raw)
    if min(chances) < 0:
        raise InputError(
            "mdp_negative_probability", f"start holds {min(chances)}, which is not a probability."
        )
    if sum(chances) != 1:
        raise InputError("mdp_row_not_one", f"start sums to {sum(chances)}, not to 1.")
    return chances


def _names(raw: Any, letter: str, count: int, what: str) -> tuple[str, ...]:
    if raw is None:
        return tuple(f"{letter}{k}" for k in range(count))
    if not isinstance(raw, list | tuple) or len(raw) != count:
        _shape(f"{what} must be {count} names")
    for name in raw:
        check_name(name)
    if len(set(raw)) != count:
        raise InputError("mdp_bad_name", f"Two of the {what} have the same name.")
    return tuple(raw)


def _listed(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _index(raw: Any, states: Sequence[str], what: str) -> int:
    if isinstance(raw, str) and raw in states:
        return states.index(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < len(states):
        return raw
    hint = suggestion(str(raw), list(states)) or f"The states are {', '.join(states[:12])}."
    raise UnknownName("mdp_unknown_state", f"{what} names {shown(raw)}, which is not a state.", hint)


def _shape(why: str) -> NoReturn:
    raise InputError("mdp_wrong_shape", f"{why}.", "P is [S][A][S'], R is [S][A] or [S][A][S'].")
