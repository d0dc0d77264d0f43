"""Derivatives by autograd against finite differences, for every input that a gradient may go through.

With right values, which other tests hold, these leave a form in Torch no room:
the derivative is that of the formula, by every number that is given to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

import rlcalc
from rlcalc.evaluation import checked
from rlcalc.formulas import load_forms
from rlcalc.golden.files import shipped
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import formula_names, load_formula

POLICY, RETURNS = [0.5, 0.3, 0.2], [15.0, 7.0, 1.0]
# two states that go on for ever, two actions
WORLD = [[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]]]
STEPS = {"rewards": [1.0, -2.0, 3.0], "values": [0.5, 1.0, -1.0, 2.0], "gamma": 0.9}
# lists and numbers with a point are leaves
CASES: list[tuple[str, dict[str, Any]]] = [
    ("actor_loss", {"log_probs": [-0.1, -2.0, -7.0]}),
    ("actor_loss", {"probs": [0.5, 0.2, 0.9], "reduction": "mean"}),
    ("advantage", {"return_": [15.0, 7.0], "value": 10.0}),
    ("advantage", {"reward": [2.0, 4.0], "value": [5.0, 1.0], "next_value": [8.0, 3.0], "gamma": 0.9}),
    ("average_reward", {"mdp": {"p": WORLD, "r": [[1.0, 2.0], [0.5, -1.0]]}, "policy": [[0.25, 0.75]] * 2}),
    ("backup", {"rewards": [0.5, -1.0, 2.0], "next_values": RETURNS, "probs": [POLICY], "gamma": 0.9}),
    ("branch_entropy", {"p": [POLICY, [0.1, 0.2, 0.7]]}),
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
    ("policy_iteration", {"mdp": "grid2x2:slip=1/5", "gamma": 0.9}),
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
    ("trust_region", {"old": POLICY, "new": [0.25, 0.5, 0.25], "radius": 0.1}),
    ("trust_region", {"theta": POLICY, "gradient": [1, -3, 2], "radius": 0.1}),
    ("value_iteration", {"mdp": "racing", "gamma": 0.9, "sweeps": 3, "values": [0.5, -1.0, 0.0]}),
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
        ("lambda_weights", {"lam": 0.0, "steps": 3}),
        ("token_mdp", {"prompt": "q", "tokens": list("abc"), "reward": 3.0, "gamma": 0.0}),
    ],
)
def test_at_an_edge_they_are_finite(formula: str, given: dict[str, Any]) -> None:
    leaves = {name: tensor(value).requires_grad_() for name, value in given.items() if is_leaf(value)}
    found = rlcalc.compute(formula, **{**given, **leaves}).values()
    total = sum(x.sum() for x in found if x.requires_grad and x.isfinite().all())
    for slope in torch.autograd.grad(total, tuple(leaves.values()), allow_unused=True):
        assert slope is None or slope.isfinite().all()


# by which inputs a formula of training is no function that a difference quotient could see: a stop-gradient
# stands between
CONSTANTS = {
    "cispo": {"logp", "old_logp"},
    "decoupled_ppo": {"prox_logp", "behav_logp"},
    "kto_loss": {"kl_logps", "kl_ref_logps"},
    "rollout_correction": {"train_logp", "rollout_logp"},
    "gspo": {"old_logp"},
}
TRAINING = [name for name in formula_names() if set(load_formula(name).stage) - {"control"}]


def training_cases(formula: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Golden cases off the kinks as tensors, each with the inputs that it may be differentiated by."""
    spec = load_formula(formula)
    for case in shipped(formula).cases:
        kinds = {flag.kind for flag in case.flags}
        if case.result == "invalid" or case.batch or kinds & {"edge", "stiff"}:
            continue
        inputs = checked(spec, case.given)
        if not inputs.symbols:
            arrays = {name: v for name, v in from_exact(inputs, "torch").items() if v is not None}
            names = [p.name for p in spec.parameters if p.kind == "number" and p.shape and p.name in arrays]
            yield arrays, [name for name in names if name not in CONSTANTS.get(formula, ())]


@pytest.mark.parametrize("formula", TRAINING)
def test_derivatives_in_training(formula: str) -> None:
    """Autograd against differences; outputs that are declared derivatives are checked where they are."""
    declared = {o.name for o in load_formula(formula).outputs if o.derivative is not None}
    for arrays, names in list(training_cases(formula))[:3]:
        for name in names:

            def outputs(leaf: torch.Tensor, name: str = name, arrays: dict[str, Any] = arrays) -> Any:
                # the form itself: a difference may leave the domain
                found = load_forms(formula).torch_form(**{**arrays, name: leaf})
                return tuple(x for key, x in found.items() if key not in declared and x.requires_grad)

            leaf = arrays[name].double().requires_grad_()
            if outputs(leaf):
                assert torch.autograd.gradcheck(outputs, (leaf,)), name
