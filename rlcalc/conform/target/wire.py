"""What crosses between rlcalc and the worker: words as JSON and arrays as NPY, never a pickle.

The code under test runs in the worker and can write into its pipe, so a
message is data to be read with care: it has a bounded length, arrays hold
numbers and nothing else, and whatever does not fit is refused.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from io import BytesIO
from struct import Struct
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.call import LARGEST
from rlcalc.conform.target.child import Garbage

# of the words, and of the arrays together with their headers
LONGEST_TEXT, LONGEST_BODY = 1 << 24, 2 * LARGEST
_HEAD = Struct("<4sQQ")
_MARK = b"rlc1"


def pack(words: Any, arrays: Sequence[Any] = ()) -> bytes:
    """One message.

    Args:
        words: anything that JSON can say.
        arrays: NumPy, of numbers.
    """
    text = json.dumps(words).encode()
    body = BytesIO()
    for array in arrays:
        np.lib.format.write_array(body, array, allow_pickle=False)
    return _HEAD.pack(_MARK, len(text), body.tell()) + text + body.getvalue()


def measure(data: bytearray) -> int:
    """Length of the message that these bytes begin with, 0 while they do not say.

    Raises:
        Garbage: it is no message, or one without end.
    """
    if not data:
        return 0
    if not data.startswith(_MARK[: len(data)]):
        raise Garbage
    if len(data) < _HEAD.size:
        return 0
    _, text, body = _HEAD.unpack(data[: _HEAD.size])
    if text > LONGEST_TEXT or body > LONGEST_BODY:
        raise Garbage
    return int(_HEAD.size + text + body)


def unpack(message: bytes) -> tuple[Any, list[Any]]:
    """The words and arrays of a message.

    Raises:
        Garbage: they are none.
    """
    _, size, _ = _HEAD.unpack(message[: _HEAD.size])
    start = _HEAD.size + size
    body = BytesIO(message[start:])
    arrays = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a header that NumPy would repair
            words = json.loads(message[_HEAD.size : start])
            while body.tell() < len(message) - start:
                arrays.append(_array(body, len(message) - start))
    except Exception as error:
        raise Garbage from error
    return words, arrays


def _array(body: BytesIO, end: int) -> Any:
    """The next array, after its size was compared with what is there."""
    start = body.tell()
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = read[np.lib.format.read_magic(body)](body)
    if dtype.kind not in "fiub" or math.prod(shape) * dtype.itemsize > end - body.tell():
        raise Garbage
    body.seek(start)
    return np.lib.format.read_array(body, allow_pickle=False)
