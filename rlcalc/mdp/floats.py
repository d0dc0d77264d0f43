"""The value of a policy in floating point: directly for small processes, by iteration for large ones."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.mdp.sparse import Sparse

_SWEEPS = 400  # after which a faster method takes over
_MOST_STEPS = 20_000


def evaluated(p: Any, r: Any, discount: Any, actions: Any) -> Any:
    """V of the policy that takes one action in each state [S]."""
    rows = np.arange(len(actions))
    if isinstance(p, Sparse):
        weights = np.zeros(r.shape, r.dtype)
        weights[rows, actions] = 1
        return iterated(p.under(weights), r[rows, actions], discount)
    return np.linalg.solve(np.eye(len(rows), dtype=p.dtype) - discount * p[rows, actions], r[rows, actions])


def iterated(chances: Sparse, right: Any, discount: Any) -> Any:
    """V = R + γ P V: sweeps while they soon end, as they do for a policy that goes straight, then BiCGSTAB.

    Args:
        chances: P_π as [S, 1, S'].
        right: R_π as [S].
    """

    def apply(values: Any) -> Any:
        return discount * (chances @ values)[:, 0]

    values = np.zeros_like(right)
    rounding = 4 * float(np.finfo(right.dtype).eps)
    for _ in range(_SWEEPS):
        old, values = values, right + apply(values)
        if float(np.abs(values - old).max(initial=0)) <= rounding * float(np.abs(values).max(initial=0)):
            return values
    for _ in range(3):  # what one run leaves, the next takes up with a fresh residual
        residual = right + apply(values) - values
        if float(np.abs(residual).max(initial=0)) <= rounding * float(np.abs(values).max(initial=0)):
            break
        values = values + _bicgstab(apply, residual, rounding)
    return values


def _bicgstab(apply: Any, right: Any, rounding: float) -> Any:
    """(I − γP) x = right, by the stabilised method of biconjugate gradients (van der Vorst, 1992)."""
    x = np.zeros_like(right)
    rest, shadow, way = right.copy(), right.copy(), right.copy()
    before = float(shadow @ rest)
    goal = rounding * float(np.linalg.norm(right))
    for _ in range(_MOST_STEPS):
        if before == 0 or float(np.linalg.norm(rest)) <= goal:
            return x
        ahead = way - apply(way)
        below = float(shadow @ ahead)
        if below == 0:
            return x
        alpha = before / below
        half = rest - alpha * ahead
        turned = half - apply(half)
        size = float(turned @ turned)
        omega = float(turned @ half) / size if size else 0.0
        x = x + alpha * way + omega * half
        rest = half - omega * turned
        if omega == 0:
            return x
        now = float(shadow @ rest)
        way = rest + now / before * (alpha / omega) * (way - omega * ahead)
        before = now
    return x


def error_bound(p: Sparse, r: Any, discount: Any, values: Any, backed_up: Any) -> float:
    """How far values can be from a solution of V = T V, for a contraction T: ‖T V − V‖ / (1 − c).

    What rounding adds to a backup is counted in. Infinite where T is no contraction.

    Args:
        backed_up: T V, computed from ``values``.
    """
    live = np.zeros(len(values), p.dtype)
    live[p.pair // p.shape[1]] = 1
    modulus = float(discount * (p @ live).max(initial=0))
    if modulus >= 1:
        return float("inf")
    eps = float(np.finfo(p.dtype).eps)
    most = int(np.bincount(p.pair).max(initial=1)) + 3
    finite = np.where(np.isfinite(r), np.abs(r), 0)
    size = float(finite.max(initial=0)) + 2 * float(np.abs(values).max(initial=0))
    residual = float(np.abs(backed_up - values).max(initial=0))
    return (residual + most * eps * size) / (1 - modulus) * (1 + 4 * eps)


def said_of_error(bound: float) -> str:
    """A note on how exact the values of a large process are."""
    if bound == float("inf"):
        return "Too many states for an exact answer; the equation holds to the last digits of the floats."
    return f"Too many states for an exact answer; every value is certified to within {bound:.1e}."
