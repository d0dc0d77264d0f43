"""Whether arrays are what the specification declares: the rules of ``domains`` and ``bind``, for batches.

Every refusal has the code that the exact door gives the same mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, isnan
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY, TORCH, is_tensor
from rlcalc.errors import InputError, shown
from rlcalc.specs import Parameter
from rlcalc.spelling import spelled, worded

# How far the sum of floating probabilities may be from 1. Half precision rounds each by 5e-4; in wider
# dtypes the bound passes a large vocabulary's softmax, and catches logits and unnormalised weights.
SUM_SLACK_HALF, SUM_SLACK = 3e-2, 5e-4
LOGITS = 128.0


class Arrays:
    """The arrays of one call: each parameter is an attribute, as numeric forms and checks take it."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = arrays

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_arrays"][name]
        except KeyError:
            raise AttributeError(name) from None

    def but(self, **others: Any) -> Arrays:
        """The same with other arrays under some names."""
        return Arrays({**self._arrays, **others})

    def look(self, *names: str) -> list[Any] | None:
        """NumPy arrays; ``None`` where one is not to be looked at.

        It lies on another device, or is no more than a compiler's placeholder.
        """
        found = [(TORCH if is_tensor(array) else NUMPY).look(array) for array in map(self._arrays.get, names)]
        return None if any(array is None for array in found) else found


def check_array(parameter: Parameter, array: Any, eps: float) -> None:
    """Refuse NumPy values outside the domain.

    A bounded domain holds neither nan nor infinity; an unbounded one takes
    both, and hands them on.

    Args:
        parameter: whose domain it is.
        array: the values, in NumPy's or a wider dtype.
        eps: distance from 1 to the next number of the dtype that the values came in.

    Raises:
        InputError: ``number_not_finite``, ``..._out_of_range``, ``..._not_a_distribution``.
    """
    interval = parameter.domain
    low, high = interval.floats
    if not interval.is_bounded or array.size == 0:
        return
    if array.size == 1:  # a reduction costs more than all the rest
        smallest = largest = float(array.item())
    else:
        # the functions behind array.min() and array.max(), in half the time for a few numbers
        smallest, largest = float(np.minimum.reduce(array, None)), float(np.maximum.reduce(array, None))
    if not (isfinite(smallest) and isfinite(largest)):
        what = "nan" if isnan(smallest) else "infinity"
        raise InputError(
            "number_not_finite",
            f"{spelled(parameter.name)} must be {interval.words()}, but holds {what}.",
            worded(parameter.help),
        )
    inside = True
    if low is not None:
        inside = smallest >= low if interval.low_closed else smallest > low
    if high is not None:
        # one rounding step of slack: float32(1/3)·3 may pass 1. A log-probability is a difference of
        # logits of up to a hundred or so, and may pass 0 by their rounding
        slack = eps * (abs(high) or LOGITS)
        inside = inside and (largest <= high + slack if interval.high_closed else largest < high)
    if not inside and parameter.distribution:
        outside = smallest if smallest < 0 else largest
        raise _not_a_distribution(parameter, f"{outside:.6g} is not a probability")
    if not inside:
        found = f", not {smallest}" if array.size == 1 else f"; it reaches from {smallest} to {largest}"
        raise InputError(
            f"{parameter.label}_out_of_range",
            f"{spelled(parameter.name)} must be {interval.words()}{found}.",
            worded(parameter.help),
        )
    if parameter.distribution and array.ndim:
        sums = array.sum(axis=-1, dtype=np.float64)
        far = np.abs(sums - 1) > (SUM_SLACK if eps < 1e-5 else SUM_SLACK_HALF)
        if far.any():
            raise _not_a_distribution(parameter, f"they sum to {sums[far].flat[0]:.6g}")


def _not_a_distribution(parameter: Parameter, why: str) -> InputError:
    return InputError(
        f"{parameter.label}_not_a_distribution",
        f"{spelled(parameter.name)} must be probabilities that sum to 1; {why}.",
        worded(parameter.help),
    )


def checked_flags(parameter: Parameter, array: Any) -> Any:
    """Booleans; what is neither 0 nor 1 is a mistake (a time index, a mask not yet thresholded)."""
    if array.dtype == bool:
        return array
    allowed = (array == 0) | (array == 1)
    if array.dtype.kind not in "iufO" or not allowed.all():
        wrong = array if allowed.all() else array[~allowed].flat[0]
        raise InputError(
            f"{parameter.name}_not_a_flag",
            f"{spelled(parameter.name)} takes 0 or 1 per step, not {shown(wrong)}.",
        )
    return array.astype(bool)


