"""Optimal values: the lecture's grid, the fixed point itself, and when gamma 1 has no answer."""

from __future__ import annotations

import contextlib
import itertools
from fractions import Fraction as F
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.errors import InputError
from tests.mdps import Table, backups, corridor, random_mdps
from tests.refused import refused

BACKENDS = ("sympy", "numpy", "torch")


@settings(deadline=None, max_examples=20)
@given(random_mdps(), st.fractions(min_value=0, max_value=1, max_denominator=9), st.data())
def test_the_modulus_bounds_every_pair_and_is_attained(table: Table, gamma: F, data: st.DataObject) -> None:
    from rlcalc.formulas.bellman import contraction_modulus
    from rlcalc.mdp.reading import read_mdp

    mdp = read_mdp(table)
    modulus = contraction_modulus(mdp, gamma)
    assert modulus <= gamma
    ends = [not rows for rows in table["P"]]
    numbers = st.fractions(min_value=-9, max_value=9, max_denominator=5)
    pair = [
        [F(0) if end else data.draw(numbers) for end in ends] for _ in range(2)
    ]  # two value functions, 0 at the end
    images = [[max(q) if q else F(0) for q in backups(table, gamma, v)] for v in pair]
    apart = [max(abs(a - b) for a, b in zip(x, y, strict=True)) for x, y in (pair, images)]
    assert apart[1] <= modulus * apart[0]
    high = [[F(0) if end else F(10) ** k for end in ends] for k in (6, 7)]
    images = [[max(q) if q else F(0) for q in backups(table, gamma, v)] for v in high]
    if not all(ends) and modulus:
        # far up the bound is approached: rewards are at most 10 apart
        apart = [max(abs(a - b) for a, b in zip(x, y, strict=True)) for x, y in (high, images)]
        assert apart[1] >= modulus * apart[0] - 10


@pytest.mark.parametrize("gamma", [0.99, 0.9999, 0.9999999])
def test_a_discount_near_one_costs_no_digits_beyond_its_condition(gamma: float) -> None:
    table = {"P": [[["999/1000", "1/1000"], ["1/2", "1/2"]], []], "R": [[1, 0], []], "terminal": [1]}
    exact = float(rlcalc.derive("bellman", mdp=table, gamma=repr(gamma)).answer[0])
    for got in (
        rlcalc.bellman(table, gamma),
        rlcalc.bellman(table, gamma=torch.tensor(gamma, dtype=torch.float64)),
    ):
        assert float(got[0]) == pytest.approx(exact, rel=1e-11)
    few = 0.0
    for _ in range(200):  # the table of a loop that was stopped too early
        few = 1 + gamma * 0.999 * few
    assert abs(few - exact) > 0.1 * exact


@pytest.mark.parametrize(("rewards", "code"), [("0", ""), ("1/100", "values_unbounded"), ("-1/100", "")])
def test_gamma_one_turns_on_the_sign_of_the_loop(rewards: str, code: str) -> None:
    table = {"P": [[[1, 0], [0, 1]], []], "R": [[rewards, "-5"], []], "terminal": [1]}
    calls = [
        lambda: rlcalc.derive("bellman", mdp=table, gamma=1).answer,
        lambda: rlcalc.bellman(table, 1.0),
        lambda: rlcalc.bellman(table, gamma=torch.tensor(1.0)),
    ]
    for call in calls:
        if not code:
            assert [float(v) for v in call()] == [-5, 0]
            continue
        with refused(InputError, code):
            call()
    if rewards == "0":  # the best policy that ends; another solution is V = c for every c >= -5
        assert "more than one solution" in " ".join(rlcalc.derive("bellman", mdp=table, gamma=1).notes)


def test_a_loop_of_several_states_whose_gains_cancel_is_found() -> None:
    # s0 -> s1 pays 3, s1 -> s0 costs 3; both may leave
    table = {
        "P": [[[0, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 1]], []],
        "R": [["3", "0"], ["-3", "0"], []], "terminal": [2],
    }  # fmt: skip
    found = rlcalc.derive("bellman", mdp=table, gamma=1)
    assert found.answer == [3, 0, 0]
    assert "loop through s0, s1 at no loss" in " ".join(found.notes)
    table["R"] = [["3", "0"], ["-4", "0"], []]
    found = rlcalc.derive("bellman", mdp=table, gamma=1)
    assert found.answer == [3, 0, 0]
    assert "no other solution" in " ".join(found.notes)


