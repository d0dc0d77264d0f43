"""One step of REINFORCE for a softmax policy with one state.

    θ_b ← θ_b + α (G − b₀) ([a = b] − π(b)),   b = 0 … A−1,

for the action a that was taken and the return G that followed; the baseline
b₀ is 0 unless given. With G = b₀ nothing moves. The policy that is returned
is the one after the step.

Source: Williams (1992), section 4; Sutton and Barto, 2nd edition, section 13.4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._softmax import (
    check_action_arrays,
    check_softmax,
    exact_policy,
    exact_score,
    score,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name

check = check_softmax
check_arrays = check_action_arrays


def exact_form(d: Derivation, i: Inputs) -> None:
    logits = [d.given(Name("θ", str(b)), value) for b, value in enumerate(i.theta)]
    alpha, gained = d.given("α", i.alpha), d.given("G", i.return_)
    before = exact_policy(d, logits)
    slopes = exact_score(d, before, i.action)
    if "baseline" in i.typed:
        gained = d.step("A", gained - d.given(Name("b", "0"), i.baseline), "the return above the baseline")
    moved = [
        d.step(Name("θ", str(b), "new"), logit + alpha * gained * slope)
        for b, (logit, slope) in enumerate(zip(logits, slopes, strict=True))
    ]
    d.output("theta", moved)
    d.output("policy", exact_policy(d, moved, "new"))
    d.output("score", slopes)
    d.output("policy_before", before)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """θ + α (G − b₀)·score: theta [..., A], the others [...] -> all [..., A]."""
    before = xp.softmax(a.theta, -1)
    slope = score(xp, before, a.action)
    moved = a.theta + (a.alpha * (a.return_ - a.baseline))[..., None] * slope
    return {"theta": moved, "policy": xp.softmax(moved, -1), "score": slope, "policy_before": before}
