"""Trust region: how far a softmax policy may move, and the natural-gradient step that goes there.

    KL(π_old ‖ π_new) = Σ_a π_old(a) log(π_old(a)/π_new(a)) ≤ δ
    F = diag(π) − π πᵀ,   x = F⁺ g,   θ_new = θ + sqrt(2δ / gᵀx) x

F is the Fisher information of π = softmax(θ), singular along (1, …, 1); x is its solution whose entries sum
to 0: x_a = g_a/π(a) less the mean of these. For g_a = π(a) (A(a) − Ā) it is the advantage less its mean over
the actions. The step has a KL of δ to second order; the exact one is given beside it.

Source: Schulman et al., arXiv:1502.05477, section 6 and appendix C; Kakade (2001).
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, is_symbolic
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, apply, term, total


def check(i: Inputs) -> None:
    """Refuse a gradient that a softmax cannot have, and a new policy that leaves out an action.

    Raises:
        InputError: ``gradient_not_tangent``, ``new_does_not_cover_old``.
    """
    if i.gradient is not None and compare(sum(i.gradient), 0) in (-1, 1):
        raise _not_tangent()
    if i.old is not None:
        pairs = zip(i.old, i.new, strict=True)
        if any(compare(q, 0) == 0 and compare(p, 0) != 0 for p, q in pairs):
            raise _not_covered()


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays, within rounding."""
    found = a.look("gradient") if a.gradient is not None else None
    if found is not None:
        whole, size = found[0].sum(-1), np.abs(found[0]).sum(-1)
        if (np.abs(whole) > 16 * np.finfo(found[0].dtype).eps * size).any():
            raise _not_tangent()
    both = a.look("old", "new") if a.old is not None else None
    if both is not None and ((both[1] == 0) & (both[0] > 0)).any():
        raise _not_covered()


def _not_tangent() -> InputError:
    return InputError(
        "gradient_not_tangent",
        f"The entries of {spelled('gradient')} must sum to 0: a softmax stays where all of θ rises alike.",
        "For advantages A(a) it is π(a) (A(a) − Σ_b π(b) A(b)).",
    )


def _not_covered() -> InputError:
    return InputError(
        "new_does_not_cover_old",
        "The new policy never takes an action that the old one takes: the divergence is infinite.",
        "Every action of the old policy needs a probability above 0.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    radius = d.given("δ", i.radius)
    if i.old is not None:
        old: list[Term] = [d.given(Name("p", str(a)), p) for a, p in enumerate(i.old)]
        new: list[Term] = [d.given(Name("q", str(a)), q) for a, q in enumerate(i.new)]
        _divergence(d, radius, old, new)
        return
    theta = [d.given(Name("θ", str(a)), value) for a, value in enumerate(i.theta)]
    slope = [d.given(Name("g", str(a)), value) for a, value in enumerate(i.gradient)]
    old = [d.step(Name("p", str(a)), p) for a, p in enumerate(softmax_terms(theta))]
    raw = [d.step(Name("y", str(a)), g / p) for a, (g, p) in enumerate(zip(slope, old, strict=True))]
    mean = d.step(Name("m"), total(raw) / len(raw), "the mean of the y")
    step = [d.step(Name("x", str(a)), y - mean, "natural gradient") for a, y in enumerate(raw)]
    length = d.step(Name("s"), total(g * x for g, x in zip(slope, step, strict=True)), "gᵀx")
    flat = not is_symbolic(length.value) and compare(length.value, 0) == 0
    factor = d.step("κ", term(0) if flat else apply("sqrt", 2 * radius / length), "length of the step")
    moved = [
        d.step(Name("θ", str(a), "new"), old_value + factor * x)
        for a, (old_value, x) in enumerate(zip(theta, step, strict=True))
    ]
    new = [d.step(Name("q", str(a)), q) for a, q in enumerate(softmax_terms(moved))]
    _divergence(d, radius, old, new)
    d.output("theta_new", moved)
    d.output("policy", new)
    d.output("direction", step)


def _divergence(d: Derivation, radius: Term, old: list[Term], new: list[Term]) -> None:
    parts = [
        p * (apply("log", p) - apply("log", q))
        for p, q in zip(old, new, strict=True)
        if is_symbolic(p.value) or compare(p.value, 0) != 0
    ]
    kl = d.step("KL", total(parts), "of the new policy from the old one")
    d.output("kl", kl)
    order = compare(kl.value, radius.value)
    if order is None:
        d.note("Whether it is inside the radius is open.")
    else:
        d.output("inside", term(int(order <= 0)))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Policies, or preferences and their gradient [..., A] -> kl [...], and the step [..., A]."""
    old = a.old
    if a.theta is None:
        possible = old > 0
        logs = xp.log(xp.where(possible, old, a.new)) - xp.log(
            xp.where(a.new > 0, a.new, xp.ones_like(a.new))
        )
        kl = xp.where(possible, old * logs, xp.zeros_like(old)).sum(-1)
        return {"kl": kl}
    old = xp.softmax(a.theta, -1)
    raw = a.gradient / old
    step = raw - raw.mean(-1)[..., None]
    length = (a.gradient * step).sum(-1)
    some = length > 0
    factor = xp.where(some, xp.sqrt(2 * a.radius / xp.where(some, length, xp.ones_like(length))), 0 * length)
    change = factor[..., None] * step
    moved = a.theta + change
    # log Σ p exp(Δθ) − Σ p Δθ, which is the divergence of two softmaxes
    top = xp.amax(change, -1)[..., None]
    kl = xp.log((old * xp.exp(change - top)).sum(-1)) + top[..., 0] - (old * change).sum(-1)
    return {
        "kl": kl,
        "theta_new": moved,
        "policy": xp.softmax(moved, -1),
        "direction": step,
    }
