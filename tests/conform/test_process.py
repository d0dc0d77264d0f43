"""A target in a process of its own: whatever it does there is a verdict here, and nothing stays."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc import time_limit
from rlcalc.cli import main
from rlcalc.conform.outcome import judge, read_answer
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.call import Part, Reply, as_part
from rlcalc.conform.target.child import Child, Garbage
from rlcalc.conform.target.process import ProcessTarget
from rlcalc.conform.target.wire import measure, pack, unpack
from rlcalc.conform.target.worker import reply_message
from rlcalc.conform.trial import MOST_DEATHS
from rlcalc.conform.vectors import golden_vectors, reference
from rlcalc.errors import InputError
from tests.refused import refused

from . import hard_targets, targets

# each starts a process, and needs a group of them
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs process groups")]

HARD, SOFT = Path(hard_targets.__file__), Path(targets.__file__)
VECTOR = next(v for v in golden_vectors("gae") if v.id == "gae/defaults")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to their guard")


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
    # a child of a process that died is a zombie until it is waited for
    stat = Path(f"/proc/{number}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture
def remote() -> Iterator[Any]:
    """Targets by function name, closed at the end."""
    made: list[Target] = []

    def make(name: str, file: Path = HARD, **options: Any) -> Any:
        made.append(ProcessTarget(f"{file}:{name}", **options))
        return made[-1]

    yield make
    for target in made:
        target.close()


@pytest.mark.parametrize(
    "name",
    [
        "waits_with_the_lock",
        "backtracks",
        "catches_everything",
        "ignores_signals",
        "leaves_a_child",
        pytest.param("leaves_a_detached_child", marks=linux),
    ],
)
def test_what_never_comes_back_hangs(name: str, remote: Any, pids: Path) -> None:
    start = time.monotonic()
    outcome = remote(name, limit=0.5).call(VECTOR)
    assert (outcome.kind, outcome.detail) == ("hangs", "no answer within 0.5 s")
    assert time.monotonic() - start < 10
    assert gone(pids)


def test_waiting_for_a_processor_is_no_time_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right function that is slow on a busy machine was said to time out."""
    monkeypatch.setattr(time_limit, "waited", lambda process: time.monotonic() * 0.9)
    with time_limit.limited(0.05):
        time.sleep(0.2)
    with pytest.raises(time_limit.TimedOut), time_limit.limited(0.05):
        time.sleep(2)


