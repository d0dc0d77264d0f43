"""Entropy of an action of several independent branches: the sum of theirs.

    H[π] = Σ_k −Σ_a π_k(a) log π_k(a),   0·log 0 = 0

Branches of different lengths are padded with zeros, which add nothing.

Source: Shannon 1948, section 6; Cover and Thomas, Elements of Information Theory, theorem 2.6.6.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic
from rlcalc.exact.logarithms import joined_logs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, apply, total


def exact_form(d: Derivation, i: Inputs) -> None:
    branches = []
    for k, chances in enumerate(i.p, start=1):
        parts = []
        for a, chance in enumerate(chances):
            if is_symbolic(chance) or compare(chance, 0) != 0:
                pi = d.given(Name("π", f"{k},{a}"), chance)
                parts.append(-(pi * apply("log", pi)))
        branches.append(d.step(Name("h", str(k)), Rewritten(total(parts), joined_logs), "of one branch"))
    whole = Rewritten(total(branches), joined_logs)
    d.output("entropy", d.step("H", whole, "independent branches"))
    d.output("entropies", branches)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """p [..., B, A] -> entropy [...], entropies [..., B]."""
    safe = xp.where(a.p > 0, a.p, xp.ones_like(a.p))
    branches = 0 - (a.p * xp.log(safe)).sum(-1)
    return {"entropy": branches.sum(-1), "entropies": branches}
