"""Rows of LaTeX that are wider than a page, broken before a sign: TeX itself breaks no row of ``align*``."""

from __future__ import annotations

import re
from collections.abc import Iterator

# letters of a row that fit between the margins of an A4 page at 11 points
WIDEST = 62
_COMMAND = re.compile(r"\\(left|right|big[lr]|Big[lr]|mathrm|mathit|text|operatorname|,|;|!)|[{}_^\s&]")
_SIGN = re.compile(r" [-+] ")


def broken(row: str, widest: int = WIDEST) -> list[str]:
    """A row of an aligned block as one or several.

    A break inside of brackets needs brackets that do not grow: of a row that
    is broken none does.
    """
    if _width(row) <= widest:
        return [row]
    start, _, rest = row.partition("&= ")
    rest = rest.replace(r"\left(", r"\bigl(").replace(r"\right)", r"\bigr)")
    rows, line = [], f"{start}&= "
    for piece in _pieces(rest):
        if line.strip().endswith("&=") or _width(line + piece) <= widest:
            line += piece
        else:
            rows.append(line.rstrip())
            line = rf"&\qquad {{}}{piece}"
    return [*rows, line.rstrip()]


def _pieces(text: str) -> Iterator[str]:
    """Parts of a sum, each with the sign before it; what stands in braces stays whole."""
    depths, depth = [], 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        depths.append(depth)
    begin = 0
    for sign in _SIGN.finditer(text):
        # one behind a comma or an opening bracket belongs to a number
        if not depths[sign.start()] and sign.start() > begin:
            yield text[begin : sign.start()]
            begin = sign.start()
    yield text[begin:]


def _width(text: str) -> int:
    """About how many letters wide it is set: of a fraction the longer of its two parts."""
    while True:
        found = re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", text)
        if found is None:
            break
        text = text[: found.start()] + max(found.groups(), key=_width) + text[found.end() :]
    # a command is a sign of its own, with some room about it
    return len(re.sub(r"\\[A-Za-z]+", "xx", _COMMAND.sub("", text)))
