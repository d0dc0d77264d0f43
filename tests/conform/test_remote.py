"""A target in a process of its own: whatever it does there is a verdict here, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.cli import main
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.process import ProcessTarget
from rlcalc.conform.target.program import Program
from rlcalc.conform.trial import MOST_DEATHS
from rlcalc.conform.vectors import golden_vectors
from rlcalc.errors import InputError

from . import hard_targets, targets

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs process groups")

HARD, SOFT = Path(hard_targets.__file__), Path(targets.__file__)
VECTOR = next(v for v in golden_vectors("gae") if v.id == "gae/defaults")


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that targets write their process numbers to."""
    path = tmp_path / "pids"
    path.touch()
    monkeypatch.setenv("RLCALC_TEST_PIDS", str(path))
    return path


def gone(path: Path) -> bool:
    """Whether every process noted there has ended, within a moment; some were noted."""
    numbers = [int(line) for line in path.read_text().split()]
    assert numbers
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if not any(_runs(number) for number in numbers):
            return True
        time.sleep(0.02)
    return False


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    # a child of a killed process is a zombie until somebody waits for it
    stat = Path(f"/proc/{number}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def remote() -> Iterator[Any]:
    """Targets by function name, closed at the end."""
    made: list[Target] = []

    def make(name: str, file: Path = HARD, **options: Any) -> Target:
        made.append(ProcessTarget(f"{file}:{name}", **options))
        return made[-1]

    yield make
    for target in made:
        target.close()


def rlcalc(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["conform", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "name", ["waits_with_the_lock", "backtracks", "catches_everything", "ignores_signals", "leaves_a_child"]
)
def test_what_never_comes_back_hangs(name: str, capsys: pytest.CaptureFixture[str], pids: Path) -> None:
    start = time.monotonic()
    code, out, err = rlcalc(capsys, f"{HARD}:{name}", "--formula", "gae", "--limit", 0.5)
    assert time.monotonic() - start < 10
    assert code == 1
    assert out.startswith(f"{HARD}:{name} hangs, asked for gae")
    assert "no answer within 0.5 s" in out
    assert "rewards = " in out
    assert "another call never came back" in out
    assert "hangs" in err
    assert gone(pids)


def test_results_before_a_hang_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--formula", "gae", "--limit", 0.5, "--dtype", "float64", "--json"]
    code, out, _ = rlcalc(capsys, f"{HARD}:hangs_on_long_ones", *words)
    assert code == 1
    found = json.loads(out)
    assert found["verdict"] == "hangs"
    counts = {status: [r["status"] for r in found["results"]].count(status) for status in ("passed", "hangs")}
    assert counts["passed"] > 15
    assert counts["hangs"] == 1
    assert found["counterexample"]["status"] == "hangs"
    assert "exactly" in found["counterexample"]["test"] or "want = " in found["counterexample"]["test"]


def test_a_hang_among_generated_cases(remote: Any) -> None:
    found = run(remote("hangs_on_long_ones", limit=0.4), "gae", vectors=[VECTOR], random=300)
    assert found.verdict == "hangs"
    assert found.found is not None
    assert found.found.judgement.status == "hangs"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("aborts", "the process died with signal 6 (SIGABRT)"),
        ("crashes", "the process died with signal 11 (SIGSEGV)"),
        ("exits", "the process ended with exit code 3"),
        ("exits_and_leaves_a_child", "the process ended with exit code 3"),
        ("interrupts", "KeyboardInterrupt: my own"),
    ],
)
def test_what_takes_its_process_down_raises(
    name: str, why: str, capsys: pytest.CaptureFixture[str], pids: Path
) -> None:
    code, out, _ = rlcalc(capsys, f"{HARD}:{name}", "--formula", "gae", "--json", "--random", 20)
    assert code == 1
    found = json.loads(out)
    assert found["verdict"] == "raises"
    failed = [r for r in found["results"] if r["status"] == "raises"]
    assert {r["why"] for r in failed} == {why}
    if name != "interrupts":
        # each death costs a start, so it is not asked for ever
        assert len(failed) == MOST_DEATHS
        assert found["generated"] == 0
        assert gone(pids)


def test_a_crash_is_no_way_to_refuse_a_discount_per_step(remote: Any) -> None:
    found = run(remote("aborts"), "gae")
    assert found.notes == []


def test_a_crash_on_some_cases_leaves_the_others(remote: Any) -> None:
    target = remote("aborts_on_long_ones")
    found = run(target, "gae", vectors=[VECTOR], random=200)
    assert found.verdict == "raises"
    assert [j.status for j in found.judgements] == ["passed", "passed"]
    assert found.found is not None
    assert len(found.found.rows[0]["rewards"]) > 20
    # the first, the second look, and a bounded number of smaller ones
    assert target.worker.started < 30


def test_numbers_cross_bit_by_bit(remote: Any) -> None:
    target = remote("echoes")
    odd = np.array([0.1, -0.0, 5e-324, np.inf, -np.inf, np.nan, 1 / 3])
    odd[5:6].view(np.uint64)[0] |= 0xABC  # a payload
    for array in (odd, odd.astype(np.float32), odd[::2], np.asfortranarray(odd.reshape(7, 1)), odd[:0]):
        part = target.reply({"rewards": array}).parts[""]
        assert part.array.dtype == array.dtype
        assert part.array.shape == array.shape
        assert part.array.tobytes() == array.tobytes()
    assert target.worker.started == 1


def test_large_arrays_cross(remote: Any) -> None:
    array = np.random.default_rng(0).normal(size=(200, 5000))
    assert target_bytes(remote("echoes"), array) == array.tobytes()


