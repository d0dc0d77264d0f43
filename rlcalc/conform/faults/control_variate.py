"""Faults of control variates."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Form, Outputs, fault


def _under(form: Form, arrays: dict[str, Any], best: Any) -> Outputs:
    """The outputs when this is taken for the best k."""
    factor = best if isinstance(arrays["k"], str) else arrays["k"]
    return {**form(**{**arrays, "k": factor}), "best_k": best}


def _moments(arrays: dict[str, Any]) -> tuple[Any, Any, Any, Any, int]:
    """Deviations of x and b, their covariance and the variance of b, and the number of samples."""
    x, b = np.broadcast_arrays(arrays["x"], arrays["b"])
    dx, db = x - x.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    return dx, db, (dx * db).mean(axis=-1), np.square(db).mean(axis=-1), x.shape[-1]


@fault("sign", stage="inputs")
def multiple_added(form: Form, **arrays: Any) -> Outputs:
    """Gives the variance of X + k·b.

    Shown when: A k other than 0 with an X and b that are correlated.
    Cause: The sign of k was flipped in one of two places: in the sum, or in the best k.
    Fix: X − k·b goes with k = Cov(X, b)/Var(b); with a plus sign k is the negative of that.
    - reduced = x + k * b
    + reduced = x - k * b
    """
    best = form(**arrays)["best_k"]
    factor = best if isinstance(arrays["k"], str) else arrays["k"]
    return {**form(**{**arrays, "k": -factor}), "best_k": best}


@fault("normalisation")
def ddof_mixed(form: Form, **arrays: Any) -> Outputs:
    """Divides the covariance by N − 1 and the variance by N, so that the best k is N/(N − 1) times too large.

    Shown when: The best k, for any b that is correlated with X.
    Cause: np.cov divides by N − 1, np.var by N.
    Fix: Take both from one matrix: c = np.cov(x, b); k = c[0, 1] / c[1, 1].
    - k = np.cov(x, b)[0, 1] / np.var(b)
    + c = np.cov(x, b)
    + k = c[0, 1] / c[1, 1]
    """
    _, _, covariance, var_b, count = _moments(arrays)
    return _under(form, arrays, covariance * count / (count - 1) / var_b)


@fault("normalisation")
def variance_of_the_wrong_series(form: Form, **arrays: Any) -> Outputs:
    """Divides the covariance by the variance of X.

    Shown when: The best k where X and b have different variances.
    Cause: Regression of b on X instead of X on b; the formula is symmetric but for this.
    Fix: k = Cov(X, b) / Var(b): the variance of what is subtracted.
      c = np.cov(x, b)
    - k = c[0, 1] / c[0, 0]
    + k = c[0, 1] / c[1, 1]
    """
    dx, _, covariance, _, _ = _moments(arrays)
    return _under(form, arrays, covariance / np.square(dx).mean(axis=-1))


@fault("normalisation")
def products_not_centred(form: Form, **arrays: Any) -> Outputs:
    """Takes E[X·b]/E[b²] for the best k, which is a regression through the origin.

    Shown when: The best k where the means are not 0.
    Cause: Least squares without a constant, or a score that was believed to have mean 0 in every sample.
    Fix: Subtract both means before multiplying.
    - k = (x * b).mean() / (b * b).mean()
    + k = ((x - x.mean()) * (b - b.mean())).mean() / b.var()
    """
    x, b = arrays["x"], arrays["b"]
    return _under(form, arrays, (x * b).mean(axis=-1) / np.square(b).mean(axis=-1))


@fault("normalisation")
def correlation_for_factor(form: Form, **arrays: Any) -> Outputs:
    """Takes the correlation for the best k.

    Shown when: The best k where X and b have different spreads.
    Cause: For standardised series they are the same.
    Fix: k is the correlation times std(X)/std(b).
    - k = np.corrcoef(x, b)[0, 1]
    + k = np.corrcoef(x, b)[0, 1] * x.std() / b.std()
    """
    return _under(form, arrays, form(**arrays)["correlation"])


@fault("precision")
def one_pass_variance(form: Form, **arrays: Any) -> Outputs:
    """Computes variances as E[x²] − E[x]², which loses all digits where the spread is small next to the mean.

    Shown when: Samples close together on a large offset.
    Cause: Both moments can be summed in one pass over the data.
    Fix: Subtract the mean first and square the deviations.
    - variance = (x * x).mean() - x.mean() ** 2
    + variance = ((x - x.mean()) ** 2).mean()
    """
    found = dict(form(**arrays))
    factor = found["best_k"] if isinstance(arrays["k"], str) else arrays["k"]
    residual = arrays["x"] - np.asarray(factor)[..., None] * arrays["b"]

    def variance(samples: Any) -> Any:
        return np.square(samples).mean(axis=-1) - np.square(samples.mean(axis=-1))

    return {"variance_x": variance(arrays["x"]), "variance": variance(residual)}
