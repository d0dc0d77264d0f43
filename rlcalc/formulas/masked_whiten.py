"""Whitening over the valid tokens of a batch.

    μ = Σ x/S,   var = Σ (x − μ)²/(S − ddof),   y = (x − μ)·k,

with k = 1/√(var + ε), 1/(√var + ε) or 1/√max(var, ε). Two passes, since
E[x²] − E[x]² cancels; equal values are recognised by comparing them.

Source: Andrychowicz et al., arXiv:2006.05990, section 3.5.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term, total

Place = tuple[int, int]

_ROUNDING = 64  # steps of rounding within which the deviations of equal values lie, with room to spare
MAX_SHOWN = 8  # entries that are written out; the others are like them


def exact_form(d: Derivation, i: Inputs) -> None:
    entries: dict[Place, Term] = {
        (n, t): d.given(Name("x", f"{n},{t}"), value)
        for n, row in enumerate(i.x)
        for t, value in enumerate(row)
        if i.mask[n][t]
    }
    found: list[list[Term]] = [[term(0) for _ in row] for row in i.x]
    for (n, t), whole in whitened_steps(d, i, "y", entries, mean_kept=not i.shift_mean).items():
        found[n][t] = whole
    d.output("whitened", found)


def whitened_steps(
    d: Derivation, i: Inputs, letter: str, entries: dict[Place, Term], *, mean_kept: bool = False
) -> dict[Place, Term]:
    """Whitened values of the valid entries by place, as ``ddof``, ``eps`` and ``place`` of the inputs say."""
    if not entries:
        d.note("No token is valid.")
        return {}
    count = len(entries)
    mean = d.step("μ", total(entries.values()) / count)
    first = next(iter(entries.values())).value
    flat = count <= i.ddof or all(x.value == first for x in entries.values())
    if flat:
        d.note("There is one valid token, or all are equal: nothing is left of them.")
    factor = term(0) if flat else _factor(d, i, [x - mean for x in entries.values()], count)
    found: dict[Place, Term] = {}
    for at, (place, x) in enumerate(entries.items()):
        whole = term(0) if flat else (x - mean) * factor
        if mean_kept:
            whole = mean if flat else whole + mean
        found[place] = d.step(Name(letter, f"{place[0]},{place[1]}"), whole, shown=at < MAX_SHOWN)
    return found


def _factor(d: Derivation, i: Inputs, deviations: list[Term], count: int) -> Term:
    variance = d.step("var", total(x**2 for x in deviations) / (count - i.ddof))
    if not i.eps:
        return d.step("k", 1 / apply("sqrt", variance))
    eps = d.given("ε", i.eps)
    if i.place == "outside":
        return d.step("k", 1 / (apply("sqrt", variance) + eps))
    below = variance + eps if i.place == "inside" else apply("max", variance, eps)
    return d.step("k", 1 / apply("sqrt", below))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Values and mask [..., N, T] -> whitened [..., N, T]."""
    return {"whitened": whitened(xp, a.x, a.mask, a, a.shift_mean)}


def whitened(xp: Backend, x: Any, mask: Any, a: Arrays, shift_mean: Any = True) -> Any:
    """Values [..., N, T], 0 where they are masked, as ``ddof``, ``eps`` and ``place`` of the inputs say."""
    eps = a.eps
    # what is masked is 0 already: sums need no second choice of what counts
    number = xp.cast(mask, x.dtype)
    if number.shape != x.shape:
        number = number + xp.zeros_like(x)
    count = _over_batch(number)
    one = xp.ones_like(count)
    divisor = xp.where(count > 0, count, one)
    first = _over_batch(x) / divisor
    deviations: Any = x - first
    deviations = xp.multiply(deviations, number, out=xp.over(deviations))
    # once more from there: the first mean is as rounded as the largest value
    rest = _over_batch(deviations) / divisor
    deviations = xp.subtract(deviations, rest, out=xp.over(deviations, rest))
    deviations = xp.multiply(deviations, number, out=xp.over(deviations))
    mean, left = first + rest, count - xp.cast(xp.asarray(a.ddof), x.dtype)
    variance = _over_batch(xp.square(deviations)) / xp.where(left > 0, left, one)
    flat = _flat(xp, x, mask, mean, variance) | (left <= 0)
    variance = xp.where(flat, one, variance)
    if a.place == "outside":
        below = xp.sqrt(variance) + eps
    else:
        eps = xp.zeros_like(variance) + eps
        below = xp.sqrt(variance + eps if a.place == "inside" else xp.maximum(variance, eps))
    below = xp.where(flat, one * xp.inf, below)
    found: Any = xp.divide(deviations, below, out=xp.over(deviations, below))
    shift_mean = xp.placed(xp.asarray(shift_mean), x)
    if xp.any_or_unknown(~shift_mean):
        found = found + xp.where(shift_mean, xp.zeros_like(mean), mean)
    elif not xp.any_or_unknown(~xp.isfinite(variance)):
        return found  # what is masked is 0 as it stands
    return xp.where(mask, found, 0.0)


def _flat(xp: Backend, x: Any, mask: Any, mean: Any, variance: Any) -> Any:
    """Whether all valid entries are equal, told by comparing them: rounding has no say."""
    # equal entries deviate by the rounding of their mean alone; nan asks for the look, too
    if not xp.any_or_unknown(~(variance > xp.square(_ROUNDING * xp.eps(x) * mean))):
        return variance < 0
    # what is masked counts as the mean, which is neither the largest nor the smallest
    shown = xp.where(mask, x, mean)
    equal = xp.amax(xp.amax(shown, axis=-1), axis=-1) == xp.amin(xp.amin(shown, axis=-1), axis=-1)
    return equal[..., None, None]


def _over_batch(array: Any) -> Any:
    """The sum over rows and tokens, as [..., 1, 1]."""
    return array.sum(-1).sum(-1)[..., None, None]
