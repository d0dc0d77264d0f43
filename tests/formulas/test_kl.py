"""Divergence: direction, infinity, non-negativity, and its tie to the entropy."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.exact import equal, parse_number
from tests.strategies import probabilities

pairs = st.integers(1, 5).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 20), min_size=n, max_size=n).filter(any),
        st.lists(st.integers(1, 20), min_size=n, max_size=n),
    )
)


def test_two_directions_of_one_pair() -> None:
    one = rlcalc.derive("kl", p=["0.5", "0.5"], q=["0.9", "0.1"]).answer
    other = rlcalc.derive("kl", p=["0.9", "0.1"], q=["0.5", "0.5"]).answer
    assert equal(one, parse_number("log(25/9)/2"))
    assert equal(other, parse_number("9*log(9/5)/10 + log(1/5)/10"))
    assert not equal(one, other)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_forms_agree_and_the_divergence_is_never_negative(pair: tuple[list[int], list[int]]) -> None:
    p, q = map(probabilities, pair)
    e = rlcalc.evaluate("kl", {"p": p, "q": q}, ("sympy", "numpy", "torch"))
    assert e.agree
    assert e.answer.exact >= 0
    assert (e.answer.exact == 0) == (p == q)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_from_uniform_it_is_log_count_minus_entropy(counts: list[int]) -> None:
    p = [float(x) for x in probabilities(counts)]
    uniform = [1 / len(p)] * len(p)
    assert rlcalc.kl(p, uniform) == pytest.approx(math.log(len(p)) - rlcalc.entropy(p), abs=1e-12)


def test_infinite_is_said_in_words_and_is_infinite_in_every_form() -> None:
    e = rlcalc.evaluate("kl", {"p": ["1/2", "1/2"], "q": [1, 0]}, ("sympy", "numpy", "torch"))
    assert e.agree
    assert e.answer.numpy == e.answer.torch == math.inf
    assert any("infinite" in note for note in e.notes)


def test_gradient_by_the_logits_of_q_is_the_difference_of_the_policies() -> None:
    logits = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    p = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    q = torch.softmax(logits, -1)
    rlcalc.kl(p, q).backward()
    torch.testing.assert_close(logits.grad, (q - p).detach())


def test_symbols_keep_the_definition() -> None:
    found = rlcalc.derive("kl", p=["p", "1-p"], q=["q", "1-q"]).answer
    assert str(found) == "p*log(p/q) + (1 - p)*log((1 - p)/(1 - q))"


def test_the_outcome_that_makes_it_infinite_is_named() -> None:
    d = rlcalc.derive("kl", p=["1/2", "0", "1/2"], q=["1", "0", "0"])
    assert d.notes == [
        "The divergence is infinite: q gives no probability to outcome 2, which p can draw. "
        "Swapped arguments may give a finite number."
    ]
