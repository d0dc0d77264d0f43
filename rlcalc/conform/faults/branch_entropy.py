"""Faults of the entropy of several action branches."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, output_fault


@output_fault("reduction", "Unity-Technologies/ml-agents PR #4538", "tensorforce/tensorforce issue #177")
def mean_over_branches(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages the entropies of the branches.

    Shown when: Two branches or more.
    Cause: mean() over all that a network gives; the bonus shrinks with the number of branches.
    Fix: Sum over the branches: they are independent.
    - entropy = torch.stack([d.entropy() for d in branches]).mean(dim=0)
    + entropy = torch.stack([d.entropy() for d in branches]).sum(dim=0)
    """
    return {**found, "entropy": found["entropies"].mean(-1)}


@output_fault("ignored")
def first_branch_only(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the entropy of the first branch.

    Shown when: A further branch that is not certain.
    Cause: The code was written for one branch, and the others were added later.
    Fix: Sum over the branches.
    - entropy = branches[0].entropy()
    + entropy = sum(d.entropy() for d in branches)
    """
    return {**found, "entropy": found["entropies"][..., 0]}


@output_fault("reduction")
def averaged_over_actions(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages the terms −p log p over the actions of a branch.

    Shown when: A branch of two actions or more that is not certain.
    Cause: mean() over terms that the policy weighs already.
    Fix: Sum them.
    - entropy = -(p * p.log()).mean(dim=-1).sum(dim=-1)
    + entropy = -(p * p.log()).sum(dim=-1).sum(dim=-1)
    """
    parts = found["entropies"] / np.asarray(arrays["p"].shape[-1], found["entropies"].dtype)
    return {"entropy": parts.sum(-1), "entropies": parts}


@output_fault("sign")
def negative_entropy(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives Σ p log p of every branch.

    Shown when: A branch that is not certain.
    Cause: The minus is lost; a bonus becomes a penalty.
    Fix: −Σ p log p.
    - entropy = (p * p.log()).sum(dim=(-2, -1))
    + entropy = -(p * p.log()).sum(dim=(-2, -1))
    """
    return {name: -value for name, value in found.items()}
