"""Score of a softmax policy: gradient of the log-probability of an action.

    ∂ log π(a) / ∂θ_b = [a = b] − π(b),   b = 0 … A−1,

so that the entries sum to 0, and so does their mean under the policy:
Σ_a π(a) ∂ log π(a) / ∂θ_b = π(b) − π(b) Σ_a π(a) = 0.

Source: Sutton and Barto, 2nd edition, section 13.3 (there: eligibility vector).
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
    logits = [d.given(Name("θ", str(a)), value) for a, value in enumerate(i.theta)]
    policy = exact_policy(d, logits)
    d.output("score", exact_score(d, policy, i.action))
    d.output("policy", policy)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """[a = b] − π(b): theta [..., A], action [...] -> score, policy [..., A]."""
    policy = xp.softmax(a.theta, -1)
    return {"score": score(xp, policy, a.action), "policy": policy}
