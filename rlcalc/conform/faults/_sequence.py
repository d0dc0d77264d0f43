"""What the faults of the sequence formulas share: reading the arguments, and faults of several formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]

# below this a weight (γλ)^k is left out by an implementation with a convolution
THRESHOLD = 1e-7


def flags(arrays: Mapping[str, Any], name: str) -> Any:
    """``terminated`` or ``truncated``, all off where it is absent."""
    import numpy as np

    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


def next_values(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step."""
    import numpy as np

    given = arrays.get("next_values")
    if given is not None:
        return given
    values = arrays.get("values")
    return np.zeros_like(arrays["rewards"]) if values is None else values[..., 1:]


def bootstraps(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step, 0 after a terminated one."""
    import numpy as np

    return np.where(flags(arrays, "terminated"), arrays["rewards"].dtype.type(0), next_values(arrays))


def last_step(arrays: Mapping[str, Any]) -> Any:
    """True at the last step of the sequence."""
    import numpy as np

    steps = arrays["rewards"].shape[-1]
    return np.arange(steps) == steps - 1


def cut(arrays: Mapping[str, Any]) -> Any:
    """True where the sequence is parted for any reason, the end of the data not among them."""
    return flags(arrays, "terminated") | flags(arrays, "truncated")


def discounts(arrays: Mapping[str, Any]) -> Any:
    """One discount per step."""
    import numpy as np

    return np.broadcast_to(arrays["gamma"], arrays["rewards"].shape)


def late(series: Any) -> Any:
    """Entry t − 1 where t is looked for; 0 in front."""
    import numpy as np

    moved = np.zeros_like(series)
    moved[..., 1:] = series[..., :-1]
    return moved


def early(series: Any) -> Any:
    """Entry t + 1 where t is looked for; 0 at the end."""
    import numpy as np

    moved = np.zeros_like(series)
    moved[..., :-1] = series[..., 1:]
    return moved


def narrow(numbers: Any) -> Any:
    """Rounded to float32, in the dtype that they had."""
    import numpy as np

    return np.asarray(numbers, np.float32).astype(numbers.dtype)


def convolved(base: Any, decay: Any, onward: Any) -> Any:
    """Σ_k decay^k·base_{t+k} inside an episode, without the powers below the threshold.

    Raises:
        IndexError: where not even the power 0 is left.
    """
    kept = int(math.log(THRESHOLD) / math.log(decay)) if decay > 0 else 0
    if not kept:
        raise IndexError("index 0 is out of bounds for dimension 0 with size 0")
    total = term = base
    for _ in range(1, min(kept, base.shape[-1])):
        term = decay * onward * early(term)
        total = total + term
    return total


def fades(decay: Any) -> bool:
    """Whether a decay is one number below 1, so that its powers make a kernel that may be cut off."""
    import numpy as np

    return not np.ndim(decay) and bool(decay < 1)


def mapped(found: Mapping[str, Any], name: str, change: Callable[[Any], Any]) -> Outputs:
    """Outputs with one of them changed."""
    return {**found, name: change(found[name])}


def with_returns(found: Mapping[str, Any], arrays: Mapping[str, Any], returns: Any) -> Outputs:
    """Outputs with other returns, and with the update that follows from them."""
    alpha = arrays.get("alpha")
    changed = {**found, "returns": returns}
    if alpha is not None:
        old = arrays["values"][..., 0]
        changed["updated"] = old + alpha * (returns[..., 0] - old)
    return changed


# faults of more than one formula; the module of each formula has them under their names


def recursion_crosses_truncation(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "truncated": None}))


def recursion_crosses_ends(form: Form, **arrays: Any) -> Outputs:
    """Flags take the bootstrap away and do nothing else."""
    changed = {"next_values": bootstraps(arrays), "terminated": None, "truncated": None}
    return dict(form(**{**arrays, **changed}))


def flags_ignored(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "terminated": None, "truncated": None}))


def bootstrap_after_terminal(form: Form, **arrays: Any) -> Outputs:
    """A terminated step is handled as a truncated one."""
    if arrays.get("terminated") is None:
        return dict(form(**arrays))
    return dict(form(**{**arrays, "terminated": None, "truncated": cut(arrays)}))


def next_value_of_reset_state(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "next_values": None}))


def computes_in_float32(form: Form, **arrays: Any) -> Outputs:
    """Inputs are cast to float32, outputs back again."""
    import numpy as np

    kinds = {value.dtype for value in arrays.values() if _floating(value)}
    single = {name: value.astype(np.float32) if _floating(value) else value for name, value in arrays.items()}
    (kind,) = kinds
    return {name: value.astype(kind) for name, value in form(**single).items() if value is not None}


def _floating(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"


def discounts_in_float32(form: Form, **arrays: Any) -> Outputs:
    """γ is a float32 number; the data that it is multiplied with are not."""
    return dict(form(**{**arrays, "gamma": narrow(arrays["gamma"])}))


def raises_at_gamma_lam_zero(form: Form, **arrays: Any) -> Outputs:
    """A kernel of the powers of γλ is empty, or its logarithm is taken."""
    _refuse_zero(arrays["gamma"] * arrays["lam"])
    return dict(form(**arrays))


def raises_at_gamma_zero(form: Form, **arrays: Any) -> Outputs:
    _refuse_zero(arrays["gamma"])
    return dict(form(**arrays))


def _refuse_zero(decay: Any) -> None:
    import numpy as np

    if not np.ndim(decay) and decay == 0:
        raise IndexError("tuple index out of range")
