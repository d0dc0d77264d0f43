"""Softmax policy: probabilities from preferences.

    π(a) = exp(θ_a) / Σ_{b=0}^{A−1} exp(θ_b),   a = 0 … A−1.

The numeric forms subtract the largest θ first, which changes nothing in the
quotient and keeps every exponent at or below 0.

Source: Sutton and Barto, 2nd edition, equation 13.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlcalc._lazy import torch
from rlcalc.formulas._softmax import exact_policy, softmax_numpy
from rlcalc.steps.terms import Name

if TYPE_CHECKING:
    from rlcalc.inputs.bind import Inputs
    from rlcalc.steps.derivation import Derivation


def exact_form(d: Derivation, i: Inputs) -> None:
    logits = [d.given(Name("θ", str(a)), value) for a, value in enumerate(i.theta)]
    d.output("policy", exact_policy(d, logits))


def numpy_form(theta: Any) -> dict[str, Any]:
    return {"policy": softmax_numpy(theta)}


def torch_form(theta: Any) -> dict[str, Any]:
    return {"policy": torch.softmax(theta, dim=-1)}
