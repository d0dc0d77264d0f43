"""What discounted return, n-step return, λ-return, TD error and GAE promise together.

Shapes, dtypes, flags and the identities between them, each against plain loops
or against another of the formulas.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from tests.formulas.episodes import Sequence, batch, sequences
from tests.strategies import shares

# what each formula needs beyond the shared signature
EXTRA: dict[str, dict[str, Any]] = {
    "discounted_return": {},
    "n_step_return": {"n": 3},
    "lambda_return": {"lam": 0.75},
    "td_error": {},
    "gae": {"lam": 0.75},
}
each_formula = pytest.mark.parametrize("name", EXTRA)


def to_torch(inputs: dict[str, Any]) -> dict[str, Any]:
    return {k: torch.from_numpy(v.copy()) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}


def answer(name: str, inputs: dict[str, Any]) -> Any:
    return getattr(rlcalc, name)(**inputs, **EXTRA[name])


# identities


def exact(name: str, e: Sequence, **more: Any) -> dict[str, Any]:
    return rlcalc.derive(name, **e.given(), **more).outputs


@settings(deadline=None, max_examples=12)
@given(sequences(), shares)
def test_gae_is_lambda_return_minus_value(e: Sequence, lam: Fraction) -> None:
    advantages = exact("gae", e, lam=lam)["advantages"]
    returns = exact("lambda_return", e, lam=lam)["returns"]
    assert [a + v for a, v in zip(advantages, e.values, strict=False)] == returns


@settings(deadline=None, max_examples=12)
@given(sequences())
def test_lambda_zero_is_one_step_td(e: Sequence) -> None:
    td = exact("td_error", e)
    assert exact("gae", e, lam=0)["advantages"] == td["td_error"]
    assert exact("lambda_return", e, lam=0)["returns"] == td["target"]
    assert exact("n_step_return", e, n=1)["returns"] == td["target"]


@settings(deadline=None, max_examples=12)
@given(sequences())
def test_lambda_one_and_n_of_all_steps_are_monte_carlo(e: Sequence) -> None:
    full = exact("discounted_return", e)["returns"]
    assert exact("lambda_return", e, lam=1)["returns"] == full
    assert exact("n_step_return", e, n=e.steps)["returns"] == full
    assert exact("n_step_return", e, n="inf")["returns"] == full
    assert exact("gae", e, lam=1)["returns"] == full


# shapes and dtypes


@each_formula
@pytest.mark.parametrize("leave_out", [(), ("terminated",), ("truncated",), ("next_values",), ("values",)])
def test_optional_inputs_may_be_left_out_on_both_sides(name: str, leave_out: tuple[str, ...]) -> None:
    inputs = {k: v for k, v in batch(3, 4, 11).items() if k not in leave_out}
    np.testing.assert_allclose(answer(name, to_torch(inputs)).numpy(), answer(name, inputs), atol=1e-12)


@each_formula
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_one_row_of_values_serves_a_batch_of_rewards(name: str, backend: str) -> None:
    inputs: dict[str, Any] = {k: v for k, v in batch(7, 4, 6).items() if k != "next_values"}
    shared = {**inputs, "values": inputs["values"][0], "gamma": inputs["gamma"][0]}
    spread = {
        **inputs,
        "values": np.tile(shared["values"], (4, 1)),
        "gamma": np.tile(shared["gamma"], (4, 1)),
    }
    if backend == "torch":
        shared, spread = to_torch(shared), to_torch(spread)
    np.testing.assert_allclose(np.asarray(answer(name, shared)), np.asarray(answer(name, spread)), atol=1e-13)


@each_formula
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_batch_of_flags_over_one_row_of_rewards(name: str, backend: str) -> None:
    inputs: dict[str, Any] = batch(8, 6)
    flags = batch(9, 4, 6)
    mixed = {**inputs, "terminated": flags["terminated"], "truncated": flags["truncated"]}
    spread = {
        **{k: np.tile(v, (4, 1)) for k, v in inputs.items()},
        "terminated": flags["terminated"],
        "truncated": flags["truncated"],
    }
    if backend == "torch":
        mixed, spread = to_torch(mixed), to_torch(spread)
    np.testing.assert_allclose(np.asarray(answer(name, mixed)), np.asarray(answer(name, spread)), atol=1e-13)


# flags


@each_formula
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_successor_of_a_terminated_step_may_be_nan(name: str, backend: str) -> None:
    inputs: dict[str, Any] = batch(10, 3, 8)
    inputs["truncated"][:] = False
    hidden = {**inputs, "next_values": np.where(inputs["terminated"], np.nan, inputs["next_values"])}
    if backend == "torch":
        inputs, hidden = to_torch(inputs), to_torch(hidden)
    np.testing.assert_array_equal(np.asarray(answer(name, hidden)), np.asarray(answer(name, inputs)))


@each_formula
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_terminated_and_truncated_is_terminated(name: str, backend: str) -> None:
    inputs: dict[str, Any] = batch(11, 3, 8)
    both = {**inputs, "truncated": inputs["truncated"] | inputs["terminated"]}
    only = {**inputs, "truncated": inputs["truncated"] & ~inputs["terminated"]}
    if backend == "torch":
        both, only = to_torch(both), to_torch(only)
    np.testing.assert_array_equal(np.asarray(answer(name, both)), np.asarray(answer(name, only)))


@pytest.mark.parametrize("name", ["n_step_return", "lambda_return"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("flagged", [False, True])
def test_terminal_is_a_terminated_last_step_of_every_row(name: str, backend: str, flagged: bool) -> None:
    inputs: dict[str, Any] = batch(16, 3, 6)
    del inputs["truncated"]
    inputs["terminated"][:, -1] = False
    inputs["terminated"][:, 2] = [True, False, True]
    inputs["next_values"][:, -1] = np.nan  # there is no such state, which is no reason to refuse
    ends = inputs["terminated"].copy() if flagged else np.zeros((3, 6), bool)
    ends[:, -1] = True
    marked, terminal = {**inputs, "terminated": ends}, {**inputs, "terminal": True}
    if not flagged:
        del terminal["terminated"]
    if backend == "torch":
        marked, terminal = to_torch(marked), to_torch(terminal)
    np.testing.assert_array_equal(np.asarray(answer(name, terminal)), np.asarray(answer(name, marked)))
    assert np.isfinite(np.asarray(answer(name, terminal))).all()


@each_formula
def test_a_cut_without_its_successor_is_told_and_nothing_else(name: str) -> None:
    def notes(**flags: Any) -> list[str]:
        return rlcalc.derive(name, rewards=[1, 2, 3], gamma=1, **EXTRA[name], **flags).notes

    assert notes() == []
    told = "Step 1 is truncated and next-values is not given: it bootstraps from V(S_2)."
    assert notes(truncated=[0, 1, 0]) == [told]
    assert notes(truncated=[0, 1, 1]) == [told]  # after the last step V(S_3) is the successor's
    assert notes(truncated=[0, 1, 0], terminated=[0, 1, 0]) == []
    assert notes(truncated=[0, 1, 0], next_values=[0, 0, 0]) == []


@each_formula
def test_what_lies_behind_a_cut_does_not_matter(name: str) -> None:
    inputs = batch(12, 8)
    inputs["terminated"][:], inputs["truncated"][:] = False, False
    inputs["truncated"][3] = True
    other = {k: v.copy() for k, v in inputs.items()}
    for key in ("rewards", "next_values", "gamma"):
        other[key][4:] = 0.5
    other["values"][4:] = -7
    np.testing.assert_array_equal(answer(name, other)[:4], answer(name, inputs)[:4])


# derivatives


@each_formula
def test_derivatives_by_rewards_values_and_successors(name: str) -> None:
    inputs = to_torch(batch(14, 2, 5))
    leaves = ("rewards", "values", "gamma", "next_values")

    def function(*tensors: torch.Tensor) -> torch.Tensor:
        return answer(name, {**inputs, **dict(zip(leaves, tensors, strict=True))})

    points = [inputs[k].requires_grad_() for k in leaves]
    assert torch.autograd.gradcheck(function, points)


@each_formula
def test_nan_behind_a_terminated_step_leaves_the_gradient_finite(name: str) -> None:
    inputs = to_torch(batch(15, 6))
    inputs["terminated"][2], inputs["truncated"][:] = True, False
    inputs["next_values"][inputs["terminated"]] = float("nan")
    inputs["rewards"].requires_grad_()
    answer(name, inputs).sum().backward()
    assert inputs["rewards"].grad.isfinite().all()
