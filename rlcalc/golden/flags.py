"""Flags of golden files: words of a closed vocabulary that say what a case is there for.

Those that files share stand in ``specs/flags.toml``; a file may add its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from rlcalc.data import data_folder, read_toml
from rlcalc.records import Place, read_record

Kind = Literal["basic", "edge", "convention", "erratum", "identity", "stiff", "invalid"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Flag:
    """A word of the file's closed vocabulary: what a case is there for.

    Attributes:
        kind: one of ``KINDS``.
        about: what the flagged cases have in common.
        effect: what an implementation that fails them has got wrong, or what it may choose.
    """

    name: str
    kind: Kind
    about: str
    effect: str


@cache
def shared_flags() -> Mapping[str, Flag]:
    """Flags that every golden file may use: ``specs/flags.toml``.

    Raises:
        DataError: ``bad_flags``.
    """
    path = data_folder("specs") / "flags.toml"
    top = read_toml(path)
    place = Place(path.name, code="bad_flags")
    return read_flags(read_record(_FlagFile, top, place).flag, place)


@dataclass(frozen=True)
class _FlagFile:
    schema: Literal["rlcalc-flags-1"]
    flag: Mapping[str, Any]


def read_flags(tables: Mapping[str, Any], place: Place) -> dict[str, Flag]:
    """Tables of flags by their names.

    Raises:
        DataError: with the code of ``place``.
    """
    return {name: read_record(Flag, raw, place.at(f"flag {name}"), name=name) for name, raw in tables.items()}
