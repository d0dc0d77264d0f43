"""Values added to a TOML file without touching its comments, order or spacing.

The standard library reads TOML and cannot write it. Here a scanner finds
where each value stands in the text, an edit is made there and nowhere else,
and the result is read again: unless it differs from the original by exactly
the edits, nothing is written.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlcalc.errors import DataError

Place = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(r"[^\s,\]}#]+")
_WIDTH = 100


@dataclass(frozen=True)
class Span:
    """Where a value stands: its key from ``key``, itself from ``start`` to ``end``."""

    key: int
    start: int
    end: int
    inline: bool


def spans(text: str) -> dict[Place, Span]:
    """Position of every value with a key, by its path from the top.

    The path of the second ``[[case]]``'s ``id`` is ``("case", 1, "id")``.
    The text must be valid TOML.
    """
    return _Scanner(text).found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: dict[Place, Span] = {}
        self.counts: dict[Place, int] = {}
        at = self.skip(_GAP, 0)
        here: Place = ()
        while at < len(text):
            if text[at] == "[":
                at, here = self.header(at)
            else:
                at = self.pair(at, here, inline=False)
            at = self.skip(_GAP, at)

    def skip(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self.text, at)
        return match.end() if match else at

    def header(self, at: int) -> tuple[int, Place]:
        double = self.text.startswith("[[", at)
        at, names = self.key(at + (2 if double else 1))
        here: Place = ()
        for number, name in enumerate(names):
            here = (*here, name)
            if double and number == len(names) - 1:
                self.counts[here] = self.counts.get(here, 0) + 1
            if here in self.counts:
                here = (*here, self.counts[here] - 1)
        return at + (2 if double else 1), here

    def key(self, at: int) -> tuple[int, list[str]]:
        names = []
        while True:
            at = self.skip(_SPACE, at)
            match = _KEY.match(self.text, at)
            if match is None:
                raise DataError("toml_not_edited", f"No key was found at character {at}.")
            word = match[0]
            names.append(str(tomllib.loads(f"k = {word}")["k"]) if word[0] in "\"'" else word)
            at = self.skip(_SPACE, match.end())
            if not self.text.startswith(".", at):
                return at, names
            at += 1

    def pair(self, at: int, here: Place, *, inline: bool) -> int:
        begin = at
        at, names = self.key(at)
        start = self.skip(_SPACE, at + 1)  # past the =
        path = (*here, *names)
        end = self.value(start, path)
        self.found[path] = Span(begin, start, end, inline)
        return end

    def value(self, at: int, path: Place) -> int:
        char = self.text[at]
        if char == "{":
            return self.inline_table(at, path)
        if char == "[":
            return self.array(at, path)
        match = _STRING.match(self.text, at) if char in "\"'" else _BARE.match(self.text, at)
        if match is None:
            raise DataError("toml_not_edited", f"No value was found at character {at}.")
        return match.end()

    def array(self, at: int, path: Place) -> int:
        at, number = self.skip(_GAP, at + 1), 0
        while self.text[at] != "]":
            at = self.skip(_GAP, self.value(at, (*path, number)))
            number += 1
            if self.text[at] == ",":
                at = self.skip(_GAP, at + 1)
        return at + 1

    def inline_table(self, at: int, path: Place) -> int:
        at = self.skip(_GAP, at + 1)
        while self.text[at] != "}":
            at = self.skip(_GAP, self.pair(at, path, inline=True))
            if self.text[at] == ",":
                at = self.skip(_GAP, at + 1)
        return at + 1


def edited(text: str, changes: Mapping[Place, Any], after: str) -> str:
    """The text with values set.

    Args:
        text: valid TOML.
        changes: by path; strings, integers and nested lists of them. A path
            that exists is given the new value; a new one is inserted behind
            the value of its neighbour.
        after: key of that neighbour, which must exist in the same table.

    Raises:
        DataError: ``toml_not_edited`` when the result would differ from the
            original by more than the changes.
    """
    places = spans(text)
    pieces: list[tuple[int, int, str]] = []
    for path, value in changes.items():
        if path in places:
            span = places[path]
            pieces.append((span.start, span.end, _written(value, span.inline)))
            continue
        neighbour = places.get((*path[:-1], after))
        if neighbour is None:
            raise DataError("toml_not_edited", f"There is no '{after}' beside {'.'.join(map(str, path))}.")
        pieces.append(_insertion(text, neighbour, after, str(path[-1]), value))
    result = text
    for start, end, piece in sorted(pieces, reverse=True):
        result = result[:start] + piece + result[end:]
    _confirm(text, result, changes)
    return result


def _insertion(text: str, span: Span, after: str, key: str, value: Any) -> tuple[int, int, str]:
    if span.inline:
        return span.end, span.end, f", {key} = {_written(value, True)}"
    # behind the neighbour's comment, spelt and spaced as the neighbour is
    line_end = text.find("\n", span.end)
    end = len(text) if line_end < 0 else line_end
    newline = "\r\n" if text[:end].endswith("\r") else "\n"
    end -= newline == "\r\n"
    indent = text[text.rfind("\n", 0, span.key) + 1 : span.key]
    written_key, _, spacing = text[span.key : span.start].partition(after)
    lead = max(len(after + spacing.partition("=")[0]), len(key) + 1) - len(key)
    piece = f"{newline}{indent}{written_key}{key}{' ' * lead}= {_written(value, False, newline)}"
    return end, end, piece


def _written(value: Any, inline: bool, newline: str = "\n") -> str:
    """TOML for a string, an integer or a nested list; long lists take several lines."""
    if isinstance(value, list):
        parts = [_written(part, True) for part in value]
        line = f"[{', '.join(parts)}]"
        if inline or len(line) <= _WIDTH:
            return line
        rows, row = [], ""
        for part in parts:
            if row and len(row) + len(part) > _WIDTH:
                rows.append(row.rstrip())
                row = ""
            row += f"{part}, "
        rows.append(row.rstrip())
        return "[" + newline + "".join(f"  {row}{newline}" for row in rows) + "]"
    if isinstance(value, int):
        return str(value)
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    if not plain.isprintable():
        raise DataError("toml_not_edited", f"{value!r} holds characters that are not printed.")
    return f'"{plain}"'


def _confirm(before: str, after: str, changes: Mapping[Place, Any]) -> None:
    wanted = deepcopy(tomllib.loads(before))
    for path, value in changes.items():
        table: Any = wanted
        for name in path[:-1]:
            table = table[name]
        table[path[-1]] = value
    try:
        read = tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise DataError("toml_not_edited", f"The edit would not be valid TOML: {error}.") from error
    if read != wanted:
        raise DataError("toml_not_edited", "The edit would change more than it should; nothing was written.")


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once: readers see the old text or the new one, never a part.

    Raises:
        DataError: ``file_not_written``.
    """
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        why = error.strerror or error
        raise DataError("file_not_written", f"{path} cannot be written: {why}.") from error
