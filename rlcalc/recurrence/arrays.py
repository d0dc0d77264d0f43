"""What the recurrence takes: real arrays over time, broadcast against each other, in one dtype."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]


def prepare_numpy(*arrays: Any, last: Any = 0.0) -> tuple[np.dtype[Any], list[Array], Array]:
    """The common dtype, the [..., T] arrays broadcast against each other, and last broadcast to [...]."""
    given = [np.asarray(x) for x in (*arrays, last)]
    for x in given:
        if x.dtype.kind not in "fiub":
            raise InputError("not_real", f"The recurrence takes real numbers, not an array of {x.dtype}.")
    floats = [x.dtype for x in given if x.ndim and x.dtype.kind == "f"]
    shape = _common_shape(np.broadcast_shapes, [x.shape for x in given])
    *series, end = given
    return (
        np.result_type(*floats) if floats else np.dtype(np.float64),
        [x if x.shape == shape else np.broadcast_to(x, shape) for x in series],
        np.broadcast_to(end, shape[:-1]),
    )


def prepare_torch(*arrays: Any, last: Any = 0.0) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The [..., T] tensors and last, in one dtype, on one device, broadcast against each other."""
    device = arrays[0].device
    # torch.full makes a number on the device; as_tensor would copy it there, and wait.
    given = [
        torch.full((), x, dtype=torch.get_default_dtype(), device=device)
        if isinstance(x, int | float)
        else torch.as_tensor(x, device=device)
        for x in (*arrays, last)
    ]
    for x in given:
        if x.is_complex():
            raise InputError("not_real", f"The recurrence takes real numbers, not a tensor of {x.dtype}.")
    floats = [x.dtype for x in given if x.ndim and x.is_floating_point()]
    dtype = floats[0] if floats else torch.get_default_dtype()
    for other in floats[1:]:
        dtype = torch.promote_types(dtype, other)
    shapes = [tuple(x.shape) for x in given]
    # torch's own function loads its symbolic shapes first, over half a second of imports;
    # only a compiler's sizes, which are no plain numbers, need it
    plain = all(type(size) is int for shape in shapes for size in shape)
    shape = _common_shape(np.broadcast_shapes if plain else torch.broadcast_shapes, shapes)
    *series, end = (x.to(dtype) for x in given)
    return [x.expand(shape) for x in series], end.expand(shape[:-1])


def _common_shape(broadcast: Callable[..., Any], shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The [..., T] that all series and, with an axis of time added, the last value share."""
    *series, last = shapes
    if not series[0]:
        raise InputError("no_time_axis", "The recurrence needs an axis of time, and b is a single number.")
    if last == () and all(x == series[0] for x in series):
        return series[0]
    try:
        return tuple(broadcast(*series, (*last, 1)))
    except (ValueError, RuntimeError):
        *first, final = (str(tuple(x)) for x in shapes)
        message = f"Shapes {', '.join(first)} over time and {final} after its end do not fit together."
        hint = "Time is the last axis; the value after the end has the leading axes only."
        raise InputError("shape_mismatch", message, hint) from None


def window_length(n: Any, steps: int) -> int:
    """n as an int of at most T; refuses anything but an integer of at least 1."""
    try:
        length = index(n)
    except TypeError:
        length = 0
    if length < 1 or isinstance(n, bool):
        raise InputError("n_out_of_range", f"A window has an integer number of steps, at least 1, not {n!r}.")
    return min(length, steps)
