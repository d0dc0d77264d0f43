"""Attacks on training runs: broken environments, shared folders, false checkpoints, signals, full disks."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.fuzz.scene import ROOT, Scene, scene, scenes
from tests.fuzz.scenes_files import FULL

ENVIRONMENT = """
import sys
import gymnasium
import numpy as np

SEEN = np.zeros(2, np.float32)

class Plain(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return SEEN, {}

    def step(self, action):
        return SEEN, 1.0, False, False, {}

def raising(error):
    def call(*given, **options):
        raise error
    return call

def stepping(*made):
    return lambda self, action: made

CHANGES = {
    "Exit": {"step": lambda self, action: sys.exit(0)},
    "KeyErr": {"step": raising(KeyError("x"))},
    "Shape": {"step": stepping(np.zeros(7), 0.0, False, False, {})},
    "RewArr": {"step": stepping(SEEN, np.zeros(3), False, False, {})},
    "Four": {"step": stepping(SEEN, 0.0, False, {})},
    "Ctor": {"__init__": raising(RuntimeError("no display"))},
    "ResetRaise": {"reset": raising(OSError(28, "No space left on device"))},
    "Inf": {"step": stepping(SEEN, float("inf"), False, False, {})},
    "NanObs": {"step": stepping(SEEN * np.nan, 0.0, False, False, {})},
    "RewHuge": {"step": stepping(SEEN, 1e300, False, False, {})},
    "RewNone": {"step": stepping(SEEN, None, False, False, {})},
}
for name, change in CHANGES.items():
    gymnasium.register(f"Bad{name}-v0", entry_point=type(name, (Plain,), change), max_episode_steps=20)
"""


def _no_number(word: str) -> None:
    raise AssertionError(f"{word} in a file of JSON")


def environment(at: Scene, given: tuple[str, str, tuple[int, ...]]) -> None:
    name, extra, codes = given
    at.write("badenv.py", ENVIRONMENT)
    line = f"rlcalc ppo-run --env gym:badenv:Bad{name}-v0 --steps 3000 --envs 4 {extra}"
    done = at.ends(line, *codes, PYTHONPATH=f"{at.folder}:{ROOT}")
    assert done.code == 0 or f"Bad{name}-v0" in done.err, "the environment is not named"
    if (at.folder / "log").exists():
        for row in (at.folder / "log").read_text("utf-8").splitlines():
            json.loads(row, parse_constant=_no_number)


scenes(
    {
        "ppo/env-exit": ("Exit", "--json", (1, 2)),
        "ppo/env-oserror": ("ResetRaise", "", (1, 2)),
        **{f"ppo/env-{name}": (name, "", (1, 2)) for name in ("KeyErr", "Shape", "RewArr", "Four", "Ctor")},
        **{
            f"ppo/nochecks-{name}": (name, "--no-checks --log log --json", (0, 1, 2))
            for name in ("Inf", "NanObs", "RewHuge", "RewNone")
        },
    },
    environment,
)


@scene("ppo/concurrent")
def together(at: Scene) -> None:
    run = "rlcalc ppo-run --env cartpole --steps 20000 --checkpoint one --seed"
    runs = " ".join(f"({run} {seed} > o{seed} 2> e{seed}; echo $? > c{seed}) &" for seed in range(3))
    at.shell(f"{runs} wait")
    codes = sorted((at.folder / f"c{seed}").read_text("ascii").strip() for seed in range(3))
    at.said = f"exits {', '.join(codes)} of three runs in one folder"
    assert codes[1:] == ["2", "2"], at.said


def states(at: Scene, change: Callable[[dict[str, Any]], object]) -> None:
    """A checkpoint that says what no run saved, over a right sum."""
    import torch

    line = "rlcalc ppo-run --env bandit --steps 64 --envs 4 --checkpoint folder"
    at.ends(line, 0, 1)
    path = at.folder / "folder" / "checkpoint.pt"
    first, _, payload = path.read_bytes().partition(b"\n")
    state = torch.load(io.BytesIO(payload), weights_only=True)
    change(state)
    packed = io.BytesIO()
    torch.save(state, packed)
    total = hashlib.sha256(packed.getvalue()).hexdigest().encode()
    path.write_bytes(b" ".join([*first.split(b" ")[:2], total]) + b"\n" + packed.getvalue())
    assert "checkpoint" in at.ends(f"{line} --resume", 2).err


scenes(
    {
        "ppo/state settings = 5": lambda state: state.update(settings=5),
        'ppo/state settings.hidden = "x"': lambda state: state["settings"].update(hidden="x"),
        "ppo/state trainer = [{}]": lambda state: state.update(trainer=[{}]),
        'ppo/state trainer = {"a":1}': lambda state: state.update(trainer={"a": 1}),
        'ppo/state evaluations = "abc"': lambda state: state.update(evaluations="abc"),
        "ppo/state history with nan": lambda state: state.update(history=[[1, float("nan")]]),
        'ppo/state next_evaluation = "x"': lambda state: state.update(next_evaluation="x"),
    },
    states,
)


@scene("ppo/term")
def signals(at: Scene) -> None:
    said, log = [], at.folder / "log.jsonl"
    for number in (signal.SIGTERM, signal.SIGHUP):
        words = ["ppo-run", "--env", "gym:MountainCar-v0", "--steps", "10000000", "--log", str(log)]
        log.unlink(missing_ok=True)
        kept = at.folder / f"kept{int(number)}"
        command = [sys.executable, "-m", "rlcalc", *words, "--checkpoint", str(kept)]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            begin = time.monotonic()
            while not (log.exists() and log.stat().st_size):
                assert time.monotonic() - begin < 90, "the run never began"
                assert process.poll() is None, "the run ended by itself"
                time.sleep(0.2)
            process.send_signal(number)
            process.wait(60)
        assert (kept / "checkpoint.pt").exists(), f"nothing saved after {number!r}"
        said.append(f"signal {int(number)}: exit {process.returncode}, saved")
    at.said = "; ".join(said)


@scene("ppo/disk-part")
def part(at: Scene) -> None:
    """A checkpoint that does not fit leaves nothing half-written."""
    line = (
        f"mkdir small; {FULL.format(size=60)}; "
        "rlcalc ppo-run --env cartpole --steps 2048 --checkpoint small/c; code=$?; "
        "ls -A small/c >&2 2>/dev/null; umount small 2>/dev/null; exit $code"
    )
    done = at.ends(line, 0, 1, 2)
    assert ".checkpoint" not in done.out + done.err, "a part of a checkpoint is left"
