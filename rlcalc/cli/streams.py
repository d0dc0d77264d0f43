"""Standard output and standard error as they really are: closed, full, unbuffered, in an old encoding."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import unicodedata
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
    """Spell a letter that the encoding lacks, or escape it; on Windows it lacks none."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    with contextlib.suppress(OSError, ValueError):
        if os.name == "nt" and "PYTHONIOENCODING" not in os.environ:
            reconfigure(encoding="utf-8")
        codecs.register_error(_SPELLED, _spelled)
        reconfigure(errors=_SPELLED)


_SPELLED = "rlcalc-spelled"
_MARKS = {"<super>": "^", "<sub>": "_"}
_SIGNS = {
    "Σ": "sum", "·": "*", "−": "-", "–": "-", "×": "x", "≈": "~", "≤": "<=", "≥": ">=", "≠": "!=", "±": "+-",
    "→": "->", "…": "...", "∞": "infinity", "∂": "d", "∇": "grad ", "‖": "||", "│": "|", "└": "+", "─": "-",
    "█": "#", "●": "o", "┄": "-", "■": "#", "▒": ":", "↑": "^", "↓": "v", "←": "<",
}  # fmt: skip


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """``λ²`` as ``lambda^2``: what a codec asks for letters that it has none for."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, before = "", ""
    for char in error.object[error.start : error.end]:
        kind, _, code = unicodedata.decomposition(char).partition(" ")
        mark = _MARKS.get(kind, "")
        text += mark * (mark != before) + _in_ascii(chr(int(code, 16)) if mark else char)
        before = mark
    return text, error.end


def _in_ascii(char: str) -> str:
    kind, _, letter = unicodedata.name(char, "").partition(" LETTER ")
    if char in _SIGNS or not letter.isalpha() or not kind.startswith("GREEK"):
        return _SIGNS.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")
    letter = letter.replace("LAMDA", "LAMBDA")
    return letter.lower() if kind.endswith("SMALL") else letter.capitalize()


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
