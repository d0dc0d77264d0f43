"""Faults of generalised advantage estimation."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import flags, last_step, mapped, next_values

Outputs = dict[str, Any]


def recursion_crosses_truncation(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    from rlcalc.recurrence import scan_numpy

    over = flags(arrays, "terminated")
    old = arrays["values"][..., :-1]
    delta = arrays["rewards"] + arrays["gamma"] * np.where(over, 0, next_values(arrays)) - old
    advantages = scan_numpy(delta, arrays["gamma"] * arrays["lam"] * ~over)
    return {"advantages": advantages, "returns": advantages + old}


def lam_missing_in_recursion(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "lam": arrays["lam"] * 0 + 1}))


def last_advantage_zero(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    at_end = last_step(arrays)
    return mapped(form(**arrays), "advantages", lambda a: np.where(at_end, 0, a))


def done_mask_one_late(form: Form, **arrays: Any) -> Outputs:
    """The flag of a step is read as that of the step before it."""
    import numpy as np

    def late(flag: Any) -> Any:
        moved = np.zeros_like(flag)
        moved[..., 1:] = flag[..., :-1]
        return moved

    changed = {name: late(flags(arrays, name)) for name in ("terminated", "truncated")}
    return dict(form(**{**arrays, **changed}))
