"""The command line: parse, call, print; nothing else.

``main`` is the one door. It turns whatever happens below into text on
standard error and an exit code; no command prints an error itself.

The modules:

- ``app``: finds the command, loads it when it is called;
- ``commands``: the table of built-in commands;
- ``command``: the classes of all commands;
- ``argv``, ``aliases``: words as typed -> values by option;
- ``formula``: a specification -> its command;
- ``input_files``: ``@file``, ``@-`` and ``@file.csv:column``; ``data_files``: ``@batch.jsonl:field``,
  ``@array.npy`` and ``@tensors.safetensors:name``;
- ``render``, ``numbers``, ``tables``: an Evaluation -> text, LaTeX or JSON;
- ``answers``, ``solve``: what is said of an answer that was typed (``--check``), ``--solve``;
- ``help``, ``pages``: the layout of a help page, and every page;
- ``completion``: what the shell offers;
- ``listing``, ``find``, ``search``: ``list``, ``show`` and ``find``; ``plots``: pictures;
- ``screen``, ``streams``, ``progress``: colour, terminals, pipes, encodings;
- every other module: the built-in command of its name.
"""

from __future__ import annotations

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
    from rlcalc.cli import streams

    words = [str(word) for word in (sys.argv[1:] if argv is None else argv)]
    streams.prepare(ours=argv is None)
    try:
        if sys.stdout is None:
            _complain("Standard output is closed.", "Send it somewhere, to /dev/null if nowhere else.")
            return BAD_INPUT
        with command_line():
            code = _run(words)
        if code == FINE:  # else it was said already what went wrong
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return PIPE_CLOSED
    except OSError as error:  # what was printed could not be written
        _complain(f"Standard output: {error.strerror or error}.")
        return BAD_INPUT
    finally:
        streams.settle()


def _run(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):  # not worth importing a parser for
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
    except MemoryError:  # that of a form: what is exact counts its work before it does it
        _complain("There is not enough memory for inputs of this size.", "Use smaller or shorter ones.")
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
    from rlcalc.cli import streams
    from rlcalc.cli.screen import Screen

    with streams.what_can_be_said():
        if sys.stdout is not None:
            sys.stdout.flush()  # what was answered stands above what went wrong
    with streams.what_can_be_said():
        Screen(sys.stderr).error(message, hint)
        sys.stderr.flush()


def _add_for_a_program(error: RlcalcError) -> None:
    """A last line of JSON with the code that never changes; a program need not read sentences."""
    from rlcalc.cli import streams
    from rlcalc.cli.screen import is_unicode, json_text

    about = {"code": error.code, "message": error.message, "hint": error.hint}
    with streams.what_can_be_said():
        sys.stderr.write(json_text({"error": about}, ascii_only=not is_unicode(sys.stderr)) + "\n")
        sys.stderr.flush()
