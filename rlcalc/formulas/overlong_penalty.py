"""Soft punishment of answers that are nearly too long, added to their score.

    e = L − (L_max − B),   penalty = −f · min(e, B)/B for e > 0, else 0;

without a floor −f · e/B.

Source: Yu et al., arXiv:2503.14476, equation 13.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, term


def check(i: Inputs) -> None:
    _fits(i.buffer, i.max_length)


def check_arrays(a: Arrays) -> None:
    found = a.look("buffer", "max_length")
    if found is not None:
        _fits(int(found[0]), int(found[1]))


def _fits(buffer: int, longest: int) -> None:
    if buffer > longest:
        raise InputError(
            "buffer_out_of_range",
            f"{spelled('buffer')} must be at most {spelled('max_length')}, {longest}, not {buffer}.",
            "With a longer one every answer would be punished, the empty one too.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    buffer, longest, factor = d.given("B", i.buffer), d.given("M", i.max_length), d.given("f", i.factor)
    penalties = []
    for k, length in enumerate(i.lengths, start=1):
        excess = d.step(Name("e", str(k)), d.given(Name("L", str(k)), length) - (longest - buffer))
        over = excess.value
        if over <= 0:
            found = term(0)
        elif i.floor and over >= i.buffer:
            found = -factor
        else:
            found = -factor * excess / buffer
        penalties.append(d.step(Name("p", str(k)), found))
    d.output("penalty", penalties)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Penalties of lengths [..., N]."""
    factor = xp.asarray(a.factor)
    excess = a.lengths - (a.max_length - a.buffer)
    excess = xp.where(excess > 0, excess, xp.zeros_like(excess))
    below = (excess < a.buffer) | (xp.asarray(a.floor) == 0)
    excess = xp.where(below, excess, xp.zeros_like(excess) + a.buffer)
    share = xp.cast(excess, factor.dtype) / xp.cast(xp.asarray(a.buffer), factor.dtype)
    return {"penalty": 0 - factor * share}
