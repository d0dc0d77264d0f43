"""A policy loss without its minus: what is called a loss, and answers the objective.

By its numbers such a function is right, as the objective that a textbook
maximises. An optimiser minimises what is called a loss, so by its name it is
wrong, unless its caller puts the minus before it and says so.
"""

from __future__ import annotations

from dataclasses import replace

from rlcalc.conform.beside import is_loss
from rlcalc.conform.binding.words.titles import OF_LAYERS
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.diagnose import Diagnosis, Match
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.faults._by_trying import loss_with_the_sign_of_an_objective

# the convention under which a function of any name answers the objective
OBJECTIVE = "objective"


def with_sign(report: ConformReport) -> ConformReport:
    """The report on a policy loss; one that is an objective has that bug, unless it was declared."""
    way = next((c for c in catalogue(report.formula).excuses if c.name == OBJECTIVE), None)
    declared = OBJECTIVE in {c.name for c in report.conventions}
    if way is None or declared or not report.verdict.startswith("conforms"):
        return report
    if is_loss(report) or not _called_a_loss(report):
        return report
    report.spared, report.right_under = way, report.conventions
    return as_bug(report, loss_with_the_sign_of_an_objective)


def as_bug(report: ConformReport, fault: Fault) -> ConformReport:
    """The report on a function that has this bug, though its numbers are right."""
    shown = tuple(dict.fromkeys(j.vector.id for j in report.judgements if j.status == "passed"))
    match = Match((replace(fault, formula=report.formula),), report.conventions, shown, len(shown))
    report.diagnosis = Diagnosis((match,))
    report.verdict, report.conventions = "nonconforming", ()
    return report


def _called_a_loss(report: ConformReport) -> bool:
    """Whether a function of Python says by its name that it is to be minimised."""
    if report.asked is None or report.asked.facts is None:
        return False
    owner, _, name = report.target.rpartition(":")[2].rpartition(".")
    if report.binding is None and name == report.formula:
        return False  # called as the formula itself, by the formula's own names
    words = (owner.rpartition(".")[2] if name in OF_LAYERS else name).lower()
    return "loss" in words and not any(word in words for word in ("objective", "surrogate", "surr_"))
