"""Finite Markov decision processes with exact probabilities and rewards."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc.backends import BY_NAME
from rlcalc.errors import InputError, shown

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
    def names(self) -> dict[str, tuple[str, ...]]:
        """What the entries along the dimensions of its tables are called."""
        return {"S": self.states, "A": self.actions}

    @property
    def non_terminal(self) -> tuple[int, ...]:
        """Indices of the states that are not terminal."""
        return tuple(s for s, over in enumerate(self.terminal) if not over)

    def successors(self, s: int, a: int) -> tuple[int, ...]:
        return tuple(t for t, chance in enumerate(self.p[s][a]) if chance)

    def proper_policy(self) -> tuple[int | None, ...]:
        """For each non_terminal state an action that leads to the end of the episode.

        Following these actions ends the episode with probability 1; ``None``
        stands for terminal states and for those from which no policy does.
        """
        without_exit: set[int] = set()
        while True:
            found = self._attracted(without_exit)
            # a way out that may fall into a state without one is no sure way out
            cannot_end = set(self.non_terminal) - set(found)
            if cannot_end == without_exit:
                return tuple(found.get(s) for s in range(len(self.states)))
            without_exit = cannot_end

    def _attracted(self, without_exit: set[int]) -> dict[int, int]:
        """Actions by breadth-first search from the terminal states, never entering ``without_exit``."""
        found: dict[int, int] = {}
        layer = {s for s, over in enumerate(self.terminal) if over}
        reached = set(layer)
        while layer:
            layer = set()
            for s in self.non_terminal:
                for a in range(len(self.actions)):
                    ways = set(self.successors(s, a))
                    if s not in reached and ways & reached and not ways & without_exit:
                        found[s] = a
                        layer.add(s)
                        break
            reached |= layer
        return found

    def longest(self) -> int | None:
        """Steps of the longest possible episode; ``None`` when a state can come back."""
        depth: dict[int, int] = {s: 0 for s, over in enumerate(self.terminal) if over}
        waiting = set(self.non_terminal)
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
        return MDPArrays(self, *(BY_NAME[backend].array(part, dtype, device) for part in (p, r, start)))


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
