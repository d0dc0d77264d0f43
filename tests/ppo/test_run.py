"""Whole runs: acceptance, stopping and going on, checkpoints that are refused, what people see."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcalc.errors import DataError, InputError, RlcalcError
from rlcalc.ppo.run import acceptance, checkpoint
from rlcalc.ppo.run.display import averaged, curve, picture, sparkline
from rlcalc.ppo.run.run import Options, Result, run
from rlcalc.ppo.settings import Settings, tuned

SMALL = Settings(env="cartpole", envs=4, horizon=8, epochs=2, minibatches=2, steps=640, evaluate_every=128,
                 evaluation_episodes=4, hidden=(8,))  # fmt: skip
CPU = Options(device="cpu")


def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rlcalc", "ppo-run", *words],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def weights(folder: Path) -> torch.Tensor:
    found: torch.Tensor = checkpoint.load(folder)["trainer"][0]["optimiser"]["flat"]
    return found


def same(a: Any, b: Any) -> bool:
    """Equal to the last bit, through containers."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


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


def test_resumed_run_is_bit_identical(tmp_path: Path) -> None:
    from dataclasses import replace

    whole = run(SMALL, Options(device="cpu", folder=tmp_path / "whole"))
    # the same schedule: stopped in the middle by Ctrl-C, twice
    for stop_after in (3, 9):
        seen = []

        def show(metrics: Any, seconds: float, seen: list[int] = seen, stop_after: int = stop_after) -> None:
            seen.append(metrics.env_steps)
            if len(seen) == stop_after:
                signal.raise_signal(signal.SIGINT)

        options = Options(device="cpu", folder=tmp_path / "parts", resume=(tmp_path / "parts").exists())
        part = run(SMALL, options, show)
        assert part.saved == tmp_path / "parts"
        assert not part.solved
    rest = run(SMALL, Options(device="cpu", folder=tmp_path / "parts", resume=True))
    assert rest.env_steps == whole.env_steps == 640
    assert rest.mean_return == whole.mean_return
    assert same(checkpoint.load(tmp_path / "whole"), checkpoint.load(tmp_path / "parts"))
    longer = run(replace(SMALL, steps=704), Options(device="cpu", folder=tmp_path / "parts", resume=True))
    assert longer.env_steps == 704


def test_a_finished_run_says_that_nothing_was_left_to_do(tmp_path: Path) -> None:
    words = ["--env", "bandit", "--device", "cpu", "--steps", "64", "--checkpoint", str(tmp_path / "done")]
    first, again = command(*words), command(*words, "--resume")
    assert (first.returncode, again.returncode) == (0, 0)
    assert "bandit, seed 0, cpu: solved after 64 steps in " in first.stdout
    assert first.stdout.endswith(" held on 1 update\n")
    assert again.stdout.startswith(
        "bandit, seed 0, cpu: solved after 64 steps before; nothing was left to do\n"
    )


def test_one_seed_one_run() -> None:
    one, two = (run(SMALL, CPU) for _ in range(2))
    assert one.history == two.history
    assert one.mean_return == two.mean_return


def test_log_is_whole_after_a_kill_and_a_resume(tmp_path: Path) -> None:
    folder, log = tmp_path / "run", tmp_path / "log.jsonl"
    run(SMALL, Options(device="cpu", folder=folder, log=log))
    whole = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["env_steps"] for line in whole] == list(range(32, 641, 32))
    # as a kill would leave it: lines behind the checkpoint, the last one torn
    with log.open("a") as file:
        file.write(json.dumps({**whole[-1], "env_steps": 9999}) + '\n{"env_steps": 3')
    from dataclasses import replace

    run(replace(SMALL, steps=704), Options(device="cpu", folder=folder, log=log, resume=True))
    steps = [json.loads(line)["env_steps"] for line in log.read_text().splitlines()]
    assert steps == list(range(32, 705, 32))


