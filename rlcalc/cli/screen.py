"""Where text goes: a terminal with colour, or a pipe without.

Text that a user gave is never markup: Rich is handed ``Text`` objects only,
and a pipe gets the text as it is. Lines are never cut here; a terminal wraps
what is too long itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import IO, Any

from rlcalc.errors import visible

HEADING, ANSWER, FAINT, ALARM, CAUTION = "bold", "bold green", "dim", "bold red", "yellow"
OPTION = "cyan"
# what a report calls the parts of itself
PARTS = {"good": ANSWER, "bad": ALARM, "caution": CAUTION, "faint": FAINT}
PARTS |= dict.fromkeys(("head", "heading"), HEADING)

_ANY_WIDTH = 10_000  # a table takes what it needs of it, so that nothing in it is cut

Segment = tuple[str, str]  # text and style


def wants_colour(terminal: bool) -> bool:
    """Whether to colour: NO_COLOR forbids it, FORCE_COLOR and CLICOLOR_FORCE ask for it in a pipe too."""
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


class Screen:
    """One output stream.

    Attributes:
        terminal: a person is looking, whom a million numbers would not help.
        colour: escape sequences are welcome.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.terminal = bool(getattr(stream, "isatty", lambda: False)())
        self.colour = wants_colour(self.terminal)
        self._console: Any = None

    def line(self, text: str = "", style: str = "") -> None:
        """One line, in a style where there is colour."""
        self.segments((text, style))

    def lines(self, texts: Iterable[str], style: str = "") -> None:
        """One line after the other."""
        for text in texts:
            self.line(text, style)

    def paragraph(self, text: str, first: str = "", rest: str | None = None, style: str = "") -> None:
        """Text that is broken between words, with what its first line and the others begin with."""
        self.lines(filled(text, first, rest), style)

    def headed(self, head: str, text: str, style: str, rest: str = "") -> None:
        """A paragraph whose beginning alone has the style."""
        line, *more = filled(f"{head}{text}", "", rest)
        self.segments((line[: len(head)], style), (line[len(head) :], ""))
        self.lines(more)

    def segments(self, *parts: Segment) -> None:
        """One line of several styles."""
        shown = [(visible(text, "\n"), style) for text, style in parts]
        if not (self.colour and any(style for _, style in parts)):
            self.stream.write("".join(text for text, _ in shown) + "\n")
            return
        from rich.text import Text

        self.print(Text.assemble(*shown))

    def print(self, renderable: Any) -> None:
        """A text or table of Rich; it must not hold what a user typed as markup."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(
                file=self.stream,
                highlight=False,
                markup=False,
                emoji=False,
                force_terminal=self.colour,
                color_system="standard" if self.colour else None,
                width=_ANY_WIDTH,
            )
        if type(renderable).__name__ == "Text":
            self._console.print(renderable, soft_wrap=True)
            return
        with self._console.capture() as printed:  # a table pads its last column
            self._console.print(renderable)
        self.stream.writelines(line.rstrip() + "\n" for line in printed.get().splitlines())

    def labelled(self, label: str, text: str, style: str) -> None:
        """A line whose first word alone is coloured; a terminal breaks it between words."""
        first, *rest = self._fill(f"{label} {text}", "", "  ")
        self.segments((label, style), (first[len(label) :], ""))
        self.lines(rest)

    def block(self, text: str, style: str = "") -> None:
        self.lines(text.split("\n"), style)

    def report(self, lines: Iterable[tuple[str, str]]) -> None:
        """Lines of a report, each with the name of the part that it is."""
        for text, part in lines:
            self.line(text, PARTS.get(part, ""))

    def note(self, text: str) -> None:
        self.labelled("note:", text, CAUTION)

    def error(self, message: str, hint: str = "") -> None:
        self.labelled("error:", message, ALARM)
        self.lines(pointed_at(message))
        for text in hint.split("\n") if hint else ():
            self.lines(self._fill(text, "  ", "  "))

    def _fill(self, text: str, first: str, rest: str) -> list[str]:
        """Lines for a reader; in a pipe, where a message is searched, it stays on one."""
        return filled(text, first, rest) if self.terminal else [first + text]


# patterns are compiled where they are used: most starts need none
_PLACE = r"'([^\n]+)': [^\n]* at character (\d+)"


def pointed_at(message: str) -> list[str]:
    """What was typed, with a mark below the character that a message counts to."""
    place = re.search(_PLACE, message)
    if place is None or not 1 <= int(place[2]) <= len(place[1]) or not place[1].isprintable():
        return []
    typed, at = place[1], int(place[2])
    if "\\" in typed or typed.endswith("…") or not typed.isascii():
        return []  # not letter by letter what was typed
    return [f"    {typed}", f"    {' ' * (at - 1)}^"]


def page_width() -> int:
    """Width to which running text is filled: the terminal's, between 40 and 100; 80 in a pipe."""
    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))


def filled(text: str, first: str, rest: str | None = None) -> list[str]:
    """Running text broken between words only; a long word is never cut."""
    return textwrap.wrap(
        text,
        page_width(),
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first]


def clauses(text: str, indent: str = "") -> list[str]:
    """A formula for a page: its clauses, which two spaces separate, one a line where they do not fit."""
    fits = len(indent + text) <= page_width() and "\n" not in text
    parts = [text] if fits else re.split(r"(?<=[,;:])  |\n", text)
    return [line for part in parts for line in filled(part, indent, indent + "    ")]


_UNSAFE = "[\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def json_text(value: Any, ascii_only: bool = False) -> str:
    """One JSON value on one line: no NaN, no control character that a terminal acts on."""
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    return text if ascii_only else re.sub(_UNSAFE, lambda c: f"\\u{ord(c[0]):04x}", text)


def write_json(document: Any, stream: IO[str] | None = None) -> None:
    """JSON for people too: a line per entry, but a vector on one.

    Every command prints its JSON here. Where the stream's encoding lacks
    letters they are written as JSON's own escapes.
    """
    stream = sys.stdout if stream is None else stream
    stream.write(_document(document, "\n", not is_unicode(stream)) + "\n")


def is_unicode(stream: IO[str]) -> bool:
    """Whether the stream can write every letter."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("_", "-").startswith("utf")


def _document(value: Any, newline: str, ascii_only: bool) -> str:
    deeper = newline + "  "
    if isinstance(value, dict) and value:
        parts = [
            f"{json_text(key, ascii_only)}: {_document(part, deeper, ascii_only)}"
            for key, part in value.items()
        ]
        return "{" + deeper + ("," + deeper).join(parts) + newline + "}"
    if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        parts = [_document(part, deeper, ascii_only) for part in value]
        return "[" + deeper + ("," + deeper).join(parts) + newline + "]"
    return json_text(value, ascii_only)
