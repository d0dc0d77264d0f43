"""Where the shipped data lies: ``specs/`` and ``golden/``.

In a checkout both folders stand beside the package; in a wheel the build
backend has put them inside it. Everyone asks here, nobody builds a path.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent
MAX_FILE = 16 * 2**20  # bytes of one TOML file; the largest that is shipped has a hundredth of it


@cache
def data_folder(kind: str) -> Path:
    """Folder of the shipped data of one kind: ``"specs"`` or ``"golden"``."""
    inside = _PACKAGE / "_data" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file whose numbers, where exact, are strings.

    Raises:
        DataError: ``file_unreadable``, ``file_too_long`` or ``file_not_toml``, with the path.
    """
    import tomllib

    from rlcalc.errors import DataError

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
        if len(raw) > MAX_FILE:
            raise DataError("file_too_long", f"{path} is larger than {MAX_FILE} bytes.")
        return tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        raise DataError("file_unreadable", f"{path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError("file_not_toml", f"{path} is not valid TOML: {error}.") from error