def target_bytes(target: Target, array: Any) -> bytes:
    found: bytes = target.reply({"rewards": array}).parts[""].array.tobytes()
    return found


@pytest.mark.parametrize(
    ("name", "file", "backend", "verdict"),
    [
        ("right", SOFT, "numpy", "conforms"),
        ("all_outputs", SOFT, "torch", "conforms"),
        ("Advantages.compute", SOFT, "numpy", "conforms"),
        ("shouts", HARD, "numpy", "conforms"),
        ("changes", HARD, "numpy", "changes-inputs"),
        ("changes", HARD, "torch", "changes-inputs"),
        ("raises", SOFT, "numpy", "raises"),
        ("leaves", SOFT, "numpy", "raises"),
        ("one_short", SOFT, "numpy", "wrong-shape"),
        ("no_array", SOFT, "numpy", "wrong-shape"),
        ("not_a_number", SOFT, "numpy", "nan"),
        ("always_double", SOFT, "numpy", "wrong-dtype"),
        ("imprecise", SOFT, "numpy", "nonconforming"),
    ],
)
def test_the_same_verdicts_as_in_process(
    name: str, file: Path, backend: str, verdict: str, remote: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    target = remote(name, file, backend=backend)
    assert run(target, "gae", random=5).verdict == verdict
    assert target.worker.started == 1
    assert capfd.readouterr().out == ""


def test_a_table_that_is_changed_is_seen(remote: Any) -> None:
    vector = golden_vectors("bellman")[0]
    assert remote("table_changed").call(vector).changed == ("mdp",)


def test_narrowing_keeps_the_process(remote: Any) -> None:
    target = remote("one_discount")
    found = run(target, "gae", random=20)
    assert found.verdict == "conforms"
    assert any("scalar gamma" in note for note in found.notes)
    assert target.worker.started == 1


def test_a_program_that_refuses_discounts_per_step_is_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import json, sys, numpy as np\nfrom rlcalc.api import compute\n"
        "for line in sys.stdin:\n"
        "    given = json.loads(line)['given']\n"
        "    if isinstance(given['gamma'], list):\n"
        "        print(json.dumps({'error': 'one number'}), flush=True)\n"
        "        continue\n"
        "    given = {k: np.array(v) if isinstance(v, list) else v for k, v in given.items()}\n"
        "    print(json.dumps({'answer': compute('gae', **given)['advantages'].tolist()}), flush=True)\n"
    )
    target = Program(f"{sys.executable} {path}")
    try:
        found = run(target, "gae")
    finally:
        target.close()
    assert any("scalar gamma" in note for note in found.notes)
    assert {j.status for j in found.judgements if j.dtype == "float64"} == {"passed", "skipped"}


def test_a_program_that_hangs_takes_its_children_along(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! >> {pids}; echo $$ >> {pids}; sleep 60"
    target = Program(f"sh -c '{script}'", limit=0.5)
    assert target.call(VECTOR).kind == "hangs"
    assert gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child in the middle of a call")
def test_a_killed_rlcalc_leaves_nothing(pids: Path) -> None:
    words = [sys.executable, "-m", "rlcalc", "conform", f"{HARD}:waits_with_the_lock", "--formula", "gae"]
    running = subprocess.Popen(words, cwd=HARD.parents[2])
    until = time.monotonic() + 60
    while not pids.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert gone(pids)


def test_it_outlives_the_thread_that_started_it(remote: Any) -> None:
    """Linux ends a bound child with the thread, not with the process, that made it."""
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(remote("right", SOFT)))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert made[0].call(VECTOR).kind == "answer"
    assert made[0].worker.started == 1


def test_closing_leaves_nothing(remote: Any, pids: Path) -> None:
    target = remote("right", SOFT)
    assert target.call(VECTOR).kind == "answer"
    number = target.worker.child.number
    pids.write_text(f"{number}\n")
    target.close()
    assert gone(pids)
    # and it can be asked again
    assert target.call(VECTOR).kind == "answer"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("targets.py", "target_syntax"),
        ("nowhere.py:right", "target_not_found"),
        (f"{SOFT}:rigth", "target_not_found"),
        (f"{HARD}:not_a_function", "target_not_callable"),
        ("no_such_module_:f", "target_import"),
    ],
)
def test_what_is_no_target(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        ProcessTarget(text)
    assert caught.value.code == code


def test_hints_cross_as_well() -> None:
    with pytest.raises(InputError) as caught:
        ProcessTarget(f"{SOFT}:rigth")
    assert "right" in caught.value.hint


def test_a_file_that_crashes_when_imported(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import os\nos.abort()\n")
    with pytest.raises(InputError) as caught:
        ProcessTarget(f"{path}:f")
    assert caught.value.code == "target_import"
    assert "SIGABRT" in caught.value.message


def test_a_file_that_never_ends_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "endless.py"
    path.write_text("while True:\n    pass\n")
    monkeypatch.setattr("rlcalc.conform.target.process.LOADING", 1.0)
    with pytest.raises(InputError) as caught:
        ProcessTarget(f"{path}:f")
    assert caught.value.code == "target_import"
    assert "1 s" in caught.value.message


def test_in_process_for_a_debugger(capfd: pytest.CaptureFixture[str]) -> None:
    """What it prints is to be read, and has no part in the report; no alarm goes off meanwhile."""
    words = ["conform", f"{SOFT}:prints", "--formula", "gae", "--random", "0", "--json", "--in-process"]
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["verdict"] == "conforms"
    assert "step\n" in err


def test_in_process_needs_a_function() -> None:
    assert main(["conform", "--exec", "true", "--in-process", "--formula", "gae"]) == 2
