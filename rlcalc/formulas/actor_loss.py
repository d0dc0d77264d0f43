"""Actor loss: log-probabilities of the actions taken, weighted with their advantages.

    L = Σ_{t=0}^{T−1} log π(a_t|s_t) · A_t          (or the mean over t),
    loss = −L.

Only its gradient means something: ∇L = Σ_t A_t ∇log π(a_t|s_t), the policy
gradient, and only while A_t counts as a number. An advantage made from a
critic depends on parameters as well; the Torch form therefore detaches it,
so that the actor's loss never trains the critic.

Source: Sutton and Barto, 2nd edition, sections 13.3 to 13.5; Schulman et al.,
arXiv:1707.06347, equation 2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact.logarithms import joined_logs
from rlcalc.formulas._words import note_densities
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, apply, total


def exact_form(d: Derivation, i: Inputs) -> None:
    steps = len(i.advantages)
    advantages = [d.given(Name("A", str(t)), adv) for t, adv in enumerate(i.advantages)]
    if i.probs is not None:
        logs = [apply("log", d.given(Name("π", str(t)), p)) for t, p in enumerate(i.probs)]
    else:
        logs = [d.given(Name("ℓ", str(t)), value) for t, value in enumerate(i.log_probs)]
        d.note("ℓ_t is the given logarithm of π(a_t|s_t).")
        note_densities(d, i.log_probs)
    contributions = [
        d.step(Name("L", str(t)), log * adv)
        for t, (log, adv) in enumerate(zip(logs, advantages, strict=True))
    ]
    definition = total(contributions)
    if i.reduction == "mean":
        definition = definition / steps
    objective = d.step("L", Rewritten(definition, joined_logs), "to be maximised")
    d.output("objective", objective)
    d.output("loss", d.step("loss", -objective, "to be minimised"))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Σ_t or mean of log π·A over the last axis: probs, advantages [..., T] -> objective, loss [...]."""
    log_probs = a.log_probs
    if log_probs is None:
        log_probs = xp.log(a.probs)
    # a constant of the policy gradient, whatever graph it came with
    weights = xp.constant(a.advantages)
    objective = (log_probs * weights).sum(axis=-1)
    if a.reduction == "mean":
        objective = objective / weights.shape[-1]
    return {"objective": objective, "loss": -objective}
