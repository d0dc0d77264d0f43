"""Chances that k of n samples, c of them right, hold a right one, or none that is wrong.

    pass@k = 1 − C(n−c, k)/C(n, k),   all@k = C(c, k)/C(n, k),

for k drawn without replacement; with replacement it is 1 − (1 − c/n)^k. As
arrays both quotients are products of k factors, (n−c−j)/(n−j) and
(c−j)/(n−j); logarithms keep a small chance from being 1 less nearly 1.

Source: Chen et al., arXiv:2107.03374, equation 1.
"""

from __future__ import annotations

import math
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact.budget import MAX_BITS
from rlcalc.exact.effort import TooMuchWork
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, term


def check(i: Inputs) -> None:
    _at_most_n("c", i.c, i.n)
    _at_most_n("k", i.k, i.n)


def check_arrays(a: Arrays) -> None:
    for name in ("c", "k"):
        found = a.look("n", name)
        if found is not None:
            n, count = np.broadcast_arrays(*found)
            worst = int(np.argmax(count - n)) if n.size else 0
            if n.size:
                _at_most_n(name, int(count.flat[worst]), int(n.flat[worst]))


def _at_most_n(name: str, count: int, n: int) -> None:
    if count > n:
        raise InputError(
            f"{name}_out_of_range",
            f"{spelled(name)} must be at most {spelled('n')}, {n}, not {count}.",
            "There are no more right samples than samples."
            if name == "c"
            else f"{count} different ones of {n} cannot be drawn: sample more, or lower {spelled('k')}.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.k * math.log2(i.n) > MAX_BITS:
        raise TooMuchWork("its numbers grow too long")
    n, c, k = d.given("n", i.n), d.given("c", i.c), d.given("k", i.k)
    draws = _ways(d, "draws", i.n, i.k, "k of the n samples")
    wrong = _ways(d, "wrong draws", i.n - i.c, i.k, "k of the wrong ones")
    right = _ways(d, "right draws", i.c, i.k, "k of the right ones")
    d.output("pass_at_k", d.step(_words("pass"), 1 - wrong / draws))
    d.output("all_k", d.step(_words("all"), right / draws))
    d.output("with_replacement", d.step(_words("with replacement"), 1 - (1 - c / n) ** k))


def _ways(d: Derivation, words: str, n: int, k: int, of: str) -> Symbol:
    """The number of ways to draw k of n, as a step."""
    return d.step(_words(words), term(math.comb(n, k)), f"C({n}, {k}): {of}")


def _words(words: str) -> Name:
    return Name(words, tex=rf"\text{{{words}}}")


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Counts [...] -> pass_at_k, all_k, with_replacement [...], in float64."""
    n, c, k = xp.broadcast_arrays(*(xp.cast(xp.asarray(count), xp.float64) for count in (a.n, a.c, a.k)))
    drawn = xp.cast(xp.indices(int(k.max()) if 0 not in k.shape else 0, k), xp.float64)
    counted = drawn < k[..., None]
    left = xp.where(counted, n[..., None] - drawn, xp.ones_like(counted * 1.0))
    wrong = xp.where(counted, n[..., None] - c[..., None] - drawn, left)
    right = xp.where(counted, c[..., None] - drawn, left)
    none = xp.log1p((xp.where(wrong > 0, wrong, 0 * wrong) - left) / left).sum(-1)
    whole = xp.where(right > 0, right, 0 * right) / left
    return {
        "pass_at_k": -xp.expm1(none),
        "all_k": xp.prod(whole, -1),
        "with_replacement": -xp.expm1(k * xp.log1p(-c / n)),
    }
