"""Faults of generalized advantage estimation that show in digits, or where a factor is 0."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults._sequence import bootstraps, narrow, narrow_discount
from rlcalc.conform.forms import Arrays

computes_in_float32 = shared.computes_in_float32


@argument_fault("discounts-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ, and the product γλ, to float32 before they meet float64 data: seven digits, in an answer that
    is float64.

    Shown when: One γ for all steps, and γ or γλ such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype: gamma *
        (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    Diff:
        - discount = gamma * (~done).int()
        + discount = gamma * (~done).to(rewards.dtype)
    """
    gamma, lam = narrow_discount(arrays["gamma"]), arrays["lam"]
    if not np.ndim(gamma) and gamma > 0:
        lam = narrow(arrays["gamma"] * lam) / gamma
    return {"gamma": gamma, "lam": lam}


gamma_in_float32 = shared.gamma_in_float32


@argument_fault(
    "decay-in-float32", "precision", reported_in=["alex-petrenko/sample-factory"], rounds="inputs"
)
def decay_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γλ to float32 in the recursion, and γ nowhere.

    Shown when: Two steps of one episode and γλ such as 9/10, in float64.
    Cause: γ·λ times a mask that was cast with .float() is a float32 tensor, while γ·V' meets its mask as a
        product.
    Fix: Give the mask the dtype of the data, dones.to(rewards.dtype).
    Diff:
        - total = delta[t] + gamma * lam * (1 - dones[t].float()) * total
        + total = delta[t] + gamma * lam * (1 - dones[t].to(delta.dtype)) * total
    """
    gamma = arrays["gamma"]
    if np.ndim(gamma) or gamma <= 0:
        return {}
    return {"lam": narrow(gamma * arrays["lam"]) / gamma}


@argument_fault("bootstrap-discount-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def bootstrap_discount_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 in the TD error, and nowhere else.

    Shown when: One γ for all steps, such as 9/10, in float64, with a bootstrap other than 0.
    Cause: gamma * (~terminated).int() is a float32 tensor in Torch, while the powers of γλ are made with the
        dtype of the data.
    Fix: Give the mask the dtype of the data, (~terminated).to(rewards.dtype).
    Diff:
        - target = rewards + gamma * (~terminated).int() * next_values
        + target = rewards + gamma * (~terminated).to(rewards.dtype) * next_values
    """
    more = (narrow_discount(arrays["gamma"]) - arrays["gamma"]) * bootstraps(arrays)
    return {"rewards": arrays["rewards"] + more}


@argument_fault("raises-at-gamma-lam-zero", "precision")
def raises_at_gamma_lam_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γλ = 0; right everywhere else, also where γλ is small.

    Shown when: γ or λ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γλ) is taken without need.
    Fix: Return δ at γλ = 0, and test it: λ = 0 is the one-step advantage.
    Diff:
        - powers = np.exp(np.arange(T) * math.log(gamma * lam))
        + powers = (gamma * lam) ** np.arange(T)
    """
    return shared.raises_at_zero(arrays["gamma"] * arrays["lam"])
