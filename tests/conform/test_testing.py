"""``rlcalc.testing`` in a repository of another project, from the built wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rlcalc
from rlcalc.errors import DataError, InputError, UnknownName
from rlcalc.testing import ConformanceError, conformance_suite, pytest_configure
from tests.command import python

from . import targets

PROJECT = Path(__file__).parent / "project"

# the two lines that are promised, on functions that are right
test_right = conformance_suite(targets.right, formula="gae", random=30)
test_under_a_convention = conformance_suite(
    targets.truncation_ends, "gae", convention="truncation-as-termination", dtypes=["float64"], random=10
)
test_own_vectors = conformance_suite(
    rlcalc.gae, "gae", backend="torch", dtypes=["float32"], vectors=[PROJECT / "vectors.toml"], random=0
)


def test_ids_are_those_of_the_vectors() -> None:
    mark = next(m for m in test_own_vectors.pytestmark if m.name == "parametrize")
    ids = [case.id for case in mark.args[1]]
    assert "gae/lecture-2.4-float32" in ids
    assert "gae/our-environment-float32" in ids


def test_wrong_names_are_told_at_once() -> None:
    with pytest.raises(UnknownName):
        conformance_suite(rlcalc.gae, "gea")
    with pytest.raises(UnknownName):
        conformance_suite(rlcalc.gae, "gae", convention="truncation")
    with pytest.raises(InputError):
        conformance_suite(rlcalc.gae, "gae", dtypes=["float16"])
    with pytest.raises(DataError):
        conformance_suite(rlcalc.gae, "gae", vectors=["nowhere.toml"])


def pytest_in(project: Path, site: Path, *words: str) -> tuple[int, str]:
    """Pytest in a project that knows nothing of this repository."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "COV"))}
    env["PYTHONPATH"] = os.pathsep.join([str(site), str(project)])
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *words]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def fresh(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.slow
def test_the_documented_project(tmp_path: Path, wheel: Path) -> None:
    project = fresh(tmp_path)
    place = python("-c", "import rlcalc; print(rlcalc.__file__)", cwd=project, PYTHONPATH=str(wheel))
    assert place.stdout.startswith(str(wheel))
    code, out = pytest_in(project, wheel, "-v", "--rlcalc-vectors", "vectors.toml")
    assert code == 0, out
    assert "test_gae[gae/lecture-2.4-float64] PASSED" in out
    assert "test_gae[gae/our-environment-float32] PASSED" in out
    assert "test_gae[gae/generated] PASSED" in out


@pytest.mark.slow
def test_a_fault_in_the_project_is_named(tmp_path: Path, wheel: Path) -> None:
    project = fresh(tmp_path)
    path = project / "advantages.py"
    text = path.read_text()
    assert "gammas[..., t] * lam * carry" in text
    path.write_text(text.replace("gammas[..., t] * lam * carry", "gammas[..., t] * carry"))
    code, out = pytest_in(project, wheel, "-q")
    assert code == 1
    assert out.count("known bug: ") == 1
    assert "known bug: lam-missing-in-recursion" in out
    assert "\n  exact  [" in out
    assert "rlcalc/testing.py" not in out, "the traceback is the user's, not ours"


@pytest.mark.slow
def test_a_vector_is_a_few_lines_and_the_summary_is_that_of_the_function() -> None:
    suite = conformance_suite(targets.imprecise, "gae", dtypes=["float64"], random=0)
    mark = next(m for m in suite.pytestmark if m.name == "parametrize")
    errors = []
    for case in mark.args[1][:4]:
        with pytest.raises(ConformanceError) as caught:
            suite(*case.values)
        errors.append(caught.value)
    assert all("  yours  " in str(error) for error in errors)
    assert {len(str(error).splitlines()) for error in errors} == {3}
    (summary,) = {error.summary for error in errors}
    assert "no known bug matches" in summary


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema = "rlcalc-golden-1"', "schema = 3"),
        ('flags = ["own"]', 'flags = [["own"]]'),
        ('exact = ["5/2", "2"]', 'exact = ["5/2", "2"]\ndecimal = ["2.5", "six"]'),
        ('exact = ["5/2", "2"]', 'exact = ["5/2", "2"]\ndecimal = ["2.5", "3"]'),
        ('exact = ["5/2", "2"]', f"exact = [{'9' * 5000}, 2]"),
    ],
)
def test_a_wrong_vector_file_stops_the_run(old: str, new: str, tmp_path: Path) -> None:
    text = (PROJECT / "vectors.toml").read_text()
    assert old in text
    path = tmp_path / "broken.toml"
    path.write_text(text.replace(old, new))

    with pytest.raises(pytest.UsageError, match="--rlcalc-vectors: "):
        pytest_configure(_Config(str(path)))
    pytest_configure(_Config())


class _Config:
    def __init__(self, *files: str) -> None:
        self.files = list(files)
        self.pluginmanager = pytest.PytestPluginManager()

    def getoption(self, name: str, default: object) -> list[str]:
        return self.files


def test_a_wrong_vector_file_is_an_error_of_usage(tmp_path: Path, wheel: Path) -> None:
    project = fresh(tmp_path)
    (project / "broken.toml").write_text("schema = 3\n")
    code, out = pytest_in(project, wheel, "-q", "--rlcalc-vectors", "broken.toml")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "--rlcalc-vectors" in out


def test_the_plugin_costs_a_run_nothing(tmp_path: Path, wheel: Path) -> None:
    """It is loaded in every run of pytest where rlcalc is installed, so it must stay small."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n    assert not {'numpy', 'sympy', 'torch'} & set(sys.modules)\n"
    )
    code, out = pytest_in(tmp_path, wheel, "-q", "-p", "no:hypothesispytest")
    assert code == 0, out
