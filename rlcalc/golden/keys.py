"""What the keys of a golden file may hold: each check gives what is wrong with a value, or "".

Numbers are strings and integers, since a TOML float is rounded before anyone
sees it; a run ``{ repeat = 1000, value = "0" }`` stands for its entries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rlcalc.errors import shown
from rlcalc.nested import flatten

MOST_ROWS = 4096  # of a batch
MOST_ENTRIES = 2**17  # of a list with runs; a vocabulary

_ID = re.compile(r"[a-z][a-z0-9_]*/(?=.*[a-z])[a-z0-9]+(?:[.-][a-z0-9]+)*")
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]{1,5})?|infinity)")


def expanded(value: Any) -> Any:
    """A list with its runs written out: ``{ repeat = 1000, value = "0" }`` stands for a thousand entries.

    Raises:
        ValueError: a run of another form, or too long.
    """
    if isinstance(value, dict) and set(value) == {"repeat", "value"}:
        raise ValueError("a run stands in a list.")
    if not isinstance(value, list):
        return value
    found: list[Any] = []
    for part in value:
        if not (isinstance(part, dict) and "repeat" in part):
            found.append(expanded(part))
            continue
        count, one = part["repeat"], part.get("value")
        if type(count) is not int or set(part) != {"repeat", "value"} or not isinstance(one, str | int):
            raise ValueError('a run is written { repeat = 3, value = "0" }.')
        if not 2 <= count <= MOST_ENTRIES - len(found):
            raise ValueError(f"a run has 2 to {MOST_ENTRIES} entries, not {count}.")
        found += [one] * count
    return found


def id_problem(name: str) -> str:
    if _ID.fullmatch(name):
        return ""
    return (
        "an id is the formula, '/', and words of small letters, digits, '-' and '.' that say what the "
        f"case is about (never a bare number); not {shown(name)}."
    )


def code_problem(code: str) -> str:
    return (
        ""
        if _CODE.fullmatch(code)
        else f"expected a stable code such as gamma_out_of_range, not {shown(code)}."
    )


def number_problem(value: Any) -> str:
    """Strings and integers only: a TOML float is rounded before anyone sees it."""
    for entry in flatten(value):
        if isinstance(entry, float):
            return f'the float {entry!r}; write it as a string: "{entry!r}".'
        if isinstance(entry, bool) or not isinstance(entry, str | int):
            return f"{shown(entry)}; only strings and integers are exact."
    return ""


def decimal_problem(value: Any) -> str:
    return next(
        (
            f"expected decimals such as '2.5000000000000000000', not {shown(entry)}."
            for entry in flatten(value)
            if not (isinstance(entry, str) and _DECIMAL.fullmatch(entry) and len(entry) < 100)
        ),
        "",
    )


def given_problem(given: Mapping[str, Any]) -> str:
    waiting = list(given.items())
    while waiting:
        name, value = waiting.pop()
        # true and false read well for a switch; anything else is text or an integer
        problem = "" if isinstance(value, bool) and name in given else _without_tables(name, value, waiting)
        if problem:
            return f"{name}: {problem}"
    return ""


def _without_tables(name: str, value: Any, waiting: list[tuple[str, Any]]) -> str:
    """The problem of the numbers in a value; its tables (a decision process) are left for later."""
    tables = [part for part in flatten(value) if isinstance(part, dict)]
    waiting += [(f"{name}.{key}", part) for table in tables for key, part in table.items()]
    return number_problem([part for part in flatten(value) if not isinstance(part, dict)])


def digits_problem(number: int | None) -> str:
    inside = number is None or 0 <= number <= 15
    return "" if inside else f"expected an integer from 0 to 15, not {number}."


def batch_problem(batch: tuple[int, ...]) -> str:
    good = batch and min(batch) >= 1 and math.prod(batch) <= MOST_ROWS
    return "" if good else f"expected the lengths of the leading axes, together at most {MOST_ROWS} rows."


def distinct_flags(names: tuple[str, ...]) -> str:
    if not names:
        return "at least one flag is needed."
    return "duplicate flag." if len(set(names)) < len(names) else ""
