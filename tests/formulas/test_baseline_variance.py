"""The gradient's mean and variance against section 6.4, enumeration, samples and autograd."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.exact import equal, parse_number
from rlcalc.steps.printers import TextPrinter
from tests.strategies import numbers

weights = st.integers(min_value=1, max_value=9)
problems = st.lists(st.tuples(weights, numbers), min_size=1, max_size=4)
ALL = ("sympy", "numpy", "torch")


def split(problem: list[tuple[int, Fraction]]) -> tuple[list[Fraction], list[Fraction]]:
    total = sum(w for w, _ in problem)
    return [Fraction(w, total) for w, _ in problem], [g for _, g in problem]


def exact(**inputs: object) -> dict[str, object]:
    found = rlcalc.derive("baseline_variance", **inputs).outputs
    return {
        name: [Fraction(str(x)) for x in value] if isinstance(value, list) else Fraction(str(value))
        for name, value in found.items()
    }


def test_one_component_has_half_of_the_variance_of_two_actions() -> None:
    """The numbers 121/2, 1/2, 0 are traces: one component alone scatters half as much."""
    for b, trace in ((0, Fraction(121, 2)), (10, Fraction(1, 2)), (11, Fraction(0))):
        samples = [(15 - b) * Fraction(1, 2), (7 - b) * Fraction(-1, 2)]
        mean = sum(samples) / 2
        assert sum((g - mean) ** 2 for g in samples) / 2 == trace / 2


def test_the_baseline_as_a_symbol() -> None:
    d = rlcalc.derive("baseline_variance", policy=["1/2", "1/2"], returns=["x", "y"], baseline="b")
    assert equal(d.outputs["mean_gradient"][0], parse_number("(x - y)/4"))
    assert equal(d.outputs["variance"], parse_number("((x + y)/2 - b)**2/2"))


@settings(deadline=None, max_examples=40)
@given(problems, numbers)
def test_the_mean_never_moves_and_best_is_best(problem: list[tuple[int, Fraction]], b: Fraction) -> None:
    policy, returns = split(problem)
    at_b, at_value, at_best = (
        exact(policy=policy, returns=returns, baseline=choice) for choice in (b, "value", "best")
    )
    value = sum(p * g for p, g in zip(policy, returns, strict=True))
    closed = [p * (g - value) for p, g in zip(policy, returns, strict=True)]
    assert at_b["mean_gradient"] == at_value["mean_gradient"] == at_best["mean_gradient"] == closed
    assert sum(closed) == 0
    assert at_value["subtracted"] == value
    # a parabola around the best baseline
    length = sum(p * (1 - 2 * p + sum(q * q for q in policy)) for p in policy)
    best = at_best["subtracted"]
    assert at_b["variance"] == at_best["variance"] + length * (b - best) ** 2
    assert at_best["variance"] <= at_value["variance"]


def test_the_value_is_not_always_the_best_baseline() -> None:
    """Two actions at 9/10 and 1/10: |s|² is 1/50 and 81/50, so b* = (9·15 + 81·7)/90 = 39/5."""
    found = exact(policy=["9/10", "1/10"], returns=[15, 7], baseline="best")
    assert found["best"] == Fraction(39, 5)
    assert found["variance"] == 0
    value = exact(policy=["9/10", "1/10"], returns=[15, 7], baseline="value")
    assert value["subtracted"] == Fraction(71, 5)
    assert value["variance"] > 0


def test_scores_and_mean_are_what_autograd_says() -> None:
    """Mean gradient: the derivative of Σ π(a) G(a) by the logits; variance from the scores of autograd."""
    theta = torch.tensor([0.4, -0.3, 1.1], dtype=torch.float64, requires_grad=True)
    returns = torch.tensor([15.0, 7.0, 1.0], dtype=torch.float64)
    policy = torch.softmax(theta, -1)
    (slope,) = torch.autograd.grad((policy * returns).sum(), theta, retain_graph=True)
    found = rlcalc.compute("baseline_variance", policy=policy.detach(), returns=returns, baseline=4.0)
    torch.testing.assert_close(found["mean_gradient"], slope)
    scores = [torch.autograd.grad(policy[a].log(), theta, retain_graph=True)[0] for a in range(3)]
    spread = sum(
        policy[a].detach() * ((returns[a] - 4.0) * s - slope).square().sum() for a, s in enumerate(scores)
    )
    torch.testing.assert_close(found["variance"], spread)


def test_samples_of_the_gradient_scatter_as_stated() -> None:
    random = np.random.default_rng(7)
    policy, returns = np.array([0.5, 0.3, 0.2]), np.array([15.0, 7.0, 1.0])
    actions = random.choice(3, size=200_000, p=policy)
    gradients = (returns[actions] - 4.0)[:, None] * (np.eye(3)[actions] - policy)
    found = rlcalc.compute("baseline_variance", policy=policy, returns=returns, baseline=4.0)
    np.testing.assert_allclose(gradients.mean(0), found["mean_gradient"], atol=0.05)
    assert gradients.var(0).sum() == pytest.approx(found["variance"], rel=0.02)


@pytest.mark.parametrize("baseline", ["value", "best"])
def test_torch_gradients_exist_everywhere(baseline: str) -> None:
    policy = torch.tensor([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    returns = torch.tensor([15.0, 7.0, 1.0], dtype=torch.float64, requires_grad=True)
    found = rlcalc.compute("baseline_variance", policy=policy, returns=returns, baseline=baseline)
    found["variance"].sum().backward()
    assert torch.isfinite(policy.grad).all()
    assert torch.isfinite(returns.grad).all()

    def variance(p: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        return rlcalc.compute("baseline_variance", policy=p, returns=g, baseline=baseline)["variance"]

    assert torch.autograd.gradcheck(variance, (policy[:1].detach().requires_grad_(), returns))


def test_one_baseline_per_row() -> None:
    for make in (np.asarray, torch.as_tensor):
        policy, returns = make([0.5, 0.5]), make([15.0, 7.0])
        found = rlcalc.compute(
            "baseline_variance", policy=policy, returns=returns, baseline=make([0.0, 10.0, 11.0])
        )
        assert found["variance"].tolist() == [60.5, 0.5, 0.0]
        assert found["mean_gradient"].tolist() == [[2.0, -2.0]] * 3


def test_the_best_baseline_of_two_actions_leaves_no_variance_whatever_they_are() -> None:
    found = rlcalc.derive("baseline_variance", policy=["p", "1-p"], returns=["a", "b"], baseline="best")
    assert found.outputs["variance"] == 0
    assert str(found.outputs["best"]) == "-a*p + a + b*p"


@pytest.mark.parametrize("actions", [2, 3, 4])
@pytest.mark.parametrize("baseline", [0, "value", "best"])
def test_steps_show_what_was_asked_for_and_components_of_three_actions_at_most(
    actions: int, baseline: int | str
) -> None:
    d = rlcalc.derive(
        "baseline_variance",
        policy=[Fraction(1, actions)] * actions,
        returns=range(actions),
        baseline=baseline,
    )
    shown = [TextPrinter(numbers=False).name(step.name) for step in d.steps]
    every = range(1, actions + 1)
    components = [f"_{j}(a_{k})" for k in every for j in every] if actions <= 3 else []
    want = ["V"] if baseline != 0 else []
    want += [f"s{mark}" for mark in components]
    want += [*(f"w(a_{k})" for k in every), "b*"] if baseline == "best" else []
    want += [f"g{mark}" for mark in components] + [f"m_{j}" for j in every] + ["Var(g)"]
    assert shown == want
    assert d.notes == (
        [] if components else
        ["Not written out: the scores s_j(a_k) = [j = k] − π(a_j), and g_j(a_k) = (G(a_k) − b)·s_j(a_k)."]
    )  # fmt: skip


def test_a_certain_policy_divides_by_nothing() -> None:
    """All weights are 0 there; a warning would be an error here."""
    found = rlcalc.compute("baseline_variance", policy=[1.0, 0.0], returns=[3.0, 5.0], baseline="best")
    assert found["best"] == 3
    assert found["variance"] == 0
