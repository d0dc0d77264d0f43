"""Values from files: ``@file``, ``@-`` and ``@file.csv:column``; arrays and JSON lines by ``data_files``.

A cell that cannot be read is an error that names file, line and text; the
parser of numbers knows the text only.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from rlcalc.cli.argv import split_commas, split_outside_brackets
from rlcalc.errors import DataError, InputError, UnknownName, shown, suggestion
from rlcalc.files import read_bytes
from rlcalc.specs import Parameter

_COLUMN = re.compile(r"(.*\.(?:csv|tsv)):(.*)", re.IGNORECASE | re.DOTALL)
_FLAGS = frozenset({"0", "1", "0.0", "1.0", "true", "false", "yes", "no"})
_NUMERIC = ("number", "integer", "count")
MAX_FILE = 32 * 2**20  # bytes of one file
MAX_ENTRIES = 1_000_000  # values of one file, which take about 10 s and 500 MB
_CHUNK = 2**20

Cell = tuple[int, str]


class Reader:
    """Expands the values of one command line; standard input can be read once."""

    def __init__(self, symbols: bool) -> None:
        self.symbols = symbols
        self._stdin_used = False

    def expand(self, parameter: Parameter, words: list[str]) -> list[Any]:
        """Words of a list -> its entries, with commas split and files read."""
        matrix = len(parameter.shape) == 2
        found: list[Any] = []
        if parameter.kind != "word":
            words = _pasted(words, matrix)
        for word in words:
            if word.startswith("@@"):
                found.append(word[1:])
            elif word.startswith("@"):
                read = self._from_file(parameter, word[1:], matrix)
                if not read:
                    raise InputError(
                        "file_empty", f"{parameter.option}: there are no values in {shown(word[1:])}."
                    )
                found += read
            elif matrix or (parameter.kind == "word" and word == ","):
                found.append(word)
            else:
                found += _between_commas(parameter, word)
        return found

    def text(self, words: list[str]) -> str:
        """Words of one text, files read; a file's lines stay lines."""
        return " ".join(self._read(word[1:]) if word.startswith("@") else word for word in words)

    def process(self, word: str) -> str:
        """A process that is given as ``@FILE`` or ``@-``: the name of the file, or the text."""
        if not word.startswith("@"):
            return word
        return self._read_stdin() if word == "@-" else word[1:]

    def _from_file(self, parameter: Parameter, name: str, matrix: bool) -> list[Any]:
        if not name:
            raise InputError(
                "file_name_missing",
                f"{parameter.option} has '@' without a file name.",
                "Write @rewards.txt, @table.csv:column, @batch.jsonl:field, or @- for standard input.",
            )
        from rlcalc.cli.data_files import fitted, read_field, split_field

        field = split_field(name)
        if field is not None:
            return fitted(parameter.option, field[0], read_field(*field), len(parameter.shape))
        path, column = _split_column(name)
        where = "standard input" if name == "-" else path
        text = self._read(name if name == "-" else path)
        if matrix:
            return [word for line in text.splitlines() if line.strip() for word in (line, ";")]
        if column is not None:
            cells = list(_csv_cells(text, path, column))
            found = _literals(parameter, [cell for _, cell in cells], where)
            return [self._cell(parameter, cell, where) for cell in cells] if found is None else found
        return self._plain(parameter, text, where)

    def _read(self, path: str) -> str:
        if path == "-":
            return self._read_stdin()
        try:
            text = read_bytes(path, MAX_FILE).decode("utf-8-sig")
        except DataError as error:
            if error.code == "file_too_long":
                raise _too_long(path, f"{MAX_FILE:,} bytes") from None
            raise
        except UnicodeDecodeError as error:
            raise _unreadable(path, f"it is not UTF-8 text (byte {error.start})") from None
        except ValueError as error:  # a name that no file can have
            raise _unreadable(path, str(error)) from None
        return _text_only(path, text)

    def _read_stdin(self) -> str:
        if self._stdin_used:
            raise InputError("stdin_twice", "'@-' is given twice; standard input can be read once.")
        self._stdin_used = True
        if sys.stdin is None:
            raise _unreadable("-", "standard input is closed")
        try:
            return _bounded(sys.stdin)
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise _unreadable("-", str(error)) from None

    def _plain(self, parameter: Parameter, text: str, where: str) -> list[Any]:
        """Entries of a text file; the lines are only counted when one is bad."""
        text = _without_brackets(text)
        if "(" not in text and not _HOLE.search(text):
            found = _literals(parameter, text.replace(",", " ").split(), where)
            if found is not None:
                return found
        cells = [
            (number, part)
            for number, line in enumerate(text.splitlines(), start=1)
            for word in split_outside_brackets(line, str.isspace)
            if word
            for part in split_commas(word)
        ]
        for number, part in cells:
            if not part:
                raise InputError("empty_entry", f"{where}, line {number}: nothing between two commas.")
        return [self._cell(parameter, cell, where) for cell in cells]

    def _cell(self, parameter: Parameter, cell: Cell, where: str) -> Any:
        line, text = cell
        if parameter.kind in _NUMERIC and text not in parameter.choices:
            from rlcalc.exact import parse_number

            if parameter.kind == "count" and text == "inf":
                return text
            try:
                return parse_number(text, symbols=self.symbols)
            except InputError as error:
                hint = error.hint
                if line == 1 and where.lower().endswith((".csv", ".tsv")):
                    hint = f"If the first line holds names, name the column: @{where}:COLUMN"
                raise InputError(error.code, f"{where}, line {line}: {error.message}", hint) from None
        if parameter.kind == "flag" and text.lower() not in _FLAGS:
            raise InputError(
                "flag_syntax", f"{where}, line {line}: {shown(text)}: expected 0 or 1, or true or false."
            )
        return text


