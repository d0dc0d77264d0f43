"""Faults of the loss of the critic."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._losses import huber_without_offset, huber_without_offset_from_1


def _reduced(terms: Any, reduction: str | None) -> Outputs:
    if reduction in (None, "sum"):
        return {"loss": terms.sum(axis=-1)}
    return {"loss": terms.mean(axis=-1) / (2 if reduction == "half-mean" else 1)}


@fault("reduction")
def every_value_with_every_return(
    form: Form, values: Any, returns: Any, reduction: Any, alpha: Any
) -> Outputs:
    """Compares each value with the returns of all samples.

    Shown when: A value for each return, of which two differ.
    Cause: The critic's output has the shape [T, 1] and the returns [T]: their difference is broadcast to [T,
        T].
    Fix: Squeeze the output of the critic, and compare the shapes before subtracting.
    - loss = np.square(values - returns).mean()  # [T, 1] and [T]
    + loss = np.square(values.squeeze(-1) - returns).mean()
    """
    if values.ndim == 0 or values.shape[-1] != returns.shape[-1]:
        return _reduced(np.square(values - returns), reduction)
    square = np.square(values[..., :, None] - returns[..., None, :])
    return _reduced(square.reshape(*square.shape[:-2], -1), reduction)


@fault("swapped")
def error_not_squared(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Adds up the sizes of the errors.

    Shown when: An error that is neither 0 nor of size 1.
    Cause: An L1 loss, or abs() of the TD error as it is needed for priorities, was taken.
    Fix: Square the errors: the mean return is the least-squares answer, the median the other one.
    - loss = np.abs(values - returns).sum()
    + loss = np.square(values - returns).sum()
    """
    return _reduced(np.abs(values - returns), reduction)


@fault("reduction")
def squared_after_reduction(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Reduces the errors first and squares the result: errors of opposite signs cancel.

    Shown when: Two errors or more.
    Cause: A parenthesis closed too late, or a loss computed from means that are logged.
    Fix: Square every error, then reduce.
    - loss = np.square((values - returns).mean())
    + loss = np.square(values - returns).mean()
    """
    errors = values - returns
    total = errors.sum(axis=-1) if reduction in (None, "sum") else errors.mean(axis=-1)
    return {"loss": np.square(total) / (2 if reduction == "half-mean" else 1)}


@fault("indexing")
def returns_one_step_ahead(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Compares the value of step t with the return of step t + 1; the last pair is dropped.

    Shown when: Two samples with different returns, or one alone.
    Cause: values[:-1] and returns[1:] were paired as rewards and next values are.
    Fix: V(s_t) and G_t have the same index.
    - loss = np.square(values[:-1] - returns[1:]).sum()
    + loss = np.square(values - returns).sum()
    """
    full = np.broadcast_to(values if values.ndim else values[None], returns.shape)
    return _reduced(np.square(full[..., :-1] - returns[..., 1:]), reduction)


@output_fault("swapped")
def root_of_the_loss(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the root of the reduced loss.

    Shown when: A loss that is neither 0 nor 1.
    Cause: A root mean square error from a report of regression was used as the training loss.
    Fix: Minimise the square itself; the root has another gradient, and none at 0.
    - loss = np.sqrt(np.square(values - returns).mean())
    + loss = np.square(values - returns).mean()
    """
    return {"loss": np.sqrt(found["loss"])}


@fault("swapped")
def square_missing(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Adds up the errors with their signs, returns minus values: no bound keeps the values from growing.

    Shown when: An error that is neither 0 nor 1.
    Cause: The square was lost in a rewrite, or an advantage is taken for the loss of its critic.
    Fix: Square every error.
    - loss = (returns - values).mean()
    + loss = np.square(returns - values).mean()
    """
    return _reduced(returns - values, reduction)


@fault("clipping")
def huber_offset_missing(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Takes the whole size of an error beyond 1 in Huber's loss: it jumps by 1/2 where the parabola ends.

    Shown when: An error larger than 1.
    Cause: The branch beyond δ is remembered as δ·|e|, without the term that makes both meet.
    Fix: δ·(|e| − δ/2) beyond δ, or smooth_l1_loss.
    - loss = torch.where(e.abs() <= 1, 0.5 * e**2, e.abs()).mean()
    + loss = torch.where(e.abs() <= 1, 0.5 * e**2, e.abs() - 0.5).mean()
    """
    return _reduced(huber_without_offset(values - returns), reduction)


@fault("clipping")
def huber_offset_missing_from_1(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """Takes the whole size of an error of 1 or more in Huber's loss: it jumps by 1/2 where the parabola ends.

    Shown when: An error of size 1 or more.
    Cause: The branch beyond δ is remembered as δ·|e|, without the term that makes both meet.
    Fix: δ·(|e| − δ/2) from δ on, or smooth_l1_loss.
    - loss = torch.where(e.abs() < 1, 0.5 * e**2, e.abs()).mean()
    + loss = torch.where(e.abs() < 1, 0.5 * e**2, e.abs() - 0.5).mean()
    """
    return _reduced(huber_without_offset_from_1(values - returns), reduction)


@argument_fault("sign")
def returns_added(arrays: Arrays) -> Arrays:
    """Squares the sum of value and return: values are drawn to minus the returns.

    Shown when: A value and a return that are not 0.
    Cause: A plus where a minus belongs.
    Fix: The error is the difference of both.
    - loss = np.square(values + returns).mean()
    + loss = np.square(values - returns).mean()
    """
    return {"returns": -arrays["returns"]}
