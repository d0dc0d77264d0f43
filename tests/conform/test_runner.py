"""Verdicts: every way to be right, to be differently right, and to be wrong."""

from __future__ import annotations

import gc
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import rlcalc
from rlcalc.conform import conform
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.report.counterexample import Counterexample, counterexample
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function, load_target
from rlcalc.conform.vectors import golden_vectors
from rlcalc.errors import InputError, UnknownName
from rlcalc.time_limit import TimedOut, limited
from tests.command import python
from tests.refused import refused
from tests.sweep import sweep

from . import targets

FILE = Path(targets.__file__)


def report(function: Any, formula: str = "gae", **options: Any) -> ConformReport:
    return conform(function, formula, **options)


def example_of(function: Any, formula: str = "gae", backend: str = "numpy") -> Counterexample:
    target = from_function(function, backend=backend)
    found = counterexample(run(target, formula), target)
    assert found is not None
    return found


def run_test(text: str, **functions) -> None:
    """A written test on other functions than those that it was written for."""
    space: dict[str, Any] = dict(functions)
    exec(compile(text, "counterexample", "exec"), space)
    next(value for name, value in space.items() if name.startswith("test_"))()


@pytest.mark.parametrize(
    "function",
    [
        targets.right,
        targets.all_outputs,
        targets.pair,
        targets.prints,
        targets.double_inside,  # more precision than asked for
        rlcalc.gae,
    ],
)
def test_right_ones_conform(function: Any) -> None:
    found = report(function, random=40)
    assert found.verdict == "conforms", (found.failures[:1], found.found)
    assert found.passed
    assert found.random == 40
    assert (found.digits("float64") or 0) > 14  # a thousand steps cost one of the digits
    assert (found.digits("float32") or 0) > 4


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize(
    ("function", "verdict"),
    sweep(
        [
            (targets.raises, "raises"),
            (targets.leaves, "raises"),
            (targets.one_short, "wrong-shape"),
            (targets.no_array, "wrong-shape"),
            (targets.not_a_number, "nan"),
            (targets.in_place, "changes-inputs"),
            (targets.imprecise, "nonconforming"),
        ],
        3,
    ),
)
def test_verdicts(function: Any, verdict: str) -> None:
    found = report(function)
    assert found.verdict == verdict
    assert not found.passed
    assert found.failures
    # of what never answers no bug is looked for
    assert (found.diagnosis is None) == (function in (*_SILENT, targets.in_place))


_SILENT = (targets.raises, targets.leaves, targets.no_array)


def test_another_dtype_is_a_note_and_a_failure_only_where_it_is_required() -> None:
    found = report(targets.double_for_single)
    assert found.verdict == "conforms"
    assert "advantages is float64; the inputs are float32; that is no fault" in found.notes
    strict = report(targets.double_for_single, require=["dtype"])
    assert {(j.dtype, j.status) for j in strict.judgements} == {
        ("float64", "passed"),
        ("float32", "wrong-dtype"),
    }
    assert not strict.passed
    # digits are counted all the same
    assert (strict.digits("float32") or 0) > 4


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("function", [targets.single_inside, targets.single_all_the_way])
@pytest.mark.slow
def test_float32_inside_is_a_note_and_a_failure_only_where_float64_is_required(function: Any) -> None:
    found = report(function, random=40)
    assert found.verdict == "conforms", (found.failures[:1], found.found)
    assert any(re.match("computes in float32: right to [67] digits", note) for note in found.notes)
    strict = report(function, require=["float64"])
    assert strict.verdict == "nonconforming"
    assert {j.status for j in strict.judgements if j.dtype == "float32"} == {"passed"}


@pytest.mark.usefixtures("verdict_alone")
def test_vectors_of_the_first_step_alone_reach_a_function_of_all_steps() -> None:
    def late(rewards, gamma):
        return rlcalc.discounted_return(rewards, gamma=gamma) + (rewards.shape[-1] == 100)

    wrong = report(late, "discounted_return").failures
    assert {(j.vector.id, j.output) for j in wrong} == {("discounted_return/late-reward", "return")}


def test_the_test_of_one_that_raises_passes_however_it_is_fixed() -> None:
    """It is not known then whether the fixed function will name its outputs."""

    def raises(rewards, values, gamma, lam):
        raise IndexError

    text = example_of(raises).test
    for fixed in (rlcalc.gae, lambda **given: rlcalc.compute("gae", **given)):
        run_test(text, raises=fixed)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.slow
def test_the_test_of_a_wrong_first_step_passes_once_it_is_fixed(backend: str) -> None:
    """The vector certifies the first step, the function answers all of them."""

    def wrong(rewards, gamma):
        return rlcalc.discounted_return(rewards, gamma=gamma) + 1

    def fixed(rewards, gamma):
        found = rlcalc.discounted_return(rewards, gamma=gamma)
        return found.tolist() if backend == "numpy" else found

    example = example_of(wrong, "discounted_return", backend)
    assert example.output == "return"
    with pytest.raises(AssertionError):
        run_test(example.test, wrong=wrong)
    run_test(example.test, wrong=fixed)


