"""Checkpoints: written whole, one writer a folder, and refused by name when they are not what a run saved."""

from __future__ import annotations

import copy
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcalc.errors import DataError, InputError, RlcalcError
from rlcalc.ppo.run.run import FORMAT, Options, run
from rlcalc.ppo.settings import Settings
from rlcalc.training import checkpoint
from tests.refused import refused

SMALL = Settings(env="grid2x2", envs=4, horizon=8, epochs=1, minibatches=1, steps=64, evaluate_every=64,
                 evaluation_episodes=4, hidden=())  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    FORMAT.save(tmp_path, {"settings": {}, "trainer": [], "x": torch.arange(9.0)})
    return tmp_path


def packed(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def signed(payload: bytes, version: int = FORMAT.version) -> bytes:
    return f"rlcalc-ppo {version} {hashlib.sha256(payload).hexdigest()}\n".encode() + payload


def refusal(work: Callable[[], Any]) -> str:
    with pytest.raises(RlcalcError) as caught:
        work()
    assert caught.value.exit_code == 2
    return caught.value.code


def test_a_checkpoint_holds_what_was_saved_and_nothing_is_left_over(saved: Path) -> None:
    assert torch.equal(FORMAT.load(saved)["x"], torch.arange(9.0))
    assert [path.name for path in saved.iterdir()] == [checkpoint.NAME]


def test_every_damaged_byte_is_noticed(saved: Path) -> None:
    path = saved / checkpoint.NAME
    content = path.read_bytes()
    damaged = [content[:length] for length in (0, 1, 40, 90, len(content) - 1)] + [content + b"x"]
    for at in range(0, len(content), max(1, len(content) // 97)):
        damaged.append(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    for wrong in damaged:
        path.write_bytes(wrong)
        assert refusal(lambda: FORMAT.load(saved)).startswith("checkpoint_")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "checkpoint_damaged"),
        (packed({"settings": {}, "trainer": []}), "checkpoint_foreign"),
        (signed(packed({"weights": 1})), "checkpoint_foreign"),
        (signed(packed({"settings": {}, "trainer": []}), 0), "checkpoint_version"),
        (signed(packed({"settings": {}, "trainer": []}), 2), "checkpoint_version"),
        (signed(packed({"settings": Path("x"), "trainer": []})), "checkpoint_unsafe"),
        (signed(b"not a zip file"), "checkpoint_unsafe"),
    ],
)
def test_checkpoints_refused_by_name(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / checkpoint.NAME).write_bytes(content)
    assert refusal(lambda: FORMAT.load(tmp_path)) == code


def test_folders_refused(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "file").write_text("")
    for options, code in (
        (Options(device="cpu", folder=tmp_path / "nothing", resume=True), "checkpoint_missing"),
        (Options(device="cpu", folder=saved), "checkpoint_exists"),
        (Options(device="cpu", resume=True), "resume_from_where"),
        (Options(device="cpu", folder=tmp_path / "file"), "checkpoint_unwritable"),
    ):
        assert refusal(lambda options=options: run(SMALL, options)) == code
    assert not (tmp_path / "nothing").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("whole")
    run(SMALL, Options(device="cpu", folder=folder, checks=False))
    return FORMAT.load(folder)


NOTHING = "left out"  # a marker with a name, which every process that collects the tests gives alike
FLAT, TRAINER = ("trainer", 0, "optimiser", "flat"), ("trainer", 0)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("settings",), 5),
        (("settings", "env"), "cartpole"),
        (("settings", "envs"), 10**12),
        (("settings", "envs"), 1 << 24),  # times the horizon it is too much
        (("settings", "gamma"), float("nan")),
        (("settings", "dtype"), "float16"),
        (("settings", "seed"), True),
        (("settings", "hidden"), "x"),
        (("settings", "hidden"), [10**7]),
        (("settings", "hidden"), [64] * 10**4),
        (("trainer",), [{}]),
        (("trainer",), {"a": 1}),
        (("trainer",), []),
        (FLAT, torch.zeros(1)),  # would be stretched to fit
        (FLAT, torch.zeros(20, dtype=torch.float64)),
        (FLAT, torch.zeros(20).to_sparse()),
        (FLAT, torch.zeros(20, device="meta")),
        ((*TRAINER, "optimiser"), None),
        ((*TRAINER, "generator"), torch.zeros(3, dtype=torch.uint8)),
        ((*TRAINER, "env_steps"), -1),
        ((*TRAINER, "iterations"), 3),
        ((*TRAINER, "env"), {}),
        ((*TRAINER, "env", "cell"), torch.full((4,), 9)),
        (("evaluation", "steps"), torch.full((4,), -1)),
        (("evaluations",), "abc"),
        (("evaluations",), [[1, 2.0, 3]]),
        (("history",), [[1, float("nan")]]),
        (("history",), NOTHING),
        (("next_evaluation",), "x"),
        (("solved",), "yes"),
        (("more",), 1),
    ],
    ids=str,
)
def test_rightly_signed_states_that_no_run_saved(
    whole: dict[str, Any], tmp_path: Path, way: tuple[Any, ...], value: Any
) -> None:
    state = copy.deepcopy(whole)
    inner = state
    for key in way[:-1]:
        inner = inner[key]
    if value is NOTHING:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    (tmp_path / checkpoint.NAME).write_bytes(signed(packed(state)))
    refusal(lambda: run(SMALL, Options(device="cpu", folder=tmp_path, resume=True)))


@pytest.mark.parametrize(
    ("env", "name", "value"),
    [("tokens", "written", 9), ("tokens", "text", 2.0), ("cartpole", "state", float("nan"))],
)
def test_states_that_no_episode_leads_to(env: str, name: str, value: float) -> None:
    from rlcalc.ppo.envs import make_env

    made = make_env(env, 2, 0, "cpu", torch.float32)
    state = made.state_dict()
    state[name] = torch.full_like(state[name], value)
    assert refusal(lambda: made.load_state_dict(state)) == "env_state_foreign"


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with checkpoint.locked(tmp_path):
        with refused(InputError, "checkpoint_in_use") as caught:
            run(SMALL, Options(device="cpu", folder=tmp_path))
        assert str(tmp_path) in str(caught.value)


@pytest.mark.slow
def test_the_lock_of_a_killed_run_is_gone(tmp_path: Path) -> None:
    hold = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), 2); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(InputError), checkpoint.locked(tmp_path):
            pass
        other.kill()
        other.wait()
    (tmp_path / f".{checkpoint.NAME}.abc.tmp").write_text("left over by the kill")
    run(SMALL, Options(device="cpu", folder=tmp_path, checks=False))
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]


def test_a_run_that_writes_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError), checkpoint.locked(tmp_path / "a" / "b"):
        raise InputError("x", "the environment has no such name")
    assert not (tmp_path / "a" / "b").exists()


def test_a_disk_that_has_room_again_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [OSError(28, "No space left on device")]

    def once(handle: int) -> None:
        if fails:
            raise fails.pop()

    monkeypatch.setattr(os, "fsync", once)
    result = run(SMALL, Options(device="cpu", folder=tmp_path, checks=False, every=1))
    assert result.problems == {}
    assert FORMAT.read(tmp_path).trainer[0]["env_steps"] == result.env_steps


def test_unreadable_is_damaged(saved: Path) -> None:
    (saved / checkpoint.NAME).unlink()
    (saved / checkpoint.NAME).mkdir()
    with refused(DataError, "checkpoint_damaged"):
        FORMAT.load(saved)
