"""Faults of the clipped value loss."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._masks import mask_of, positive, valid


def _reduced(arrays: Arrays, losses: Any, slopes: Any, held: Any) -> Outputs:
    """The loss of a batch from squares, their derivatives, and what is held."""
    mask = mask_of(arrays, "values")
    count = positive(mask.sum((-2, -1)))
    below = given(arrays, "tokens", count)
    factor = given(arrays, "factor", 0.5)
    kind = losses.dtype
    return {
        "loss": (factor * np.where(mask, losses, 0).sum((-2, -1)) / below).astype(kind),
        "d_values": (factor * np.where(mask, slopes, 0) / np.asarray(below)[..., None, None]).astype(kind),
        "clipped_fraction": ((held & mask).sum((-2, -1)) / count).astype(kind),
    }


def _eps(arrays: Arrays) -> Any:
    return given(arrays, "eps", 0.5)


@fault("clipping", "ray-project/ray issue #2233")
def minimum_for_maximum(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the smaller of the two squares: a value that went too far has nothing to fear.

    Shown when: A value that moved by more than ε, so that the two squares differ.
    Cause: The policy's objective has a minimum, and is maximised.
    Fix: The larger square: the pessimistic one of a loss.
    - loss = torch.min((v - r) ** 2, (v_clipped - r) ** 2)
    + loss = torch.max((v - r) ** 2, (v_clipped - r) ** 2)
    """
    values, old, returns = (valid(arrays, n) for n in ("values", "old_values", "returns"))
    near = old + np.clip(values - old, -_eps(arrays), _eps(arrays))
    held = np.abs(near - returns) < np.abs(values - returns)
    plain = values - returns
    losses = np.where(held, np.square(near - returns), np.square(plain))
    return _reduced(arrays, losses, np.where(held, 0, 2 * plain), held)


