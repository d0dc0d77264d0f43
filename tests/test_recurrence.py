"""The recurrence against exact fractions: every backend, shape, dtype, derivative and cut."""

from __future__ import annotations

import importlib
import itertools
import math
import sys
import types
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.errors import InputError
from rlcalc.formulas import gae
from rlcalc.recurrence import compiled, slabs, time_major
from rlcalc.recurrence import scan as recurrence
from rlcalc.recurrence.scan import one_by_one, scan_numpy, scan_torch, windows_numpy, windows_torch
from rlcalc.recurrence.slabs import by_slabs
from tests.command import python
from tests.refused import refused
from tests.sweep import in_one

F = Fraction


def exact_scan(b: Any, a: Any, last: Any) -> list[Fraction]:
    """x_t = b_t + a_t·x_{t+1}, as it is written."""
    x = [F(last)]
    for t in reversed(range(len(b))):
        x.insert(0, F(b[t]) + F(a[t]) * x[0])
    return x[:-1]


def exact_windows(b: Any, a: Any, c: Any, n: int) -> list[Fraction]:
    """Every window from its own definition: O(T·n), no sharing."""
    x = []
    for t in range(len(b)):
        end = min(t + n, len(b)) - 1
        value = F(c[end])
        for k in range(end, t - 1, -1):
            value = F(b[k]) + F(a[k]) * value
        x.append(value)
    return x


def assert_exactly(got: Any, want: list[Fraction]) -> None:
    """Equal as rationals; a failure names every step that is off."""
    got = [F(float(x)) for x in got]
    assert len(got) == len(want), f"{len(got)} steps, not {len(want)}"
    off = {t: (str(g), str(w)) for t, (g, w) in enumerate(zip(got, want, strict=True)) if g != w}
    assert not off, f"step: (got, want) {off}"


def assert_near(got: Any, want: Any, units: float = 16) -> None:
    """Within some rounding units of got's dtype, measured against the largest want."""
    got = np.asarray(got)
    want = np.array([float(x) for x in np.ravel(np.asarray(want, dtype=object))]).reshape(got.shape)
    allowed = units * np.finfo(got.dtype).eps * max(1.0, np.abs(want).max(initial=0))
    worst = np.abs(got - want).max(initial=0)
    assert worst <= allowed, f"off by {worst}, allowed {allowed}"


def torch_joined(b: Any, a: Any, last: Any = 0.0) -> np.ndarray:
    return scan_torch(*map(torch.as_tensor, (b, a, last)), _joined=True).numpy()


def torch_apart(b: Any, a: Any, last: Any = 0.0) -> np.ndarray:
    return scan_torch(*map(torch.as_tensor, (b, a, last)), _joined=False).numpy()


def torch_windows(b: Any, a: Any, c: Any, n: int) -> np.ndarray:
    return windows_torch(*map(torch.as_tensor, (b, a, c)), n).numpy()


SCANS = [scan_numpy, torch_joined, torch_apart]
WINDOWS = [windows_numpy, torch_windows]
scans = pytest.mark.parametrize("scan", SCANS)
windows = pytest.mark.parametrize("window", WINDOWS)

# Few bits each, so that float64 is exact over these lengths and == is the right comparison.
small = st.integers(-8, 8).map(float)
factor = st.sampled_from([0.0, 0.0, 1.0, 1.0, -1.0, 0.5, 2.0])


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    steps = draw(st.integers(0, 24))
    series = [
        np.array(draw(st.lists(kind, min_size=steps, max_size=steps))) for kind in (small, factor, small)
    ]
    return (*series, draw(small))


