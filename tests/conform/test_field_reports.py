"""Public reports: the functions written after them have the reporter's fault, and are told so."""

from __future__ import annotations

import numpy as np
import pytest

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


# a sign under a convention that computes its own answer
UNNAMED = {"marin-1708"}


@by_id
@pytest.mark.slow
def test_a_report_is_named(report: Report) -> None:
    found = said(report)
    assert found.named or report.id in UNNAMED, found.words
    assert found.caught == bool(report.names)
