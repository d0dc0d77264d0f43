"""NumPy and Torch with one interface.

A ``Backend`` is the library itself (``xp.where``, ``xp.log``: every name that
it does not define is looked up there) with the few operations that the two
spell differently. Torch is never imported unless a tensor was seen or asked
for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from rlcalc import plain_tensors
from rlcalc._lazy import np, torch


def is_tensor(value: Any) -> bool:
    """Whether a value is a Torch tensor, asked without importing Torch."""
    return hasattr(value, "detach") and hasattr(value, "requires_grad")


class Backend(ABC):
    """One array library.

    Attributes:
        name: ``numpy`` or ``torch``.
        dtypes: names of the floating dtypes that formulas run in.
    """

    name: str
    dtypes: tuple[str, ...]
    library: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    @abstractmethod
    def array(self, value: Any, dtype: Any = None, device: Any = None) -> Any:
        """Numbers or nested lists of them as an array."""

    @abstractmethod
    def cast(self, array: Any, dtype: Any, out: Any = None) -> Any:
        """The same values in another dtype."""

    @abstractmethod
    def where(self, flags: Any, yes: Any, no: Any, out: Any = None) -> Any:
        """``yes`` where the flag is set, else ``no``."""

    @abstractmethod
    def new_zeros(self, like: Any, shape: Sequence[int]) -> Any:
        """Zeros in the dtype and on the device of ``like``."""

    @abstractmethod
    def indices(self, count: int, like: Any) -> Any:
        """0 … count − 1, on the device of ``like``."""

    @abstractmethod
    def placed(self, array: Any, like: Any) -> Any:
        """The same array on the device of ``like``."""

    @abstractmethod
    def take(self, array: Any, index: Any) -> Any:
        """The entries of the last axis at the indices, both of one shape before it."""

    @abstractmethod
    def put_into(self, array: Any, index: Any, values: Any) -> Any:
        """The array itself, with other entries at the indices of its last axis: only of one just made."""

    @abstractmethod
    def values_only(self, array: Any, *others: Any) -> bool:
        """Whether a way may be chosen by a look at the values: they are many, and nothing is derived."""

    @abstractmethod
    def last_set(self, flags: Any) -> Any:
        """The index of the last flag along the last axis that is set, −1 where none is."""

    @abstractmethod
    def product_plus(self, left: Any, right: Any, more: Any, out: Any = None, times: int = 1) -> Any:
        """times · left · right + more, in one pass where the library has one; the last two may be numbers.

        ``out`` may be the memory of the left or the right, not that of what is added.
        """

    @abstractmethod
    def at_largest(self, values: Sequence[Any], entries: Sequence[Any]) -> Any:
        """Of single numbers, the entry beside the largest value, the first of equal ones."""

    def hidden(self, flags: Any, arrays: list[Any]) -> list[Any]:
        """Each of the arrays with 0 where the flags are not set: new ones, to be written over."""
        return [self.where(flags, array, 0.0) for array in arrays]

    @abstractmethod
    def over(self, array: Any, *others: Any) -> Any:
        """``out=`` for a result of this array, just made and needed no more, and of others.

        It is the array itself, or ``None`` where the result needs memory of its own: for derivatives, for
        another shape.
        """

    def spare(self, array: Any, *others: Any) -> Any:
        """``over`` of an input that is needed no more: where it was hidden, and so is no one else's."""
        return None

    @abstractmethod
    def smaller(self, first: Any, second: Any) -> Any:
        """The smaller of two, entry by entry; of equal ones the first, through which alone derivatives go.

        It may stand in the memory of the second.
        """

    @abstractmethod
    def order(self, array: Any) -> Any:
        """Indices that sort the last axis; equal entries keep their order."""

    @abstractmethod
    def running_max(self, array: Any) -> Any:
        """The largest entry so far, along the last axis."""

    @abstractmethod
    def pooled(self, values: Any, index: Any) -> Any:
        """Along the last axis, the sum of the values at each index; as many sums as values."""

    @abstractmethod
    def constant(self, array: Any) -> Any:
        """The same values without the graph that they came with."""

    @abstractmethod
    def look(self, array: Any) -> Any:
        """The values as a NumPy array; ``None`` where looking would cost a wait or is not possible."""

    def any_or_unknown(self, flags: Any) -> bool:
        """Whether a flag is set, or may be: where flags cannot be looked at, the answer is yes."""
        seen = self.look(flags)
        return seen is None or bool(seen.any())

    def eps(self, array: Any) -> float:
        """Distance from 1 to the next number of the dtype."""
        return _eps(self, array.dtype)


@cache
def _eps(xp: Backend, dtype: Any) -> float:
    return float(xp.finfo(dtype).eps)


_WORDS = {"<f4": "<i4", "<f8": "<i8"}


def _is_nothing(value: Any) -> bool:
    return type(value) in (int, float) and value == 0


