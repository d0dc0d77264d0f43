"""The recurrence in operations that a compiler sees, and differentiates by itself.

`torch.compile` traces no function with rules of its own for `vmap` and forward
mode, as `scan_torch` has one, and cannot look at memory as NumPy does. The same
holds for the batches of gradients that `torch.autograd.grad(is_grads_batched=True)`
and with it `jacobian(vectorize=True)` make.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

from rlcalc._lazy import torch


def solved(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """`scan_torch` for prepared tensors, b and a [..., T] and last [...], T at least 1."""
    working = torch.promote_types(b.dtype, torch.float32)
    wide, factors = b.to(working), a.to(working)
    end = wide[..., -1:] + factors[..., -1:] * last.to(working)[..., None]
    head = torch.cat([wide[..., :-1], end], -1)
    return _halved(head, factors).to(b.dtype)


def any_of_an_old_batch(*tensors: torch.Tensor) -> bool:
    """Whether one is of the `vmap` that came before `torch.func`, which knows no rules of a function."""
    return any(map(_of_an_old_batch(), tensors))


@cache
def _of_an_old_batch() -> Callable[[torch.Tensor], bool]:
    quick = getattr(torch._C._functorch, "is_legacy_batchedtensor", None)
    if quick is not None:
        return cast("Callable[[torch.Tensor], bool]", quick)
    key = torch._C._parse_dispatch_key("Batched")  # of Torch 2.3
    assert key is not None
    return lambda tensor: torch._C._dispatch_keys(tensor).has(key)


def _halved(b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """x [..., T] with x_T = 0, in log T rounds; the last factor plays no part."""
    steps = b.shape[-1]
    if steps < 2:
        return b
    first = steps % 2  # x_0 is left for the end
    b_even, b_odd = b[..., first::2], b[..., first + 1 :: 2]
    a_even, a_odd = a[..., first::2], a[..., first + 1 :: 2]
    x_even = _halved(b_even + a_even * b_odd, a_even * a_odd)
    x_odd = torch.cat([b_odd[..., :-1] + a_odd[..., :-1] * x_even[..., 1:], b_odd[..., -1:]], -1)
    # what the old batches have rules for: not flatten
    x = torch.stack([x_even, x_odd], -1).reshape(*b.shape[:-1], steps - first)
    if not first:
        return x
    return torch.cat([b[..., :1] + a[..., :1] * x[..., :1], x], -1)