@pytest.fixture
def tiny_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slabs of 7 elements: small problems cross every boundary."""
    monkeypatch.setattr(slabs, "SLAB", 7)


@scans
@settings(max_examples=50, deadline=None)
@given(problems())
def test_scan_is_the_definition(scan: Any, problem: Any) -> None:
    b, a, _, last = problem
    assert_exactly(scan(b, a, last), exact_scan(b, a, last))


@windows
@settings(max_examples=50, deadline=None)
@given(problems(), st.integers(1, 40))
def test_windows_are_the_definition(window: Any, problem: Any, n: int) -> None:
    b, a, c, _ = problem
    assert_exactly(window(b, a, c, n), exact_windows(b, a, c, n))


@settings(max_examples=50, deadline=None)
@given(problems())
def test_one_by_one_is_the_definition(problem: Any) -> None:
    b, a, _, last = problem
    assert_exactly(one_by_one(b.tolist(), a.tolist(), last), exact_scan(b, a, last))


@scans
@pytest.mark.usefixtures("tiny_slabs")
@in_one("steps", [*range(17), 49, 50])
@in_one("rows", [1, 2, 5])
def test_slab_boundaries(scan: Any, rows: int, steps: int) -> None:
    rng = np.random.default_rng(steps)
    b, a = rng.integers(-8, 9, (rows, steps)) / 1.0, rng.choice([0, 1, -1, 0.5], (rows, steps))
    last = rng.integers(-8, 9, rows) / 1.0
    got = scan(b, a, last)
    for row in range(rows):
        assert_exactly(got[row], exact_scan(b[row], a[row], last[row]))


@scans
@pytest.mark.parametrize("steps", [2**17 - 1, 2**17, 2**17 + 1, 2**18 + 3])
def test_long_sequences(scan: Any, steps: int) -> None:
    rng = np.random.default_rng(0)
    b, a = rng.standard_normal(steps), rng.random(steps) * (rng.random(steps) > 0.01)
    assert_near(scan(b, a, 3.0), one_by_one(b.tolist(), a.tolist(), 3.0))


@scans
def test_a_constant_gamma_over_a_million_steps(scan: Any) -> None:
    # A geometric series has a closed form at every step, which no scan shares.
    steps, gamma = 1_000_000, 0.999
    left = np.arange(steps, 0, -1)
    got = scan(np.ones(steps), np.array(gamma))
    # a plain loop rounds twice a step, each time by half a unit at most, and carries that on with γ
    assert_near(got, -np.expm1(left * math.log(gamma)) / (1 - gamma), units=1 / (1 - gamma))


@scans
@in_one("shape", [(), (2,), (2, 3), (0,), (3, 0, 2)])
@in_one("steps", [0, 1, 2, 5])
def test_leading_axes(scan: Any, shape: tuple[int, ...], steps: int) -> None:
    rng = np.random.default_rng(1)
    b, a = (rng.integers(-4, 5, (*shape, steps)) / 1.0 for _ in range(2))
    last = rng.integers(-4, 5, shape) / 1.0
    got = scan(b, a, last)
    assert got.shape == b.shape
    assert got.dtype == b.dtype
    for where in np.ndindex(shape):
        assert_exactly(got[where], exact_scan(b[where], a[where], last[where]))


@windows
@pytest.mark.usefixtures("tiny_slabs")
@in_one("shape", [(), (2,), (2, 3), (0,)])
@in_one("steps", [0, 1, 2, 5])
def test_leading_axes_of_windows(window: Any, shape: tuple[int, ...], steps: int) -> None:
    rng = np.random.default_rng(1)
    b, a, c = (rng.integers(-4, 5, (*shape, steps)) / 1.0 for _ in range(3))
    for n in (1, 2, 3, 9):
        got = window(b, a, c, n)
        assert got.shape == b.shape
        for where in np.ndindex(shape):
            assert_exactly(got[where], exact_windows(b[where], a[where], c[where], n))


@scans
@pytest.mark.parametrize(
    ("b", "a", "last"),
    [((2, 3, 4), (), ()), ((2, 3, 4), (4,), (3,)), ((2, 3, 4), (2, 1, 1), (2, 1)), ((4,), (3, 4), (2, 1))],
)
def test_broadcasting(scan: Any, b: tuple[int, ...], a: tuple[int, ...], last: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    given = [rng.integers(-4, 5, shape) / 1.0 for shape in (b, a, last)]
    shape = np.broadcast_shapes(b, a, (*last, 1))
    full = [np.broadcast_to(x, s) for x, s in zip(given, (shape, shape, shape[:-1]), strict=True)]
    got = scan(*given)
    assert got.shape == shape
    for where in np.ndindex(shape[:-1]):
        assert_exactly(got[where], exact_scan(*(x[where] for x in full)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_scalars_do_not_promote(dtype: str) -> None:
    ones = np.ones(3, dtype)
    for gamma in (0.5, 1, np.float64(0.5), np.array(0.5)):
        assert scan_numpy(ones, gamma, gamma).dtype == dtype
        assert windows_numpy(ones, gamma, gamma, 2).dtype == dtype
        tensor = torch.from_numpy(ones)
        assert scan_torch(tensor, gamma, gamma).dtype == tensor.dtype
        assert windows_torch(tensor, gamma, gamma, 2).dtype == tensor.dtype
    assert scan_numpy(ones, np.ones(3)).dtype == "float64"
    assert scan_torch(torch.from_numpy(ones), torch.ones(3, dtype=torch.float64)).dtype == torch.float64
    assert scan_numpy(ones, np.ones(3, bool)).dtype == dtype


def test_integers_are_counted_in_the_default_float() -> None:
    assert_exactly(scan_numpy([1, 2, 3], 1), [F(6), F(5), F(3)])
    assert scan_numpy([1, 2, 3], 1).dtype == "float64"
    assert scan_torch(torch.tensor([1, 2, 3]), 0.5).dtype == torch.get_default_dtype()


@scans
def test_layout_does_not_matter_and_inputs_stay(scan: Any) -> None:
    rng = np.random.default_rng(3)
    wide = rng.standard_normal((10, 8, 2))
    for view in (wide[::2, ::2, 0], wide[..., 1].T, np.asfortranarray(wide[..., 0])):
        before = view.copy()
        want = scan(view.copy(), view.copy() / 2, view[:, 0].copy())
        np.testing.assert_array_equal(scan(view, view / 2, view[:, 0]), want)
        np.testing.assert_array_equal(view, before)


def test_negative_strides() -> None:
    b = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(
        scan_numpy(b[::-1, ::-1], b[:, ::-1] / 8), scan_numpy(b[::-1, ::-1].copy(), b[:, ::-1].copy() / 8)
    )
    for view in (b, b[::-1, ::-1]):
        kept = view.copy()
        scan_numpy(view, view)
        windows_numpy(view, view, view, 2)
        np.testing.assert_array_equal(view, kept)


# --- cuts ----------------------------------------------------------------------------------------------

HUGE = [1e300, -1e300, np.finfo(float).max]


@scans
@in_one("later", HUGE)
@in_one("at", range(7))
def test_a_cut_hides_the_largest_finite_number(scan: Any, later: float, at: int) -> None:
    b, a = np.arange(1.0, 9.0), np.full(8, 0.5)
    a[at], b[at + 1] = 0, later
    got = scan(b, a, 1.0)
    assert got[at] == b[at]
    np.testing.assert_array_equal(got[: at + 1], scan(b[: at + 1], a[: at + 1]))


@pytest.mark.parametrize("scan", [scan_numpy, torch_joined])
@pytest.mark.parametrize("later", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("slab", [3, 8, 1000])
def test_a_cut_hides_what_is_not_finite(
    scan: Any, later: float, slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slabs, "SLAB", slab)
    for at in range(8):
        b, a = np.tile(np.arange(1.0, 9.0), (3, 1)), np.full((3, 8), 0.5)
        last = np.ones(3)
        a[1, at] = 0
        if at < 7:
            b[1, at + 1] = later
        else:
            last[1] = later
        got = scan(b, a, last)
        for row in range(3):
            np.testing.assert_array_equal(got[row], one_by_one(b[row].tolist(), a[row].tolist(), last[row]))
        assert np.isfinite(got[[0, 2]]).all(), "a row leaked into another"
        assert np.isfinite(got[1, : at + 1]).all(), "a cut leaked"


def test_off_the_cpu_rows_do_not_leak_into_each_other() -> None:
    b = np.ones((3, 5))
    b[1, 2] = math.nan
    got = torch_apart(b, np.full((3, 5), 0.5))
    assert np.isfinite(got[[0, 2]]).all()
    assert np.isnan(got[1, :3]).all()
    assert np.isfinite(got[1, 3:]).all()


@pytest.mark.parametrize("scan", [scan_numpy, torch_joined])
def test_factors_above_one_may_overflow_behind_zeros(scan: Any) -> None:
    b = np.zeros(3000)
    b[0] = 1.0
    np.testing.assert_array_equal(scan(b, np.full(3000, 2.0)), b)


@windows
@pytest.mark.parametrize("later", [math.inf, math.nan, 1e308])
def test_a_cut_closes_a_window(window: Any, later: float) -> None:
    b, a, c = np.ones(6), np.ones(6), np.full(6, later)
    a[2] = 0
    got = window(b, a, c, 4)
    np.testing.assert_array_equal(got[:3], [3.0, 2.0, 1.0])


# --- Torch ---------------------------------------------------------------------------------------------


def leaves(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (2, 4)])
@pytest.mark.parametrize("cut", [False, True])
def test_derivatives_of_the_scan(joined: bool, shape: tuple[int, ...], cut: bool) -> None:
    b, a, last = leaves(shape, shape, shape[:-1])
    if cut:
        a.data[..., 0] = 0

    def scan(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        return scan_torch(b, a, last, _joined=joined)

    assert torch.autograd.gradcheck(scan, (b, a, last))
    assert torch.autograd.gradgradcheck(scan, (b, a, last))


def test_derivatives_by_broadcast_scalars() -> None:
    b, a, last = leaves((2, 3), (), ())
    assert torch.autograd.gradcheck(scan_torch, (b, a, last))
    assert torch.autograd.gradgradcheck(scan_torch, (b, a, last))


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_derivatives_of_windows(n: int) -> None:
    b, a, c = leaves((2, 4), (2, 4), (2, 4))
    a.data[0, 1] = 0
    assert torch.autograd.gradcheck(lambda *x: windows_torch(*x, n), (b, a, c))
    assert torch.autograd.gradgradcheck(lambda *x: windows_torch(*x, n), (b, a, c))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("joined", [True, False])
def test_low_precision_rounds_once(dtype: torch.dtype, joined: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    b, a = (torch.rand(3, 300, generator=generator).to(dtype) for _ in range(2))
    b.requires_grad_()
    got = scan_torch(b, a, _joined=joined)
    want = scan_torch(b.double(), a.double())
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), want, rtol=2 * torch.finfo(dtype).eps, atol=0)
    got.sum().backward()
    assert b.grad is not None
    assert b.grad.dtype == dtype
    assert windows_torch(b, a, b, 5).dtype == dtype


@pytest.mark.parametrize("joined", [True, False])
def test_vmap_and_functional_gradients(joined: bool) -> None:
    b, a, last = (x.detach() for x in leaves((4, 3), (3,), (4,)))

    def scan(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        return scan_torch(b, a, last, _joined=joined)

    mapped = torch.func.vmap(scan, in_dims=(0, None, 0))(b, a, last)
    torch.testing.assert_close(mapped, scan(b, a, last))
    mapped = torch.func.vmap(scan, in_dims=(1, None, 0))(b.T, a, last)
    torch.testing.assert_close(mapped, scan(b, a, last))
    per_row = torch.func.vmap(torch.func.grad(lambda *x: scan(*x).sum()), in_dims=(0, None, 0))(b, a, last)
    leaf = b.clone().requires_grad_()
    scan(leaf, a, last).sum().backward()
    torch.testing.assert_close(per_row, leaf.grad)


def test_an_empty_scan_is_still_differentiable() -> None:
    b, a = leaves((2, 0), (2, 0))
    (grad,) = torch.autograd.grad(scan_torch(b, a).sum(), b)
    assert grad.shape == (2, 0)


# --- slabs, errors, imports, and the checks themselves -------------------------------------------------


@pytest.mark.usefixtures("tiny_slabs")
@pytest.mark.parametrize("shape", [(4,), (1, 4), (5, 4), (2, 3, 3), (0, 4), (5, 0), (9, 1)])
def test_by_slabs_changes_nothing_but_memory(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((2, *shape))

    def work(x: Any, y: Any) -> Any:
        return x * y - 1

    np.testing.assert_array_equal(by_slabs(work, x, y), work(x, y))
    np.testing.assert_array_equal(by_slabs(work, x, y[..., :1]), work(x, y[..., :1]))


@pytest.mark.parametrize("scan", [scan_numpy, lambda *x: scan_torch(*map(torch.as_tensor, x))])
def test_errors_have_codes(scan: Any) -> None:
    cases = {
        "no_time_axis": (1.0, 1.0),
        "shape_mismatch": (np.ones(3), np.ones(2)),
        "not_real": (np.ones(3) * 1j, 1.0),
    }
    for code, arguments in cases.items():
        with refused(InputError, code):
            scan(*arguments)
    with pytest.raises(InputError, match=r"\(3,\)"):
        scan(np.ones((2, 5)), 1.0, np.ones(3))


@windows
@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True])
def test_windows_need_a_whole_number_of_steps(window: Any, n: Any) -> None:
    with refused(InputError, "n_out_of_range"):
        window(np.ones(3), np.ones(3), np.ones(3), n)


def test_importing_the_module_loads_no_backend() -> None:
    code = "import sys, rlcalc.recurrence.scan; assert not {'numpy', 'torch', 'sympy'} & set(sys.modules)"
    assert python("-c", code).returncode == 0


def shifted(b: Any, a: Any, last: Any) -> list[Fraction]:
    return [*exact_scan(b, a, last)[1:], F(last)]


def cut_off_by_one(b: Any, a: Any, last: Any) -> list[Fraction]:
    return exact_scan(b, [*a[1:], 1], last)


def forwards(b: Any, a: Any, last: Any) -> list[Fraction]:
    return exact_scan(b[::-1], a[::-1], last)[::-1]


def forgets_last(b: Any, a: Any, last: Any) -> list[Fraction]:
    return exact_scan(b, a, 0)


@scans
@pytest.mark.parametrize("mutant", [shifted, cut_off_by_one, forwards, forgets_last])
def test_the_comparison_can_fail(scan: Any, mutant: Any) -> None:
    b, a, last = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5, 2.0]), 5.0
    assert_exactly(scan(b, a, last), exact_scan(b, a, last))
    with pytest.raises(AssertionError):
        assert_exactly(scan(b, a, last), mutant(b, a, last))
    with pytest.raises(AssertionError):
        assert_near(scan(b, a, last), mutant(b, a, last))


@windows
def test_the_window_comparison_can_fail(window: Any) -> None:
    b, a, c = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5, 2.0]), np.array([7.0, 11.0, 13.0])
    with pytest.raises(AssertionError):
        assert_exactly(window(b, a, c, 2), exact_windows(b, a, c, 1))


@settings(max_examples=20, deadline=None)
@given(problems())
def test_windows_as_long_as_the_series_are_the_scan(problem: Any) -> None:
    b, a, c, _ = problem
    if len(b):
        np.testing.assert_array_equal(windows_numpy(b, a, c, len(b)), scan_numpy(b, a, c[-1]))


# --- what mutants of the module showed to be unguarded -----------------------------------------------------


def test_windows_of_two_hide_what_a_cut_cuts_off() -> None:
    """n = 2 composes two maps before c is looked at: x_0 = 1 + 0·(∞ + …) = 1, x_1 = ∞ + 1·0."""
    assert windows_numpy(np.array([1.0, np.inf]), np.array([0.0, 1.0]), 0.0, 2).tolist() == [1.0, np.inf]


@scans
def test_a_scan_of_half_precision_rounds_once(scan: Any) -> None:
    """2048, 1 + 2048 = 2049, 1 + 2049 = 2050; in halves 2049 would round to 2048 before the last sum."""
    x = scan(np.array([1, 1, 2048], np.float16), np.float16(1))
    assert x.dtype == np.float16
    assert x.tolist() == [2050, 2048, 2048]  # 2049 lies between 2048 and 2050: to even


@windows
def test_windows_of_half_precision_round_once(window: Any) -> None:
    """1 + 2048 + 1 + 1 = 2051; in halves 1 + 2048 would round to 2048 on the way."""
    x = window(np.array([1, 2048, 1], np.float16), np.float16(1), np.ones(3, np.float16), 3)
    assert x.dtype == np.float16
    assert x.tolist() == [2052, 2050, 2]  # 2051 lies between 2050 and 2052: to even


def test_the_derivative_by_a_cut_before_a_value_that_is_not_finite_is_zero() -> None:
    """x = b + a·c with a = 0 hides c = ∞: the product counts as the constant 0."""
    a = torch.zeros(1, requires_grad=True)
    windows_torch(torch.ones(1), a, torch.tensor([math.inf]), 1).sum().backward()
    assert a.grad is not None
    assert a.grad.tolist() == [0.0]


def test_slabs_and_empty_windows_keep_the_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    assert windows_numpy(np.empty((2, 0), np.float32), 1.0, 0.0, 1).dtype == np.float32
    monkeypatch.setattr(slabs, "SLAB", 2)
    x = by_slabs(lambda y: 2 * y, np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    assert x.dtype == np.float32
    assert x.tolist() == [[2, 4], [6, 8], [10, 12]]


@pytest.mark.parametrize("shape", [(5,), (1, 300), (40, 7), (3, 70_000)], ids=str)
@pytest.mark.parametrize("scan", [scan_numpy, scan_torch])
def test_finite_numbers_never_take_the_literal_loop(
    monkeypatch: pytest.MonkeyPatch, scan: Any, shape: tuple[int, ...]
) -> None:
    """It would give the same answer a hundred times later, so that only a look at it tells."""
    monkeypatch.setattr(recurrence, "one_by_one", lambda *row: pytest.fail("finite numbers took the loop"))
    random = np.random.default_rng(11)
    b, a, last = random.normal(size=shape), random.uniform(0.5, 1, shape), random.normal(size=shape[:-1])
    if scan is scan_torch:
        b, a, last = torch.from_numpy(b), torch.from_numpy(a), torch.as_tensor(last)
    assert np.isfinite(np.asarray(scan(b, a, last))).all()


@pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated:DeprecationWarning"
)  # Torch's own use of it
def test_forward_mode_is_the_recurrence_of_the_tangents() -> None:
    # x_1 = 3 + 5·7 = 38, x_0 = 2 + 4·38 = 154; tangents 1, 0 of b, 0, 1 of a and 1 of the end:
    # ẋ_1 = 0 + 1·7 + 5·1 = 12, ẋ_0 = 1 + 0·38 + 4·12 = 49
    b, a, last = (torch.tensor(x, dtype=torch.float64) for x in ([2.0, 3.0], [4.0, 5.0], 7.0))
    tangents = tuple(torch.tensor(x, dtype=torch.float64) for x in ([1.0, 0.0], [0.0, 1.0], 1.0))
    x, x_dot = torch.func.jvp(scan_torch, (b, a, last), tangents)
    assert x.tolist() == [154.0, 38.0]
    assert x_dot.tolist() == [49.0, 12.0]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_forward_and_reverse_mode_agree_in_batches_and_at_cuts() -> None:
    generator = torch.Generator().manual_seed(0)
    b = torch.rand(2, 5, dtype=torch.float64, generator=generator)
    a = torch.rand(5, dtype=torch.float64, generator=generator)
    a[2] = 0
    for k in range(2):
        forward = torch.func.jacfwd(scan_torch, argnums=k)(b, a)
        torch.testing.assert_close(forward, torch.func.jacrev(scan_torch, argnums=k)(b, a))
    # forward over reverse
    curvature = torch.func.hessian(lambda a: scan_torch(b, a).sum())(a)
    torch.testing.assert_close(
        curvature, torch.func.jacrev(torch.func.jacrev(lambda a: scan_torch(b, a).sum()))(a)
    )


# --- compiled loops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("major", [False, True])
def test_compiled_loops_are_the_definition(dtype: str, major: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as they stand where numba is not installed: what is compiled is the same text."""
    loops = _uncompiled_loops(monkeypatch)
    monkeypatch.setattr(compiled, "FEWEST", 1)
    monkeypatch.setattr(compiled, "_loops", lambda: loops)
    monkeypatch.setattr(time_major, "ROWS", 2)
    rng = np.random.default_rng(6)
    b, a = rng.integers(-8, 9, (2, 3, 9)) / 4, rng.choice([0, 1, -1, 0.5], (2, 3, 9))
    b, a, last = b.astype(dtype), a.astype(dtype), np.full((2, 3), 2, dtype)
    a[0, 1, 4], b[0, 1, 5] = 0, math.nan
    if major:
        b, a = (np.moveaxis(np.moveaxis(x, -1, 0).copy(), 0, -1) for x in (b, a))
    for factors in (a, a[0, 0], np.array(0.5), a != 0):
        got = scan_numpy(b, factors, last)
        assert got.dtype == dtype
        full = np.broadcast_to(factors, b.shape)
        for row in np.ndindex(2, 3):
            want = one_by_one(b[row].tolist(), full[row].tolist(), 2.0)
            np.testing.assert_array_equal(got[row], np.array(want, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("major", [False, True])
@pytest.mark.parametrize("loops", [False, True])
def test_gae_in_one_pass_is_gae_by_the_recurrence(
    dtype: str, major: bool, loops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _uncompiled_loops(monkeypatch) if loops else None
    monkeypatch.setattr(compiled, "FEWEST", 1)
    monkeypatch.setattr(compiled, "_loops", lambda: text)
    monkeypatch.setattr(time_major, "ROWS", 2)
    monkeypatch.setattr(slabs, "SLAB", 40)  # five rows
    monkeypatch.setattr(gae, "SLAB", 40)  # or three steps of all six
    rng = np.random.default_rng(8)

    def laid(x: Any) -> Any:
        return np.moveaxis(np.moveaxis(x, -1, 0).copy(), 0, -1) if major else x

    r, v, after = (laid(rng.standard_normal((2, 3, 7 + k)).astype(dtype)) for k in (0, 1, 0))
    done, cut = (laid(rng.random((2, 3, 7)) < 0.3) for _ in range(2))
    after[done] = math.nan
    discounts = laid(rng.random((2, 3, 7)).astype(dtype))
    one = np.array(0.9, dtype)
    for gamma in (one, discounts, discounts[0, 0], one * 0):
        for ends in ((None, None), (done, None), (None, cut), (done, cut)):
            for value in (None, after) if ends[0] is not None else (None,):
                got = gae._in_one_pass(r, v, value, gamma, one, *ends)
                follows = v[..., 1:] if value is None else value
                there, on = (1 - (np.zeros_like(done) if x is None else x) for x in ends)
                delta = r + np.where(there == 1, gamma * follows, 0) - v[..., :-1]
                want = scan_numpy(delta, gamma * one * there * on)
                assert got.dtype == dtype
                np.testing.assert_allclose(got, want, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)


@pytest.mark.parametrize("major", [False, True])
@pytest.mark.parametrize("loops", [False, True])
def test_slopes_of_gae_are_those_of_a_plain_loop(
    major: bool, loops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By all inputs and with every feature; backwards through the compiled loop, too."""
    text = _uncompiled_loops(monkeypatch) if loops else None
    monkeypatch.setattr(compiled, "FEWEST", 1)
    monkeypatch.setattr(compiled, "_loops", lambda: text)
    monkeypatch.setattr(time_major, "ROWS", 2)
    generator = torch.Generator().manual_seed(3)

    def drawn(*shape: int) -> torch.Tensor:
        x = torch.rand(shape[-1], *shape[:-1], generator=generator, dtype=torch.float64).movedim(0, -1)
        return (x if major else x.contiguous()).requires_grad_()

    r, v, after, steps = drawn(3, 7), drawn(3, 8), drawn(3, 7), drawn(3, 7)
    done, cut = (drawn(3, 7) < 0.3 for _ in range(2))
    weights, one, lam = drawn(3, 7).detach(), drawn(1)[0], drawn(1)[0]
    for gamma, value in itertools.product((one, steps, steps[0]), (None, after)):
        for ends in ((None, None), (done, None), (None, cut), (done, cut)):
            leaves = [x for x in (r, v, value, gamma, lam) if x is not None]
            got = rlcalc.gae(
                r, v, gamma=gamma, lam=lam, terminated=ends[0], truncated=ends[1], next_values=value
            )
            want = torch.zeros(3, dtype=torch.float64)
            columns = []
            for t in reversed(range(7)):
                discount = gamma if gamma.ndim == 0 else gamma[..., t]
                there, on = (1.0 if x is None else (~x[:, t]).double() for x in ends)
                follows = v[:, t + 1] if value is None else value[:, t]
                want = r[:, t] + discount * there * follows - v[:, t] + discount * lam * there * on * want
                columns.append(want)
            expected = torch.stack(columns[::-1], -1)
            slopes = (torch.autograd.grad((x * weights).sum(), leaves) for x in (got, expected))
            for found, right in zip(*slopes, strict=True):
                torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-12)


def _uncompiled_loops(monkeypatch: pytest.MonkeyPatch) -> Any:
    numba = types.ModuleType("numba")
    numba.njit = lambda **_: lambda function: function  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.delitem(sys.modules, "rlcalc.recurrence.loops", raising=False)
    return importlib.import_module("rlcalc.recurrence.loops")


def test_without_numba_the_whole_array_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "find_spec", lambda name: None)
    compiled._loops.cache_clear()
    assert compiled._loops() is None
    compiled._loops.cache_clear()
