"""Terms that stand beside a policy loss with weights of its own, by what they change where it does not.

A function that is given logits is asked twice with the same log-probabilities
of the actions taken, and with two entropies: what differs is the entropy's
weight. A loss subtracts it, an objective adds it. What is the same for
advantages of either sign is a loss of values, which a loss adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.beside import is_loss
from rlcalc.conform.binding.bound import BoundTarget, sheet
from rlcalc.conform.binding.families.base import Unfit
from rlcalc.conform.binding.families.family import laid_out
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import roles_of
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.objectives import as_bug
from rlcalc.conform.target.policies import ENTROPY_WEIGHT, LESS_ENTROPY, ODD, is_policy, parts_of, place_of
from rlcalc.conform.target.syntax import last_name

# a weight below this is rounding
SMALLEST = 1e-7
# what is nothing to a clip, and 0 where it is judged
_ASIDE = ("observations", "no_values")
# whose table of names says what weighs an entropy
_TRAINERS = "policy_clip"


def with_entropy(report: ConformReport) -> ConformReport:
    """The report on a policy loss, with what stands beside it; a term with the wrong sign is its bug."""
    binding, asked = report.binding, report.asked
    if binding is None or not isinstance(asked, BoundTarget) or not report.verdict.startswith("conforms"):
        return report
    place = next((p for p in binding.inputs if is_policy(p) and "mean" not in parts_of(p)[0]), "")
    if not place:
        return _given(report, asked, binding)
    weighed = next((p for p in binding.inputs if "no_entropy_term" in roles_of(last_name(p), _TRAINERS)), "")
    live = _live(binding, place, weighed)
    sign = 1 if is_loss(report) else -1
    found = _weight(asked, live)
    within = "" if weighed else f", whose weight {abs(found or 0):g} is its own,"
    if found is None or abs(found) < SMALLEST:
        report.not_tested += ["the entropy"] * bool(weighed)
    elif sign * found < 0:
        return _turned(report, f"the entropy{within}", _bug("entropy-sign"))
    else:
        report.notes.append(f"the entropy{within} has the sign of a bonus")
    squares = _even(asked, live) if ODD in parts_of(place)[1] else _of_values(asked, live)
    return _with_squares(report, squares, sign)


def _given(report: ConformReport, asked: BoundTarget, binding: Binding) -> ConformReport:
    """The report on a loss that is given an entropy and values, whose weights are in its body."""
    sign = 1 if is_loss(report) else -1
    for path in binding.places_of(*_ASIDE):
        if "entrop" not in last_name(path) or "loss" in last_name(path):
            continue
        moved = _moved(asked, binding, path)
        if moved is None or abs(moved) < SMALLEST:
            continue
        within = f"the entropy ({path}), whose weight {abs(moved):g} is its own,"
        if sign * moved > 0:
            return _turned(report, within, _bug("entropy-sign"))
        report.notes.append(f"{within} has the sign of a bonus")
    return _with_squares(report, _of_values(asked, binding), sign)


def _with_squares(report: ConformReport, squares: float | None, sign: int) -> ConformReport:
    """The report with what is known of a loss of values, whose error adds so much."""
    if squares is None or abs(squares) < SMALLEST:
        return report
    if sign * squares < 0:
        return _turned(report, "the loss of values", _bug("critic-sign"))
    report.notes.append("a loss of values is left out, which grows with their error")
    return report


def _moved(asked: BoundTarget, binding: Binding, path: str) -> float | None:
    """What an answer changes by where all of one place is raised by 1."""
    given, place = asked.family.probes(binding)[0], next(iter(binding.outputs.values()), "")
    usual, moved = (_told(asked, binding, given, place, some) for some in ((), [path]))
    return None if usual is None or moved is None else moved - usual


def _bug(name: str) -> Fault:
    """One of a sum of such terms."""
    return next(fault for fault in catalogue("ppo_loss").faults if fault.name == name)


def _turned(report: ConformReport, what: str, fault: Fault) -> ConformReport:
    """The report on a term with the wrong sign."""
    report.notes.insert(
        0, f"but for the sign of one term it conforms to {report.formula}; this is about {what} alone"
    )
    report.part = what.partition(",")[0]
    return as_bug(report, fault)


def _live(binding: Binding, place: str, weighed: str) -> Binding:
    """The binding under which the entropy counts, and is told from the rest."""
    parts, flags = parts_of(place)
    other = place_of(parts, *sorted({*flags, LESS_ENTROPY}))
    inputs = {other if path == place else path: role for path, role in binding.inputs.items()}
    return replace(binding, inputs=inputs | ({weighed: "number:1"} if weighed else {}))


def _weight(asked: BoundTarget, binding: Binding) -> float | None:
    """What the entropy is subtracted with; ``None`` where nothing came back."""
    return _told(asked, binding, asked.family.probes(binding)[0], ENTROPY_WEIGHT)


def _even(asked: BoundTarget, binding: Binding) -> float | None:
    """What is the same for advantages of either sign, but for the entropy."""
    given, place = asked.family.probes(binding)[0], next(iter(binding.outputs.values()), "")
    turned = {**given, "advantages": -given["advantages"]}
    one, two = (_told(asked, binding, some, place) for some in (given, turned))
    return None if one is None or two is None else (one + two) / 2


def _of_values(asked: BoundTarget, binding: Binding) -> float | None:
    """How much is added where values that are nothing to a clip are away from their returns."""
    aside = binding.places_of(*_ASIDE)
    meant = {path: roles_of(last_name(path), "critic_loss")[:1] for path in aside}
    values = [path for path, roles in meant.items() if roles == ("values",)]
    targets = {"returns", "rewards"} & {role for path in aside for role in (last_name(path), *meant[path])}
    return _moved(asked, binding, values[0]) if values and targets else None


def _told(
    asked: BoundTarget, binding: Binding, given: Mapping[str, Any], place: str, raised: Sequence[str] = ()
) -> float | None:
    """The mean of one part of an answer, with the values of some places raised by 1."""
    try:
        values = laid_out(asked.family, binding, given)
    except Unfit:
        return None
    values |= {path: values[path] + 1 for path in raised}
    part = asked.inner.lay_out(values, sheet(asked.inner, binding)).parts.get(place)
    if part is None or part.array is None or not np.isfinite(part.array).all():
        return None
    return float(np.mean(part.array))
