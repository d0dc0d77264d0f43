"""Log-probability of an action under a diagonal Gaussian policy.

    log π(x) = Σ_k −((x_k − μ_k)/σ_k)²/2 − log σ_k − log(2π)/2

Source: Williams (1992), section 6; Bishop, Pattern Recognition and Machine Learning, equation 2.43.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._gaussian import exact_log_densities, log_densities
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, total


def exact_form(d: Derivation, i: Inputs) -> None:
    points = [d.given(Name("x", str(k)), x) for k, x in enumerate(i.x, start=1)]
    logs = exact_log_densities(d, i, points)
    d.output("log_prob", d.step(Name("log π", tex=r"\log\pi"), total(logs), "independent dimensions"))
    d.output("log_probs", logs)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """x, mean and std or log_std [..., D] -> log_prob [...] and log_probs [..., D]."""
    logs = log_densities(xp, a.x, a.mean, a.std, a.log_std)
    return {"log_prob": logs.sum(-1), "log_probs": logs}
