"""The command line: parse, call, print; nothing else.

``main`` is the one door. It turns whatever happens below into text on
standard error and an exit code; no command prints an error itself.

The modules:

- ``app``: the table of commands, loaded lazily;
- ``formula_command``: a specification -> its command;
- ``argv``: lists with spaces -> what Typer understands;
- ``files``: ``@file``, ``@-`` and ``@file.csv:column``;
- ``render``: an Evaluation -> text or JSON;
- ``helptext``: every ``-h`` page;
- ``tables``: ``list`` and ``show``;
- ``screen``: colour, terminals, pipes.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlcalc._version import __version__
from rlcalc.spelling import command_line

if TYPE_CHECKING:
    from rlcalc.errors import RlcalcError

FINE, CHECK_FAILED, BAD_INPUT, CRASHED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 70, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the words after ``rlcalc``; those of the process when left out.

    Returns:
        The exit code: 0 fine, 1 a check failed, 2 bad usage or input,
        70 a fault of rlcalc itself, 130 interrupted, 141 the reader of our output went away.
    """
    words = [str(word) for word in (sys.argv[1:] if argv is None else argv)]
    _never_fail_to_encode()
    try:
        with command_line():
            code = _run(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # the interpreter flushes once more at exit, into something that still listens
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(words: list[str]) -> int:
    if words == ["--version"]:  # not worth importing a parser for
        print(f"rlcalc {__version__}")
        return FINE
    from rlcalc.errors import RlcalcError, shown

    try:
        from rlcalc.cli.app import run

        return run(words)
    except RlcalcError as error:
        _complain(error.message, error.hint)
        if "--json" in words:
            _add_for_a_program(error)
        return error.exit_code
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except OSError as error:  # a name too long, a full disk: nothing that rlcalc did wrong
        named = "" if error.filename is None else f"{shown(error.filename)}: "
        _complain(f"{named}{error.strerror or error}.")
        return BAD_INPUT
    except Exception as error:
        if os.environ.get("RLCALC_TRACEBACK"):
            raise
        _complain(
            f"rlcalc itself failed: {type(error).__name__}: {error}",
            "This is a fault in rlcalc. RLCALC_TRACEBACK=1 in the environment shows where.",
        )
        return CRASHED


def _complain(message: str, hint: str = "") -> None:
    from rlcalc.cli.screen import Screen

    with contextlib.suppress(OSError):
        sys.stdout.flush()  # what was answered stands above what went wrong
    Screen(sys.stderr).error(message, hint)


def _add_for_a_program(error: RlcalcError) -> None:
    """A last line of JSON with the code that never changes; a program need not read sentences."""
    import json

    about = {"code": error.code, "message": error.message, "hint": error.hint}
    sys.stderr.write(json.dumps({"error": about}, ensure_ascii=False) + "\n")


def _never_fail_to_encode() -> None:
    """Print a letter that the terminal's encoding lacks as an escape, not as a crash."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with contextlib.suppress(OSError, ValueError):
                reconfigure(errors="backslashreplace")
