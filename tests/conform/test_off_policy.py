"""V-trace and Retrace as they stand in learners: ratios or log-probabilities, γ and flags or discounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from .as_it_stands import judged


def vtrace(
    behaviour_log_probs: Any,
    target_log_probs: Any,
    rewards: Any,
    values: Any,
    bootstrap_value: Any,
    discounts: Any,
) -> Any:
    rho = (target_log_probs - behaviour_log_probs).exp().clamp(max=1.0)
    onward = torch.cat([values[1:], bootstrap_value.unsqueeze(0)])
    errors = rho * (rewards + discounts * onward - values)
    carried, found = torch.zeros_like(bootstrap_value), []
    for t in reversed(range(len(rewards))):
        carried = errors[t] + discounts[t] * rho[t] * carried
        found.append(carried)
    return torch.stack(found[::-1]) + values


def vtrace_unweighted(
    rewards: Any, values: Any, last_value: Any, dones: Any, log_rhos: Any, gamma: float
) -> Any:
    c = np.minimum(np.exp(log_rhos), 1)
    onward = np.concatenate([values[1:], last_value[None]])
    live = gamma * (1 - dones)
    carried, found = np.zeros_like(last_value), values.copy()
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + live[t] * onward[t] - values[t] + live[t] * c[t] * carried
        found[t] += carried
    return found


def retrace(
    rewards: Any, q_values: Any, exp_next_q: Any, dones: Any, ratios: Any, gamma: float, lam: float = 1.0
) -> Any:
    found = torch.zeros_like(rewards)
    carried = 0.0
    for t in reversed(range(len(rewards))):
        live = gamma * (1 - dones[t])
        found[t] = rewards[t] + live * (exp_next_q[t] + carried)
        carried = lam * ratios[t].clamp(max=1.0) * (found[t] - q_values[t])
    return found


def retrace_not_cut_off(rewards: Any, q: Any, next_v: Any, masks: Any, rho: Any, gamma: float) -> Any:
    found, carried = [], 0.0
    for t in range(len(rewards) - 1, -1, -1):
        found.insert(0, rewards[t] + gamma * masks[t] * (next_v[t] + carried))
        carried = rho[t] * (found[0] - q[t])
    return found


CASES = [
    (vtrace, "vtrace", "conforms", "[T, B]"),
    (vtrace_unweighted, "vtrace", "errors-not-weighted", "[T, B]"),
    (retrace, "retrace", "conforms", "[T, B]"),
    (retrace_not_cut_off, "retrace", "ratios-not-cut-off", "[..., T]"),
]


@pytest.mark.parametrize(
    ("function", "formula", "said", "layout"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_it_is_read_and_judged_as_it_stands(
    function: Callable[..., Any], formula: str, said: str, layout: str
) -> None:
    judged(function, formula, said, layout)
