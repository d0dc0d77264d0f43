"""Tensors of which only the values matter: what a CPU does faster than Torch's own operations.

A plain tensor lies on a CPU, and nothing is derived, compiled, traced or mapped from it. There a result may
be put where its input was, flags may be compared in NumPy, and choices made by whole words. Every function
here takes what its namesake in ``torch`` takes, and returns ``None`` where its way is not open.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rlcalc._lazy import np, torch

LARGE = 8192  # entries from which on they take longer than a call or two of Torch


def is_plain(*arrays: Any) -> bool:
    """Whether only the values of tensors matter."""
    graph = torch.is_grad_enabled()
    for array in arrays:
        if type(array) is not torch.Tensor or not array.is_cpu or (graph and array.requires_grad):
            return False
    return (
        not torch.compiler.is_compiling()
        and not torch._C._get_tracing_state()
        and torch._C._functorch.peek_interpreter_stack() is None
        and torch.autograd.forward_ad._current_level < 0
    )


def is_large(array: Any, *others: Any) -> bool:
    """Whether all that is only done for speed pays: of a large tensor that is plain, as others are."""
    # in a compiler's graph the number of entries may not be known yet
    known = type(array) is torch.Tensor and not torch.compiler.is_compiling()
    return known and array.numel() >= LARGE and is_plain(array, *others)


def where(flags: Any, yes: Any, no: Any, out: Any) -> Any:
    """A choice by the bits of whole words, in a third of the time.

    Torch chooses entry by entry. A flag spread over all bits of its entry lets the same choice run in
    vector registers; nan and infinity are bits like others. No derivative passes through bits.
    """
    if not (is_large(flags) and flags.dtype == torch.bool):
        return None
    tensors = [value for value in (yes, no) if isinstance(value, torch.Tensor)]
    real = tensors[0].dtype if tensors else None
    word = None if real is None else _word(real)
    if word is None or any(tensor.dtype != real for tensor in tensors) or not is_plain(*tensors):
        return None
    if _is_zero(no):
        return _both(_bits(flags, word), yes.view(word), out).view(real)
    if _is_zero(yes):
        return _both((flags.view(torch.int8) - 1).to(word), no.view(word), out).view(real)
    if len(tensors) < 2:
        return None
    yes, no = yes.view(word), no.view(word)
    return _both(_bits(flags, word), yes ^ no).bitwise_xor_(no).view(real)


def hidden(flags: Any, arrays: list[Any]) -> list[Any] | None:
    """Each of the arrays with 0 where its flag is not set; all of them choose by the same bits."""
    if not is_large(flags) or flags.dtype != torch.bool:
        return None
    real = arrays[0].dtype
    word = _word(real)
    alike = all(x.dtype == real and x.shape == flags.shape for x in arrays)
    if word is None or not alike or not is_plain(*arrays):
        return None
    bits = _bits(flags, word)
    found = [(bits & array.view(word)).view(real) for array in arrays[:-1]]
    found.append(bits.bitwise_and_(arrays[-1].view(word)).view(real))
    for array in found:
        array.is_spare = True
    return found


def spare(array: Any, *others: Any) -> Any:
    """``over`` of what was made to hide what is masked and no one else has; to be asked once."""
    if torch.compiler.is_compiling() or not getattr(array, "is_spare", False) or over(array, *others) is None:
        return None
    array.is_spare = False  # what stands there from now on may be an answer
    return array


def clip_bounds(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Bounds of one number as numbers, for which there is a faster kernel."""
    if is_large(x):
        low, high = (_number(x, bound) for bound in (low, high))
        if isinstance(low, torch.Tensor) != isinstance(high, torch.Tensor) and None not in (low, high):
            low, high = (torch.as_tensor(bound, dtype=x.dtype) for bound in (low, high))
    return low, high


def compared(name: str, left: Any, right: Any) -> Any:
    """``torch.less`` and the like by NumPy's function of the same name, in a quarter of the time."""
    if not (is_large(left) and is_plain(right)):
        return None
    if left.dtype != right.dtype or left.dtype not in (torch.float32, torch.float64):
        return None
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(getattr(np, name)(left.numpy(), right.numpy())))


def exp(x: Any, out: Any) -> Any:
    """``torch.exp`` by NumPy's vector code, in half the time of one thread; several threads are faster."""
    if not is_large(x) or x.dtype != torch.float32 or torch.get_num_threads() > 1:
        return None
    with np.errstate(all="ignore"):
        found = np.exp(x.numpy(), out=None if out is None else out.numpy())
    return torch.from_numpy(found) if out is None else out


def argmax(x: Any, axis: int) -> Any:
    """``torch.argmax`` by NumPy, which compares many at once, in a tenth of the time."""
    if not is_large(x) or x.dtype not in (torch.float32, torch.float64):
        return None
    return torch.from_numpy(np.asarray(x.numpy().argmax(axis)))


def over(array: Any, *others: Any) -> Any:
    """The array itself, where what is computed of it and the others may be put into its memory."""
    for other in others:
        if isinstance(other, torch.Tensor) and not (
            is_plain(other) and (other.ndim == 0 or _broadcasts(other.shape, array.shape))
        ):
            return None
    return array if is_large(array) else None


def _broadcasts(shape: Any, onto: Any) -> bool:
    """Whether an array of one shape goes with one of another, whose shape the result has."""
    if shape == onto:
        return True
    fits = zip(reversed(shape), reversed(onto), strict=False)
    return len(shape) <= len(onto) and all(size in (1, own) for size, own in fits)


@cache
def _word(dtype: Any) -> Any:
    """The integers as wide as a dtype of real numbers."""
    return None if dtype.is_complex else {2: torch.int16, 4: torch.int32, 8: torch.int64}.get(dtype.itemsize)


def _bits(flags: Any, word: Any) -> Any:
    """Words of which all bits are set where the flag is."""
    return flags.view(torch.int8).neg().to(word)


def _number(like: Any, bound: Any) -> Any:
    """A tensor of one number, in the dtype of ``like``, as that number; anything else as it is."""
    one = isinstance(bound, torch.Tensor) and bound.ndim == 0 and bound.dtype == like.dtype
    return bound.item() if one and is_plain(bound) else bound


def _is_zero(value: Any) -> bool:
    """Whether a value is one number, 0."""
    return bool(value == 0) if not isinstance(value, torch.Tensor) else value.ndim == 0 and not value.item()


def _both(bits: Any, words: Any, out: Any = None) -> Any:
    """The bits that both have, in memory of that shape: ``out``, or where it will do that of the first."""
    if out is not None and out.shape == bits.shape:
        return torch.bitwise_and(bits, words, out=out.view(words.dtype))
    return bits.bitwise_and_(words) if _broadcasts(words.shape, bits.shape) else bits & words
