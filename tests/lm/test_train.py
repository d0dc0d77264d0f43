"""The trainer: its losses, its parts in pieces, and the checks that look on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from rlcalc.errors import CheckFailed, InputError
from rlcalc.lm.check.checks import ABOUT, Checks
from rlcalc.lm.model import Transformer
from rlcalc.lm.records import Batch
from rlcalc.lm.settings import ALGORITHMS, tuned
from rlcalc.lm.train import Trainer
from tests.lm.parts import tiny
from tests.refused import refused


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.slow
def test_a_checked_run_learns_what_an_unchecked_one_does(algorithm: str) -> None:
    settings, checks = tiny(algorithm), Checks()
    seen, plain = Trainer(settings, watcher=checks), Trainer(settings)
    while seen.iterations < settings.planned:
        seen.iterate()
        plain.iterate()
    assert torch.equal(seen.optimiser.flat, plain.optimiser.flat)
    report = {check["name"]: check for check in checks.report()}
    assert all(check["passed"] for check in report.values())
    only = {"ppo": {"returns", "exact_row", "critic_gradient"}, "grpo": {"kl_gradient"}}
    of_batches = {"old_policy", "first_ratio", "constants", "weights", "advantages", "kl_exact"}
    left_out = set().union(*(names for other, names in only.items() if other != algorithm))
    left_out |= {"ppo": {"centred"}, "dpo": of_batches | {"centred"}}.get(algorithm, set())
    assert set(report) == set(ABOUT) - left_out


def test_a_failure_says_what_was_expected_and_found_and_where() -> None:
    trainer = Trainer(tiny(pretraining=0, finetuning=0, preference=0), watcher=Checks())
    reward = trainer.task.reward
    trainer.task.reward = lambda problems, ids: ~reward(problems, ids)  # type: ignore[method-assign]
    with refused(CheckFailed, "check_reward") as caught:
        trainer.iterate()
    for part in ("Expected 0", "found 1", "reward [row] at [0]", "update 1, reasoning"):
        assert part in str(caught.value)


def test_nan_never_passes() -> None:
    trainer = Trainer(tiny(), watcher=Checks())
    trainer.optimiser.flat[0] = math.nan
    with pytest.raises(CheckFailed):
        trainer.iterate()


@pytest.mark.parametrize("algorithm", ["grpo", "ppo", "rloo"])
@pytest.mark.parametrize("aggregation", ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"])
def test_the_gradient_is_the_same_however_a_batch_is_cut(algorithm: str, aggregation: Any) -> None:
    """Ragged answers in micro-batches of 16, of 5 and of 1."""
    gradients = []
    for micro in (16, 5, 1):
        settings = tiny(algorithm, dtype="float64", micro=micro, aggregation=aggregation)
        trainer = Trainer(settings)
        answers = trainer.sample()
        lengths = torch.randint(1, 4, (16,), generator=torch.Generator().manual_seed(0))
        place = answers.mask.cumsum(-1)
        answers = replace(answers, mask=answers.mask & (place <= lengths[:, None]))
        answers = replace(answers, reward=torch.arange(16.0).double() % 3)
        trainer.accumulate(trainer.prepare(answers))
        gradients.append(trainer.optimiser.gradient.clone())
    assert gradients[0].abs().max() > 1e-3
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], atol=1e-14, rtol=1e-10)


def test_whole_gradients_are_those_of_differences() -> None:
    """Of PPO's loss by three parameters of the policy and of the critic."""
    trainer = Trainer(tiny("ppo", dtype="float64", pretraining=0, finetuning=0, preference=0))
    answers = trainer.sample()
    batch = trainer.prepare(replace(answers, reward=torch.arange(16.0).double() % 3))
    # away from ratio 1, where both branches of the minimum are one
    noise = torch.randn(len(trainer.optimiser.flat), generator=torch.Generator().manual_seed(1))
    trainer.optimiser.flat.add_(0.02 * noise)

    def loss(part: Batch) -> float:
        return sum(losses.loss.item() for losses in trainer.accumulate(part))

    loss(batch)
    gradient = trainer.optimiser.gradient.clone()
    for at in gradient.abs().topk(40).indices[::13].tolist():
        sides = []
        for step in (1e-6, -2e-6):
            trainer.optimiser.flat[at] += step
            sides.append(loss(batch))
        trainer.optimiser.flat[at] += 1e-6
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(gradient[at].item(), rel=1e-5)


def test_a_token_knows_nothing_of_later_ones() -> None:
    model = Transformer(14, 14, 9, 8, 2, 2, 0)
    ids = torch.randint(14, (2, 9), generator=torch.Generator().manual_seed(0))
    other = torch.cat([ids[:, :5], (ids[:, 5:] + 1) % 14], 1)
    torch.testing.assert_close(model(other)[:, :5], model(ids)[:, :5])
    assert not torch.allclose(model(other)[:, 5:], model(ids)[:, 5:])
    torch.testing.assert_close(model(ids[:, :5]), model(ids)[:, :5])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"largest": 0}, "largest_out_of_range"),
        ({"group": True}, "group_out_of_range"),
        ({"temperature": 0.0}, "temperature_out_of_range"),
        ({"beta": math.nan}, "beta_out_of_range"),
        ({"heads": 3}, "heads_uneven"),
        ({"minibatches": 5}, "minibatches_uneven"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense(given: dict[str, Any], code: str) -> None:
    with refused(InputError, code):
        tuned("grpo", **given)


def test_a_group_of_one_has_no_pairs() -> None:
    with pytest.raises(InputError, match="pair"):
        tuned("dpo", group=1)
