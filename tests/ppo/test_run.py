"""Whole runs: acceptance, stopping and resuming, the log, the curves."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcalc.errors import CheckFailed, InputError
from rlcalc.ppo.check.checks import ABOUT
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.run import acceptance
from rlcalc.ppo.run.display import picture, quantities
from rlcalc.ppo.run.evaluate import Evaluator
from rlcalc.ppo.run.run import FORMAT, Options, Progress, Result, run
from rlcalc.ppo.settings import Settings, tuned
from rlcalc.training.checkpoint import NAME
from rlcalc.training.display import averaged, curve, sparkline
from tests.ppo.parts import same, stops
from tests.refused import refused

SMALL = Settings(env="cartpole", envs=4, horizon=8, epochs=2, minibatches=2, steps=640, evaluate_every=128,
                 evaluation_episodes=4, hidden=(8,))  # fmt: skip
CPU = Options(device="cpu")


@pytest.mark.slow
def test_acceptance_on_one_seed() -> None:
    (result,) = acceptance.runs(CPU, seeds=(0,))
    assert result.failure is None
    assert result.solved
    assert result.mean_return is not None
    assert result.mean_return >= 475
    assert result.env_steps <= 200_000
    found = acceptance.summary([result])
    assert found["passed"]
    json.dumps(found, allow_nan=False)


@pytest.mark.slow
def test_tables_are_solved_as_they_must_be() -> None:
    for env in ("bandit", "tokens", "grid2x2"):
        result = run(tuned(env), CPU)
        assert result.failure is None
        assert result.solved, env


def test_one_seed_one_run() -> None:
    one, two = (run(SMALL, CPU) for _ in range(2))
    assert one.history == two.history
    assert one.mean_return == two.mean_return


def test_resumed_run_is_bit_identical(tmp_path: Path) -> None:
    whole = run(SMALL, Options(device="cpu", folder=tmp_path / "whole"))
    parts = Options(device="cpu", folder=tmp_path / "parts")
    for stop_after, number in ((3, signal.SIGINT), (9, signal.SIGTERM)):
        part = run(SMALL, parts, stops(stop_after, number))
        assert (part.saved, part.signal, part.solved) == (tmp_path / "parts", number, False)
        parts = replace(parts, resume=True)
    rest = run(SMALL, parts)
    assert rest.env_steps == whole.env_steps == 640
    assert rest.mean_return == whole.mean_return
    assert same(FORMAT.load(tmp_path / "whole"), FORMAT.load(tmp_path / "parts"))
    again = run(SMALL, parts)
    assert (again.trained, again.mean_return, again.evaluations) == (0, whole.mean_return, whole.evaluations)
    assert run(replace(SMALL, steps=704), parts).env_steps == 704


def test_an_interrupted_run_never_replaces_another_one(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [run(SMALL, CPU, stops(1, signal.SIGTERM)).saved for _ in range(2)]
    assert folders == [Path("ppo-run-cartpole-0"), Path("ppo-run-cartpole-0-2")]


@pytest.mark.slow
def test_kill_loses_at_most_the_last_interval(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["--envs", "4", "--checkpoint", str(folder), "--device", "cpu", "--no-checks"]
    with subprocess.Popen(
        [sys.executable, "-m", "rlcalc", "ppo-run", *words, "--log", str(tmp_path / "log")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not (folder / NAME).exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.kill()
    done = len((tmp_path / "log").read_text().splitlines())
    saved = FORMAT.load(folder)["trainer"][0]["iterations"]
    assert done - 11 <= saved <= done + 1


@pytest.mark.parametrize(("steps", "whole"), [(1, 32), (31, 32), (32, 32), (63, 32), (64, 64)])
def test_never_more_steps_than_asked_for_but_one_iteration(steps: int, whole: int) -> None:
    assert run(replace(SMALL, steps=steps), replace(CPU, checks=False)).env_steps == whole


def test_a_return_that_is_no_number_solves_nothing() -> None:
    env = make_env("bandit", 4, 0, "cpu", torch.float32)
    evaluator = Evaluator(lambda seen: torch.zeros(len(seen), dtype=torch.int64), env, 10)
    assert evaluator.solved(10)
    evaluator._episodes.mean_return = lambda: math.nan  # type: ignore[method-assign]
    assert not evaluator.solved(20)


def test_an_exact_check_that_fails_stops_a_run_before_it_learns(monkeypatch: Any) -> None:
    from rlcalc.ppo.check import exact

    wrong = exact.CheckResult("mini_loop", False, 1.0, "θ is elsewhere")
    monkeypatch.setattr(exact, "mini_loop", lambda: wrong)
    result = run(SMALL, CPU)
    assert isinstance(result.failure, CheckFailed)
    assert result.env_steps == 0


def steps(log: Path) -> list[int]:
    return [json.loads(line)["env_steps"] for line in log.read_text().splitlines()]


def test_the_log_is_whole_after_a_kill_and_a_resume(tmp_path: Path) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.jsonl"
    other = '{"env_steps": 99999}\n'  # of an earlier run: it is added to
    log.write_text(other)
    run(SMALL, Options(device="cpu", folder=folder, log=log, checks=False))
    assert steps(log) == [99999, *range(32, 641, 32)]
    # as a kill leaves it: lines after the checkpoint, the last one torn
    with log.open("a") as file:
        file.write('{"env_steps": 9999}\n{"env_st')
    run(replace(SMALL, steps=704), Options(device="cpu", folder=folder, log=log, resume=True, checks=False))
    assert steps(log) == [99999, *range(32, 705, 32)]


@pytest.mark.parametrize("content", ["hello", "# Notes\nmine\n", '{"other": 1}\n', '{"env_steps": "x"}\n'])
def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path, content: str) -> None:
    log = tmp_path / "notes.md"
    log.write_text(content)
    for resume in (False, True):
        options = Options(device="cpu", folder=tmp_path / "run", log=log, resume=resume, checks=False)
        with refused(InputError, "log_foreign"):
            run(SMALL, options)
        assert log.read_text() == content
        run(SMALL, replace(options, log=None)) if not resume else None


def test_logs_go_into_devices_and_links(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to("real")
    for log in (Path(os.devnull), tmp_path / "link"):
        assert run(SMALL, Options(device="cpu", log=log, checks=False)).problems == {}
    assert (tmp_path / "link").is_symlink()
    assert steps(tmp_path / "real") == list(range(32, 641, 32))


def test_what_is_shown_of_a_resumed_run(tmp_path: Path) -> None:
    options = Options(device="cpu", folder=tmp_path)
    run(SMALL, options, stops(9, signal.SIGINT))
    seen: list[Progress] = []
    run(SMALL, replace(options, resume=True), seen.append)
    assert (seen[0].metrics.env_steps, seen[0].trained, seen[0].remaining) == (320, 32, 320)
    shown = dict(quantities(replace(seen[0], seconds=2.0), SMALL))
    assert shown["steps"] == "320 of 640"
    assert (shown["steps/s"], shown["ETA"]) == ("16", "<= 20 s")
    # all but that of a run's first step
    assert shown["checks"] == f"{len(ABOUT) - 1}/{len(ABOUT) - 1} passed"
    assert {"objective", "clip fraction", "approx KL", "explained variance"} <= shown.keys()


def test_curves() -> None:
    assert sparkline([], 5) == ""
    assert sparkline([1.0, 1.0], 5) == "▁▁"
    assert sparkline([0.0, math.nan, 1.0], 5) == "▁█"
    assert averaged([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0]
    assert curve([], None) == ""
    assert curve([(1, math.nan)], None) == ""
    assert "-7" in curve([(1, -7.0)], None)


def test_the_curve_is_as_wide_as_it_may_be_and_has_dots_and_a_goal() -> None:
    history = [(100, 0.0), (200, 250.0), (300, 100.0)]
    lines = curve(history, 475.0, [(150, 300.0), (300, 500.0)], width=40).splitlines()
    assert max(map(len, lines)) == 40
    assert lines[0].startswith("475 │┄┄┄")
    assert lines[0].endswith("●")  # 500, of the last evaluation, in the row of the goal
    assert lines[3].index("●") == 5 + 35 // 2
    assert lines[-2].endswith("300 steps")
    assert lines[-1].strip() == "█ training  ● evaluation  ┄ goal"
    # without a goal and evaluations there is neither
    assert not set("●┄") & set(curve(history, None))


def test_picture_of_a_run(tmp_path: Path) -> None:
    for history in ([(1, 2.0), (2, 3.0)], []):
        picture(tmp_path / "a.png", Result(SMALL, "cpu", history=history, goal=475.0))
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with refused(InputError, "plot_folder"):
        picture(tmp_path / "no" / "a.png", Result(SMALL, "cpu"))
