"""Faults of the divergence of the best of n."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault


@output_fault("swapped")
def bound_for_the_divergence(found: Outputs, arrays: Arrays) -> Outputs:
    """Returns log n − (n − 1)/n, which is a bound.

    Shown when: Outcomes with a probability above 0, and more than one sample.
    Cause: The bound is quoted as the divergence itself.
    Fix: Σ q log(q/p), with the probabilities of the best.
    - kl = math.log(n) - (n - 1) / n
    + kl = (q * torch.log(q / p)).sum()
    """
    return {**found, "kl": found["bound"]}


@argument_fault("swapped")
def worst_of_n(arrays: Arrays) -> Arrays:
    """Sorts from the best outcome to the worst, and so takes the worst of n.

    Shown when: Probabilities that are not the same in either order, and more than one sample.
    Cause: A sort by falling reward.
    Fix: The worst outcome stands first.
    - p = probs[rewards.argsort(descending=True)]
    + p = probs[rewards.argsort()]
    """
    return {"probs": arrays["probs"][..., ::-1].copy()}


@output_fault("swapped")
def divergence_reversed(found: Outputs, arrays: Arrays) -> Outputs:
    """Computes Σ p log(p/q).

    Shown when: More than one sample, and two outcomes or more.
    Cause: The arguments of the divergence were swapped.
    Fix: Σ q log(q/p): the best of n comes first.
    - kl = (p * torch.log(p / q)).sum()
    + kl = (q * torch.log(q / p)).sum()
    """
    q, p = found["best_probs"], arrays["probs"]
    there = (p > 0) & (q > 0)
    terms = np.where(there, p, 0) * (np.log(np.where(there, p, 1)) - np.log(np.where(there, q, 1)))
    return {**found, "kl": terms.sum(-1)}
