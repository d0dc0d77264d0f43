"""The loop over time-major memory against the definition and against the general way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from rlcalc.recurrence import slabs, time_major
from rlcalc.recurrence.scan import one_by_one, scan_numpy, scan_torch
from rlcalc.recurrence.slabs import by_slabs

ROWS, STEPS = 7, 6


@pytest.fixture(autouse=True)
def short_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small problems take the loop."""
    monkeypatch.setattr(time_major, "ROWS", 2)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that the loop ran, for tensors through their memory as arrays."""
    names: list[str] = []
    real = time_major.scan_numpy

    def spy(*args: Any) -> Any:
        names.append("scan_numpy")
        return real(*args)

    monkeypatch.setattr(time_major, "scan_numpy", spy)
    return names


def numbers(*lead: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """A view [..., T] of memory [T, ...]; quarters, so that short sums are exact."""
    rng = np.random.default_rng(seed)
    return np.moveaxis((rng.integers(-8, 9, (STEPS, *lead)) / 4).astype(dtype), 0, -1)


def factors(*lead: int, dtype: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.moveaxis(rng.choice([0, 1, -1, 0.5], (STEPS, *lead)).astype(dtype), 0, -1)


def torch_scan(b: Any, a: Any, last: Any = 0.0) -> np.ndarray:
    return scan_torch(*map(torch.as_tensor, (b, a, last))).numpy()


scans = pytest.mark.parametrize("scan", [scan_numpy, torch_scan])


def assert_is_the_definition(got: np.ndarray, b: Any, a: Any, last: Any) -> None:
    a, last = np.broadcast_to(a, b.shape), np.broadcast_to(last, b.shape[:-1])
    for row in np.ndindex(b.shape[:-1]):
        want = one_by_one(b[row].tolist(), a[row].tolist(), float(last[row]))
        np.testing.assert_array_equal(got[row], want)


@scans
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lead", [(ROWS,), (2, 3)])
def test_the_definition_dtype_layout_and_inputs(
    scan: Any, dtype: str, lead: tuple[int, ...], taken: list[str]
) -> None:
    b, a, last = (
        numbers(*lead, dtype=dtype),
        factors(*lead, dtype=dtype),
        numbers(*lead)[..., 0].astype(dtype),
    )
    before = [x.copy() for x in (b, a, last)]
    got = scan(b, a, last)
    assert len(taken) == 1
    assert got.dtype == dtype
    assert np.moveaxis(got, -1, 0).flags.c_contiguous, "time-major in, time-major out"
    assert not any(np.shares_memory(got, x) for x in (b, a, last))
    assert_is_the_definition(got, b, a, last)
    for x, kept in zip((b, a, last), before, strict=True):
        np.testing.assert_array_equal(x, kept)


@scans
@pytest.mark.parametrize(
    "a",
    [np.array(0.5), np.full(STEPS, 0.5), np.full((ROWS, 1), 0.5), factors(ROWS), factors(ROWS) != 0],
    ids=["number", "per step", "per row", "full", "mask"],
)
def test_factors_may_be_broadcast(scan: Any, a: np.ndarray, taken: list[str]) -> None:
    b = numbers(ROWS)
    assert_is_the_definition(scan(b, a, 2.0), b, a, 2.0)
    assert len(taken) == 1


def test_what_takes_the_loop(taken: list[str]) -> None:
    major, wide = numbers(ROWS), np.moveaxis(np.ones((STEPS, 2 * ROWS)), 0, -1)
    record = np.zeros((STEPS, ROWS), [("x", "f8"), ("y", "f4")])["x"].T
    for b, loops in {
        "transposed": (major, 1), "reversed in time": (major[:, ::-1], 1), "some columns": (wide[2:6], 1),
        "C order": (major.copy(order="C"), 0), "every other row": (wide[::2], 0),
        "backwards": (major[::-1], 0),
        "a record's field": (record, 0), "repeated": (np.broadcast_to(np.ones(STEPS), (ROWS, STEPS)), 0),
        "one row": (major[:1], 0), "one axis": (major[0], 0),
    }.values():  # fmt: skip
        taken.clear()
        np.testing.assert_array_equal(scan_numpy(b, 0.5), scan_numpy(b.copy(order="C"), 0.5))
        assert len(taken) == loops
    taken.clear()
    scan_numpy(major, factors(ROWS).copy(order="C"))
    scan_torch(torch.as_tensor(major), 0.5, _joined=False)
    assert not taken, "transposed factors, or a compiler at work"


@scans
@pytest.mark.parametrize("later", [math.inf, -math.inf, math.nan])
def test_a_cut_hides_what_is_not_finite(scan: Any, later: float) -> None:
    for at in range(STEPS):
        b, a, last = np.ones((STEPS, ROWS)).T, np.full((STEPS, ROWS), 0.5).T, np.ones(ROWS)
        a[4, at] = 0
        if at < STEPS - 1:
            b[4, at + 1] = later
        else:
            last[4] = later
        got = scan(b, a, last)
        assert_is_the_definition(got, b, a, last)
        assert np.isfinite(got[4, : at + 1]).all(), "a cut leaked"
        assert np.isfinite(np.delete(got, 4, 0)).all(), "a row leaked"


def test_half_precision_rounds_once() -> None:
    ones = np.ones((4000, 2), np.float16).T
    want = np.tile(np.arange(4000, 0, -1), (2, 1)).astype(np.float16)
    assert scan_numpy(ones, 1.0).dtype == np.float16
    np.testing.assert_array_equal(scan_numpy(ones, 1.0), want)
    np.testing.assert_array_equal(torch_scan(ones, 1.0), want)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_torch_half_precision_keeps_its_dtype(dtype: torch.dtype) -> None:
    b = torch.ones(5, 3, dtype=dtype).T.requires_grad_()
    got = scan_torch(b, 0.5)
    assert got.dtype == dtype
    (grad,) = torch.autograd.grad(got.sum(), b)
    assert grad.dtype == dtype


def tensors() -> list[torch.Tensor]:
    given = (numbers(3), factors(3), numbers(3)[:, 0].copy())
    return [torch.as_tensor(x).requires_grad_() for x in given]


def test_derivatives_of_every_order(taken: list[str]) -> None:
    b, a, last = tensors()
    assert torch.autograd.gradcheck(scan_torch, (b, a, last))
    assert torch.autograd.gradgradcheck(scan_torch, (b, a, last))
    assert taken


@pytest.mark.parametrize("contiguous", [False, True])
def test_derivatives_stay_on_the_loop_and_equal_the_general_way(contiguous: bool, taken: list[str]) -> None:
    weights = torch.as_tensor(numbers(3, seed=2))
    weights = weights.contiguous() if contiguous else weights
    b, a, last = tensors()
    got = torch.autograd.grad((scan_torch(b, a, last) * weights).sum(), (b, a, last))
    assert taken == ["scan_numpy"] * 2, "forwards and backwards"
    general = [x.detach().contiguous().requires_grad_() for x in (b, a, last)]
    want = torch.autograd.grad((scan_torch(*general) * weights).sum(), general)
    assert taken == ["scan_numpy"] * 2
    for g, w in zip(got, want, strict=True):
        torch.testing.assert_close(g, w)


def test_vmap() -> None:
    b, a, last = (x.detach() for x in tensors())
    mapped = torch.func.vmap(scan_torch, in_dims=(0, 0, 0))(b, a, last)
    torch.testing.assert_close(mapped, scan_torch(b, a, last))


def test_by_slabs_leaves_it_whole(monkeypatch: pytest.MonkeyPatch, taken: list[str]) -> None:
    monkeypatch.setattr(slabs, "SLAB", 7)
    for lead in ((6,), (2, 3)):
        b, a = numbers(*lead), factors(*lead)
        got = by_slabs(lambda b, a: scan_numpy(2 * b, a), b, a)
        np.testing.assert_array_equal(got, scan_numpy(2 * b.copy(order="C"), a.copy(order="C")))
        assert np.moveaxis(got, -1, 0).flags.c_contiguous
    assert taken == 2 * ["scan_numpy"]
