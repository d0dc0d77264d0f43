"""What a signature says: parameters with their defaults and annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_origin


@dataclass(frozen=True)
class Argument:
    """One parameter of a signature.

    Attributes:
        optional: it has a default.
        default: that default, where it is a number, a word or a flag.
        annotation: as it is written, empty without one.
        positional: it cannot be named in a call.
    """

    name: str
    optional: bool = False
    default: Any = None
    annotation: str = ""
    positional: bool = False


def read_argument(raw: Any) -> Argument:
    """One that came over a pipe, with the bounds that such data need."""
    default = raw["default"] if isinstance(raw["default"], bool | int | float | str) else None
    words = str(raw["name"])[:100], bool(raw["optional"]), default, str(raw["annotation"])[:200]
    return Argument(*words, bool(raw["positional"]))


def arguments_of(function: Callable[..., Any]) -> tuple[tuple[Argument, ...] | None, bool]:
    """Parameters, where they are known, and whether any keyword is taken besides."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some compiled functions say nothing about themselves
        return _scripted(function), False
    generic = all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)
    if generic and _scripted(function) is not None:
        return _scripted(function), False
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    # a partial shows what it was given as keyword-only defaults: of a word it has chosen one for good
    chosen = {n for n, value in getattr(function, "keywords", {}).items() if isinstance(value, str)}
    named = [p for p in named if p.name not in chosen]
    found = tuple(
        Argument(
            p.name,
            p.default is not p.empty,
            plain(p.default),
            _written(p.annotation),
            p.kind is p.POSITIONAL_ONLY,
        )
        for p in named
    )
    return found, any(p.kind is p.VAR_KEYWORD for p in parameters)


def _scripted(function: Any) -> tuple[Argument, ...] | None:
    """A function compiled by ``torch.jit.script`` has its signature in a schema."""
    schema = getattr(function, "schema", None)
    if schema is None:
        return None
    return tuple(
        Argument(a.name, bool(a.has_default_value()), plain(a.default_value), str(a.type))
        for a in schema.arguments
    )


def plain(value: Any) -> Any:
    """A flag, a number or a word; ``None`` for anything else."""
    return value if isinstance(value, bool | int | float | str) else None


def _written(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    if get_origin(annotation) is not None:  # list[float] has the name of list
        return str(annotation)
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
