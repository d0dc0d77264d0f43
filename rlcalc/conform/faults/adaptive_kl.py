"""Faults of the adaptive coefficient of a KL penalty."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, given, sets


def _run(arrays: Arrays, errors: Any, share: Any = None) -> Outputs:
    kl = arrays["kl"]
    if share is None:
        share = arrays["n_steps"] / arrays["horizon"]
    factors = (1 + errors * share).astype(kl.dtype)
    return {"coefficient": (arrays["coef"] * np.cumprod(factors, -1)).astype(kl.dtype)}


def _errors(arrays: Arrays) -> Any:
    """By how much of the target each divergence is off."""
    return arrays["kl"] / arrays["target"] - 1


def _held(arrays: Arrays) -> Any:
    limit = given(arrays, "limit", 0.2)
    return np.clip(_errors(arrays), -limit, limit)


@fault("clipping")
def clip_forgotten(form: Form, /, **arrays: Any) -> Outputs:
    """Uses the whole proportional error.

    Shown when: A divergence that is off its target by more than the limit.
    Cause: What clip returns was dropped.
    Fix: clip(KL/target − 1, −limit, limit).
    - error = kl / target - 1
    + error = np.clip(kl / target - 1, -0.2, 0.2)
    """
    return _run(arrays, _errors(arrays))


@fault("clipping")
def clipped_above_only(form: Form, /, **arrays: Any) -> Outputs:
    """Bounds the error above and not below.

    Shown when: A divergence far below its target.
    Cause: A minimum was written for the clip.
    Fix: clip(KL/target − 1, −limit, limit).
    - error = min(kl / target - 1, 0.2)
    + error = np.clip(kl / target - 1, -0.2, 0.2)
    """
    return _run(arrays, np.minimum(_errors(arrays), given(arrays, "limit", 0.2)))


@fault("sign")
def error_inverted(form: Form, /, **arrays: Any) -> Outputs:
    """Lowers the coefficient while the policy is too far away.

    Shown when: A divergence off its target.
    Cause: 1 − KL/target was written.
    Fix: KL/target − 1: too far away asks for a larger penalty.
    - error = np.clip(1 - kl / target, -0.2, 0.2)
    + error = np.clip(kl / target - 1, -0.2, 0.2)
    """
    return _run(arrays, -_held(arrays))


@fault("counting")
def one_sample_a_step(form: Form, /, **arrays: Any) -> Outputs:
    """Counts a step as one sample.

    Shown when: More than one sample a step, and a divergence off its target.
    Cause: The number of steps was handed over where the samples of the batch are meant.
    Fix: n is the batch.
    - controller.update(kl, 1)
    + controller.update(kl, batch_size)
    """
    return _run(arrays, _held(arrays), 1 / arrays["horizon"])


@fault("counting")
def never_accumulated(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the first coefficient in every step.

    Shown when: Two steps or more, of which one before the last is off its target.
    Cause: The new coefficient is returned and not stored.
    Fix: Store it: each step goes on from the last.
    - return self.init_kl_coef * mult
    + self.value *= mult
    """
    factors = 1 + _held(arrays) * (arrays["n_steps"] / arrays["horizon"])
    return {"coefficient": (arrays["coef"] * factors).astype(arrays["kl"].dtype)}


@sets("ignored", limit=0.2)
def limit_built_in() -> None:
    """Clips at 0.2 whatever limit is given.

    Shown when: Another limit, and a divergence that is off its target by more than 0.2.
    Cause: The number of the paper is in the code.
    Fix: Use the option.
    - error = np.clip(kl / target - 1, -0.2, 0.2)
    + error = np.clip(kl / target - 1, -limit, limit)
    """