def test_kill_loses_at_most_the_last_interval(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["--envs", "4", "--checkpoint", str(folder), "--device", "cpu", "--no-checks"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rlcalc", "ppo-run", *words, "--log", str(tmp_path / "log")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (folder / checkpoint.NAME).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.3)
    finally:
        process.kill()
        process.wait()
    done = len((tmp_path / "log").read_text().splitlines())
    saved = checkpoint.load(folder)["trainer"][0]["iterations"]
    assert done - 11 <= saved <= done + 1


def test_interrupt_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rlcalc", "ppo-run", "--envs", "4", "--device", "cpu", "--log", "log"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--checkpoint ppo-run-cartpole-0 --resume" in err
    assert checkpoint.load(tmp_path / "ppo-run-cartpole-0")["settings"]["envs"] == 4
    assert "stopped after" in out


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path, {"settings": {}, "trainer": [], "x": torch.arange(9.0)})
    return tmp_path


def packed(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def head(payload: bytes, version: int = checkpoint.VERSION) -> bytes:
    return f"rlcalc-ppo {version} {hashlib.sha256(payload).hexdigest()}\n".encode() + payload


def test_checkpoint_returns_what_was_saved(saved: Path) -> None:
    assert torch.equal(checkpoint.load(saved)["x"], torch.arange(9.0))
    assert [path.name for path in saved.iterdir()] == [checkpoint.NAME]


def test_every_damaged_byte_is_noticed(saved: Path) -> None:
    path = saved / checkpoint.NAME
    content = path.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 97)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(DataError) as caught:
            checkpoint.load(saved)
        assert caught.value.code in ("checkpoint_damaged", "checkpoint_foreign", "checkpoint_version")
    for length in (0, 1, 40, 90, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            checkpoint.load(saved)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "checkpoint_damaged"),
        (packed({"settings": {}, "trainer": []}), "checkpoint_foreign"),
        (b"hello\n", "checkpoint_foreign"),
        (head(packed({"weights": 1})), "checkpoint_foreign"),
        (head(packed({"settings": {}, "trainer": []}), 0), "checkpoint_version"),
        (head(packed({"settings": {}, "trainer": []}), 2), "checkpoint_version"),
        (head(packed({"settings": {}, "trainer": []}))[:-1], "checkpoint_damaged"),
        (head(packed({"settings": Path("x"), "trainer": []})), "checkpoint_unsafe"),
        (head(b"not a zip file"), "checkpoint_unsafe"),
    ],
)
def test_checkpoints_refused_by_name(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / checkpoint.NAME).write_bytes(content)
    with pytest.raises(RlcalcError) as caught:
        checkpoint.load(tmp_path)
    assert caught.value.code == code
    assert caught.value.exit_code == 2


def test_folders_refused(tmp_path: Path, saved: Path) -> None:
    for options, code in (
        (Options(device="cpu", folder=tmp_path / "nothing", resume=True), "checkpoint_missing"),
        (Options(device="cpu", folder=saved), "checkpoint_exists"),
        (Options(device="cpu", resume=True), "resume_from_where"),
    ):
        with pytest.raises(InputError) as caught:
            run(SMALL, options)
        assert caught.value.code == code


def test_command_prints_json_with_these_keys(tmp_path: Path) -> None:
    done = command("--env", "bandit", "--json", "--steps", "2000", "--plot", str(tmp_path / "c.svg"))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert " ".join(found) == ("env device seed solved env_steps seconds steps_per_second mean_return checks")
    assert found["solved"]
    assert found["mean_return"] == 10
    assert all(set(check) == {"name", "passed", "worst"} for check in found["checks"])
    assert all(check["passed"] for check in found["checks"])
    assert "\x1b" not in done.stderr
    assert "steps/s" in done.stderr
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--device", "cuda:99"], 2, "cuda:99"),
        (["--env", "cartpol"], 2, "cartpole"),
        (["--acceptance", "--exact"], 2, "give one of them"),
        (["--resume"], 2, "--checkpoint DIR"),
        (["--envs", "3", "--env", "cartpole", "--steps", "0"], 2, "--steps"),
    ],
)
def test_command_refuses(words: list[str], code: int, says: str) -> None:
    done = command(*words)
    assert done.returncode == code
    assert says in done.stderr
    assert done.stdout == ""


def test_tables_are_solved_as_they_must_be() -> None:
    for env in ("bandit", "tokens", "grid2x2"):
        result = run(tuned(env), CPU)
        assert result.failure is None
        assert result.solved, env


def test_curves() -> None:
    assert sparkline([], 5) == ""
    assert sparkline([1.0, 1.0], 5) == "▁▁"
    assert sparkline([0.0, 1.0], 5) == "▁█"
    assert averaged([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0]
    text = curve([(100, 0.0), (200, 250.0), (300, 500.0)], 475.0, height=4)
    assert text.splitlines()[0] == "500 │  █"
    assert "300 steps" in text
    assert curve([], None) == ""
    assert "-7" in curve([(1, -7.0)], None)


def test_picture_of_a_run_without_an_episode_and_a_bad_place(tmp_path: Path) -> None:
    result = Result(SMALL, "cpu", history=[(1, 2.0), (2, 3.0)], goal=475.0)
    picture(tmp_path / "a.png", result)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    for bad in (tmp_path / "no" / "a.png", tmp_path / "a.nonsense"):
        with pytest.raises(InputError) as caught:
            picture(bad, result)
        assert caught.value.code == "plot_unwritable"
