"""Standard output and standard error as they really are: closed, full, unbuffered, in an old encoding."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any


def prepare(ours: bool) -> None:
    """Streams that can be written to, whatever the process was started with.

    Standard output may stay ``None``, which is closed.

    Args:
        ours: the streams are those of a process of our own, not those of a caller of ``main``.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, _whole_writes(stream) if ours else stream)
            _encode_anything(getattr(sys, name))


def _whole_writes(stream: Any) -> Any:
    """A stream that writes all of a text, or fails.

    PYTHONUNBUFFERED puts the text layer on the bare file, whose ``write`` may
    take a part without saying so: on a full disk a file is cut short
    without an error.
    """
    if not isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return stream
    encoding, errors = stream.encoding, stream.errors
    bare = stream.detach()
    return io.TextIOWrapper(io.BufferedWriter(bare), encoding, errors, line_buffering=True)


def _encode_anything(stream: Any) -> None:
    """Print a letter that the encoding lacks as an escape, not as a crash; on Windows it lacks none."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    with contextlib.suppress(OSError, ValueError):
        if os.name == "nt" and "PYTHONIOENCODING" not in os.environ:
            reconfigure(encoding="utf-8")
        reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def what_can_be_said() -> Iterator[None]:
    """Go on where a stream cannot be written: the exit code still says what happened."""
    with contextlib.suppress(OSError, ValueError):
        yield


def settle() -> None:
    """Flush, and send what could not be written nowhere: the interpreter flushes once more at its exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
