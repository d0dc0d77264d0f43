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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError, UnknownName, shown, suggestion

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
            return MDPArrays(self, *(np.asarray(part, dtype) for part in (p, r, start)))
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
            of a TOML file, a dict with the keys of such a file, a dict of
            arrays (see `rlcalc.mdp.reading.from_arrays`), or an MDP.

    Raises:
        UnknownName: ``mdp_unknown``, ``mdp_unknown_key``.
        InputError: ``mdp_row_not_one``, ``mdp_negative_probability``,
            ``mdp_wrong_shape``, ``mdp_terminal_moves``, ``mdp_key_missing``,
            ``mdp_bad_name``, ``mdp_not_rational``, ``mdp_too_large``,
            ``mdp_file_unreadable``, ``mdp_file_not_toml``, and the
            ``number_...`` codes of the expression grammar.
    """
    from rlcalc.mdp.reading import BUILT_IN, from_arrays, from_file, from_table

    if isinstance(raw, MDP):
        return raw
    if isinstance(raw, list | tuple) and len(raw) == 1:
        return read_mdp(raw[0])
    if isinstance(raw, Mapping):
        return from_arrays(raw) if "p" in raw else from_table(raw, "")
    if isinstance(raw, Path):
        return from_file(raw)
    if not isinstance(raw, str):
        raise InputError(
            "mdp_unknown", f"An MDP is a name, a TOML file or a dict, not {shown(raw)}.", _known(BUILT_IN)
        )
    name, _, option = raw.partition(":")
    if name in BUILT_IN:
        return BUILT_IN[name](option)
    path = Path(raw)
    if raw.endswith(".toml") or _is_file(path):
        return from_file(path)
    raise UnknownName(
        "mdp_unknown", f"There is no MDP {shown(raw)}.", suggestion(name, list(BUILT_IN)) or _known(BUILT_IN)
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text too long for a name
        return False


def _known(built_in: Iterable[str]) -> str:
    return f"Built in are {', '.join(built_in)}; otherwise give the path of a TOML file."
