"""Where the shipped data lies: ``specs/`` and ``golden/``.

In a checkout both folders stand beside the package; in a wheel the build
backend has put them inside it. Every path is asked for here, none is built elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent
MAX_FILE = 16 * 2**20  # bytes of one TOML file; the largest that is shipped has a hundredth of it
MAX_INTEGER_BITS = 13_288  # 4000 digits, as in the expression grammar
MAX_NESTING = 64
_TOO_DEEP = f"it holds lists or tables nested more than {MAX_NESTING} deep"


@cache
def data_folder(kind: str) -> Path:
    """Folder of the shipped data of one kind: ``"specs"`` or ``"golden"``."""
    inside = _PACKAGE / "_data" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file whose numbers, where exact, are strings.

    Raises:
        DataError: ``file_unreadable``, ``file_too_long``, ``file_not_text`` or ``file_not_toml``, with
            the path: also for integers that are too long to be printed, and tables that nest too deep.
    """
    from rlcalc.errors import DataError
    from rlcalc.files import read_text

    try:
        return parse_toml(read_text(path, MAX_FILE).replace("\r\n", "\n"))
    except ValueError as error:
        raise DataError("file_not_toml", f"{path} is not valid TOML: {error}.") from error


def parse_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """TOML from anywhere, with values that may be printed and walked through.

    Raises:
        ValueError: what is wrong with it, to stand between a colon and a full stop.
    """
    import tomllib

    try:
        found = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    problem = _excess(found)
    if problem:
        raise ValueError(problem)
    return found


def _excess(top: Any) -> str:
    """What is too much in a file, so that whoever looks at its values may print them and recurse."""
    waiting = [(top, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            return "it holds an integer with more than 4000 digits"
        if isinstance(value, dict | list):
            if depth == MAX_NESTING:
                return _TOO_DEEP
            parts = value.values() if isinstance(value, dict) else value
            waiting += [(part, depth + 1) for part in parts]
    return ""
