"""The critic's loss against section 6.4, its parabola, its gradient step and autograd."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.formulas import load_forms
from tests.refused import refused
from tests.strategies import numbers

reductions = st.sampled_from(["sum", "mean", "half-mean"])


def factor(reduction: str, count: int) -> Fraction:
    return {"sum": Fraction(1), "mean": Fraction(1, count), "half-mean": Fraction(1, 2 * count)}[reduction]


@settings(deadline=None, max_examples=40)
@given(st.lists(numbers, min_size=1, max_size=6), numbers, reductions)
def test_no_shared_value_is_better_than_the_mean(
    returns: list[Fraction], v: Fraction, reduction: str
) -> None:
    """L(V) = L(V*) + cT (V − V*)², so the minimum is one."""
    outputs = rlcalc.derive("critic_loss", values=v, returns=returns, reduction=reduction).outputs
    loss, best, least = (Fraction(str(outputs[name])) for name in ("loss", "minimiser", "minimum"))
    assert best == sum(returns) / len(returns)
    assert loss == least + factor(reduction, len(returns)) * len(returns) * (v - best) ** 2


def test_no_gradient_reaches_the_target() -> None:
    """A bootstrapped target comes from the critic as well; it is held constant."""
    value = torch.tensor([10.0, 8.0], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([1.0, 1.0], dtype=torch.float64) + 0.9 * value.flip(0)
    rlcalc.critic_loss(value, target).backward()
    expected = 2 * (value - target).detach()
    torch.testing.assert_close(value.grad, expected)
    # the residual gradient, which the detached target keeps out
    (residual,) = torch.autograd.grad(((value - target) ** 2).sum(), value)
    assert not torch.allclose(residual, expected)


def test_columns_are_not_broadcast_against_rows() -> None:
    """The classic fault: [N, 1] values against [N] returns make an N×N error matrix."""
    for make in (np.zeros, torch.zeros):
        with refused(rlcalc.InputError, "values_wrong_length"):
            rlcalc.critic_loss(make((4, 1)), make(4))


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_step_moves_one_value_a_row(make: Callable[[object], Any]) -> None:
    returns = make([[15.0, 7.0, 11.0], [15.0, 7.0, 11.0]])
    for values in ([[10.0, 10.0, 8.0], [10.0, 10.0, 10.0]], [10.0, 8.0, 10.0]):
        with refused(rlcalc.InputError, "values_not_shared", r"moves one shared value, but values differ\."):
            rlcalc.compute("critic_loss", values=make(values), returns=returns, alpha=0.25)
    shared = make([[10.0, 10.0, 10.0], [4.0, 4.0, 4.0]])
    found = rlcalc.compute("critic_loss", values=shared, returns=returns, alpha=0.25)
    # V − α·2·Σ(V − G): 10 + 1.5 and 4 + 10.5
    assert found["updated"].tolist() == [11.5, 14.5]
    with pytest.raises(rlcalc.InputError, match="values has 10 and 8"):
        rlcalc.derive("critic_loss", values=[10, 8], returns=[15, 7], alpha="1/4")
    # where the check cannot look, that row alone has no answer
    mixed = make([[10.0, 10.0, 8.0], [4.0, 4.0, 4.0]])
    form = getattr(load_forms("critic_loss"), "numpy_form" if make is np.array else "torch_form")
    updated = form(values=mixed, returns=returns, alpha=0.25)["updated"].tolist()
    assert (updated[0] != updated[0], updated[1]) == (True, 14.5)
