"""Sums over groups of answers: of any sizes, in any order, in the time of a sort.

A table of who is in whose group would be quadratic in the batch, which holds
thousands of answers. So groups are brought together by sorting, each is known
by the place of its first member there, and sums go to that place and back.
Where all are as large and lie one after the other, as samplers hand them on,
they are the rows of a table as they stand.
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
        self._xp = xp
        self._size = _size_in_order(xp.look(groups))
        if self._size:
            return
        order = xp.order(groups)
        sorted_ = xp.take(groups, order)
        places = xp.indices(groups.shape[-1], like) + 0 * groups
        fresh = sorted_[..., 1:] != sorted_[..., :-1]
        starts = xp.where(fresh, places[..., 1:], 0 * places[..., 1:])
        starts = xp.running_max(xp.concatenate([0 * places[..., :1], starts], -1))
        self._index = xp.put_into(xp.zeros_like(places), order, starts)
        self._first = xp.take(order, self._index)

    def apart(self, values: Any) -> Any:
        """Values [..., N] as all other methods take them: [..., groups, size] where groups are as large."""
        return values.reshape(*values.shape[:-1], -1, self._size) if self._size else values

    def sums(self, values: Any) -> Any:
        """The sum over the group of each entry: [..., N], or [..., groups, 1]."""
        if self._size:
            return self._xp.sum(values, axis=-1, keepdims=True)
        return self._xp.take(self._xp.pooled(values, self._index), self._index)

    def counts(self, values: Any) -> Any:
        """How many the group of each entry has, in the dtype of the values: as ``sums``, or one number."""
        if self._size:
            return self._xp.new_zeros(values, ()) + self._size
        return self.sums(self._xp.ones_like(values))

    def means(self, values: Any, count: Any) -> Any:
        """Mean of the group of each entry, good to the last digits where values are far from 0."""
        mean = self.sums(values) / count
        return mean + self.sums(values - mean) / count

    def constant(self, values: Any) -> Any:
        """Whether all values of a group are equal, told by comparing them: rounding has no say."""
        if self._size:
            largest = self._xp.amax(values, axis=-1, keepdims=True)
            return largest == self._xp.amin(values, axis=-1, keepdims=True)
        differ = self._xp.cast(values != self._xp.take(values, self._first), values.dtype)
        return self.sums(differ) == 0


def _size_in_order(groups: Any) -> int:
    """Of groups that are as large and lie one after the other, by rising numbers, the size; else 0."""
    if groups is None or not groups.size:
        return 0
    rows = groups.reshape(-1, groups.shape[-1])
    first = rows[0]
    size = int((first != first[0]).argmax()) or len(first)
    if len(first) % size:
        return 0
    names = rows[:, ::size]
    rising = names.shape[1] == 1 or (names[:, 1:] > names[:, :-1]).all()
    return size if rising and (rows.reshape(len(rows), -1, size) == names[..., None]).all() else 0
