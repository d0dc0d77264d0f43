"""Tables of Gymnasium, {state: {action: [(probability, next state, reward, done), ...]}}: JSON or a game."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.mdp.draft import Draft
from rlcalc.mdp.model import MDP
from rlcalc.mdp.numbers import check_name, number
from rlcalc.nested import to_python

_SHORT = 1000  # a probability in floats is a fraction with a denominator up to this
_NEAR = Fraction(1, 10**9)
_GAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
END = "end"
# what Gymnasium numbers, in the order of its own documentation
_ACTIONS = {
    "FrozenLake": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pickup", "dropoff"),
}

Ways = list[tuple[Fraction, str, Fraction, bool]]
Table = dict[str, dict[str, Ways]]


def is_table(raw: Any) -> bool:
    """Whether something has the form of such a table: lists of transitions by state and action."""
    rows = _items(raw) if isinstance(raw, Mapping | list | tuple) else []
    if not rows or not all(isinstance(row, Mapping | list | tuple) for _, row in rows):
        return False
    ways = [way for _, row in rows for _, found in _items(row) for way in _as_list(found)]
    return bool(ways) and all(isinstance(way, list | tuple) and len(way) == 4 for way in ways)


def from_transitions(raw: Any, label: str, actions: Sequence[str] = ()) -> MDP:
    """Read a table.

    A state is terminal where it only stays, with every step done, or where every step into it is done. A
    step that is done but leads to a state that others go on from leads to the extra state ``end`` instead.

    Raises:
        InputError: ``mdp_wrong_shape`` and those of ``Draft.build``.
    """
    table = _read(raw, actions)
    draft = Draft(label)
    terminal = _terminal(table)
    ended = False
    for state, rows in table.items():
        for action, ways in rows.items():
            for chance, after, reward, done in ways if state not in terminal else ():
                ends = done and after not in terminal
                ended = ended or ends
                draft.add(state, action, END if ends else after, chance, reward)
    draft.first = (list(table), [a for rows in table.values() for a in rows])
    draft.terminal = [state for state in table if state in terminal] + [END] * ended
    return draft.build()


def _items(raw: Any) -> list[tuple[str, Any]]:
    raw = raw.items() if isinstance(raw, Mapping) else enumerate(raw)
    return [(str(to_python(key)), part) for key, part in raw]


def _as_list(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _read(raw: Any, actions: Sequence[str]) -> Table:
    table: Table = {}
    for state, rows in _items(raw):
        check_name(state)
        table[state] = {}
        for key, ways in _items(rows):
            action = actions[int(key)] if key.isdigit() and int(key) < len(actions) else key
            table[state][check_name(action)] = list(_ways(ways, f"state {state}, action {action}"))
    return table


def _ways(raw: Any, where: str) -> Iterator[tuple[Fraction, str, Fraction, bool]]:
    """Transitions of one pair; floats of probabilities are the short fractions that they round."""
    found = []
    for way in _as_list(raw):
        if not isinstance(way, list | tuple) or len(way) != 4:
            raise InputError(
                "mdp_wrong_shape",
                f"{where}: {shown(way)} is not (probability, next state, reward, done).",
                "A table is {state: {action: [[1.0, 0, 0.0, false], ...]}}.",
            )
        chance, after, reward, done = map(to_python, way)
        found.append(
            (number(chance, where), str(after), number(reward, where), str(done).lower() in ("true", "1"))
        )
    short = [chance.limit_denominator(_SHORT) for chance, _, _, _ in found]
    near = all(abs(a - chance) <= _NEAR for a, (chance, _, _, _) in zip(short, found, strict=True))
    rounded = near and sum(short) == 1
    for fraction, (chance, after, reward, done) in zip(short, found, strict=True):
        if chance or done:
            yield fraction if rounded else chance, after, reward, done


def _terminal(table: Table) -> set[str]:
    """States in which nothing is left to happen."""
    into: dict[str, list[bool]] = {}
    for state, rows in table.items():
        for ways in rows.values():
            for chance, after, _, done in ways:
                if after != state and chance:
                    into.setdefault(after, []).append(done)
    first = next(iter(table), "")
    return {
        state
        for state, rows in table.items()
        if all(
            done and after == state and not reward
            for ways in rows.values()
            for _, after, reward, done in ways
        )
        or (state != first and into.get(state) and all(into[state]))
    }


def from_game(text: str) -> MDP:
    """The table of a game of Gymnasium: ``FrozenLake-v1``, ``FrozenLake-v1:is_slippery=false,map_name=8x8``.

    Raises:
        InputError: ``gymnasium_missing``, ``mdp_no_table``.
        UnknownName: ``mdp_unknown``.
    """
    name, _, options = text.partition(":")
    if not _GAME.fullmatch(name):
        raise UnknownName("mdp_unknown", f"{shown(name)} is not a name of a game.", "Try gym:FrozenLake-v1.")
    try:
        import gymnasium
    except ImportError as error:
        raise InputError(
            "gymnasium_missing",
            "gym: needs Gymnasium, which is not installed.",
            "pip install gymnasium, or give its table as a JSON file.",
        ) from error
    try:
        game: Any = gymnasium.make(name, **_options(options)).unwrapped
    except (gymnasium.error.Error, TypeError, ValueError, KeyError, AssertionError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise UnknownName(
            "mdp_unknown",
            f"Gymnasium cannot make {shown(text)}: {shown(first, 120)}.",
            suggestion(name, list(gymnasium.registry)) or "Try gym:FrozenLake-v1 or gym:CliffWalking-v1.",
        ) from None
    if not hasattr(game, "P"):
        raise InputError(
            "mdp_no_table",
            f"{name} has no table of transitions, so its values cannot be solved for.",
            "Games with a table are FrozenLake, CliffWalking and Taxi.",
        )
    made = from_transitions(game.P, f"gym:{text}", _ACTIONS.get(name.partition("-")[0], ()))
    return _on_a_grid(made, game)


def _options(text: str) -> dict[str, Any]:
    """``is_slippery=false,map_name=8x8`` as arguments of the game."""
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, sign, value = part.partition("=")
        if not sign or not key.isidentifier():
            raise InputError(
                "mdp_unknown", f"{shown(part)} is not an option of a game.", "Write gym:NAME:option=value."
            )
        known = {"true": True, "false": False}
        found[key] = known.get(value.lower(), int(value) if value.isdigit() and len(value) < 10 else value)
    return found


def _on_a_grid(made: MDP, game: Any) -> MDP:
    """The process with the cells of its states, where the game is a grid of as many cells."""
    rows, columns = getattr(game, "shape", None) or (getattr(game, "nrow", 0), getattr(game, "ncol", 0))
    cells = [state for state in made.states if state != END]
    if not rows or rows * columns != len(cells) or len(cells) != len(made.states):
        return made
    return replace(made, places=tuple(divmod(int(state), columns) for state in made.states))
