"""One name through the whole tree: spec, module, golden file, function and command."""

from __future__ import annotations

from pathlib import Path

import rlcalc
from rlcalc.data import data_folder, read_toml
from rlcalc.formulas import load_forms
from rlcalc.heads import formula_names, heads
from rlcalc.specs import load_formula
from tests.command import run
from tests.sweep import in_one

ROOT = Path(__file__).resolve().parent.parent
# tests of what several formulas share
SHARED = {
    "test_sequence",
    "test_tabular",
    "test_texts",
    "test_transforms",
    "test_bad_batches",
    "test_batches",
    "test_edges",
    "test_forms",
    "test_one_door",
    "test_plain_tensors",
    "test_steps",
    "test_gradients",
    "test_rounding",
}


def stems(folder: Path, pattern: str) -> set[str]:
    return {path.stem for path in folder.glob(pattern) if not path.stem.startswith("_")}


def test_every_folder_has_the_same_names() -> None:
    specs = stems(data_folder("specs") / "formulas", "*.toml")
    assert specs == set(formula_names())
    assert specs == stems(data_folder("golden"), "*.toml")
    assert specs == stems(ROOT / "rlcalc" / "formulas", "*.py")
    # a test file of its own is for identities; none may be left over from a formula that is gone
    tests = stems(ROOT / "tests" / "formulas", "test_*.py") - SHARED
    assert tests <= {f"test_{name}" for name in specs}


@in_one("name", formula_names())
def test_the_name_is_a_function_three_forms_and_a_golden_file(name: str) -> None:
    assert callable(getattr(rlcalc, name))
    forms = load_forms(name)
    assert all(map(callable, (forms.exact_form, forms.numpy_form, forms.torch_form)))
    golden = read_toml(data_folder("golden") / f"{name}.toml")
    assert golden["formula"] == name
    assert all(case["id"].startswith(f"{name}/") for case in golden["case"])
    assert any(case["result"] == "valid" for case in golden["case"])


def test_commands_differ() -> None:
    commands = [head.command for head in heads()]
    assert len(set(commands)) == len(commands) == len(formula_names())


def test_the_discount_has_one_default_or_the_answer_says_which():
    for head in heads():
        for parameter in load_formula(head.name).parameters:
            if parameter.symbol == "γ" and parameter.help.startswith("Discount"):
                assert parameter.default in (None, "1") or parameter.usual, head.command
    code, out, _ = run("gae", "--rewards", "1", "2", "--lam", "0.5")
    assert code == 0
    assert "γ = 99/100  (default, as in PPO; other commands: 1)" in out.splitlines()
