"""What the formulas on a finite MDP share: exact linear solves, rows per state, names."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from rlcalc._lazy import torch
from rlcalc.errors import InputError, many
from rlcalc.exact import rational
from rlcalc.exact.effort import arithmetic_cost, charge
from rlcalc.mdp.model import MDP
from rlcalc.spelling import spelled
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Symbol, Term, product, total


def solve_exact(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The solution of a square system over the rationals; ``None`` when it is singular.

    Fraction-free elimination (Bareiss): on integers every division comes out
    even, so no entry grows beyond a minor of the matrix and no greatest common
    divisor is taken on the way.
    """
    size = len(right)
    rows: list[list[int]] = []
    for line, value in zip(matrix, right, strict=True):
        entries = [*line, value]
        scale = lcm(*(entry.denominator for entry in entries))
        rows.append([int(entry * scale) for entry in entries])
    _announce(rows)
    before = 1
    for k in range(size):
        pivot = next((row for row in range(k, size) if rows[row][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        head = rows[k]
        for row in range(k + 1, size):
            old, factor = rows[row], rows[row][k]
            rows[row] = [0] * (k + 1) + [
                (head[k] * old[j] - factor * head[j]) // before for j in range(k + 1, size + 1)
            ]
        before = head[k]
    solution = [Fraction(0)] * size
    for k in reversed(range(size)):
        rest = sum((rows[k][j] * solution[j] for j in range(k + 1, size)), Fraction(0))
        solution[k] = (rows[k][size] - rest) / rows[k][k]
    return solution


def _announce(rows: Sequence[Sequence[int]]) -> None:
    """The work of eliminating: entries of step k are minors of k rows, with their digits together."""
    bits = max((entry.bit_length() for row in rows for entry in row), default=0)
    size = len(rows)
    charge(sum(2 * arithmetic_cost(k * bits, k * bits) * (size - k) ** 2 for k in range(size)), "digits")


def evaluate_exact(mdp: MDP, policy: Sequence[Sequence[Fraction]], gamma: Fraction) -> list[Fraction] | None:
    """V of a policy [S][A] from (I − γ P_π) V = R_π; ``None`` when that is singular."""
    live = mdp.non_terminal
    matrix, right = [], []
    for s in live:
        chances = [
            sum((weight * mdp.p[s][a][t] for a, weight in enumerate(policy[s])), Fraction(0)) for t in live
        ]
        matrix.append([Fraction(s == t) - gamma * chance for t, chance in zip(live, chances, strict=True)])
        right.append(sum((weight * mdp.r[s][a] for a, weight in enumerate(policy[s])), Fraction(0)))
    found = solve_exact(matrix, right)
    if found is None:
        return None
    values = [Fraction(0)] * len(mdp.states)
    for s, value in zip(live, found, strict=True):
        values[s] = value
    return values


def rational_gamma(value: Any) -> Fraction:
    """The discount as a Fraction.

    Raises:
        InputError: ``gamma_not_rational``.
    """
    gamma = rational(value)
    if gamma is None:
        raise InputError(
            "gamma_not_rational",
            f"{spelled('gamma')} must be rational here: the system is solved by exact elimination.",
        )
    return gamma


def backup(mdp: MDP, values: Sequence[Fraction], gamma: Fraction, s: int, a: int) -> Fraction:
    """R(s,a) + γ Σ_{s'} P(s'|s,a) V(s')."""
    ahead = sum((chance * values[t] for t, chance in enumerate(mdp.p[s][a]) if chance), Fraction(0))
    return mdp.r[s][a] + gamma * ahead


def short(name: str) -> str:
    """A state's name inside brackets: the cell (0,1) gives V(0,1), not V((0,1))."""
    inner = name[1:-1]
    return inner if name[:1] == "(" and name[-1:] == ")" and not set("()") & set(inner) else name


def state_name(mdp: MDP, s: int) -> Name:
    return Name(short(mdp.states[s]))


def pair_name(mdp: MDP, s: int, a: int) -> Name:
    return Name(f"{short(mdp.states[s])}; {mdp.actions[a]}")


def transition_name(mdp: MDP, s: int, a: int, t: int) -> Name:
    return Name(f"{short(mdp.states[t])} | {short(mdp.states[s])}; {mdp.actions[a]}")


def backup_term(d: Derivation, mdp: MDP, values: Sequence[Symbol], gamma: Symbol, s: int, a: int) -> Term:
    """R(s,a) + γ (P(s'|s,a) V(s') + …), over the states that can follow and are not terminal."""
    earned = d.given(Name("R", arg=pair_name(mdp, s, a)), mdp.r[s][a])
    ahead = [
        values[t]
        if chance == 1
        else product([d.given(Name("P", arg=transition_name(mdp, s, a, t)), chance), values[t]])
        for t, chance in enumerate(mdp.p[s][a])
        if chance and not mdp.terminal[t]
    ]
    return earned + gamma * total(ahead) if ahead else earned


def row_of_state(mdp: MDP, rows: int, parameter: str, *, shared: bool = False) -> list[int]:
    """Which row of a table belongs to each state.

    A table has one row per state, or one per state that is not terminal (a
    terminal state then gets row 0, which nothing uses), or, if ``shared``, one
    row for all.

    Raises:
        InputError: ``<parameter>_wrong_length``.
    """
    count, live = len(mdp.states), mdp.non_terminal
    if rows == count:
        return list(range(count))
    if rows == len(live):
        return [live.index(s) if s in live else 0 for s in range(count)]
    if shared and rows == 1:
        return [0] * count
    wanted = f"{len(live)} (one per state that is not terminal) or {count} (one per state)"
    wanted = f"1 (shared by all), {wanted}" if shared else wanted
    raise InputError(
        f"{parameter}_wrong_length",
        f"{spelled(parameter)} has {many(rows, 'row')}, expected {wanted}.",
        f"One row has {many(len(mdp.actions), 'entry', 'entries')}, for {', '.join(mdp.actions)}; "
        "write ';' between rows.",
    )


def check_columns(mdp: MDP, columns: int, parameter: str) -> None:
    """Refuse a table whose rows do not have one entry per action.

    Raises:
        InputError: ``<parameter>_wrong_length``.
    """
    if columns != len(mdp.actions):
        raise InputError(
            f"{parameter}_wrong_length",
            f"{spelled(parameter)} has {many(columns, 'entry', 'entries')} in a row, "
            f"expected {len(mdp.actions)}, one per action.",
        )


def half_as_float32(tensor: Any) -> Any:
    """LAPACK has no half precision: solve in float32, and round at the end."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