def checked_integer(parameter: Parameter, array: Any) -> Any:
    """Integers within the domain.

    Raises:
        InputError: ``..._not_an_integer``, ``..._out_of_range``, ``number_too_large``.
    """
    if array.dtype.kind == "O" and all(type(entry) is int for entry in array.flat):
        raise InputError(
            "number_too_large",
            f"{spelled(parameter.name)} takes integers up to 2**63 - 1, not {shown(array)}.",
        )
    if array.dtype.kind not in "iu":
        raise InputError(
            f"{parameter.name}_not_an_integer",
            f"{spelled(parameter.name)} must be integers, not {shown(array)}.",
            worded(parameter.help),
        )
    if parameter.domain.is_bounded:
        check_array(parameter, array, 0.0)
    return array


def checked_count(parameter: Parameter, value: Any) -> Any:
    """An integer within the domain, or infinity where that may be, which may come as the word."""
    endless, domain = not parameter.finite, parameter.domain
    or_inf = " or inf" if endless else ""
    if isinstance(value, str) and value == "inf" and endless:
        return float("inf")
    single = getattr(value, "ndim", 0) == 0
    try:
        whole = (
            single
            and not isinstance(value, bool | str)
            and (int(value) == value if value != float("inf") else endless)
        )
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise InputError(
            f"{parameter.name}_not_an_integer",
            f"{spelled(parameter.name)} must be an integer{or_inf}, not {shown(value)}.",
            worded(parameter.help),
        )
    high = domain.high is not None and value != float("inf") and value > domain.high
    if value < 1 or high:
        raise InputError(
            f"{parameter.name}_out_of_range",
            f"{spelled(parameter.name)} must be {domain.words()}{or_inf}, not {value}.",
        )
    return value


def check_shapes(active: Sequence[Parameter], found: Mapping[str, Any]) -> None:
    """Match the last axes of every array with the dimensions of the specification.

    Raises:
        InputError: ``..._wrong_shape`` for the number of axes, ``..._wrong_length``
            along one of them, ``..._empty``.
    """
    given = [
        (parameter, parameter.axes, found[parameter.name].shape)
        for parameter in active
        if hasattr(found[parameter.name], "shape") and parameter.kind not in ("mdp", "word")
    ]
    dims: dict[str, int] = {}
    for _, axes, size in given:
        # the first vector of a dimension fixes its length, as for exact inputs
        for at in range(1, 1 + min(len(axes), len(size))):
            name, extra = axes[-at]
            if not extra and name not in dims:
                dims[name] = size[-at]
    for parameter, axes, size in given:
        if not (axes or size):
            continue
        if parameter.each and size:
            axes = ((parameter.each, 0),)
        elif parameter.single and size:
            raise _misshapen("shape" if len(size) > 1 else "length", parameter, size, "one number")
        if len(size) < len(axes):
            raise _misshapen("shape", parameter, size, _written(axes))
        for at, (name, extra) in enumerate(axes, len(size) - len(axes)):
            length = size[at]
            if length == 0:
                raise InputError(
                    f"{parameter.label}_empty",
                    f"{spelled(parameter.name)} has shape {list(size)}: "
                    f"nothing along its axis {_axis(name, extra)}.",
                    worded(parameter.help),
                )
            if dims.setdefault(name, length - extra) + extra != length:
                known = ", ".join(f"{key} = {value}" for key, value in dims.items())
                raise _misshapen("length", parameter, size, f"{_written(axes)} with {known}")


def _written(axes: Sequence[tuple[str, int]]) -> str:
    return f"[..., {', '.join(_axis(*axis) for axis in axes)}]"


def _axis(name: str, extra: int) -> str:
    return f"{name}+{extra}" if extra else name


def _misshapen(what: str, parameter: Parameter, size: tuple[int, ...], want: str) -> InputError:
    return InputError(
        f"{parameter.label}_wrong_{what}",
        f"{spelled(parameter.name)} has shape {list(size)}; expected {want}.",
        worded(parameter.help),
    )


def not_numeric(parameter: Parameter, value: Any) -> InputError:
    return InputError(
        f"{parameter.label}_not_numeric",
        f"{spelled(parameter.name)} must be numbers or an array of them, not {shown(value)}.",
    )
