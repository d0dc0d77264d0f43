"""Processes with many states: transitions one by one, and exact answers beyond what elimination likes."""

from __future__ import annotations

import re

import pytest

import rlcalc
from rlcalc.mdp import model


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_one_by_one_transitions_give_the_values_of_the_table(
    gamma: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mdp in ("grid:7x6,slip=1/5", "gambler:goal=12", "cliff"):
        table = [rlcalc.bellman(mdp, gamma), rlcalc.policy_eval(mdp, "uniform", gamma)]
        sweeps = rlcalc.value_iteration(mdp, gamma, 7), rlcalc.value_iteration(mdp, gamma, 7, in_place=True)
        with monkeypatch.context() as patch:
            patch.setattr(model, "MAX_DENSE", 0)
            assert rlcalc.bellman(mdp, gamma) == pytest.approx(table[0], rel=1e-10)
            assert rlcalc.policy_eval(mdp, "uniform", gamma) == pytest.approx(table[1], rel=1e-9)
            assert rlcalc.value_iteration(mdp, gamma, 7) == pytest.approx(sweeps[0], rel=1e-12)
            again = rlcalc.value_iteration(mdp, gamma, 7, in_place=True)
            assert again == pytest.approx(sweeps[1], rel=1e-12)


@pytest.mark.parametrize(
    ("formula", "gamma"), [("bellman", "9/10"), ("policy_eval", "9/10"), ("policy_eval", "1")]
)
def test_the_certified_bound_holds(formula: str, gamma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"mdp": "grid:8x8,slip=1/10", "gamma": gamma}
    exact = [float(value) for value in rlcalc.derive(formula, **raw).answer]
    with monkeypatch.context() as patch:
        patch.setattr(model, "MAX_DENSE", 0)
        found = rlcalc.evaluate(formula, raw, ("numpy",))
    bound = float(re.search(r"certified to within (\S+)\.", " ".join(found.notes))[1])
    off = max(abs(a - b) for a, b in zip(found.answer.numpy, exact, strict=True))
    assert off <= bound < 1e-8


def test_exact_values_of_the_windy_grid_and_of_a_long_walk() -> None:
    found = rlcalc.evaluate("bellman", {"mdp": "windy"})
    assert found.agree
    assert found.answer.exact[30] == -15
    # 150 unknowns, solved by lifting; the chance to end at the right from state k is k/151
    walk = rlcalc.evaluate("policy_eval", {"mdp": "walk:150"})
    assert [str(walk.answer.exact[k]) for k in (0, 74, 149)] == ["1/151", "75/151", "150/151"]
    assert walk.agree
