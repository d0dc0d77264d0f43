"""Files in and out: reading that is bounded, writing that is whole or not at all.

Output goes to a temporary file beside its target, which it replaces at the
end: readers see the old text or the new one. Only a regular file, or nothing,
is replaced. A device, a pipe or a socket is written into, and a link is
followed, so that ``--output /dev/stdout`` does what it says.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from rlcalc.errors import DataError, InputError

PATIENCE = 5.0  # seconds for a pipe to say something


def read_bytes(path: Path | str, most: int) -> bytes:
    """The content of a file, of at most ``most`` bytes.

    The bound holds for what is read, whatever the file system says of its
    size: a device never ends, and a pipe has no size.

    Raises:
        DataError: ``file_unreadable``, ``file_too_long``.
    """
    path = Path(path)
    try:
        # a pipe without a writer must not stop us before we can time it
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb", buffering=0) as file:
            found = _read(file, most, stat.S_ISFIFO(os.fstat(handle).st_mode))
    except OSError as error:
        _unreadable(path, error)
    if len(found) > most:
        raise DataError("file_too_long", f"{path} is larger than {most} bytes.")
    return found


def _read(file: IO[bytes], most: int, is_pipe: bool) -> bytes:
    parts, size = [], 0
    while size <= most:
        if is_pipe and not select.select([file], [], [], PATIENCE)[0]:
            raise OSError(f"nothing came through this pipe for {PATIENCE:g} s")
        part = file.read(min(2**20, most + 1 - size))
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def read_text(path: Path | str, most: int) -> str:
    """``read_bytes`` as UTF-8.

    Raises:
        DataError: ``file_not_text`` besides.
    """
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError("file_not_text", f"{path} is not UTF-8 text: {error.reason}.") from error


def _unreadable(path: Path, error: OSError) -> NoReturn:
    raise DataError("file_unreadable", f"{path} cannot be read: {error.strerror or error}.") from error


def check_target(path: Path | str) -> None:
    """Refuse an output file that could not be written, before the work for it starts.

    Raises:
        InputError: ``file_not_written``.
    """
    path = Path(path)
    if path.is_dir():
        _unwritable(path, "it is a folder")
    if not path.parent.is_dir():
        _unwritable(path, f"there is no folder {path.parent}")
    replaced = path.resolve().parent if _is_replaced(path) else path
    if not os.access(replaced, os.W_OK):
        _unwritable(path, "permission denied")


def _unwritable(path: Path, why: object) -> NoReturn:
    raise InputError("file_not_written", f"{path} cannot be written: {why}.", "Name another file.")


def _is_replaced(path: Path) -> bool:
    """Whether the name may be given to another file: a regular file, or nothing at all."""
    return not path.exists() or path.is_file()


@contextmanager
def replacing(path: Path | str) -> Iterator[IO[bytes]]:
    """A binary file to write; it becomes ``path`` when the block ends well.

    Raises:
        InputError: ``file_not_written``.
    """
    path = Path(path)
    try:
        if not _is_replaced(path):
            with path.open("wb") as stream:
                yield stream
            return
        path = path.resolve()  # the file that a link names, not the link
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        import tempfile  # brings random and hashlib, and reading needs neither

        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        _unwritable(path, error.strerror or error)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_text(path: Path | str, text: str) -> None:
    """Write a whole text as UTF-8.

    Raises:
        InputError: ``file_not_written``.
    """
    with replacing(path) as file:
        file.write(text.encode("utf-8"))
