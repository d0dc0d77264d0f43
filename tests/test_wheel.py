"""The built wheel, installed alone and used from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rlcalc.specs import formula_names

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the unpacked wheel and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    # a pure wheel is installed by unpacking it; the installer would only add a script
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, cwd: Path, *arguments: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(site), "NO_COLOR": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True).stdout


def test_the_wheel_is_what_is_imported(site: Path, tmp_path: Path) -> None:
    where = run(site, tmp_path, "-c", "import rlcalc; print(rlcalc.__file__)").strip()
    assert Path(where).is_relative_to(site)


@pytest.mark.slow
def test_it_calculates_and_verifies_with_its_own_data(site: Path, tmp_path: Path) -> None:
    answer = run(
        site, tmp_path, "-m", "rlcalc", "lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5", "-q"
    )
    assert answer.strip() == "11/4"
    report = json.loads(run(site, tmp_path, "-m", "rlcalc", "verify", "--backends", "numpy", "--json"))
    assert {row["formula"] for row in report["formulas"]} == set(formula_names())


def test_it_holds_specs_golden_files_and_type_marker(site: Path) -> None:
    for name in formula_names():
        assert (site / "rlcalc" / "_data" / "specs" / "formulas" / f"{name}.toml").is_file()
        assert (site / "rlcalc" / "_data" / "golden" / f"{name}.toml").is_file()
    assert (site / "rlcalc" / "py.typed").is_file()
    assert not list(site.rglob("tests"))
