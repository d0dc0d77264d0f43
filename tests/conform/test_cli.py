"""``rlcalc conform`` and ``rlcalc peers`` as typed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rlcalc.cli import conform as conform_command
from rlcalc.cli import progress
from tests.command import python
from tests.command import run as rlcalc
from tests.sweep import sweep

from . import targets

FILE = Path(targets.__file__)
ROOT = FILE.parents[2]
VECTOR = """
schema = "rlcalc-golden-1"
formula = "ppo_clip"
[[case]]
id = "ppo_clip/mine"
about = "One."
source = { ref = "me" }
flags = ["basic"]
result = "valid"
given = { ratio = "3/2", adv = "5", eps = "1/5" }
[case.want.objective]
exact = "6"
decimal = "6"
[flag.basic]
kind = "basic"
about = "Plain."
effect = "None."
"""


def test_a_good_one() -> None:
    code, out, err = rlcalc("conform", f"{FILE}:right", "--formula", "gae", "--random", 20)
    assert (code, err) == (0, "")
    assert " ".join(out.split()).startswith(f"{FILE}:right conforms to gae ")
    words = " ".join(out.split())
    assert "vectors passed: " in words
    assert " in float64 (at least 15." in words
    assert "20 generated cases, all passed" in words


@pytest.mark.usefixtures("verdict_alone")
def test_a_bad_one(tmp_path: Path) -> None:
    junit, test = tmp_path / "out.xml", tmp_path / "test_it.py"
    words = ["--formula", "gae", "--random", 30, "--junit", junit, "--write-test", test]
    code, out, err = rlcalc("conform", f"{FILE}:imprecise", "-v", *words)
    assert code == 1
    assert " ".join(out.split()).startswith(f"{FILE}:imprecise differs from gae ")
    assert "generated cases, 1 failed" in out
    assert "no known bug matches (" in out
    assert "smallest failing case" in out
    assert "A_0 = δ_0" in out
    assert err == f"error: {FILE}:imprecise differs from gae.\n"
    assert test.read_text() in out
    assert [line for line in out.splitlines() if len(line) > 80 and str(FILE.parent) not in line] == []
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", "0")) > 10


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize(
    "name", ["imprecise", "raises", "no_array", "in_place", "single_inside", "not_a_number"]
)
@pytest.mark.slow
def test_the_report_fits_on_a_screen(name: str) -> None:
    words = ["conform", f"{FILE}:{name}", "--formula", "gae", "--random", 20]
    _, out, _ = rlcalc(*words)
    assert len(out.splitlines()) <= 20
    # what the user named or wrote is never divided
    assert [line for line in out.splitlines() if len(line) > 80 and str(FILE.parent.name) not in line] == []


@pytest.mark.usefixtures("verdict_alone")
def test_the_case_is_a_table_with_the_wrong_rows_marked(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "def f(rewards, gamma):\n    found = rewards * 1.0\n"
        "    for t in range(rewards.shape[-1] - 2, -1, -1):\n"
        "        found[..., t] += gamma * found[..., t + 1] + (t == 1)\n    return found\n"
    )
    _, out, _ = rlcalc("conform", f"{path}:f", "--formula", "discounted_return", "--random", 100)
    (heading,) = (line for line in out.splitlines() if line.split()[:2] == ["t", "rewards"])
    assert heading.split() == ["t", "rewards", "right", "yours"]
    rows = [line.split() for line in out.partition(heading)[2].strip().splitlines()[:3]]
    # 1 too much at t = 1, and γ of it at t = 0
    assert [row[0] for row in rows if row[-2:] == ["<-", "wrong"]] == ["0", "1"]


@pytest.mark.usefixtures("verdict_alone")
def test_a_table_of_actions_counts_actions(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def softmax(theta):\n    return theta / theta.sum()\n")
    _, out, _ = rlcalc("conform", f"{path}:softmax", "--formula", "softmax", "--random", 0)
    assert ["a", "theta", "right", "yours"] in [line.split() for line in out.splitlines()]


@pytest.mark.parametrize(
    ("name", "words"),
    sweep([("raises", "raised IndexError on"), ("no_array", "returns a wrong shape for")], 1),
)
def test_one_that_never_answers(name: str, words: str) -> None:
    code, out, err = rlcalc("conform", f"{FILE}:{name}", "--formula", "gae", "--random", 0, "-v")
    assert code == 1
    assert " ".join(out.split()).startswith(f"{FILE}:{name} {words} gae ")
    # gae/one-step is the smallest case: 2 + 9/10·8 − 5
    assert "exact answer  [21/5]" in out
    assert "None" not in out.partition("a test that shows it")[0]
    assert "known bug" not in out
    assert " \n" not in out
    assert err == f"error: {FILE}:{name} {words} gae.\n"


def test_an_exception_shows_its_last_lines() -> None:
    words = ["conform", f"{FILE}:raises", "--formula", "gae", "--random", 0]
    _, out, _ = rlcalc(*words)
    assert ' in raises: raise IndexError("index 1 is out of bounds")' in out
    assert "targets.py:" in out.partition(" in raises: ")[0].splitlines()[-1]
    _, out, _ = rlcalc(*words, "--json")
    (line,) = json.loads(out)["counterexample"]["traceback"]
    assert "raise IndexError" in line


def test_json() -> None:
    words = ["--formula", "gae", "--json", "--random", 0, "--dtype", "float64"]
    code, out, _ = rlcalc("conform", f"{FILE}:in_place", *words)
    found = json.loads(out)
    assert code == 1
    assert found["verdict"] == "changes-inputs"
    assert list(found["digits"]) == ["float64"]
    assert {r["status"] for r in found["results"]} == {"changes-inputs"}
    assert found["counterexample"]["test"].startswith("import")
    # names of keys that were in use before are there for now
    _, out, _ = rlcalc("conform", f"{FILE}:single_inside", *words, "--require", "float64")
    for match in json.loads(out)["diagnosis"]["matches"]:
        assert match["fix"] == match["mend"]
        assert match["reported_in"] == match["sources"]


@pytest.mark.usefixtures("verdict_alone")
def test_a_batch_and_its_entry_are_shown_alike(tmp_path: Path) -> None:
    path = tmp_path / "batch.py"
    path.write_text(
        "import numpy as np\ndef f(rewards, gamma):\n    found, total = np.zeros_like(rewards), 0.0\n"
        "    for t in reversed(range(rewards.shape[-1])):\n        total = rewards[..., t] + gamma * total\n"
        "        found[..., t] = total\n    return found if rewards.ndim < 2 else found + 1\n"
    )
    words = ["conform", f"{path}:f", "--formula", "discounted_return", "--random", 100, "-v"]
    _, out, _ = rlcalc(*words)
    assert "one entry of a batch [1]" in out
    assert "rewards = [0]\n" in out
    assert "your answer   [1.0]\n" in out


def test_a_convention() -> None:
    words = ["conform", f"{FILE}:truncation_ends", "--formula", "gae", "--random", 0]
    code, out, err = rlcalc(*words)
    assert code == 1
    assert "conforms to gae under convention truncation-as-termination" in " ".join(out.split())
    assert "--convention truncation-as-termination" in err
    code, out, err = rlcalc(*words, "--convention", "truncation-as-termination")
    assert code == 0, err


def test_a_program(tmp_path: Path) -> None:
    path = tmp_path / "answer.py"
    path.write_text("for line in __import__('sys').stdin:\n    print('{\"answer\": 0}', flush=True)\n")
    command = f"{sys.executable} {path}"
    code, out, _ = rlcalc("conform", "--exec", command, "--formula", "ppo-loss", "--random", 10, "-v")
    assert code == 1
    assert "subprocess.run" in out


@pytest.mark.parametrize("name", ["my-agent.py", "01_loss.py", "json.py"])
@pytest.mark.slow
def test_the_written_test_finds_a_file_of_any_name(name: str, tmp_path: Path) -> None:
    path, test = tmp_path / name, tmp_path / "test_it.py"
    path.write_text("from beside import ONE\n\n\ndef bad(ratio, adv, eps):\n    return ratio * adv + ONE\n")
    (tmp_path / "beside.py").write_text("ONE = 1\n")
    rlcalc("conform", f"{path}:bad", "--formula", "ppo_clip", "--random", 0, "--write-test", test)
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:rlcalc", test, cwd=ROOT)
    assert done.returncode == 1, done.stdout
    assert "Not equal to tolerance" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["conform"],
        ["conform", "rlcalc:load_it"],
        ["conform", "--formula", "gae"],
        ["conform", "rlcalc:gae", "--exec", "true", "--formula", "gae"],
        ["conform", "--exec", "true", "--in-process", "--formula", "gae"],
        ["conform", "rlcalc:gae", "--formula", "gea"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--torch", "--jax"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--dtype", "float16"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--limit", "0"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--limit", "nan"],
        ["conform", "--exec", "true", "--formula", "gae", "--limit", "inf"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--convention", "none"],
        ["conform", "rlcalc:gae", "--formula", "gae", "--vectors", "no-such-file.toml"],
        ["conform", "no_such_module_:gae", "--formula", "gae", "--junit", "/no-such-folder/out.xml"],
        ["peers", "no-such-library"],
        ["peers", "--json", "--markdown"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    code, out, err = rlcalc(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("error:")
    # a file that cannot be written is refused before anything runs
    assert "no_such_module" not in err


def test_own_vectors(tmp_path: Path) -> None:
    assert with_own_vectors(VECTOR, tmp_path)[0] == 0


def with_own_vectors(text: str, tmp_path: Path) -> tuple[int, str, str]:
    (tmp_path / "right.py").write_text("from rlcalc import ppo_clip\n")
    (tmp_path / "own.toml").write_text(text)
    target, path = f"{tmp_path}/right.py:ppo_clip", tmp_path / "own.toml"
    return rlcalc("conform", target, "--formula", "ppo_clip", "--random", 0, "--vectors", path)


@pytest.mark.parametrize(
    ("old", "new"),
    sweep(
        [
            ('decimal = "6"', 'decimal = "six"'),
            ('decimal = "6"', 'decimal = "nan"'),
            ('decimal = "6"', 'decimal = "1/0"'),
            ('decimal = "6"', 'decimal = "infinity"'),
            ('decimal = "6"', 'decimal = "6.1"'),
            ('exact = "6"', f"exact = {'9' * 5000}"),
            ('flags = ["basic"]', 'flags = [["basic"]]'),
        ],
        2,
    ),
)
def test_vectors_that_contradict_themselves(old: str, new: str, tmp_path: Path) -> None:
    assert old in VECTOR
    code, out, err = with_own_vectors(VECTOR.replace(old, new), tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("error: own.toml") or str(tmp_path / "own.toml") in err


@pytest.mark.slow
def test_self_check(tmp_path: Path) -> None:
    saved = tmp_path / "matrix.json"
    code, out, _ = rlcalc("conform", "--self-check", "--formula", "gae", "--out", saved)
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
    command = ["-c", WITHOUT_HYPOTHESIS, "conform", f"{FILE}:right", "--formula", "gae"]
    return python(*command, *words, cwd=ROOT)


@pytest.mark.slow
def test_without_hypothesis_the_vectors_run_and_a_note_says_so() -> None:
    done = without_hypothesis("--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert (found["verdict"], found["generated"]) == ("conforms", 0)
    assert ["Hypothesis is not installed" in note for note in found["notes"]] == [True]
    assert done.stderr.startswith("note: No generated cases were run: Hypothesis is not installed")
    # what was asked for is an error
    done = without_hypothesis("--random", 10)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: Generated cases need Hypothesis")


def test_lists() -> None:
    _, out, _ = rlcalc("conform", "--conventions", "--formula", "gae")
    assert "truncation-as-termination" in out
    _, out, _ = rlcalc("conform", "--faults", "--formula", "gae")
    assert "Reported in vwxyzjn/cleanrl" in out
    assert "Fix: " in out
    assert max(map(len, out.splitlines())) <= 80
    _, out, _ = rlcalc("conform", "--faults", "--class", "sign")
    assert "entropy-sign (sign)" in out
    assert "lam-twice" not in out
    assert "\nlambda_return\n" not in out
    code, _, err = rlcalc("conform", "--faults", "--class", "signs")
    assert code == 2
    assert "sign" in err
    _, out, _ = rlcalc("conform", "--faults", "--formula", "gae", "--json")
    assert all(fault["fix"] == fault["mend"] for fault in json.loads(out)[0]["faults"])


def test_users_text_is_never_markup(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text("def f(**given):\n    raise ValueError('[bold]\\x1b[31mred[/bold]')\n")
    _, out, _ = rlcalc("conform", f"{path}:f", "--formula", "gae", "--random", 0)
    assert "[bold]" in out
    assert "\x1b" not in out


def test_help_says_that_code_runs() -> None:
    code, out, _ = rlcalc("conform", "--help")
    assert code == 0
    assert "runs their code" in " ".join(out.split())


def test_a_bar_after_a_moment_and_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def shown(stream: io.StringIO, patience: float) -> str:
        monkeypatch.setattr(progress, "PATIENCE", patience)
        monkeypatch.setattr(sys, "stderr", stream)
        with progress.Progress() as tell:
            tell("vectors", 0, 10)
            tell("vectors", 3, 10)
        return stream.getvalue()

    assert "vectors" in shown(Terminal(), 0.0)
    assert shown(Terminal(), 60.0) == ""
    assert shown(io.StringIO(), 0.0) == ""


@pytest.mark.slow
def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """NumPy functions need no Torch, vectors alone no Hypothesis, and a plain start neither."""
    code = (
        "import sys\n"
        "from rlcalc.cli import main\n"
        f"main(['conform', {str(FILE)!r} + ':right', '--formula', 'gae', '--random', '0'])\n"
        "bad = {'torch', 'hypothesis', 'jax', 'matplotlib'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = python("-c", code, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("word", "place", "role"),
    [
        ("xs=rewards", "xs", "rewards"),
        ("kind=text:a=b", "kind", "text:a=b"),
        ("log_prob(logits=x.y(), actions=a)=log-probs", "log_prob(logits=x.y(), actions=a)", "log_probs"),
    ],
)
def test_a_map_is_split_at_the_sign_between_place_and_role(word: str, place: str, role: str) -> None:
    assert conform_command._roles([word]) == {place: role}
