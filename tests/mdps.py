"""Decision processes of the tests, as tables: drawn ones, and small ones with a property."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from hypothesis import strategies as st

Table = dict[str, Any]


def random_mdps() -> st.SearchStrategy[Table]:
    """Up to 4 states with 1 to 3 actions, some without a terminal state."""

    @st.composite
    def build(draw: st.DrawFn) -> Table:
        count, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        last = draw(st.booleans()) and count > 1
        weights = st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any)
        reward = st.fractions(min_value=-5, max_value=5, max_denominator=10)
        p, r = [], []
        for s in range(count):
            if last and s == count - 1:
                p.append([])
                r.append([])
                continue
            rows = [draw(weights) for _ in range(width)]
            p.append([[F(w, sum(row)) for w in row] for row in rows])
            r.append([draw(reward) for _ in range(width)])
        return {"P": p, "R": r, "terminal": [count - 1] if last else []}

    return build()


def backups(table: Table, gamma: F, values: list[F]) -> list[list[F]]:
    """Q of every action of every state that is not terminal, written again."""
    return [
        [
            r + gamma * sum(p * v for p, v in zip(row, values, strict=True))
            for row, r in zip(rows, rewards, strict=True)
        ]
        for rows, rewards in zip(table["P"], table["R"], strict=True)
    ]


def corridor(length: int, prize: int, *, loop: bool) -> Table:
    """Take 1 and leave, or go on for nothing; the last state pays the prize, once or for ever."""
    p, r = [], []
    for s in range(length):
        leave = [0] * length + [1]
        go_on = (
            [int(t == min(s + 1, length - 1)) for t in range(length + 1)] if s + 1 < length or loop else leave
        )
        p.append([leave, go_on])
        r.append([1, prize if s + 1 == length else 0])
    return {"P": [*p, []], "R": [*r, []], "terminal": [length]}


# two states, a random start, and every kind of transition
WINDY: Table = {
    "states": ["a", "b", "end"],
    "terminal": ["end"],
    "start": ["2/3", "1/3", "0"],
    "P": [[["1/2", "1/4", "1/4"], ["0", "1", "0"]], [["1/3", "1/3", "1/3"], ["0", "0", "1"]], []],
    "R": [["1", "-1/2"], ["2", "1/3"], []],
}

# s0 → s1 → s2 → the end; s3 stays although it need not, s4 goes to s3
PARTLY: Table = {
    "P": [
        [[0, 1, 0, 0, 0, 0]] * 2, [[0, 0, 1, 0, 0, 0]] * 2, [[0, 0, 0, 0, 0, 1]] * 2,
        [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]], [[0, 0, 0, 1, 0, 0]] * 2, [],
    ],
    "R": [[1, 1]] * 5 + [[]], "terminal": [5],
}  # fmt: skip
