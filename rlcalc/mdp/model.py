"""Finite Markov decision processes with exact probabilities and rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import BY_NAME
from rlcalc.errors import InputError, shown
from rlcalc.exact import symbols_of, to_float
from rlcalc.mdp.sparse import Sparse
from rlcalc.nested import flatten

Value = Any  # a Fraction, or a SymPy expression where symbols were given
Row = tuple[Value, ...]
Moves = tuple[tuple[int, Value], ...]  # the successors that are possible, each with its probability
Trajectory = tuple[tuple[int, ...], tuple[int, ...]]  # states, one more than actions; actions

MAX_DENSE = 2_000_000  # entries of P that are held as one array; above, transitions are held one by one


@dataclass(frozen=True)
class MDP:
    """A finite MDP; build one with ``read_mdp``, which checks it.

    Attributes:
        moves: the possible successors of action a in state s as [S][A]; ``None`` where the state does not
            have that action. A terminal state stays where it is.
        r: expected reward of action a in state s as [S][A]; 0 in terminal states and for absent actions.
        terminal: per state, whether the episode is over there.
        start: probability of starting in each state.
        label: how a person would name this MDP again.
        gamma: the discount that belongs to it, if its source names one.
        places: row and column of every state of a grid; empty where it is none.
    """

    moves: tuple[tuple[Moves | None, ...], ...]
    r: tuple[Row, ...]
    terminal: tuple[bool, ...]
    states: tuple[str, ...]
    actions: tuple[str, ...]
    start: Row
    label: str
    gamma: Value | None = None
    places: tuple[tuple[int, int], ...] = ()

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """What the entries along the dimensions of its tables are called."""
        return {"S": self.states, "A": self.actions}

    @property
    def numbers(self) -> tuple[Value, ...]:
        """What its answers are sums of."""
        return tuple(reward for row in self.r for reward in row)

    @cached_property
    def p(self) -> tuple[tuple[Row, ...], ...]:
        """P(s'|s,a) as [S][A][S']; zeros for an action that the state does not have."""
        return tuple(tuple(self._row(moves) for moves in rows) for rows in self.moves)

    def _row(self, moves: Moves | None) -> Row:
        row: list[Value] = [Fraction(0)] * len(self.states)
        for t, chance in moves or ():
            row[t] = chance
        return tuple(row)

    @cached_property
    def non_terminal(self) -> tuple[int, ...]:
        """Indices of the states that are not terminal."""
        return tuple(s for s, ends in enumerate(self.terminal) if not ends)

    @cached_property
    def solved(self) -> dict[Value, tuple[list[Value], int]]:
        """What was found of it already: by discount, the optimal values and the policies evaluated."""
        return {}

    @cached_property
    def full(self) -> bool:
        """Whether every state has every action."""
        return all(moves is not None for rows in self.moves for moves in rows)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names left as symbols in its probabilities and rewards."""
        chances = (chance for rows in self.moves for moves in rows for _, chance in moves or ())
        numbers = (value for value in (*chances, *flatten(list(self.r))) if not isinstance(value, Fraction))
        return frozenset().union(*map(symbols_of, numbers))

    def available(self, s: int) -> tuple[int, ...]:
        """Indices of the actions that a state has."""
        return tuple(a for a, moves in enumerate(self.moves[s]) if moves is not None)

    def successors(self, s: int, a: int) -> tuple[int, ...]:
        return tuple(t for t, _ in self.moves[s][a] or ())

    @cached_property
    def predecessors(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every state, the pairs of state and action that may lead to it."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.states]
        for s in self.non_terminal:
            for a in self.available(s):
                for t in self.successors(s, a):
                    found[t].append((s, a))
        return tuple(map(tuple, found))

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
        layer = {s for s, ends in enumerate(self.terminal) if ends}
        while layer:
            ways = sorted(pair for t in layer for pair in self.predecessors[t] if pair[0] not in found)
            layer = set()
            for s, a in ways:
                if s not in found and without_exit.isdisjoint(self.successors(s, a)):
                    found[s] = a
                    layer.add(s)
        return found

    def stuck(self, policy: Sequence[Mapping[int, Any]]) -> list[int]:
        """States from which a policy never reaches a terminal one.

        Args:
            policy: by state, the chances of its actions; an action counts where its chance is not 0.
        """
        ending = {s for s, ends in enumerate(self.terminal) if ends}
        layer = set(ending)
        while layer:
            pairs = {pair for t in layer for pair in self.predecessors[t]}
            layer = {s for s, a in pairs if s not in ending and policy[s].get(a)}
            ending |= layer
        return [s for s in self.non_terminal if s not in ending]

    def longest(self) -> int | None:
        """Steps of the longest possible episode; ``None`` when a state can come back."""
        depth: dict[int, int] = {s: 0 for s, ends in enumerate(self.terminal) if ends}
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
        """Arrays for the numeric forms, of one dtype and on one device.

        Raises:
            InputError: ``mdp_too_large`` for Torch, which needs P in one piece.
        """

        def array(value: Any) -> Any:
            return BY_NAME[backend].array(value, dtype, device)

        dense = len(self.states) ** 2 * len(self.actions) <= MAX_DENSE
        if not dense and backend == "torch":
            raise InputError(
                "mdp_too_large",
                f"{shown(self.label)} has {len(self.states)} states: too many for Torch, which holds P as "
                "one array.",
                "Use the NumPy backend, which holds the transitions alone.",
            )
        return MDPArrays(
            self,
            array(self._dense()) if dense else self._sparse(dtype),
            array([[to_float(reward) for reward in row] for row in self.r]),
            array([to_float(chance) for chance in self.start]),
            None if self.full else array([[moves is not None for moves in rows] for rows in self.moves]) > 0,
        )

    def _dense(self) -> list[list[list[float]]]:
        """P as floats; zeros in a terminal state, since nothing follows it."""
        count = len(self.states)
        found = [[[0.0] * count for _ in self.actions] for _ in self.states]
        for s in self.non_terminal:
            for row, moves in zip(found[s], self.moves[s], strict=True):
                for t, chance in moves or ():
                    row[t] = to_float(chance)
        return found

    def _sparse(self, dtype: Any) -> Sparse:
        """P without its zeros, out of the states that are not terminal."""
        width = len(self.actions)
        found = [
            (s * width + a, t, to_float(chance))
            for s in self.non_terminal
            for a, moves in enumerate(self.moves[s])
            for t, chance in moves or ()
        ]
        pair, target, chance = zip(*found, strict=True) if found else ((), (), ())
        return Sparse(
            (len(self.states), width),
            np.array(pair, np.intp),
            np.array(target, np.intp),
            np.array(chance, dtype),
        )


@dataclass(frozen=True)
class MDPArrays:
    """An MDP as arrays of one backend.

    ``p`` [S, A, S'] has zero rows for terminal states, since nothing follows
    them, and for actions that a state does not have; a large process has a
    ``Sparse`` in its place. ``r`` [S, A] is the expected reward; ``start`` [S];
    ``allowed`` [S, A] tells which actions there are, ``None`` where there are
    all. ``mdp`` is the exact original, for what is combinatorial.
    """

    mdp: MDP
    p: Any
    r: Any
    start: Any
    allowed: Any = None
