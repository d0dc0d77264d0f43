"""The audit is run once for all tests that read its outcomes."""

from __future__ import annotations

import pytest

from rlcalc.audit.audited import Audited
from rlcalc.audit.claims import load_claims
from rlcalc.audit.runner import audit


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Audited]:
    """Every claim with its altered statements, by id."""
    return {one.id: one for one in audit(list(load_claims().values()), corrupt=True)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever reads the outcomes waits for the whole audit."""
    for item in items:
        if "outcomes" in getattr(item, "fixturenames", ()) and "tests/audit" in item.path.as_posix():
            item.add_marker(pytest.mark.slow)
