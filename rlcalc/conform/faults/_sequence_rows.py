"""Faults of sequence formulas by which a row of the answer is never written."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, output_fault


@output_fault("indexing")
def first_step_left_out(found: Outputs, arrays: Arrays) -> Outputs:
    """Leaves the answer of the first step at 0: the loop backwards never comes to it.

    Shown when: A first step whose answer is not 0.
    Cause: range(T − 1, 0, −1) ends before its last number, as every range does.
    Fix: Run the loop to step 0: range(T − 1, −1, −1), or reversed(range(T)).
    - for t in range(T - 1, 0, -1):
    + for t in range(T - 1, -1, -1):
    """
    changed = dict(found)
    beside = "advantages" in found  # returns beside advantages are these plus the values
    for name in ("advantages",) if beside else ("returns",):
        rows = np.array(found[name])
        lost = rows[..., 0].copy()
        rows[..., 0] = 0
        changed[name] = rows
        if beside and found.get("returns") is not None:
            changed["returns"] = np.array(found["returns"])
            changed["returns"][..., 0] -= lost
    return {name: value for name, value in changed.items() if name not in ("return", "updated")}
