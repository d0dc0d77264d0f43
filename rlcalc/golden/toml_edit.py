"""Values put into a golden file without touching its comments, order or spacing.

``tomlkit`` keeps the layout. The result is read again before it is written:
unless it differs from the original by exactly the edits, nothing is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from itertools import groupby
from typing import Any

from rlcalc.errors import DataError

Place = tuple[str | int, ...]
_WIDTH = 100
_LONGEST_RUN = 100  # entries that are still written one by one


def edited(text: str, changes: Mapping[Place, Any], after: str) -> str:
    """The text with values set.

    Args:
        text: valid TOML, whose line ends are kept.
        changes: by path from the top (the second ``[[case]]`` is ``("case", 1)``): strings, integers and
            nested lists of them, in the place of the old value or, where there is none, after its neighbour.
        after: key of that neighbour, which must exist in the same table.

    Raises:
        DataError: ``toml_not_edited`` when the result would differ from the
            original by more than the changes.
    """
    import tomlkit

    ends = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    document = tomlkit.parse(text)
    wanted = deepcopy(tomllib.loads(text))
    for (*path, key), value in changes.items():
        value = compact(value)
        table: Any = document
        plain: Any = wanted
        for name in path:
            table, plain = table[name], plain[name]
        if key not in table and after not in table:
            raise DataError("toml_not_edited", f"There is no '{after}' next to {'.'.join(map(str, path))}.")
        _put(table, str(key), value, after)
        plain[key] = value
    result = tomlkit.dumps(document)
    if tomllib.loads(result) != wanted:
        raise DataError("toml_not_edited", "The edit would change more than it should; nothing was written.")
    return result.replace("\n", ends)


def compact(value: Any) -> Any:
    """A list with its long runs as ``{ repeat = …, value = … }``, the inverse of ``files.expanded``."""
    if not isinstance(value, list):
        return value
    found: list[Any] = []
    for _, run in groupby(value, key=lambda part: str(part)):
        parts = list(run)
        long = len(parts) > _LONGEST_RUN and not isinstance(parts[0], list)
        found += [{"repeat": len(parts), "value": parts[0]}] if long else map(compact, parts)
    return found


def _put(table: Any, key: str, value: Any, after: str) -> None:
    import tomlkit
    from tomlkit.items import InlineTable

    if isinstance(value, list):
        long = sum(len(str(part)) + 4 for part in value) > _WIDTH or any(
            isinstance(p, list | dict) for p in value
        )
        item: Any = tomlkit.parse(f"k = {_rows(value) if long else tomlkit.item(value).as_string()}\n")["k"]
    else:
        item = tomlkit.item(value)
        item.trivia.trail = " " if isinstance(table, InlineTable) else "\n"
    if key in table or list(table)[-1] == after:
        table[key] = item
        return
    later = [(name, table[name]) for name in list(table)[list(table).index(after) + 1 :]]
    for name, _ in later:
        table.remove(name)
    for name, one in [(key, item), *later]:
        table[name] = one


def _rows(value: list[Any]) -> str:
    """A long list on lines of its own, none of them too long."""
    import tomlkit

    lines, line = [], ""
    for part in value:
        if isinstance(part, list):
            text = _rows(part).replace("\n", "\n  ")
        elif isinstance(part, dict):
            text = f"{{ repeat = {part['repeat']}, value = {tomlkit.item(part['value']).as_string()} }}"
        else:
            text = tomlkit.item(part).as_string()
        if line and len(line) + len(text) > _WIDTH:
            lines.append(line.rstrip())
            line = ""
        line += f"{text}, "
    return "[\n" + "".join(f"  {line}\n" for line in [*lines, line.rstrip()]) + "]"
