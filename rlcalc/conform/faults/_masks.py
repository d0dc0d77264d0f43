"""What faults of formulas with a mask have in common."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault


def mask_of(arrays: Arrays, name: str) -> Any:
    """The mask as booleans in the shape of another input; all of it where none is given."""
    like = np.asarray(arrays[name])
    mask = arrays.get("mask")
    flags = np.ones(like.shape, bool) if mask is None else np.asarray(mask, bool)
    return np.broadcast_to(flags, np.broadcast_shapes(flags.shape, like.shape))


def valid(arrays: Arrays, name: str) -> Any:
    """An input with 0 where it is masked."""
    mask = mask_of(arrays, name)
    return np.where(mask, arrays[name], np.zeros_like(arrays[name]))


def positive(count: Any) -> Any:
    """A count to divide by: 1 in the place of 0."""
    return np.where(count > 0, count, np.ones_like(count))


def _whitened(arrays: Arrays) -> str:
    """The input that is whitened, as it is or added up."""
    return "x" if "x" in arrays else "rewards"


@fault("precision", "alibaba/ROLL issue #475", "alibaba/ROLL PR #476", stage="inputs")
def one_token_refused(form: Form, /, **arrays: Any) -> Outputs:
    """Raises an error where a batch has one valid token.

    Shown when: One valid token.
    Cause: The unbiased variance divides by S − 1, and 0 is refused.
    Fix: One token is whitened to 0.
    - raise ValueError("At least two tokens are needed.")
    + return torch.zeros_like(x)
    """
    if (mask_of(arrays, _whitened(arrays)).sum((-2, -1)) == 1).any():
        raise ValueError("The sum of the mask is one, which can happen with short answers.")
    return dict(form(**arrays))


@fault("precision", stage="inputs")
def nothing_valid_refused(form: Form, /, **arrays: Any) -> Outputs:
    """Raises an error where nothing of a batch is valid.

    Shown when: A mask without a valid token.
    Cause: The mean over no entries is 0/0, and the helper refuses it.
    Fix: Nothing valid is whitened to zeros.
    - raise ValueError("At least one element in the mask has to be 1.")
    + return torch.zeros_like(x)
    """
    if not mask_of(arrays, _whitened(arrays)).any((-2, -1)).all():
        raise ValueError("At least one element in the mask has to be 1.")
    return dict(form(**arrays))


WHITENING_REFUSED = one_token_refused, nothing_valid_refused
