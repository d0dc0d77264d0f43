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

from typing import TYPE_CHECKING, Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import compare, is_symbolic, to_text
from rlcalc.steps.terms import Name, Term, term, total

if TYPE_CHECKING:
    from rlcalc.inputs.array_checks import Seen
    from rlcalc.inputs.bind import Inputs
    from rlcalc.steps.derivation import Derivation


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


def check_arrays(a: Seen) -> None:
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
    if any(map(is_symbolic, i.q)):
        d.note("Probabilities of q that hold a symbol are taken to be above 0: the weights divide by them.")
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


def numpy_form(p: Any, q: Any, f: Any, samples: Any = None) -> dict[str, Any]:
    """Weights and their moments over the last axis: p, q, f [..., X] -> weights [..., X], the rest [...]."""
    p, q, f = np.broadcast_arrays(p, q, f)
    drawn = q > 0
    # q·w, without the rounding of the division
    carried = np.where(drawn, p, np.zeros_like(p))
    weights = carried / np.where(drawn, q, np.ones_like(q))
    mean = np.sum(carried, axis=-1)
    deviations = weights - mean[..., None]
    # one factor q·w at a time: w² alone may overflow where q·w² does not
    second = np.sum(carried * weights, axis=-1)
    some = second > 0
    share = np.where(some, np.square(mean), np.zeros_like(mean)) / np.where(
        some, second, np.ones_like(second)
    )
    return {
        "expectation": np.sum(p * f, axis=-1),
        "estimate": np.sum(q * (weights * f), axis=-1),
        "weights": weights,
        "weight_variance": np.sum((q * deviations) * deviations, axis=-1),
        "effective_share": share,
        "effective_samples": None if samples is None else share * np.asarray(samples, share.dtype),
    }


def torch_form(p: Any, q: Any, f: Any, samples: Any = None) -> dict[str, Any]:
    """As ``numpy_form``; an estimate that q cannot give is nan."""
    p, q, f = torch.broadcast_tensors(p, q, f)  # type: ignore[no-untyped-call]
    drawn = q > 0
    covered = (drawn | (p == 0) | (f == 0)).all(-1)
    # a safe divisor, so that the gradient of the outcomes left out is 0 and not nan
    weights = torch.where(drawn, p, 0.0) / torch.where(drawn, q, 1.0)
    mean = (q * weights).sum(-1)
    deviations = weights - mean.unsqueeze(-1)
    # q·w is p up to rounding, so that multiplying from the left cannot overflow early
    second = (q * weights * weights).sum(-1)
    some = second > 0
    share = torch.where(some, mean.square(), 0.0) / torch.where(some, second, 1.0)
    return {
        "expectation": (p * f).sum(-1),
        "estimate": torch.where(covered, (q * weights * f).sum(-1), torch.nan),
        "weights": weights,
        "weight_variance": (q * deviations * deviations).sum(-1),
        "effective_share": share,
        "effective_samples": None if samples is None else share * samples,
    }
