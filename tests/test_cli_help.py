"""Help pages, ``list``, ``show`` and completion."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rlcalc.cli.commands import BUILT_IN
from rlcalc.cli.pages import command_line
from rlcalc.heads import heads
from rlcalc.specs import load_formula
from tests.command import python, run
from tests.sweep import in_one

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [[head.command] for head in heads()]
PAGES = [*COMMANDS, *([name] for name in BUILT_IN), ["golden", "certify"], ["golden", "export"]]
EVERY_PAGE = [[], *PAGES]


@pytest.fixture(autouse=True)
def usual_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


def is_example(line):
    return line.startswith("  rlcalc ")  # to be copied, so it stays on one line


@in_one("words", EVERY_PAGE)
def test_the_short_page_fits_on_a_screen(words):
    code, out, err = run(*words, "-h")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines if not is_example(line))
    assert f"Usage: {' '.join(['rlcalc', *words])} " in out
    assert 1 <= sum(map(is_example, lines)) <= 2


@in_one("words", EVERY_PAGE)
def test_the_full_page_says_everything(words):
    code, out, err = run(*words, "--help")
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines() if not is_example(line))
    assert "-h, --help" in out or words == ["golden"]
    assert run("help", *words)[1] == out
    if words in COMMANDS:
        spec = load_formula(words[0])
        order = [out.index(f"\n{title}\n") for title in ("Examples", "Inputs", "Output options", "Outputs")]
        assert order == sorted(order)
        assert all(f"  {parameter.option}" in out for parameter in spec.parameters)
        lines = [line.strip() for line in out.splitlines() if is_example(line)]
        assert lines == examples_of_formula(spec.name)
        assert run(*words, "--nonsense", "--help")[1] == out


def test_lines_of_a_file_stay_lines():
    assert '\n    [[tool.rlcalc.check]]\n    target = "' in run("check", "--help")[1]


def test_what_may_be_repeated_is_marked_once():
    assert "rlcalc explain [NAME...] [OPTIONS]" in run("explain", "--help")[1]


def test_the_front_page_names_every_command():
    short, full = run("-h")[1], run("--help")[1]
    assert run()[1] == short
    names = [*(head.command for head in heads()), *BUILT_IN]
    assert all(re.search(rf"^  {name} ", full, re.MULTILINE) for name in names)
    # the formulas fill a few lines there, and the last one says how many there are
    assert f"… {len(list(heads()))} in all: rlcalc list" in short
    assert all(re.search(rf"\b{name}\b", short) for name in BUILT_IN)


def test_pages_are_coloured_where_colour_is_wanted(monkeypatch):
    plain = run("gae", "-h")[1]
    assert "\x1b" not in plain
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
        coloured = run("gae", "-h")[1]
        assert "\x1b[1mExamples" in coloured
        assert "\x1b[36m  --rewards" in coloured
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
        monkeypatch.setenv("NO_COLOR", "1")
        assert run("gae", "-h")[1] == plain
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.delenv(name)


def examples_of(name):
    lines = run(name, "--help")[1].splitlines()
    return [line.strip().partition("  # ")[0] for line in lines if is_example(line)]


# those of a formula stand on its page: test_the_full_page_says_everything
def examples_of_formula(name):
    spec = load_formula(name)
    return [command_line(spec, entry["args"]) for entry in spec.examples]


FORMULAS = [head.name for head in heads()]
BUILT_IN_EXAMPLES = list(dict.fromkeys(line for name in BUILT_IN for line in examples_of(name)))


def test_bash_accepts_every_example():
    formulas = [line for name in FORMULAS for line in examples_of_formula(name)]
    script = "\n".join([*formulas, *BUILT_IN_EXAMPLES])
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.run(
        ["bash", "-n"], input="rlcalc --x log(2)", text=True, capture_output=True
    ).returncode


@in_one("name", FORMULAS)
def test_every_example_of_a_formula_runs(name):
    for line in examples_of_formula(name):
        code, out, err = run(*shlex.split(line)[1:])
        assert (code, bool(out)) == (0, True), (line, err)


SLOW = (pytest.mark.slow,)
# whole suites, trainings, and what starts a process for the user's code: tests/conform asks these for less
TAKE_LONG = tuple(
    f"rlcalc {name}"
    for name in (
        "peers", "verify", "golden certify", "audit --errata", "lm-run", "ppo-run --plot",
        "conform my_agent", "conform --exec", "check", "diff",
    )
)  # fmt: skip
PROGRAM = f"""#!{sys.executable}
import json, sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np, rlcalc
for line in sys.stdin:
    case = json.loads(line)
    given = {{name: np.array(value, case["dtype"]) for name, value in case["given"].items()}}
    print(json.dumps({{"id": case["id"], "answer": rlcalc.gae(**given).tolist()}}), flush=True)
