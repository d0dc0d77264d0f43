"""Every error that rlcalc raises on purpose.

    RlcalcError
    ├── InputError            what was typed cannot be used          exit 2
    │   └── UnknownName       an unknown formula, option or file   exit 2
    ├── CheckFailed           a check ran and did not hold           exit 1
    └── DataError             a spec or golden file is itself wrong  exit 2

An error carries a ``code`` that never changes (golden files and other
people's checks name it), a ``message`` that repeats what was given and says
what was expected, and a ``hint`` that says how to fix it.
"""

from __future__ import annotations


class RlcalcError(Exception):
    """Base of all deliberate errors.

    Args:
        code: stable identifier in snake_case, such as ``gamma_out_of_range``.
        message: one sentence, with the offending input repeated.
        hint: how to fix it; may be empty.
    """

    exit_code = 2

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter print in place of a traceback: three lines."""
        return [line for line in (f"{type(self).__name__} ({self.code})", self.message, self.hint) if line]

    def __reduce__(self) -> tuple[type[RlcalcError], tuple[str, str, str]]:
        # an exception remembers the arguments of Exception only, and could not cross to another process
        return type(self), (self.code, self.message, self.hint)


class InputError(RlcalcError, ValueError):
    """The input is outside what the formula or the grammar accepts."""


class UnknownName(InputError):
    """A name that no formula, option, symbol or built-in carries."""


class DataError(RlcalcError):
    """A specification, golden or claim file breaks its own schema."""


class CheckFailed(RlcalcError):
    """A verification ran to its end and found a disagreement."""

    exit_code = 1


class ConformanceError(AssertionError):
    """A function does not give what the formula gives.

    Attributes:
        summary: the report of the whole function, the same in every error of a suite.
    """

    def __init__(self, message: str, summary: str = "") -> None:
        super().__init__(message)
        self.summary = summary


def shown(text: object, limit: int = 60) -> str:
    """Repeat user input in a message: quoted, on one line, never too long.

    Control characters are escaped, so that input cannot move the cursor or
    colour the terminal.
    """
    try:
        raw = str(text)
    except ValueError:  # Python prints no integer of more digits than that
        raw = "a number of more than 4300 digits"
    if len(raw) > limit:
        raw = raw[: limit - 1] + "…"
    return f"'{visible(raw)}'"


def visible(text: str, keep: str = "") -> str:
    """Control characters as escapes, but for those to ``keep``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def many(count: int, one: str, more: str = "") -> str:
    """A count with its noun: 1 entry, 2 entries."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def suggestion(word: str, known: list[str]) -> str:
    """Name the nearest known word, as a hint; empty when nothing is near."""
    near = nearest(word, known)
    return f"Did you mean {near}?" if near else ""


def nearest(word: str, known: list[str]) -> str:
    """The known word that is spelled most like ``word``; empty when none is near."""
    from difflib import get_close_matches

    # of three letters two that are exchanged leave two in order
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.7 if len(word) > 3 else 0.6)), "")
