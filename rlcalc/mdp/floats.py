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


def error_note(p: Sparse, r: Any, discount: Any, values: Any, backed_up: Any) -> str:
    """What is certified of values V near a solution of V = T V, as a note.

    Where T contracts by c, V is off by at most ‖T V − V‖ / (1 − c). Without
    discount that is so for one policy: with w >= 0 and w − P w >= 1/2, by at
    most 2 ‖T V − V‖ max w. What rounding adds to a backup is counted in.

    Args:
        p: transitions [S, A, S'], those of a policy as [S, 1, S'].
        backed_up: T V, computed from ``values``.
    """
    eps = float(np.finfo(p.dtype).eps)
    most = int(np.bincount(p.pair).max(initial=1)) + 3
    finite = np.where(np.isfinite(r), np.abs(r), 0)
    size = float(finite.max(initial=0)) + 2 * float(np.abs(values).max(initial=0))
    residual = float(np.abs(backed_up - values).max(initial=0)) + most * eps * size
    live = np.zeros(len(values), p.dtype)
    live[p.pair // p.shape[1]] = 1
    modulus = float(discount * (p @ live).max(initial=0))
    factor = float("inf")
    if modulus < 1:
        factor = 1 / (1 - modulus)
    elif p.shape[1] == 1:
        steps = iterated(p, live, discount)
        left = (steps - discount * (p @ steps)[:, 0])[live > 0]
        if float(steps.min(initial=0)) >= 0 and float(left.min(initial=1)) >= 0.5:
            factor = 2 * float(steps.max(initial=0))
    head = "Too many states for an exact answer; "
    if factor == float("inf"):
        return f"{head}they satisfy the equation to within {residual:.1e}."
    return f"{head}every value is certified to within {residual * factor * (1 + 4 * eps):.1e}."
