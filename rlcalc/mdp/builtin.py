"""The built-in decision processes, each made by its name and an option after a colon."""

from __future__ import annotations

from fractions import Fraction

from rlcalc.errors import InputError, UnknownName, shown
from rlcalc.mdp.model import MDP
from rlcalc.mdp.tables import from_table, number

_MOVES = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}


def _grid(option: str) -> MDP:
    key, _, text = option.partition("=")
    if option and key != "slip":
        raise UnknownName("mdp_unknown", f"grid2x2 has no option {shown(option)}.", "Try grid2x2:slip=1/5.")
    slip = number(text, "slip") if option else Fraction(0)
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
    return from_table(table, "bandit")


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
    return from_table(table, "tokens")


def _no_option(name: str, option: str) -> None:
    if option:
        raise UnknownName("mdp_unknown", f"{name} has no option {shown(option)}.", f"Use {name} alone.")


BUILT_IN = {"grid2x2": _grid, "bandit": _bandit, "tokens": _tokens}
