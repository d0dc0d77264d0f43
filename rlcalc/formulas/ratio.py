"""Probability ratio of the new policy to the one that took the action.

    r = π_new(a|s) / π_old(a|s) = exp( log π_new(a|s) − log π_old(a|s) )

The logarithms are subtracted first and exponentiated last: exp(−1000) is 0 in
floating point, exp(−1000) / exp(−1001) is not 0/0 but e.

Source: Schulman et al., arXiv:1707.06347, section 3; Sutton and Barto, 2nd
edition, equation 5.3 for one step.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas._words import note_densities
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, apply, term


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.new is not None:
        new, old = d.given(Name("π", "new"), i.new), d.given(Name("π", "old"), i.old)
        ratio = d.step("r", new / old, _why(compare(i.new, i.old)))
        if compare(i.new, 0) == 0:
            log_ratio = d.step("ℓ", term(-sympy.oo), "the new policy has dropped the action")
        else:
            log_ratio = d.step("ℓ", apply("log", ratio), "the logarithm of the ratio")
    else:
        new, old = d.given(Name("ℓ", "new"), i.new_log), d.given(Name("ℓ", "old"), i.old_log)
        d.note("ℓ_new and ℓ_old are the given logarithms of π_new(a|s) and π_old(a|s).")
        note_densities(d, [i.new_log, i.old_log])
        log_ratio = d.step("ℓ", new - old, "the logarithm of the ratio")
        ratio = d.step("r", apply("exp", log_ratio), _why(compare(i.new_log, i.old_log)))
    d.output("ratio", ratio)
    d.output("log_ratio", log_ratio)


def _why(order: int | None) -> str:
    if order is None:
        return ""
    return {
        -1: "the action has become less likely",
        0: "the policies agree on this action",
        1: "the action has become more likely",
    }[order]


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """exp(log π_new − log π_old), entry by entry: both [...]."""
    if a.new is not None:
        # two logarithms: that of the quotient would overflow with it
        return {"ratio": a.new / a.old, "log_ratio": xp.log(a.new) - xp.log(a.old)}
    log_ratio = a.new_log - a.old_log
    return {"ratio": xp.exp(log_ratio), "log_ratio": log_ratio}
