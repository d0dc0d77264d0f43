"""The three forms and the reference say the same, for every formula, on generated inputs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rlcalc.conform.generate.drawing import drafts
from rlcalc.digits import truth_of
from rlcalc.errors import InputError
from rlcalc.evaluation import checked, evaluate_bound
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import flatten, map_nested, outline
from rlcalc.reference import find_oracle
from rlcalc.specs import formula_names, load_formula
from tests.sweep import sweep

ALL = ("sympy", "numpy", "torch")
# a tree with exponentials or processes in it takes a second
HEAVY = {
    "actor_loss", "average_reward", "baseline_variance", "c51_projection", "control_variate", "entropy",
    "gradient_bandit", "grpo_advantage", "kl", "policy_gradient", "reinforce_step", "score", "sft_loss",
    "softmax", "token_entropy",
}  # fmt: skip


def all_agree(inputs: Inputs) -> None:
    """NumPy and Torch agree with the step tree, and the tree with the reference."""
    found = evaluate_bound(inputs, ALL)
    assert found.agree is not False, {name: result.digits for name, result in found.results.items()}
    oracle = find_oracle(inputs.formula.name)
    if oracle is not None and found.derivation is not None:
        compare(oracle(inputs), found.derivation.outputs)


def compare(quick: Mapping[str, Any], slow: Mapping[str, Any]) -> None:
    """Rational answers are equal; others agree in the digits that both hold."""
    for name, value in quick.items():
        right = map_nested(truth_of, slow[name])
        assert outline(value) == outline(right)
        for mine, other in zip(flatten(value), flatten(right), strict=True):
            if mine != other:
                # forty digits of one side, fifty of the other
                allowed = max(abs(other) * Fraction(1, 10**35), Fraction(1, 10**45))
                assert abs(mine - other) <= allowed, (name, float(mine), float(other))


@pytest.mark.parametrize("examples", sweep([4, 8], 1))
@pytest.mark.parametrize("formula", formula_names())
def test_forms_and_reference_agree(formula: str, examples: int) -> None:
    spec = load_formula(formula)

    @settings(
        max_examples=examples // 2 if formula in HEAVY else examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def test(data: Any) -> None:
        draft = data.draw(drafts(spec, None, ("float64",), batches=False))
        try:
            inputs = checked(spec, {**draft.shared, **draft.rows[0]})
        except InputError:
            assume(False)
            return
        assume(max(inputs.dims.values(), default=0) <= (3 if formula in HEAVY else 7))
        assume(not (formula == "value_clip_loss" and rounded_ties(inputs)))
        all_agree(inputs)

    test()


def rounded_ties(i: Inputs) -> bool:
    """Whether both squares of a token are one number, and floats would have to round what makes them so."""
    lists = (flatten(i.given[name]) for name in ("values", "old_values", "returns"))
    for value, old, goal in zip(*lists, strict=True):
        near = old + i.eps * (1 if value > old else -1)
        tied = abs(value - old) > i.eps and abs(near - goal) == abs(value - goal)
        if tied and any(Fraction(float(x)) != x for x in (value, old, goal, near, near - goal)):
            return True
    return False


def test_equal_squares_share_the_derivative() -> None:
    """V 15 -> -5 is held at 9, as far from R = 2: half of the derivative there, -7, and 0 of the one held."""
    given = {"values": [[-5]], "old_values": [[15]], "returns": [[2]], "eps": 6}
    found = evaluate_bound(checked(load_formula("value_clip_loss"), given), ALL)
    assert found.agree
    assert found.derivation is not None
    assert found.derivation.outputs["d_values"] == [[Fraction(-7, 2)]]
    values = torch.tensor([[-5.0]], requires_grad=True)
    near = 15 + torch.clamp(values - 15, -6, 6)
    (0.5 * torch.maximum((values - 2) ** 2, (near - 2) ** 2)).sum().backward()  # as trainers write it
    assert values.grad is not None
    assert values.grad.tolist() == [[-3.5]]


def test_a_form_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import rlcalc.formulas.td_update as forms

    right = forms.array_form
    monkeypatch.setattr(forms, "array_form", lambda xp, a: {**right(xp, a), "error": a.value - a.target})
    with pytest.raises(AssertionError):
        all_agree(checked(load_formula("td_update"), {"value": 1, "target": 3}))
    with pytest.raises(AssertionError):
        compare({"value": Fraction(1, 3)}, {"value": Fraction(1, 3) + Fraction(1, 10**30)})
