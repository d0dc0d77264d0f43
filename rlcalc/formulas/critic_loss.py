"""Critic loss: squared error of the values against the returns.

    L = c Σ_{t=0}^{T−1} (V(s_t) − G_t)²,   c = 1 (sum), 1/T (mean), 1/(2T) (half-mean),
    ∂L/∂V(s_t) = 2c (V(s_t) − G_t).

When one value V is shared by all samples, L is least at the mean of the
returns, and one gradient step gives V − α Σ_t 2c (V − G_t).

Source: Sutton and Barto, 2nd edition, section 9.3; the lecture's sum has no
factor, which is the convention that libraries differ in most.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, equal, to_text
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, term, total


def check(i: Inputs) -> None:
    """Refuse a gradient step of several values at once.

    Raises:
        InputError: ``values_not_shared``.
    """
    if i.alpha is None or not isinstance(i.values, list):
        return
    first, *others = i.values
    for other in others:
        if not equal(first, other):
            raise _not_shared(f"has {to_text(first)} and {to_text(other)}")


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays [..., T], row by row."""
    found = None if a.alpha is None else a.look("values")
    if found is not None and found[0].ndim and not np.all(found[0] == found[0][..., :1]):
        raise _not_shared("differ")


def _not_shared(what: str) -> InputError:
    return InputError(
        "values_not_shared",
        f"{spelled('alpha')} moves one shared value, but {spelled('values')} {what}.",
        f"Leave out {spelled('alpha')}, or give one value that all samples share.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    steps = len(i.returns)
    raw = i.values
    returns = [d.given(Name("G", str(t)), value) for t, value in enumerate(i.returns)]
    if isinstance(raw, list):
        values = [d.given(Name("V", arg=Name("s", str(t))), value) for t, value in enumerate(raw)]
    else:
        values = [d.given("V", raw)] * steps
    loss = _loss(d, "L", i.reduction, values, returns)
    average = total(returns)
    best = d.step(Name("V", sup="*"), average / steps if steps > 1 else average, "the mean of the returns")
    d.output("loss", loss)
    d.output("minimiser", best)
    d.output("minimum", _loss(d, Name("L", arg=best.name), i.reduction, [best] * steps, returns))
    slopes = [
        d.step(
            Name("g", str(t)), _scaled(2 * (value - target), i.reduction, steps), shown=i.alpha is not None
        )
        for t, (value, target) in enumerate(zip(values, returns, strict=True))
    ]
    d.output("gradient", slopes)
    if i.alpha is not None:
        _step(d, i, d.given("V", values[0].value), slopes)


def _loss(
    d: Derivation, name: str | Name, reduction: str, values: list[Symbol], returns: list[Symbol]
) -> Term:
    squares = [(value - target) ** 2 for value, target in zip(values, returns, strict=True)]
    return d.step(name, _scaled(total(squares), reduction, len(squares)))


def _scaled(sum_: Term, reduction: str, steps: int) -> Term:
    """The sum under the chosen reduction."""
    if reduction == "sum":
        return sum_
    return sum_ / (steps if reduction == "mean" else term(2) * steps)


def _step(d: Derivation, i: Inputs, shared: Symbol, slopes: list[Symbol]) -> None:
    alpha = d.given("α", i.alpha)
    slope = d.step("g", total(slopes), "the derivative of L by the shared value")
    d.output("updated", d.step(Name("V", "new"), shared - alpha * slope))
    steps = len(slopes)
    # L is a parabola: a step multiplies the distance to its minimum by 1 − α·L''
    curvature = {"sum": 2 * steps, "mean": 2, "half-mean": 1}[i.reduction]
    left = (1 - alpha * curvature).value
    if compare(left, -1) == -1:
        d.note("The step is so long that it ends further from the minimiser than it began.")
    elif compare(left, 0) == -1:
        d.note("The step goes past the minimiser.")


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """c Σ_t (V − G_t)², its slopes and one step: values [..., T] or one [...], returns [..., T]."""
    # a target, whatever graph it came with
    targets = xp.constant(a.returns)
    scale = _factor(a.reduction, targets.shape[-1])
    errors = a.values - targets
    best = targets.mean(axis=-1)
    found = {
        "loss": scale * xp.square(errors).sum(axis=-1),
        "minimiser": best,
        "minimum": scale * xp.square(best[..., None] - targets).sum(axis=-1),
        "gradient": 2 * scale * errors,
    }
    if a.alpha is not None:
        full = a.values + xp.zeros_like(errors)
        updated = full[..., 0] - a.alpha * found["gradient"].sum(axis=-1)
        # on a device that is not looked at, nan cannot be overlooked
        found["updated"] = xp.where((full == full[..., :1]).all(axis=-1), updated, xp.nan)
    return found


def _factor(reduction: str, steps: int) -> float:
    """c; an empty batch of samples has loss 0 in every reduction."""
    return {"sum": 1.0, "mean": 1 / max(steps, 1), "half-mean": 0.5 / max(steps, 1)}[reduction]
