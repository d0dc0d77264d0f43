"""Sums over groups of answers: of any sizes, in any order, in the time of a sort.

A table of who is in whose group would be quadratic in the batch, which holds
thousands of answers. So groups are brought together by sorting, each is known
by the place of its first member there, and sums go to that place and back.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend


class Groups:
    """Who belongs together along the last axis.

    Args:
        xp: library of the arrays.
        groups: integers [..., N]; equal ones are one group.
        like: an array whose leading axes, dtype and device the sums have.
    """

    def __init__(self, xp: Backend, groups: Any, like: Any) -> None:
        groups, _ = xp.broadcast_arrays(xp.placed(groups, like), like)
        order = xp.order(groups)
        sorted_ = xp.take(groups, order)
        places = xp.indices(groups.shape[-1], like) + 0 * groups
        fresh = sorted_[..., 1:] != sorted_[..., :-1]
        starts = xp.where(fresh, places[..., 1:], 0 * places[..., 1:])
        starts = xp.running_max(xp.concatenate([0 * places[..., :1], starts], -1))
        self._xp = xp
        self._index = xp.put_into(xp.zeros_like(places), order, starts)
        self._first = xp.take(order, self._index)

    def sums(self, values: Any) -> Any:
        """The sum over the group of each entry: [..., N]."""
        return self._xp.take(self._xp.pooled(values, self._index), self._index)

    def counts(self, values: Any) -> Any:
        return self.sums(self._xp.ones_like(values))

    def means(self, values: Any) -> Any:
        """Mean of the group of each entry, good to the last digits where values are far from 0."""
        count = self.counts(values)
        mean = self.sums(values) / count
        return mean + self.sums(values - mean) / count

    def constant(self, values: Any) -> Any:
        """Whether all values of a group are equal, told by comparing them: rounding has no say."""
        differ = self._xp.cast(values != self._xp.take(values, self._first), values.dtype)
        return self.sums(differ) == 0
