"""How the tests are shared out among processes."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Neighbours stay together, so that what a module computes once is not computed in every process.

    ``-n 2`` alone deals tests out like cards.
    """
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "worksteal"