"""


# what an example leaves to defaults, made small: that runs learn, and what generated cases find, is tested
# where it belongs
SMALL = {
    "rlcalc lm-run": ("--steps", "2"),
    "rlcalc conform my_agent": ("--random", "5"),
    "rlcalc conform --exec": ("--random", "5"),
    "rlcalc diff": ("--random", "5"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """What the examples of built-in commands speak of: functions, a project and a program."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("my_agent", "old", "new"):
        (folder / f"{name}.py").write_text("from rlcalc import gae\n")
    for name in ("a", "b"):
        (folder / f"{name}.py").write_text("from rlcalc import ppo_clip as loss\n")
    check = '[[tool.rlcalc.check]]\ntarget = "my_agent.py:gae"\nformula = "gae"\nrandom = 0\n'
    (folder / "pyproject.toml").write_text(check)
    (folder / "my_gae").write_text(PROGRAM)
    (folder / "my_gae").chmod(0o755)
    return folder


CHECKPOINTS = {
    "rlcalc ppo-run --checkpoint run": ("ppo-run", "--env", "bandit", "--steps", "64", "--checkpoint", "run"),
    "rlcalc lm-run --checkpoint lm": ("lm-run", *SMALL["rlcalc lm-run"], "--checkpoint", "lm"),
}


@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=SLOW * line.startswith(TAKE_LONG)) for line in BUILT_IN_EXAMPLES]
)
def test_every_example_of_a_built_in_command_runs(project, monkeypatch, line):
    monkeypatch.chdir(project)
    for start, words in CHECKPOINTS.items():
        assert not line.startswith(start) or run(*words)[0] == 0
    more = [word for start, words in SMALL.items() if line.startswith(start) for word in words]
    code, _, err = run(*shlex.split(line)[1:], *more)
    assert code == 0, err


def test_python_names_are_commands_too():
    assert run("lambda_return", "--rewards", "1", "2", "3", "--lam", "1/2", "-q")[1] == "11/4\n"
    assert run("n_step_return", "-h")[1] == run("n-step", "-h")[1]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["grpo"], "grpo-advantage"),
        (["td-lambda"], "lambda-return"),
        (["boltzmann"], "Did you mean softmax?"),
        (["boltzman"], "Did you mean softmax?"),
        (["policy-iteratoin"], "Did you mean policy-iteration?"),
        (["bootstrapping"], "'rlcalc find bootstrapping' shows more."),
        (["importance-weights"], "importance"),
        (["lambda-return", "--rewards", "1", "--lam", "1", "--dones", "1"], "--terminated"),
        (["gae", "--reward", "1"], "--rewards"),
        (["three"], "'rlcalc find three'"),
        (["zzzqq"], "'rlcalc -h'"),
        (["entropy", "--verbose"], "It takes --p,"),
    ],
)
def test_a_suggestion_leads_where_it_should(words, hint):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert hint in err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["lambda-return", "--rewards", "1", "2", "3", "--lambda", "1/2"], "11/4"),
        (["lambda-return", "--rewards", "1", "2", "3", "--gae_lambda=1/2", "--discount", "1"], "11/4"),
        (["ppo-clip", "--ratio", "1.5", "--advantage", "5", "--clip-range", "0.2"], "6"),
        (["entropy", "--probs", "1/2", "1/2"], "log(2)"),
    ],
)
def test_other_names_of_an_input_are_accepted(words, answer):
    assert run(*words, "-q") == (0, f"{answer}\n", "")


