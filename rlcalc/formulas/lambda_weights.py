"""Weights of the n-step returns in the λ-return.

    w_n = (1−λ) λ^{n−1}  for n = 1 … N−1,     w_N = λ^{N−1},

with N the number of steps to the end of the episode. The sum telescopes,
since (1−λ) λ^{n−1} = λ^{n−1} − λ^n: the first N−1 weights add up to
1 − λ^{N−1}, and the last one is what is left. Without an end (N = ∞) all
weights are of the first kind; the first M of them add up to 1 − λ^M, which
tends to 1 for λ < 1 only.

Source: Sutton and Barto, 2nd edition, equations 12.2 and 12.3.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, symbol, symbols_of
from rlcalc.exact.effort import multiplied_out
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Product, Rewritten, term, total
from rlcalc.steps.values import Value


class General(Product):
    """A product with a running index in it: worth reading only as it is, not multiplied out."""

    @cached_property
    def value(self) -> Value:
        return self.evaluate()


def check(i: Inputs) -> None:
    """Refuse an endless episode at λ = 1.

    Raises:
        InputError: ``weights_do_not_exist``.
    """
    if i.steps != math.inf:
        i.dims["N"] = i.steps
    elif compare(i.lam, 1) == 0:
        raise _no_weights()


def check_arrays(a: Arrays) -> None:
    found = a.look("lam") if a.steps == math.inf else None
    if found is not None and np.any(found[0] == 1):
        raise _no_weights()


def _no_weights() -> InputError:
    return InputError(
        "weights_do_not_exist",
        f"With {spelled('lam')} 1 and {spelled('steps')} inf every weight would be 0: "
        "there is no last return to take the rest.",
        "Only the limit λ → 1 has a meaning, the full return. Give a number of steps, or a λ below 1.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.steps == math.inf:
        _endless(d, i)
        return
    lam, last = d.given("λ", i.lam), i.steps
    weights = [
        d.step(Name("w", str(n)), (1 - lam) * lam ** (n - 1) if n < last else lam ** (n - 1), note)
        for n in range(1, last + 1)
        for note in ("all the weight that is left" if n == last else "",)
    ]
    d.output("weights", weights)
    d.output("sum", d.step("sum", Rewritten(total(weights), multiplied_out)))


def _endless(d: Derivation, i: Inputs) -> None:
    """The geometric series by its partial sums; SymPy's summation would leave 1 − λ^∞ standing."""
    free = symbols_of(i.lam)
    n, m = (next(letter for letter in letters if letter not in free) for letters in ("nkj", "Mmi"))
    lam = d.given("λ", i.lam)
    index, count = d.given(n, symbol(n)), d.given(m, symbol(m))
    if compare(i.lam, 1) is None:
        d.note("The sum is 1 for λ < 1; at λ = 1 every weight is 0 and so is the sum.")
    if compare(i.lam, 0) == 0:
        d.note("0^0 is 1 here: at λ = 0 all weight lies on the 1-step return.")
    weight = d.step(Name("w", n), General((1 - lam, lam ** (index - 1))), f"for every {n} = 1, 2, 3, …")
    d.step(
        Name("S", m),
        1 - lam**count,
        f"sum of the first {m} weights: each is λ^({n}−1) − λ^{n}, and neighbours cancel",
    )
    limit = d.given(Name(f"lim λ^{m}", tex=rf"\lim_{{{m}\to\infty}}\lambda^{{{m}}}"), 0)
    d.output("general_weight", weight)
    d.output("sum", d.step("sum", term(1) - limit, f"λ^{m} tends to 0 for λ < 1"))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """(1 − λ)λ^{n−1}, and λ^{N−1} last: lam [...], N steps -> weights [..., N], sum [...]."""
    lam = xp.asarray(a.lam)
    if a.steps == math.inf:
        return {"weights": None, "sum": xp.ones_like(lam)}
    powers = lam[..., None] ** xp.cast(xp.indices(int(a.steps), lam), lam.dtype)
    weights = xp.concatenate([powers[..., :-1] * (1 - lam[..., None]), powers[..., -1:]], -1)
    return {"weights": weights, "sum": weights.sum(axis=-1)}
