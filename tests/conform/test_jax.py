"""``--jax`` on functions that are written in JAX, in the process that the command line gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlcalc.cli import main
from tests.command import python

FILE = Path(__file__).with_name("jax_targets.py")
pytestmark = pytest.mark.slow  # each starts JAX, and compiles


def conform(capsys: pytest.CaptureFixture[str], name: str, *words: str, random: int = 0) -> dict[str, Any]:
    """The report of a function on GAE."""
    main(
        ["conform", f"{FILE}:{name}", "--jax", "--formula", "gae", "--json", "--random", str(random), *words]
    )
    out, err = capsys.readouterr()
    assert out, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "right", "--dtype", "float64")
    assert found["verdict"] == "conforms"
    assert found["digits"]["float64"] > 15


def test_a_compiled_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "jitted", random=3)
    assert found["verdict"] == "conforms"
    assert found["passed"]
    assert found["generated"] == 3
    # all sixteen digits: float64 went in and came back
    assert found["digits"]["float64"] > 15
    assert found["digits"]["float32"] > 6
    assert any("jax_enable_x64" in note for note in found["notes"])


def test_numbers_that_are_compiled_in_cannot_be_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "numbers_compiled_in", "--dtype", "float64")
    assert found["verdict"] == "conforms"
    assert any("scalar gamma" in note for note in found["notes"])


def test_a_fault_is_named_and_its_test_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    found = conform(capsys, "crosses", "--dtype", "float64", "--write-test", str(test))
    assert found["verdict"] == "nonconforming"
    assert [m["faults"] for m in found["diagnosis"]["matches"]] == [["recursion-crosses-truncation"]]
    run = ["-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = python(*run, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "Not equal to tolerance" in done.stdout
    # and it is the function that fails it, not how it is called
    test.write_text(test.read_text().replace("crosses", "right"))
    done = python(*run, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_float32_inside_is_a_note_and_named_where_float64_is_required(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = conform(capsys, "single")
    assert found["verdict"] == "conforms"
    assert any(note.startswith("computes in float32") for note in found["notes"])
    found = conform(capsys, "single", "--require", "float64")
    assert found["verdict"] == "nonconforming"
    assert [m["faults"] for m in found["diagnosis"]["matches"]] == [["computes-in-float32"]]
    assert {r["status"] for r in found["results"] if r["dtype"] == "float32"} == {"passed"}


def test_it_runs_as_its_users_run(capsys: pytest.CaptureFixture[str]) -> None:
    """With jax_enable_x64 a constant without a dtype would be float64, and so every answer to float32."""
    found = conform(capsys, "with_a_constant", "--require", "dtype")
    assert found["verdict"] == "conforms"
    alone = conform(capsys, "with_a_constant", "--dtype", "float32")
    assert alone["verdict"] == "conforms"
    assert not any("x64" in note for note in alone["notes"])


def test_a_fault_in_float32_alone_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "crosses", "--dtype", "float32")
    assert [m["faults"] for m in found["diagnosis"]["matches"]] == [["recursion-crosses-truncation"]]


def test_inputs_that_are_donated_are_gone(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "donating", "--dtype", "float64")
    assert found["verdict"] == "changes-inputs"
    assert {r["why"] for r in found["results"]} == {"rewards changed in place"}


def test_what_cannot_be_traced_raises(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(capsys, "asks_a_tracer", "--dtype", "float64")
    assert found["verdict"] == "raises"
    assert "TracerBoolConversionError" in found["results"][0]["why"]