@settings(deadline=None, max_examples=25)
@given(random_mdps())
def test_gamma_one_against_all_policies(table: Table) -> None:
    """The best proper policy, where there is one and no looping one gains (brute force)."""
    import sympy

    from rlcalc.mdp.reading import read_mdp

    mdp = read_mdp(table)
    values: list[Any] | None = None
    with contextlib.suppress(InputError):
        values = rlcalc.derive("bellman", mdp=table, gamma=1).answer
    live = mdp.non_terminal
    best: list[Any] | None = None
    looping = []
    for choice in itertools.product(range(len(mdp.actions)), repeat=len(live)):
        p = sympy.Matrix(
            len(live),
            len(live),
            lambda i, j, choice=choice: sympy.Rational(mdp.p[live[i]][choice[i]][live[j]]),
        )
        r = sympy.Matrix([sympy.Rational(mdp.r[s][a]) for s, a in zip(live, choice, strict=True)])
        system = sympy.eye(len(live)) - p
        if system.det() == 0:
            looping.append((p, r))
            continue
        found = list(system.LUsolve(r))
        best = found if best is None else [max(a, b) for a, b in zip(best, found, strict=True)]
    # the long-run mean of each looping policy's reward, from its stationary distributions
    gains = []
    for p, r in looping:
        for row in (p.T - sympy.eye(p.rows)).nullspace():
            weight = sum(row)
            if weight:
                gains.append(sum(a * b for a, b in zip(row, r, strict=True)) / weight)
    if values is not None:
        assert list(values[: len(live)]) == best
        assert all(gain <= 0 for gain in gains)
    else:
        assert best is None or any(gain > 0 for gain in gains) or _stuck(mdp)


def _stuck(mdp: Any) -> bool:
    return any(mdp.proper_policy()[s] is None for s in mdp.non_terminal)


def test_rounds_count_the_policies_evaluated() -> None:
    """s1 has to find its 5 before s0 can want to go there: (1, 0), then (1, 5), then (9/2, 5)."""
    table = {
        "P": [[[0, 0, 1], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]], []],
        "R": [[1, 0], [0, 5], []], "terminal": [2],
    }  # fmt: skip
    d = rlcalc.derive("bellman", mdp=table, gamma="9/10")
    assert d.outputs["iterations"] == 3
    assert "ended after 3 iterations;" in d.notes[0]
    table = {"P": [[[0, 1]], []], "R": [[1], []], "terminal": [1]}
    d = rlcalc.derive("bellman", mdp=table, gamma="9/10")
    assert d.outputs["iterations"] == 1
    assert "ended after 1 iteration;" in d.notes[0]


def test_nothing_but_a_terminal_state() -> None:
    """No action keeps anything of the future: the modulus is 0."""
    d = rlcalc.derive("bellman", mdp={"P": [[[1]]], "R": [[0]], "terminal": [0]}, gamma="1/2")
    assert d.outputs["values"] == [0]
    assert d.outputs["modulus"] == 0


def test_good_news_travels_a_whole_corridor_one_state_a_round() -> None:
    """V*(s) = 100·γ^(steps to the last state): each policy evaluated moves one state more."""
    e = rlcalc.evaluate("bellman", {"mdp": corridor(6, 100, loop=False), "gamma": "9/10"}, BACKENDS)
    assert e.answer.exact == [100 * F(9, 10) ** (5 - s) for s in range(6)] + [0]
    assert e.results["iterations"].exact == 7
    assert e.agree


def test_a_discount_near_one_does_not_wait_for_the_sweeps() -> None:
    """V*(s) = γ^(steps)·1/(1 − γ) with γ = 9999/10000, beyond what 2000 sweeps reach."""
    gamma = F(9999, 10000)
    e = rlcalc.evaluate("bellman", {"mdp": corridor(4, 1, loop=True), "gamma": gamma}, BACKENDS)
    assert e.answer.exact == [10000 * gamma ** (3 - s) for s in range(4)] + [0]
    assert e.agree
