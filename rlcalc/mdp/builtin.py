"""The built-in decision processes, each made by its name and options after a colon.

    gambler:goal=8,p=2/5

Those that are short stand in the text format, the grids in ``rlcalc.mdp.grids``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.exact import compare, is_symbolic
from rlcalc.mdp import grids
from rlcalc.mdp.draft import Draft
from rlcalc.mdp.lines import from_lines
from rlcalc.mdp.model import MDP
from rlcalc.mdp.numbers import number
from rlcalc.mdp.tables import from_table

ONE = Fraction(1)
_MOST_STATES = 10_000  # of a process whose size is an option


@dataclass(frozen=True)
class BuiltIn:
    """A process that can be asked for by its name.

    Attributes:
        make: the process from its options.
        about: what it is and where it comes from, in a line.
        options: names of the options with their defaults, as text.
        first: the option that may be given without its name, as in ``walk:5``.
        symbolic: whether its options may be letters.
        gamma: the discount with which its source has it.
    """

    make: Callable[..., MDP]
    about: str
    options: Mapping[str, str]
    first: str = ""
    symbolic: bool = False
    gamma: Fraction | None = None

    @property
    def example(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self.options.items())


def built_in(name: str, option: str, symbols: bool = False) -> MDP:
    """The process of that name; ``option`` is what stands after the colon.

    Raises:
        UnknownName: ``mdp_unknown`` for an option that it does not have.
        InputError: for a value that it cannot have.
    """
    entry = BUILT_IN[name]
    given = dict(entry.options)
    changed = False
    for part in filter(None, option.split(",")):
        key, sign, text = part.partition("=")
        if not sign and entry.first:
            key, text = entry.first, part
        if key not in entry.options:
            known = f"Try {name}:{entry.example}." if entry.options else f"Use {name} alone."
            hint = suggestion(key, list(entry.options)) or known
            raise UnknownName(
                "mdp_unknown", f"{name} has no option {shown(part if not sign else key)}.", hint
            )
        changed = changed or given[key] != text
        given[key] = text
    texts = {k: text for k, text in given.items() if not text or k in ("size", "map")}
    numbers = {k: number(v, k, symbols and entry.symbolic) for k, v in given.items() if k not in texts}
    made = entry.make(**texts, **numbers)
    label = f"{name}:{option}" if changed and made.label == name else made.label
    return replace(made, label=label, gamma=entry.gamma)


def probability(value: Any, name: str) -> Any:
    """A number in [0, 1], or a letter for one.

    Raises:
        InputError: ``mdp_negative_probability``.
    """
    if not is_symbolic(value) and (compare(value, 0) == -1 or compare(value, 1) == 1):
        raise InputError("mdp_negative_probability", f"{name} must be in [0, 1], not {value}.")
    return value


def count(value: Any, name: str, least: int) -> int:
    """An integer within what can be solved.

    Raises:
        InputError: ``mdp_wrong_shape``.
    """
    if value.denominator != 1 or not least <= value <= _MOST_STATES:
        raise InputError(
            "mdp_wrong_shape", f"{name} must be an integer from {least} to {_MOST_STATES:,}, not {value}."
        )
    return int(value)


# small processes


def _lines(text: str, label: str) -> MDP:
    return from_lines(text, label)


def _table(table: Mapping[str, Any], label: str) -> MDP:
    return from_table(table, label)


def _bandit() -> MDP:
    return _table(
        {"states": ["s", "end"], "actions": ["L", "R"], "terminal": ["end"],
         "P": [[[0, 1], [0, 1]], []], "R": [[10, 0], []]}, "bandit",
    )  # fmt: skip


def _tokens() -> MDP:
    words = ["3", "4", "5"]
    first = [[int(t == a + 1) for t in range(5)] for a in range(3)]
    last = [[0, 0, 0, 0, 1]] * 3
    table = {
        "states": ["prompt", *(f"prompt {word}" for word in words), "end"],
        "actions": words, "terminal": ["end"],
        "P": [first, last, last, last, []], "R": [[0, 0, 0], *[[0, 0, 1]] * 3, []],
    }  # fmt: skip
    return _table(table, "tokens")


RACING = """
    cool slow -> cool 1 1
    cool fast -> cool 1/2 2
    cool fast -> warm 1/2 2
    warm slow -> cool 1/2 1
    warm slow -> warm 1/2 1
    warm fast -> overheated 1 -10
    terminal: overheated
"""

STUDENT = """
    Class1 -> Class2 1/2;  Class1 -> Facebook 1/2;  reward-of: Class1 -2
    Class2 -> Class3 4/5;  Class2 -> Sleep 1/5;     reward-of: Class2 -2
    Class3 -> Pass 3/5;    Class3 -> Pub 2/5;       reward-of: Class3 -2
    Pass -> Sleep;                                  reward-of: Pass 10
    Pub -> Class1 1/5; Pub -> Class2 2/5; Pub -> Class3 2/5; reward-of: Pub 1
    Facebook -> Facebook 9/10; Facebook -> Class1 1/10;      reward-of: Facebook -1
    terminal: Sleep
"""

CORRIDOR = """
    first  left -> first 1 -1;   first  right -> second 1 -1
    second left -> third 1 -1;   second right -> first 1 -1
    third  left -> second 1 -1;  third  right -> goal 1 -1
    terminal: goal
