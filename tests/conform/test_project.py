"""``rlcalc check`` and the formats that other programs read."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import chdir
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rlcalc.cli import check
from rlcalc.cli.conform import FORMATS
from rlcalc.conform.project import read_project
from rlcalc.conform.report import formats
from tests.command import run as rlcalc

WRONG = """\
import numpy as np


class Agent:
    def update(self):
        pass

def objective(ratio, adv, eps):
    return np.clip(ratio, 1 - eps, 1 + eps) * adv
"""
PROJECT = """\
[tool.rlcalc]
random = 0

[[tool.rlcalc.check]]
target = "mine.py:objective"
formula = "ppo_clip"

[[tool.rlcalc.check]]
target = "rlcalc:gae"
formula = "gae"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.py").write_text(WRONG)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")  # the file is looked for above
    return tmp_path


def test_all_are_run_and_one_failure_fails_the_whole(project: Path) -> None:
    badge, junit = project / "badge.svg", project / "out.xml"
    code, out, err = rlcalc("check", "--badge", badge, "--junit", junit)
    assert code == 1
    assert "mine.py:objective differs from ppo_clip\n" in out
    assert "known bug: " in out
    assert "rlcalc:gae conforms to gae\n" in out
    assert err == "error: 1 of 2 functions do not conform as declared.\n"
    assert ElementTree.fromstring(badge.read_text()).find("{*}title").text == "rlcalc: 1 of 2 conform"
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite is not None
    classes = {case.get("classname") for case in suite}
    assert classes == {"rlcalc.conform.ppo_clip", "rlcalc.conform.gae"}


def test_one_that_cannot_run_does_not_hide_the_others(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT.replace("mine.py", "gone.py"))
    code, out, err = rlcalc("check")
    assert code == 2
    assert "rlcalc:gae conforms to gae" in out
    assert "gone.py" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no checks"),
        ("[tool.rlcalc", "not valid TOML"),
        ("[tool.rlcalc.check]\ntarget = 'a'", "two brackets"),
        ("[tool.rlcalc]\nformula = 'gae'\n", "belongs to one check"),
        (PROJECT.replace("target", "traget"), "Did you mean target"),
        (PROJECT.replace("random = 0", "random = '0'"), "expected an integer"),
        (PROJECT.replace("random = 0", "backend = 'tensorflow'"), "expected numpy, torch, jax"),
        (PROJECT.replace('"gae"', '"gea"'), "gea"),
    ],
)
def test_a_wrong_file_is_refused_by_name(text: str, said: str, project: Path) -> None:
    (project / "pyproject.toml").write_text(text)
    code, _, err = rlcalc("check")
    assert code == 2
    assert said in err


def test_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = rlcalc("check")
    assert code == 2
    assert "[[tool.rlcalc.check]]" in err


def test_the_names_of_the_formats_are_those_that_there_are() -> None:
    assert {"text", *formats.FORMATS} == set(FORMATS)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the project found, for every format to tell."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "mine.py").write_text(WRONG)
    (folder / "pyproject.toml").write_text(PROJECT)
    with chdir(folder):
        return check._run(read_project(folder / "pyproject.toml").requests)


@pytest.mark.parametrize("form", formats.FORMATS)
def test_a_format(form: str, project: Path, ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_run", lambda requests: ran)
    code, out, _ = rlcalc("check", "--format", form)
    assert code == 1
    if form == "github":
        first, second = out.splitlines()
        assert first.startswith("::error file=mine.py,line=8,title=mine.py%3Aobjective differs from ")
        assert "%0A" in first
        assert second.startswith("::notice title=rlcalc%3Agae conforms to gae::")
    if form == "sarif":
        (run,) = json.loads(out)["runs"]
        (result,) = run["results"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"] == {"startLine": 8}
        assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    if form == "markdown":
        assert "| `mine.py:objective` | ppo_clip | ✗ nonconforming |" in out
        assert "| `rlcalc:gae` | gae | ✓ conforms |" in out
    if form == "junit":
        assert ElementTree.fromstring(out.encode()).tag == "testsuites"
    if form == "json":
        bad, good = json.loads(out)
        assert bad["schema"] == "rlcalc-conform-2"
        assert (bad["verdict"], good["verdict"]) == ("nonconforming", "conforms")
        assert bad["vectors"]["failed"] > 0
        assert bad["matches"][0]["shown_by"]


def test_text_of_the_user_stays_in_its_place() -> None:
    assert formats._property("a:b,c%\n") == "a%3Ab%2Cc%25%0A"
    assert formats._cell("a|b`c\n") == "a\\|b'c "


ROOT = Path(__file__).resolve().parents[2]


def test_action_and_hook_run_a_known_command(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT.rpartition("[[")[0])  # one function is enough
    action = (ROOT / ".github/actions/check/action.yml").read_text()
    (line,) = re.findall(r"run: rlcalc (check .*)", action)
    (entry,) = re.findall(r"entry: rlcalc (.*)", (ROOT / ".pre-commit-hooks.yaml").read_text())
    assert line.startswith(entry)
    summary = project / "summary.md"
    words = shlex.split(line.replace("$GITHUB_STEP_SUMMARY", str(summary)))
    code, out, _ = rlcalc(*words)
    assert code == 1
    assert "::error file=" in out
    assert "| `mine.py:objective` |" in summary.read_text()
    # three folders up from the action is the package that it installs
    assert (ROOT / ".github/actions/check" / "../../.." / "pyproject.toml").is_file()
