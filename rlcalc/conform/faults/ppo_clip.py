"""Faults of PPO's clipped objective."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _smaller(unclipped: Any, clipped: Any) -> Outputs:
    import numpy as np

    return {"objective": np.minimum(unclipped, clipped)}


def minimum_before_the_product(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return {"objective": np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv}


def maximum_for_minimum(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return {"objective": np.maximum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)}


def minimum_forgotten(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return {"objective": np.clip(ratio, 1 - eps, 1 + eps) * adv}


def clip_forgotten(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    return {"objective": ratio * adv}


def clipped_above_only(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return _smaller(ratio * adv, np.minimum(ratio, 1 + eps) * adv)


def bounds_swapped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    # with the lower bound above the upper one, clip gives the last bound that it applies
    return _smaller(ratio * adv, np.clip(ratio, 1 + eps, 1 - eps) * adv)


def interval_around_zero(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return _smaller(ratio * adv, np.clip(ratio, -eps, eps) * adv)


def advantage_clipped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    import numpy as np

    return _smaller(ratio * adv, ratio * np.clip(adv, 1 - eps, 1 + eps))


def log_ratio_for_ratio(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    return dict(form(**{**arrays, "ratio": np.log(arrays["ratio"])}))
