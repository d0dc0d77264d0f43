"""Batches of real runs: ``@batch.jsonl:field``, ``@array.npy``, ``@tensors.safetensors:name``.

Whatever the file, its numbers become nested lists of texts, which the parser
of numbers reads as it reads those of a command line: 0.1 of a JSON line is
1/10, and a float32 is its shortest decimal. Nothing of a file is executed: no
pickle, no module.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlcalc._lazy import np
from rlcalc.errors import DataError, InputError, UnknownName, shown, suggestion
from rlcalc.files import read_bytes

LINES, ARRAY, TENSORS = (".jsonl", ".ndjson"), (".npy",), (".safetensors",)
SUFFIXES = (*LINES, *ARRAY, *TENSORS)
MAX_FILE = 32 * 2**20  # bytes of a text file or of an array
MAX_ENTRIES = 1_000_000
MAX_HEADER = 2**24
# names of a header, with those of NumPy; bfloat16 is read as the upper half of a float32
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "<i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?",
}  # fmt: skip


def split_field(name: str) -> tuple[str, str] | None:
    """Path and field of a name such as ``batch.jsonl:adv``; ``None`` for other files."""
    lower = name.lower()
    for suffix in SUFFIXES:
        path, colon, field = name.rpartition(":")
        if lower.endswith(suffix):
            return name, ""
        if colon and path.lower().endswith(suffix):
            return path, field.strip()
    return None


def read_field(path: str, field: str) -> list[Any]:
    """What stands under a field, as nested lists of texts; a single number in a list of one.

    Raises:
        InputError: ``field_missing``, ``file_not_json``, ``file_not_npy``, ``file_not_safetensors``,
            ``file_too_long``; ``file_unreadable``.
        UnknownName: ``unknown_field``.
    """
    lower = path.lower()
    if lower.endswith(LINES):
        return _lines(path, field)
    if lower.endswith(ARRAY):
        if field:
            raise InputError(
                "field_not_taken", f"{shown(path)} is one array and has no {shown(field)}.", f"Write @{path}."
            )
        return _texts(path, _npy(path))
    return _texts(path, _tensor(path, field))


def _lines(path: str, field: str) -> list[Any]:
    try:
        text = read_bytes(path, MAX_FILE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is not UTF-8 text (byte {error.start})") from None
    except DataError as error:
        raise _too_long(path, f"{MAX_FILE:,} bytes") if error.code == "file_too_long" else error from None
    found, count = [], 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        record = _record(where, line)
        if not field:
            raise _which(path, list(record))
        if field not in record:
            raise _unknown(where, field, list(record))
        value = _checked(where, field, record[field])
        count += _size(value)
        if count > MAX_ENTRIES:
            raise _too_long(path, f"{MAX_ENTRIES:,} values")
        found.append(value)
    return found


def _record(where: str, line: str) -> Mapping[str, Any]:
    try:
        # numbers stay the text that they are, so that they stay exact
        record = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise InputError(
            "file_not_json",
            f"{where}: this is no JSON: {why}.",
            'One object a line, such as {"adv": [1, 2]}.',
        ) from None
    if not isinstance(record, Mapping):
        raise InputError(
            "file_not_json", f"{where}: expected an object with fields, not {shown(line.strip(), 40)}."
        )
    return record


def _checked(where: str, field: str, value: Any) -> Any:
    """A value of numbers, as nested lists of texts; a gap stays ``None``."""
    if isinstance(value, list):
        return [_checked(where, field, part) for part in value]
    if value is None or isinstance(value, str | bool):
        return str(value) if isinstance(value, bool) else value
    raise InputError("field_not_numeric", f"{where}: {shown(field)} holds an object, not numbers.")


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _npy(path: str) -> Any:
    try:
        data = read_bytes(path, 8 * MAX_ENTRIES + 2**16)
    except DataError as error:
        raise _too_long(path, f"{MAX_ENTRIES:,} values") if error.code == "file_too_long" else error from None
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        why = (
            "it holds Python objects" if "allow_pickle" in str(error) else "it is damaged, or another format"
        )
        raise InputError(
            "file_not_npy", f"{shown(path)} is no array of numbers: {why}.", "numpy.save writes one."
        ) from None


def _tensor(path: str, name: str) -> Any:
    """One tensor: 8 bytes of length, a header in JSON, then the numbers."""
    length = int.from_bytes(_part(path, 0, 8), "little")
    if not 2 <= length <= MAX_HEADER:
        raise _no_tensors(path, "its header has no sensible length")
    try:
        header = json.loads(_part(path, 8, length))
        tensors = {key: entry for key, entry in header.items() if key != "__metadata__"}
    except (ValueError, AttributeError, RecursionError):
        raise _no_tensors(path, "its header is no JSON") from None
    if not name and len(tensors) != 1:
        raise _which(path, list(tensors))
    name = name or next(iter(tensors))
    if name not in tensors:
        raise _unknown(path, name, list(tensors))
    try:
        dtype, sizes = str(tensors[name]["dtype"]), [int(size) for size in tensors[name]["shape"]]
        start, end = (int(place) for place in tensors[name]["data_offsets"])
    except (KeyError, TypeError, ValueError):
        raise _no_tensors(path, f"its header says nothing of {shown(name)} that can be read") from None
    if dtype not in _DTYPES:
        raise _no_tensors(path, f"{shown(name)} is of the dtype {shown(dtype)}, which is not read here")
    count, kind = math.prod(sizes), np.dtype(_DTYPES[dtype])
    if count > MAX_ENTRIES:
        raise _too_long(path, f"{MAX_ENTRIES:,} values")
    if start < 0 or min(sizes, default=0) < 0 or end - start != count * kind.itemsize:
        raise _no_tensors(path, f"{shown(name)} is not as long as its shape says")
    array = np.frombuffer(_part(path, 8 + length + start, end - start), kind).reshape(sizes)
    return (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array


def _part(path: str, start: int, size: int) -> bytes:
    if not Path(path).is_file():
        raise _unreadable(path, "there is no such file")
    try:
        with open(path, "rb") as file:
            file.seek(start)
            found = file.read(size)
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(getattr(error, "strerror", "") or error)) from None
    if len(found) < size:
        raise _no_tensors(path, "it ends too early")
    return found


def _texts(path: str, array: Any) -> list[Any]:
    """Numbers as the shortest texts of their dtype."""
    if array.dtype.kind not in "fiub":
        raise InputError("file_not_numeric", f"{shown(path)} holds {array.dtype}, not real numbers.")
    if array.size > MAX_ENTRIES:
        raise _too_long(path, f"{MAX_ENTRIES:,} values")
    found = array.astype(str).tolist()
    return found if array.ndim else [found]


def fitted(option: str, path: str, values: list[Any], axes: int) -> list[Any]:
    """Values of as many axes as a parameter has; one line with a list is that list.

    Raises:
        InputError: ``file_wrong_shape``.
    """
    if axes < 2 and len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    got = _axes(values)
    if got == max(axes, 1) or not values:
        return values
    words = {1: "a list", 2: "rows of numbers", 3: "tables of rows"}
    raise InputError(
        "file_wrong_shape",
        f"{option} takes {words.get(max(axes, 1), 'numbers')}, and {shown(path)} "
        f"holds {words.get(got, f'{got} axes')}.",
        "Give a part of it." if got > axes else "A formula with a mask takes a row an answer.",
    )


def _axes(values: Any) -> int:
    return 1 + max(map(_axes, values), default=0) if isinstance(values, list) else 0


def _which(path: str, names: list[str]) -> InputError:
    known = ", ".join(shown(name, 30) for name in names[:12]) or "none"
    example = f"@{path}:{names[0]}" if names else f"@{path}:FIELD"
    return InputError("field_missing", f"Which of {path}? It has {known}.", f"Write {example}.")


def _unknown(where: str, field: str, names: list[str]) -> UnknownName:
    known = ", ".join(shown(name, 30) for name in names[:12]) or "none"
    hint = suggestion(field, names) or f"It has {known}."
    return UnknownName("unknown_field", f"{where} has no {shown(field)}.", hint)


def _no_tensors(path: str, why: str) -> InputError:
    return InputError("file_not_safetensors", f"{shown(path)} cannot be read as safetensors: {why}.")


def _unreadable(path: str, reason: str) -> InputError:
    return InputError("file_unreadable", f"{shown(path)} cannot be read: {reason}.")


def _too_long(path: str, most: str) -> InputError:
    return InputError(
        "file_too_long",
        f"{shown(path)} holds more than {most}.",
        "Give a part of it; in Python the functions take arrays of any length.",
    )
