"""A captured iteration computes what an eager one does, and touches the host nowhere.

No GPU is needed: `Recorder` keeps a CUDA graph's rules on a CPU, and the
device ``meta`` has no numbers that anybody could wait for. With a GPU the
last tests run the graphs themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rlcalc.errors import CheckFailed
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Rollout, Work
from rlcalc.ppo.run.capture import WARM_UP, can_capture, capture
from rlcalc.ppo.run.evaluate import Episodes
from rlcalc.ppo.run.run import Options, run
from rlcalc.ppo.settings import Settings, tuned
from rlcalc.ppo.train import Trainer
from tests.ppo.recorder import NoHost, Recorder, Refused

pytestmark = pytest.mark.slow  # each captures whole iterations

CPU = torch.device("cpu")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
SMALL: dict[str, Any] = {"envs": 8, "epochs": 3, "minibatches": 2, "c2": 0.01, "steps": 4000}
SETTINGS = {
    "cartpole": (Settings(env="cartpole", horizon=16, learning_rate=3e-3, **SMALL), {"time_limit": 20}),
    "grid2x2": (
        Settings(env="grid2x2", horizon=8, gamma=0.9, learning_rate=0.05, hidden=(), **SMALL),
        {"time_limit": 3, "exploring_starts": True},
    ),
    "tokens": (Settings(env="tokens", horizon=5, hidden=(), optimiser="sgd", **SMALL), {}),
    "bandit": (Settings(env="bandit", horizon=2, hidden=(), dtype="float64", **SMALL), {}),
}


@pytest.fixture(autouse=True)
def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recurrence looks at a value on a CPU; elsewhere, and for a compiler, it does not."""
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)


def made(
    settings: Settings, options: dict[str, Any], kind: type[Trainer] = Trainer, device: Any = CPU
) -> Trainer:
    checks = Checks()
    env = make_env(settings.env, settings.envs, 0, device, getattr(torch, settings.dtype), **options)
    return kind(settings, checks.watch(env), None, checks)


def recorded(trainer: Trainer) -> Recorder:
    recorder = Recorder([trainer.generator, trainer.env.generator])
    capture(trainer, recorder)
    return recorder


def compare(settings: Settings, options: dict[str, Any], kind: type[Trainer] = Trainer) -> None:
    """Ten iterations, eager and replayed: metrics, parameters, checks and states are the same numbers."""
    eager, replayed = made(settings, options, kind), made(settings, options, kind)
    for at in range(10):
        if at == WARM_UP:
            recorded(replayed)
        assert asdict(replayed.iterate()) == asdict(eager.iterate()), f"iteration {at}"
    assert torch.equal(replayed.optimiser.flat, eager.optimiser.flat)
    assert eager.watcher.report() == replayed.watcher.report()  # type: ignore[union-attr]
    ours, theirs = replayed.state_dict(), eager.state_dict()
    assert torch.equal(ours["generator"], theirs["generator"])
    for part in ("env", "optimiser"):
        assert all(torch.equal(ours[part][name], theirs[part][name]) for name in theirs[part])


@pytest.mark.parametrize("env", SETTINGS)
def test_a_replayed_iteration_is_the_eager_one(env: str) -> None:
    compare(*SETTINGS[env])


class _Rebinds(Trainer):
    """Puts another tensor in the place of the observation, as eager code may."""

    def collect(self) -> Rollout:
        buffer, before = self.observation, self.observation.clone()
        rollout = super().collect()
        buffer.copy_(before)
        self.observation = rollout.observation[-1].clone()
        return rollout


class _PlainRate(Trainer):
    """Lets a Python number decide the step."""

    def work(self) -> Work:
        self.optimiser.rate = torch.full((), 1e-3 / (1 + self.iterations))
        return super().work()


class _Counts(Trainer):
    """Counts in Python what the device should."""

    def work(self) -> Work:
        done = super().work()
        episodes, others = done.numbers[:1], done.numbers[1:]
        return replace(done, numbers=torch.cat((episodes + self.iterations, others)))


@pytest.mark.parametrize("kind", [_Rebinds, _PlainRate, _Counts])
def test_what_a_graph_would_repeat_is_noticed(kind: type[Trainer]) -> None:
    settings, options = SETTINGS["cartpole"]
    with pytest.raises((AssertionError, CheckFailed), match="iteration"):
        compare(settings, options, kind)


class _Waits(Trainer):
    def advantages(self, rollout: Rollout) -> Any:
        batch = super().advantages(rollout)
        return batch if batch.advantage.sum().item() < 1e9 else None


