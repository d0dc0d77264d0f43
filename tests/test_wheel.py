"""The built wheel, installed alone and used from another folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlcalc.specs import formula_names
from tests.command import python


def run(wheel: Path, cwd: Path, *arguments: str) -> str:
    done = python(*arguments, cwd=cwd, PYTHONPATH=str(wheel), NO_COLOR="1")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_what_is_imported(wheel: Path, tmp_path: Path) -> None:
    where = run(wheel, tmp_path, "-c", "import rlcalc; print(rlcalc.__file__)").strip()
    assert Path(where).is_relative_to(wheel)


@pytest.mark.slow
def test_it_calculates_and_verifies_with_its_own_data(wheel: Path, tmp_path: Path) -> None:
    answer = run(
        wheel, tmp_path, "-m", "rlcalc", "lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5", "-q"
    )
    assert answer.strip() == "11/4"
    report = json.loads(run(wheel, tmp_path, "-m", "rlcalc", "verify", "--backends", "numpy", "--json"))
    assert {row["formula"] for row in report["formulas"]} == set(formula_names())


def test_it_holds_specs_golden_files_and_type_marker(wheel: Path) -> None:
    for name in formula_names():
        assert (wheel / "rlcalc" / "_data" / "specs" / "formulas" / f"{name}.toml").is_file()
        assert (wheel / "rlcalc" / "_data" / "golden" / f"{name}.toml").is_file()
    assert (wheel / "rlcalc" / "py.typed").is_file()
    assert not list(wheel.rglob("tests"))
