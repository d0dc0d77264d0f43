"""A fault of clips that have a width of their own on either side."""

from __future__ import annotations

from rlcalc.conform.fault import Arrays, argument_fault


@argument_fault("swapped")
def widths_exchanged(arrays: Arrays) -> Arrays:
    """Takes the width of the upper side for the lower one, and the other way round.

    Shown when: Two widths, and a ratio between the bounds of one side.
    Cause: Two numbers handed over by place, or low and high mixed up in the call of clamp.
    Fix: From below at 1 − ε_low, from above at 1 + ε_high.
    - torch.clamp(ratio, 1 - eps_high, 1 + eps_low)
    + torch.clamp(ratio, 1 - eps_low, 1 + eps_high)
    """
    low, high = arrays["eps_low"], arrays.get("eps_high")
    return {"eps_low": low if high is None else high, "eps_high": low}
