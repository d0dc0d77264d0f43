"""What the failures of a run have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlcalc.conform.outcome import Judgement
from rlcalc.conform.probes import steps_of
from rlcalc.conform.target.base import one_per_step
from rlcalc.conform.vectors import Vector


def in_common(judgements: Sequence[Judgement]) -> str:
    """The one thing that all failures use and nothing that passed does, in a sentence; empty without one."""
    ran = [j for j in judgements if j.status != "skipped"]
    failed = [j for j in ran if j.failed]
    passed = [j for j in ran if not j.failed]
    if not failed or not passed:
        return ""
    for words, uses in _USES.items():
        if all(uses(j.vector) for j in failed) and not any(uses(j.vector) for j in passed):
            count = len({j.vector.id for j in passed})
            return f"All {count} vectors without {words} pass; all that fail have {words}."
    return ""


def _flagged(vector: Vector, name: str, before_last: bool) -> bool:
    flags = vector.arrays.get(name)
    if flags is None or not getattr(flags, "ndim", 0):
        return False
    return bool(flags[..., :-1].any() if before_last else flags.any())


_USES: dict[str, Callable[[Vector], bool]] = {
    "batches": lambda v: bool(v.rows),
    "discounts per step": lambda v: one_per_step(v, "gamma") if "gamma" in v.arrays else False,
    "an episode that ends before the last step": lambda v: any(
        _flagged(v, name, True) for name in ("terminated", "truncated")
    ),
    "truncation": lambda v: _flagged(v, "truncated", False),
    "terminations": lambda v: _flagged(v, "terminated", False),
    "next values": lambda v: v.arrays.get("next_values") is not None and "next_values" in v.given,
    "sequences of one step": lambda v: steps_of(v) == 1,
}
