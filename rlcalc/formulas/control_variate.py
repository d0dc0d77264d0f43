"""Control variate: variance of X before and after k·b is subtracted.

From N equally likely joint samples (x_j, b_j), dividing by N throughout:

    Var(X − k b) = (1/N) Σ_j (y_j − μ_y)²,   y_j = x_j − k b_j
                 = Var X − 2k Cov(X, b) + k² Var b,

least at k* = Cov(X, b) / Var b, where it is (1 − ρ²) Var X.

Source: Owen, Monte Carlo theory, methods and examples (2013), section 8.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, equal, is_symbolic, to_unicode
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, Symbol, Term, apply, total
from rlcalc.steps.values import factored


def check(i: Inputs) -> None:
    """Refuse the best factor for a control variate that never varies.

    Raises:
        InputError: ``b_constant``.
    """
    if i.k == "best" and _constant(i.b):
        raise _b_constant()


def check_arrays(a: Arrays) -> None:
    found = a.look("b") if isinstance(a.k, str) else None
    if found is not None and not np.all(np.max(found[0], axis=-1) != np.min(found[0], axis=-1)):
        raise _b_constant()


def _b_constant() -> InputError:
    return InputError(
        "b_constant",
        "There is no best k: b is the same in every sample, so its variance is 0 and it explains nothing.",
        "Give k as a number (any leaves Var X as it is), or samples of b that vary.",
    )


def _constant(samples: Sequence[Any]) -> bool:
    return all(equal(samples[0], other) for other in samples[1:])


def exact_form(d: Derivation, i: Inputs) -> None:
    x = [d.given(Name("x", str(j)), value) for j, value in enumerate(i.x, start=1)]
    b = [d.given(Name("b", str(j)), value) for j, value in enumerate(i.b, start=1)]
    mean_x, mean_b = _mean(d, Name("μ", "X"), x), _mean(d, Name("μ", "b"), b)
    var_x = d.step(Name("Var", arg=Name("X")), _spread(x, mean_x, x, mean_x))
    var_b = d.step(Name("Var", arg=Name("b")), _spread(b, mean_b, b, mean_b))
    covariance = d.step(Name("Cov", arg=Name("X,b")), _spread(x, mean_x, b, mean_b))
    d.output("variance_x", var_x)
    best = None
    if _constant(i.b):
        d.note("b is constant: subtracting it changes no variance.")
    else:
        if any(map(is_symbolic, i.b)):
            letters = ", ".join(dict.fromkeys(to_unicode(value) for value in i.b))
            d.note(f"b is taken to vary: not all of {letters} are equal, since k* divides by Var(b).")
        best = d.step(Name("k", sup="*"), covariance / var_b, "the factor with the least variance")
        d.output("best_k", best)
    # check() made sure that there is a best factor where one is asked for
    k = d.given("k", best.value if i.k == "best" and best is not None else i.k)
    y = [
        d.step(Name("y", str(j)), x_j - k * b_j)
        for j, (x_j, b_j) in enumerate(zip(x, b, strict=True), start=1)
    ]
    mean_y = _mean(d, Name("μ", "y"), y)
    variance = d.step(Name("Var", arg=Name("y")), _spread(y, mean_y, y, mean_y), "Var(X − k b)")
    d.output("variance", variance)
    if best is None or _constant(i.x):
        d.note("A constant has no correlation with anything.")
    else:
        d.output("correlation", d.step("ρ", Rewritten(covariance / apply("sqrt", var_x * var_b), factored)))
    if compare(variance.value, var_x.value) == 1:
        d.note("The variance has grown: k is more than twice the best factor, or has the wrong sign.")


def _mean(d: Derivation, name: Name, samples: list[Symbol]) -> Symbol:
    sum_ = total(samples)
    return d.step(name, sum_ / len(samples) if len(samples) > 1 else sum_)


def _spread(u: list[Symbol], mean_u: Symbol, v: list[Symbol], mean_v: Symbol) -> Term:
    """(1/N) Σ_j (u_j − μ_u)(v_j − μ_v)."""
    parts: list[Term] = []
    for one, other in zip(u, v, strict=True):
        parts.append((one - mean_u) ** 2 if u is v else (one - mean_u) * (other - mean_v))
    sum_ = total(parts)
    return sum_ / len(u) if len(u) > 1 else sum_


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Variances over the last axis: x, b [..., N], k [...] -> all [...]; nan where b is constant."""
    x, b = xp.broadcast_arrays(a.x, a.b)
    dx, x_varies = _centred(xp, x)
    db, b_varies = _centred(xp, b)
    var_x, var_b = _variance(dx), _variance(db)
    covariance = (dx * db).mean(axis=-1)
    one = xp.ones_like(var_b)
    # 0/0 is nan in the value; without the second where it would be nan in the gradient as well
    best = xp.where(b_varies, covariance / xp.where(b_varies, var_b, one), xp.nan)
    factor = best if isinstance(a.k, str) else a.k + xp.zeros_like(var_x)
    both = x_varies & b_varies
    size = xp.sqrt(xp.where(both, var_x, one)) * xp.sqrt(xp.where(both, var_b, one))
    return {
        "variance_x": var_x,
        "variance": _variance(dx - factor[..., None] * db),
        "best_k": best,
        "correlation": xp.where(both, xp.clip(covariance / size, -1, 1), xp.nan),
    }


def _variance(samples: Any) -> Any:
    """In two passes: the mean of large deviations was rounded."""
    return ((samples - samples.mean(axis=-1)[..., None]) ** 2).mean(axis=-1)


def _centred(xp: Backend, samples: Any) -> tuple[Any, Any]:
    """Deviations from the mean, exactly 0 for a constant, and whether there are any."""
    # the mean of 0.1, 0.1, 0.1 is not 0.1 in floating point
    varies = xp.amax(samples, -1) != xp.amin(samples, -1)
    centred = samples - samples.mean(axis=-1)[..., None]
    # the mean of large samples was rounded; that of their deviations hardly is
    centred = centred - centred.mean(axis=-1)[..., None]
    return xp.where(varies[..., None], centred, xp.zeros_like(centred)), varies
