"""Importance sampling: an expectation under p from the outcomes of q.

    E_p f = Σ_x p(x) f(x) = Σ_x q(x) w(x) f(x) = E_q[w f],    w(x) = p(x) / q(x)
    Var_q w = Σ_x q(x) (w(x) − E_q w)²
    share   = (E_q w)² / E_q w²,    n_eff = n · share          (Kish)

where x runs over all outcomes; those with q(x) = 0 are never drawn and have
to contribute nothing, p(x) f(x) = 0. Where q covers p, E_q w = 1 and the
share is 1 / (1 + Var_q w).

Source: Sutton and Barto, 2nd edition, section 5.5; Owen, Monte Carlo theory,
methods and examples (2013), sections 9.1 and 9.3.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, to_text
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, term, total


def check(i: Inputs) -> None:
    """Refuse a q that never draws an outcome that counts under p.

    Raises:
        InputError: ``q_does_not_cover_p``.
    """
    for x, (p, q, f) in enumerate(zip(i.p, i.q, i.f, strict=True), start=1):
        if compare(q, 0) == 0 and compare(p, 0) != 0 and compare(f, 0) != 0:
            raise _not_covered(
                f"outcome {x} has q = 0, but p·f is not 0 there (p = {to_text(p)}, f = {to_text(f)})"
            )


def check_arrays(a: Arrays) -> None:
    found = a.look("p", "q", "f")
    if found is not None:
        p, q, f = found
        if np.any((q == 0) & (p != 0) & (f != 0)):
            raise _not_covered("somewhere q is 0 and p·f is not")


def _not_covered(why: str) -> InputError:
    return InputError(
        "q_does_not_cover_p",
        f"Samples of q cannot stand in for p: {why}.",
        "Give q a positive probability wherever p and f are not 0.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    outcomes = [Name("x", str(k)) for k in range(1, len(i.p) + 1)]
    p = [d.given(Name("p", arg=x), value) for x, value in zip(outcomes, i.p, strict=True)]
    q = [d.given(Name("q", arg=x), value) for x, value in zip(outcomes, i.q, strict=True)]
    f = [d.given(Name("f", arg=x), value) for x, value in zip(outcomes, i.f, strict=True)]
    expectation = d.step(
        Name("E", "p", arg=Name("f")), total(a * b for a, b in zip(p, f, strict=True)), "directly"
    )
    weights = [_weight(d, x, a, b) for x, a, b in zip(outcomes, p, q, strict=True)]
    reweighted = total(b * w * c for b, w, c in zip(q, weights, f, strict=True))
    estimate = d.step(Name("E", "q", arg=Name("wf")), reweighted, "from q, with the weights")
    mean = d.step(Name("μ", "w"), total(b * w for b, w in zip(q, weights, strict=True)), "the mean weight")
    spread = total(b * (w - mean) ** 2 for b, w in zip(q, weights, strict=True))
    variance = d.step(Name("Var", arg=Name("w")), spread)
    squares = [b * w**2 for b, w in zip(q, weights, strict=True)]
    second = d.step(Name("m", "2"), total(squares), "the mean of the squared weights")
    if compare(mean.value, 1) == -1:
        d.note("p has probability where q has none: the weights average less than 1.")
    if compare(second.value, 0) == 0:
        share = d.step("share", term(0), "q never draws what p draws")
    else:
        share = d.step("share", mean**2 / second, "how much of a sample of p a sample of q is worth")
    d.output("expectation", expectation)
    d.output("estimate", estimate)
    d.output("weights", weights)
    d.output("weight_variance", variance)
    d.output("effective_share", share)
    if i.samples is not None:
        d.output("effective_samples", d.step(Name("n", "eff"), d.given("n", i.samples) * share))


def _weight(d: Derivation, x: Name, p: Term, q: Term) -> Term:
    if compare(q.value, 0) == 0:
        return d.step(Name("w", arg=x), term(0), "q never draws it")
    return d.step(Name("w", arg=x), p / q)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Weights and their moments over the last axis: p, q, f [..., X] -> weights [..., X], the rest [...]."""
    p, q, f = xp.broadcast_arrays(a.p, a.q, a.f)
    drawn, nothing = q > 0, xp.zeros_like(p)
    # q·w without the rounding of the division, which by a safe divisor keeps nan out of the gradient
    carried = xp.where(drawn, p, nothing)
    weights = carried / xp.where(drawn, q, xp.ones_like(q))
    mean = carried.sum(axis=-1)
    deviations = weights - mean[..., None]
    # one factor q·w at a time: w² alone may overflow where q·w² does not
    second = (carried * weights).sum(axis=-1)
    some = second > 0
    share = xp.where(some, xp.square(mean), xp.zeros_like(mean)) / xp.where(some, second, xp.ones_like(mean))
    # on a device that is not looked at, an estimate that q cannot give is nan
    covered = (drawn | (p == 0) | (f == 0)).all(axis=-1)
    found = {
        "expectation": (p * f).sum(axis=-1),
        "estimate": xp.where(covered, (q * (weights * f)).sum(axis=-1), xp.nan),
        "weights": weights,
        "weight_variance": ((q * deviations) * deviations).sum(axis=-1),
        "effective_share": share,
    }
    if a.samples is not None:
        found["effective_samples"] = share * xp.cast(xp.asarray(a.samples), share.dtype)
    return found
