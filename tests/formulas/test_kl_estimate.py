"""The estimator k3: near 0 by its series, far from it by the definition, with all digits of its dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rlcalc


def k3(x: Any) -> tuple[Any, Any]:
    """In twice the digits, by the definition where nothing cancels and by its series elsewhere."""
    x = np.asarray(x, np.longdouble)
    near = np.abs(x) < 1e-2
    series = x**2 * (0.5 - x / 6 + x**2 / 24 - x**3 / 120 + x**4 / 720)
    return np.where(near, series, np.expm1(-x) + x), -np.expm1(-x)


@pytest.mark.parametrize("far", [0.0, 0.001, 0.1, 0.9], ids=str)
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 0.3, 1.0], ids=str)
def test_k3_keeps_its_digits_however_many_tokens_are_far(far: float, scale: float) -> None:
    chance = np.random.default_rng(1)
    x = scale * chance.uniform(-1, 1, 20_000)
    x[chance.random(x.size) < far] *= 20 / scale
    gaps = torch.from_numpy(x.astype(np.float32))
    found = rlcalc.compute("kl_estimate", logp=gaps, ref_logp=torch.zeros_like(gaps))
    for name, want in zip(("estimate", "d_logp"), k3(gaps.numpy()), strict=True):
        np.testing.assert_allclose(found[name].numpy(), np.asarray(want, float), rtol=1e-6, atol=0)


@pytest.mark.parametrize("make", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_k3_keeps_the_digits_of_double_precision(make: Any) -> None:
    gaps = np.linspace(-3, 3, 2001)
    found = rlcalc.compute("kl_estimate", logp=make(gaps), ref_logp=make(np.zeros_like(gaps)))
    for name, want in zip(("estimate", "d_logp"), k3(gaps), strict=True):
        np.testing.assert_allclose(np.asarray(found[name]), np.asarray(want, float), rtol=1e-12, atol=0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_k3_of_one_token_that_is_no_number_leaves_the_others(bad: float) -> None:
    x = torch.linspace(-3, 3, 20_000)
    want = rlcalc.compute("kl_estimate", logp=x, ref_logp=torch.zeros_like(x))["estimate"]
    x[7] = bad
    found = rlcalc.compute("kl_estimate", logp=x, ref_logp=torch.zeros_like(x))["estimate"]
    assert not found[7].isfinite()
    torch.testing.assert_close(found[8:], want[8:], rtol=1e-6, atol=0)
