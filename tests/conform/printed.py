"""Tests that a report prints, run as a reader of the report would."""

from __future__ import annotations

import sys
from typing import Any

import pytest


def passes(text: str) -> bool:
    """Whether the one test of a printed module passes; what it imports is forgotten again."""
    path, modules = list(sys.path), dict(sys.modules)
    space: dict[str, Any] = {}
    try:
        exec(compile(text, "printed", "exec"), space)
        (test,) = (value for name, value in space.items() if name.startswith("test_"))
        test()
    except (Exception, pytest.fail.Exception):
        return False
    finally:
        sys.path[:] = path
        for name in sys.modules.keys() - modules.keys():
            if name in ("under_test", "targets", "mdp_targets", "losses"):
                del sys.modules[name]
    return True
