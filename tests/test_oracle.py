"""The quick definitions against certified vectors; `tests.formulas.test_forms` has the step trees."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from rlcalc.conform.vectors import golden_vectors
from rlcalc.digits import truth_of
from rlcalc.evaluation import checked, derive_bound
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.model import MDP
from rlcalc.nested import flatten
from rlcalc.nested import outline as shape
from rlcalc.reference import exact_answer, find_oracle, without_oracle
from rlcalc.specs import formula_names, load_formula

DEFINED = [name for name in formula_names() if name not in without_oracle()]


MOST_POLICIES = 10_000


def policies(mdp: MDP) -> int:
    """How many deterministic ones a process has."""
    return math.prod(len(mdp.available(s)) for s in mdp.non_terminal)


def definition(inputs: Inputs) -> Mapping[str, Any]:
    oracle = find_oracle(inputs.formula.name)
    assert oracle is not None
    return oracle(inputs)


@pytest.mark.parametrize("formula", DEFINED)
def test_on_certified_vectors(formula: str) -> None:
    compared = 0
    for vector in golden_vectors(formula):
        if vector.rows:
            continue  # a batch of others
        inputs = checked(vector.formula, vector.texts)
        if any(hasattr(v, "free_symbols") for v in flatten(list(inputs.given.values()))):
            continue  # a root or a power of e is given
        if formula == "bellman" and policies(inputs.mdp) > MOST_POLICIES:
            continue  # it tries every policy
        quick = definition(inputs)
        for name in quick.keys() & vector.truth.keys():
            assert shape(quick[name]) == shape(vector.truth[name])
            for mine, right in zip(flatten(quick[name]), flatten(vector.truth[name]), strict=True):
                # twenty digits are certified
                assert mine == right or abs(mine - right) <= max(abs(right), Fraction(1, 10**20)) / 10**19
            compared += 1
    assert compared >= 5


def test_formulas_without_a_quick_definition_use_the_tree() -> None:
    inputs = checked(load_formula("control_variate"), {"x": [1, 2, 4], "b": [0, 1, 1]})
    assert "control_variate" in without_oracle()
    assert exact_answer(inputs)["variance"] == truth_of(derive_bound(inputs).outputs["variance"])


def test_long_sums_are_reduced_right() -> None:
    """The sums of integers against plain Fractions, at the full length."""
    rng = random.Random(5)
    count = 64
    given_ = {
        "rewards": [Fraction(rng.randint(-9, 9), rng.choice([1, 2, 3, 7])) for _ in range(count)],
        "values": [Fraction(rng.randint(-9, 9), rng.choice([1, 4, 5])) for _ in range(count + 1)],
        "gamma": [Fraction(rng.randint(0, 8), 8) for _ in range(count)],
        "lam": Fraction(2, 3),
        "terminated": [rng.random() < 0.05 for _ in range(count)],
        "truncated": [rng.random() < 0.05 for _ in range(count)],
    }
    inputs = checked(load_formula("gae"), given_)
    later, right = Fraction(0), []
    for t in reversed(range(count)):
        over, cut = given_["terminated"][t], given_["truncated"][t]
        gamma = given_["gamma"][t]
        delta = given_["rewards"][t] + (0 if over else gamma * given_["values"][t + 1]) - given_["values"][t]
        later = delta + (0 if over or cut else gamma * given_["lam"] * later)
        right.insert(0, later)
    assert definition(inputs)["advantages"] == right
