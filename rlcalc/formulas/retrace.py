"""Retrace: targets of action values from what another policy did.

    G_t = R_{t+1} + γ_t E_π Q(S_{t+1}, ·) + γ_t c_{t+1} (G_{t+1} − Q(S_{t+1}, A_{t+1})),   c = λ min(1, π/μ),

without the correction in the last step.

Source: Munos et al., arXiv:1606.02647, equation 4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas.vtrace import truncated
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Term, apply


def exact_form(d: Derivation, i: Inputs) -> None:
    lam = d.given("λ", i.lam)
    q = [d.given(Name("Q", str(t)), value) for t, value in enumerate(i.q)]
    targets: list[Term] = []
    for t in reversed(range(len(i.rewards))):
        reward, gamma = (
            d.given(Name("R", str(t + 1)), i.rewards[t]),
            d.given(Name("γ", str(t)), i.discounts[t]),
        )
        found: Term = reward + gamma * d.given(Name("E", str(t + 1)), i.expected_q[t])
        if targets:
            ratio = apply("exp", d.given(Name("x", str(t + 1)), i.log_rhos[t]))
            trace = d.step(Name("c", str(t + 1)), lam * apply("min", 1, ratio))
            found = found + gamma * trace * (targets[-1] - q[t + 1])
        targets.append(d.step(Name("G", str(t)), found))
    d.output("targets", targets[::-1])


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards, q, expected_q, discounts [..., T], log-ratios [..., T−1] -> targets [..., T]."""
    errors = a.rewards + a.discounts * a.expected_q - a.q
    carried = a.discounts[..., :-1] * a.lam * truncated(xp, a.log_rhos, 1.0)
    # the last step carries nothing
    carried = xp.concatenate([carried, carried[..., :1] * 0], -1)
    return {"targets": a.q + scan(errors, carried)}
