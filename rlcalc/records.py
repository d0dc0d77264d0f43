"""Tables of a TOML or JSON file -> dataclasses, with a refusal that names file, place and key.

A dataclass is the schema: its fields are the keys that a table may have, a
field without default is a key that it must have, and annotations say of what
type. An unknown key is always refused, since a misspelt one would be silently
without effect. What a type cannot say a field says by a check of its own:

    @dataclass(frozen=True)
    class Flag:
        kind: Literal["basic", "edge"]
        about: str
        code: str = field(default="", metadata={"check": is_code})

A check returns what is wrong with the value, or "". A value that TOML has no
type for is made by ``"read"`` of the metadata, which takes the text of the
file and raises ``ValueError`` or a ``DataError`` where it cannot be read.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar, Union, cast

from rlcalc.errors import DataError, shown, suggestion

Record = TypeVar("Record")


class Place(NamedTuple):
    """Where a value stands, for messages: file, then the way down to it."""

    file: str
    path: tuple[str, ...] = ()
    code: str = "bad_record"

    def at(self, *names: object) -> Place:
        return Place(self.file, (*self.path, *map(str, names)), self.code)

    def refuse(self, why: str, hint: str = "") -> NoReturn:
        """Raise the ``DataError`` of this place."""
        raise DataError(self.code, ": ".join([self.file, *self.path, why]), hint)


def read_record(kind: type[Record], raw: Any, place: Place, /, **given: Any) -> Record:
    """One table as a dataclass.

    Args:
        kind: the dataclass; a field named like a Python keyword bears a trailing ``_``.
        raw: what the file holds.
        place: where, for messages.
        given: fields that the caller knows and the table does not hold, such as its own name.

    Raises:
        DataError: with the code of ``place``: not a table, an unknown or missing key, a wrong type.
    """
    if not isinstance(raw, Mapping):
        place.refuse(f"expected a table, not {shown(raw)}.")
    known, found = _keys(cast(Any, kind)), dict(given)
    for key, value in raw.items():
        if key not in known or known[key].name in given:
            open_keys = sorted(name for name, spec in known.items() if spec.name not in given)
            place.refuse(f"unknown key {shown(key)}.", suggestion(str(key), open_keys))
        found[known[key].name] = _read(known[key], value, place.at(key))
    for key, spec in known.items():
        if spec.needed and spec.name not in found:
            place.refuse(f"missing key '{key}'.")
    return kind(**found)


class _Key(NamedTuple):
    """What a key of a table is read into."""

    name: str
    hint: Any
    read: Callable[[str], Any] | None
    check: Callable[[Any], str] | None
    needed: bool


@cache
def _keys(kind: type) -> dict[str, _Key]:
    hints = typing.get_type_hints(kind)
    return {
        f.metadata.get("key") or f.name.rstrip("_"): _Key(
            f.name,
            hints[f.name],
            f.metadata.get("read"),
            f.metadata.get("check"),
            f.default is MISSING and f.default_factory is MISSING,
        )
        for f in fields(kind)
    }


def _read(key: _Key, raw: Any, place: Place) -> Any:
    if key.read is None:
        value = _value(key.hint, raw, place)
    else:
        text = _value(str, raw, place)
        try:
            value = key.read(text)
        except (ValueError, ArithmeticError, DataError) as error:
            place.refuse(str(error) or f"{shown(text)} cannot be read.")
    problem = key.check(value) if key.check else ""
    if problem:
        place.refuse(problem)
    return value


def _value(hint: Any, raw: Any, place: Place) -> Any:
    """A value checked against its annotation, lists as tuples and tables as records."""
    if hint is Any or (hint is str and type(raw) is str and raw and not raw.isspace()):
        return raw
    origin, of = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _either(of, raw, place)
    if origin is Literal:
        if raw not in of or type(raw) not in {type(one) for one in of}:
            names = [str(one) for one in of]
            place.refuse(
                f"expected one of {', '.join(names)}, not {shown(raw)}.", suggestion(str(raw), names)
            )
        return raw
    if origin is tuple:
        if not isinstance(raw, list | tuple):
            place.refuse(f"expected a list, not {shown(raw)}.")
        return tuple(_value(of[0], part, place.at(f"entry {i + 1}")) for i, part in enumerate(raw))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(raw, Mapping):
            place.refuse(f"expected a table, not {shown(raw)}.")
        return {key: _value(of[1], part, place.at(key)) for key, part in raw.items()}
    if is_dataclass(hint):
        return read_record(hint, raw, place)  # type: ignore[arg-type]
    # True is an int to Python, never to a person
    if not isinstance(raw, hint) or (isinstance(raw, bool) and hint is not bool):
        place.refuse(f"expected {_WORDS.get(hint, hint.__name__)}, not {shown(raw)}.")
    if hint is str and not raw.strip():
        place.refuse("expected a text, not an empty one.")
    return raw


def _either(kinds: tuple[Any, ...], raw: Any, place: Place) -> Any:
    problem: DataError | None = None
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return _value(kind, raw, place)
        except DataError as error:
            problem = problem or error
    assert problem is not None
    raise problem


_WORDS = {str: "a text", int: "an integer", bool: "true or false", float: "a decimal number"}


def matches(pattern: re.Pattern[str], what: str) -> Mapping[str, Callable[[Any], str]]:
    """Metadata of a field whose texts must have a form."""

    def check(value: str | tuple[str, ...]) -> str:
        texts = (value,) if isinstance(value, str) else value
        wrong = [text for text in texts if not pattern.fullmatch(text)]
        return f"expected {what}, not {shown(wrong[0])}." if wrong else ""

    return {"check": check}


def not_empty(value: Any) -> str:
    return "" if value else "it is empty."


def positive(value: int) -> str:
    return "" if value >= 1 else f"expected a number of at least 1, not {value}."


def exactly(*names: str) -> Callable[[tuple[Mapping[str, str], ...]], str]:
    """A check that every table has these keys."""

    def check(tables: tuple[Mapping[str, str], ...]) -> str:
        for table in tables:
            if set(table) != set(names):
                return f"each has the keys {', '.join(names)}, not {', '.join(table) or 'none'}."
        return ""

    return check
