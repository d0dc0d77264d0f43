"""Importance sampling by hand, by its identities, and against drawn samples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers

counts = st.integers(min_value=0, max_value=9)
problems = st.lists(
    st.tuples(counts, st.integers(min_value=1, max_value=9), numbers), min_size=1, max_size=5
).filter(lambda rows: any(row[0] for row in rows))
ALL = ("sympy", "numpy", "torch")


def split(rows: list[tuple[int, int, Fraction]]) -> dict[str, list[Fraction]]:
    p, q = [row[0] for row in rows], [row[1] for row in rows]
    return {
        "p": [Fraction(x, sum(p)) for x in p],
        "q": [Fraction(x, sum(q)) for x in q],
        "f": [row[2] for row in rows],
    }


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            {"p": ["3/4", "1/4"], "q": ["1/2", "1/2"], "f": [5, -3]},
            {"expectation": "3", "estimate": "3", "weight_variance": "1/4", "effective_share": "4/5"},
        ),
        (
            {"p": ["0.9", "0.1"], "q": ["0.1", "0.9"], "f": [1, 0], "samples": 100},
            {"expectation": "9/10", "weight_variance": "64/9", "effective_samples": "900/73"},
        ),
        (
            {"p": ["1/2", "1/4", "1/4"], "q": ["1/2", "1/2", 0], "f": [5, -3, 0]},
            {"estimate": "7/4", "weight_variance": "1/16", "effective_share": "9/10"},
        ),
        ({"p": [0, 1], "q": [1, 0], "f": [5, 0]}, {"estimate": "0", "effective_share": "0"}),
    ],
)
def test_by_hand(inputs: dict[str, object], expected: dict[str, str]) -> None:
    e = rlcalc.evaluate("importance", inputs, ALL)
    assert {name: str(e.results[name].exact) for name in expected} == expected
    assert e.agree


@settings(deadline=None, max_examples=50)
@given(problems)
def test_identities_and_agreement(rows: list[tuple[int, int, Fraction]]) -> None:
    inputs = split(rows)
    e = rlcalc.evaluate("importance", inputs, ALL)
    truth = sum(p * f for p, f in zip(inputs["p"], inputs["f"], strict=True))
    exact = {name: result.exact for name, result in e.results.items()}
    assert Fraction(str(exact["expectation"])) == truth == Fraction(str(exact["estimate"]))
    variance, share = Fraction(str(exact["weight_variance"])), Fraction(str(exact["effective_share"]))
    weights = [Fraction(str(w)) for w in exact["weights"]]
    assert sum(q * w for q, w in zip(inputs["q"], weights, strict=True)) == 1
    # q covers p, so the weights average 1 and the share follows from their variance
    assert share == 1 / (1 + variance)
    assert (variance == 0) == (inputs["p"] == inputs["q"])
    assert e.agree


def test_drawn_samples_scatter_as_the_effective_size_says() -> None:
    random = np.random.default_rng(11)
    p, q, f = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5]), np.array([1.0, 4.0, -2.0])
    found = rlcalc.compute("importance", p=p, q=q, f=f)
    drawn = random.choice(3, size=200_000, p=q)
    weights = (p / q)[drawn]
    assert np.mean(weights * f[drawn]) == pytest.approx(found["expectation"], abs=0.05)
    assert np.var(weights) == pytest.approx(found["weight_variance"], rel=0.02)
    # what libraries compute from the drawn weights
    kish = weights.sum() ** 2 / np.square(weights).sum() / len(weights)
    assert kish == pytest.approx(found["effective_share"], rel=0.02)


@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_squares_of_huge_weights_do_not_overflow(make: object) -> None:
    rows = np.array([[0.5, 0.5], [1e-200, 1.0], [1.0, 0.0]])
    p, q, f = (make(row) for row in rows)  # type: ignore[operator]
    found = rlcalc.compute("importance", p=p, q=q, f=f)
    assert found["estimate"].item() == pytest.approx(0.5)
    # q·w² = 1e-200·(5e199)², although (5e199)² alone is beyond float64
    assert found["weight_variance"].item() == pytest.approx(2.5e199)
    assert found["effective_share"].item() == pytest.approx(4e-200)


def test_torch_gradients_stay_finite_where_q_is_zero() -> None:
    p = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([0.25, 0.75, 0.0], dtype=torch.float64, requires_grad=True)
    f = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64, requires_grad=True)
    found = rlcalc.compute("importance", p=p, q=q, f=f)
    total = found["estimate"] + found["weight_variance"] + found["effective_share"]
    for slope in torch.autograd.grad(total, (p, q, f)):
        assert torch.isfinite(slope).all()
    inner = [x[:2].detach().requires_grad_() for x in (p, q, f)]
    for name in ("expectation", "estimate", "weights", "weight_variance", "effective_share"):
        assert torch.autograd.gradcheck(
            lambda a, b, c, name=name: rlcalc.compute("importance", p=a, q=b, f=c)[name], inner
        )


def test_refusal_names_the_first_outcome_left_out() -> None:
    given = {"p": ["1/4", "1/4", "1/2"], "q": [1, 0, 0], "f": [1, 0, 3]}
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive("importance", **given)
    assert caught.value.message == (
        "Samples of q cannot stand in for p: outcome 3 has q = 0, but p·f is not 0 there (p = 1/2, f = 3)."
    )
    with pytest.raises(rlcalc.InputError, match=r"cannot stand in for p: somewhere q is 0 and p·f is not\."):
        rlcalc.importance([0.25, 0.25, 0.5], [1.0, 0, 0], [1.0, 0, 3])


def test_weights_that_miss_some_of_p_are_told() -> None:
    """p(2) = 1/2 is never drawn but has f = 0: the mean weight is 1/2."""
    missed = rlcalc.derive("importance", p=["1/2", "1/2"], q=[1, 0], f=[1, 0])
    assert missed.notes == ["p has probability where q has none: the weights average less than 1."]
    assert rlcalc.derive("importance", p=["1/2", "1/2"], q=["1/4", "3/4"], f=[1, 0]).notes == []


def test_effective_samples_need_samples() -> None:
    for make in (np.asarray, torch.tensor):
        p, q = make([0.5, 0.5]), make([0.25, 0.75])
        assert "effective_samples" not in rlcalc.compute("importance", p=p, q=q, f=p)
        # E w = 1 and E w² = 1/4·4 + 3/4·4/9 = 4/3: a share of 3/4
        found = rlcalc.compute("importance", p=p, q=q, f=p, samples=8)
        assert float(found["effective_samples"]) == pytest.approx(6)
