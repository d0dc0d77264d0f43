"""``rlcalc ppo-run`` as it is typed: what it prints, refuses and survives."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from rlcalc.errors import InputError
from rlcalc.ppo.check import exact
from rlcalc.ppo.run.run import FORMAT
from rlcalc.training.checkpoint import locked
from tests.command import run
from tests.ppo.parts import refused_before_training, registered

ROOT = Path(__file__).resolve().parents[2]
BANDIT = ["--env", "bandit", "--device", "cpu", "--steps", "64"]


def ppo_run(*words: str | Path) -> tuple[int, str, str]:
    code, out, err = run("ppo-run", *words)
    assert "rlcalc itself failed" not in err
    return code, out, err


def test_json_has_these_keys_and_the_picture_is_drawn(tmp_path: Path) -> None:
    code, out, err = ppo_run("--env", "bandit", "--json", "--steps", "2000", "--plot", tmp_path / "c.svg")
    assert code == 0, err
    found = json.loads(out)
    assert " ".join(found) == "env device seed solved env_steps seconds steps_per_second mean_return checks"
    assert found["solved"]
    assert found["mean_return"] == 10
    assert all(set(check) == {"name", "passed", "worst"} for check in found["checks"])
    assert all(check["passed"] for check in found["checks"])
    for word in ("steps/s", "objective", "ETA", "checks 19/19 passed"):
        assert word in err
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")


def test_a_finished_run_says_that_nothing_was_left_to_do(tmp_path: Path) -> None:
    words = [*BANDIT, "--checkpoint", tmp_path / "done"]
    _, first, _ = ppo_run(*words)
    code, again, _ = ppo_run(*words, "--resume")
    assert code == 0
    assert first.startswith("bandit, seed 0, cpu: solved after 64 steps in ")
    assert first.endswith("19 of 19 checks passed on 1 update\n")
    assert again.splitlines() == [
        "bandit, seed 0, cpu: solved after 64 steps; nothing to do",
        first.splitlines()[1],  # the same mean return
    ]


def test_fewer_steps_than_an_iteration_are_said() -> None:
    code, out, err = ppo_run("--env", "bandit", "--steps", "1")
    assert code == 0
    assert "note: one iteration is 64 environments × 1 = 64 steps, and 1 is less" in err
    assert "steps 64 of 64" in err
    assert "after 64 steps" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--device", "cuda:99"], "cuda:99"),
        (["--device", "meta"], "meta"),
        (["--env", "cartpol"], "cartpole"),
        (["--acceptance", "--exact"], "--acceptance and --exact are different commands"),
        (["--resume"], "--checkpoint DIR"),
        (["--steps", "0"], "--steps"),
        (["--env", "cartpole", "--envs", str(1 << 24)], "more than"),
        (["--seed", str(1 << 60)], str(1 << 60)),
        (["--plot", "x.txt"], ".png"),
        (["--plot", "nowhere/x.png"], "nowhere"),
        (["--log", "nowhere/x.jsonl"], "nowhere"),
        (["--log", "."], "."),
        (["--checkpoint", "file"], "file"),
        (["--checkpoint", "file/deeper"], "file/deeper"),
    ],
    ids=" ".join,
)
def test_refused_before_anything_is_trained(
    monkeypatch: Any, tmp_path: Path, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    env = [] if "--env" in words else ["--env", "bandit"]
    refused_before_training(ppo_run, [*env, *words], says, "rlcalc.ppo.train.Trainer")


@pytest.mark.parametrize("mode", ["--exact", "--sabotage", "--acceptance"])
@pytest.mark.parametrize(
    "option",
    ["--env bandit", "--seed 0", "--steps 9", "--plot a.png", "--log a", "--checkpoint a", "--resume",
     "--envs 4", "--no-checks", "--eager", "--device cpu"],
)  # fmt: skip
def test_an_option_is_honoured_or_refused(monkeypatch: Any, mode: str, option: str) -> None:
    from rlcalc.cli import ppo_run as command

    seen: list[Any] = []
    for name in ("_exact", "_sabotage", "_acceptance"):
        monkeypatch.setattr(command, name, lambda *given: seen.append(given))
    code, _, err = ppo_run(mode, *option.split())
    name = option.partition(" ")[0].replace("no-", "")
    assert (code, len(seen)) == ((0, 1) if name in command.MODES[mode] else (2, 0))
    assert code == 0 or f"{mode} does not take {name}." in err


@pytest.mark.parametrize("words", [["--seed", "5"], ["--seed=5"], ["--env", "tokens"], ["--envs", "8"]])
def test_a_resumed_run_is_not_another_one(tmp_path: Path, words: list[str]) -> None:
    assert ppo_run(*BANDIT, "--checkpoint", tmp_path / "a")[0] == 0
    code, _, err = ppo_run("--checkpoint", tmp_path / "a", "--resume", *words)
    assert code == 2
    assert f"The checkpoint is of {words[0].partition('=')[0]}" in err
    assert ppo_run("--checkpoint", tmp_path / "a", "--resume", "--seed", "0", "--env", "bandit")[0] == 0


def test_a_result_is_printed_whatever_becomes_of_files(monkeypatch: Any, tmp_path: Path) -> None:
    code, out, err = ppo_run(*BANDIT, "--log", "/dev/full")
    assert (code, "/dev/full" in err, "No space left" in err) == (2, True, True)
    assert "solved after 64 steps" in out

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = ppo_run(*BANDIT, "--checkpoint", tmp_path / "a", "--json")
    assert (code, str(tmp_path / "a") in err) == (2, True)
    assert json.loads(out)["solved"]
    assert not (tmp_path / "a").exists()  # nor what could be written of it


def test_the_exact_checks_fit_on_a_page(monkeypatch: Any) -> None:
    monkeypatch.setitem(exact.ALL, "grid", lambda seed: exact.CheckResult("grid", False, 1.0, "V is off."))
    code, out, err = ppo_run("--exact", "--seed", "3")
    assert code == 1
    assert re.findall(r"^(\w+) (\w+)$", out, re.M) == [
        ("passed", "mini_loop"),
        ("passed", "tokens"),
        ("failed", "grid"),
    ]
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "Check grid failed: V is off." in err


def test_the_mutation_test_fits_on_a_page_and_has_a_legend(monkeypatch: Any) -> None:
    from rlcalc.ppo.check import sabotage

    def detect(mutation: sabotage.Mutation) -> sabotage.Detection:
        by: tuple[str, ...] = ("mini_loop", "clip_exact", "clip_gradient", "loss_gradient")
        by *= mutation.name not in ("none", "kl_sign")
        return sabotage.Detection(mutation.name, mutation.text(), mutation.known, by, "0, 1", bool(by))

    monkeypatch.setattr(sabotage, "detect", detect)
    code, out, err = ppo_run("--sabotage")
    assert code == 1
    assert "kl_sign" in err
    assert all(len(line) <= 80 for line in out.splitlines())
    assert re.search(r"^none .* nothing$", out, re.M)
    assert "22 of 23 bugs detected" in out
    assert re.search(r"^  clip_exact +the clipped objective agrees", out, re.M)
    assert json.loads(ppo_run("--sabotage", "--json")[1])["faults"][-1]["caught_by"] == []


# environments of others


class Plain(gymnasium.Env[Any, Any]):
    """Five steps of reward 1."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self.observe(), self.reward(), self.t == 5, False, {}

    def observe(self) -> Any:
        return np.full(3, self.t / 9, np.float32)

    def reward(self) -> Any:
        return 1.0


