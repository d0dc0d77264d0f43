"""Inputs -> arrays: one dtype, one device, shapes checked against the specification.

Two doors lead to the numeric forms. ``rlcalc.<formula>(...)`` brings arrays,
lists or tensors of a user, batched; ``from_exact`` brings checked exact
inputs of one case. Behind both every ``number`` is an array of the common
dtype, flags are booleans, absent optional inputs are ``None``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError, UnknownName, shown
from rlcalc.inputs.bind import Inputs, active_form, missing
from rlcalc.inputs.read import flat
from rlcalc.specs import Formula, Parameter

NUMPY_DTYPES = ("float64", "float32", "float16")
TORCH_DTYPES = ("float64", "float32", "float16", "bfloat16")


def dtype_of(backend: str, name: str) -> Any:
    """The dtype object of a backend.

    Raises:
        UnknownName: ``unknown_dtype``.
    """
    known = NUMPY_DTYPES if backend == "numpy" else TORCH_DTYPES
    if name not in known:
        raise UnknownName(
            "unknown_dtype",
            f"{backend} has no floating dtype {shown(name)} here.",
            f"Use {', '.join(known)}.",
        )
    if backend == "numpy":
        return np.dtype(name)
    return getattr(torch, name)


def torch_device(name: str) -> Any:
    """``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto`` (the best one there is).

    Raises:
        InputError: ``device_not_available`` or ``unknown_device``.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        kind = name.partition(":")[0]
        code = "device_not_available" if kind in ("cuda", "mps", "xpu") else "unknown_device"
        raise InputError(
            code, f"Torch cannot use the device {shown(name)} here.", "Use --device cpu or auto."
        ) from error
    return device


def from_exact(inputs: Inputs, backend: str, dtype: str = "float64", device: str = "cpu") -> dict[str, Any]:
    """Arrays of one case for ``numpy_form`` or ``torch_form``."""
    kind = dtype_of(backend, dtype)
    place = torch_device(device) if backend == "torch" else None
    found: dict[str, Any] = {}
    for parameter in inputs.formula.parameters:
        value = inputs.values[parameter.name]
        if value is None or parameter.is_switch or isinstance(value, str):
            found[parameter.name] = value
        elif parameter.kind == "number":
            found[parameter.name] = _array(backend, inputs.floats(parameter.name), kind, place)
        elif parameter.kind == "flag":
            found[parameter.name] = _array(backend, value, None, place)
        elif parameter.kind == "mdp":
            found[parameter.name] = value.arrays(backend, kind, place)
        elif parameter.kind == "integer":
            found[parameter.name] = _array(backend, value, None, place)
        else:
            found[parameter.name] = value
    return found


def _array(backend: str, value: Any, dtype: Any, device: Any) -> Any:
    if backend == "numpy":
        with np.errstate(all="ignore"):  # out of a narrow dtype's range is infinity or 0, as in Torch
            return np.asarray(value, dtype)
    return torch.tensor(value, dtype=dtype, device=device)


