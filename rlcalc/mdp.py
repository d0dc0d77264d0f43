"""Finite Markov decision processes with exact probabilities and rewards.

``read_mdp`` takes a built-in name, the path of a TOML file, a dict of the
same keys, or an MDP, checks it over the rationals and hands back an ``MDP``.
Nothing in a file or a name is ever executed.

    grid2x2             the 2×2 grid of section 3.4: actions U D L R, bumping stays, +1 on entering the goal
    grid2x2:slip=1/5    with that probability the action is replaced by one of all four, drawn uniformly
    bandit              the two actions of section 4.4: L pays 10, R pays 0, then it is over
    tokens              two tokens out of {3, 4, 5}, reward 1 if and only if the last one is 5

A file has the keys ``P`` ([S][A][S'], numbers as text or integers), ``R``
([S][A], or [S][A][S'], of which the expectation is kept), and optionally
``states``, ``actions`` (names), ``terminal`` (names or indices), ``start``
(name, index or one probability per state) and ``name``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.exact import parse_number

MAX_ENTRIES = 200_000  # of P; every one is an exact fraction
MAX_DIGITS = 60  # of a numerator or denominator: exact elimination multiplies them
MAX_FILE = 4_000_000  # bytes
KEYS = ("P", "R", "states", "actions", "terminal", "start", "name")

_NAME = re.compile(r"[\w .,;:()+*/|<>=@!?'\-]{1,40}")
_MOVES = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}

Row = tuple[Fraction, ...]
Trajectory = tuple[tuple[int, ...], tuple[int, ...]]  # states, one more than actions; actions


@dataclass(frozen=True)
class MDP:
    """A finite MDP; build one with ``read_mdp``, which checks it.

    Attributes:
        p: P(s'|s,a) as [S][A][S']; a terminal state stays where it is.
        r: expected reward of action a in state s as [S][A]; 0 in terminal states.
        terminal: per state, whether the episode is over there.
        start: probability of starting in each state.
        label: how a person would name this MDP again.
    """

    p: tuple[tuple[Row, ...], ...]
    r: tuple[Row, ...]
    terminal: tuple[bool, ...]
    states: tuple[str, ...]
    actions: tuple[str, ...]
    start: Row
    label: str

    @property
    def live(self) -> tuple[int, ...]:
        """Indices of the states that are not terminal."""
        return tuple(s for s, over in enumerate(self.terminal) if not over)

    def successors(self, s: int, a: int) -> tuple[int, ...]:
        return tuple(t for t, chance in enumerate(self.p[s][a]) if chance)

    def proper_policy(self) -> tuple[int | None, ...]:
        """For each live state an action that leads to the end of the episode.

        Following these actions ends the episode with probability 1; ``None``
        stands for terminal states and for those from which no policy does.
        """
        lost: set[int] = set()
        while True:
            found = self._attracted(lost)
            # a way out that may fall into a state without one is no sure way out
            shut = set(self.live) - set(found)
            if shut == lost:
                return tuple(found.get(s) for s in range(len(self.states)))
            lost = shut

    def _attracted(self, lost: set[int]) -> dict[int, int]:
        """Actions by breadth-first search from the terminal states, never entering ``lost``."""
        found: dict[int, int] = {}
        layer = {s for s, over in enumerate(self.terminal) if over}
        reached = set(layer)
        while layer:
            layer = set()
            for s in self.live:
                for a in range(len(self.actions)):
                    ways = set(self.successors(s, a))
                    if s not in reached and ways & reached and not ways & lost:
                        found[s] = a
                        layer.add(s)
                        break
            reached |= layer
        return found

    def longest(self) -> int | None:
        """Steps of the longest possible episode; ``None`` when a state can come back."""
        depth: dict[int, int] = {s: 0 for s, over in enumerate(self.terminal) if over}
        waiting = set(self.live)
        while waiting:
            ready = {
                s: 1 + max(depth[t] for t in after)
                for s in waiting
                if (after := {t for a in range(len(self.actions)) for t in self.successors(s, a)})
                <= depth.keys()
            }
            if not ready:
                return None
            depth |= ready
            waiting -= ready.keys()
        return max(depth[s] for s, chance in enumerate(self.start) if chance)

    def trajectories(self, horizon: int, limit: int) -> list[Trajectory]:
        """Every possible (states, actions) up to the end or ``horizon`` actions.

        Raises:
            InputError: ``too_many_trajectories``, above ``limit``.
        """
        found: list[Trajectory] = [((s,), ()) for s, chance in enumerate(self.start) if chance]
        done: list[Trajectory] = []
        for _ in range(horizon):
            longer: list[Trajectory] = []
            for states, actions in found:
                if self.terminal[states[-1]]:
                    done.append((states, actions))
                    continue
                for a in range(len(self.actions)):
                    longer += [((*states, t), (*actions, a)) for t in self.successors(states[-1], a)]
                if len(longer) + len(done) > limit:
                    raise InputError(
                        "too_many_trajectories",
                        f"{shown(self.label)} has more than {limit} different trajectories of at most "
                        f"{horizon} {'action' if horizon == 1 else 'actions'}; each is enumerated.",
                        "Take a shorter horizon or a smaller MDP.",
                    )
            found = longer
            if not found:
                break
        return done + found

    def arrays(self, backend: str, dtype: Any, device: Any = None) -> MDPArrays:
        """Arrays for the numeric forms, of one dtype and on one device."""
        stays = [[0.0] * len(self.states)] * len(self.actions)
        p = [
            stays if over else [[float(chance) for chance in row] for row in rows]
            for over, rows in zip(self.terminal, self.p, strict=True)
        ]
        r = [[float(reward) for reward in row] for row in self.r]
        start = [float(chance) for chance in self.start]
        if backend == "numpy":
            import numpy as np

            return MDPArrays(self, *(np.asarray(part, dtype) for part in (p, r, start)))
        import torch

        return MDPArrays(self, *(torch.tensor(part, dtype=dtype, device=device) for part in (p, r, start)))


@dataclass(frozen=True)
class MDPArrays:
    """An MDP as arrays of one backend.

    ``p`` [S, A, S'] has zero rows for terminal states, since nothing follows
    them; ``r`` [S, A] is the expected reward; ``start`` [S]. ``mdp`` is the
    exact original, for what is combinatorial.
    """

    mdp: MDP
    p: Any
    r: Any
    start: Any


def read_mdp(raw: Any) -> MDP:
    """Read and check an MDP.

    Args:
        raw: a built-in name (``"grid2x2"``, ``"grid2x2:slip=1/5"``), the path
            of a TOML file, a dict with the keys of such a file, or an MDP.

    Raises:
        UnknownName: ``mdp_unknown``, ``mdp_unknown_key``.
        InputError: ``mdp_row_not_one``, ``mdp_negative_probability``,
            ``mdp_wrong_shape``, ``mdp_terminal_moves``, ``mdp_key_missing``,
            ``mdp_bad_name``, ``mdp_not_rational``, ``mdp_too_large``,
            ``mdp_file_unreadable``, ``mdp_file_not_toml``, and the
            ``number_...`` codes of the expression grammar.
    """
    if isinstance(raw, MDP):
        return raw
    if isinstance(raw, list | tuple) and len(raw) == 1:
        return read_mdp(raw[0])
    if isinstance(raw, Mapping):
        return _from_table(raw, "")
    if isinstance(raw, Path):
        return _from_file(raw)
    if not isinstance(raw, str):
        raise InputError(
            "mdp_unknown", f"An MDP is a name, a TOML file or a dict, not {shown(raw)}.", _known()
        )
    name, _, option = raw.partition(":")
    if name in BUILT_IN:
        return BUILT_IN[name](option)
    path = Path(raw)
    if raw.endswith(".toml") or _is_file(path):
        return _from_file(path)
    raise UnknownName(
        "mdp_unknown", f"There is no MDP {shown(raw)}.", suggestion(name, list(BUILT_IN)) or _known()
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text too long for a name
        return False


def _known() -> str:
    return f"Built in are {', '.join(BUILT_IN)}; otherwise give the path of a TOML file."


# files and tables


def _from_file(path: Path) -> MDP:
    import tomllib

    try:
        if path.stat().st_size > MAX_FILE:
            raise InputError("mdp_too_large", f"{shown(path)} is larger than {MAX_FILE} bytes.")
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(
            "mdp_file_unreadable", f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("mdp_file_not_toml", f"{shown(path)} is not UTF-8 text.") from error
    try:
        # a decimal number keeps its digits as text: 0.1 is 1/10 and nothing else
        table = tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError("mdp_file_not_toml", f"{shown(path)} is not valid TOML: {error}.") from error
    return _from_table(table, str(path))


def _from_table(table: Mapping[str, Any], label: str) -> MDP:
    for key in table:
        if key not in KEYS:
            hint = suggestion(str(key), list(KEYS)) or f"The keys are {', '.join(KEYS)}."
            raise UnknownName("mdp_unknown_key", f"An MDP has no key {shown(key)}.", hint)
    for key in ("P", "R"):
        if key not in table:
            raise InputError("mdp_key_missing", f"The MDP lacks {key}.", "P is [S][A][S'], R is [S][A].")
    p, r = _plain(table["P"]), _plain(table["R"])
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
    over = {_index(word, states, "terminal") for word in _listed(table.get("terminal", []))}
    terminal = tuple(s in over for s in range(count))
    chances = tuple(_state_rows(s, p[s], states, actions, terminal[s]) for s in range(count))
    if not isinstance(r, list) or len(r) != count:
        _shape(f"R must have one entry per state, {count}")
    rewards = tuple(_state_rewards(s, r[s], chances[s], states, actions, terminal[s]) for s in range(count))
    name = str(table.get("name", "")) or f"MDP of {count} states and {width} actions"
    if not _NAME.fullmatch(name):
        _bad_name(name)
    return MDP(
        chances, rewards, terminal, states, actions, _start(table.get("start", 0), states), label or name
    )


def _plain(value: Any) -> Any:
    """Nested lists for tuples and arrays."""
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        value = value.tolist()
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _state_rows(
    s: int, rows: list[Any], states: Sequence[str], actions: Sequence[str], over: bool
) -> tuple[Row, ...]:
    """P(.|s, a) for every action; a terminal state may leave its rows out."""
    stays = tuple(Fraction(t == s) for t in range(len(states)))
    if over and not rows:
        return (stays,) * len(actions)
    if len(rows) != len(actions):
        _shape(f"P of state {states[s]} has {len(rows)} rows, expected {len(actions)}, one per action")
    found = []
    for row, action in zip(rows, actions, strict=True):
        where = f"P(.|{states[s]}, {action})"
        if not isinstance(row, list) or len(row) != len(states):
            _shape(f"{where} must be {len(states)} probabilities, one per state")
        chances = tuple(_number(entry, where) for entry in row)
        for chance in chances:
            if chance < 0:
                raise InputError(
                    "mdp_negative_probability", f"{where} holds {chance}, which is no probability."
                )
        if over and (chances == stays or not any(chances)):
            found.append(stays)
            continue
        if over:
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
    return tuple(found)


def _state_rewards(
    s: int, row: Any, chances: tuple[Row, ...], states: Sequence[str], actions: Sequence[str], over: bool
) -> Row:
    """R(s, a), the expectation over successors where rewards depend on them."""
    if over and row == []:
        return (Fraction(0),) * len(actions)
    where = f"R of state {states[s]}"
    if not isinstance(row, list) or len(row) != len(actions):
        _shape(f"{where} must have {len(actions)} entries, one per action")
    found = []
    for a, entry in enumerate(row):
        if isinstance(entry, list):
            if len(entry) != len(states):
                _shape(f"{where}, action {actions[a]}, must have {len(states)} entries, one per successor")
            rewards = [_number(part, where) for part in entry]
            found.append(
                sum((chance * x for chance, x in zip(chances[a], rewards, strict=True)), Fraction(0))
            )
        else:
            found.append(_number(entry, where))
    if over and any(found):
        raise InputError(
            "mdp_terminal_moves",
            f"{states[s]} is terminal, so nothing is earned there, but its rewards are not 0.",
            "Give the reward to the step that enters it.",
        )
    return tuple(found)


def _start(raw: Any, states: Sequence[str]) -> Row:
    raw = _plain(raw)
    if not isinstance(raw, list):
        first = _index(raw, states, "start")
        return tuple(Fraction(s == first) for s in range(len(states)))
    if len(raw) != len(states):
        _shape(f"start must be a state or {len(states)} probabilities")
    chances = tuple(_number(entry, "start") for entry in raw)
    if min(chances) < 0:
        raise InputError("mdp_negative_probability", f"start holds {min(chances)}, which is no probability.")
    if sum(chances) != 1:
        raise InputError("mdp_row_not_one", f"start sums to {sum(chances)}, not to 1.")
    return chances


def _number(raw: Any, where: str) -> Fraction:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Fraction):
        raise InputError("number_syntax", f"{where} holds {shown(raw)}, which is no number.")
    if isinstance(raw, float):
        raw = repr(raw)
    number = parse_number(raw, name=where, symbols=False) if isinstance(raw, str) else Fraction(raw)
    if not isinstance(number, Fraction):
        raise InputError(
            "mdp_not_rational", f"{where} holds {shown(raw)}.", "An MDP is solved over the rationals."
        )
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_DIGITS * 3.33:
        raise InputError("mdp_too_large", f"{where} holds a number of more than {MAX_DIGITS} digits.")
    return number


def _names(raw: Any, letter: str, count: int, what: str) -> tuple[str, ...]:
    if raw is None:
        return tuple(f"{letter}{k}" for k in range(count))
    if not isinstance(raw, list | tuple) or len(raw) != count:
        _shape(f"{what} must be {count} names")
    for name in raw:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            _bad_name(name)
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
    raise UnknownName("mdp_unknown_state", f"{what} names {shown(raw)}, which is no state.", hint)


def _shape(why: str) -> NoReturn:
    raise InputError("mdp_wrong_shape", f"{why}.", "P is [S][A][S'], R is [S][A] or [S][A][S'].")


def _bad_name(name: Any) -> NoReturn:
    raise InputError(
        "mdp_bad_name",
        f"{shown(name)} cannot be a name here.",
        "Use 1 to 40 letters, digits, spaces and simple signs.",
    )


# built-in ones


def _grid(option: str) -> MDP:
    key, _, text = option.partition("=")
    if option and key != "slip":
        raise UnknownName("mdp_unknown", f"grid2x2 has no option {shown(option)}.", "Try grid2x2:slip=1/5.")
    slip = _number(text, "slip") if option else Fraction(0)
    if not 0 <= slip <= 1:
        raise InputError("mdp_negative_probability", f"slip must be in [0, 1], not {slip}.")
    cells = [(0, 0), (0, 1), (1, 0), (1, 1)]
    goal = (1, 1)

    def land(cell: tuple[int, int], move: str) -> int:
        there = (cell[0] + _MOVES[move][0], cell[1] + _MOVES[move][1])
        return cells.index(there if there in cells else cell)

    p, r = [], []
    for cell in cells:
        rows = []
        for action in _MOVES:
            row = [Fraction(0)] * 4
            row[land(cell, action)] += 1 - slip
            for move in _MOVES:
                row[land(cell, move)] += slip / 4
            rows.append(tuple(row))
        p.append(tuple(rows) if cell != goal else ((Fraction(0),) * 3 + (Fraction(1),),) * 4)
        r.append(tuple(row[3] if cell != goal else Fraction(0) for row in rows))
    names = tuple(f"({row},{column})" for row, column in cells)
    label = f"grid2x2:slip={slip}" if slip else "grid2x2"
    return MDP(tuple(p), tuple(r), (False, False, False, True), names, tuple(_MOVES), p[3][0][::-1], label)


def _bandit(option: str) -> MDP:
    _no_option("bandit", option)
    table = {
        "states": ["s", "end"], "actions": ["L", "R"], "terminal": ["end"],
        "P": [[[0, 1], [0, 1]], []], "R": [[10, 0], []],
    }  # fmt: skip
    return _from_table(table, "bandit")


def _tokens(option: str) -> MDP:
    _no_option("tokens", option)
    words = ["3", "4", "5"]
    first = [[int(t == a + 1) for t in range(5)] for a in range(3)]
    last = [[0, 0, 0, 0, 1]] * 3
    table = {
        "states": ["prompt", *(f"prompt {word}" for word in words), "end"],
        "actions": words, "terminal": ["end"],
        "P": [first, last, last, last, []], "R": [[0, 0, 0], *[[0, 0, 1]] * 3, []],
    }  # fmt: skip
    return _from_table(table, "tokens")


def _no_option(name: str, option: str) -> None:
    if option:
        raise UnknownName("mdp_unknown", f"{name} has no option {shown(option)}.", f"Use {name} alone.")


BUILT_IN = {"grid2x2": _grid, "bandit": _bandit, "tokens": _tokens}
