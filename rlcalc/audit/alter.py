"""Ways to alter a statement's parts, by their types, so that no one picks them to fit the check.

    truth value     the other one
    integer         one more, one less, the other sign
    number as text  one more, the other sign
    relation        the others of the six that do not follow from it
    list            without one of its entries; two neighbours swapped; one entry altered
    Choice          the other members
    expression      one more, the other sign

A word that is no ``Choice`` is not altered: it has no neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rlcalc._lazy import sympy

RELATIONS = ("=", "!=", "<", "<=", ">", ">=")
# what follows from a relation says less and stays true; altering to it shows nothing
_FOLLOWS = {"=": ("<=", ">="), "<": ("<=", "!="), ">": (">=", "!=")}


@dataclass(frozen=True)
class Choice:
    """A part that is one of several words: ``system=Choice("ChatGPT", "DeepSeek-R1", "Tülu 3")``."""

    value: Any
    others: tuple[Any, ...]

    def __init__(self, value: Any, *others: Any) -> None:
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "others", tuple(other for other in others if other != value))


@dataclass(frozen=True)
class Alteration:
    """One altered statement.

    Attributes:
        about: ``exponent: -1 → 0``; for one written by hand what it says.
        changes: the altered parts by name.
        why: of one written by hand: why no operator makes it.
    """

    about: str
    changes: Mapping[str, Any]
    why: str = ""


def alterations(parts: Mapping[str, Any]) -> list[Alteration]:
    """Every statement that differs in one part by one step."""
    return [
        Alteration(f"{name}: {_shown(value)} → {_shown(other)}", {name: other})
        for name, value in parts.items()
        for other in _others(value)
    ]


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, Choice):
        yield from value.others
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from dict.fromkeys((value + 1, value - 1, *([-value] if value else [])))
    elif isinstance(value, str):
        yield from _other_texts(value)
    elif isinstance(value, tuple):
        yield from _other_lists(value)
    elif isinstance(value, frozenset):
        yield from (value - {one} for one in sorted(value, key=str))
    elif isinstance(value, sympy.Expr):
        yield from (value + 1, -value) if value != 0 else (value + 1,)


def _other_texts(text: str) -> Iterator[str]:
    if text in RELATIONS:
        yield from (one for one in RELATIONS if one != text and one not in _FOLLOWS.get(text, ()))
        return
    from rlcalc.errors import InputError
    from rlcalc.exact import parse_number, to_text

    try:
        number = parse_number(text)
    except InputError:
        return
    if not getattr(number, "free_symbols", None):
        yield to_text(number + 1)
        if number != 0:
            yield to_text(-number)


def _other_lists(value: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    found = []
    if len(value) > 1:
        found = [value[:at] + value[at + 1 :] for at in range(len(value))]
    for at in range(len(value) - 1):
        found.append((*value[:at], value[at + 1], value[at], *value[at + 2 :]))
    for at, part in enumerate(value):
        found += [(*value[:at], other, *value[at + 1 :]) for other in list(_others(part))[:1]]
    yield from dict.fromkeys(one for one in found if one != value)


def _shown(value: Any) -> str:
    if isinstance(value, Choice):
        return _shown(value.value)
    if isinstance(value, tuple | frozenset):
        return (
            "("
            + ", ".join(_shown(part) for part in (value if isinstance(value, tuple) else sorted(value)))
            + ")"
        )
    return str(value)
