"""Faults of whitening over valid tokens."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults._masks import mask_of, valid
from rlcalc.conform.forms import Arrays, Form, Outputs


@argument_fault("mean-on-the-wrong-side", "swapped")
def mean_on_the_wrong_side(arrays: Arrays) -> Arrays:
    """Adds the mean back where it is to be removed, and removes it where it is to stay.

    Shown when: Values with a mean other than 0.
    Cause: The flag says that the mean is shifted in one library, and that it is kept in another.
    Fix: With shift_mean the result has the mean 0.
    Diff:
        - if shift_mean:
        -     whitened += mean
        + if not shift_mean:
        +     whitened += mean
    """
    shift = arrays.get("shift_mean")
    return {"shift_mean": not (True if shift is None else bool(shift))}


@fault(
    "statistics-of-the-shard",
    "normalisation",
    reported_in=["THUDM/slime PR #2235", "THUDM/slime issue #1369", "radixark/miles PR #3229"],
)
def statistics_of_the_shard(form: Form, /, **arrays: Any) -> Outputs:
    """Whitens each piece of the batch, here each row, by its own mean and deviation.

    Shown when: Two rows whose means or deviations differ.
    Cause: Every rank holds a part of the batch, and nothing is summed over the ranks.
    Fix: Add up S, Σx and then Σ(x−μ)² over all ranks.
    Diff:
        - mean = x[mask].mean()
        + mean = all_reduce((x * mask).sum()) / all_reduce(mask.sum())
    """
    rows = {"x": arrays["x"][..., None, :], "mask": mask_of(arrays, "x")[..., None, :]}
    return {"whitened": form(**{**arrays, **rows})["whitened"][..., 0, :]}


@fault(
    "one-token-refused",
    "precision",
    stage="inputs",
    reported_in=["alibaba/ROLL issue #475", "alibaba/ROLL PR #476"],
)
def one_token_refused(form: Form, /, **arrays: Any) -> Outputs:
    """Raises an error where a batch has one valid token.

    Shown when: One valid token.
    Cause: The unbiased variance divides by S − 1, and 0 is refused.
    Fix: One token is whitened to 0.
    Diff:
        - raise ValueError("At least two tokens are needed.")
        + return torch.zeros_like(x)
    """
    if (mask_of(arrays, "x").sum((-2, -1)) == 1).any():
        raise ValueError("The sum of the mask is one, which can happen with short answers.")
    return dict(form(**arrays))


@fault("mask-ignored", "ignored", reported_in=["ray-project/ray issue #57989"])
def mask_ignored(form: Form, /, **arrays: Any) -> Outputs:
    """Takes mean and deviation of all entries, masked ones as they stand.

    Shown when: A masked entry.
    Cause: Rows that were added for the bootstrap are left out of the loss, and not of what comes before it.
    Fix: The statistics are those of the valid entries.
    Diff:
        - x = (x - x.mean()) / x.std() * mask
        + x = (x - masked_mean(x, mask)) / masked_std(x, mask) * mask
    """
    whole = form(**{**arrays, "mask": None})["whitened"]
    return {"whitened": np.where(mask_of(arrays, "x"), whole, 0).astype(whole.dtype)}


@fault("padding-in-the-statistics", "ignored")
def padding_in_the_statistics(form: Form, /, **arrays: Any) -> Outputs:
    """Counts the zeros of the padding as values.

    Shown when: A masked entry, and valid ones with a mean other than 0.
    Cause: mean() and var() of a table that was multiplied by its mask.
    Fix: Divide by the number of valid entries.
    Diff:
        - mean, var = (x * mask).mean(), (x * mask).var()
        + mean, var = masked_mean(x, mask), masked_var(x, mask)
    """
    mask = mask_of(arrays, "x")
    whole = form(**{**arrays, "x": valid(arrays, "x"), "mask": None})["whitened"]
    return {"whitened": np.where(mask, whole, 0).astype(whole.dtype)}


@argument_fault("divided-by-the-other-count", "normalisation")
def divided_by_the_other_count(arrays: Arrays) -> Arrays:
    """Divides the squared deviations by S where S − 1 is asked for, and the other way round.

    Shown when: Any values that differ.
    Cause: var() is unbiased in Torch and biased in NumPy.
    Fix: Say which: var(correction=ddof).
    Diff:
        - var = np.var(x[mask])
        + var = np.var(x[mask], ddof=1)
    """
    ddof = 1 if arrays.get("ddof") is None else int(arrays["ddof"])
    return {"ddof": 1 - ddof}


@fault("nothing-valid-refused", "precision", stage="inputs")
def nothing_valid_refused(form: Form, /, **arrays: Any) -> Outputs:
    """Raises an error where nothing of a batch is valid.

    Shown when: A mask without a valid token.
    Cause: The mean over no entries is 0/0, and the helper refuses it.
    Fix: Nothing valid is whitened to zeros.
    Diff:
        - raise ValueError("At least one element in the mask has to be 1.")
        + return torch.zeros_like(x)
    """
    if not mask_of(arrays, "x").any((-2, -1)).all():
        raise ValueError("At least one element in the mask has to be 1.")
    return dict(form(**arrays))


@fault("one-token-is-nan", "precision")
def one_token_is_nan(form: Form, /, **arrays: Any) -> Outputs:
    """Gives nan where a batch has one valid token, and zeros where it has none.

    Shown when: One valid token.
    Cause: 0 is multiplied by S/(S − 1).
    Fix: One token is whitened to 0.
    Diff:
        - var = var * count / (count - 1)
        + var = var * count / (count - 1) if count > 1 else torch.zeros_like(var)
    """
    found = form(**arrays)["whitened"]
    mask = mask_of(arrays, "x")
    alone = mask & (mask.sum((-2, -1), keepdims=True) == 1)
    return {"whitened": np.where(alone, np.nan, found).astype(found.dtype)}