@fault("clipping", "implementation-matters/code-for-paper issue #1")
def signed_maximum(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the larger of the two errors with their signs, and squares it afterwards.

    Shown when: A value below the return that moved by more than ε: the error nearer to 0 is larger.
    Cause: The square was taken out of the maximum, as if it kept the order of negative numbers.
    Fix: Square both errors first.
    - loss = torch.max(v - r, v_clipped - r) ** 2
    + loss = torch.max((v - r) ** 2, (v_clipped - r) ** 2)
    """
    values, old, returns = (valid(arrays, n) for n in ("values", "old_values", "returns"))
    near = old + np.clip(values - old, -_eps(arrays), _eps(arrays))
    held = near > values
    plain = values - returns
    losses = np.where(held, np.square(near - returns), np.square(plain))
    return _reduced(arrays, losses, np.where(held, 0, 2 * plain), held)


@fault("clipping", "ray-project/ray issue #19291", "ray-project/ray PR #22171")
def loss_clamped(form: Form, /, **arrays: Any) -> Outputs:
    """Clamps the squared error at ε, where the value has no gradient any more.

    Shown when: A squared error above ε.
    Cause: The option is called a clip of the value function, and the loss is what is at hand.
    Fix: Clip the change of the value.
    - loss = torch.clamp((v - r) ** 2, 0, eps)
    + v_clipped = v_old + torch.clamp(v - v_old, -eps, eps)
    + loss = torch.max((v - r) ** 2, (v_clipped - r) ** 2)
    """
    plain = valid(arrays, "values") - valid(arrays, "returns")
    square = np.square(plain)
    held = square > _eps(arrays)
    return _reduced(arrays, np.where(held, _eps(arrays), square), np.where(held, 0, 2 * plain), held)


@argument_fault("ignored")
def never_clipped(arrays: Arrays) -> Arrays:
    """Takes the plain squared error.

    Shown when: A clipped square that is the larger one.
    Cause: The old values are not at hand, and those of today stand for them; or the value is clipped about
        its return, where the plain square is always the larger one.
    Fix: Keep the values of the rollout, and clip about them.
    - v_old = v.detach()
    + v_old = rollout_values
    """
    return {"old_values": arrays["values"]}


@argument_fault("weighting")
def half_twice(arrays: Arrays) -> Arrays:
    """Halves the loss once more.

    Shown when: Any error.
    Cause: The half is in the loss, and in the coefficient of the loss.
    Fix: Halve it in one place, and say where.
    - loss = 0.5 * value_loss(v, v_old, r)  # which halves it
    + loss = value_loss(v, v_old, r)
    """
    return {"factor": 0.5 * given(arrays, "factor", 0.5)}


@fault("clipping")
def clipped_about_the_return(form: Form, /, **arrays: Any) -> Outputs:
    """Squares the error clipped to ±ε: the old values have no part in it.

    Shown when: A value further than ε from its return, which has no gradient any more.
    Cause: The value is held within ε of the return, in the place of the old value.
    Fix: Hold the change from the old value, and take the larger square.
    - v_clipped = r + torch.clamp(v - r, -eps, eps)
    - loss = (v_clipped - r) ** 2
    + v_clipped = v_old + torch.clamp(v - v_old, -eps, eps)
    + loss = torch.max((v - r) ** 2, (v_clipped - r) ** 2)
    """
    plain = valid(arrays, "values") - valid(arrays, "returns")
    held = np.abs(plain) > _eps(arrays)
    error = np.clip(plain, -_eps(arrays), _eps(arrays))
    return _reduced(arrays, np.square(error), np.where(held, 0, 2 * plain), held)


@fault("clipping")
def error_added_to_the_old_value(form: Form, /, **arrays: Any) -> Outputs:
    """Clips the distance from the return, and adds that to the old value.

    Shown when: A value that has not moved as far as it is from its return.
    Cause: The two differences v − v_old and v − r stand in one line of the loss.
    Fix: Clip v − v_old.
    - v_clipped = v_old + torch.clamp(v - r, -eps, eps)
    + v_clipped = v_old + torch.clamp(v - v_old, -eps, eps)
    """
    values, old, returns = (valid(arrays, n) for n in ("values", "old_values", "returns"))
    plain = values - returns
    near = old + np.clip(plain, -_eps(arrays), _eps(arrays))
    held = np.abs(near - returns) > np.abs(plain)
    inside = np.where(np.abs(plain) < _eps(arrays), 2 * (near - returns), 0)
    losses = np.where(held, np.square(near - returns), np.square(plain))
    return _reduced(arrays, losses, np.where(held, inside, 2 * plain), held)


@fault("clipping")
def plain_square_left_out(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the clipped square alone: a value that moved away from its return is not called back.

    Shown when: A value that moved by more than ε, away from its return.
    Cause: The clip is taken for the whole method.
    Fix: The larger of both squares.
    - loss = (v_clipped - r) ** 2
    + loss = torch.max((v - r) ** 2, (v_clipped - r) ** 2)
    """
    values, old, returns = (valid(arrays, n) for n in ("values", "old_values", "returns"))
    near = old + np.clip(values - old, -_eps(arrays), _eps(arrays))
    inside = np.abs(values - old) <= _eps(arrays)
    held = np.abs(near - returns) > np.abs(values - returns)
    return _reduced(arrays, np.square(near - returns), np.where(inside, 2 * (near - returns), 0), held)


@sets("ignored", mask=None)
def mask_ignored() -> None:
    """Averages over all entries, those of the padding too.

    Shown when: A mask that leaves an entry out whose square is not the mean of the others.
    Cause: The mask is accepted and never used.
    Fix: Sum under the mask, and divide by the number of valid entries.
    - loss = 0.5 * losses.mean()
    + loss = 0.5 * (losses * mask).sum() / mask.sum()
    """


@argument_fault("reduction")
def padding_in_the_denominator(arrays: Arrays) -> Arrays:
    """Sums under the mask, and divides by the number of all entries.

    Shown when: A mask that leaves an entry out, and no divisor of its own.
    Cause: mean() over losses whose padding was set to 0.
    Fix: Divide by the number of valid entries.
    - loss = 0.5 * (losses * mask).mean()
    + loss = 0.5 * (losses * mask).sum() / mask.sum()
    """
    rows, columns = mask_of(arrays, "values").shape[-2:]
    return {"tokens": np.asarray(rows * columns, arrays["values"].dtype)}
