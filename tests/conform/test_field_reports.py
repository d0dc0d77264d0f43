"""Public reports: the functions written after them have the reporter's fault, and are told so."""

from __future__ import annotations

import numpy as np
import pytest

from rlcalc.conform.faults import catalogue
from rlcalc.conform.vectors import reference
from rlcalc.evaluation import checked
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import load_formula

from . import field_reports_control, field_reports_tokens  # noqa: F401  registers its reports
from .field_reports import PRINTED, REPORTS, Printed, Report, numbers, said

by_id = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.id)


@by_id
def test_a_function_gives_the_number_of_its_report(report: Report) -> None:
    with np.errstate(all="ignore"):
        found = np.asarray(report.function(**report.arguments()))
    wanted = numbers(report.wrong)
    assert found.shape == wanted.shape
    # some add an ε to a deviation
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("printed", PRINTED, ids=lambda printed: printed.id)
def test_a_printed_number_is_settled(printed: Printed) -> None:
    assert printed.settled() == printed.right != printed.wrong


@by_id
def test_a_report_is_a_source_of_its_fault(report: Report) -> None:
    named = [fault for fault in catalogue(report.formula).faults if fault.name in report.names]
    if named and "#" in report.place:
        assert any(report.place in source for fault in named for source in fault.reported_in)


# a sign under a convention that computes its own answer
UNNAMED = {"marin-1708"}


@by_id
@pytest.mark.slow
def test_a_report_is_named(report: Report) -> None:
    found = said(report)
    assert found.named or report.id in UNNAMED, found.words
    assert found.caught == bool(report.names)


def test_a_ratio_that_is_applied_twice_gives_the_number_of_its_report() -> None:
    # SlopDotCash/asi PR #487: one feature, ratios 2 and 3, errors 1 and 1: 14 for 2·1 + 3·(2·1 + 1) = 11
    given = {"states": ["s", "s"], "rewards": ["1", "1"], "values": ["0"], "ratios": ["2", "3"]}
    given |= {"gamma": "1", "lam": "1", "alpha": "1"}
    inputs = checked(load_formula("traces"), given)
    arrays = from_exact(inputs, "numpy")
    (fault,) = [fault for fault in catalogue("traces").faults if fault.name == "ratio-applied-twice"]
    right = reference(inputs.formula)
    assert right(**arrays)["new_values"].tolist() == [11]
    assert fault.around(right)(**arrays)["new_values"].tolist() == [14]