def normalising(change: Callable[[Tensor, Tensor], Tensor]) -> type[Trainer]:
    """A trainer that makes something of the advantages, given as normalised and as they were."""

    class Changed(Trainer):
        def normalise(self, advantage: Tensor) -> Tensor:
            return change(super().normalise(advantage), advantage)

    return Changed


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (_Waits, "waits for the device"),
        (normalising(lambda x, raw: x * raw[raw > 0].numel()), "size that depends on data"),
        (normalising(lambda x, _: x + torch.rand((), generator=torch.Generator())), "that is not registered"),
        (normalising(lambda x, _: x * torch.tensor([1.0])), "copies from the host"),
    ],
)
def test_what_a_graph_would_refuse_is_refused(kind: type[Trainer], why: str) -> None:
    settings, options = SETTINGS["cartpole"]
    trainer = made(settings, options, kind)
    trainer.watcher = None
    with pytest.raises(Refused, match=why):
        recorded(trainer)


def test_recording_runs_nothing() -> None:
    settings, options = SETTINGS["cartpole"]
    trainer = made(settings, options)
    for _ in range(WARM_UP):
        trainer.iterate()
    before = trainer.state_dict()
    recorder = recorded(trainer)
    after = trainer.state_dict()
    assert torch.equal(before["optimiser"]["flat"], after["optimiser"]["flat"])
    assert torch.equal(before["observation"], after["observation"])
    assert torch.equal(before["generator"], after["generator"])
    assert torch.equal(before["env"]["state"], after["env"]["state"])
    assert len(recorder.tape) > 500


def test_replayed_iterations_are_still_checked() -> None:
    """What the watcher sees after a replay is that replay: something wrong in it stops the run."""
    settings, options = SETTINGS["grid2x2"]
    trainer = made(settings, options)
    for _ in range(WARM_UP):
        trainer.iterate()
    recorded(trainer)
    trainer.iterate()
    watcher = trainer.watcher
    assert isinstance(watcher, Checks)
    right = watcher.advantages
    watcher.advantages = lambda trainer, rollout, raw, batch: right(trainer, rollout, raw + 0.5, batch)  # type: ignore[method-assign]
    with pytest.raises(CheckFailed, match="advantages"):
        trainer.iterate()


@pytest.mark.parametrize("env", SETTINGS)
def test_an_iteration_touches_the_host_nowhere(env: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device without numbers, and with every operation looked at."""
    settings, options = SETTINGS[env]
    host = torch.Generator
    monkeypatch.setattr(torch, "Generator", lambda device="cpu": host())  # meta has none of its own
    meta = torch.device("meta")
    trainer = Trainer(settings, make_env(env, settings.envs, 0, meta, torch.float32, **options))
    evaluation = Episodes(
        lambda seen: trainer.model.best(trainer.model.actor(seen)),
        make_env(env, 4, 1, meta, torch.float32, **options),
    )
    with NoHost():
        done = trainer.work()
        evaluation._steps()
        assert done.numbers.device == meta
        with pytest.raises((Refused, RuntimeError)):
            done.numbers.tolist()


def test_replayed_evaluations_are_eager_ones() -> None:
    settings, _ = SETTINGS["cartpole"]
    trainer = Trainer(settings, make_env("cartpole", settings.envs, 0, CPU, torch.float32))

    def act(seen: Tensor) -> Tensor:
        return trainer.model.best(trainer.model.actor(seen))

    envs = [make_env("cartpole", 16, 5, CPU, torch.float32, time_limit=100) for _ in range(2)]
    recorder = Recorder([envs[1].generator])
    eager, replayed = Episodes(act, envs[0]), Episodes(act, envs[1], recorder)
    for _ in range(4):
        assert eager.mean_return() == replayed.mean_return()
        trainer.optimiser.flat.add_(0.1 * torch.randn(trainer.optimiser.flat.shape))
    assert recorder.tape


def test_only_a_gpu_is_captured() -> None:
    settings, options = SETTINGS["cartpole"]
    trainer = made(settings, options)
    assert not can_capture(trainer)


@GPU
@pytest.mark.parametrize("env", SETTINGS)
def test_on_a_gpu_a_graph_replays_what_eager_launches_do(env: str) -> None:
    settings, options = SETTINGS[env]
    device = torch.device("cuda")
    eager, replayed = (made(settings, options, device=device) for _ in range(2))
    assert can_capture(replayed)
    for at in range(10):
        if at == WARM_UP:
            capture(replayed)
        ours, theirs = asdict(replayed.iterate()), asdict(eager.iterate())
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4), f"iteration {at}"


@GPU
def test_on_a_gpu_cartpole_is_solved_with_every_check() -> None:
    result = run(tuned("cartpole"), Options(device="cuda"))
    assert result.solved
    assert all(check["passed"] for check in result.checks)