def test_an_irrational_answer_is_shown_exactly() -> None:
    """A vector holds 20 digits of it, which are no exact answer."""
    target = from_function(lambda new_log, old_log: new_log - old_log, "difference")
    vector = next(v for v in golden_vectors("ratio") if v.id == "ratio/logs-whole")
    found = counterexample(run(target, "ratio", vectors=[vector]), target)
    assert found is not None
    assert found.expected == "exp(2)"
    assert "# exactly exp(2)" in found.test


@pytest.mark.parametrize("function", [targets.hangs, targets.hangs_and_catches])
def test_a_hang_is_cut_off_once(function: Any) -> None:
    found = run(from_function(function, limit=0.2), "gae", random=50)
    assert found.verdict == "hangs"
    assert [j.status for j in found.judgements].count("hangs") == 1
    assert found.random == 0


def test_arguments_that_a_function_does_not_take_are_not_held_against_it() -> None:
    found = report(targets.without_flags, random=30)
    assert found.verdict == "conforms"
    skipped = {j.why for j in found.judgements if j.status == "skipped"}
    assert {"no `terminated` argument", "no `next_values`, `truncated` argument"} <= skipped


def test_one_sequence_at_a_time_is_no_fault_and_is_said() -> None:
    found = report(targets.one_sequence, random=60)
    assert found.verdict == "conforms"
    assert any("batches not supported" in note for note in found.notes)
    assert report(targets.one_sequence, random=60, batches=False).verdict == "conforms"


@pytest.mark.parametrize(
    ("function", "formula", "names"),
    [
        (targets.truncation_ends, "gae", {"truncation-as-termination"}),
        (targets.short_values, "gae", {"without-last-value"}),
        (targets.ppo_loss_mean, "ppo_clip", {"loss", "mean-over-batch"}),
    ],
)
def test_conventions_are_found_and_have_to_be_declared(function: Any, formula: str, names: set[str]) -> None:
    found = report(function, formula)
    assert found.verdict == "conforms-under-convention"
    assert {c.name for c in found.conventions} == names
    assert not found.passed
    declared = report(function, formula, conventions=tuple(names), random=20 if formula == "gae" else 0)
    assert declared.verdict == "conforms-under-convention", (declared.failures[:1], declared.found)
    assert declared.passed


@pytest.mark.usefixtures("verdict_alone")
def test_a_declared_convention_that_does_not_hold_is_no_excuse() -> None:
    assert report(targets.right, conventions=["truncation-as-termination"]).verdict == "nonconforming"


@pytest.mark.parametrize(
    ("module", "options", "code"),
    [("jax", {"backend": "jax"}, "jax_missing"), ("hypothesis", {"random": 5}, "hypothesis_missing")],
)
def test_what_is_not_installed_is_named(
    module: str, options: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with refused(InputError, code):
        run(from_function(rlcalc.gae, backend=options.pop("backend", "numpy")), "gae", **options)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), 1e9])
def test_limits_that_are_none(limit: float) -> None:
    with refused(InputError, "limit_out_of_range"):
        from_function(rlcalc.gae, limit=limit)


def test_loading(tmp_path: Path) -> None:
    for place in ("tests.conform.targets:right", f"{FILE}:Advantages.compute", "rlcalc:gae"):
        assert run(load_target(place), "gae").verdict == "conforms"
    path = tmp_path / "broken.py"
    path.write_text("import sys\nsys.exit(5)\n")
    with refused(InputError, "target_import"):
        load_target(f"{path}:f")


def test_a_signature_of_another_kind_is_refused() -> None:
    def dones(rewards, values, gamma, lam, dones):
        raise AssertionError

    with refused(InputError, "target_signature") as caught:
        conform(dones, "gae")
    assert "dones" in caught.value.message


def test_unknown_names() -> None:
    with pytest.raises(UnknownName):
        conform(rlcalc.gae, "gea")
    with pytest.raises(UnknownName) as caught:
        conform(rlcalc.gae, "gae", conventions=["truncation-as-terminaton"])
    assert "truncation-as-termination" in caught.value.hint


@pytest.mark.slow
def test_the_import_of_a_backend_is_no_time_of_the_call() -> None:
    """In a fresh process, where Torch takes longer to import than the call may take."""
    code = (
        "import rlcalc, sys\n"
        "from rlcalc.conform.runner import run\n"
        "from rlcalc.conform.target.base import from_function\n"
        "target = from_function(lambda rewards, **_: rewards, backend='torch', limit=1.0)\n"
        "assert 'torch' not in sys.modules\n"
        "verdict = run(target, 'gae').verdict\n"
        "assert 'torch' in sys.modules\n"
        "assert verdict == 'nonconforming', verdict\n"
    )
    done = python("-c", code, cwd=FILE.parents[2])
    assert done.returncode == 0, done.stderr


# a reference's callback may be what it rings in, once; it rings again after it
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_within_a_collectors_callback_is_not_lost() -> None:
    """What is raised there is printed and forgotten: the alarm has to ring again outside of it."""

    def busy() -> None:
        until = time.monotonic() + 0.15
        while time.monotonic() < until:
            pass

    def slow(phase: str, info: dict[str, int]) -> None:
        busy()

    def collect_for_ever() -> None:
        with limited(0.05):
            while True:
                gc.collect()
                time.sleep(0.2)

    gc.collect()
    gc.callbacks.append(slow)
    try:
        with pytest.raises(TimedOut):
            collect_for_ever()
    finally:
        gc.callbacks.remove(slow)
