"""Whether exact values lie in the domain that the specification declares."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError
from rlcalc.exact import compare, is_symbolic, symbols_of, to_text
from rlcalc.inputs.read import flat
from rlcalc.specs import Parameter
from rlcalc.spelling import spelled, worded


def check_domain(parameter: Parameter, value: Any, notes: list[str]) -> None:
    """Refuse what lies outside the domain; note what symbols leave open, and cautions.

    Raises:
        InputError: ``..._out_of_range`` or ``..._not_a_distribution``.
    """
    if parameter.kind not in ("number", "integer", "count"):
        return
    interval = parameter.domain
    if interval.low is None and interval.high is None and not parameter.distribution:
        return
    for entry in flat(value):
        if isinstance(entry, str) or entry == math.inf:
            continue
        entry = Fraction(entry) if isinstance(entry, int) else entry
        inside = within(entry, parameter)
        if inside is None:
            free = ", ".join(sorted(symbols_of(entry)))
            notes.append(f"{to_text(entry)} is taken to be {interval.words()} ({free} is a symbol).")
        elif not inside and not parameter.distribution:
            raise InputError(
                f"{parameter.name.rstrip('_')}_out_of_range",
                f"{spelled(parameter.name)} must be {interval.words()}, not {_brief(entry)}.",
                worded(parameter.help),
            )
        elif not inside:
            raise not_a_distribution(parameter, f"{_brief(entry)} is not a probability")
        if parameter.caution is not None and compare(entry, parameter.caution.above) == 1:
            notes.append(parameter.caution.note)
    if parameter.distribution and not isinstance(value, str):
        _check_sums(parameter, value)


def within(entry: Any, parameter: Parameter) -> bool | None:
    """Whether an exact number lies in the domain; ``None`` if a symbol hides it."""
    interval = parameter.domain
    for bound, closed, outside in (
        (interval.low, interval.low_closed, -1),
        (interval.high, interval.high_closed, 1),
    ):
        if bound is None:
            continue
        side = compare(entry, bound)
        if side is None:
            return None
        if side == outside or (side == 0 and not closed):
            return False
    return True


def _check_sums(parameter: Parameter, value: Any) -> None:
    rows = value if len(parameter.shape) == 2 else [value]
    for row in rows:
        if any(is_symbolic(entry) for entry in row):
            continue
        total = sum(row, start=Fraction(0))
        if compare(total, Fraction(1)) != 0:
            raise not_a_distribution(parameter, f"they sum to {_brief(total)}")


def not_a_distribution(parameter: Parameter, why: str) -> InputError:
    return InputError(
        f"{parameter.name.rstrip('_')}_not_a_distribution",
        f"{spelled(parameter.name)} must be probabilities that sum to 1; {why}.",
        "Write fractions such as 1/3 where decimals do not add up exactly.",
    )


def _brief(value: Any) -> str:
    text = to_text(value) if not isinstance(value, int) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
