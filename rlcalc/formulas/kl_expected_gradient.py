"""Expected gradients of k1, k2 and k3 by the logits of a softmax policy, by enumeration.

With x_a = log p_a − log q_a and ∂ log p_a/∂z_b = [a = b] − p_b, the slope of an
estimate is k'(x_a)([a = b] − p_b), that of its product with p/sg[p] is
(k(x_a) + k'(x_a))([a = b] − p_b), and in a reward, as a constant that multiplies
the score, it gives k(x_a)([a = b] − p_b).

Source: Tang and Munos, arXiv:2506.09477.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, term, total

# slope of each estimate by log p at one token; weighted ones have the estimate itself besides, and in a
# reward it is a constant that multiplies the score
_SLOPES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "k1_in_loss": lambda x, inverse, one: one,
    "k2_in_loss": lambda x, inverse, one: x,
    "k3_in_loss": lambda x, inverse, one: one - inverse,
    "k1_weighted": lambda x, inverse, one: x + one,
    "k3_weighted": lambda x, inverse, one: inverse - one + x + (one - inverse),
    "k1_in_reward": lambda x, inverse, one: x,
    "k2_in_reward": lambda x, inverse, one: x * x / 2,
    "k3_in_reward": lambda x, inverse, one: inverse - one + x,
}


def check(i: Inputs) -> None:
    for name in ("p", "q"):
        if any(compare(value, 0) == 0 for value in i.given[name]):
            raise _zero(name)


def check_arrays(a: Arrays) -> None:
    for name in ("p", "q"):
        found = a.look(name)
        if found is not None and (found[0] == 0).any():
            raise _zero(name)


def _zero(name: str) -> InputError:
    return InputError(
        f"{name}_out_of_range",
        f"{spelled(name)} must not hold 0: its logarithm is not finite.",
        "Leave out what can never be taken.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    own = [d.given(Name("p", str(a)), value) for a, value in enumerate(i.p)]
    other = [d.given(Name("q", str(a)), value) for a, value in enumerate(i.q)]
    tokens = range(len(own))
    x = [d.step(Name("x", str(a)), apply("log", own[a] / other[a])) for a in tokens]
    inverse = [d.step(Name("w", str(a)), other[a] / own[a], "exp of −x") for a in tokens]
    for name, slope in _SLOPES.items():
        slopes = [slope(x[a], inverse[a], term(1)) for a in tokens]
        d.output(name, [_expected(own, slopes, b) for b in tokens])
    d.output("reverse_kl", [_reverse(own, x, b) for b in tokens])
    d.output("forward_kl", [own[b] - other[b] for b in tokens])


def _expected(own: list[Any], slopes: list[Term], b: int) -> Term:
    """Σ_a p_a · slope_a · ([a = b] − p_b)."""
    return total(
        p * slope * (int(a == b) - own[b]) for a, (p, slope) in enumerate(zip(own, slopes, strict=True))
    )


def _reverse(own: list[Symbol], x: list[Symbol], b: int) -> Term:
    """∂ KL(p‖q)/∂z_b = p_b (x_b − KL)."""
    return own[b] * (x[b] - total(p * y for p, y in zip(own, x, strict=True)))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Probabilities [..., A] -> ten gradients by the logits [..., A]."""
    x = xp.log(a.p) - xp.log(a.q)
    inverse, one = a.q / a.p, xp.ones_like(x)
    found = {}
    for name, slope in _SLOPES.items():
        pushed = a.p * slope(x, inverse, one)
        found[name] = pushed - a.p * pushed.sum(-1)[..., None]
    found["reverse_kl"] = a.p * (x - (a.p * x).sum(-1)[..., None])
    found["forward_kl"] = a.p - a.q
    return found
