"""The choice between two tensors by the bits of whole words, against ``torch.where``."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from rlcalc.backends import TORCH  # noqa: E402

DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32)
SHAPE = (64, 256)


def table(dtype: Any, seed: int) -> Any:
    """Numbers with nan, both infinities and both zeros among them."""
    found = (9 * torch.randn(*SHAPE, generator=torch.Generator().manual_seed(seed))).to(dtype)
    if dtype.is_floating_point:
        special = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 0.0], dtype=dtype)
        found[:, :5] = special.roll(seed)
    return found


FLAGS = table(torch.float32, 3) > 0


def same(found: Any, wanted: Any) -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_choice_by_words_is_that_of_torch(dtype: Any) -> None:
    yes, no = table(dtype, 1), table(dtype, 2)
    nothing = yes.new_zeros(())
    flags = [FLAGS, FLAGS[:, :1].expand(SHAPE), FLAGS.T.contiguous().T]
    values = [(yes, no), (yes, 0), (0, no), (yes, nothing), (nothing, no), (yes[:, :1], no), (yes, no[:1])]
    for chosen in flags:
        for first, second in [*values, (yes, 1), (yes[:1], no[:, :1]), (yes, no.double())]:
            same(TORCH.where(chosen, first, second), torch.where(chosen, first, second))
        same(TORCH.cast(chosen, dtype), chosen.to(dtype))


@pytest.mark.parametrize("dtype", DTYPES[:4], ids=str)
def test_bounds_of_one_number_clip_as_tensors_do(dtype: Any) -> None:
    x, low, high = table(dtype, 1), torch.tensor(-0.8, dtype=dtype), torch.tensor(1.2, dtype=dtype)
    for bounds in ((low, high), (low, None), (None, high), (high, low), (low, x.abs()), (x[:1], high)):
        same(TORCH.clip(x, *bounds), torch.clip(x, *bounds))
    same(TORCH.clip(x, -0.5, high), torch.clip(x, torch.tensor(-0.5, dtype=dtype), high))


def test_nothing_given_is_changed_by_a_choice() -> None:
    yes, no, flags = table(torch.float32, 1), table(torch.float32, 2), FLAGS.clone()
    before = [value.clone() for value in (yes, no, flags)]
    TORCH.where(flags, yes, no)
    TORCH.where(flags, yes, 0)
    for value, kept in zip((yes, no, flags), before, strict=True):
        same(value, kept)


def total(x: Any) -> Any:
    return TORCH.where(FLAGS, x, 0).sum()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Torch's own, at the first jvp of a process
def test_derivatives_go_through_a_choice_in_every_mode() -> None:
    x, wanted = torch.ones(SHAPE), FLAGS.to(torch.float32)
    leaf = x.clone().requires_grad_()
    total(leaf).backward()
    same(leaf.grad, wanted)
    same(torch.func.grad(total)(x), wanted)
    same(torch.func.jvp(total, (x,), (x,))[1], wanted.sum())
    same(torch.func.vmap(torch.func.grad(total))(x[None])[0], wanted)
    with torch.autograd.forward_ad.dual_level():
        found = total(torch.autograd.forward_ad.make_dual(x, x))
        same(torch.autograd.forward_ad.unpack_dual(found).tangent, wanted.sum())
