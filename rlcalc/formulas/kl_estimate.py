"""Estimates of KL(π‖π_ref) from single tokens, and their derivatives.

    x = log π − log π_ref;   k1 = x,   k2 = x²/2,   k3 = exp(−x) − 1 + x ≥ 0,   abs = |x|.

Near x = 0 the three terms of k3 cancel to x²/2: the series is summed there,
so that float32 keeps its digits.

Source: Schulman, Approximating KL Divergence (2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import factorial, frexp, isnan
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, apply
from rlcalc.steps.gradient import gradient

_NEAR = 0.125  # below it ten terms of the series are good to the last digit of float64
_SINGLE = 6  # as many are, to that of float32
_SERIES = [(-1) ** k / factorial(k) for k in range(2, 13)]
_HALF_STEP = 2**-25  # half the distance from 1/2 to the next number of float32


def exact_form(d: Derivation, i: Inputs) -> None:
    found, slopes = [], []
    for k, (own, other) in enumerate(zip(i.logp, i.ref_logp, strict=True)):
        logp = d.given(Name("a", str(k)), own)
        reference = d.given(Name("b", str(k)), other)
        value = estimate_step(d, i, str(k), logp, reference)
        found.append(value)
        slope = gradient(value, [logp])
        slopes.append(slope and slope[0])
    d.output("estimate", found)
    if all(slopes):
        d.output("d_logp", [slope for slope in slopes if slope])
    else:
        d.note("The derivative needs numbers: with symbols it is not decided on which side of a kink x lies.")


def estimate_step(d: Derivation, i: Inputs, at: str, logp: Symbol, reference: Symbol) -> Symbol:
    """Steps x and k of one token; ``i`` says which estimator, and what is clamped."""
    x = d.step(Name("x", at), logp - reference)
    if i.given.get("clamp_in") is not None:
        bound = d.given("c", i.clamp_in)
        x = d.step(Name("x'", at), apply("clip", x, -bound, bound))
    kinds: dict[str, Term] = {
        "k1": x,
        "k2": x**2 / 2,
        "k3": apply("exp", -x) - 1 + x,
        "abs": apply("abs", x),
    }
    value = d.step(Name("k", at), kinds[i.kind])
    if i.given.get("clamp_out") is not None:
        bound = d.given("d", i.clamp_out)
        value = d.step(Name("k'", at), apply("clip", value, -bound, bound))
    return value


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Estimate and derivative by ``logp``, entry by entry: [..., K]."""
    x = within = a.logp - a.ref_logp
    if a.clamp_in is not None:
        within = xp.clip(x, -a.clamp_in, a.clamp_in)
    value, slope_of = estimate(xp, within, a.kind)
    slope = slope_of()
    if a.clamp_in is not None:
        slope = xp.where(xp.abs(x) > a.clamp_in, xp.zeros_like(slope), slope)
    if a.clamp_out is not None:
        slope = xp.where(xp.abs(value) > a.clamp_out, xp.zeros_like(slope), slope)
        value = xp.clip(value, -a.clamp_out, a.clamp_out)
    return {"estimate": value, "d_logp": slope}


def estimate(xp: Backend, x: Any, kind: str) -> tuple[Any, Callable[[], Any]]:
    """An estimator of x = log π − log π_ref, and what gives its derivative by x."""
    if kind == "k1":
        return x, lambda: xp.ones_like(x)
    if kind == "k2":
        return xp.square(x) / 2, lambda: x
    if kind == "abs":
        return xp.abs(x), lambda: xp.sign(x)
    if xp.values_only(x) and 1e-10 < xp.eps(x) < 1e-5:
        value, far = _mostly_near(xp, x)
        if value is not None:
            return value, lambda: _put(xp, x - value, x, far, lambda y: -xp.expm1(-y))
    # x = s + f with s near 0 and f the rest: k3(x) = k3(s) + expm1(−f)·(k3(s) + 1 − s) + f, no choice needed,
    # which would cost more than all of it
    small = xp.clip(x, -_NEAR, _NEAR)
    rest = x - small
    near = _series(xp, small, _SERIES if xp.eps(x) < 1e-10 else _SERIES[:_SINGLE])
    # expm1(−s) = k3(s) − s, and with it expm1(−x) takes no exponential of its own
    lower = near - small
    beyond = xp.expm1(-rest) * (lower + 1)
    return near + (beyond + rest), lambda: -(lower + beyond)


def _series(xp: Backend, x: Any, terms: Sequence[float]) -> Any:
    """x² Σ_k terms_k x^k."""
    found: Any = terms[-1]
    for term_ in reversed(terms[:-1]):
        found = xp.product_plus(x, found, term_, out=xp.over(found))
    for _ in range(2):
        found = xp.multiply(found, x, out=xp.over(found))
    return found


def _mostly_near(xp: Backend, x: Any) -> tuple[Any, Any]:
    """k3 of single-precision numbers, most of them within ±1, and the indices of the others.

    Tokens of a policy that was just updated are all near its reference: there the series alone is cheaper
    than an exponential. The few others are put in afterwards; where they are many there is no answer.
    """
    seen = xp.look(x)
    least, most = float(seen.min()), float(seen.max())
    far: Any = ()
    if not -1 <= least <= most <= 1:  # nan is in no range
        far = np.nonzero(np.abs(seen) > 1)
        if isnan(most) or 4 * far[0].size > seen.size:
            return None, far
        far = tuple(xp.asarray(axis) for axis in far)
    value = _series(xp, x, _shortest(min(frexp(max(-least, most))[1], 0)))
    return _put(xp, value, x, far, lambda y: xp.expm1(-y) + y), far


@cache
def _shortest(power: int) -> Sequence[float]:
    """The polynomial of the lowest degree that is the series for |x| ≤ 2^power, to single precision."""
    reach = max(2.0**power, 2.0**-30)
    series, x = np.polynomial.Polynomial(_SERIES), np.linspace(-reach, reach, 101)
    for degree in range(1, len(_SERIES)):
        fit = np.polynomial.Chebyshev.interpolate(series, degree, [-reach, reach])
        if np.abs(fit(x) - series(x)).max() < _HALF_STEP / 2:
            break
    return [float(c) for c in fit.convert(kind=np.polynomial.Polynomial).coef]


def _put(xp: Backend, found: Any, x: Any, far: Any, function: Callable[[Any], Any]) -> Any:
    """Values just made, of which those far from 0 are computed otherwise."""
    if far:
        found[far] = function(x[far])
    return found
