"""Grids: cells, moves and what happens at the edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, shown
from rlcalc.mdp.draft import Draft
from rlcalc.mdp.model import MDP

Cell = tuple[int, int]
Step = tuple[Cell, Any]  # the cell reached and the reward

MOVES = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}
_ASIDE = {"U": "LR", "D": "RL", "L": "DU", "R": "UD"}
_MOST_CELLS = 10_000
ZERO, ONE = Fraction(0), Fraction(1)


def plain(cell: Cell) -> str:
    return f"({cell[0]},{cell[1]})"


class Grid:
    """A rectangle of cells, some of them walls.

    ``land`` says where a move leads and what it pays; by default it goes one cell on, stays at an edge or a
    wall, and pays ``reward``.
    """

    def __init__(
        self, rows: int, columns: int, walls: frozenset[Cell] = frozenset(), reward: Any = -ONE
    ) -> None:
        self.rows, self.columns, self.reward = rows, columns, reward
        cells = [(row, column) for row in range(rows) for column in range(columns)]
        self.cells = [cell for cell in cells if cell not in walls]
        self._inside = frozenset(self.cells)

    def beside(self, cell: Cell, move: str) -> Cell:
        """The next cell in a direction; the same at an edge or a wall."""
        there = (cell[0] + MOVES[move][0], cell[1] + MOVES[move][1])
        return there if there in self._inside else cell

    def land(self, cell: Cell, move: str) -> Step:
        return self.beside(cell, move), self.reward

    def process(
        self,
        label: str,
        terminal: set[Cell],
        start: Cell,
        land: Callable[[Cell, str], Step] | None = None,
        ways: Callable[[str], Mapping[str, Any]] = lambda move: {move: ONE},
        name: Callable[[Cell], str] = plain,
    ) -> MDP:
        """The process on this grid.

        Args:
            terminal: terminal cells.
            land: where a move leads and what it pays.
            ways: the moves that are really made, with their chances, for one that is chosen.
            name: of a cell.
        """
        land = land or self.land
        draft = Draft(label, first=([name(cell) for cell in self.cells], tuple(MOVES)))
        for cell in self.cells:
            for move in MOVES if cell not in terminal else ():
                for made, chance in ways(move).items():
                    after, reward = land(cell, made)
                    draft.add(name(cell), move, name(after), chance, reward)
        draft.terminal = [name(cell) for cell in self.cells if cell in terminal]
        draft.start = {name(start): ONE}
        draft.places = {name(cell): cell for cell in self.cells}
        return draft.build()


def _anything(slip: Any) -> Callable[[str], Mapping[str, Any]]:
    """With that probability the move is one of all four, drawn uniformly."""
    return lambda move: {made: (ONE - slip) * (made == move) + slip / 4 for made in MOVES}


def _aside(slip: Any) -> Callable[[str], Mapping[str, Any]]:
    """With that probability the move goes to one of its two sides."""
    return lambda move: {move: ONE - slip, **dict.fromkeys(_ASIDE[move], slip / 2)}


def _slip(value: Any) -> Any:
    if not 0 <= value <= 1:
        raise InputError("mdp_negative_probability", f"slip must be in [0, 1], not {value}.")
    return value


def two_by_two(slip: Any) -> MDP:
    grid, goal = Grid(2, 2), (1, 1)

    def land(cell: Cell, move: str) -> Step:
        after = grid.beside(cell, move)
        return after, Fraction(after == goal)

    made = grid.process("grid2x2", {goal}, (0, 0), land, _anything(_slip(slip)))
    return replace(made, label=f"grid2x2:slip={slip}" if slip else "grid2x2")


def four_by_four() -> MDP:
    return Grid(4, 4).process(
        "grid4x4", {(0, 0), (3, 3)}, (1, 1), name=lambda cell: str(4 * cell[0] + cell[1])
    )


def corners(size: str, slip: Any) -> MDP:
    """A grid of that size, such as ``10x10``, whose corners are terminal.

    Raises:
        InputError: ``mdp_wrong_shape``.
    """
    rows, columns = _size(size, "grid")
    grid = Grid(rows, columns)
    terminal = {(row, column) for row in (0, rows - 1) for column in (0, columns - 1)}
    return grid.process("grid", terminal, (rows // 2, columns // 2), ways=_anything(_slip(slip)))


def _size(text: str, name: str) -> Cell:
    rows, sign, columns = text.lower().replace("×", "x").partition("x")
    digits = all(part.isascii() and part.isdigit() and len(part) < 6 for part in (rows, columns))
    if not sign or not digits or min(int(rows), int(columns)) < 2 or int(rows) * int(columns) > _MOST_CELLS:
        raise InputError(
            "mdp_wrong_shape",
            f"{shown(text)} is not the size of a grid: two integers of at least 2, at most "
            f"{_MOST_CELLS:,} cells.",
            f"Try {name}:10x10.",
        )
    return int(rows), int(columns)


def five_by_five() -> MDP:
    grid = Grid(5, 5)
    jumps = {(0, 1): ((4, 1), Fraction(10)), (0, 3): ((2, 3), Fraction(5))}

    def land(cell: Cell, move: str) -> Step:
        after = grid.beside(cell, move)
        return jumps.get(cell) or (after, -ONE if after == cell else ZERO)

    return grid.process("grid5x5", set(), (0, 0), land)


def cliff() -> MDP:
    start, goal = (3, 0), (3, 11)
    below = frozenset((3, column) for column in range(1, 11))
    grid = Grid(4, 12, below)

    def land(cell: Cell, move: str) -> Step:
        there = (cell[0] + MOVES[move][0], cell[1] + MOVES[move][1])
        return (start, Fraction(-100)) if there in below else grid.land(cell, move)

    return grid.process("cliff", {goal}, start, land)


def windy() -> MDP:
    grid, wind = Grid(7, 10), (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)

    def land(cell: Cell, move: str) -> Step:
        row = cell[0] + MOVES[move][0] - wind[cell[1]]
        column = cell[1] + MOVES[move][1]
        return (min(max(row, 0), 6), min(max(column, 0), 9)), -ONE

    return grid.process("windy", {(3, 7)}, (3, 0), land)


_LAKES = {
    "4x4": "SFFF FHFH FFFH HFFG",
    "8x8": "SFFFFFFF FFFFFFFF FFFHFFFF FFFFFHFF FFFHFFFF FHHFFFHF FHFFHFHF FFFHFFFG",
}


def frozen_lake(map: str, slip: Any) -> MDP:
    """A lake with holes: a move goes to one of its sides with probability ``slip``.

    Raises:
        InputError: ``mdp_unknown``.
    """
    if map not in _LAKES:
        raise InputError("mdp_unknown", f"frozenlake has no map {shown(map)}.", f"Use {' or '.join(_LAKES)}.")
    lake = _LAKES[map].split()
    grid = Grid(len(lake), len(lake[0]))
    terminal = {cell for cell in grid.cells if lake[cell[0]][cell[1]] in "HG"}

    def land(cell: Cell, move: str) -> Step:
        after = grid.beside(cell, move)
        return after, Fraction(lake[after[0]][after[1]] == "G")

    return grid.process("frozenlake", terminal, (0, 0), land, _aside(_slip(slip)))


def aima(reward: Any, slip: Any) -> MDP:
    """Cells are (column, row) from below, as in the book; what the two ends pay is paid on entering them."""
    grid = Grid(3, 4, frozenset({(1, 1)}))
    ends = {(0, 3): ONE, (1, 3): -ONE}

    def land(cell: Cell, move: str) -> Step:
        after = grid.beside(cell, move)
        return after, reward + ends.get(after, ZERO)

    return grid.process(
        "aima4x3", set(ends), (2, 0), land, _aside(_slip(slip)), lambda cell: f"({cell[1] + 1},{3 - cell[0]})"
    )
