"""Many rows in one test: all of them run, and the message names those that fail."""

from __future__ import annotations

import inspect

import pytest

from tests.sweep import in_one


def test_every_row_runs_and_a_failure_names_its_row() -> None:
    ran = []

    @in_one("row", ["a", "b", "c"])
    def check(row: str, bad: str) -> None:
        ran.append(row)
        assert row not in bad

    assert list(inspect.signature(check).parameters) == ["bad"]
    check(bad="")
    with pytest.raises(AssertionError) as one:
        check(bad="b")
    assert one.value.__notes__ == ["row = 'b'"]
    with pytest.raises(BaseExceptionGroup, match="2 of 3 rows") as two:
        check(bad="ac")
    assert [error.__notes__ for error in two.value.exceptions] == [["row = 'a'"], ["row = 'c'"]]
    assert "".join(ran) == "abc" * 3


def test_what_does_not_raise_names_its_row_as_well() -> None:
    @in_one("row", [1])
    def check(row: int) -> None:
        with pytest.raises(ValueError, match="x"):
            pass

    with pytest.raises(pytest.fail.Exception) as one:
        check()
    assert one.value.__notes__ == ["row = 1"]


def test_a_sweep_over_nothing_is_no_check() -> None:
    with pytest.raises(AssertionError, match="nothing"):
        in_one("row", [])
