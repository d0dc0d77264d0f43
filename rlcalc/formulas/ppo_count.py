"""How much data PPO and REINFORCE need for the same number of gradient steps.

    PPO:        I collections, I·N trajectories, I·E·M gradient steps;
    REINFORCE:  one collection a step: I·E·M collections, I·E·M·N trajectories,

for I iterations, N trajectories a collection, E epochs and M minibatches.

Source: Schulman et al., arXiv:1707.06347, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.exact import to_text
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name


def exact_form(d: Derivation, i: Inputs) -> None:
    size, epochs = d.given("N", i.trajectories), d.given("E", i.epochs)
    minibatches, iterations = d.given("M", i.minibatches), d.given("I", i.iterations)
    steps = d.step(_words("gradient steps"), iterations * epochs * minibatches)
    d.output("collections", d.step(_words("collections"), iterations, "one an iteration"))
    d.output("trajectories", d.step(_words("trajectories"), iterations * size))
    d.output("gradient_steps", steps)
    fresh = d.step(_words("REINFORCE collections"), steps, "a fresh one for each gradient step")
    d.output("reinforce_collections", fresh)
    d.output("reinforce_trajectories", d.step(_words("REINFORCE trajectories"), fresh * size))
    if i.minibatches > 1:
        small = i.iterations * i.epochs * i.trajectories
        share = to_text(Fraction(i.trajectories, i.minibatches))
        d.note(
            f"REINFORCE is counted with whole collections of {i.trajectories}; with batches of {share}, "
            f"as PPO's minibatches, it would need {small} trajectories."
        )
    if i.minibatches > i.trajectories:
        d.note("There are more minibatches than trajectories: a minibatch then holds parts of trajectories.")


def _words(words: str) -> Name:
    return Name(words, tex=rf"\text{{{words}}}")


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Products of integers [...]: in 64 bits, or in float64 where a product does not fit.

    On a device that is not looked at always in 64 bits.
    """
    counts = [xp.asarray(n) for n in (a.trajectories, a.epochs, a.minibatches, a.iterations)]
    seen = [xp.look(n) for n in counts]
    large = all(n is not None for n in seen) and _too_large(seen)
    return _counts(*(xp.cast(n, xp.float64 if large else xp.int64) for n in counts))


def _too_large(counts: Sequence[Any]) -> bool:
    """Whether the largest product would wrap around; the floating one shows it."""
    product = 1.0
    for count in counts:
        product = product * count.astype(np.float64)
    return bool(np.any(product >= 2.0**63))


def _counts(size: Any, epochs: Any, minibatches: Any, iterations: Any) -> dict[str, Any]:
    steps = iterations * epochs * minibatches
    return {
        "collections": iterations,
        "trajectories": iterations * size,
        "gradient_steps": steps,
        "reinforce_collections": steps,
        "reinforce_trajectories": steps * size,
    }
