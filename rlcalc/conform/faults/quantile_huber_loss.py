"""Faults of the quantile Huber loss."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped


def _taus(arrays: Arrays) -> Any:
    """The level of every estimate."""
    if arrays.get("taus") is not None:
        return arrays["taus"]
    count = arrays["quantiles"].shape[-1]
    return (2 * np.arange(count, dtype=arrays["quantiles"].dtype) + 1) / (2 * count)


def _errors(arrays: Arrays) -> Any:
    return arrays["targets"][..., None, :] - arrays["quantiles"][..., :, None]


def _huber(u: Any, kappa: Any) -> Any:
    size = np.abs(u)
    width = np.where(kappa > 0, kappa, 1)
    return np.where(size <= kappa, u * u / (2 * width), size - kappa / 2)


def _loss(arrays: Arrays, pairs: Any) -> Outputs:
    losses = pairs.astype(arrays["quantiles"].dtype).mean(-1)
    return {
        "loss": losses.sum(-1) if arrays["reduction"] == "sum" else losses.mean(-1),
        "losses": losses,
    }


@fault("swapped", "ufal/npfl139 issue #17")
def indicator_of_the_other_side(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs errors above with 1 − τ and those below with τ: what is learned is the quantile 1 − τ.

    Shown when: A level other than 1/2.
    Cause: The error is taken as estimate minus sample, and the indicator is not turned round with it.
    Fix: With u = sample − estimate the weight is |τ − [u < 0]|.
    - weight = (tau - (u > 0).float()).abs()
    + weight = (tau - (u < 0).float()).abs()
    """
    u, tau = _errors(arrays), _taus(arrays)[..., None]
    return _loss(arrays, np.where(u > 0, 1 - tau, tau) * _huber(u, arrays["kappa"]))


@fault("ignored")
def weight_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the Huber loss without the weights: every estimate ends at the middle.

    Shown when: Any error.
    Cause: The levels were left in the network and never reached the loss.
    Fix: Multiply by |τ − [u < 0]|.
    - loss = huber(u)
    + loss = (tau - (u < 0).float()).abs() * huber(u)
    """
    return _loss(arrays, _huber(_errors(arrays), arrays["kappa"]))


@fault("sign")
def weight_not_absolute(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies by τ − [u < 0], which is negative for errors below.

    Shown when: An estimate above a sample.
    Cause: In the quantile loss itself u has the same sign; the Huber loss does not.
    Fix: The absolute value of the weight.
    - loss = (tau - (u < 0).float()) * huber(u)
    + loss = (tau - (u < 0).float()).abs() * huber(u)
    """
    u, tau = _errors(arrays), _taus(arrays)[..., None]
    return _loss(arrays, (tau - (u < 0)) * _huber(u, arrays["kappa"]))


@argument_fault("indexing")
def levels_at_the_ends(arrays: Arrays) -> Arrays:
    """Takes i/N for the levels, the upper ends of the intervals, where the middles belong.

    Shown when: Levels that are not given.
    Cause: The cumulated probabilities are at hand; the middles have to be computed from them.
    Fix: (2i − 1)/(2N).
    - taus = torch.arange(1, n + 1) / n
    + taus = (torch.arange(n) + 0.5) / n
    """
    if arrays.get("taus") is not None:
        return {}
    count = arrays["quantiles"].shape[-1]
    return {"taus": np.arange(1, count + 1).astype(arrays["quantiles"].dtype) / count}


@argument_fault("indexing")
def levels_at_the_starts(arrays: Arrays) -> Arrays:
    """Takes (i − 1)/N for the levels, the lower ends of the intervals, where the middles belong.

    Shown when: Levels that are not given.
    Cause: Half a step is missing: the numbers of the estimates are divided by how many there are.
    Fix: (2i − 1)/(2N).
    - taus = torch.arange(n) / n
    + taus = (torch.arange(n) + 0.5) / n
    """
    if arrays.get("taus") is not None:
        return {}
    count = arrays["quantiles"].shape[-1]
    return {"taus": np.arange(count).astype(arrays["quantiles"].dtype) / count}


@argument_fault("indexing")
def levels_from_zero(arrays: Arrays) -> Arrays:
    """Takes (i − 1)/(N − 1) for the levels, from 0 to 1, where the middles belong.

    Shown when: Levels that are not given.
    Cause: linspace(0, 1, N) is short.
    Fix: (2i − 1)/(2N).
    - taus = torch.linspace(0, 1, n)
    + taus = (torch.arange(n) + 0.5) / n
    """
    if arrays.get("taus") is not None:
        return {}
    count = arrays["quantiles"].shape[-1]
    return {"taus": np.linspace(0, 1, count).astype(arrays["quantiles"].dtype)}


@fault("indexing")
def levels_along_the_sample(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs by the level of the sample's index, not of the estimate's.

    Shown when: As many samples as estimates, two or more; else it raises.
    Cause: The levels broadcast along the last axis, and which axis that is was never written down.
    Fix: Levels belong to the axis of the estimates: taus[:, None].
    - weight = (taus[None, :] - (u < 0).float()).abs()
    + weight = (taus[:, None] - (u < 0).float()).abs()
    """
    u, tau = _errors(arrays), _taus(arrays)[..., None, :]
    return _loss(arrays, np.where(u < 0, 1 - tau, tau) * _huber(u, arrays["kappa"]))


@fault("weighting")
def half_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes u², not u²/2, inside of κ: the loss jumps at κ.

    Shown when: An error inside of κ.
    Cause: A squared error stands where half of it belongs.
    Fix: u²/2 up to κ, κ·(|u| − κ/2) beyond it.
    - huber = torch.where(u.abs() <= kappa, u**2, kappa * (u.abs() - 0.5 * kappa))
    + huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    """
    u, tau, kappa = _errors(arrays), _taus(arrays)[..., None], arrays["kappa"]
    inside = (np.abs(u) <= kappa) & (kappa > 0)
    pairs = _huber(u, kappa) * np.where(inside, 2, 1)
    return _loss(arrays, np.where(u < 0, 1 - tau, tau) * pairs)


@output_fault("reduction")
def sum_over_the_sample(found: Outputs, arrays: Arrays) -> Outputs:
    """Sums over the sample and averages over the quantiles.

    Shown when: As many samples as estimates do not show it; any other numbers do.
    Cause: The two axes are mixed up.
    Fix: Average over the sample, sum over the quantiles.
    - loss = pairs.sum(dim=-1).mean(dim=-1)  # [..., N, M]
    + loss = pairs.mean(dim=-1).sum(dim=-1)
    """
    count, size = arrays["targets"].shape[-1], arrays["quantiles"].shape[-1]
    losses = found["losses"] * count
    return {"loss": losses.sum(-1) / size, "losses": losses}
