"""Derivatives by autograd against finite differences, for every input that a gradient may go through.

With right values, which other tests hold, these leave a form in Torch no room:
the derivative is that of the formula, by every number that is given to it.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rlcalc
from rlcalc.specs import formula_names, load_formula

POLICY, RETURNS = [0.5, 0.3, 0.2], [15.0, 7.0, 1.0]
STEPS = {"rewards": [1.0, -2.0, 3.0], "values": [0.5, 1.0, -1.0, 2.0], "gamma": 0.9}
# lists and numbers with a point are leaves
CASES: list[tuple[str, dict[str, Any]]] = [
    ("actor_loss", {"log_probs": [-0.1, -2.0, -7.0]}),
    ("actor_loss", {"probs": [0.5, 0.2, 0.9], "reduction": "mean"}),
    ("advantage", {"return_": [15.0, 7.0], "value": 10.0}),
    ("advantage", {"reward": [2.0, 4.0], "value": [5.0, 1.0], "next_value": [8.0, 3.0], "gamma": 0.9}),
    *(("baseline_variance", {"policy": POLICY, "returns": RETURNS, "baseline": baseline})
      for baseline in (4.0, "value", "best")),
    ("bellman", {"mdp": "grid2x2:slip=1/5", "gamma": 0.9}),
    *(("control_variate", {"x": [1.0, 2.0, 3.0, 6.0], "b": [1.0, 1.0, 2.0, 4.0], "k": k})
      for k in ("best", 0.7)),
    *(("critic_loss", {"values": values, "reduction": reduction})
      for values in (10.0, [10.0, 8.0, 3.0]) for reduction in ("sum", "half-mean")),
    ("discounted_return", {"rewards": STEPS["rewards"], "gamma": 0.5, "bootstrap": 2.0}),
    ("entropy", {"p": POLICY}),
    ("expected_sarsa_target", {"rewards": [1.0], "policy": [POLICY], "q_values": [RETURNS], "gamma": 0.9}),
    ("gae", {**STEPS, "lam": 0.5}),
    ("grpo_advantage", {"rewards": RETURNS}),
    ("importance", {"p": POLICY, "q": [0.25, 0.5, 0.25], "f": [1.0, 2.0, 5.0]}),
    ("kl", {"p": POLICY, "q": [0.25, 0.5, 0.25]}),
    ("lambda_return", {**STEPS, "lam": 0.5, "alpha": 0.1}),
    ("lambda_weights", {"lam": 0.5, "steps": 4}),
    *(("mc_update", {"value": 1.0, "returns": [6.0, 2.0, 4.0], "alpha": alpha}) for alpha in (0.5, "mean")),
    ("n_step_return", {**STEPS, "n": 2, "alpha": 0.1}),
    ("policy_eval", {"mdp": "grid2x2:slip=1/5", "policy": [[0.1, 0.2, 0.3, 0.4]] * 3, "gamma": 0.9}),
    ("policy_gradient", {"mdp": "bandit", "theta": [[0.3, -0.2]], "gamma": 1}),
    ("ppo_clip", {"ratio": [1.1, 0.5, 1.5, 0.7], "adv": [5.0, 0.5, -3.0, 4.0], "eps": 0.2}),
    ("ppo_loss", {"clip": 6.0, "critic": 34.0, "entropy": 0.7, "c1": 0.5, "c2": 0.01}),
    ("ratio", {"new_log": [-1.0, -2.0], "old_log": [-1.5, -1.0]}),
    ("ratio", {"new": [0.25, 0.5], "old": [0.5, 0.75]}),
    ("reinforce_step", {"theta": RETURNS, "action": 2, "return_": 7.0, "alpha": 0.25, "baseline": 3.0}),
    ("score", {"theta": POLICY, "action": 1}),
    ("softmax", {"theta": RETURNS}),
    ("td_error", STEPS),
    ("td_error", {"reward": 2.0, "value": 5.0, "next_value": 8.0, "gamma": 0.5}),
    ("td_update", {"value": [1.0, -2.0], "target": [3.0, 5.0], "alpha": 0.25}),
    ("token_mdp", {"prompt": "q", "tokens": list("abc"), "reward": 3.0, "gamma": 0.5}),
    ("traces", {"states": [0, 1, 0], "lam": 0.5, "gamma": 0.9, "rewards": [1.0, 2.0, 3.0],
                "values": [3.0, 4.0]}),
]  # fmt: skip
CONSTANT = {"critic_loss": {"returns": RETURNS}, "actor_loss": {"advantages": [5.0, -3.0, 2.0]}}
COUNTS = {"ppo_count"}


def tensor(value: Any) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def is_leaf(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, list) and not isinstance(value[0], str | int))


@pytest.mark.parametrize(("formula", "given"), CASES)
def test_derivatives(formula: str, given: dict[str, Any]) -> None:
    names = {output.name for output in load_formula(formula).outputs}
    leaves = {name: tensor(value).requires_grad_() for name, value in given.items() if is_leaf(value)}
    rest = {name: tensor(value) for name, value in CONSTANT.get(formula, {}).items()}
    rest |= {name: value for name, value in given.items() if name not in leaves}

    def outputs(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = rlcalc.compute(formula, **rest, **dict(zip(leaves, values, strict=True)))
        assert found.keys() <= names
        return tuple(x for x in found.values() if isinstance(x, torch.Tensor) and x.requires_grad)

    assert torch.autograd.gradcheck(outputs, tuple(leaves.values()))


def test_every_formula_has_its_derivatives_checked() -> None:
    # formulas of language-model training declare theirs as outputs, which verify holds to autograd
    of_the_lecture = {name for name in formula_names() if load_formula(name).sections}
    assert {formula for formula, _ in CASES} == of_the_lecture - COUNTS


@pytest.mark.parametrize(
    ("formula", "given"),
    [
        ("baseline_variance", {"policy": [1.0, 0.0, 0.0], "returns": RETURNS, "baseline": "best"}),
        ("control_variate", {"x": [1.0, 2.0], "b": [1.0, 1.0], "k": 2.0}),
        ("entropy", {"p": [1.0, 0.0]}),
        ("grpo_advantage", {"rewards": [2.0, 2.0]}),
        ("importance", {"p": [0.5, 0.5, 0.0], "q": [0.25, 0.75, 0.0], "f": [1.0, 2.0, 5.0]}),
        ("kl", {"p": [0.5, 0.5, 0.0], "q": [0.25, 0.75, 0.0]}),
    ],
)
def test_at_an_edge_they_are_finite(formula: str, given: dict[str, Any]) -> None:
    leaves = {name: tensor(value).requires_grad_() for name, value in given.items() if is_leaf(value)}
    found = rlcalc.compute(formula, **{**given, **leaves}).values()
    total = sum(x.sum() for x in found if x.requires_grad and x.isfinite().all())
    for slope in torch.autograd.grad(total, tuple(leaves.values()), allow_unused=True):
        assert slope is None or slope.isfinite().all()
