"""``rlcalc conform`` and ``rlcalc peers`` as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rlcalc.cli import main

from . import targets

FILE = Path(targets.__file__)


def rlcalc(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_good_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = rlcalc(capsys, "conform", f"{FILE}:right", "--formula", "gae", "--random", 20)
    assert code == 0, err
    assert "conforms to gae" in out
    assert "20 generated cases: all right" in out
    assert "float32" in out


def test_a_bad_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    junit, test = tmp_path / "out.xml", tmp_path / "test_it.py"
    words = ["--formula", "gae", "--random", 30, "--junit", junit, "--write-test", test]
    code, out, err = rlcalc(capsys, "conform", f"{FILE}:imprecise", *words)
    assert code == 1
    assert "does not conform to gae" in out
    assert "smallest failing case" in out
    assert "A_0 = δ_0" in out
    assert "error:" in err
    assert test.read_text() in out
    assert [line for line in out.splitlines() if len(line) > 80 and str(FILE.parent) not in line] == []
    top = ElementTree.parse(junit).getroot()
    assert int(top.get("failures", "0")) > 10
    assert top.find("testsuite") is not None


@pytest.mark.parametrize("name", ["raises", "no_array"])
def test_one_that_never_answers(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, err = rlcalc(capsys, "conform", f"{FILE}:{name}", "--formula", "gae", "--random", 0)
    assert code == 1
    # gae/one-step is the smallest case: 2 + 9/10·8 − 5
    assert "exact answer  [21/5]" in out
    assert "None" not in out.partition("a test that shows it")[0]
    assert "nearest is" not in out  # no fault resembles one that gives no answers
    assert " \n" not in out
    assert err.startswith(f"error: {out.splitlines()[0]}.")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--formula", "gae", "--json", "--random", 0, "--dtype", "float64"]
    code, out, _ = rlcalc(capsys, "conform", f"{FILE}:in_place", *words)
    found = json.loads(out)
    assert code == 1
    assert found["verdict"] == "changes-inputs"
    assert list(found["digits"]) == ["float64"]
    assert {r["status"] for r in found["results"]} == {"changes-inputs"}
    assert found["counterexample"]["test"].startswith("import")


def test_a_convention(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["conform", f"{FILE}:truncation_ends", "--formula", "gae", "--random", 0]
    code, out, err = rlcalc(capsys, *words)
    assert code == 1
    assert "conforms to gae under convention truncation-as-termination" in out
    assert "--convention truncation-as-termination" in err
    code, out, err = rlcalc(capsys, *words, "--convention", "truncation-as-termination")
    assert code == 0, err


def test_torch(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = rlcalc(capsys, "conform", "rlcalc:gae", "--torch", "--formula", "gae", "--random", 5)
    assert code == 0, err


def test_a_program(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "answer.py"
    path.write_text("for line in __import__('sys').stdin:\n    print('{\"answer\": 0}', flush=True)\n")
    command = f"{sys.executable} {path}"
    code, out, _ = rlcalc(capsys, "conform", "--exec", command, "--formula", "ppo-loss", "--random", 10)
    assert code == 1
    assert "subprocess.run" in out


@pytest.mark.parametrize(
    "words",
    [
        ["conform"],
        ["conform", "rlcalc:gae"],
        ["conform", "--formula", "gae"],
        ["conform", "rlcalc:gae", "--exec", "true", "--formula", "gae"],
        ["conform", "rlcalc:gae", "--formula", "gea"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--torch", "--jax"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--dtype", "float16"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--limit", "0"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--convention", "none"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--vectors", "no-such-file.toml"],
        ["peers", "no-such-library"],
        ["peers", "--json", "--markdown"],
    ],
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = rlcalc(capsys, *words)
    assert code == 2
    assert out == ""
    assert err.startswith("error:")


def test_self_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    saved = tmp_path / "matrix.json"
    code, out, _ = rlcalc(capsys, "conform", "--self-check", "--formula", "gae", "--out", saved)
    assert code == 0
    assert "every pair distinguished" in out
    found = json.loads(saved.read_text())
    assert found["passed"]
    assert all(len(fault["killed_by"]) >= 2 for fault in found["formulas"][0]["faults"])


WITHOUT_HYPOTHESIS = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'hypothesis':
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
from rlcalc.cli import main
sys.exit(main(sys.argv[1:]))
"""


def without_hypothesis(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_HYPOTHESIS, "conform", *map(str, words)]
    root = str(Path(__file__).parents[2])
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def test_without_hypothesis_the_vectors_run_and_a_note_says_so() -> None:
    done = without_hypothesis(f"{FILE}:right", "--formula", "gae")
    assert done.returncode == 0
    assert "conforms to gae" in done.stdout
    assert "no generated cases: Hypothesis is not installed" in done.stdout
    assert done.stderr == (
        "note: No generated cases were run: Hypothesis is not installed; install rlcalc[test] to have them.\n"
    )
    done = without_hypothesis(f"{FILE}:right", "--formula", "gae", "--json")
    found = json.loads(done.stdout)
    assert found["verdict"] == "conforms"
    assert found["generated"] == 0
    assert ["Hypothesis" in note and "rlcalc[test]" in note for note in found["notes"]] == [True]
    # a wrong one is still wrong
    done = without_hypothesis(f"{FILE}:imprecise", "--formula", "gae")
    assert done.returncode == 1
    assert "does not conform to gae" in done.stdout


def test_without_hypothesis_what_was_asked_for_is_an_error() -> None:
    done = without_hypothesis(f"{FILE}:right", "--formula", "gae", "--random", 10)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: Generated cases need Hypothesis")
    # nobody who asks for none is told that there are none
    done = without_hypothesis(f"{FILE}:right", "--formula", "gae", "--random", 0)
    assert (done.returncode, done.stderr) == (0, "")


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = rlcalc(capsys, "conform", "--conventions", "--formula", "gae")
    assert "truncation-as-termination" in out
    _, out, _ = rlcalc(capsys, "conform", "--faults", "--formula", "gae")
    assert "Reported in vwxyzjn/cleanrl" in out
    assert max(map(len, out.splitlines())) <= 80
    _, out, _ = rlcalc(capsys, "conform", "--faults", "--formula", "gae", "--json")
    assert json.loads(out)[0]["faults"]


def test_users_text_is_never_markup(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text("def f(**given):\n    raise ValueError('[bold]\\x1b[31mred[/bold]')\n")
    _, out, _ = rlcalc(capsys, "conform", f"{path}:f", "--formula", "gae", "--random", 0)
    assert "[bold]" in out
    assert "\x1b" not in out


def test_help_says_that_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = rlcalc(capsys, "conform", "--help")
    assert code == 0
    assert "runs their code" in " ".join(out.split())


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """NumPy functions need no Torch, vectors alone no Hypothesis, and a plain start neither."""
    code = (
        "import sys\n"
        "from rlcalc.cli import main\n"
        f"main(['conform', {str(FILE)!r} + ':right', '--formula', 'gae', '--random', '0'])\n"
        "bad = {'torch', 'hypothesis', 'jax', 'matplotlib'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
