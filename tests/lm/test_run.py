"""Whole runs: learning by reward, stopping and resuming, ranks, and the command as it is typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcalc.errors import DataError, InputError
from rlcalc.lm.run import acceptance
from rlcalc.lm.run.display import picture, quantities
from rlcalc.lm.run.run import FORMAT, Options, Progress, Result, run
from tests.command import run as typed
from tests.lm.parts import tiny
from tests.ppo.parts import refused_before_training, same, stops
from tests.refused import refused

ROOT = Path(__file__).resolve().parents[2]
CPU = Options(device="cpu")


@pytest.mark.slow
def test_reward_alone_teaches_to_add() -> None:
    """A smaller setting than the acceptance's: sums up to 4, and fewer answers; ten seconds of CPU."""
    small = {"largest": 4, "width": 32, "texts": 128, "prompts": 16}
    (seed,) = acceptance.runs(
        CPU, seeds=(0,), pretraining=50, finetuning=120, preference=5, steps=80, **small
    )
    assert seed.result.failure is None
    assert seed.result.before is not None
    assert seed.result.accuracy is not None
    assert seed.imitation is not None
    assert seed.result.before <= 0.3
    assert seed.result.accuracy >= 0.9
    assert seed.imitation <= 0.3  # what the teacher does not know, imitation does not learn
    json.dumps(acceptance.summary([seed]), allow_nan=False)


@pytest.mark.parametrize("algorithm", ["ppo", "dpo"])
@pytest.mark.slow
def test_resumed_run_is_bit_identical(tmp_path: Path, algorithm: str) -> None:
    settings = tiny(algorithm)
    whole = run(settings, Options(device="cpu", folder=tmp_path / "whole", log=tmp_path / "log"))
    parts = Options(device="cpu", folder=tmp_path / "parts", log=tmp_path / "parts.log")
    for after in (3, 3):  # in the second stage, and in the third
        part = run(settings, parts, stops(after))
        assert (part.signal, part.saved) == (signal.SIGINT, tmp_path / "parts")
        parts = replace(parts, resume=True)
    rest = run(settings, parts)
    assert rest.failure is None
    assert same(FORMAT.load(tmp_path / "whole"), FORMAT.load(tmp_path / "parts"))
    assert (rest.stages, rest.rewards) == (whole.stages, whole.rewards)
    logs = [(tmp_path / name).read_text().splitlines() for name in ("log", "parts.log")]
    without = [[{**json.loads(line), "seconds": 0} for line in log] for log in logs]
    assert without[0] == without[1]
    assert [line["iteration"] for line in without[0]] == list(range(1, 11))
    assert run(replace(settings, steps=4), parts).iterations == 11


def test_what_is_shown_and_drawn(tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = run(tiny("ppo"), CPU, seen.append)
    shown = dict(quantities(seen[-1], result.settings))
    assert shown["updates"] == "10 of 10"
    expected = ["stage", "accuracy", "reward", "loss", "length", "entropy", "ETA", "checks"]
    assert {*expected, "critic loss", "KL to reference", "clip fraction"} <= shown.keys()
    assert "reward" not in dict(quantities(seen[0], result.settings))
    for one in (result, Result(result.settings, "cpu")):
        picture(tmp_path / "a.png", one)
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_states_that_no_run_saved(tmp_path: Path) -> None:
    run(tiny(), Options(device="cpu", folder=tmp_path, checks=False))
    state = FORMAT.load(tmp_path)
    own = state["trainer"][0]
    for change in (
        {"settings": {**state["settings"], "largest": 10**9}},
        {"settings": 3},
        {"trainer": []},
        {"trainer": [{**own, "iterations": -1}]},
        {"trainer": [{**own, "own": {**own["own"], "generator": torch.zeros(3)}}]},
        {"trainer": [{**own, "more": 1}]},
        {"rewards": [[1, float("nan")]]},
        {"stages": {"reasoning": "x"}},
        {"more": 1},
    ):
        FORMAT.save(tmp_path, {**state, **change})
        with pytest.raises((DataError, InputError)):
            run(tiny(), Options(device="cpu", folder=tmp_path, resume=True))
    FORMAT.save(tmp_path, state)
    assert FORMAT.read(tmp_path).settings == tiny()
    from rlcalc.ppo.run.run import FORMAT as OTHER

    with refused(DataError, "checkpoint_foreign"):  # that of the other command
        OTHER.read(tmp_path)


# the first step on each of two ranks, beside the whole batch on one
RANKS = """
import os, torch
from dataclasses import replace
from rlcalc.lm.check.checks import Checks
from rlcalc.lm.check.sabotage import PROBES, _force
from rlcalc.lm.train import Trainer
from rlcalc.training.ranks import group
torch.set_num_threads(1)
cpu = torch.device("cpu")
with group(cpu, 4, what="prompts") as ranks:
    for name in ("grpo", "ppo", "rloo", "dpo"):
        settings = replace(PROBES[name], pretraining=1, finetuning=1, preference=1, steps=1)
        checks = Checks()
        ours, whole = Trainer(settings, cpu, None, checks, ranks), Trainer(settings)
        worst = 0.0
        for trainer in (ours, whole):
            _force(trainer)
        for _ in range(4):
            ours.iterate()
            whole.iterate()
            worst = max(worst, (ours.optimiser.gradient - whole.optimiser.gradient).abs().max().item())
            size = whole.optimiser.gradient.abs().max().item()
        lengths = len(set(whole.sample().mask.sum(-1).tolist()))
        apart = (ours.optimiser.flat - whole.optimiser.flat).abs().max().item()
        # in one piece, since both ranks write to one pipe
        found = (ranks.rank, name, worst, size, lengths, apart, len(checks.report()))
        os.write(1, f"RANK {' '.join(map(str, found))}\\n".encode())
"""


@pytest.mark.slow
def test_two_ranks_make_the_gradient_of_one() -> None:
    """Under torchrun, with gloo: answers of several lengths, in micro-batches that differ on the ranks."""
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         "--no-python", sys.executable, "-c", RANKS],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1",
             "GLOO_SOCKET_IFNAME": "lo"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("RANK")]
    assert sorted(line[:2] for line in lines) == sorted(
        [rank, name] for rank in "01" for name in ("grpo", "ppo", "rloo", "dpo")
    )
    for _, name, worst, size, lengths, apart, checks in lines:
        assert float(worst) < 1e-12, name
        assert float(size) > 1e-4
        assert int(lengths) >= 3
        # Adam divides by the gradient's size, so that rounding grows
        assert float(apart) < 1e-9, name
        assert int(checks) >= 18


