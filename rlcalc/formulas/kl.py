"""Kullback–Leibler divergence: D(p‖q) = Σ_a p(a) log(p(a)/q(a)), with 0·log 0 = 0.

Source: Kullback and Leibler 1951; Schulman et al., arXiv:1502.05477.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic, to_unicode
from rlcalc.exact.logarithms import joined_logs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, apply, term, total

DIVERGENCE = Name("D(p‖q)", tex=r"D(p\,\|\,q)")  # TeX without Unicode fonts has no ‖


def exact_form(d: Derivation, i: Inputs) -> None:
    parts = []
    for index, (mine, other) in enumerate(zip(i.p, i.q, strict=True)):
        p, q = d.given(Name("p", str(index)), mine), d.given(Name("q", str(index)), other)
        if _zero(mine):
            parts.append(d.step(Name("d", str(index)), term(0), "0·log 0 counts as 0"))
        elif _zero(other):
            if is_symbolic(mine):
                d.note(
                    f"{to_unicode(mine)} is taken to be above 0: where it is 0, outcome {index} adds nothing."
                )
            _infinite(d, index)
            return
        else:
            parts.append(d.step(Name("d", str(index)), p * apply("log", p / q)))
    if any(map(is_symbolic, i.p)):
        d.note("0·log 0 counts as 0, also where a symbol makes a probability 0.")
    if any(map(is_symbolic, i.q)):
        d.note("Where a symbol makes a probability of q 0 and p is above 0, the divergence is infinite.")
    d.output("divergence", d.step(DIVERGENCE, Rewritten(total(parts), joined_logs)))


def _zero(value: Any) -> bool:
    return not is_symbolic(value) and compare(value, 0) == 0


def _infinite(d: Derivation, index: int) -> None:
    d.note(
        f"The divergence is infinite: q gives no probability to outcome {index}, which p can draw. "
        "Swapped arguments may give a finite number."
    )
    d.output("divergence", d.step(DIVERGENCE, term(sympy.oo), f"q_{index} = 0 and p_{index} > 0"))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Σ_a p(a) (log p(a) − log q(a)) over the last axis: p, q [..., A] -> divergence [...]."""
    drawn, one = a.p > 0, xp.ones_like(a.p)
    # −log 0 is the infinity that is meant where p can draw what q cannot
    gap = xp.log(xp.where(drawn, a.p, one)) - xp.log(xp.where(drawn, a.q, one))
    return {"divergence": xp.where(drawn, a.p * gap, xp.zeros_like(gap)).sum(axis=-1)}
