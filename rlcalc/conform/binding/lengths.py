"""Whether a reading hands over as many values and flags as the object of a method has room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rlcalc.conform.binding.families.sequence import lasts
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.facts import Facts


def having_room(readings: Iterable[Binding], facts: Facts) -> Iterator[Binding]:
    """Those of some readings for which there is room."""
    return (binding for binding in readings if has_room(binding, facts))


def has_room(binding: Binding, facts: Facts) -> bool:
    """False where the class makes an array of another length than the reading has it.

    Only arrays beside rewards of a known length are looked at; a class that says nothing has room for all.
    """
    rewards = next((facts.sizes.get(path) for path in binding.places_of("rewards")), None)
    if not rewards or rewards.endswith("+ 1"):
        return True
    return all(
        _fits(binding, role, "T" if facts.sizes[path] == rewards else "T+1")
        for path, role in binding.inputs.items()
        if facts.sizes.get(path) in (rewards, f"{rewards} + 1")
    )


def _fits(binding: Binding, role: str, length: str) -> bool:
    if role == "values":
        return binding.values == length
    if role in ("done", "mask"):
        # of observations there is one more, unless what follows the last step has a place of its own
        more = binding.ends == "observation" and binding.values == "T+1" and not lasts(binding)
        return more == (length == "T+1")
    return True
