"""The transitions of a large process, one by one, in the place of a dense P."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np


class Sparse:
    """P(s'|s,a) with its non-zero entries alone, by pair s·A + a.

    ``p @ values`` is Σ_{s'} P(s'|s,a) V(s') as [S, A], as it is of the dense array.
    """

    def __init__(self, shape: tuple[int, int], pair: Any, target: Any, chance: Any) -> None:
        self.shape = (*shape, shape[0])
        self.pair, self.target, self.chance = pair, target, chance

    @property
    def dtype(self) -> Any:
        return self.chance.dtype

    def astype(self, dtype: Any) -> Sparse:
        states, actions, _ = self.shape
        return Sparse((states, actions), self.pair, self.target, self.chance.astype(dtype))

    def __getitem__(self, state: int) -> Any:
        """P(s'|s,a) of one state as [A, S']; pairs are in order."""
        states, actions, _ = self.shape
        found = np.zeros((actions, states), self.dtype)
        low, high = np.searchsorted(self.pair, (state * actions, (state + 1) * actions))
        np.add.at(
            found, (self.pair[low:high] - state * actions, self.target[low:high]), self.chance[low:high]
        )
        return found

    def __matmul__(self, values: Any) -> Any:
        states, actions, _ = self.shape
        found = np.bincount(self.pair, self.chance * values[self.target], states * actions)
        return found.reshape(states, actions).astype(self.dtype, copy=False)

    def under(self, weights: Any) -> Sparse:
        """P_π(s'|s) as [S, 1, S'], for the weights π(a|s) [S, A] of a policy."""
        states, actions, _ = self.shape
        state = self.pair // actions
        return Sparse((states, 1), state, self.target, self.chance * weights.reshape(-1)[self.pair])
