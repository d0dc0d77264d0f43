"""The helper that says a faulty function as a right one with other words."""

from __future__ import annotations

import inspect

import pytest

from .altered import altered


def doubled(x):
    """Twice as much, or more."""
    return x * 2 + 0


def test_the_source_is_changed_with_the_function_and_says_nothing_of_the_right_one() -> None:
    found = altered(doubled, {"* 2": "* 3"})
    assert (found(5), doubled(5)) == (15, 10)
    assert inspect.getsource(found) == "def doubled(x):\n    return x * 3 + 0\n"
    assert found.__doc__ is None


@pytest.mark.parametrize("old", ["y", "x"])
def test_what_does_not_stand_there_once_is_refused(old: str) -> None:
    with pytest.raises(ValueError, match=f"doubled has '{old}' [02] times"):
        altered(doubled, {old: "z"})
