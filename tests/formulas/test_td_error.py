"""The TD error in both ways of calling, one step and an episode."""

from __future__ import annotations

import numpy as np
import torch

import rlcalc


def test_python_calls() -> None:
    np.testing.assert_allclose(rlcalc.td_error([2.0, 3], [5.0, 8, 10], 0.9), [4.2, 4])
    scalar = rlcalc.td_error(reward=2, value=5, next_value=8, gamma=0.9)
    np.testing.assert_allclose(scalar, 4.2)
    many = rlcalc.td_error(
        reward=np.array([2, 3], np.float32), value=np.float32(5), next_value=8, gamma=np.float32(0.9)
    )
    assert many.dtype == np.float32
    np.testing.assert_allclose(many, [4.2, 5.2], rtol=1e-6)
    tensor = rlcalc.td_error(reward=torch.tensor([2.0, 3]), value=5.0, next_value=8.0, gamma=0.9)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), [4.2, 5.2], rtol=1e-6)
