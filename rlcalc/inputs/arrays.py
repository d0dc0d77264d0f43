"""Inputs -> arrays: one dtype, one device, shapes and domains checked against the specification.

Two doors lead to the numeric forms. ``rlcalc.<formula>(...)`` brings arrays,
lists or tensors of a user, batched; ``from_exact`` brings checked exact
inputs of one case. After both every ``number`` is an array of the common
dtype, flags are booleans, absent optional inputs are ``None``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.backends import BY_NAME, NUMPY, TORCH, Backend, backend_of, is_tensor
from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.inputs.array_checks import (
    check_array,
    check_shapes,
    checked_count,
    checked_flags,
    checked_integer,
    not_numeric,
)
from rlcalc.inputs.bind import Inputs, active_parameters, missing
from rlcalc.inputs.read import read_object
from rlcalc.mdp.policies import named_policy
from rlcalc.nested import flatten
from rlcalc.specs import Formula, Parameter
from rlcalc.spelling import spelled


def dtype_of(backend: str, name: str) -> Any:
    """The dtype object of a backend.

    Raises:
        UnknownName: ``unknown_dtype``.
    """
    known = BY_NAME[backend].dtypes
    if name not in known:
        raise UnknownName(
            "unknown_dtype",
            f"{backend} has no floating dtype {shown(name)} here.",
            f"Use {', '.join(known)}.",
        )
    return np.dtype(name) if backend == "numpy" else getattr(torch, name)


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
    except (RuntimeError, AssertionError) as error:
        kind = name.partition(":")[0]
        code = "device_not_available" if kind in ("cuda", "mps", "xpu") else "unknown_device"
        raise InputError(
            code, f"Torch cannot use the device {shown(name)} here.", f"Use {spelled('device')} cpu or auto."
        ) from error
    return device


def from_exact(inputs: Inputs, backend: str, dtype: str = "float64", device: str = "cpu") -> dict[str, Any]:
    """Arrays of one case for ``numpy_form`` or ``torch_form``."""
    xp, kind = BY_NAME[backend], dtype_of(backend, dtype)
    place = torch_device(device) if backend == "torch" else None
    found: dict[str, Any] = {}
    for parameter in inputs.formula.parameters:
        value = inputs.given[parameter.name]
        if value is None or parameter.is_switch or isinstance(value, str):
            found[parameter.name] = value
        elif parameter.kind == "number":
            found[parameter.name] = xp.array(inputs.floats(parameter.name), kind, place)
        elif parameter.kind == "mdp" or parameter.is_text:
            found[parameter.name] = value.arrays(backend, kind, place)
        elif parameter.kind in ("flag", "integer"):
            found[parameter.name] = xp.array(value, None, place)
        else:
            found[parameter.name] = value
    return found


def from_user(formula: Formula, given: Mapping[str, Any]) -> tuple[Backend, dict[str, Any]]:
    """Backend and arrays for a call of ``rlcalc.<formula>``.

    Tensors among the inputs choose Torch, anything else NumPy. Values are
    checked against the domains wherever a look at them costs nothing: arrays,
    numbers, and tensors on a CPU outside of compilers, tracers and ``vmap``.
    Of all other tensors only shapes and dtypes are checked.

    Raises:
        InputError: ``..._missing``, ``..._not_numeric``, ``..._wrong_length``,
            ``..._wrong_shape``, ``..._out_of_range``, ``number_not_finite``.
    """
    given = {name: value for name, value in given.items() if value is not None}
    active = active_parameters(formula, given)
    for parameter in active:
        if parameter.required and parameter.name not in given and not parameter.of_mdp:
            raise missing(formula, parameter)
    deciding = list(_arrays_in(given))
    xp = backend_of(deciding)
    # what a mask may hide is looked at when the mask is known
    later = [p.name for p in active if formula.is_masked(p)] if formula.hides(given) else []
    convert = _Tensors(deciding, later) if xp is TORCH else _Arrays(deciding, later)
    found: dict[str, Any] = {parameter.name: None for parameter in formula.parameters}
    process: Any = None
    for parameter in active:
        value = given.get(parameter.name)
        if parameter.kind == "mdp" and value is not None:
            process = _as_given(parameter, value, xp.name, convert.dtype, getattr(convert, "device", None))
            found[parameter.name] = process
            continue
        if parameter.policy and process is not None:
            value = _by_name(process.mdp, value)
        if value is None and parameter.of_mdp:
            value = _of_mdp(formula, parameter, process)
        if value is None:
            value = parameter.usual_entry
            if value is None:
                continue
        found[parameter.name] = _one_row(parameter, convert(parameter, value))
    check_shapes(active, found)
    for parameter in active:
        if parameter.name in later and found[parameter.name] is not None:
            _check_valid(xp, parameter, found[parameter.name], found[formula.mask.name])  # type: ignore[union-attr]
    return xp, found


def _check_valid(xp: Backend, parameter: Parameter, array: Any, mask: Any) -> None:
    """The domain of what is not masked."""
    if not parameter.domain.is_bounded:
        return
    seen, flags = xp.look(array), None if mask is None else xp.look(mask)
    if seen is None or (mask is not None and flags is None):
        return
    try:  # the whole first: what is masked is mostly harmless, and to cut it out takes longer than to look
        check_array(parameter, seen, xp.eps(array))
    except InputError:
        if flags is None:
            raise
        check_array(parameter, seen[np.broadcast_to(flags, seen.shape)], xp.eps(array))


def _by_name(mdp: Any, value: Any) -> Any:
    """A policy that is written by names, as rows of floats."""
    rows = named_policy(mdp, value) if isinstance(value, str | Mapping | list | tuple) else value
    return rows if rows is value else [[float(chance) for chance in row] for row in rows]


def _of_mdp(formula: Formula, parameter: Parameter, process: Any) -> Any:
    """What the process itself says of a parameter that was not given."""
    value = None if process is None else getattr(process.mdp, parameter.name)
    if value is None and parameter.required:
        raise missing(formula, parameter)
    return None if value is None else float(value)


def _one_row(parameter: Parameter, array: Any) -> Any:
    """A vector where a matrix is expected is its one row, as on the command line."""
    vector = len(parameter.shape) == 2 and getattr(array, "ndim", 0) == 1
    return array[None, :] if vector else array


def _arrays_in(given: Mapping[str, Any]) -> Iterator[Any]:
    """All values that may decide a dtype or a device, those of a table of arrays among them."""
    for value in given.values():
        if is_tensor(value) or not isinstance(value, Mapping):
            yield value
        else:
            yield from value.values()


def _deciding(floats: list[Any]) -> list[Any]:
    """The arrays that decide the dtype: those with axes, single numbers only among themselves.

    So a discount that comes as ``np.float64`` leaves float32 rewards float32.
    """
    return [value for value in floats if value.ndim] or floats


class _Arrays:
    """What a NumPy caller gave for one parameter -> what the form takes; some domains are checked later."""

    def __init__(self, given: list[Any], later: Sequence[str]) -> None:
        self.later = later
        arrays = (value for value in given if isinstance(value, np.ndarray | np.generic))
        floats = [value for value in arrays if value.dtype.kind == "f"]
        self.dtype = np.result_type(*(x.dtype for x in _deciding(floats))) if floats else np.dtype(float)

    def __call__(self, parameter: Parameter, value: Any) -> Any:
        if _takes_numbers(parameter, value):
            array = _real(parameter, value, self.dtype)
            if parameter.domain.is_bounded and parameter.name not in self.later:
                check_array(parameter, array, NUMPY.eps(array))
            return array
        if parameter.kind == "flag" and not parameter.is_switch:
            return checked_flags(parameter, _plain_array(parameter, value))
        if parameter.kind == "integer":
            return checked_integer(parameter, _plain_array(parameter, value))
        return _as_given(parameter, value, "numpy", self.dtype, None)


class _Tensors:
    """What a Torch caller gave for one parameter -> what the form takes, on the device of the tensors."""

    def __init__(self, given: list[Any], later: Sequence[str]) -> None:
        self.later = later
        tensors = [value for value in given if is_tensor(value)]
        floating = _deciding([tensor for tensor in tensors if tensor.is_floating_point()])
        self.dtype = floating[0].dtype if floating else torch.get_default_dtype()
        for tensor in floating[1:]:
            self.dtype = torch.promote_types(self.dtype, tensor.dtype)
        self.device = tensors[0].device

    def __call__(self, parameter: Parameter, value: Any) -> Any:
        if _takes_numbers(parameter, value):
            tensor = self._number(parameter, value)
            judged = parameter.domain.is_bounded and parameter.name not in self.later
            if judged and (seen := TORCH.look(tensor)) is not None:
                check_array(parameter, seen, TORCH.eps(tensor))
            return tensor
        if parameter.kind == "flag" and not parameter.is_switch:
            if (seen := self._seen(parameter, value)) is not None:
                checked_flags(parameter, seen)
            return torch.as_tensor(value, device=self.device).bool()
        if parameter.kind == "integer":
            if (seen := self._seen(parameter, value)) is not None:
                checked_integer(parameter, seen)
            return torch.as_tensor(value, device=self.device)
        return _as_given(parameter, value, "torch", self.dtype, self.device)

    def _number(self, parameter: Parameter, value: Any) -> Any:
        if is_tensor(value):
            if value.is_complex():
                raise not_numeric(parameter, value)
            return value if value.dtype == self.dtype else value.to(self.dtype)
        # what is one number stays on the host: a scalar reaches a kernel without a copy
        if type(value) is float:
            return torch.scalar_tensor(value, dtype=self.dtype)  # in a fifth of the time of torch.tensor
        if isinstance(value, int | float):
            return torch.tensor(value, dtype=self.dtype)
        array = _real(parameter, value, None)
        if not array.flags.writeable or min(array.strides, default=0) < 0:
            array = array.copy()  # Torch shares the memory, and takes neither
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    def _seen(self, parameter: Parameter, value: Any) -> Any:
        return TORCH.look(value) if is_tensor(value) else _plain_array(parameter, value)


def _takes_numbers(parameter: Parameter, value: Any) -> bool:
    return parameter.kind == "number" and not (parameter.choices and isinstance(value, str))


def _real(parameter: Parameter, value: Any, dtype: Any) -> Any:
    """Real numbers as an array; text, dates, records, gaps and imaginary parts are none."""
    if type(value) is float:
        with np.errstate(all="ignore"):
            return np.asarray(value, dtype)
    array = _plain_array(parameter, value)
    kind = array.dtype.kind
    if kind == "f" and dtype in (None, array.dtype):
        return array
    if kind == "O":
        real = all(isinstance(x, Real | Decimal) or hasattr(x, "__float__") for x in array.flat)
        dtype = np.dtype(float) if dtype is None else dtype
    else:
        real = kind in "biuf"
    if not real:
        raise not_numeric(parameter, value)
    try:
        with np.errstate(all="ignore"):  # out of a narrow dtype's range is infinity or 0, as in Torch
            return array if dtype is None else array.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise not_numeric(parameter, value) from error


def _plain_array(parameter: Parameter, value: Any) -> Any:
    """An array, lists of one length included; a masked entry has no number to stand for it.

    Raises:
        InputError: ``..._not_numeric``.
    """
    if type(value) is np.ndarray:
        return value
    parts = flatten(value) if isinstance(value, list | tuple) else (value,)
    if any(np.ma.is_masked(part) for part in parts if isinstance(part, np.ma.MaskedArray)):
        raise InputError(
            f"{parameter.label}_not_numeric",
            f"{spelled(parameter.name)} is a masked array, and some of its entries are masked.",
            "Fill the gaps with .filled(...), or cut them out.",
        )
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise (_ragged(parameter, value) or not_numeric(parameter, value)) from error


def _ragged(parameter: Parameter, value: Any) -> InputError | None:
    """The error for rows of different lengths; ``None`` where that is not what is wrong."""
    rows = value if isinstance(value, list | tuple) else ()
    lengths = {len(row) if isinstance(row, list | tuple) else None for row in rows}
    if None in lengths or len(lengths) < 2:
        return None
    return InputError(
        f"{parameter.label}_wrong_length",
        f"{spelled(parameter.name)} has rows of different lengths: {', '.join(map(str, sorted(lengths)))}.",  # type: ignore[type-var]
        "Pad them to one length, and mask the padding where there is a mask.",
    )


def _as_given(parameter: Parameter, value: Any, backend: str, dtype: Any, device: Any) -> Any:
    if parameter.kind == "mdp" or parameter.is_text:
        return read_object(parameter, value).arrays(backend, dtype, device)
    if parameter.choices and isinstance(value, str) and value not in parameter.choices:
        raise InputError(
            f"{parameter.label}_unknown",
            f"{spelled(parameter.name)} must be {' or '.join(parameter.choices)}, not {shown(value)}.",
            suggestion(value, list(parameter.choices)),
        )
    return checked_count(parameter, value) if parameter.kind == "count" else value


def all_finite(value: Any) -> bool:
    """Whether every entry of a nested list of floats is finite."""
    return all(isfinite(entry) for entry in flatten(value))