def call(*words: str | Path) -> tuple[int, str, str]:
    code, out, err = typed("lm-run", *words)
    assert "rlcalc itself failed" not in err
    return code, out, err


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with the settings of the tests."""
    import rlcalc.lm.settings as module

    def tuned(algorithm: str = "grpo", **given: Any) -> Any:
        return tiny(algorithm, **{name: value for name, value in given.items() if value is not None})

    monkeypatch.setattr(module, "tuned", tuned)


@pytest.mark.usefixtures("small")
def test_the_command_prints_stages_and_a_curve(tmp_path: Path) -> None:
    code, out, err = call("--device", "cpu", "--checkpoint", tmp_path / "a", "--plot", tmp_path / "a.svg")
    assert code == 0, err
    assert out.startswith("GRPO, seed 0, cpu: done after 10 updates in ")
    assert "right after preference (2 updates)" in out
    assert "right after reasoning (3 updates)" in out
    assert "10 updates" in out.splitlines()[-4]
    assert out.splitlines()[-1].endswith("checks passed on 10 updates")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")
    code, again, _ = call("--checkpoint", tmp_path / "a", "--resume")
    assert code == 0
    assert again.splitlines() == [
        "GRPO, seed 0, cpu: nothing to do: 3 of 3 updates by reward are done",
        *(line for line in out.splitlines() if "right after" in line),
    ]  # no curve of what was not done
    code, again, _ = call("--checkpoint", tmp_path / "a", "--resume", "--steps", "1")
    assert again.splitlines()[0].endswith(
        "nothing to do: 3 updates by reward are done, and --steps asks for 1"
    )
    assert again.splitlines()[-1].endswith("right after reasoning (3 updates)")
    code, more, _ = call("--checkpoint", tmp_path / "a", "--resume", "--steps", "4")
    assert (code, more.splitlines()[-1].endswith("checks passed on 1 update")) == (0, True)
    code, _, err = call("--checkpoint", tmp_path / "a", "--resume", "--algorithm", "ppo")
    assert (code, "The checkpoint is of --algorithm grpo, not ppo." in err) == (2, True)


@pytest.mark.usefixtures("small")
def test_json_has_these_keys() -> None:
    code, out, _ = call("--device", "cpu", "--json", "--algorithm", "rloo", "--steps", "2")
    found = json.loads(out)
    assert code == 0
    assert " ".join(found) == (
        "algorithm device seed updates seconds cpu_seconds accuracy_before accuracy stages reward checks"
    )
    assert (found["updates"], found["algorithm"]) == (9, "rloo")
    assert all(check["passed"] for check in found["checks"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--algorithm", "grop"], "grpo"),
        (["--device", "meta"], "meta"),
        (["--steps", "0"], "--steps"),
        (["--resume"], "--checkpoint DIR"),
        (["--plot", "x.txt"], ".png"),
        (["--plot", "nowhere/x.png"], "nowhere"),
        (["--log", "nowhere/x.jsonl"], "nowhere"),
        (["--checkpoint", "file"], "file"),
        (["--acceptance", "--sabotage"], "--acceptance and --sabotage are different commands"),
        (["--sabotage", "--seed", "1"], "--sabotage does not take --seed"),
        (["--acceptance", "--plot", "a.png"], "--acceptance does not take --plot"),
    ],
    ids=" ".join,
)
def test_refused_before_anything_is_trained(
    monkeypatch: Any, tmp_path: Path, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused_before_training(call, words, says, "rlcalc.lm.train.Trainer")


@pytest.mark.usefixtures("small")
def test_a_failed_check_ends_the_run_with_its_result(monkeypatch: Any) -> None:
    monkeypatch.setattr("rlcalc.lm.task.Sums.reward", lambda self, problems, ids: ids[:, 0] == ids[:, 0])
    code, out, err = call("--device", "cpu")
    assert code == 1
    assert "stopped after 8 updates" in out
    assert "Check reward failed" in err
