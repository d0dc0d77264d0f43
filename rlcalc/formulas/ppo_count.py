"""How much data PPO and REINFORCE need for the same number of gradient steps.

    PPO:        I collections, I·N trajectories, I·E·M gradient steps;
    REINFORCE:  one collection a step: I·E·M collections, I·E·M·N trajectories,

for I iterations, N trajectories a collection, E epochs and M minibatches.

Source: Schulman et al., arXiv:1707.06347, algorithm 1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rlcalc._lazy import np
from rlcalc.errors import InputError
from rlcalc.exact import to_text
from rlcalc.steps.terms import Name

if TYPE_CHECKING:
    from rlcalc.inputs.bind import Inputs
    from rlcalc.steps.derivation import Derivation

MOST = 2**63 - 1  # the counts of the numeric forms are 64-bit integers


def check(i: Inputs) -> None:
    """Refuse numbers whose product the numeric forms cannot count to.

    Raises:
        InputError: ``count_too_large``.
    """
    if i.trajectories * i.epochs * i.minibatches * i.iterations > MOST:
        raise _too_large()


def _too_large() -> InputError:
    return InputError(
        "count_too_large",
        "trajectories times epochs times minibatches times iterations is above 2**63 - 1.",
        "Give smaller numbers.",
    )


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


def numpy_form(trajectories: Any, epochs: Any, minibatches: Any, iterations: Any) -> dict[str, Any]:
    size, e, m, i = (np.asarray(n, np.int64) for n in (trajectories, epochs, minibatches, iterations))
    # 64-bit products wrap around silently; the floating one shows it
    if np.any(i.astype(np.float64) * e * m * size >= 2.0**63):
        raise _too_large()
    return _counts(size, e, m, i)


def torch_form(trajectories: Any, epochs: Any, minibatches: Any, iterations: Any) -> dict[str, Any]:
    """Nothing is checked here, since looking at the numbers would wait for the device."""
    return _counts(*(n.long() for n in (trajectories, epochs, minibatches, iterations)))


def _counts(size: Any, epochs: Any, minibatches: Any, iterations: Any) -> dict[str, Any]:
    steps = iterations * epochs * minibatches
    return {
        "collections": iterations,
        "trajectories": iterations * size,
        "gradient_steps": steps,
        "reinforce_collections": steps,
        "reinforce_trajectories": steps * size,
    }
