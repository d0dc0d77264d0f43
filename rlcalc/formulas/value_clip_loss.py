"""The clipped squared error of a critic, over the valid tokens.

    V' = V_old + clip(V − V_old, −ε, ε),   loss = f/S Σ max((V − R)², (V' − R)²).

Source: Engstrom et al., arXiv:2005.12729, section 3.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.gradient import gradient
from rlcalc.steps.terms import Name, Symbol, apply, term, total


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


def array_form(
    xp: Backend,
    values: Any,
    old_values: Any,
    returns: Any,
    mask: Any,
    eps: Any = 0.5,
    factor: Any = 0.5,
    tokens: Any = None,
) -> dict[str, Any]:
    """Values, old values, returns, mask [..., N, T] -> loss, fraction [...] and d_values [..., N, T]."""
    moved = values - old_values
    near = old_values + xp.clip(xp.constant(moved), -eps, eps)
    plain, clipped = values - returns, near - returns
    # within the range both are one number, whatever rounding makes of it
    outside = xp.abs(moved) > eps
    distance, other = xp.abs(plain), xp.abs(clipped)
    held = outside & (other > distance)
    zero = xp.new_zeros(plain, ())
    number = xp.cast(mask, plain.dtype)
    if number.shape != plain.shape:
        number = number + xp.zeros_like(plain)
    count = number.sum(-1).sum(-1)
    some = xp.where(count > 0, count, xp.ones_like(count))
    below = some if tokens is None else xp.zeros_like(some) + xp.cast(xp.asarray(tokens), plain.dtype)
    # equal squares share the derivative, as the larger of two numbers does: here, and where autograd runs
    tied = outside & (other == distance)
    errors = xp.where(held, xp.square(clipped), xp.square(plain))
    steep = 2 * factor * plain
    if xp.any_or_unknown(tied):
        errors = xp.where(tied, (xp.square(clipped) + xp.square(plain)) / 2, errors)
        steep = xp.where(tied, factor * plain, steep)
    slopes = xp.where(held, zero, steep) / below[..., None, None]
    return {
        "loss": factor * xp.where(mask, errors, zero).sum(-1).sum(-1) / below,
        "d_values": xp.where(mask, slopes, zero),
        "clipped_fraction": xp.cast(held & mask, plain.dtype).sum(-1).sum(-1) / some,
    }