"""


def _robot(alpha: Any, beta: Any, search: Any, wait: Any, rescue: Any) -> MDP:
    alpha, beta = probability(alpha, "alpha"), probability(beta, "beta")
    draft = Draft("robot")
    draft.add("high", "search", "high", alpha, search)
    draft.add("high", "search", "low", ONE - alpha, search)
    draft.add("high", "wait", "high", ONE, wait)
    draft.add("low", "search", "low", beta, search)
    draft.add("low", "search", "high", ONE - beta, rescue)
    draft.add("low", "wait", "low", ONE, wait)
    draft.add("low", "recharge", "high")
    return draft.build()


def _walk(n: Any) -> MDP:
    size = count(n, "n", 1)
    names = [chr(ord("A") + k) for k in range(size)] if size <= 26 else [str(k + 1) for k in range(size)]
    draft = Draft("walk", terminal=["left end", "right end"], start={names[size // 2]: ONE})
    for k, name in enumerate(names):
        draft.add(name, "left", names[k - 1] if k else "left end")
        last = k == size - 1
        draft.add(name, "right", "right end" if last else names[k + 1], ONE, Fraction(last))
    return draft.build()


def _gambler(goal: Any, p: Any) -> MDP:
    size, p = count(goal, "goal", 2), probability(p, "p")
    draft = Draft("gambler", terminal=["0", str(size)], first=([str(k) for k in range(size + 1)], ()))
    for capital in range(1, size):
        for stake in range(1, min(capital, size - capital) + 1):
            after = capital + stake
            draft.add(str(capital), str(stake), str(after), p, Fraction(after == size))
            draft.add(str(capital), str(stake), str(capital - stake), ONE - p)
    draft.start = {"1": ONE}
    return draft.build()


def _blackjack() -> MDP:
    draft = Draft("micro-blackjack", terminal=["end"])
    for total in range(5):
        for card in (1, 2, 3):
            draft.add(str(total), "draw", str(total + card) if total + card < 5 else "end", Fraction(1, 3))
        draft.add(str(total), "stop", "end", ONE, Fraction(total))
    return draft.build()


BUILT_IN: dict[str, BuiltIn] = {
    "grid2x2": BuiltIn(grids.two_by_two, "2×2 grid: bumping stays, +1 on entering the goal.", {"slip": "0"}),
    "grid4x4": BuiltIn(
        grids.four_by_four, "4×4 grid, -1 a step, two corners terminal (Sutton & Barto 4.1).", {}, gamma=ONE
    ),
    "grid5x5": BuiltIn(
        grids.five_by_five,
        "5×5 grid with the cells A (+10) and B (+5) (Sutton & Barto 3.5).",
        {},
        gamma=Fraction(9, 10),
    ),
    "grid": BuiltIn(
        grids.corners,
        "Grid of any size, -1 a step, all four corners terminal.",
        {"size": "5x5", "slip": "0"},
        first="size",
        gamma=ONE,
    ),
    "walk": BuiltIn(
        _walk,
        "Random walk of n states, +1 at the right end (Sutton & Barto 6.2).",
        {"n": "5"},
        "n",
        gamma=ONE,
    ),
    "robot": BuiltIn(
        _robot,
        "Recycling robot (Sutton & Barto 3.3).",
        {"alpha": "4/5", "beta": "1/2", "search": "10", "wait": "3", "rescue": "-3"},
        symbolic=True,
    ),
    "corridor": BuiltIn(
        lambda: _lines(CORRIDOR, "corridor"),
        "Short corridor, left and right exchanged in the middle (Sutton & Barto 13.1).",
        {},
        gamma=ONE,
    ),
    "gambler": BuiltIn(
        _gambler,
        "Gambler's problem (Sutton & Barto 4.3).",
        {"goal": "8", "p": "2/5"},
        symbolic=True,
        gamma=ONE,
    ),
    "cliff": BuiltIn(
        grids.cliff, "Cliff walking, -1 a step, -100 for a fall (Sutton & Barto 6.6).", {}, gamma=ONE
    ),
    "windy": BuiltIn(grids.windy, "Windy grid, -1 a step (Sutton & Barto 6.5).", {}, gamma=ONE),
    "frozenlake": BuiltIn(
        grids.frozen_lake,
        "FrozenLake of Gymnasium, 4×4 or 8×8.",
        {"map": "4x4", "slip": "2/3"},
        first="map",
        gamma=ONE,
    ),
    "racing": BuiltIn(lambda: _lines(RACING, "racing"), "Racing car: cool, warm, overheated (CS188).", {}),
    "aima4x3": BuiltIn(
        grids.aima,
        "4×3 world with a wall (Russell & Norvig 17.1).",
        {"reward": "-1/25", "slip": "1/5"},
        gamma=ONE,
    ),
    "student": BuiltIn(
        lambda: _lines(STUDENT, "student"),
        "Student's chain of classes, nothing to choose (D. Silver).",
        {},
        gamma=ONE,
    ),
    "micro-blackjack": BuiltIn(_blackjack, "Draw 1, 2 or 3, or stop below 5.", {}, gamma=ONE),
    "bandit": BuiltIn(_bandit, "Two actions, then it is over: L pays 10, R pays 0.", {}),
    "tokens": BuiltIn(_tokens, "Two tokens out of {3, 4, 5}; +1 if the last one is 5.", {}),
}
