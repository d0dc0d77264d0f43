"""The audit is run once for all tests that read its outcomes."""

from __future__ import annotations

import pytest

from rlcalc.audit.claims import load_claims
from rlcalc.audit.outcome import Outcome
from rlcalc.audit.runner import audit


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    """Every claim with its altered statements, by id."""
    return {one.id: one for one in audit(list(load_claims().values()), corrupt=True)}
