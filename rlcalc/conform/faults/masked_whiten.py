"""Faults of whitening over valid tokens."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given
from rlcalc.conform.faults import _masks
from rlcalc.conform.faults._masks import mask_of, valid

refused = _masks.WHITENING_REFUSED


@argument_fault("swapped", "pytorch/torchtune")
def mean_on_the_wrong_side(arrays: Arrays) -> Arrays:
    """Adds the mean back where it is to be removed, and removes it where it is to stay.

    Shown when: Values with a mean other than 0.
    Cause: The flag says that the mean is shifted in one library, and that it is kept in another.
    Fix: With shift_mean the result has the mean 0.
    - if shift_mean:
    -     whitened += mean
    + if not shift_mean:
    +     whitened += mean
    """
    shift = arrays.get("shift_mean")
    return {"shift_mean": not (True if shift is None else bool(shift))}


@fault("normalisation", "THUDM/slime PR #2235", "THUDM/slime issue #1369", "radixark/miles PR #3229")
def statistics_of_the_shard(form: Form, /, **arrays: Any) -> Outputs:
    """Whitens each piece of the batch, here each row, by its own mean and deviation.

    Shown when: Two rows whose means or deviations differ.
    Cause: Every rank holds a part of the batch, and nothing is summed over the ranks.
    Fix: Add up S, Σx and then Σ(x−μ)² over all ranks.
    - mean = x[mask].mean()
    + mean = all_reduce((x * mask).sum()) / all_reduce(mask.sum())
    """
    rows = {"x": arrays["x"][..., None, :], "mask": mask_of(arrays, "x")[..., None, :]}
    return {"whitened": form(**{**arrays, **rows})["whitened"][..., 0, :]}


@fault("ignored", "ray-project/ray issue #57989")
def mask_ignored(form: Form, /, **arrays: Any) -> Outputs:
    """Takes mean and deviation of all entries, masked ones as they stand.

    Shown when: A masked entry.
    Cause: Rows that were added for the bootstrap are left out of the loss, and not of what comes before it.
    Fix: The statistics are those of the valid entries.
    - x = (x - x.mean()) / x.std() * mask
    + x = (x - masked_mean(x, mask)) / masked_std(x, mask) * mask
    """
    whole = form(**{**arrays, "mask": None})["whitened"]
    return {"whitened": np.where(mask_of(arrays, "x"), whole, 0).astype(whole.dtype)}


@fault("ignored")
def padding_in_the_statistics(form: Form, /, **arrays: Any) -> Outputs:
    """Counts the zeros of the padding as values.

    Shown when: A masked entry, and valid ones with a mean other than 0.
    Cause: mean() and var() of a table that was multiplied by its mask.
    Fix: Divide by the number of valid entries.
    - mean, var = (x * mask).mean(), (x * mask).var()
    + mean, var = masked_mean(x, mask), masked_var(x, mask)
    """
    mask = mask_of(arrays, "x")
    whole = form(**{**arrays, "x": valid(arrays, "x"), "mask": None})["whitened"]
    if whole.size <= int(1 if arrays.get("ddof") is None else arrays["ddof"]):
        whole = np.full_like(whole, np.nan)  # of one number there is no variance
    return {"whitened": np.where(mask, whole, 0).astype(whole.dtype)}


@argument_fault("normalisation")
def divided_by_the_other_count(arrays: Arrays) -> Arrays:
    """Divides the squared deviations by S where S − 1 is asked for, and the other way round.

    Shown when: Any values that differ.
    Cause: var() is unbiased in Torch and biased in NumPy.
    Fix: Say which: var(correction=ddof).
    - var = np.var(x[mask])
    + var = np.var(x[mask], ddof=1)
    """
    ddof = int(given(arrays, "ddof", 1))
    return {"ddof": 1 - ddof}


@fault("precision")
def one_token_is_nan(form: Form, /, **arrays: Any) -> Outputs:
    """Gives nan where a batch has one valid token, and zeros where it has none.

    Shown when: One valid token.
    Cause: 0 is multiplied by S/(S − 1).
    Fix: One token is whitened to 0.
    - var = var * count / (count - 1)
    + var = var * count / (count - 1) if count > 1 else torch.zeros_like(var)
    """
    found = form(**arrays)["whitened"]
    mask = mask_of(arrays, "x")
    alone = mask & (mask.sum((-2, -1), keepdims=True) == 1)
    return {"whitened": np.where(alone, np.nan, found).astype(found.dtype)}