def raising(error: BaseException) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


NOTHING = np.zeros(3, np.float32)
BROKEN: dict[str, dict[str, Any]] = {
    "exits": {"step": raising(SystemExit(0))},
    "exits-in-reset": {"reset": raising(SystemExit(0))},
    "exits-when-made": {"__init__": raising(SystemExit(0))},
    "leaves": {"step": lambda *_: os._exit(0)},
    "leaves-when-made": {"__init__": lambda *_: os._exit(0)},
    "raises": {"step": raising(KeyError("obs"))},
    "disk-full": {"reset": raising(OSError(28, "No space left on device"))},
    "raises-outside-Exception": {"step": raising(BaseException("x"))},
    "raises-when-made": {"__init__": raising(ZeroDivisionError("division by zero"))},
    "no-space": {"observation_space": None},
    "shape": {"step": lambda *_: (np.zeros(2, np.float32), 1.0, False, False, {})},
    "four-values": {"step": lambda *_: (NOTHING, 1.0, False, {})},
    "none": {"step": lambda *_: None},
    "text-as-reward": {"reward": lambda self: "one"},
    "array-as-reward": {"reward": lambda self: np.ones(2)},
    "unknown-state": {
        "observation_space": gymnasium.spaces.Discrete(3),
        "reset": lambda *_, **__: (7, {}),
    },
}
NOT_FINITE: dict[str, dict[str, Any]] = {
    "nan": {"reward": lambda self: np.nan},
    "none-as-reward": {"reward": lambda self: None},
    "huge": {"reward": lambda self: 1e300},
    "nan-observed": {"observe": lambda self: NOTHING * np.nan},
}