def test_a_masked_answer_is_its_numbers() -> None:
    """What is hidden is no number; where the formula masks it, it is absent."""
    assert as_part(np.ma.masked_array([1, 2], [False, False])).array.tolist() == [1, 2]
    hidden = as_part(np.ma.masked_array([1, 2], [False, True])).array
    assert hidden[0] == 1
    assert np.isnan(hidden[1])
    vector = next(v for v in golden_vectors("token_gae") if not np.all(v.arrays["mask"]))
    advantages = np.ma.masked_array(reference(vector.formula)(**vector.arrays)["advantages"])
    mask = np.asarray(vector.arrays["mask"])
    outcome = read_answer(vector, np.ma.masked_array(advantages, mask == 0))
    assert judge(vector, outcome).status == "passed"
    assert judge(vector, read_answer(vector, np.ma.masked_array(advantages, mask == 1))).status == "nan"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("aborts", "the process died with signal 6 (SIGABRT)"),
        ("crashes", "the process died with signal 11 (SIGSEGV)"),
        ("exits", "the process ended with exit code 3"),
        ("exits_and_leaves_a_child", "the process ended with exit code 3"),
        ("kills_its_parent", "the process closed its pipe to rlcalc"),
        ("interrupts", "KeyboardInterrupt: my own"),
        ("writes_garbage", "it wrote into rlcalc's pipe"),
        ("writes_a_pickle", "it wrote into rlcalc's pipe"),
        ("speechless", "Speechless"),
    ],
)
def test_what_ends_a_call_badly_raises(name: str, why: str, remote: Any, pids: Path) -> None:
    outcome = remote(name).call(VECTOR)
    assert (outcome.kind, outcome.detail) == ("raises", why)
    assert not Path(f"{pids}.owned").exists(), "code of the target ran in this process"
    assert not pids.read_text() or gone(pids)


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("wide", "wrong-shape", "advantages has shape [3000, 3000], not [3]"),
        ("endless", "wrong-shape", "advantages has shape [1000000, 1000000], not [3]"),
        ("masked", "answer", ""),
        ("many_digits", "wrong-shape", "advantages is not an array of numbers but a int"),
        ("itself", "wrong-shape", "advantages is not an array of numbers but a list"),
        ("long_double", "answer", ""),
        ("complains_without_end", "answer", ""),
    ],
)
def test_answers_of_any_kind(
    name: str, kind: str, why: str, remote: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome = remote(name).call(VECTOR)
    assert (outcome.kind, outcome.detail) == (kind, why)
    assert sum(part.nbytes for part in outcome.outputs.values()) < 1000
    assert capfd.readouterr() == ("", "")


def test_no_list_of_a_wrong_shape_is_kept(remote: Any) -> None:
    """A thousand by a thousand of them, again and again, is what broadcasting by accident gives."""
    target = remote("broadcast", dtypes=("float64",))
    tracemalloc.start()
    found = run(target, "gae", vectors=[VECTOR] * 5)
    trial = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.verdict == "wrong-shape"
    assert trial[0] < 8_000_000  # one such answer
    assert trial[1] < 80_000_000


def test_an_exception_comes_with_its_place_and_without_its_length(remote: Any) -> None:
    outcome = remote("long_words").call(VECTOR)
    assert len(outcome.detail) < 400
    assert [frame.endswith('in long_words: raise ValueError("x" * 10_000_000)') for frame in outcome.frames]
    assert f"{HARD.name}:" in outcome.frames[-1]
    # a crash says where, too
    assert any("aborts" in frame for frame in remote("aborts").call(VECTOR).frames)


def test_a_wider_dtype_is_named(remote: Any) -> None:
    assert run(remote("long_double"), "ppo_clip").verdict == "nonconforming"
    dtype = str(np.dtype(np.longdouble))
    assert set(remote("long_double").call(VECTOR).dtypes.values()) == {dtype}


def test_results_before_a_hang_are_kept(remote: Any) -> None:
    target = remote("hangs_on_long_ones", limit=1.0, dtypes=("float64",))
    found = run(target, "gae", random=300)
    assert found.verdict == "hangs"
    statuses = [j.status for j in found.judgements]
    assert statuses.count("passed") > 15
    assert statuses.count("hangs") == 1
    assert found.random_skipped == "another call never came back"
    found = run(target, "gae", vectors=[VECTOR], random=300)
    assert found.found is not None
    assert found.found.judgement.status == found.verdict == "hangs"


def test_a_loop_within_a_loop_is_slow_and_does_not_hang(remote: Any) -> None:
    found = run(remote("slow_with_a_thousand_steps", limit=1.0, dtypes=("float64",)), "gae", random=0)
    assert found.verdict == "conforms"
    assert "takes too long for 1000 steps, and not for 250" in found.notes
    assert [j.vector.id for j in found.judgements if j.why.startswith("takes too long")] == [
        "gae/thousand-steps"
    ]


def test_one_that_always_dies_is_not_asked_for_ever(remote: Any) -> None:
    found = run(remote("aborts"), "gae", random=20)
    assert found.verdict == "raises"
    assert [j.status for j in found.judgements].count("raises") == MOST_DEATHS
    assert found.random == 0
    # a crash is no way to refuse a discount per step
    assert found.notes == []
    assert found.diagnosis is None


def test_a_crash_on_some_cases_leaves_the_others(remote: Any) -> None:
    target = remote("aborts_on_long_ones")
    found = run(target, "gae", vectors=[VECTOR], random=200)
    assert found.verdict == "raises"
    assert [j.status for j in found.judgements] == ["passed", "passed"]
    assert found.found is not None
    assert len(found.found.rows[0]["rewards"]) > 20
    # the first, the second look, and a bounded number of smaller ones
    assert target.service.started < 30


def test_numbers_cross_bit_by_bit(remote: Any) -> None:
    target = remote("echoes")
    odd = np.array([0.1, -0.0, 5e-324, np.inf, -np.inf, np.nan, 1 / 3])
    odd[5:6].view(np.uint64)[0] |= 0xABC  # a payload
    large = np.random.default_rng(0).normal(size=(200, 5000))
    for array in (
        odd,
        odd.astype(np.float32),
        odd[::2],
        np.asfortranarray(odd.reshape(7, 1)),
        odd[:0],
        large,
    ):
        part = target.reply({"rewards": array}).parts[""]
        assert part.array.dtype == array.dtype
        assert part.array.shape == array.shape
        assert part.array.tobytes() == array.tobytes()
    assert target.service.started == 1


def test_whatever_is_in_the_pipe_is_a_message_or_garbage() -> None:
    """Never an error of another kind, and never an array larger than what came."""
    parts = {"": Part(np.arange(6.0).reshape(2, 3), "float64", "ndarray", (2, 3))}
    whole = reply_message(1, Reply("answer", parts))
    chance = random.Random(0)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            size = measure(data)
            found = unpack(bytes(data[:size]))
        except Garbage:
            continue
        assert len(str(found)) <= 20 * len(data)
    for old, new in [
        (b"[3], 0", b"[9], 0"),
        (b"[3], 0", b"[3], 9"),
        (b"float64", b"object "),
        (b"[3]", b"'3'"),
    ]:
        message = pack([np.zeros(3)])
        assert old in message
        with pytest.raises(Garbage):
            unpack(message.replace(old, new))
    with pytest.raises(Garbage):
        measure(bytearray(b"rlc1" + b"\xff" * 16))


@pytest.mark.parametrize(
    ("name", "file", "backend", "verdict"),
    [
        ("right", SOFT, "numpy", "conforms"),
        pytest.param("all_outputs", SOFT, "torch", "conforms"),
        ("Advantages.compute", SOFT, "numpy", "conforms"),
        ("shouts", HARD, "numpy", "conforms"),
        ("changes", HARD, "numpy", "changes-inputs"),
        pytest.param("changes", HARD, "torch", "changes-inputs"),
        ("imprecise", SOFT, "numpy", "nonconforming"),
    ],
)
def test_the_same_verdicts_as_in_this_process(
    name: str, file: Path, backend: str, verdict: str, remote: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    target = remote(name, file, backend=backend)
    assert run(target, "gae", random=5).verdict == verdict
    assert target.service.started == 1
    assert capfd.readouterr().out == ""


def test_a_table_that_is_changed_is_seen(remote: Any) -> None:
    assert remote("table_changed").call(golden_vectors("bellman")[0]).changed == ("mdp",)


def test_narrowing_keeps_the_process(remote: Any) -> None:
    target = remote("one_discount")
    found = run(target, "gae", random=20)
    assert found.verdict == "conforms"
    assert any("tested with scalar gamma" in note for note in found.notes)
    assert target.service.started == 1


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("program", [False, True])
def test_nothing_outlives_rlcalc(number: int, program: bool, pids: Path, tmp_path: Path) -> None:
    """Neither the target nor the program, nor what they started in a session of its own."""
    if number != signal.SIGKILL and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("whoever started pytest has it ignore this signal, and what it starts ignores it too")
    path = tmp_path / "program.py"
    path.write_text(
        f"import sys\nsys.path.insert(0, {str(HARD.parents[2])!r})\n"
        "from tests.conform.hard_targets import leaves_a_detached_child\nleaves_a_detached_child()\n"
    )
    target = ["--exec", f"{sys.executable} {path}"] if program else [f"{HARD}:leaves_a_detached_child"]
    words = [sys.executable, "-m", "rlcalc", "conform", *target, "--formula", "gae", "--limit", "60"]
    with subprocess.Popen(words, cwd=HARD.parents[2], stdout=subprocess.DEVNULL) as running:
        until = time.monotonic() + 60
        while len(pids.read_text().split()) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(number)
        assert running.wait() == -number
    assert gone(pids)


def test_it_outlives_the_thread_that_started_it(remote: Any) -> None:
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(remote("right", SOFT)))
    thread.start()
    thread.join()
    assert made[0].call(VECTOR).kind == "answer"
    assert made[0].service.started == 1


def test_closing_leaves_nothing(remote: Any, pids: Path) -> None:
    target = remote("right", SOFT)
    assert target.call(VECTOR).kind == "answer"
    pids.write_text(f"{target.service.child.number}\n")
    target.close()
    assert gone(pids)
    # and it can be asked again
    assert target.call(VECTOR).kind == "answer"


def test_a_command_starts_as_from_a_shell() -> None:
    """In a group of its own, with an input that ends and no signal that is ignored."""
    child = Child(["sh", "-c", "cat; ps -o pgid= -p $$; trap"])
    child.process.stdin.close()
    with pytest.raises(EOFError, match="exit code 0"):
        child.exchange(b"", lambda data: 0, 5.0)
    assert child.pending.split() == [str(child.number).encode()]
    child.kill()


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("targets.py", "target_syntax", ""),
        ("nowhere.py:right", "target_not_found", ""),
        (f"{SOFT}:rigth", "target_not_found", "right"),
        (f"{HARD}:not_a_function", "target_not_callable", ""),
        ("no_such_module_:f", "target_import", ""),
    ],
)
def test_what_is_no_target(text: str, code: str, words: str) -> None:
    with refused(InputError, code) as caught:
        ProcessTarget(text)
    assert words in caught.value.hint


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os\nos.abort()\n", "SIGABRT"),
        ("while True:\n    pass\n", "1 s"),
        ("def g():\n    raise ImportError('gone')\ng()\n", "ImportError: gone"),
    ],
)
def test_a_file_that_cannot_be_imported(
    body: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(body)
    monkeypatch.setattr("rlcalc.conform.target.process.LOADING", 1.0)
    with refused(InputError, "target_import") as caught:
        ProcessTarget(f"{path}:f")
    assert words in caught.value.message


def test_in_process_for_a_debugger(capfd: pytest.CaptureFixture[str]) -> None:
    """What it prints is to be read, and has no part in the report; no alarm goes off meanwhile."""
    words = ["conform", f"{SOFT}:prints", "--formula", "gae", "--random", "0", "--json", "--in-process"]
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["verdict"] == "conforms"
    assert "step\n" in err
