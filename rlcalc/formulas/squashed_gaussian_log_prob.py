"""Log-probability of an action that a Gaussian draws and tanh squashes between bounds.

    a_k = m_k + s_k tanh(u_k),   u_k ~ N(μ_k, σ_k),   s = (high − low)/2,   m = (high + low)/2
    log π(a) = Σ_k log N(u_k; μ_k, σ_k) − log s_k − log(1 − tanh² u_k)
    log(1 − tanh² u) = 2 (log 2 − u − log(1 + exp(−2u)))

The last line has no logarithm of 0 however large u is, so that nothing has to be added inside it.

Source: Haarnoja et al., arXiv:1801.01290, appendix C.
"""

from __future__ import annotations

import math
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, to_text
from rlcalc.formulas._gaussian import exact_log_densities, log_densities
from rlcalc.formulas._preference import log_one_plus_exp, softplus
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, apply, total


def check(i: Inputs) -> None:
    """Refuse bounds that leave no room between them.

    Raises:
        InputError: ``high_out_of_range``.
    """
    if i.low is None:
        return
    count = len(i.u)
    for low, high in zip(_each(i.low, count), _each(i.high, count), strict=True):
        if compare(high, low) in (0, -1):
            raise _crossed(to_text(low), to_text(high))


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    found = a.look("low", "high") if a.low is not None else None
    if found is not None:
        low, high = np.broadcast_arrays(*found)
        wrong = high <= low
        if wrong.any():
            raise _crossed(f"{low[wrong][0]:g}", f"{high[wrong][0]:g}")


def _crossed(low: str, high: str) -> InputError:
    return InputError(
        "high_out_of_range",
        f"{spelled('high')} must be above {spelled('low')}, not {high} with {low} below it.",
        f"They are the ends of the interval that the action lies in, such as {spelled('low')} −2 and "
        f"{spelled('high')} 2.",
    )


def _each(value: Any, count: int) -> list[Any]:
    return value if isinstance(value, list) else [value] * count


def exact_form(d: Derivation, i: Inputs) -> None:
    count = len(i.u)
    points = [d.given(Name("u", str(k)), u) for k, u in enumerate(i.u, start=1)]
    logs = exact_log_densities(d, i, points)
    found, actions = list[Term](), list[Term]()
    for k, (u, log) in enumerate(zip(points, logs, strict=True), start=1):
        scale, middle = _bounds(d, i, k, count)
        slope = d.step(Name("c", str(k)), 2 * (apply("log", 2) - u - log_one_plus_exp(-2 * u)), _SLOPE)
        power = apply("exp", -2 * u)
        squashed = d.step(Name("t", str(k)), (1 - power) / (1 + power), "tanh")
        actions.append(
            d.step(Name("a", str(k)), scale * squashed if middle is None else middle + scale * squashed)
        )
        found.append(log - apply("log", scale) - slope)
    each = [d.step(Name("ℓ", str(k), "a"), term, "of the action") for k, term in enumerate(found, start=1)]
    d.output("log_prob", d.step(Name("log π", tex=r"\log\pi"), total(each), "independent dimensions"))
    d.output("log_probs", each)
    d.output("action", actions)


_SLOPE = "log(1 − tanh²)"


def _bounds(d: Derivation, i: Inputs, k: int, count: int) -> tuple[Term, Term | None]:
    """Half the width and the middle of the interval of dimension k; no middle where it is 0."""
    if i.low is None:
        return d.given(Name("s", str(k), "a"), _each(i.scale, count)[k - 1]), None
    low = d.given(Name("low", str(k)), _each(i.low, count)[k - 1])
    high = d.given(Name("high", str(k)), _each(i.high, count)[k - 1])
    return d.step(Name("s", str(k), "a"), (high - low) / 2), d.step(Name("m", str(k)), (high + low) / 2)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """u, mean, std or log_std [..., D] -> log_prob [...], log_probs and action [..., D]."""
    half, middle = (a.scale, 0 * a.scale) if a.low is None else ((a.high - a.low) / 2, (a.high + a.low) / 2)
    slope = 2 * (math.log(2) - a.u - softplus(xp, -2 * a.u))
    logs = log_densities(xp, a.u, a.mean, a.std, a.log_std) - xp.log(half) - slope
    return {"log_prob": logs.sum(-1), "log_probs": logs, "action": middle + half * xp.tanh(a.u)}