class _NumPy(Backend):
    name = "numpy"
    dtypes = ("float64", "float32", "float16")
    library = np

    def array(self, value: Any, dtype: Any = None, device: Any = None) -> Any:
        with np.errstate(all="ignore"):  # out of a narrow dtype's range is infinity or 0, as in Torch
            return np.asarray(value, dtype)

    def cast(self, array: Any, dtype: Any, out: Any = None) -> Any:
        return array.astype(dtype)

    def new_zeros(self, like: Any, shape: Sequence[int]) -> Any:
        return np.zeros(shape, like.dtype)

    def indices(self, count: int, like: Any) -> Any:
        return np.arange(count)

    def placed(self, array: Any, like: Any) -> Any:
        return array

    def take(self, array: Any, index: Any) -> Any:
        return np.take_along_axis(array, index, -1)

    def values_only(self, array: Any, *others: Any) -> bool:
        return bool(array.size)

    def last_set(self, flags: Any) -> Any:
        last = flags.shape[-1] - 1 - flags[..., ::-1].argmax(-1)
        return np.where(flags.any(-1), last, -1)

    def product_plus(self, left: Any, right: Any, more: Any, out: Any = None, times: int = 1) -> Any:
        return np.add(np.multiply(left, right * times, out=out), more, out=out)

    def at_largest(self, values: Sequence[Any], entries: Sequence[Any]) -> Any:
        return entries[max(range(len(values)), key=values.__getitem__)]

    def order(self, array: Any) -> Any:
        return np.argsort(array, axis=-1, kind="stable")

    def running_max(self, array: Any) -> Any:
        return np.maximum.accumulate(array, -1)

    def pooled(self, values: Any, index: Any) -> Any:
        rows = index.reshape(-1, index.shape[-1])
        flat = (rows + rows.shape[-1] * np.arange(len(rows))[:, None]).ravel()
        sums = np.bincount(flat, values.ravel(), flat.size) if flat.size else np.zeros(0)
        return sums.reshape(index.shape).astype(values.dtype)

    def smaller(self, first: Any, second: Any) -> Any:
        return np.minimum(first, second)

    def over(self, array: Any, *others: Any) -> Any:
        if not (isinstance(array, np.ndarray) and array.flags.writeable):
            return None
        alike = all(np.shape(x) in ((), array.shape) for x in others)
        whole = alike or np.broadcast_shapes(array.shape, *map(np.shape, others)) == array.shape
        return array if whole else None

    def constant(self, array: Any) -> Any:
        return array

    def log_softmax(self, x: Any, axis: int) -> Any:
        """The largest entry is subtracted first, so nothing overflows."""
        shifted = x - x.max(axis=axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

    def where(self, flags: Any, yes: Any, no: Any, out: Any = None) -> Any:
        """``np.where``, in half the time where one side is 0: by the bits of whole words."""
        if _is_nothing(yes):
            there, array = np.invert(flags), no
        elif _is_nothing(no):
            there, array = flags, yes
        else:
            return np.where(flags, yes, no)
        word = _WORDS.get(array.dtype.str) if array.size >= plain_tensors.LARGE else None
        if word is None or there.dtype != bool:
            return np.where(flags, yes, no)
        bits = np.negative(there.view(np.int8)).astype(word)
        return np.bitwise_and(bits, array.view(word), out=self.over(bits, array)).view(array.dtype)

    def put_into(self, array: Any, index: Any, values: Any) -> Any:
        np.put_along_axis(array, index, values, -1)
        return array

    def softmax(self, x: Any, axis: int) -> Any:
        """The largest entry is subtracted first, so nothing overflows."""
        powers = np.exp(x - x.max(axis=axis, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(−x)), by the exponential that is at most 1."""
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)

    def look(self, array: Any) -> Any:
        return array


class _Torch(Backend):
    name = "torch"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    library = torch

    def array(self, value: Any, dtype: Any = None, device: Any = None) -> Any:
        return torch.tensor(value, dtype=dtype, device=device)

    def cast(self, array: Any, dtype: Any, out: Any = None) -> Any:
        if array.dtype == torch.bool and plain_tensors.is_large(array):
            array = array.view(torch.uint8)  # of which Torch converts many at once, of flags one
        return array.to(dtype) if out is None or out.shape != array.shape else out.copy_(array)

    def clip(self, x: Any, low: Any, high: Any, out: Any = None) -> Any:
        low, high = plain_tensors.clip_bounds(x, low, high)
        return torch.clip(x, low, high, out=out)

    def where(self, flags: Any, yes: Any, no: Any, out: Any = None) -> Any:
        """``torch.where``, in a third of the time where only the values matter."""
        found = plain_tensors.where(flags, yes, no, out)
        return torch.where(flags, yes, no) if found is None else found

    def hidden(self, flags: Any, arrays: list[Any]) -> list[Any]:
        found = plain_tensors.hidden(flags, arrays)
        return super().hidden(flags, arrays) if found is None else found

    def argmax(self, x: Any, axis: int) -> Any:
        found = plain_tensors.argmax(x, axis)
        return torch.argmax(x, axis) if found is None else found

    def exp(self, x: Any, out: Any = None) -> Any:
        found = plain_tensors.exp(x, out)
        return torch.exp(x, out=out) if found is None else found

    def greater(self, left: Any, right: Any) -> Any:
        """``torch.greater``, in a quarter of the time where only the values matter."""
        found = plain_tensors.compared("greater", left, right)
        return torch.greater(left, right) if found is None else found

    def equal(self, left: Any, right: Any) -> Any:
        """``torch.eq``, in a quarter of the time where only the values matter."""
        found = plain_tensors.compared("equal", left, right)
        return torch.eq(left, right) if found is None else found

    def over(self, array: Any, *others: Any) -> Any:
        return plain_tensors.over(array, *others)

    def spare(self, array: Any, *others: Any) -> Any:
        return plain_tensors.spare(array, *others)

    def smaller(self, first: Any, second: Any) -> Any:
        if (out := self.over(second, first)) is not None:
            return torch.minimum(first, second, out=out)
        return torch.where(first > second, second, first)

    def new_zeros(self, like: Any, shape: Sequence[int]) -> Any:
        return like.new_zeros(shape)

    def indices(self, count: int, like: Any) -> Any:
        return torch.arange(count, device=like.device)

    def placed(self, array: Any, like: Any) -> Any:
        return array.to(like.device)

    def take(self, array: Any, index: Any) -> Any:
        return array.gather(-1, index)

    def values_only(self, array: Any, *others: Any) -> bool:
        return plain_tensors.is_large(array, *(x for x in others if isinstance(x, torch.Tensor)))

    def last_set(self, flags: Any) -> Any:
        if plain_tensors.is_large(flags):
            return torch.from_numpy(NUMPY.last_set(flags.numpy()))
        places = torch.arange(flags.shape[-1], dtype=torch.int32, device=flags.device)
        return torch.where(flags, places, places.new_full((), -1)).amax(-1).long()

    def product_plus(self, left: Any, right: Any, more: Any, out: Any = None, times: int = 1) -> Any:
        more = more if isinstance(more, torch.Tensor) else left.new_full((), more)
        if not isinstance(right, torch.Tensor):
            return torch.add(more, left, alpha=times * right, out=out)
        return torch.addcmul(more, left, right, value=times, out=out)

    def at_largest(self, values: Sequence[Any], entries: Sequence[Any]) -> Any:
        """No number is looked at, which a compiler and ``vmap`` could not."""
        best = torch.stack(list(values)).argmax(0, keepdim=True)
        return torch.stack(list(entries)).gather(0, best)[0]

    def order(self, array: Any) -> Any:
        return array.argsort(dim=-1, stable=True)

    def running_max(self, array: Any) -> Any:
        return array.cummax(-1).values

    def put_into(self, array: Any, index: Any, values: Any) -> Any:
        # vmap warns of what it does in place, and a graph may hold what stood there before
        if _in_transform() or array.requires_grad:
            return array.scatter(-1, index, values)
        return array.scatter_(-1, index, values)

    def pooled(self, values: Any, index: Any) -> Any:
        return torch.zeros_like(values).scatter_add(-1, index, values)

    def constant(self, array: Any) -> Any:
        return array.detach()

    def asarray(self, value: Any) -> Any:
        return torch.as_tensor(value)

    def broadcast_arrays(self, *arrays: Any) -> Any:
        if all(array.shape == arrays[0].shape for array in arrays):
            return arrays  # not views of them, which are no one's spare memory
        return torch.broadcast_tensors(*arrays)  # type: ignore[no-untyped-call]

    def look(self, array: Any) -> Any:
        """Tensors of other devices are not looked at, nor any under a compiler, a tracer or ``vmap``."""
        if torch.compiler.is_compiling() or torch._C._get_tracing_state() or not array.is_cpu:
            return None
        try:
            plain = array.detach() if array.requires_grad else array
            # NumPy has no bfloat16
            return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
        except (RuntimeError, TypeError):  # a wrapper of vmap, a fake or a sparse tensor: it holds no numbers
            return None


def _in_transform() -> bool:
    """Whether a transform of ``torch.func`` is at work."""
    return torch._C._functorch.peek_interpreter_stack() is not None


NUMPY: Backend = _NumPy()
TORCH: Backend = _Torch()
BY_NAME = {"numpy": NUMPY, "torch": TORCH}


def backend_of(values: Iterable[Any]) -> Backend:
    """Torch if there is a tensor among the values, else NumPy."""
    return TORCH if any(map(is_tensor, values)) else NUMPY
