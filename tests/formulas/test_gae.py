"""GAE against sums of TD errors, and the faults that published implementations had."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import rlcalc


def test_exact_reaches_its_limit_and_says_so_beyond() -> None:
    rewards = ["1"] * 128
    found = rlcalc.evaluate("gae", {"rewards": rewards, "gamma": 1, "lam": "1/2"})
    assert found.results["advantages"].exact[0] == 2 - Fraction(1, 2**127)
    beyond = rlcalc.evaluate("gae", {"rewards": ["1"] * 129, "gamma": 1, "lam": "1/2"})
    assert beyond.derivation is None
    assert any("skipped" in note for note in beyond.notes)
    assert beyond.results["advantages"].numpy[0] == pytest.approx(2)


def test_another_value_for_the_same_state_is_told() -> None:
    def told(next_values: list[int], **flags: Any) -> list[str]:
        notes = rlcalc.derive(
            "gae", rewards=[1, 2, 3], values=[5, 6, 7, 8], next_values=next_values, **flags
        ).notes
        assert all("another value for S_" in note for note in notes)
        return [note.split()[1] for note in notes]

    assert told([6, 7, 8]) == []
    assert told([6, 7, 0]) == []  # nothing follows the last step
    assert told([6, 0, 8]) == ["1"]
    assert told([0, 0, 8]) == ["0", "1"]
    assert told([6, 0, 8], truncated=[0, 1, 0]) == []
    assert told([6, 0, 8], terminated=[0, 1, 0]) == []
