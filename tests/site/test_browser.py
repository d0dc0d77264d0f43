"""What the page's Python answers to a form, without a browser."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rlcalc.cli.formula import read_inputs
from rlcalc.evaluation import derive
from rlcalc.golden.values import exact_text
from rlcalc.site.browser import calculate, example_fields, form
from rlcalc.specs import formula_names, load_formula
from tests.sweep import sweep


@pytest.mark.parametrize("name", sweep(formula_names(), 10))
def test_every_example_is_answered_as_the_specification_says(name: str) -> None:
    spec = load_formula(name)
    for example in spec.examples:
        found = calculate(name, example_fields(spec, example["args"]))
        assert "error" not in found, found
        right = derive(name, **read_inputs(spec, shlex.split(example["args"]))).outputs
        assert {one["name"]: one["exact"] for one in found["outputs"]} == map_values(exact_text, right)
        assert found["command"].startswith(f"rlcalc {spec.command} ")


def map_values(function: Callable[[Any], Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: function(value) for name, value in found.items()}


def test_the_line_of_python_gives_the_same() -> None:
    import rlcalc

    found = calculate("lambda_return", {"rewards": "1 2 3", "lam": "0.5", "gamma": ""})
    assert found["python"] == "rlcalc.derive('lambda_return', rewards=['1', '2', '3'], lam='0.5').outputs"
    outputs = rlcalc.derive("lambda_return", rewards=["1", "2", "3"], lam="0.5").outputs
    assert [exact_text(value) for value in outputs.values()] == [one["exact"] for one in found["outputs"]]


def test_an_error_is_the_one_of_the_terminal() -> None:
    found = calculate("gae", {"rewards": "1 2", "lam": "1.5"})
    assert found["code"] == "lam_out_of_range"
    assert found["error"].startswith("error: --lam must be in [0, 1], not 3/2.")
    assert found["command"] == "rlcalc gae --rewards 1 2 --lam 1.5"


def test_a_decision_process_is_typed_as_text() -> None:
    text = "P = [[[0, 1]], [[0, 1]]]\nR = [[2], [0]]\nterminal = [1]"
    found = calculate("bellman", {"mdp": text, "gamma": "1/2"})
    assert found["outputs"][0]["exact"] == ["2", "0"]
    assert found["command"] == "rlcalc bellman --mdp mdp.toml --gamma 1/2"


def test_a_form_says_what_each_field_is() -> None:
    fields = {field["name"]: field for field in form(load_formula("bellman"))["fields"]}
    assert fields["mdp"]["large"]
    assert not fields["gamma"]["large"]


def test_the_browser_needs_no_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None; sys.modules['hypothesis'] = None\n"
        "from rlcalc.site import browser, judge\n"
        "found = browser.calculate('gae', {'rewards': '1 2', 'lam': '1'}, '5')\n"
        "assert found['outputs'][0]['exact'] == ['149/50', '2']\n"
        "assert found['said'].startswith('error: '), found['said']\n"
        "document = {'formula': 'gae', 'vectors': [], 'known': []}\n"
        "try:\n    judge.judge(document, 'def gae(rewards): return 0')\n"
        "except Exception as error:\n    assert error.code == 'nothing_run'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
