"""Functions under test, right ones and wrong ones."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import numpy as np

import rlcalc


def right(rewards, values, gamma, lam, terminated, truncated, next_values):
    """A loop written for this file, batched over leading axes."""
    kind = rewards.dtype
    gammas = np.broadcast_to(np.asarray(gamma, kind), rewards.shape)
    carry = ~(terminated | truncated)
    later = np.zeros(rewards.shape[:-1], kind)
    advantages = np.empty_like(rewards)
    for t in reversed(range(rewards.shape[-1])):
        after = np.where(terminated[..., t], kind.type(0), next_values[..., t])
        delta = rewards[..., t] + gammas[..., t] * after - values[..., t]
        later = delta + gammas[..., t] * kind.type(lam) * later * carry[..., t]
        advantages[..., t] = later
    return advantages


def one_sequence(rewards, values, gamma, lam, terminated, truncated, next_values):
    """The same for a single sequence only."""
    if rewards.ndim != 1:
        raise ValueError("one sequence at a time")
    return right(rewards, values, gamma, lam, terminated, truncated, next_values)


def without_flags(rewards, values, gamma, lam):
    return rlcalc.gae(rewards, values, gamma, lam)


def all_outputs(**given):
    return rlcalc.compute("gae", **given)


def pair(**given):
    found = rlcalc.compute("gae", **given)
    return found["advantages"], found["returns"]


def truncation_ends(rewards, values, gamma, lam, terminated, truncated):
    return rlcalc.gae(rewards, values, gamma, lam, terminated | truncated)


def short_values(rewards, values, gamma, lam, terminated, truncated, next_values):
    """Takes T values, as libraries for token rewards do."""
    if values.shape != rewards.shape:
        raise ValueError(f"values have shape {values.shape}")
    more = np.concatenate([values, np.zeros((*values.shape[:-1], 1), values.dtype)], -1)
    over = terminated.copy()
    over[..., -1] = True
    return rlcalc.gae(rewards, more, gamma, lam, over, truncated, next_values)


def ppo_loss_mean(ratio, adv, eps):
    return -np.mean(rlcalc.ppo_clip(ratio, adv, eps))


def raises(rewards, **_):
    raise IndexError("index 1 is out of bounds")


def leaves(rewards, **_):
    raise SystemExit(3)


def hangs(rewards, **_):
    while True:
        time.sleep(0.01)


def hangs_and_catches(rewards, **_):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.01)


def one_short(rewards, **given):
    return rlcalc.gae(rewards, **given)[..., :-1]


def no_array(rewards, **_):
    return "advantages"


def not_a_number(rewards, **given):
    return rlcalc.gae(rewards, **given) * np.nan


def always_double(**given):
    return rlcalc.gae(**given).astype(np.float64)


def in_place(rewards, **given):
    found = rlcalc.gae(rewards, **given)
    rewards *= 0.5
    return found


def prints(rewards, **given):
    print("step")
    return rlcalc.gae(rewards, **given)


def imprecise(**given):
    return rlcalc.gae(**given) * (1 + 1e-6)


class Advantages:
    @staticmethod
    def compute(**given):
        return rlcalc.gae(**given)


not_a_function = 3


# seven digits of sixteen, in the ways that people come to them


def _cast(given: dict[str, Any], old: type, new: type) -> dict[str, Any]:
    return {k: v.astype(new) if getattr(v, "dtype", None) == old else v for k, v in given.items()}


def single_inside(**given):
    """Computes in float32 and hands the answer back in float64, as a buffer of a fixed dtype does."""
    return rlcalc.gae(**_cast(given, np.float64, np.float32)).astype(given["rewards"].dtype)


def single_all_the_way(**given):
    """Answers in float32, whatever it was given."""
    return rlcalc.gae(**_cast(given, np.float64, np.float32))


def double_inside(**given):
    """Computes in float64 and hands the answer back in the dtype of its inputs: more than is asked for."""
    return rlcalc.gae(**_cast(given, np.float32, np.float64)).astype(given["rewards"].dtype)


def double_for_single(**given):
    """Hands that answer back as it is."""
    return rlcalc.gae(**_cast(given, np.float32, np.float64))


def masks_of_integers(rewards, values, gamma, lam, terminated, truncated, next_values):
    """Torch: γ times an integer mask is float32, whatever the data are."""
    onward = gamma * (~terminated).int()
    delta = rewards + onward * next_values - values[..., :-1]
    decay = gamma * lam * (~(terminated | truncated)).int()
    advantages, later = rewards.clone(), 0.0
    for t in reversed(range(rewards.shape[-1])):
        later = delta[..., t] + decay[..., t] * later
        advantages[..., t] = later
    return advantages


def slightly_off(**given):
    """As far off as float32 would be, but everywhere."""
    return rlcalc.gae(**given) * (1 + 1e-7)


def needs_a_decay(gamma, lam, **given):
    if np.ndim(gamma) == 0 and gamma * lam == 0:
        raise IndexError("index 0 is out of bounds")
    return rlcalc.gae(gamma=gamma, lam=lam, **given)
