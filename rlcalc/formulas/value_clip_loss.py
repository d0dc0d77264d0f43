"""The clipped squared error of a critic, over the valid tokens.

    V' = V_old + clip(V − V_old, −ε, ε),   loss = f/S Σ max((V − R)², (V' − R)²).

Source: Engstrom et al., arXiv:2005.12729, section 3.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, apply, term, total
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    eps, factor = d.given("ε", i.eps), d.given("f", i.factor)
    values: list[Symbol] = []
    errors: list[Symbol] = []
    held: list[int | None] = []
    for n, flags in enumerate(i.mask):
        for t, there in enumerate(flags):
            at = f"{n},{t}"
            value = d.given(Name("V", at), i.values[n][t])
            values.append(value)
            if not there:
                continue
            old, goal = d.given(Name("W", at), i.old_values[n][t]), d.given(Name("R", at), i.returns[n][t])
            near = d.step(Name("V'", at), old + apply("clip", value - old, -eps, eps))
            plain, clipped = (value - goal) ** 2, (near - goal) ** 2
            errors.append(
                d.step(Name("e", at), apply("max", plain, clipped), "the larger square" if not errors else "")
            )
            held.append(compare(clipped.value, plain.value))
    if not errors:
        d.note("No token is valid: the loss is 0.")
    count = d.given("S", i.tokens or len(errors) or 1)
    loss = d.step("loss", factor * total(errors) / count)
    d.output("loss", loss)
    slopes = gradient(loss, values)
    if slopes is None or None in held:
        d.note("The derivative needs numbers: with symbols it is not decided which square is the larger.")
        return
    found = iter(slopes)
    d.output("d_values", [[next(found) for _ in row] for row in i.values])
    share = sum(order == 1 for order in held)
    d.output("clipped_fraction", term(share) / max(len(held), 1))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Values, old values, returns, mask [..., N, T] -> loss, fraction [...] and d_values [..., N, T]."""
    moved: Any = a.values - a.old_values
    plain: Any = xp.subtract(a.values, a.returns, out=xp.spare(a.values))
    near: Any = xp.add(xp.clip(xp.constant(moved), -a.eps, a.eps), a.old_values, out=xp.spare(a.old_values))
    clipped: Any = xp.subtract(near, a.returns, out=xp.over(near, a.returns))
    moved = xp.abs(moved, out=xp.over(moved))
    outside = xp.greater(moved, a.eps)
    # within the range both are one number, whatever rounding makes of it: only the plain one is asked
    clipped = xp.where(outside, clipped, 0.0, out=xp.over(clipped, outside))
    distance: Any = xp.abs(plain, out=xp.over(moved, plain))
    other = xp.abs(clipped, out=xp.spare(a.returns))
    held = xp.greater(other, distance)
    tied = outside & xp.equal(distance, other)
    number = xp.cast(a.mask, plain.dtype, out=xp.over(other))
    if number.shape != plain.shape:
        number = number + xp.zeros_like(plain)
    count = number.sum(-1).sum(-1)
    some = xp.where(count > 0, count, xp.ones_like(count))
    below = some if a.tokens is None else xp.zeros_like(some) + xp.cast(xp.asarray(a.tokens), plain.dtype)
    # what is masked is 0 in all three, and so are its error and its derivative
    errors: Any = xp.square(clipped, out=xp.over(clipped))
    errors = xp.maximum(errors, xp.square(plain, out=xp.over(distance)), out=xp.over(errors, plain))
    del moved, distance  # one copy less at the peak, which comes now
    share = (2 * a.factor / below)[..., None, None]
    slopes = xp.multiply(plain, share, out=xp.over(plain, share))
    if xp.any_or_unknown(tied):  # equal squares share the derivative, as the larger of two numbers does
        slopes = xp.where(tied, slopes / 2, slopes)
    return {
        "loss": a.factor * errors.sum(-1).sum(-1) / below,
        "d_values": xp.where(held, 0.0, slopes, out=xp.over(slopes, held)),
        "clipped_fraction": xp.cast(held, plain.dtype, out=xp.over(number)).sum(-1).sum(-1) / some,
    }
