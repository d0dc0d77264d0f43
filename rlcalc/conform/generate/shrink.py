"""A failing case made as small as it can be.

Hypothesis finds the case; its arrays belong together (one step is one entry
of five of them), which its own shrinking of bytes cannot see. This drops
entries of the batch, optional inputs and whole steps, then makes numbers
plainer, and keeps whatever still fails in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from rlcalc.conform.generate.draft import Draft, cuts
from rlcalc.conform.generate.drawing import KINDS, normalise
from rlcalc.conform.generate.number_pool import below, plainer_distribution
from rlcalc.conform.outcome import Judgement
from rlcalc.specs import Formula, Parameter

ATTEMPTS = 600
# a case that hangs costs its whole time limit, one that crashes the start of a process
ATTEMPTS_HANGING, ATTEMPTS_CRASHING = 4, 20


def attempts_for(failure: Judgement) -> int:
    """How often a failure of this kind is worth being repeated."""
    if failure.status == "hangs":
        return ATTEMPTS_HANGING
    crashed = failure.outcome is not None and failure.outcome.died
    return ATTEMPTS_CRASHING if crashed else ATTEMPTS


def shrink(
    formula: Formula,
    draft: Draft,
    fails: Callable[[Draft], bool],
    attempts: int = ATTEMPTS,
) -> Draft:
    """The smallest draft found that still fails.

    Args:
        draft: one that fails.
        fails: whether another one fails in the same way; refused ones do not.
        attempts: how often to ask at most.
    """
    left = attempts
    progress = True
    while progress and left > 0:
        progress = False
        for candidate in _smaller(formula, draft):
            candidate = normalise(candidate)
            if left <= 0:
                break
            if candidate == draft:
                continue
            left -= 1
            if fails(candidate):
                draft, progress = candidate, True
                break
    return draft


def _smaller(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """Simpler drafts, the greatest steps first."""
    if draft.batch:
        for row in draft.rows:
            yield replace(draft, batch=(), rows=[dict(row)])
        if draft.batch != (1,):
            for row in draft.rows:
                yield replace(draft, batch=(1,), rows=[dict(row)])
        if len(draft.batch) > 1:
            yield replace(draft, batch=(len(draft.rows),))
        elif len(draft.rows) > 2:  # what is wrong with a mean may need two
            for k in range(len(draft.rows)):
                yield replace(
                    draft, batch=(len(draft.rows) - 1,), rows=[*draft.rows[:k], *draft.rows[k + 1 :]]
                )
    own = dict.fromkeys(KINDS[p.kind].smaller for p in formula.parameters if p.kind in KINDS)
    special = [move for move in own if move is not None]
    for move in special:
        yield from move(formula, draft)
    if not special:  # whose lengths belong together otherwise
        yield from _shorter(formula, draft)
    yield from _fewer(formula, draft)
    yield from _plainer(formula, draft)


def _fewer(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """Without an input that may be absent."""
    special = {name for form in formula.forms for name in form.parameters}
    for p in formula.parameters:
        given = any(p.name in table for table in draft.tables)
        if given and not p.required and p.name not in special:
            yield draft.without(p.name)


def _shorter(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """Without some entries along a dimension: a half first, then one by one."""
    for dim, length in _dims(formula, draft).items():
        for cut in cuts(length):
            found = draft
            for p in formula.parameters:
                found = found.mapped(p.name, partial(_cut, p, dim, cut))
            yield found


def _axes(p: Parameter, value: Any) -> tuple[str, ...]:
    """Dimensions of a value, the outermost first; none of a single number."""
    if not isinstance(value, list):
        return ()
    return p.shape or ((p.each,) if p.each else ())


def _dims(formula: Formula, draft: Draft) -> dict[str, int]:
    found: dict[str, int] = {}
    for p in formula.parameters:
        for table in draft.tables:
            value = table.get(p.name)
            for name in _axes(p, value):
                if not isinstance(value, list):
                    break
                base, _, extra = name.partition("+")
                found.setdefault(base, len(value) - int(extra or 0))
                value = value[0] if value else None
    return found


def _cut(p: Parameter, dim: str, cut: range, value: Any) -> Any:
    return _cut_along(_axes(p, value), dim, cut, value, p.distribution)


def _cut_along(axes: Sequence[str], dim: str, cut: range, value: Any, chances: bool) -> Any:
    if not axes or not isinstance(value, list):
        return value
    if axes[0].partition("+")[0] != dim:
        return [_cut_along(axes[1:], dim, cut, part, chances) for part in value]
    kept = [part for k, part in enumerate(value) if k not in cut]
    if chances and kept and len(axes) == 1:
        # what the dropped outcomes had goes to the first
        kept[0] += sum(value[k] for k in cut)
    return kept


def _plainer(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """One number, or all of an input, made plainer."""
    for p in formula.parameters:
        if p.kind not in _NUMBERS:
            continue
        for table in draft.tables:
            value = table.get(p.name)
            if value is None or isinstance(value, str):
                continue
            if p.each and not p.shape and isinstance(value, list):
                yield draft.without(p.name).with_shared(p.name, value[0])
            for other in _plainer_values(p, value):
                yield draft.each_table(partial(_with, table, {p.name: other}))


def _with(chosen: dict[str, Any], changed: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """A table, with other inputs if it is the chosen one."""
    return {**table, **changed} if table is chosen else table


_NUMBERS = ("number", "flag", "integer", "count")


def _plainer_values(p: Parameter, value: Any) -> Iterator[Any]:
    """Plainer values of one input: a scalar, a list, a distribution, or rows of them."""
    if not isinstance(value, list):
        if p.kind in ("integer", "count"):
            low = int(p.domain.low or 0)
            yield from range(low, low + 2 if value == math.inf else int(value))
        else:
            yield from below(value)
    elif p.distribution and not isinstance(value[0], list):
        yield from plainer_distribution(value)
    else:
        if not p.distribution:
            plain = _filled(value, False if p.kind == "flag" else Fraction(0))
            if value != plain:
                yield plain
        for k, part in enumerate(value):
            for other in _plainer_values(p, part):
                yield [*value[:k], other, *value[k + 1 :]]


def _filled(value: Any, plain: Any) -> Any:
    return [_filled(part, plain) for part in value] if isinstance(value, list) else plain
