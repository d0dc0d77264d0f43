"""Importance weights between the engine that samples and the trainer that learns.

    d = log π_old − log μ,   w = exp(d), exp(Σ_t d) or exp(Σ_t d / L) over the valid tokens of a row,

truncated to [low, high], or 0 where low ≤ w ≤ high does not hold. With a gate another of the three decides
what is dropped. The weights are constants to any gradient.

Source: Ling Team, arXiv:2510.18855.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas._bounds import (
    bounded,
    bounded_array,
    check_bound_arrays,
    check_bounds,
    given_bounds,
    within,
    within_array,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term, total

check = check_bounds
check_arrays = check_bound_arrays


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.gate is not None and i.action != "mask":
        d.note("The gate drops tokens; it says nothing without the action mask.")
    gate = i.gate or i.level
    weights: list[dict[int, Term]] = []
    keep: list[list[Term]] = []
    for n, flags in enumerate(i.mask):
        ratios = _Ratios(d, i, n)
        own, kept = {}, {}
        for t, there in enumerate(flags):
            if there:
                kept[t] = i.action != "mask" or within(ratios.of(gate, t).value, i.low, i.high)
                own[t] = _weight(d, i, ratios.of(i.level, t)) if kept[t] else term(0)
        weights.append(own)
        keep.append([term(int(kept.get(t, False))) for t in range(len(flags))])
    if i.normalise:
        _normalise(d, i, weights)
    d.output(
        "weights",
        [[own.get(t, term(0)) for t in range(len(row))] for own, row in zip(weights, i.mask, strict=True)],
    )
    d.output("keep", keep)


class _Ratios:
    """Ratios of one row on every level, each a step where it is first asked for."""

    def __init__(self, d: Derivation, i: Inputs, n: int) -> None:
        self._d, self._n = d, n
        self._gaps = {
            t: d.given(Name("a", f"{n},{t}"), i.train_logp[n][t])
            - d.given(Name("b", f"{n},{t}"), i.rollout_logp[n][t])
            for t, there in enumerate(i.mask[n])
            if there
        }
        self._found: dict[Name, Term] = {}

    def of(self, level: str, t: int) -> Term:
        if level == "token":
            return self._step(Name("r", f"{self._n},{t}"), self._gaps[t])
        whole = total(self._gaps.values())
        if level == "sequence":
            return self._step(Name("P", str(self._n)), whole, "product of the ratios of an answer")
        mean = whole / len(self._gaps)
        return self._step(Name("G", str(self._n)), mean, "geometric mean of the ratios of an answer")

    def _step(self, name: Name, exponent: Term, note: str = "") -> Term:
        if name not in self._found:
            self._found[name] = self._d.step(name, apply("exp", exponent), note)
        return self._found[name]


def _weight(d: Derivation, i: Inputs, ratio: Term) -> Term:
    return bounded(ratio, *given_bounds(d, i)) if i.action == "truncate" else ratio


def _normalise(d: Derivation, i: Inputs, weights: list[dict[int, Term]]) -> None:
    """Divide by the mean weight, over tokens or over rows that have one."""
    if i.level == "token":
        counted = [weight for own in weights for weight in own.values()]
    else:
        # with a gate by token the weight of a row is that of its mean token
        counted = [total(own.values()) / len(own) for own in weights if own]
    if not counted:
        return
    mean = d.step("c", total(counted) / len(counted), "mean weight")
    if compare(mean.value, 0) == 0:
        return
    for n, own in enumerate(weights):
        for t, weight in own.items():
            own[t] = d.step(Name("w", f"{n},{t}"), weight / mean)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Log-probabilities and mask [..., N, T] -> weights and keep [..., N, T]."""
    gaps: Any = xp.constant(xp.subtract(a.train_logp, a.rollout_logp, out=xp.spare(a.train_logp)))
    kept = a.mask
    if kept.shape != gaps.shape:
        kept, _ = xp.broadcast_arrays(a.mask, gaps)
    number = divisors = None
    if a.normalise or {a.level, a.gate} - {"token", None}:  # of single tokens no length is asked for
        number = xp.cast(kept, gaps.dtype)
        lengths = number.sum(-1)[..., None]
        divisors = xp.where(lengths > 0, lengths, xp.ones_like(lengths))
    judged = None if a.gate in (None, a.level) else _ratio(xp, gaps + 0.0, divisors, a.gate)
    ratio = _ratio(xp, gaps, divisors, a.level)
    if a.action == "mask":
        kept = kept & within_array(ratio if judged is None else judged, a.low, a.high)
    if a.action == "truncate":
        ratio = bounded_array(xp, ratio, a.low, a.high)
    weights = xp.where(kept, ratio, 0.0, out=xp.over(ratio, kept))
    if a.normalise:
        weights = weights / _mean(xp, weights, number, divisors, a.level)
    return {"weights": weights, "keep": xp.cast(kept, gaps.dtype, out=xp.spare(a.rollout_logp))}


def _ratio(xp: Backend, gaps: Any, divisors: Any, level: str) -> Any:
    """The ratio that a level goes by, for every token: [..., N, T]; that of tokens is put over the gaps."""
    if level == "token":
        return xp.exp(gaps, out=xp.over(gaps))
    whole = gaps.sum(-1)[..., None]
    return xp.exp(whole if level == "sequence" else whole / divisors) + xp.zeros_like(gaps)


def _mean(xp: Backend, weights: Any, number: Any, divisors: Any, level: str) -> Any:
    """Mean weight of valid tokens, or of rows that have one: [..., 1, 1], never 0."""
    if level != "token":
        weights, number = weights / divisors, number / divisors
    whole = weights.sum(-1).sum(-1)[..., None, None]
    count = number.sum(-1).sum(-1)[..., None, None]
    one = xp.ones_like(whole)
    return xp.where(whole > 0, whole, one) / xp.where((count > 0) & (whole > 0), count, one)
