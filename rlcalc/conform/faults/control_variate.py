"""Faults of control variates."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _under(form: Form, arrays: dict[str, Any], best: Any) -> Outputs:
    """The outputs when this is taken for the best k."""
    factor = best if isinstance(arrays["k"], str) else arrays["k"]
    return {**form(**{**arrays, "k": factor}), "best_k": best}


def _moments(arrays: dict[str, Any]) -> tuple[Any, Any, Any, Any, int]:
    """Deviations of x and b, their covariance and the variance of b, and the number of samples."""
    import numpy as np

    x, b = np.broadcast_arrays(arrays["x"], arrays["b"])
    dx, db = x - x.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    return dx, db, (dx * db).mean(axis=-1), np.square(db).mean(axis=-1), x.shape[-1]


def multiple_added(form: Form, **arrays: Any) -> Outputs:
    best = form(**arrays)["best_k"]
    factor = best if isinstance(arrays["k"], str) else arrays["k"]
    return {**form(**{**arrays, "k": -factor}), "best_k": best}


def ddof_mixed(form: Form, **arrays: Any) -> Outputs:
    _, _, covariance, var_b, count = _moments(arrays)
    return _under(form, arrays, covariance * count / (count - 1) / var_b)


def variance_of_the_wrong_series(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    dx, _, covariance, _, _ = _moments(arrays)
    return _under(form, arrays, covariance / np.square(dx).mean(axis=-1))


def products_not_centred(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    x, b = arrays["x"], arrays["b"]
    return _under(form, arrays, (x * b).mean(axis=-1) / np.square(b).mean(axis=-1))


def correlation_for_factor(form: Form, **arrays: Any) -> Outputs:
    return _under(form, arrays, form(**arrays)["correlation"])


def one_pass_variance(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = dict(form(**arrays))
    factor = found["best_k"] if isinstance(arrays["k"], str) else arrays["k"]
    residual = arrays["x"] - np.asarray(factor)[..., None] * arrays["b"]

    def variance(samples: Any) -> Any:
        return np.square(samples).mean(axis=-1) - np.square(samples.mean(axis=-1))

    return {"variance_x": variance(arrays["x"]), "variance": variance(residual)}
