"""The mutation test of the checks: one bug at a time, and the checks that detect it.

Each bug is one that a real library has had or could have; one that
``rlcalc conform`` knows bears its name there too. It is put in from outside,
in the place of a formula or of a method; the trainer's source stays as it
is. A bug that nothing detects means that a check is missing, and fails the
tests.

The first probe is CartPole cut after 20 steps, so that within one iteration
episodes both fall and run out of time. Its rewards are all 1, which hides
whatever mixes them up; the second probe is the grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.errors import CheckFailed
from rlcalc.formulas import load_forms
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.check.exact import mini_loop
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.formulas import Form
from rlcalc.ppo.records import Batch
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer
from rlcalc.specs import load_formula
from rlcalc.training import mutation
from rlcalc.training.mutation import Detection, then

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
class Mutation(mutation.Mutation):
    """A bug in one part of a trainer: a formula of `Formulas` or a method of `Trainer`.

    One that the catalogue of ``conform`` knows is what runs where no change is given.
    """

    def make(self, *given: Any) -> Trainer:
        """A trainer with the bug, from what a `Trainer` takes."""
        if self.known and self.change is None:
            formula = self.known.partition("/")[0]
            return replace(self, part=formula, change=lambda right: known_bug(self.known)).make(*given)
        trainer = Trainer(*given)
        self.put_into(trainer)
        return trainer

    def text(self) -> str:
        if self.about:
            return self.about
        bug = _declared(self.known)
        return bug.does if isinstance(bug, Fault) else bug.about


def control() -> Detection:
    """The run without a bug, in which no check may fail."""
    found = detect(Mutation("none", "nothing is broken"))
    return replace(found, right=not found.caught_by)


def detect(mutation: Mutation) -> Detection:
    """Run with a bug until a check of each kind detects it."""
    caught = [] if mini_loop(make=mutation.make).passed else ["mini_loop"]
    when = ["0"] if caught else []
    for options, settings in PROBES:
        checks = Checks()
        env = make_env(settings.env, settings.envs, 0, torch.device("cpu"), torch.float32, **options)
        trainer = mutation.make(settings, checks.watch(env), None, checks)
        try:
            for _ in range(ITERATIONS):
                trainer.iterate()
        except CheckFailed:
            caught += [check["name"] for check in checks.report() if not check["passed"]]
            when.append(str(trainer.iterations))
            break
    return Detection(
        mutation.name, mutation.text(), mutation.known, tuple(caught), ", ".join(when), bool(caught)
    )


def _declared(known: str) -> Fault | Convention:
    formula, _, name = known.partition("/")
    declared: list[Fault | Convention] = [*catalogue(formula).faults, *catalogue(formula).conventions]
    (bug,) = (bug for bug in declared if bug.name == name)
    return bug


def known_bug(known: str) -> Form:
    """A bug of the catalogue of ``conform``, as a Torch form.

    It changes arguments or results of a form that it is given. That of GAE,
    through which no gradient goes, is the NumPy form; the others compute
    with tensors, so that they may hold arithmetic only.
    """
    formula, bug = known.partition("/")[0], _declared(known)
    forms, names = load_forms(formula), [parameter.name for parameter in load_formula(formula).parameters]

    def broken(**given: Any) -> dict[str, Any]:
        arrays = dict.fromkeys(names) | given
        if formula != "gae":
            return dict(bug.around(forms.torch_form)(**arrays))
        like = given["rewards"]
        numbers = {
            name: x.numpy() if isinstance(x, Tensor) else np.asarray(x, like.numpy().dtype)
            for name, x in arrays.items()
        }
        found = bug.around(forms.numpy_form)(**numbers)
        return {name: torch.as_tensor(np.array(x), dtype=like.dtype) for name, x in found.items()}

    return broken


# --- what the catalogue does not have, or not in Torch ------------------------------------------------


def _without_next_values(right: Form) -> Form:
    return lambda **given: right(**{**given, "next_values": torch.zeros_like(given["rewards"])})


def _one_discount(right: Form) -> Form:
    """A_t = δ_t + γ·Σ_{k≥1} λ^k δ_{t+k}: the discount of one step for every delay."""

    def gae(**given: Any) -> dict[str, Any]:
        # with γ = 1 in the recursion alone, later errors weigh λ^k; what they lack is one γ
        now = right(**{**given, "lam": 0.0})["advantages"]
        later = right(
            **{**given, "gamma": 1.0, "rewards": now, "values": torch.zeros_like(given["values"]),
               "next_values": torch.zeros_like(now)}
        )["advantages"]  # fmt: skip
        advantages = now + given["gamma"] * (later - now)
        return {"advantages": advantages, "returns": advantages + given["values"][..., :-1]}

    return gae


def swapped_clip(ratio: Tensor, adv: Tensor, eps: float) -> dict[str, Tensor]:
    return {"objective": torch.minimum(ratio * adv, torch.clamp(ratio, 1 + eps, 1 - eps) * adv)}


def early_minimum(ratio: Tensor, adv: Tensor, eps: float) -> dict[str, Tensor]:
    return {"objective": torch.minimum(ratio, ratio.clamp(1 - eps, 1 + eps)) * adv}


def _refreshed(right: Any) -> Any:
    """`Trainer.minibatches` with the policy of each epoch for the one that acted."""
    model = right.__self__.model

    def minibatches(batch: Batch) -> Iterator[Batch]:
        with torch.no_grad():
            now = model.policy(model.actor(batch.observation)).log_prob(batch.action)
        return right(replace(batch, old_log=now))  # type: ignore[no-any-return]

    return minibatches


def _leaking(right: Any) -> Any:
    """`Trainer.losses` with the advantage from the critic, and the gradient let through."""
    return lambda head, values, part: right(head, values, replace(part, advantage=part.returns - values))


MUTATIONS = (
    Mutation("advantage_sign", "−A instead of A", part="gae",
             change=then(lambda found: {**found, "advantages": -found["advantages"]})),
    Mutation("done_shifted", known="gae/done-mask-one-late"),
    Mutation("truncation_terminates", known="gae/truncation-as-termination"),
    Mutation("no_bootstrap", "the value of the successor is left out", part="gae",
             change=_without_next_values),
    Mutation("bootstrap_after_reset", known="gae/next-value-of-reset-state"),
    Mutation("successor_after_reset", "the rollout stores the state after the reset", part="collect",
             change=then(lambda rollout: replace(rollout, successor=rollout.observation[1:]))),
    Mutation("truncation_ignored", known="gae/recursion-crosses-truncation"),
    Mutation("reward_late", known="gae/reward-one-late", part="collect",
             change=then(lambda rollout: replace(rollout, reward=rollout.reward.roll(1, -1)))),
    Mutation("lambda_missing", known="gae/lam-missing-in-recursion"),
    Mutation("one_discount", "γ where γⁿ is meant", part="gae", change=_one_discount),
    Mutation("target_is_advantage", "the critic learns A instead of A + V", part="gae",
             change=then(lambda found: {**found, "returns": found["advantages"]})),
    Mutation("mean_added_back", "normalisation adds the mean back",
             "actor_loss/whitened-with-the-mean-added-back", part="normalise",
             change=lambda right: lambda advantage: right(advantage) + advantage.mean()),
    Mutation("old_refreshed", "old log-probabilities are refreshed each epoch", part="minibatches",
             change=_refreshed),
    Mutation("ratio_inverted", known="ratio/ratio-inverted"),
    Mutation("clip_swapped", known="ppo_clip/bounds-swapped", part="ppo_clip",
             change=lambda right: swapped_clip),
    Mutation("minimum_early", known="ppo_clip/minimum-before-the-product", part="ppo_clip",
             change=lambda right: early_minimum),
    Mutation("no_clip", known="ppo_clip/clip-forgotten"),
    Mutation("critic_sign", known="ppo_loss/critic-sign"),
    Mutation("entropy_sign", known="ppo_loss/entropy-sign"),
    Mutation("critic_halved", known="ppo_loss/critic-halved-again"),
    Mutation("advantage_leaks", "a gradient flows through the advantage into the critic", part="losses",
             change=_leaking),
    Mutation("ascent", "the optimiser climbs", part="learning_rate", change=then(lambda rate: -rate)),
    Mutation("kl_sign", known="kl/negative-divergence"),
)  # fmt: skip
