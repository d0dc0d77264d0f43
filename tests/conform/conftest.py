"""The project below is a user's; a test copies it elsewhere and runs it there."""

from __future__ import annotations

import pytest

collect_ignore = ["project"]


@pytest.fixture
def verdict_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No known bug is looked for: a wrong function that has none is compared with thousands, for seconds."""
    monkeypatch.setattr("rlcalc.conform.runner.NAMING", 0.0)
