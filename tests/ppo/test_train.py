"""The trainer's parts, against the definitions and against torch's own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from rlcalc.errors import InputError
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.envs.base import BoxActions, DiscreteActions
from rlcalc.ppo.formulas import Formulas
from rlcalc.ppo.policy import ActorCritic, Categorical, Gaussian
from rlcalc.ppo.settings import MANY, Settings, tuned
from rlcalc.ppo.train import Trainer
from rlcalc.training.optimiser import Optimiser
from rlcalc.training.settings import from_mapping
from tests.refused import refused

CPU = torch.device("cpu")
SMALL = Settings(env="cartpole", envs=4, horizon=8, epochs=2, minibatches=2, dtype="float64")


def small_trainer(settings: Settings = SMALL, **options: object) -> Trainer:
    env = make_env(settings.env, settings.envs, 0, CPU, getattr(torch, settings.dtype), **options)
    return Trainer(settings, env)


def test_adam_is_torchs_adam() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(3, 2).double(), torch.nn.Linear(3, 2).double()
    theirs.load_state_dict(ours.state_dict())
    mine, other = Optimiser(ours.parameters()), torch.optim.Adam(theirs.parameters(), lr=0.01)
    mine.rate.fill_(0.01)
    for step in range(20):
        x = torch.randn(5, 3, dtype=torch.float64)
        for model in (ours, theirs):
            loss = (model(x) - step).square().sum()
            if model is ours:
                mine.differentiate(loss)
            else:
                other.zero_grad()
                loss.backward()
        mine.step()
        other.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-13)


def test_descent_and_shortening() -> None:
    layer = torch.nn.Linear(2, 1, bias=False).double()
    optimiser = Optimiser(layer.parameters(), "sgd")
    before = layer.weight.detach().clone()
    optimiser.gradient.copy_(torch.tensor([3.0, 4.0]))
    optimiser.shorten(1.0)
    assert optimiser.gradient.norm().item() == pytest.approx(1.0, abs=1e-6)
    optimiser.shorten(math.inf)
    optimiser.rate.fill_(0.5)
    optimiser.step()
    torch.testing.assert_close(layer.weight, before - 0.5 * optimiser.gradient)


def test_rollout_is_what_the_definitions_say() -> None:
    trainer = small_trainer(time_limit=5)
    first = trainer.observation.clone()
    rollout = trainer.collect()
    assert rollout.observation.shape == (9, 4, 4)
    assert rollout.reward.shape == (4, 8)
    assert torch.equal(rollout.observation[0], first)
    assert torch.equal(trainer.observation, rollout.observation[-1])
    ended = (rollout.terminated | rollout.truncated).T
    assert rollout.truncated.any()
    same = (rollout.successor == rollout.observation[1:]).all(-1)
    assert torch.equal(same, ~ended), (
        "the successor differs from what is seen next exactly where an episode ended"
    )
    trainer.settings = replace(trainer.settings, normalise=False)
    batch = trainer.advantages(rollout)
    with torch.no_grad():
        values, following = (
            trainer.model.critic(rollout.observation[:-1]),
            trainer.model.critic(rollout.successor),
        )
    expected = torch.zeros(4, 8, dtype=torch.float64)
    for env in range(4):
        carried = 0.0
        for t in reversed(range(8)):
            bootstrap = 0.0 if rollout.terminated[env, t] else 0.99 * following[t, env].item()
            if rollout.terminated[env, t] or rollout.truncated[env, t]:
                carried = 0.0
            carried = (
                rollout.reward[env, t].item() + bootstrap - values[t, env].item() + 0.99 * 0.95 * carried
            )
            expected[env, t] = carried
    torch.testing.assert_close(batch.advantage.view(4, 8), expected)
    torch.testing.assert_close(batch.returns, batch.advantage + batch.values)


def test_episode_returns_run_across_iterations() -> None:
    trainer = small_trainer(replace(SMALL, horizon=3), time_limit=7)
    done, total, running = 0, 0.0, torch.zeros(4)
    for _ in range(12):
        rollout = trainer.collect()
        count, summed = trainer.meter.episodes(rollout)
        mine, mine_total = 0, 0.0
        for t in range(3):
            running += rollout.reward[:, t].float()
            over = rollout.terminated[:, t] | rollout.truncated[:, t]
            mine += int(over.sum())
            mine_total += running[over].sum().item()
            running[over] = 0
        assert (round(count.item()), summed.item()) == (mine, pytest.approx(mine_total))
        done, total = done + mine, total + mine_total
    assert done > 0
    assert total <= 7 * done


def test_normalised_in_two_passes_does_not_cancel() -> None:
    trainer = small_trainer(replace(SMALL, dtype="float32"))
    far = torch.tensor([[0.0, 1.0, 2.0, 3.0]], dtype=torch.float32) + 4096
    expected = torch.tensor([[-3.0, -1.0, 1.0, 3.0]]) / math.sqrt(5)
    torch.testing.assert_close(trainer.normalise(far), expected)
    assert torch.equal(trainer.normalise(torch.full((2, 2), 7.0)), torch.zeros(2, 2))
    # equal but for rounding: the mean of 64 times 9.7 is not 9.7 in float32
    assert torch.equal(trainer.normalise(torch.full((1, 63), 9.7)), torch.zeros(1, 63))


def test_minibatches_are_a_partition() -> None:
    trainer = small_trainer()
    batch = trainer.advantages(trainer.collect())
    parts = list(trainer.minibatches(batch))
    assert sorted(torch.cat([part.index for part in parts]).tolist()) == list(range(32))
    for part in parts:
        assert torch.equal(part.observation, batch.observation[part.index])
        assert torch.equal(part.old_log, batch.old_log[part.index])


def test_the_trainer_holds_the_verified_forms() -> None:
    from rlcalc.formulas import load_forms

    verified = Formulas.verified()
    for name in ("gae", "ratio", "ppo_clip", "critic_loss", "entropy", "ppo_loss", "kl"):
        # one form may serve several backends, of which a partial call names one
        ours, theirs = (
            (getattr(form, "func", form), getattr(form, "args", ()))
            for form in (getattr(verified, name), load_forms(name).torch_form)
        )
        assert ours == theirs


def test_one_seed_one_network_and_no_global_randomness() -> None:
    state = torch.random.get_rng_state()
    one = ActorCritic(4, DiscreteActions(2), (8,), 3, CPU, torch.float32)
    two = ActorCritic(4, DiscreteActions(2), (8,), 3, CPU, torch.float32)
    other = ActorCritic(4, DiscreteActions(2), (8,), 4, CPU, torch.float32)
    assert torch.equal(state, torch.random.get_rng_state())
    x = torch.ones(1, 4)
    assert torch.equal(one.critic(x), two.critic(x))
    assert not torch.equal(one.critic(x), other.critic(x))


def test_gumbel_noise_samples_the_softmax() -> None:
    model = ActorCritic(1, DiscreteActions(3), (), 0, CPU, torch.float64)
    logits = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    noise = model.noise(1, 60_000, torch.Generator().manual_seed(0))[0]
    shares = torch.bincount(model.sample(logits.expand(60_000, 3), noise), minlength=3) / 60_000
    # three standard deviations of a share are below 0.0062
    torch.testing.assert_close(shares.double(), torch.softmax(logits, -1), atol=0.007, rtol=0)


def test_gaussian_is_torchs_normal() -> None:
    from torch.distributions import Normal, kl_divergence

    torch.manual_seed(0)
    mean, log_std, action = (torch.randn(5, 2, dtype=torch.float64) for _ in range(3))
    ours, theirs = Gaussian(mean, log_std), Normal(mean, log_std.exp())
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action).sum(-1))
    torch.testing.assert_close(ours.entropy(lambda **_: {}), theirs.entropy().sum(-1))
    other, torchs = Gaussian(mean + 1, log_std / 2), Normal(mean + 1, (log_std / 2).exp())
    torch.testing.assert_close(
        ours.divergence_to(other, lambda **_: {}), kl_divergence(theirs, torchs).sum(-1)
    )


def test_box_actions_stay_in_the_box() -> None:
    model = ActorCritic(3, BoxActions(2, (-1.0, -math.inf), (1.0, 0.5)), (4,), 0, CPU, torch.float32)
    head = model.actor(torch.zeros(5, 3))
    assert head.shape == (5, 4)
    given = model.bounded(torch.full((5, 2), 9.0))
    assert given[0].tolist() == [1.0, 0.5]


def test_categorical_survives_certainty() -> None:
    certain = Categorical(torch.log_softmax(torch.tensor([[1000.0, 0.0]]), -1))
    verified = Formulas.verified()
    assert certain.entropy(verified.entropy).item() == 0
    assert certain.divergence_to(certain, verified.kl).item() == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"clip": 1.0}, "clip_out_of_range"),
        ({"gamma": 1.5}, "gamma_out_of_range"),
        ({"epochs": 0}, "epochs_out_of_range"),
        ({"envs": 3, "horizon": 3, "minibatches": 4}, "minibatches_uneven"),
    ],
)
def test_settings_that_make_no_sense(change: dict[str, float], code: str) -> None:
    with refused(InputError, code):
        replace(SMALL, **change).check()


def test_settings_survive_a_checkpoint() -> None:
    from dataclasses import asdict

    settings = tuned("cartpole", seed=5)
    saved = {**asdict(settings), "hidden": list(settings.hidden), "from a later version": 1}
    assert from_mapping(Settings, saved) == settings


def test_the_lectures_values_are_the_defaults() -> None:
    plain = Settings()
    assert (plain.gamma, plain.lam, plain.learning_rate) == (0.99, 0.95, 3e-4)
    assert 0.1 <= plain.clip <= 0.2
    assert 3 <= plain.epochs <= 10


def test_thousands_of_copies_get_other_settings() -> None:
    assert replace(tuned("cartpole", envs=MANY - 4), envs=32) == tuned("cartpole")
    # an iteration of 4096 copies is more than half of the 200,000 steps that a run with few takes at most
    assert tuned("cartpole", envs=4096).steps >= 10 * tuned("cartpole", envs=4096).batch
    assert tuned("cartpole", envs=MANY, steps=5000).steps == 5000


@pytest.mark.parametrize("envs", [1, 3, 8, 31, 32])
@pytest.mark.parametrize("env", ["cartpole", "bandit", "grid2x2", "tokens"])
def test_few_copies_learn_from_batches_as_large(env: str, envs: int) -> None:
    ours, few = tuned(env), tuned(env, envs=envs)
    assert ours.batch <= few.batch < ours.batch + envs * ours.minibatches
    assert few.batch % few.minibatches == 0
    assert tuned(env, envs=envs, horizon=ours.minibatches).horizon == ours.minibatches