@pytest.fixture(scope="module", autouse=True)
def others() -> Iterator[None]:
    kinds = {**BROKEN, **NOT_FINITE, "plain": {}, "prints": {"reward": lambda self: print("hello") or 1.0}}
    kinds["warns"] = {"reward": lambda self: gymnasium.logger.warn("odd") or 1.0}
    kinds["stops"] = {"reward": lambda self: signal.raise_signal(signal.SIGTERM) or 1.0}
    with registered({name: type(name, (Plain,), change) for name, change in kinds.items()}):
        yield


def words_for(name: str) -> list[str]:
    return ["--env", f"gym:rlcalc/{name}-v0", "--envs", "4", "--steps", "2048", "--json"]


@pytest.mark.parametrize("extra", [[], ["--no-checks"]], ids=["checks", "no-checks"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_environment_is_named(name: str, extra: list[str]) -> None:
    code, out, err = ppo_run(*words_for(name), *extra)
    assert (code, out) == (2, "")
    assert err.count("error:") == 1
    assert f"rlcalc/{name}-v0" in err
    assert "Traceback" not in err


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_is_not_finite_is_named_or_null(tmp_path: Path, name: str) -> None:
    code, out, err = ppo_run(*words_for(name))
    assert (code, out) == (2, "")
    assert f"gym:rlcalc/{name}-v0 gave the" in err
    code, out, err = ppo_run(*words_for(name), "--no-checks", "--log", tmp_path / "log")
    assert code == 0, err

    def refuse(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(out, parse_constant=refuse)["solved"] is False
    lines = [json.loads(line, parse_constant=refuse) for line in (tmp_path / "log").read_text().splitlines()]
    assert any(value is None for line in lines for value in line.values())


def test_a_warning_of_an_environment_is_a_note_without_colour() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, _, err = ppo_run(*words_for("warns"))
    assert code == 0
    assert "note: WARN: odd" in err
    assert "\x1b" not in err


def test_what_an_environment_prints_stands_in_no_result() -> None:
    code, out, err = ppo_run(*words_for("prints"))
    assert code == 0
    assert json.loads(out)["env_steps"] == 2048
    assert "hello" in err


def test_sigterm_saves_as_ctrl_c_does(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    # once, or the second would be a request to stop at once
    raised = iter([signal.SIGTERM])
    real = signal.raise_signal
    monkeypatch.setattr(signal, "raise_signal", lambda number: real(next(raised, 0) or signal.SIGCHLD))
    code, _, err = ppo_run(*words_for("stops"))
    assert code == 143
    assert "Resume with: rlcalc ppo-run --checkpoint ppo-run-gym-rlcalc-stops-v0-0 --resume" in err
    assert FORMAT.load(tmp_path / "ppo-run-gym-rlcalc-stops-v0-0")["settings"]["envs"] == 4
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_without_torch_the_extra_is_asked_for(monkeypatch: Any) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "torch" else real(name)
    )
    for name in [name for name in sys.modules if name.startswith("rlcalc.ppo")]:
        monkeypatch.delitem(sys.modules, name)
    for words in ([], ["--exact"], ["--sabotage"], ["--acceptance"]):
        code, out, err = ppo_run(*words)
        assert (code, out) == (2, "")
        assert "pip install 'rlcalc[torch]'" in err


@pytest.mark.slow
def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "rlcalc", "ppo-run", "--checkpoint", "run", "--device", "cpu"]
    words += ["--envs", "4", "--no-checks"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        assert first.stderr.readline().startswith("steps")
        with pytest.raises(InputError, match="Another run"), locked(tmp_path / "run"):
            pass
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    assert "Resume with: rlcalc ppo-run --checkpoint run --resume" in err
    with locked(tmp_path / "run"):
        pass
