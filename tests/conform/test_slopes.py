"""Losses of the right value and the wrong gradient: found by autograd, and named."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlcalc.conform import conform
from rlcalc.conform.target.base import from_function

from .as_it_stands import bugs

Numbers = torch.Tensor


def bounded(ratio: Numbers, low: float | None, high: float | None) -> Numbers:
    return ratio if low is None and high is None else torch.clamp(ratio, low, high)


def cispo(logp: Numbers, old_logp: Numbers, adv: Numbers, low: Any = None, high: Any = None) -> Numbers:
    weight = bounded(torch.exp(logp - old_logp).detach(), low, high)
    return -weight * adv * logp


def cispo_clipped(
    logp: Numbers, old_logp: Numbers, adv: Numbers, low: Any = None, high: Any = None
) -> Numbers:
    """The value of CISPO, and the gradient of a clipped ratio."""
    weight = bounded(torch.exp(logp - old_logp), low, high)
    value = -(weight * adv * logp).detach()
    surrogate = -weight * adv
    return value + surrogate - surrogate.detach()


def cispo_attached(
    logp: Numbers, old_logp: Numbers, adv: Numbers, low: Any = None, high: Any = None
) -> Numbers:
    return -bounded(torch.exp(logp - old_logp), low, high) * adv * logp


def clip_straight_through(
    logp: Numbers, old_logp: Numbers, adv: Numbers, eps_low: float = 0.2, eps_high: float | None = None
) -> Numbers:
    ratio = torch.exp(logp - old_logp)
    plain = ratio * adv
    upper = eps_low if eps_high is None else eps_high
    clipped = torch.min(plain, torch.clamp(ratio, 1 - eps_low, 1 + upper) * adv)
    return plain + (clipped - plain).detach()


def gathered(logits: Numbers, ids: Numbers, temperature: float = 1.0) -> Numbers:
    logps = torch.log_softmax(logits[..., :-1, :] / temperature, -1)
    return logps.gather(-1, ids[..., 1:, None].long())[..., 0]


def detached_estimate(logp: Numbers, ref_logp: Numbers) -> Numbers:
    """Of a reward: without a graph, it is judged by its value alone."""
    x = (logp - ref_logp).detach()
    near = torch.abs(x) < 0.1
    series = x**2 / 2 - x**3 / 6 + x**4 / 24 - x**5 / 120 + x**6 / 720 - x**7 / 5040 + x**8 / 40320
    return torch.where(near, series, torch.expm1(-x) + x)


@pytest.mark.parametrize(
    ("formula", "function", "fault"),
    [
        ("cispo", cispo, ""),
        ("cispo", cispo_clipped, "clipped-tokens-dropped"),
        ("cispo", cispo_attached, "weight-not-detached"),
        ("policy_clip", clip_straight_through, "gradient-through-the-clip"),
        ("token_logprobs", gathered, ""),
        ("kl_estimate", detached_estimate, ""),
    ],
)
def test_a_gradient_is_judged(formula: str, function: Any, fault: str) -> None:
    report = conform(from_function(function, backend="torch"), formula)
    assert report.verdict == ("nonconforming" if fault else "conforms")
    assert bugs(report) == ([fault] if fault else [])
