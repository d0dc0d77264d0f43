"""Whether the term of the policy in a loss reaches the critic: an advantage is a weight, and has no gradient.

Where values and returns are the same, every loss of values is at its least
and the advantages are 0, so that the values have no gradient. One that is
left there comes from a policy's term in which the values were not detached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.bound import BoundTarget, sheet
from rlcalc.conform.binding.families.base import Unfit
from rlcalc.conform.binding.families.family import laid_out
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.entropies import SMALLEST
from rlcalc.conform.faults._by_trying import advantage_not_detached
from rlcalc.conform.objectives import as_bug
from rlcalc.conform.target.sheet import SLOPE

ADVANTAGES = ("advantages", "adv")
_NAME = "the critic"


def with_detached(report: ConformReport) -> ConformReport:
    """The report on a policy loss in Torch; one whose advantages carry a gradient to its critic.

    Without a loss of values in it the caller may have detached them: that is said, and no more.
    """
    binding, asked = report.binding, report.asked
    if binding is None or not isinstance(asked, BoundTarget) or not report.verdict.startswith("conforms"):
        return report
    values = [path for path in binding.places_of("no_values") if path.isidentifier()]
    names = [name for name in ADVANTAGES if name in binding.roles]
    if binding.backend != "torch" or not values or not names or not binding.outputs:
        return report
    given = asked.family.probes(binding)[0]
    try:
        laid = laid_out(asked.family, binding, {**given, **{name: 0 * given[name] for name in names}})
    except Unfit:
        return report
    for path in values:
        here, there = (_slope(asked, binding, {**laid, path: laid[path] + by}, path) for by in (0, 1))
        if here is None or there is None or np.abs(here).max(initial=0) < SMALLEST:
            continue
        if np.allclose(here, there):
            report.notes.append(f"{path} has a gradient in it: whoever calls it detaches them first")
            continue
        report.notes.insert(
            0, f"its value conforms to {report.formula}; this is about its gradient by {path}"
        )
        return as_bug(report, advantage_not_detached)
    return report


def _slope(asked: BoundTarget, binding: Binding, laid: Mapping[str, Any], path: str) -> Any:
    """The gradient of the answer by one place; ``None`` where there is none."""
    place = next(iter(binding.outputs.values()))
    slopes = [[_NAME, place, path, "" if place else "alone"]]
    reply = asked.inner.lay_out(dict(laid), {**sheet(asked.inner, binding), "slopes": slopes})
    part = reply.parts.get(SLOPE + _NAME)
    return None if part is None else part.array
