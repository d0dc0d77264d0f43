"""A function that is another one but for a few words: its bug stands alone, and not among equal lines."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

_NUMBERS = count(1)


def altered(function: Callable[..., Any], changes: Mapping[str, str]) -> Callable[..., Any]:
    """A function or method of the same name whose source is that of another, changed, without its docstring.

    Args:
        changes: what stands in the place of what.

    Raises:
        ValueError: something to replace does not stand there exactly once.
    """
    text = _without_docstring(textwrap.dedent(inspect.getsource(function)))
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"{function.__qualname__} has {old!r} {text.count(old)} times")
        text = text.replace(old, new)
    place, made = f"<altered {next(_NUMBERS)}>", {}
    exec(compile(text, place, "exec"), function.__globals__, made)
    # where inspect, and so conform, looks for the source
    linecache.cache[place] = len(text), None, text.splitlines(keepends=True), place
    found: Callable[..., Any] = made[function.__name__]
    found.__qualname__ = function.__qualname__
    return found


def _without_docstring(text: str) -> str:
    (definition,) = ast.parse(text).body
    first, *others = definition.body
    if not others or not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[: first.lineno - 1] + lines[first.end_lineno :])
