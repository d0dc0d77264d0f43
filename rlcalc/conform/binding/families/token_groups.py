"""Answers by the prompt that they belong to, as tables and sizes of groups say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Unfit


@dataclass(frozen=True)
class Groups:
    """Where the answers of each group stand.

    Attributes:
        names: of the group of every answer; ``None`` where nothing says it.
    """

    names: Sequence[Any] | None

    @cached_property
    def members(self) -> list[list[int]]:
        if self.names is None:
            raise Unfit("answers of no groups")
        return [[k for k, name in enumerate(self.names) if name == one] for one in dict.fromkeys(self.names)]

    @cached_property
    def tables(self) -> tuple[int, int]:
        """Groups and answers a group; raises ``Unfit`` where these are not alike."""
        sizes = {len(group) for group in self.members}
        if len(sizes) > 1:
            raise Unfit("groups of one size only")
        return len(self.members), sizes.pop()

    @property
    def order(self) -> Any:
        """The answers of one group after those of another; raises ``Unfit`` where they do not stand so."""
        places = [k for group in self.members for k in group]
        if places != sorted(places):
            raise Unfit("groups one after the other only")
        return np.asarray(places)

    @property
    def size(self) -> int:
        """Answers a group, of groups that stand one after the other."""
        assert self.order is not None
        return self.tables[1]
