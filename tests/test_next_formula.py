"""DESIGN's promise: a formula is three files, and nothing else is touched.

In a copy of the tree the three made-up files of ``data/next_formula`` are added; then everything works.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import python

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("tree")
    for folder in ("rlcalc", "specs", "golden"):
        shutil.copytree(ROOT / folder, top / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "data" / "next_formula", top, dirs_exist_ok=True)
    return top


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return python(*words, cwd=tree, PYTHONPATH=str(tree), COLUMNS="100")


def rlcalc(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(tree, "-m", "rlcalc", *words)


def test_it_is_a_command_with_help_and_in_the_lists(tree: Path) -> None:
    done = rlcalc(tree, "watkins-error", "--reward", "1", "--q", "4", "--gamma", "1/2")
    assert done.returncode == 0, done.stderr
    assert "= 3" in done.stdout
    assert "NumPy agrees" in done.stdout
    assert "--reward" in rlcalc(tree, "watkins-error", "-h").stdout
    assert "watkins-error" in rlcalc(tree, "list").stdout
    assert "| `watkins-error` | Made-up error |" in rlcalc(tree, "list", "--markdown").stdout
    assert "Made up" in rlcalc(tree, "show", "watkins_error").stdout
    refused = rlcalc(tree, "watkins-error", "--reward", "1", "--q", "4", "--gamma", "2", "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stderr.splitlines()[-1])["error"]["code"] == "gamma_out_of_range"


def test_it_is_a_python_function_and_a_derivation(tree: Path) -> None:
    code = (
        "import rlcalc\n"
        "assert rlcalc.watkins_error(reward=1.0, q=4.0, gamma=0.5) == 3.0\n"
        "both = rlcalc.compute('watkins_error', reward=[1, 3], q=[4, 2], gamma=0.5)['error']\n"
        "assert both.tolist() == [3, 4]\n"
        "found = rlcalc.derive('watkins_error', reward='r', q='q', gamma='g').outputs['error']\n"
        "assert str(found) == 'g*q + r'\n"
        "from rlcalc._stubs import stub\n"
        "assert 'def watkins_error(' in stub()\n"
    )
    done = run(tree, "-c", code)
    assert done.returncode == 0, done.stderr


def test_its_vectors_are_certified_and_verified(tree: Path) -> None:
    path = "golden/watkins_error.toml"
    assert "2 values written" in rlcalc(tree, "golden", "certify", path).stdout
    assert rlcalc(tree, "golden", "certify", "--check", path).returncode == 0
    done = rlcalc(tree, "verify", "--formula", "watkins-error")
    assert done.returncode == 0, done.stdout
    assert "3 cases of 1 formula: all passed" in done.stdout
    assert rlcalc(tree, "golden", "export", "--formula", "watkins-error").returncode == 0


def test_functions_are_judged_by_it_on_vectors_and_generated_cases(tree: Path) -> None:
    words = ("--formula", "watkins_error", "--random", "20", "--json")
    right = json.loads(rlcalc(tree, "conform", "targets.py:right", *words).stdout)
    assert right["verdict"] == "conforms"
    wrong = json.loads(rlcalc(tree, "conform", "targets.py:wrong", *words).stdout)
    assert wrong["verdict"] == "nonconforming"
    assert wrong["counterexample"]
