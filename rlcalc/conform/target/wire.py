"""What crosses between rlcalc and the worker: words as JSON and numbers as their bytes, never a pickle.

The code under test runs in the worker and can write into its pipe, so a
message is data to be read with care: it has a bounded length, an array has
one of a dozen dtypes and a shape that its bytes fill, and whatever does not
fit is refused. (NPY says the same in a header that is a piece of Python,
which took more time to read than a call and more care.)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from struct import Struct
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.call import LARGEST
from rlcalc.conform.target.child import Garbage

# of the words, and of the arrays together
LONGEST_TEXT, LONGEST_BODY = 1 << 24, 2 * LARGEST
DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()  # noqa: SIM905
)
_HEAD = Struct("<4sQQ")
_MARK = b"rlc1"
MEDDLED = "it wrote into rlcalc's pipe"


def pack(value: Any) -> bytes:
    """Tables and lists of words, numbers and arrays of numbers as one message."""
    body = bytearray()
    text = json.dumps(_words(value, body)).encode()
    return _HEAD.pack(_MARK, len(text), len(body)) + text + body


def _words(part: Any, body: bytearray) -> Any:
    """What JSON can say; the bytes of arrays go to the body."""
    if isinstance(part, Mapping):
        return {"table": {name: _words(inner, body) for name, inner in part.items()}}
    if isinstance(part, list | tuple):
        return [_words(inner, body) for inner in part]
    if not hasattr(part, "dtype"):
        return part
    place = len(body)
    body.extend(part.tobytes())
    return {"array": [part.dtype.name, part.shape, place]}


def measure(data: bytearray) -> int:
    """Length of the message that these bytes begin with, 0 while they do not say.

    Raises:
        Garbage: it is no message, or one without end.
    """
    if not data.startswith(_MARK[: len(data)]):
        raise Garbage(MEDDLED)
    if len(data) < _HEAD.size:
        return 0
    _, text, body = _HEAD.unpack(data[: _HEAD.size])
    if text > LONGEST_TEXT or body > LONGEST_BODY:
        raise Garbage(MEDDLED)
    return int(_HEAD.size + text + body)


def unpack(message: bytes) -> Any:
    """The value of a message.

    Raises:
        Garbage: it has none.
    """
    try:
        _, size, _ = _HEAD.unpack(message[: _HEAD.size])
        words = json.loads(message[_HEAD.size : _HEAD.size + size])
        return _value(words, memoryview(message)[_HEAD.size + size :])
    except Exception as error:
        raise Garbage(MEDDLED) from error


def _value(part: Any, body: memoryview) -> Any:
    if isinstance(part, list):
        return [_value(inner, body) for inner in part]
    if not isinstance(part, dict):
        return part
    if "array" in part:
        return _array(body, *part["array"])
    return {name: _value(inner, body) for name, inner in part["table"].items()}


def _array(body: memoryview, dtype: str, shape: list[int], place: int) -> Any:
    if dtype not in DTYPES or any(length < 0 for length in shape) or place < 0:
        raise Garbage(MEDDLED)
    end = place + math.prod(shape) * np.dtype(dtype).itemsize
    # fewer bytes than it says do not fill its shape
    return np.frombuffer(bytes(body[place:end]), dtype).reshape(shape)