_HOLE = re.compile(r",\s*,")


def _pasted(words: list[str], matrix: bool) -> list[str]:
    """Words of a list that was copied with its square brackets, without them; rows end with ``;``."""
    text = " ".join(words).strip()
    if not (text.startswith("[") and text.endswith("]") and re.search(r"[\d, ]", text)):
        return words
    text = text[1:-1].strip()
    if matrix:
        rows = re.split(r"\]\s*,?\s*\[", text.removeprefix("[").removesuffix("]"))
        return [part for row in rows for part in (row, ";")]
    return text.split() if "(" not in text else [text]


def _unreadable(path: str, reason: str) -> InputError:
    return InputError("file_unreadable", f"{_named(path)} cannot be read: {reason}.")


def _named(path: str) -> str:
    return "standard input" if path == "-" else shown(path)


def _too_long(path: str, most: str) -> InputError:
    return InputError(
        "file_too_long",
        f"{_named(path)} holds more than {most}.",
        "Give a part of it; in Python the functions take arrays of any length.",
    )


def _literals(parameter: Parameter, words: list[str], where: str) -> list[Any] | None:
    """Plain numbers, read fast; ``None`` where one of them is something else."""
    if len(words) > MAX_ENTRIES:
        raise _too_long(where, f"{MAX_ENTRIES:,} values")
    if parameter.kind != "number" or parameter.choices:
        return None
    from rlcalc.exact import parse_literal

    found = [parse_literal(word) for word in words]
    return None if None in found else found


def _text_only(path: str, text: str) -> str:
    if "\0" in text:
        raise _unreadable(path, "it is not text (it holds zero bytes)")
    return text


def _bounded(file: TextIO) -> str:
    """All of a stream; one that is endless or holds no text is given up early."""
    parts: list[str] = []
    size = 0
    while part := file.read(_CHUNK):
        parts.append(_text_only("-", part))
        size += len(part)
        if size > MAX_FILE:
            raise _too_long("-", f"{MAX_FILE:,} characters")
    return "".join(parts)


def _without_brackets(text: str) -> str:
    """A list as a notebook prints it: ``[1, 2, 3]`` is 1, 2, 3, on the same lines."""
    inside = text.strip()
    listed = inside.startswith("[") and inside.endswith("]")
    return text.replace("[", " ", 1).rstrip().removesuffix("]") if listed else text


def _between_commas(parameter: Parameter, word: str) -> list[str]:
    parts = split_commas(word)
    if "" in parts and word.strip():
        raise InputError(
            "empty_entry", f"{parameter.option} has nothing between two commas in {shown(word)}."
        )
    return parts


def _split_column(name: str) -> tuple[str, str | None]:
    match = _COLUMN.fullmatch(name)
    return (match[1], match[2]) if match else (name, None)


def _csv_cells(text: str, path: str, column: str) -> Iterator[Cell]:
    delimiter = "\t" if path.lower().endswith(".tsv") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if header.count(column) != 1:
            raise _no_column(path, column, header)
        at = header.index(column)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= at:
                raise InputError(
                    "cell_missing", f"{path}, line {rows.line_num}: no cell in the column {shown(column)}."
                )
            if any(cell.strip() for cell in row[len(header) :]):
                # a comma inside a number divides it, and every column after it is another one
                raise InputError(
                    "cells_left_over",
                    f"{path}, line {rows.line_num}: {len(row)} cells under {len(header)} "
                    f"{'name' if len(header) == 1 else 'names'}.",
                    "A cell that holds the delimiter needs quotes; a number is written without it.",
                )
            yield rows.line_num, row[at].strip()
    except csv.Error as error:
        raise InputError("file_not_csv", f"{path}, line {rows.line_num}: {error}.") from None


def _no_column(path: str, column: str, header: list[str]) -> InputError:
    if column in header:
        return InputError("column_ambiguous", f"{path} has more than one column {shown(column)}.")
    names = ", ".join(shown(name, 30) for name in header) or "none"
    hint = suggestion(column, header) or f"Its columns are {names}."
    return UnknownName("unknown_column", f"{path} has no column {shown(column)}.", hint)
