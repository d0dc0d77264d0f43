"""Monte Carlo updates of one value estimate, return after return.

    V_k = V_{k−1} + α_k (G_k − V_{k−1}),   k = 1 … K,   α_k = α or α_k = 1/k.

With α_k = 1/k this is V_k = (G_1 + … + G_k)/k: the first step replaces V_0.
With a constant α it is V_K = (1−α)^K V_0 + Σ_k α(1−α)^{K−k} G_k.

The numeric forms run V_k = (1−α_k) V_{k−1} + α_k G_k, which is the recurrence
of the returns forward in time.

Source: Sutton and Barto, 2nd edition, equations 2.3, 2.5 and 6.1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.exact import symbols_of
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan_numpy, scan_torch
from rlcalc.steps import Derivation, Name, Term

MEAN = ("mean", "1/k")


def exact_form(d: Derivation, i: Inputs) -> None:
    mean = i.alpha in MEAN
    value: Term = d.given(Name("V", "0"), i.value)
    found = []
    for k, entry in enumerate(i.returns, start=1):
        step_size = d.given(Name("α", str(k)), Fraction(1, k)) if mean else d.given("α", i.alpha)
        target = d.given(Name("G", str(k)), entry)
        value = d.step(Name("V", str(k)), value + step_size * (target - value))
        found.append(value)
    if mean:
        d.note(
            "Step size 1/k: each value is the mean of the returns so far; the starting value is forgotten."
        )
    elif not isinstance(i.alpha, Fraction) and "k" in symbols_of(i.alpha):
        d.note("k is a symbol here, the same at every step: only 1/k stands for the number of the return.")
    d.output("value", value)
    d.output("values", found)


def numpy_form(a: Arrays) -> dict[str, Any]:
    """V_k after each return: value [...], returns [..., K] -> values [..., K]; 1/k by cumulated sums."""
    if isinstance(a.alpha, str):
        counts = np.arange(1, a.returns.shape[-1] + 1)
        # summed in float64: a float32 sum of many returns loses the late ones
        means = np.cumsum(a.returns, axis=-1, dtype=np.float64) / counts
        values = np.broadcast_to(means.astype(a.returns.dtype), _shape(np, a.value, a.returns))
    else:
        start = np.broadcast_to(a.value, _shape(np, a.value, a.returns)[:-1])
        backwards = np.broadcast_to(a.returns, _shape(np, a.value, a.returns))[..., ::-1]
        values = scan_numpy(a.alpha * backwards, 1 - a.alpha, start)[..., ::-1]
    return {"value": values[..., -1], "values": values}


def torch_form(a: Arrays) -> dict[str, Any]:
    """As ``numpy_form``, but 1/k by the recurrence as well, which is differentiable."""
    if isinstance(a.alpha, str):
        # half precision cannot count past 256 (bfloat16)
        working = torch.promote_types(a.returns.dtype, torch.float32)
        counts = torch.arange(a.returns.shape[-1], 0, -1, device=a.returns.device, dtype=working)
        step_size, carry = 1 / counts, (counts - 1) / counts
    else:
        step_size, carry = a.alpha, 1 - a.alpha
    shape = _shape(torch, a.value, a.returns)
    backwards = a.returns.expand(shape).flip(-1)
    start = a.value.to(a.returns.device).expand(shape[:-1])
    values = scan_torch(step_size * backwards, carry, start).flip(-1).to(a.returns.dtype)
    return {"value": values[..., -1], "values": values}


def _shape(library: Any, value: Any, returns: Any) -> tuple[int, ...]:
    """[..., K] with the batch axes of both inputs."""
    batch = library.broadcast_shapes(tuple(value.shape), tuple(returns.shape[:-1]))
    return (*batch, returns.shape[-1])
