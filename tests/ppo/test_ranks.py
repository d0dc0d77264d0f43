"""Two ranks make the step that one would make; a rank that dies ends the others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Both ranks collect with the same network; rank 0 then repeats the step alone, on both rollouts.
SAME_STEP = """
import sys, torch
from dataclasses import fields, replace
from rlcalc.ppo.envs import make_env
from rlcalc.training.ranks import SINGLE, group
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.records import Batch, Rollout
from rlcalc.ppo.train import Trainer
import torch.distributed as dist
torch.set_num_threads(1)
cpu = torch.device("cpu")
s = Settings(env="cartpole", dtype="float64", envs=8, horizon=16, epochs=3, minibatches=1, c2=0.01,
             learning_rate=1e-2)
env_axis = {"reward": 0, "terminated": 0, "truncated": 0}
with group(cpu, s.envs, timeout=60) as ranks:
    env = make_env("cartpole", 4, 100 + ranks.rank, cpu, torch.float64, time_limit=7)
    ours = Trainer(s, env, ranks=ranks)
    whole = Trainer(s, make_env("cartpole", 8, 0, cpu, torch.float64))
    rollout = ours.collect()
    rollouts = [None, None]
    dist.all_gather_object(rollouts, rollout)
    both = Rollout(**{f.name: torch.cat([getattr(r, f.name) for r in rollouts], env_axis.get(f.name, 1))
                      for f in fields(Rollout)})
    batch, all_of_it = ours.advantages(rollout), whole.advantages(both)
    share = all_of_it.advantage.view(2, -1)[ranks.rank]
    worst = (batch.advantage - share).abs().max().item()
    # the gradient of the first step: one epoch, then all
    for trainer, data in ((ours, batch), (whole, all_of_it)):
        trainer.settings = replace(s, epochs=1)
        trainer.update(data)
    gradient = (ours.optimiser.gradient - whole.optimiser.gradient).abs().max().item()
    size = whole.optimiser.gradient.abs().max().item()
    for trainer, data in ((ours, batch), (whole, all_of_it)):
        trainer.settings = s
        trainer.update(data)
    parameters = (ours.optimiser.flat - whole.optimiser.flat).abs().max().item()
    flats = [None, None]
    dist.all_gather_object(flats, ours.optimiser.flat)
    print("RANK", ranks.rank, worst, gradient, size, parameters, torch.equal(*flats), flush=True)
"""

VICTIM = """
import os, signal, sys, torch
from rlcalc.ppo.envs import make_env
from rlcalc.training.ranks import group
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer
torch.set_num_threads(1)
cpu = torch.device("cpu")
s = Settings(env="cartpole", envs=4, horizon=8, epochs=1, minibatches=1)
with group(cpu, s.envs, timeout=float(sys.argv[1])) as ranks:
    trainer = Trainer(s, make_env("cartpole", 2, ranks.rank, cpu, torch.float32), ranks=ranks)
    for iteration in range(1000):
        if ranks.rank == 1 and iteration == 3:
            os.kill(os.getpid(), int(sys.argv[2]))
        trainer.iterate()
"""


def start(script: str, *words: str) -> list[subprocess.Popen[str]]:
    """The script on two ranks, without torchrun, so that nothing but the ranks themselves ends them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    common = {**os.environ, "PYTHONPATH": str(ROOT), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
              "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, *words],
            env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip


@pytest.mark.slow
def test_two_ranks_make_the_step_of_one() -> None:
    for process in start(SAME_STEP):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err[-2000:]
        line = next(line for line in out.splitlines() if line.startswith("RANK"))
        _, _, advantage, gradient, size, parameters, equal = line.split()
        assert float(advantage) < 1e-13
        assert float(size) > 1e-4
        assert float(gradient) < 1e-14
        # Adam divides by the gradient's size, so that rounding grows
        assert float(parameters) < 1e-10
        assert equal == "True"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "timeout", "within"), [(signal.SIGKILL, 300, 100.0), (signal.SIGSTOP, 3, 100.0)]
)
def test_a_rank_that_dies_or_hangs_ends_the_other(number: int, timeout: int, within: float) -> None:
    survivor, victim = start(VICTIM, str(timeout), str(int(number)))
    begin = time.monotonic()
    try:
        _, err = survivor.communicate(timeout=within)
    finally:
        for process in (survivor, victim):
            process.kill()
            process.communicate()
    assert survivor.returncode == 1
    assert "has lost another rank" in err
    assert time.monotonic() - begin < within


@pytest.mark.slow
def test_torchrun_trains_and_one_rank_speaks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
         "-m", "rlcalc", "ppo-run", "--json", "--steps", "4096", "--device", "cpu",
         "--checkpoint", str(tmp_path / "run"), "--log-file", str(tmp_path / "log")],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1",
             "GLOO_SOCKET_IFNAME": "lo"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["env_steps"] == 4096
    assert all(check["passed"] for check in found["checks"])
    assert (tmp_path / "run" / "checkpoint.pt").exists()
    # --log would be torchrun's own --log-dir cut short
    assert len((tmp_path / "log").read_text().splitlines()) == 4
