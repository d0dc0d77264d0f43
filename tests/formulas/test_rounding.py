"""Where a formula typed as it stands loses its digits, the numeric forms keep them: wanted values by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.backends import BY_NAME

RARE = math.exp(-40) / (1 + math.exp(-40))
NEAR = [1.1, 0.7]
# large offsets in float32; deviations −4/3, −1/3, 5/3 and −2/3, 1/3, 1/3
OFFSET_X, OFFSET_B = [8388609.0, 8388610.0, 8388612.0], [8388608.0, 8388609.0, 8388609.0]
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    # formula, inputs, outputs wanted, dtype
    ("actor_loss", {"log_probs": [-1000.0, -2000.0], "advantages": [0.5, -0.125]}, {"objective": -250},
     "float64"),
    # a factor of a million on a baseline whose mean is rounded
    ("control_variate", {"x": [1.0, 2.0, 4.0], "b": [0.1] * 3, "k": 1e6},
     {"variance": 14 / 9, "variance_x": 14 / 9, "best_k": math.nan, "correlation": math.nan}, "float64"),
    ("control_variate", {"x": OFFSET_X, "b": OFFSET_B, "k": "best"},
     {"variance_x": 14 / 9, "best_k": 2, "variance": 2 / 3}, "float32"),
    # a mean of squares less the square of the mean would lose every digit
    ("critic_loss", {"values": 4e6, "returns": [4e6, 4e6 + 1, 4e6 + 2, 4e6 + 3], "reduction": "mean"},
     {"loss": 3.5, "minimum": 1.25}, "float32"),
    ("grpo_advantage", {"rewards": [[0.1] * 3, [1.0, 0.0, 0.0]]},
     {"advantages": [[0, 0, 0], [math.sqrt(2), -math.sqrt(0.5), -math.sqrt(0.5)]]}, "float64"),
    ("grpo_advantage", {"rewards": [0.0, *[0.95] * 7]},
     {"advantages": [-math.sqrt(7), *[1 / math.sqrt(7)] * 7]}, "float32"),
    # q·w² = 1e-200·(5e199)², although (5e199)² alone is beyond float64
    ("importance", {"p": [0.5, 0.5], "q": [1e-200, 1.0], "f": [1.0, 0.0]},
     {"estimate": 0.5, "weight_variance": 2.5e199, "effective_share": 4e-200}, "float64"),
    # V = r/(1 − γ) is a fixed point
    *(("lambda_return", {"rewards": [1.0] * 4096, "values": [1000.0] * 4097, "gamma": 0.999, "lam": 0.95},
       {"returns": [1000] * 4096}, dtype) for dtype in ("float64", "float32")),
    ("policy_gradient", {"mdp": "bandit", "theta": [[40.0, -40.0]]},
     {"gradient": [[10 * math.exp(-80), -10 * math.exp(-80)]]}, "float64"),
    # each exponentiated alone is 0/0
    ("ratio", {"new_log": [-1000.0, -5000.0], "old_log": [-1001.0, -5000.0]}, {"ratio": [math.e, 1]},
     "float64"),
    # 1 − π(a) where the action is all but certain
    ("score", {"theta": [40.0, 0.0], "action": 0}, {"score": [RARE, -RARE]}, "float64"),
    ("score", {"theta": [300.0, 0.0], "action": 0}, {"score": [math.exp(-300), -math.exp(-300)]}, "float64"),
    *(("softmax", {"theta": [size, 0.0]}, {"policy": [1, 0] if size > 0 else [0, 1]}, dtype)
      for size in (1e3, -1e3, 3e38) for dtype in ("float64", "float32")),
    ("softmax", {"theta": [40.0, 0.0]}, {"policy": [1, RARE]}, "float64"),
    # both ends are met exactly
    ("td_update", {"value": [1e20, -3.0], "target": NEAR, "alpha": 1.0}, {"value": NEAR}, "exact"),
    *(("td_update", {"value": NEAR, "target": NEAR, "alpha": alpha}, {"value": NEAR}, "exact")
      for alpha in (0.1, 0.3, 0.7, 1.9)),
    # written from the target's end it would be 1 − 1 = 0
    ("td_update", {"value": 0.0, "target": 1.0, "alpha": 1e-17}, {"value": 1e-17}, "float64"),
]  # fmt: skip
NEARNESS = {"exact": 0, "float64": 1e-12, "float32": 2e-3}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(("formula", "given", "wanted", "dtype"), CASES)
def test_digits_are_kept(
    backend: str, formula: str, given: dict[str, Any], wanted: dict[str, Any], dtype: str
) -> None:
    xp, name = BY_NAME[backend], dtype.replace("exact", "float64")
    kind = np.dtype(name) if backend == "numpy" else getattr(xp, name)
    arrays = {key: xp.array(x, kind) if isinstance(x, list | float) else x for key, x in given.items()}
    found = rlcalc.compute(formula, **arrays)
    for output, value in wanted.items():
        assert found[output].dtype == kind
        np.testing.assert_allclose(np.asarray(found[output]), value, rtol=NEARNESS[dtype], atol=0)
