"""Other names for inputs and commands, from ``specs/command_line.toml``.

The file is read when a name is unknown, so that a right command line never
waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from rlcalc.errors import nearest, suggestion


@cache
def _table() -> Mapping[str, Any]:
    from rlcalc.data import data_folder, read_toml

    return read_toml(data_folder("specs") / "command_line.toml")


def dashed(word: str) -> str:
    """A name as the command line writes it: ``GAE_lambda`` is ``gae-lambda``."""
    return word.strip("-_").replace("_", "-").lower()


def same_option(word: str, options: Iterable[str]) -> str | None:
    """The option that a word is another name for, where exactly one of ``options`` is."""
    name, known = dashed(word), list(options)
    if "--" + name in known:
        return "--" + name
    found = [f"--{own}" for own, others in _table()["same"].items() if name in others]
    here = [option for option in found if option in known]
    return here[0] if len(here) == 1 else None


def other_names(option: str) -> tuple[str, ...]:
    """The names that are accepted in place of an option."""
    return tuple(f"--{name}" for name in _table()["same"].get(option.lstrip("-"), ()))


def option_hint(word: str, options: Iterable[str]) -> str:
    """What an unknown option may have meant; empty when nothing is near."""
    name, known = dashed(word), [option for option in options if option]
    for own, near in _table()["near"].items():
        if name in near["names"] and f"--{own}" in known:
            return f"Did you mean --{own}? {near.get('note', '')}".rstrip()
    return suggestion(f"--{name}", known)


def command_names() -> Mapping[str, tuple[str, ...]]:
    """The other names of every command that has some."""
    return {own: tuple(others) for own, others in _table()["command"].items()}


def command_words() -> Mapping[str, tuple[str, ...]]:
    """Words by which a command is found beside its names and its texts."""
    return {own: tuple(words) for own, words in _table()["about"].items()}


def command_hint(word: str, commands: Iterable[str]) -> str:
    """What an unknown command may have meant: by another name, or one that is near."""
    name, known = dashed(word), list(commands)
    found = [own for own, others in _table()["command"].items() if name in others and own in known]
    if found:
        return f"Did you mean {' or '.join(found)}?"
    others = {other: own for own, names in _table()["command"].items() for other in names if own in known}
    near = nearest(name, [*known, *others, "version", "help"])
    return f"Did you mean {others.get(near, near)}?" if near else ""
