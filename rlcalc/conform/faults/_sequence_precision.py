"""Faults of sequence formulas that show in digits, or where a factor is 0."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults._sequence import narrow_discount


@fault("precision", stage="inputs", rounds="sums")
def computes_in_float32(form: Form, /, **arrays: Any) -> Outputs:
    """Computes in float32 whatever it is given: float64 inputs are answered with seven digits.

    Shown when: float64 inputs that float32 does not hold, such as 9/10, or 2^24 + 1.
    Cause: A buffer or a cast with a fixed dtype, torch.tensor(list) with the default one, or JAX without
        jax_enable_x64.
    Fix: Take dtype and device from the inputs: zeros_like(x), torch.as_tensor(y, dtype=x.dtype).
    - out = torch.zeros(len(x))
    + out = torch.zeros_like(x)
    """
    (kind,) = {value.dtype for value in arrays.values() if _floating(value)}
    single = {name: value.astype(np.float32) if _floating(value) else value for name, value in arrays.items()}
    return {name: value.astype(kind) for name, value in form(**single).items() if value is not None}


def _floating(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"


@argument_fault("precision", "pytorch/rl", rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 before it meets float64 data: seven digits, in an answer that is float64.

    Shown when: One γ for all steps, such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype:
        gamma * (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    - discount = gamma * (~done).int()
    + discount = gamma * (~done).to(rewards.dtype)
    """
    return {"gamma": narrow_discount(arrays["gamma"])}


@argument_fault("precision", "Toni-SM/skrl", rounds="inputs")
def gamma_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 wherever it stands, and λ not.

    Shown when: One γ for all steps, such as 9/10, in float64.
    Cause: gamma * not_done with a boolean mask is a float32 tensor in Torch; λ meets float64 numbers first.
    Fix: Give the mask the dtype of the data, not_done.to(rewards.dtype).
    - adv = delta + gamma * not_done[t] * (after + lam * adv)
    + adv = delta + gamma * not_done[t].to(after.dtype) * (after + lam * adv)
    """
    return {"gamma": narrow_discount(arrays["gamma"])}


def raises_at_zero(decay: Any) -> Arrays:
    """A kernel of the powers of a factor is empty, or its logarithm is taken."""
    if not np.ndim(decay) and decay == 0:
        raise IndexError("tuple index out of range")
    return {}


@argument_fault("precision")
def raises_at_gamma_lam_zero(arrays: Arrays) -> Arrays:
    """Raises, with an IndexError for example, where γλ = 0; right everywhere else, also where γλ is small.

    Shown when: γ or λ at 0.
    Cause: The case 0 is handled separately and given the wrong shape, or log(γλ) is taken without need.
    Fix: Return the one-step answer at γλ = 0, and test it: λ = 0 is TD(0).
    - powers = np.exp(np.arange(T) * math.log(gamma * lam))
    + powers = (gamma * lam) ** np.arange(T)
    """
    return raises_at_zero(arrays["gamma"] * arrays["lam"])


@argument_fault("discounting")
def lam_of_zero_for_one(arrays: Arrays) -> Arrays:
    """Takes λ = 0 for no λ at all, and answers with whole returns, as of λ = 1.

    Shown when: λ = 0, where one step and the next value are all that counts.
    Cause: A number is asked whether it is true: 0 is not, and neither is None.
    Fix: Ask for None: λ = 0 is TD(0).
    - return gae(rewards, values, lam) if lam else monte_carlo(rewards)
    + return gae(rewards, values, lam) if lam is not None else monte_carlo(rewards)
    """
    lam = np.asarray(arrays["lam"])
    return {"lam": np.where(lam == 0, np.ones_like(lam), lam)}
