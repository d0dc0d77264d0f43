"""Where text goes: a terminal with colour, or a pipe without.

Text that a user gave is never markup: Rich is handed ``Text`` objects only,
and a pipe gets the text as it is. Lines are never cut and never broken by
us; a terminal wraps them itself.
"""

from __future__ import annotations

import os
import shutil
from typing import IO, Any

HEADING, ANSWER, FAINT, ALARM, CAUTION = "bold", "bold green", "dim", "bold red", "yellow"


class Screen:
    """One output stream.

    Attributes:
        terminal: somebody is looking, so that a million numbers help nobody.
        colour: escape sequences are welcome.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.terminal = bool(getattr(stream, "isatty", lambda: False)())
        self.colour = self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._console: Any = None

    def line(self, text: str = "", style: str = "") -> None:
        """One line, in a style where there is colour."""
        text = visible(text)
        if not (self.colour and style):
            self.stream.write(text + "\n")
            return
        from rich.console import Console
        from rich.text import Text

        if self._console is None:
            self._console = Console(file=self.stream, highlight=False, markup=False, emoji=False)
        self._console.print(Text(text, style), soft_wrap=True)

    def labelled(self, label: str, text: str, style: str) -> None:
        """A line whose first word alone is coloured."""
        if not self.colour:
            self.line(f"{label} {text}")
            return
        from rich.console import Console
        from rich.text import Text

        line = Text.assemble((label, style), " ", visible(text))
        Console(file=self.stream, highlight=False, markup=False, emoji=False).print(line, soft_wrap=True)

    def block(self, text: str, style: str = "") -> None:
        for line in text.split("\n"):
            self.line(line, style)

    def note(self, text: str) -> None:
        self.labelled("note:", text, CAUTION)

    def error(self, message: str, hint: str = "") -> None:
        self.labelled("error:", message, ALARM)
        for line in hint.split("\n") if hint else ():
            self.line(f"  {line}")


def visible(text: str) -> str:
    """Control characters as escapes, so that input cannot move the cursor or colour the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def page_width() -> int:
    """Width to which running text is filled: the terminal's, between 40 and 100."""
    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))