def from_user(formula: Formula, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Backend and arrays for a call of ``rlcalc.<formula>``.

    Tensors among the inputs choose Torch, anything else NumPy. NumPy arrays
    and Python scalars are checked against the domains; tensors are not,
    since looking at their values would wait for the device.

    Raises:
        InputError: ``..._missing``, ``..._wrong_shape``, ``..._out_of_range``.
    """
    given = {name: value for name, value in given.items() if value is not None}
    active = [p for p in formula.parameters if p.name in active_form(formula, given)]
    for parameter in active:
        if parameter.required and parameter.name not in given:
            raise missing(formula, parameter)
    backend = "torch" if any(map(_is_tensor, _arrays_in(given))) else "numpy"
    convert = _tensor_converter(given) if backend == "torch" else _numpy_converter(formula, given)
    found: dict[str, Any] = {parameter.name: None for parameter in formula.parameters}
    for parameter in active:
        value = given.get(parameter.name)
        if value is None:
            if parameter.default in (None, "zeros"):
                continue
            value = _default(parameter)
        found[parameter.name] = _one_row(parameter, convert(parameter, value))
    _check_shapes(formula, active, found)
    return backend, found


def _one_row(parameter: Parameter, array: Any) -> Any:
    """A vector where a matrix is expected is its one row, as on the command line."""
    vector = len(parameter.shape) == 2 and getattr(array, "ndim", 0) == 1
    return array[None, :] if vector else array


def _is_tensor(value: Any) -> bool:
    # asked without importing torch: only a tensor's class comes from there
    return type(value).__module__.partition(".")[0] == "torch" or (
        hasattr(value, "detach") and hasattr(value, "requires_grad")
    )


def _default(parameter: Parameter) -> Any:
    text = str(parameter.default)
    if parameter.kind == "number" and text not in parameter.choices:
        return float(Fraction(text))
    if parameter.kind == "count":
        return float("inf") if text == "inf" else int(text)
    return int(text) if parameter.kind == "integer" else text


def _arrays_in(given: Mapping[str, Any]) -> Iterator[Any]:
    """All values that may decide a dtype or a device, those of a table of arrays among them."""
    for value in given.values():
        yield from value.values() if isinstance(value, Mapping) else (value,)


def _numpy_converter(formula: Formula, given: Mapping[str, Any]) -> Any:
    floats = [
        value
        for value in _arrays_in(given)
        if isinstance(value, np.ndarray | np.generic) and np.issubdtype(value.dtype, np.floating)
    ]
    dtype = np.result_type(*(value.dtype for value in _deciding(floats))) if floats else np.dtype(np.float64)

    def convert(parameter: Parameter, value: Any) -> Any:
        if parameter.kind == "number" and not (parameter.choices and isinstance(value, str)):
            try:
                array = np.asarray(value)
                # a cast would drop an imaginary part, and only warn
                real = array.dtype.kind != "c"
                array = array.astype(dtype, copy=False) if real else array
            except (TypeError, ValueError) as error:
                raise _not_numeric(parameter, value) from error
            if not real:
                raise _not_numeric(parameter, value)
            check_array(parameter, array)
            return array
        if parameter.kind == "flag" and not parameter.is_switch:
            return _checked_flags(parameter, np.asarray(value))
        if parameter.kind == "integer":
            return _checked_integer(parameter, np.asarray(value))
        return _plain(parameter, value, "numpy", dtype, None)

    return convert


def _tensor_converter(given: Mapping[str, Any]) -> Any:
    tensors = [value for value in _arrays_in(given) if isinstance(value, torch.Tensor)]
    floating = _deciding([tensor for tensor in tensors if tensor.is_floating_point()])
    dtype = torch.get_default_dtype()
    if floating:
        dtype = floating[0].dtype
        for tensor in floating[1:]:
            dtype = torch.promote_types(dtype, tensor.dtype)
    device = tensors[0].device

    def convert(parameter: Parameter, value: Any) -> Any:
        if parameter.kind == "number" and not (parameter.choices and isinstance(value, str)):
            if isinstance(value, torch.Tensor):
                if value.is_complex():
                    raise _not_numeric(parameter, value)
                return value.to(dtype)
            if isinstance(value, int | float):
                # stays on the host: a scalar reaches a kernel without a copy
                _check_scalar(parameter, float(value))
                return torch.tensor(value, dtype=dtype)
            try:
                return torch.as_tensor(value, dtype=dtype, device=device)
            except (TypeError, ValueError) as error:
                raise _not_numeric(parameter, value) from error
        if parameter.kind == "flag" and not parameter.is_switch:
            return torch.as_tensor(value, device=device).bool()
        if parameter.kind == "integer":
            return torch.as_tensor(value, device=device)
        return _plain(parameter, value, "torch", dtype, device)

    return convert


def _deciding(floats: list[Any]) -> list[Any]:
    """The arrays that decide the dtype: those with axes, single numbers only among themselves.

    So a discount that comes as ``np.float64`` leaves float32 rewards float32.
    """
    return [value for value in floats if value.ndim] or floats


def _not_numeric(parameter: Parameter, value: Any) -> InputError:
    return InputError(
        f"{parameter.name.rstrip('_')}_not_numeric",
        f"{parameter.name} must be numbers or an array of them, not {shown(value)}.",
    )


def _plain(parameter: Parameter, value: Any, backend: str, dtype: Any, device: Any) -> Any:
    if parameter.kind == "mdp":
        from rlcalc.mdp.model import read_mdp

        return read_mdp(value).arrays(backend, dtype, device)
    if parameter.choices and isinstance(value, str) and value not in parameter.choices:
        raise InputError(
            f"{parameter.name.rstrip('_')}_unknown",
            f"{parameter.name} must be {' or '.join(parameter.choices)}, not {shown(value)}.",
        )
    return _checked_count(parameter, value) if parameter.kind == "count" else value


def _checked_count(parameter: Parameter, value: Any) -> Any:
    """A whole number of at least 1, or infinity, which may come as the word."""
    if isinstance(value, str) and value == "inf":
        return float("inf")
    single = getattr(value, "ndim", 0) == 0
    try:
        whole = (
            single and not isinstance(value, bool | str) and (value == float("inf") or int(value) == value)
        )
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise InputError(
            f"{parameter.name}_not_an_integer",
            f"{parameter.name} must be a whole number or inf, not {shown(value)}.",
            parameter.help,
        )
    if value < 1:
        raise InputError(
            f"{parameter.name}_out_of_range", f"{parameter.name} must be at least 1 or inf, not {value}."
        )
    return value


def _checked_flags(parameter: Parameter, array: Any) -> Any:
    """Booleans; what is neither 0 nor 1 is a mistake (a time index, a mask not yet thresholded)."""
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "iufO" or not ((array == 0) | (array == 1)).all():
        raise InputError(
            f"{parameter.name}_not_a_flag", f"{parameter.name} takes 0 or 1 per step, not {shown(array)}."
        )
    return array.astype(bool)


# How far the sum of floating probabilities may be from 1. Half precision rounds each by 5e-4; in wider
# dtypes the bound passes a large vocabulary's softmax, and catches logits and unnormalised weights.
_SUM_SLACK = {2: 3e-2}
_SUM_SLACK_WIDE = 5e-4


def _check_sums(parameter: Parameter, array: Any) -> None:
    if array.ndim == 0 or array.size == 0:
        return
    sums = array.sum(axis=-1, dtype=np.float64)
    far = np.abs(sums - 1) > _SUM_SLACK.get(array.dtype.itemsize, _SUM_SLACK_WIDE)
    if far.any():
        raise InputError(
            f"{parameter.name.rstrip('_')}_not_a_distribution",
            f"{parameter.name} must be probabilities that sum to 1; they sum to {sums[far].flat[0]:.6g}.",
            parameter.help,
        )


def check_array(parameter: Parameter, array: Any) -> None:
    """Refuse NumPy values outside the domain; nan is outside every bounded one."""
    _check_interval(parameter, array)
    if parameter.distribution:
        _check_sums(parameter, array)


def _check_interval(parameter: Parameter, array: Any) -> None:
    interval = parameter.domain
    low, high = interval.low, interval.high
    if (low is None and high is None) or array.size == 0:
        return
    smallest, largest = array.min(), array.max()
    inside = not np.isnan(smallest)
    if low is not None:
        inside = inside and (smallest >= float(low) if interval.low_closed else smallest > float(low))
    if high is not None:
        # one rounding step of slack: float32(1/3)·3 may pass 1
        slack = 1 + float(np.finfo(array.dtype).eps)
        inside = inside and (
            largest <= float(high) * slack if interval.high_closed else largest < float(high)
        )
    if not inside:
        found = f", not {smallest}" if array.size == 1 else f"; it reaches from {smallest} to {largest}"
        raise InputError(
            f"{parameter.name.rstrip('_')}_out_of_range",
            f"{parameter.name} must be {interval.words()}{found}.",
        )


def _check_scalar(parameter: Parameter, value: float) -> None:
    check_array(parameter, np.asarray(value))


def _checked_integer(parameter: Parameter, array: Any) -> Any:
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"{parameter.name}_not_an_integer", f"{parameter.name} must be whole numbers, not {array.dtype}."
        )
    check_array(parameter, array.astype(np.float64))
    return array


def _check_shapes(formula: Formula, active: list[Parameter], found: Mapping[str, Any]) -> None:
    """Match the last axes of every array with the dimensions of the specification."""
    dims: dict[str, int] = {}
    for parameter in active:
        array = found[parameter.name]
        if array is None or not hasattr(array, "shape") or parameter.kind in ("mdp", "word"):
            continue
        size = tuple(array.shape)
        shape = parameter.shape
        if parameter.each and size:
            shape = (parameter.each,)
        elif parameter.single and size:
            raise _wrong_shape(parameter, size, "one number")
        if len(size) < len(shape):
            raise _wrong_shape(parameter, size, f"[..., {', '.join(shape)}]")
        for name, length in zip(shape, size[len(size) - len(shape) :], strict=True):
            base, _, extra = name.partition("+")
            if length == 0 and not parameter.may_be_empty:
                raise InputError(
                    f"{parameter.name.rstrip('_')}_empty",
                    f"{parameter.name} has shape {list(size)}: nothing along its axis {name}.",
                    parameter.help,
                )
            dims.setdefault(base, length - int(extra or 0))
            if dims[base] + int(extra or 0) != length:
                known = ", ".join(f"{key} = {value}" for key, value in dims.items())
                raise _wrong_shape(parameter, size, f"[..., {', '.join(shape)}] with {known}")


def _wrong_shape(parameter: Parameter, size: tuple[int, ...], want: str) -> InputError:
    return InputError(
        f"{parameter.name.rstrip('_')}_wrong_shape",
        f"{parameter.name} has shape {list(size)}; expected {want}.",
        parameter.help,
    )


def all_finite(value: Any) -> bool:
    """Whether every entry of a nested list of floats is finite."""
    import math

    return all(math.isfinite(entry) for entry in flat(value))
