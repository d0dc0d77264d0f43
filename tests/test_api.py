"""The Python door: backend by type, dtype kept, shapes and domains checked, one declaration."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.specs import formula_names, load_formula


def test_the_users_example() -> None:
    np.testing.assert_array_equal(rlcalc.lambda_return([1, 2, 3], lam=0.5), [2.75, 3.5, 3.0])
    assert str(rlcalc.derive("lambda_return", rewards=[1, 2, 3], lam="1/2").answer) == "11/4"
    assert str(rlcalc.derive("lambda-return", rewards=[1, 2, 3], lam=0.5).answer) == "11/4"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_keeps_the_dtype_and_the_input(dtype: type) -> None:
    rewards = np.arange(6, dtype=dtype).reshape(2, 3)
    before = rewards.copy()
    out = rlcalc.lambda_return(rewards, lam=0.5, gamma=0.9)
    assert out.dtype == dtype
    assert out.shape == (2, 3)
    np.testing.assert_array_equal(rewards, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_choose_torch_and_keep_dtype_and_gradient(dtype: torch.dtype) -> None:
    rewards = torch.ones(2, 3, dtype=dtype, requires_grad=True)
    out = rlcalc.lambda_return(rewards, lam=0.5)
    assert isinstance(out, torch.Tensor)
    assert out.dtype == dtype
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert rewards.grad is not None


def test_a_batch_is_its_rows() -> None:
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(4, 2, 5)), rng.normal(size=(4, 2, 6))
    together = rlcalc.lambda_return(rewards, values, 0.9, 0.7)
    for row in np.ndindex(4, 2):
        np.testing.assert_allclose(together[row], rlcalc.lambda_return(rewards[row], values[row], 0.9, 0.7))


@pytest.mark.parametrize(
    ("kwargs", "code"),
    [
        ({"rewards": [1.0], "lam": 0.5, "values": [1.0]}, "values_wrong_shape"),
        ({"rewards": [1.0], "lam": 1.5}, "lam_out_of_range"),
        ({"rewards": [1.0], "lam": float("nan")}, "lam_out_of_range"),
        ({"rewards": [1.0], "lam": np.array([0.1, 0.2])}, "lam_wrong_shape"),
        ({"rewards": ["a"], "lam": 0.5}, "rewards_not_numeric"),
        ({"rewards": torch.ones(2), "lam": 2.0}, "lam_out_of_range"),
        ({"rewards": torch.ones(2), "values": torch.ones(2), "lam": 0.5}, "values_wrong_shape"),
    ],
)
def test_refusals(kwargs: dict[str, object], code: str) -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.lambda_return(**kwargs)
    assert caught.value.code == code
    assert isinstance(caught.value, ValueError)


def test_unknown_and_missing_arguments() -> None:
    with pytest.raises(rlcalc.UnknownName, match="rewards"):
        rlcalc.lambda_return(reward=[1], lam=0.5)
    with pytest.raises(rlcalc.InputError, match="lam is missing"):
        rlcalc.lambda_return([1.0])
    with pytest.raises(TypeError, match="too many positional"):
        rlcalc.ppo_clip(1.0, 2.0, 0.2, 3.0)
    with pytest.raises(rlcalc.UnknownName, match="lambda-return"):
        rlcalc.derive("lambda-retrun")
    with pytest.raises(AttributeError):
        _ = rlcalc.no_such_formula


@pytest.mark.parametrize("name", formula_names())
def test_every_formula_has_a_documented_function(name: str) -> None:
    function = getattr(rlcalc, name)
    spec = load_formula(name)
    assert list(inspect.signature(function).parameters) == [p.name for p in spec.parameters]
    doc = inspect.getdoc(function) or ""
    for part in ("Args:", "Returns:", "Raises:", "Source:", *(p.name for p in spec.parameters)):
        assert part in doc
    assert name in dir(rlcalc)


def test_public_names() -> None:
    assert all(hasattr(rlcalc, name) for name in rlcalc.__all__)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import rlcalc", {"numpy", "sympy", "torch", "matplotlib", "typer"}),
        ("import rlcalc; rlcalc.lambda_return([1.0, 2.0], lam=0.5)", {"torch", "sympy", "matplotlib"}),
        ("import rlcalc; rlcalc.derive('ppo_clip', ratio=1, adv=1).text()", {"torch", "matplotlib"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str, absent: set[str]) -> None:
    check = f"{code}\nimport sys\nprint(' '.join(m for m in {sorted(absent)!r} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""


def test_a_vector_where_a_matrix_stands_is_its_one_row() -> None:
    np.testing.assert_allclose(rlcalc.policy_gradient("bandit", [0, 0]), [[2.5, -2.5]])
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    rlcalc.policy_gradient("bandit", theta).sum().backward()
    assert theta.grad is not None
    np.testing.assert_allclose(rlcalc.policy_eval("bandit", [0.75, 0.25], gamma=1), [7.5, 0])
