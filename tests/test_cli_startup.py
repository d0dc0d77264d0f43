"""What a start imports: time is what a user waits for before anything is asked."""

from __future__ import annotations

import pytest

from tests.command import python

HEAVY = {"numpy", "sympy", "torch", "matplotlib", "pandas", "scipy", "pydantic"}
PROBE = """
import sys
from rlcalc.cli import main
code = main(sys.argv[1:])
print("modules", *sys.modules, file=sys.stderr)
sys.exit(code)
"""


def loaded(*words):
    done = python("-c", PROBE, *words)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split("modules ", 1)[1].split())


@pytest.mark.parametrize("words", [["list"], ["-h"], ["lambda-return", "-h"], ["audit", "-h"], []])
def test_nothing_heavy_to_show_what_there_is(words):
    modules = loaded(*words)
    assert not HEAVY & modules
    assert not {"rlcalc.evaluation", "rlcalc.cli.verify", "rlcalc.cli.golden", "rlcalc.cli.plots"} & modules
    assert "rlcalc.audit" not in modules


def test_the_version_needs_no_parser():
    assert not (HEAVY | {"typer", "rich", "click", "rlcalc.specs"}) & loaded("--version")


@pytest.mark.parametrize("words", [["list", "--json"], ["show", "lambda-return"]])
def test_no_mathematics_to_show_a_formula(words):
    assert not {"numpy", "sympy", "torch", "matplotlib"} & loaded(*words)


def test_a_formula_needs_no_torch():
    modules = loaded("lambda-return", "--rewards", "1", "2", "--lam", "1")
    assert {"sympy", "numpy"} <= modules
    assert not {"torch", "matplotlib", "pydantic"} & modules
    assert {name for name in modules if name.startswith("rlcalc.formulas.") and "._" not in name} == {
        "rlcalc.formulas.lambda_return"
    }


@pytest.mark.slow
def test_an_audit_of_returns_needs_no_torch():
    assert "torch" not in loaded("audit", "--section", "2")


def test_the_numeric_backend_alone_needs_no_sympy():
    modules = loaded("lambda-return", "--rewards", "1", "2", "--lam", "1", "--backends", "numpy", "-q")
    assert "numpy" in modules
    assert "torch" not in modules
