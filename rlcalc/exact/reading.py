"""Text to a number: plain literals at once, everything else through the grammar."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

from rlcalc.errors import InputError, UnknownName, shown
from rlcalc.exact.budget import Refusal
from rlcalc.exact.values import Exact

# Short enough that no budget and no limit of ``int`` can be reached; longer
# literals take the parser's way.  The last group says which form it is.
_LITERAL: Final = re.compile(
    r"[ \t]*(?:([+-]?[0-9]{1,500})(?:/([0-9]{1,500})|\.([0-9]{0,130}))?"
    r"|([+-]?[0-9]{1,500})(?:\.([0-9]{0,130}))?[eE]([+-]?[0-9]{1,3}))[ \t]*"
).fullmatch
_TENS: Final[tuple[int, ...]] = tuple(10**k for k in range(131))  # one per length of a tail


def parse_literal(text: str) -> Fraction | None:
    """Read ``-3``, ``0.1``, ``1e-3`` or ``2/3`` fast; ``None`` for anything else, right or wrong."""
    return _known(text) if len(text) < 5 else _read(text)


def _read(text: str) -> Fraction | None:
    match = _LITERAL(text)
    if match is None:
        return None
    form = match.lastindex
    if form == 1:
        return Fraction(int(match[1]))
    if form == 3:
        tail = match[3]
        return Fraction(int(match[1] + tail), _TENS[len(tail)])
    if form == 2:
        bottom = int(match[2])
        return Fraction(int(match[1]), bottom) if bottom else None
    tail = match[5] or ""
    scale = int(match[6]) - len(tail)
    number = int(match[4] + tail)
    return Fraction(number, _power_of_ten(-scale)) if scale < 0 else Fraction(number * _power_of_ten(scale))


# Rewards, masks and step counts repeat a few short literals; fractions can be shared, as they never change.
_known: Final = lru_cache(maxsize=4096)(_read)


def _power_of_ten(exponent: int) -> int:
    return _TENS[exponent] if exponent < len(_TENS) else int(10**exponent)


def parse_number(text: str, *, name: str = "", symbols: bool = True) -> Exact:
    """Read an exact number: ``0.1`` is 1/10, ``exp(-1)`` stays exp(-1), a letter is a symbol.

    Args:
        text: what was typed.
        name: the parameter that it was typed for, repeated in messages.
        symbols: whether letters may stand for unknowns.

    Returns:
        A ``Fraction`` for every rational value, a SymPy expression otherwise.

    Raises:
        InputError: ``number_empty``, ``number_syntax``, ``number_too_long``,
            ``number_too_deep``, ``number_too_large``, ``division_by_zero``,
            ``number_not_finite``, ``number_not_real``, ``number_not_ascii``
            or ``symbol_not_allowed``.
        UnknownName: ``unknown_name``; an ``InputError`` too.
    """
    literal = parse_literal(text)
    if literal is not None:
        return literal
    from rlcalc.exact.grammar import Parser  # most numbers never need it

    try:
        return Parser(text, symbols).parse()
    except Refusal as refusal:
        subject = f"{name} = {shown(text)}" if name else shown(text)
        kind = UnknownName if refusal.code == "unknown_name" else InputError
        raise kind(refusal.code, f"{subject}: {refusal.message}.", refusal.hint) from None
