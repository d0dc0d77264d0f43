"""How a help page is laid out, whatever it is about.

A page is made of sections; names of options and commands stand on the left,
where a terminal shows them in colour. What stands on the pages is in ``pages``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rlcalc.cli.screen import FAINT, HEADING, OPTION, Screen, filled, page_width

MOST_LINES = 24  # of a short page: what a terminal shows without scrolling
_LEFT = 2
_MOST_LEFT = 26  # wider names stand on a line of their own


class Line(NamedTuple):
    """A line of a page: a name to be coloured, plain text, and a remark to be faint."""

    name: str
    text: str = ""
    remark: str = ""


class Row(NamedTuple):
    """An option, input, output or command: its name on the left, paragraphs on the right."""

    name: str
    paragraphs: Sequence[str]


HELP = Row("-h, --help", ["A short help, or this page."])


@dataclass
class Page:
    """A help page; a section without a title is running text."""

    sections: list[tuple[str, list[Line], bool]] = field(default_factory=list)

    def add(self, title: str, lines: Iterable[Line | str], tight: bool = False) -> None:
        """One more section, unless it is empty; ``tight`` leaves out the line before it."""
        found = [line if isinstance(line, Line) else Line("", line) for line in lines]
        if found:
            self.sections.append((title, found, tight or not self.sections))

    def lines(self) -> list[tuple[str, Line]]:
        """Every line with the style of its text."""
        found: list[tuple[str, Line]] = []
        for title, lines, tight in self.sections:
            if not tight:
                found.append(("", Line("")))
            if title:
                found.append((HEADING, Line("", title)))
            found += [("", line) for line in lines]
        return found

    def text(self) -> str:
        return "\n".join("".join(line) for _, line in self.lines())

    def show(self) -> None:
        screen = Screen(sys.stdout)
        for style, line in self.lines():
            screen.segments((line.name, OPTION), (line.text, style), (line.remark, FAINT))

    def room(self) -> int:
        """Lines that a short page has left for one more section."""
        return MOST_LINES - len(self.lines()) - 2


# layout


def indented(text: str, by: int = _LEFT, hang: int = 0) -> list[str]:
    return [line for part in text.split("\n") for line in filled(part, " " * by, " " * (by + hang))]


def rows(found: Sequence[Row], below: bool = False) -> list[Line]:
    """Names on the left, paragraphs on the right (or ``below`` the name)."""
    widths = [len(row.name) for row in found if len(row.name) <= _MOST_LEFT]
    column = _LEFT + (2 if below else max(widths, default=0) + 2)
    lines: list[Line] = []
    for row in found:
        body = [line for text in row.paragraphs if text for line in filled(text, " " * column)]
        name = " " * _LEFT + row.name
        if below or len(name) + 2 > column or not body:
            lines += [Line(name), *(Line("", line) for line in body)]
        else:
            first, *rest = body
            lines += [Line(name.ljust(column), first[column:]), *(Line("", line) for line in rest)]
    return lines


def short_rows(found: Sequence[Row], most: int) -> list[Line]:
    """One line each; those for which there is no room are named together at the end."""
    shown, folded = list(found), list[Row]()
    while shown and len(shown) + len(_folded(folded)) > most:
        folded.insert(0, shown.pop())
    column = _LEFT + max((len(row.name) for row in shown), default=0) + 2
    lines = []
    for row in shown:
        text = " ".join(part for part in row.paragraphs if part)
        lines.append(Line((" " * _LEFT + row.name).ljust(column), cut(text, page_width() - column)))
    return lines + [Line("", line) for line in _folded(folded)]


def _folded(found: Sequence[Row]) -> list[str]:
    names = ", ".join(row.name.split(", ")[-1].split(" ")[0] for row in found)
    return filled(f"and {names}", " " * _LEFT) if found else []


def cut(text: str, width: int) -> str:
    """The first sentences that fit, or else the words that fit."""
    if len(text) <= width:
        return text
    whole = text[: width + 1].rfind(". ")
    if whole > 0:
        return text[: whole + 1]
    return text[: width - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def example(line: str) -> list[Line]:
    """A command line to be copied, however long; a remark after ``#`` stands where there is room."""
    command, _, remark = line.partition("  # ")
    text = f"{' ' * _LEFT}{command.rstrip()}"
    if not remark:
        return [Line("", text)]
    if len(text) + len(remark) + 4 <= page_width():
        return [Line("", text, f"  # {remark}")]
    return [Line("", text), *(Line("", "", part) for part in filled(f"# {remark}", " " * 6, " " * 8))]
