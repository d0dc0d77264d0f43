"""How pytest shows a failing suite: three lines a vector, and the known fault once at the end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from rlcalc.errors import ConformanceError

# under this name a report carries what is printed at the end, also from one process to another
PROPERTY = "rlcalc"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    """A failing vector is its message, without a traceback through a module that is not the user's."""
    report = yield
    error = getattr(call.excinfo, "value", None)
    if isinstance(error, ConformanceError):
        report.longrepr = str(error)
        report.user_properties.append((PROPERTY, error.summary))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which known fault it is, once a function."""
    failed = terminalreporter.stats.get("failed", [])
    found = [text for report in failed for name, text in report.user_properties if name == PROPERTY]
    for text in dict.fromkeys(found):
        terminalreporter.section("rlcalc conform", sep="-")
        terminalreporter.write_line(text)
