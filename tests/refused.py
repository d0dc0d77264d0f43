"""What is refused, and with which code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rlcalc.errors import RlcalcError


@contextmanager
def refused(
    kind: type[RlcalcError], code: str, match: str | None = None
) -> Iterator[pytest.ExceptionInfo[Any]]:
    """As ``pytest.raises`` of an error of ours, whose code is looked at as well."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert caught.value.code == code
