"""A function that answers another question is told which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.conform import conform
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function

# what is recognised is said beside the verdict, whatever the bug is called
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("verdict_alone")]  # each a whole run of conform


def td_errors(rewards, values, gamma, lam, terminated):
    return rewards + gamma * values[..., 1:] * (1 - terminated) - values[..., :-1]


def monte_carlo(rewards, values, gamma, lam, terminated):
    found, total = np.zeros_like(rewards), 0.0
    for t in reversed(range(rewards.shape[-1])):
        total = rewards[..., t] + gamma * (1 - terminated[..., t]) * total
        found[..., t] = total
    return found


def discounted(rewards, values, gamma, n, terminated):
    return rlcalc.discounted_return(rewards, values=values, gamma=gamma, terminated=terminated)


def lambda_returns(rewards, values, gamma, lam, terminated, truncated, next_values):
    """In a mapping, so that no reading of the answer can make returns of it."""
    given = {"terminated": terminated, "truncated": truncated, "next_values": next_values}
    return {"advantages": rlcalc.lambda_return(rewards, gamma=gamma, lam=lam, values=values, **given)}


@pytest.mark.parametrize(
    ("function", "formula", "words"),
    [
        (td_errors, "gae", "TD errors"),
        (monte_carlo, "gae", "discounted returns under no-bootstrap"),
        (discounted, "n_step_return", "discounted returns"),
        (lambda_returns, "gae", "λ-returns"),
    ],
)
def test_answers_of_another_formula_are_recognised(function: Any, formula: str, words: str) -> None:
    found = run(from_function(function, dtypes=("float64",)), formula)
    assert not found.passed
    (said,) = (note for note in found.notes if note.startswith("It gives "))
    assert said.startswith(f"It gives {words}, on all ")


def test_nothing_is_recognised_in_what_is_only_wrong() -> None:
    def nearly(rewards, values, gamma, lam, terminated):
        errors = td_errors(rewards, values, gamma, lam, terminated)
        errors[..., -1] += 1
        return errors

    found = run(from_function(nearly, dtypes=("float64",)), "gae")
    assert not any(note.startswith("It gives ") for note in found.notes)


def test_a_declared_convention_that_is_not_followed_is_named() -> None:
    def objective(ratio, adv, eps):
        return np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)

    found = conform(objective, "ppo_clip", conventions=["loss"])
    assert not found.passed
    assert any(note.startswith("It is right without loss") for note in found.notes)


@pytest.mark.parametrize(("c", "words"), [(0.3, "with c = 0.3, which must be above 1"), (5.0, "")])
def test_a_dual_clip_below_one_is_named_with_its_constant(c: float, words: str) -> None:
    def dual(ratio, adv, eps):
        plain = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
        return -np.where(adv < 0, np.maximum(plain, c * adv), plain)

    found = run(from_function(dual, dtypes=("float64",)), "ppo_clip", ["loss"] if words else [])
    assert any(words in note for note in found.notes) if words else not found.worst


def test_a_name_of_another_mode_is_said() -> None:
    def token_mean_loss(loss, mask):
        return np.where(mask, loss, 0).mean()

    found = conform(token_mean_loss, "loss_aggregation")
    assert "its name says token-mean, and it computes fixed-divisor" in found.notes


class Controller:
    def __init__(self, value: float, target: float, horizon: int) -> None:
        self.value, self.target, self.horizon = value, target, horizon

    def update(self, current, n_steps):
        self.value *= 1 + np.clip(current / self.target - 1, -0.2, 0.2) * n_steps / self.horizon

    def unclipped(self, current, n_steps):
        self.value *= 1 + (current / self.target - 1) * n_steps / self.horizon


def test_a_controller_is_judged_by_what_a_step_leaves_behind() -> None:
    assert conform(Controller.update, "adaptive_kl").verdict == "conforms"
    wrong = conform(Controller.unclipped, "adaptive_kl")
    assert wrong.binding is not None
    assert (wrong.verdict, wrong.binding.like) == ("nonconforming", ("clip-forgotten",))