def test_the_table_of_other_names_is_sound():
    from rlcalc.cli.aliases import _table

    table = _table()
    options = {p.option[2:] for head in heads() for p in load_formula(head.name).parameters}
    assert set(table["same"]) | set(table["near"]) <= options
    commands = {*(head.command for head in heads()), *BUILT_IN}
    assert set(table["command"]) <= commands
    for names in table["command"].values():
        assert not commands & set(names)
    for head in heads():  # no word is another name of two inputs of one formula
        mine = {p.option[2:] for p in load_formula(head.name).parameters}
        words = [word for own in mine for word in table["same"].get(own, ()) if word not in mine]
        assert len(words) == len(set(words)), head.name


def test_list():
    code, out, _ = run("list")
    assert code == 0
    assert re.search(r"^  lambda-return +λ-return +2\.2, 2\.3, 2\.4$", out, re.MULTILINE)
    document = json.loads(run("list", "--json")[1])
    assert [entry["command"] for entry in document["formulas"]] == [head.command for head in heads()]
    assert [entry["command"] for entry in document["commands"]] == list(BUILT_IN)


@in_one("name", FORMULAS)
def test_show(name):
    spec = load_formula(name)
    code, out, _ = run("show", spec.command)
    assert code == 0
    assert out == run("show", name)[1]
    for part in (spec.latex, *(p.option for p in spec.parameters), *(o.name for o in spec.outputs)):
        assert part in out
    document = json.loads(run("show", name, "--json")[1])
    assert document["name"] == name
    assert [p["name"] for p in document["parameters"]] == [p.name for p in spec.parameters]


def test_version():
    import rlcalc

    line = f"rlcalc {rlcalc.__version__}\n"
    for words in (["--version"], ["-V"], ["version"], ["--version", "list"]):
        assert run(*words) == (0, line, "")
    full = run("--version", "-v")[1]
    assert full.startswith(line)
    assert re.search(r"^Python 3\.\d+", full, re.MULTILINE)
    assert re.search(r"^NumPy \d", full, re.MULTILINE)


# completion


def complete(words):
    place = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    return python("-m", "rlcalc", _RLCALC_COMPLETE="complete_bash", **place).stdout.split()


@pytest.mark.slow  # each starts a process
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("rlcalc lambda-r", "lambda-return"),
        ("rlcalc lambda-return --rew", "--rewards"),
        ("rlcalc lambda-return --rewards 1 2 --la", "--lam"),
        ("rlcalc lambda-return --dtype float3", "float32"),
        ("rlcalc gae --backends sympy to", "torch"),
        ("rlcalc verify --backends sympy nu", "numpy"),
        ("rlcalc bellman --mdp gri", "grid2x2"),
        ("rlcalc actor-loss --reduction m", "mean"),
        ("rlcalc show lambda-r", "lambda-return"),
        ("rlcalc conform --formula ga", "gae"),
        ("rlcalc conform --formula gae --convention trunc", "truncation-as-termination"),
        ("rlcalc ppo-run --env car", "cartpole"),
        ("rlcalc audit --verdict wr", "wrong"),
        ("rlcalc audit --claim L2.2", "L2.2-lambda1-equal-weights"),
    ],
)
def test_completion(words, found):
    assert found in complete(words)


def test_completion_scripts():
    shell = {"SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = python("-m", "rlcalc", "--show-completion", "bash", **shell)
    assert "_RLCALC_COMPLETE" in done.stdout


def test_completion_without_its_variables(monkeypatch):
    monkeypatch.delenv("COMP_WORDS", raising=False)
    done = python("-m", "rlcalc", _RLCALC_COMPLETE="complete_bash")
    assert done.returncode == 2
    assert "COMP_WORDS" in done.stderr
