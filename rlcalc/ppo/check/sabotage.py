"""Deliberate faults, one at a time, and the checks that catch them.

Each fault is one that a real library has had or could have. It is put in from
outside, as another formula in `Formulas` or another method of a `Trainer`;
the trainer's source stays as it is. A fault that nothing catches means that
a check is missing, and fails the tests.

The first probe is CartPole cut after 20 steps, so that within one iteration
episodes both fall and run out of time. Its rewards are all 1, which hides
whatever mixes them up; the second probe is the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import CheckFailed
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.check.exact import mini_loop
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Batch, Losses, Rollout
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Form, Formulas, Trainer

ITERATIONS = 10
# env, its options, and settings in which every part of the loss weighs something
_SMALL: dict[str, Any] = {"envs": 16, "epochs": 3, "minibatches": 2, "c2": 0.01}
PROBES: tuple[tuple[dict[str, Any], Settings], ...] = (
    (
        {"time_limit": 20},
        Settings(env="cartpole", horizon=32, gamma=0.95, learning_rate=1e-3, **_SMALL),
    ),
    (
        {"time_limit": 3, "exploring_starts": True},
        Settings(env="grid2x2", horizon=8, gamma=0.9, learning_rate=0.05, hidden=(), **_SMALL),
    ),
)


@dataclass(frozen=True)
class Fault:
    """A fault: other formulas, another trainer, or both."""

    name: str
    about: str
    formulas: Callable[[Formulas], Formulas] = lambda verified: verified
    trainer: type[Trainer] = Trainer


@dataclass(frozen=True)
class Outcome:
    """What caught a fault, and in which iteration of that probe (0 stands for before learning)."""

    name: str
    about: str
    caught_by: tuple[str, ...]
    iteration: str
    right: bool


def control() -> Outcome:
    """The run without a fault, which nothing may catch."""
    found = catch(Fault("none", "nothing is broken"))
    return replace(found, right=not found.caught_by)


def catch(fault: Fault) -> Outcome:
    """Run with a fault until something catches it."""
    formulas = fault.formulas(Formulas.verified())
    caught = [] if mini_loop(formulas, fault.trainer).passed else ["mini_loop"]
    when = ["0"] if caught else []
    for options, settings in PROBES:
        checks = Checks()
        env = make_env(settings.env, settings.envs, 0, torch.device("cpu"), torch.float32, **options)
        trainer = fault.trainer(settings, checks.watch(env), formulas, checks)
        try:
            for _ in range(ITERATIONS):
                trainer.iterate()
        except CheckFailed:
            caught += [check["name"] for check in checks.report() if not check["passed"]]
            when.append(str(trainer.iterations))
            break
    return Outcome(fault.name, fault.about, tuple(caught), ", ".join(when), bool(caught))


# --- broken formulas -----------------------------------------------------------------------------------


def _gae(**change: Callable[[dict[str, Any]], Any]) -> Callable[[Formulas], Formulas]:
    """GAE that is handed something else than the rollout."""

    def broken(verified: Formulas) -> Formulas:
        def gae(**given: Any) -> dict[str, Any]:
            return verified.gae(**{**given, **{name: make(given) for name, make in change.items()}})

        return replace(verified, gae=gae)

    return broken


def _gae_result(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Formulas], Formulas]:
    def broken(verified: Formulas) -> Formulas:
        return replace(verified, gae=lambda **given: change(verified.gae(**given)))

    return broken


def _formula(name: str, form: Form) -> Callable[[Formulas], Formulas]:
    return lambda verified: replace(verified, **{name: form})


def _one_discount(verified: Formulas) -> Formulas:
    """A_t = δ_t + γ·Σ_{k≥1} λ^k δ_{t+k}: the discount of one step for every delay."""

    def gae(**given: Any) -> dict[str, Any]:
        # with γ = 1 in the recursion alone, later errors weigh λ^k; what they lack is one γ
        now = verified.gae(**{**given, "lam": 0.0})["advantages"]
        later = verified.gae(
            **{**given, "gamma": 1.0, "rewards": now, "values": torch.zeros_like(given["values"]),
               "next_values": torch.zeros_like(now)}
        )["advantages"]  # fmt: skip
        advantages = now + given["gamma"] * (later - now)
        return {"advantages": advantages, "returns": advantages + given["values"][..., :-1]}

    return replace(verified, gae=gae)


def _reset_state(given: dict[str, Any]) -> Tensor:
    """V of the state that is seen next, which after an end belongs to a new episode."""
    following: Tensor = given["values"][..., 1:]
    return following


def _swapped_clip(ratio: Tensor, adv: Tensor, eps: float) -> dict[str, Tensor]:
    inner = torch.clamp(ratio, 1 + eps, 1 - eps)
    return {"objective": torch.minimum(ratio * adv, inner * adv)}


def _early_minimum(ratio: Tensor, adv: Tensor, eps: float) -> dict[str, Tensor]:
    return {"objective": torch.minimum(ratio, ratio.clamp(1 - eps, 1 + eps)) * adv}


def _combined(critic_sign: float, entropy_sign: float) -> Form:
    def ppo_loss(clip: Tensor, critic: Tensor, entropy: Tensor, c1: float, c2: float) -> dict[str, Tensor]:
        return {"loss": -clip + critic_sign * c1 * critic - entropy_sign * c2 * entropy}

    return ppo_loss


def _inverted_ratio(verified: Formulas) -> Formulas:
    def ratio(new_log: Tensor, old_log: Tensor) -> dict[str, Any]:
        return verified.ratio(new_log=old_log, old_log=new_log)

    return replace(verified, ratio=ratio)


def _halved_critic(verified: Formulas) -> Formulas:
    def critic_loss(**given: Any) -> dict[str, Any]:
        return {"loss": verified.critic_loss(**given)["loss"] / 2}

    return replace(verified, critic_loss=critic_loss)


def _negative_kl(verified: Formulas) -> Formulas:
    return replace(verified, kl=lambda p, q: {"divergence": -verified.kl(p=p, q=q)["divergence"]})


# --- broken trainers -----------------------------------------------------------------------------------


class _Refreshed(Trainer):
    """Takes the policy of each epoch for the one that acted."""

    def minibatches(self, batch: Batch) -> Iterator[Batch]:
        with torch.no_grad():
            now = self.model.policy(self.model.actor(batch.observation)).log_prob(batch.action)
        return super().minibatches(replace(batch, old_log=now))


class _Leaking(Trainer):
    """Computes the advantage from the critic inside the loss, and lets the gradient through."""

    def losses(self, head: Tensor, values: Tensor, part: Batch) -> Losses:
        return super().losses(head, values, replace(part, advantage=part.returns - values))


class _MeanAddedBack(Trainer):
    def normalise(self, advantage: Tensor) -> Tensor:
        return super().normalise(advantage) + advantage.mean()


class _LateReward(Trainer):
    """Stores the reward in the row of the next step."""

    def collect(self) -> Rollout:
        rollout = super().collect()
        return replace(rollout, reward=rollout.reward.roll(1, -1))


class _ResetSuccessor(Trainer):
    """Keeps the observation after a reset as the successor."""

    def collect(self) -> Rollout:
        rollout = super().collect()
        return replace(rollout, successor=rollout.observation[1:])


class _Ascent(Trainer):
    def learning_rate(self) -> float:
        return -super().learning_rate()


FAULTS = (
    Fault("advantage_sign", "−A instead of A",
          _gae_result(lambda found: {**found, "advantages": -found["advantages"]})),
    Fault("done_shifted", "terminated marks the step after its own",
          _gae(terminated=lambda given: given["terminated"].roll(1, -1))),
    Fault("truncation_terminates", "running out of time counts as a terminal state",
          _gae(terminated=lambda given: given["terminated"] | given["truncated"])),
    Fault("no_bootstrap", "the value of the successor is left out",
          _gae(next_values=lambda given: torch.zeros_like(given["rewards"]))),
    Fault("bootstrap_after_reset", "a cut step bootstraps from the next episode's first state",
          _gae(next_values=_reset_state)),
    Fault("successor_after_reset", "the rollout stores the state after the reset", trainer=_ResetSuccessor),
    Fault("truncation_ignored", "the recursion runs on across a cut",
          _gae(truncated=lambda given: torch.zeros_like(given["truncated"]))),
    Fault("reward_late", "rewards are stored one step late", trainer=_LateReward),
    Fault("lambda_missing", "λ is 1 whatever was asked for", _gae(lam=lambda given: 1.0)),
    Fault("one_discount", "γ where γⁿ is meant", _one_discount),
    Fault("target_is_advantage", "the critic learns A instead of A + V",
          _gae_result(lambda found: {**found, "returns": found["advantages"]})),
    Fault("mean_added_back", "normalisation adds the mean back", trainer=_MeanAddedBack),
    Fault("old_refreshed", "old log-probabilities are refreshed each epoch", trainer=_Refreshed),
    Fault("ratio_inverted", "old over new", _inverted_ratio),
    Fault("clip_swapped", "clip(r, 1+ε, 1−ε)", _formula("ppo_clip", _swapped_clip)),
    Fault("minimum_early", "min(r, clip(r))·A", _formula("ppo_clip", _early_minimum)),
    Fault("no_clip", "r·A alone",
          _formula("ppo_clip", lambda ratio, adv, eps: {"objective": ratio * adv})),
    Fault("critic_sign", "the critic's loss is subtracted from what is minimised",
          _formula("ppo_loss", _combined(-1.0, 1.0))),
    Fault("entropy_sign", "the entropy is added to what is minimised",
          _formula("ppo_loss", _combined(1.0, -1.0))),
    Fault("critic_halved", "a factor 1/2 that the reduction does not name", _halved_critic),
    Fault("advantage_leaks", "a gradient flows through the advantage into the critic", trainer=_Leaking),
    Fault("ascent", "the optimiser climbs", trainer=_Ascent),
    Fault("kl_sign", "the reported divergence has the wrong sign", _negative_kl),
)  # fmt: skip
