"""Entropy of a discrete policy: H[π] = −Σ_a π(a) log π(a), with 0·log 0 = 0.

The numeric forms take the logarithm of 1 where a probability is 0, so that
neither the value nor the gradient of an impossible action is nan.

Source: Shannon 1948; Schulman et al., arXiv:1707.06347, equation 9.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic
from rlcalc.exact.logarithms import cancelled_logs, joined_logs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, apply, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    parts = []
    for index, probability in enumerate(i.p):
        pi = d.given(Name("π", str(index)), probability)
        impossible = not is_symbolic(probability) and compare(probability, 0) == 0
        part = term(0) if impossible else -(pi * apply("log", pi))
        note = "0·log 0 counts as 0" if impossible else ""
        parts.append(d.step(Name("h", str(index)), part, note))
    if any(map(is_symbolic, i.p)):
        d.note("0·log 0 counts as 0, also where a symbol makes a probability 0.")
    nats = Rewritten(total(parts), joined_logs)
    if i.base == "e":
        d.output("entropy", d.step("H", nats))
        return
    base = d.given("b", i.base)
    whole = d.step(Name("H", "nats"), nats)
    quotient = Rewritten(whole / apply("log", base), cancelled_logs)
    d.output("entropy", d.step("H", quotient))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """−Σ_a π(a) log π(a) over the last axis, divided by log(base): p [..., A] -> entropy [...]."""
    safe = xp.where(a.p > 0, a.p, xp.ones_like(a.p))
    nats = 0 - (a.p * xp.log(safe)).sum(axis=-1)  # a plain minus makes -0.0 of a sure thing
    return {"entropy": nats if isinstance(a.base, str) else nats / xp.log(a.base)}
