"""A process in the making: transitions by name, one after the other, then an ``MDP`` that was checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.errors import InputError, UnknownName, many, shown, suggestion
from rlcalc.exact import compare, is_symbolic, to_sympy, to_text
from rlcalc.exact.effort import multiplied_out
from rlcalc.mdp.model import MDP, Moves, Value

MAX_TRANSITIONS = 400_000  # every one holds exact fractions
ZERO, ONE = Fraction(0), Fraction(1)

Way = tuple[str, Value, Value]  # next state, probability, reward


@dataclass
class Draft:
    """What is known of a process while it is read.

    Attributes:
        label: how a person would name it again.
        ways: by state and action, where it leads; states and actions in the order of reading.
        terminal: states in which the episode is over.
        start: by state, the probability of starting there; the first state if empty.
        rewards_of: rewards that belong to a state and are paid by each of its actions.
        gamma: the discount that belongs to the process.
        places: row and column by state, of a grid.
        first: states, and actions, whose order was fixed beforehand.
    """

    label: str
    ways: dict[str, dict[str, list[Way]]] = field(default_factory=dict)
    terminal: list[str] = field(default_factory=list)
    start: dict[str, Value] = field(default_factory=dict)
    rewards_of: dict[str, Value] = field(default_factory=dict)
    gamma: Value | None = None
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    first: tuple[Sequence[str], Sequence[str]] = ((), ())
    count: int = 0

    def add(self, state: str, action: str, after: str, chance: Value = ONE, reward: Value = ZERO) -> None:
        """One transition; several from one pair to one state add up.

        Raises:
            InputError: ``mdp_too_large``.
        """
        self.count += 1
        if self.count > MAX_TRANSITIONS:
            raise InputError(
                "mdp_too_large", f"{shown(self.label)} has more than {MAX_TRANSITIONS:,} transitions."
            )
        self.ways.setdefault(state, {}).setdefault(action, []).append((after, chance, reward))

    def build(self) -> MDP:
        """The process.

        Raises:
            InputError: ``mdp_row_not_one``, ``mdp_negative_probability``, ``mdp_terminal_moves``,
                ``mdp_no_actions``, ``mdp_wrong_shape``.
            UnknownName: ``mdp_unknown_state``.
        """
        states = list(dict.fromkeys([*self.first[0], *self.ways, *self.terminal]))
        actions = list(dict.fromkeys([*self.first[1], *(a for found in self.ways.values() for a in found)]))
        if not states or not actions:
            raise InputError("mdp_wrong_shape", f"{shown(self.label)} has no transitions.", _LINE)
        index = {state: s for s, state in enumerate(states)}
        self._check_names(index)
        moves: list[tuple[Moves | None, ...]] = []
        paid: list[tuple[Value, ...]] = []
        for s, state in enumerate(states):
            if state in self.terminal:
                moves.append((((s, ONE),),) * len(actions))
                paid.append((ZERO,) * len(actions))
                continue
            rows = [self._pair(state, action, index) for action in actions]
            moves.append(tuple(row for row, _ in rows))
            paid.append(tuple(reward for _, reward in rows))
        return MDP(
            tuple(moves),
            tuple(paid),
            tuple(state in self.terminal for state in states),
            tuple(states),
            tuple(actions),
            self._start(states),
            self.label,
            self.gamma,
            tuple(self.places[state] for state in states) if self.places else (),
        )

    def _pair(self, state: str, action: str, index: Mapping[str, int]) -> tuple[Moves | None, Value]:
        """Where an action leads, and its expected reward."""
        ways = self.ways.get(state, {}).get(action)
        if ways is None:
            return None, ZERO
        chances: dict[int, Value] = {}
        for after, chance, _ in ways:
            chances[index[after]] = chances.get(index[after], ZERO) + chance
        check_chances(chances.values(), f"state {state}, action {action}")
        expected = sum((chance * reward for _, chance, reward in ways), ZERO)
        return (
            tuple(sorted(((t, chance) for t, chance in chances.items() if chance != 0), key=_target)),
            expected + self.rewards_of.get(state, ZERO),
        )

    def _check_names(self, index: Mapping[str, int]) -> None:
        """Every state that is named stands somewhere, and goes on or is terminal."""
        live = [state for state in index if state not in self.terminal]
        for state in [*self.start, *self.rewards_of]:
            if state not in index:
                raise unknown_state(state, list(index))
        for state in self.terminal:
            if state in self.ways or state in self.rewards_of:
                what = "has transitions" if state in self.ways else "has a reward of its own"
                raise InputError(
                    "mdp_terminal_moves",
                    f"{state} is terminal, but it {what}.",
                    "After a terminal state nothing follows: give the reward to the step that enters it, or "
                    "give the state an action that leads to a terminal one.",
                )
        for state, found in self.ways.items():
            for action, ways in found.items():
                for after, _, _ in ways:
                    if after not in index:
                        near = suggestion(after, list(index))
                        raise UnknownName(
                            "mdp_unknown_state",
                            f"{state} {action} leads to {shown(after)}, which has no transitions and is not "
                            "terminal.",
                            f"{near} Or write 'terminal: {after}', or a line that starts with it.".strip(),
                        )
        for state in live:
            if not self.ways.get(state):
                raise InputError(
                    "mdp_no_actions",
                    f"State {state} has no action and is not terminal.",
                    f"Write 'terminal: {state}', or a line that starts with it.",
                )

    def _start(self, states: Sequence[str]) -> tuple[Value, ...]:
        if not self.start:
            return tuple(Fraction(s == 0) for s in range(len(states)))
        check_chances(self.start.values(), "start")
        return tuple(self.start.get(state, ZERO) for state in states)


_LINE = "A line is 'state action -> next [probability] [reward]'."


def _target(move: tuple[int, Value]) -> int:
    return move[0]


def unknown_state(word: str, states: list[str]) -> UnknownName:
    hint = suggestion(word, states) or f"The states are {', '.join(states[:12])}{' …' * (len(states) > 12)}."
    return UnknownName("mdp_unknown_state", f"There is no state {shown(word)}.", hint)


def check_chances(chances: Iterable[Any], where: str) -> None:
    """Probabilities that add up to 1 exactly.

    Raises:
        InputError: ``mdp_negative_probability`` or ``mdp_row_not_one``, with the sum.
    """
    found = list(chances)
    for chance in found:
        if not is_symbolic(chance) and (compare(chance, 0) == -1 or compare(chance, 1) == 1):
            raise InputError(
                "mdp_negative_probability",
                f"The probability {to_text(chance)} in {where} is not in [0, 1].",
                "Probabilities come before rewards: state action -> next probability reward.",
            )
    if any(map(is_symbolic, found)):
        total: Any = multiplied_out(sympy.Add(*map(to_sympy, found)))
        total = sympy.cancel(total) if total != 1 else total
    else:
        total = sum(found, ZERO)
    if total != 1:
        raise InputError(
            "mdp_row_not_one",
            f"The probabilities of {where} sum to {to_text(total)}, not to 1 "
            f"({many(len(found), 'successor')}).",
            "Write fractions such as 1/3 where decimals do not add up exactly.",
        )
