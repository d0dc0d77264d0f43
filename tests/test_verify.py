"""Verification finds what is wrong: in files, in forms, in what was asked for."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rlcalc.cli.golden import app as golden_app
from rlcalc.cli.verify import app as verify_app
from rlcalc.data import data_folder
from rlcalc.digits import DIGITS
from rlcalc.errors import CheckFailed, DataError, InputError, RlcalcError, UnknownName
from rlcalc.formulas import lambda_return, load_forms
from rlcalc.golden.files import Case, Expected, load
from rlcalc.golden.replay import command_line
from rlcalc.golden.report import headings, report_json, rows, total, write_junit
from rlcalc.golden.results import CaseReport
from rlcalc.golden.verify import run_case, select, verify
from rlcalc.inputs import Arrays
from rlcalc.specs import load_formula
from tests.refused import refused

LAMBDA = data_folder("golden") / "lambda_return.toml"
FILE = load(LAMBDA)
CASES = {case.id.partition("/")[2]: case for case in FILE.cases}
ALL = ("sympy", "numpy", "torch")


def with_want(case: Case, **changes: Any) -> Case:
    """The case with another certified ``return``."""
    want = replace(case.want["return"], **changes)
    return replace(case, variants=(replace(case.variants[0], want={"return": want}), *case.variants[1:]))


def with_given(case: Case, **changes: Any) -> Case:
    given = {**case.given, **changes}
    return replace(case, variants=(replace(case.variants[0], given=given), *case.variants[1:]))


def put_form(
    monkeypatch: pytest.MonkeyPatch, name: str, form: Callable[..., Any], formula: str = "lambda_return"
) -> None:
    """Another ``numpy_form`` or ``torch_form`` for a formula, whether or not one form stands for both."""
    module, forms = import_module(f"rlcalc.formulas.{formula}"), load_forms(formula)
    names = [parameter.name for parameter in load_formula(formula).parameters]
    for kept in ("numpy_form", "torch_form"):
        called = form if kept == name else getattr(forms, kept)

        def of_arrays(a: Arrays, called: Callable[..., Any] = called) -> Any:
            return called(**{given: getattr(a, given) for given in names})

        monkeypatch.setattr(module, kept, of_arrays, raising=False)
    monkeypatch.delattr(module, "array_form", raising=False)


def failed_on(report: CaseReport) -> set[str]:
    return {failure.backend for failure in report.failures}


# --- a case that holds ---------------------------------------------------------------


def test_all_backends_and_dtypes_are_run_once_each() -> None:
    report = run_case(CASES["lecture-2.4"], ALL, ("float64", "float32"))
    assert report.passed
    assert [(run.backend, run.dtype) for run in report.runs] == [
        ("sympy", ""),
        ("numpy", "float64"),
        ("numpy", "float32"),
        ("torch", "float64"),
        ("torch", "float32"),
    ]
    assert {run.status for run in report.runs} == {"passed"}
    assert report.runs[1].digits == DIGITS["float64"]


def test_the_exact_form_runs_once_per_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    right = lambda_return.exact_form

    def form(d: Any, i: Any) -> None:
        calls.append(None)
        right(d, i)

    monkeypatch.setattr(lambda_return, "exact_form", form)
    run_case(CASES["lecture-1.4-lam-one"], ALL, ("float64", "float32"))
    assert len(calls) == 2


def test_symbols_keep_floats_out_and_say_so() -> None:
    report = run_case(CASES["lam-symbol"], ALL)
    assert report.passed
    assert [run.status for run in report.runs] == ["passed", "skipped", "skipped"]
    assert report.runs[1].why == "something is left as a symbol"


# --- a file that is wrong ------------------------------------------------------------


def test_a_wrong_exact_value_fails_everywhere() -> None:
    wrong = with_want(CASES["lecture-2.4"], exact="11/5", decimal=None, printed=None)
    report = run_case(wrong, ALL)
    assert failed_on(report) == set(ALL)
    first = report.failures[0]
    assert (first.expected, first.got, first.output) == ("11/5", "11/4", "return")
    assert first.command == "rlcalc lambda-return --rewards 1 2 3 --lam 0.5 --backends sympy"


PLAIN = {"decimal": None, "printed": None}


@pytest.mark.parametrize(
    ("slug", "want", "failed", "says"),
    [
        ("lecture-2.4", {"exact": f"2.75{'0' * 27}1", "printed": None}, {"sympy"}, ""),
        # floats are measured against exact, so a decimal that is wrong convicts the file and no form
        ("lecture-2.4", {"decimal": "2.7500001"}, {"source"}, ""),
        # no float holds that digit
        ("lecture-2.4", {"decimal": "2.7500000000000000001"}, {"source"}, "2.7500000000000000000"),
        ("lecture-2.4", {"printed": "2.74"}, {"source"}, ""),
        ("lecture-2.4", {"exact": ["11/4"], **PLAIN}, set(ALL), "the answer has another shape"),
        ("lecture-2.4", {"exact": "11//4", **PLAIN}, set(ALL), "number_syntax"),
        ("lam-symbol", {"exact": "3*l**2 + 2*l + 2"}, {"sympy"}, ""),
    ],
)
def test_what_is_wrong_in_a_file_fails(slug: str, want: dict[str, Any], failed: set[str], says: str) -> None:
    report = run_case(with_want(CASES[slug], **want), ALL)
    assert failed_on(report) == failed
    assert all(says in f"{failure.why} {failure.got}" for failure in report.failures)


def test_an_output_that_no_form_gives_fails() -> None:
    case = CASES["lecture-2.4"]
    want = {"updated": Expected("1", "1.0000000000000000000")}
    wrong = replace(case, variants=(replace(case.variants[0], want=want),))
    assert failed_on(run_case(wrong, ALL)) == set(ALL)


def test_a_wrong_otherwise_fails_and_names_the_convention() -> None:
    case = CASES["lecture-1.4-lam-one"]
    other = replace(case.variants[1], want={"return": Expected("1")})
    report = run_case(replace(case, variants=(case.variants[0], other)), ALL)
    assert {failure.reading for failure in report.failures} == {"the value of a terminal state is 0"}
    assert failed_on(report) == set(ALL)


# --- input that must be refused --------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "gamma", "error", "says"),
    [
        ("gamma-above-one", "1", "gamma_out_of_range", "the input is accepted"),
        ("gamma-above-one", "11/10", "lam_out_of_range", "the wrong refusal, gamma_out_of_range"),
        ("lecture-2.4", "2", "", "gamma_out_of_range"),
    ],
)
def test_the_wrong_refusal_or_none_fails(slug: str, gamma: str, error: str, says: str) -> None:
    report = run_case(replace(with_given(CASES[slug], gamma=gamma), error=error), ALL)
    assert failed_on(report) == set(ALL)
    assert all(says in failure.why for failure in report.failures)


def test_a_crash_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(inputs: Any) -> None:
        raise ValueError("gamma_out_of_range")

    monkeypatch.setattr(lambda_return, "check", crash)
    case = with_given(CASES["gamma-above-one"], gamma="1")
    report = run_case(replace(case, error="gamma_out_of_range"), ALL)
    assert failed_on(report) == set(ALL)
    assert {failure.got for failure in report.failures} == {"ValueError"}


def test_nan_stands_for_a_refusal_of_floats_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(**inputs: Any) -> dict[str, Any]:
        return {"returns": inputs["rewards"] * float("nan")}

    put_form(monkeypatch, "torch_form", no_answer)
    report = run_case(with_given(CASES["gamma-above-one"], gamma="1"), ALL)
    assert failed_on(report) == {"sympy", "numpy"}


# --- a form that is wrong --------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda value: value * (1 + 1e-9), "9.0 correct digits"),
        (lambda value: value * float("nan"), "0.0 correct digits"),
        (lambda value: value * float("inf"), "0.0 correct digits"),
        (lambda value: value[..., :2], "another shape"),
    ],
)
def test_a_wrong_numeric_form_is_caught(
    monkeypatch: pytest.MonkeyPatch, backend: str, fault: Callable[[Any], Any], says: str
) -> None:
    right = getattr(load_forms("lambda_return"), f"{backend}_form")

    def wrong(**inputs: Any) -> dict[str, Any]:
        found = right(**inputs)
        return {**found, "returns": fault(found["returns"])}

    put_form(monkeypatch, f"{backend}_form", wrong)
    report = run_case(CASES["lecture-2.4"], ALL)
    assert failed_on(report) == {backend}
    assert any(says in failure.why for failure in report.failures)
    assert json.dumps(report_json(verify([CASES["lecture-2.4"]])), allow_nan=False)


def test_a_form_that_crashes_fails_its_case_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**inputs: Any) -> dict[str, Any]:
        raise ZeroDivisionError("oops")

    put_form(monkeypatch, "numpy_form", crash)
    report = run_case(CASES["lecture-2.4"], ALL)
    assert failed_on(report) == {"numpy"}
    assert report.failures[0].why == "ZeroDivisionError: oops"


def test_a_wrong_exact_form_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = lambda_return.exact_form

    def wrong(d: Any, i: Any) -> None:
        i.given["lam"] = i.given["lam"] / 2
        right(d, i)

    monkeypatch.setattr(lambda_return, "exact_form", wrong)
    assert failed_on(run_case(CASES["lecture-2.4"], ("sympy",))) == {"sympy"}


def test_a_case_may_ask_for_fewer_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    right = load_forms("lambda_return").numpy_form

    def rough(**inputs: Any) -> dict[str, Any]:
        return {name: None if v is None else v * (1 + 1e-7) for name, v in right(**inputs).items()}

    put_form(monkeypatch, "numpy_form", rough)
    case = CASES["lecture-2.4"]
    assert not run_case(case, ("numpy",)).passed
    assert run_case(replace(case, digits={"float64": 6}), ("numpy",)).passed
    assert not run_case(replace(case, digits={"float64": 8}), ("numpy",)).passed


def test_a_dtype_that_cannot_hold_the_input_is_skipped_with_the_reason() -> None:
    case = replace(CASES["lecture-2.4"], digits={"float32": 0}, digits_reason="it is too small")
    report = run_case(case, ("numpy",), ("float64", "float32"))
    assert [run.status for run in report.runs] == ["passed", "skipped"]
    assert report.runs[1].why == "not asked for in float32: it is too small"


# --- what was asked for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"backends": ("sympy", "nunpy")}, "unknown_backend"),
        ({"backends": ()}, "backends_empty"),
        ({"dtypes": "float63"}, "unknown_dtype"),
        ({"dtypes": ()}, "dtype_empty"),
        ({"device": "nowhere"}, "unknown_device"),
        ({"cases": ()}, "nothing_selected"),
    ],
)
def test_nothing_is_skipped_for_being_misspelt(given: dict[str, Any], code: str) -> None:
    with refused(RlcalcError, code) as caught:
        verify(**{"cases": FILE.cases[:1], **given})
    assert caught.value.exit_code == 2


def test_half_precision_skips_what_it_cannot_hold() -> None:
    case = with_given(CASES["lecture-2.4"], rewards=["100000", "2", "3"])
    report = run_case(replace(case, result="valid"), ["numpy", "torch"], ("float16", "float32"))
    by_dtype = {(run.backend, run.dtype): run for run in report.runs}
    for backend in ("numpy", "torch"):
        assert by_dtype[backend, "float16"].status == "skipped"
        assert by_dtype[backend, "float16"].why == "float16 cannot hold the input"
        assert by_dtype[backend, "float32"].status == "failed"  # compared, and found to be another answer


def test_select_by_formula_and_section() -> None:
    assert select([FILE], "lambda-return") == FILE.cases
    ids = {case.id for case in select([FILE], section="1.4")}
    assert ids == {"lambda_return/lecture-1.4-lam-zero", "lambda_return/lecture-1.4-lam-one"}
    assert CASES["cancellation"] in select([FILE], section="2.4")
    assert len(select([FILE], section="2")) == len(FILE.cases) - 2
    with pytest.raises(UnknownName, match="Did you mean lambda-return"):
        select([FILE], "lamda-return")
    with pytest.raises(UnknownName, match=r"Did you mean 2\.4"):
        select([FILE], section="2.44")
    with pytest.raises(DataError) as caught:
        select([FILE], "ppo_clip")
    assert (caught.value.code, caught.value.exit_code) == ("nothing_selected", 2)


def test_a_command_line_says_what_it_can() -> None:
    spec = load_formula("lambda_return")
    given = {"rewards": ["-1", "sqrt(2)"], "lam": "l", "terminal": 1, "next_values": [1, 2]}
    assert command_line(spec, given, "torch", "float32", "cuda") == (
        "rlcalc lambda-return --rewards -1 'sqrt(2)' --lam l --terminal --next-values 1 2 "
        "--backends torch --dtype float32 --device cuda"
    )
    assert "--terminal" not in command_line(spec, {**given, "terminal": 0}, "sympy")
    assert command_line(spec, {"mdp": {"gamma": "1"}}, "sympy") == ""
    # damaged rows, and rows of rows, which no option takes
    for ragged in (["1", ["2"]], [["1"], "2"], [["1", ["2"]]], [["1", {"repeat": 2}]]):
        assert command_line(spec, {"rewards": ragged}, "sympy") == ""
    assert "--p '1 2; 3 4'" in command_line(spec, {"p": [["1", "2"], ["3", "4"]]}, "sympy")


# --- reports ---------------------------------------------------------------------------


def broken_report() -> Any:
    wrong = with_want(CASES["lecture-2.4"], exact="11/5", decimal=None, printed=None)
    return verify([wrong, CASES["one-step"], CASES["lam-symbol"]], ALL, ("float64", "float32"))


def test_table() -> None:
    report = broken_report()
    assert headings(report) == {"sympy": "exact", "numpy": "numpy 64/32", "torch": "torch 64/32"}
    (row,) = rows(report)
    assert (row.cases, row.failed) == (3, 1)
    assert row.cells["sympy"] == "2 of 3"
    assert float(row.cells["numpy"].split("/")[0]) < 1
    assert total(report).cells == row.cells


def test_what_is_compared_is_counted_once() -> None:
    report = run_case(with_want(CASES["lecture-2.4"], exact="11/5", decimal=None, printed=None), ALL)
    assert {run.compared for run in report.runs} == {1}


def test_junit(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    write_junit(broken_report(), path)
    top = ET.parse(path).getroot()
    suite = top.find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("15", "5", "4")
    assert top.find(".//failure").text.startswith("lambda_return/lecture-2.4 on ")


def test_json() -> None:
    data = json.loads(json.dumps(report_json(broken_report()), allow_nan=False))
    assert (data["passed"], data["cases"], data["failed"]) == (False, 3, 1)
    assert data["failures"][0]["expected"] == "11/5"
    assert [run["status"] for run in data["results"][2]["runs"]] == ["passed"] + ["skipped"] * 4


# --- the commands ----------------------------------------------------------------------


def call(app: Any, *words: str) -> None:
    app(list(words), standalone_mode=False)


def broken_file(tmp_path: Path) -> Path:
    text = LAMBDA.read_text("utf-8")
    assert text.count('exact = "-187/400"') == 1
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('exact = "-187/400"', 'exact = "-187/401"'), "utf-8")
    return path


def test_verify_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    call(verify_app, str(LAMBDA), "--backends", "sympy", "numpy", "--section", "1.4")
    out, notes = capsys.readouterr()
    assert out.splitlines()[0] == "2 cases of 1 formula: all passed"
    assert out.splitlines()[2].split() == ["formula", "cases", "failed", "exact", "numpy", "64"]
    assert out.splitlines()[-1].split()[:4] == ["total", "2", "0", "exact"]
    assert "least correct digits" in notes
    assert "\x1b" not in out + notes


def test_verify_fails_on_a_wrong_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken_file(tmp_path)
    junit = tmp_path / "report.xml"
    with pytest.raises(CheckFailed, match=f"1 of {len(FILE.cases)} cases failed") as caught:
        call(verify_app, str(tmp_path), "--backends", "sympy", "--junit", str(junit))
    assert caught.value.exit_code == 1
    out = capsys.readouterr().out
    assert "lambda_return/negative-and-fractions on sympy, return: the values differ" in out
    assert "rlcalc lambda-return --rewards -1 2 -3/4 --gamma 9/10 --lam 1/3 --backends sympy" in out
    # the exact form's answer, and the decimal that is none of the changed value
    assert ET.parse(junit).getroot()[0].get("failures") == "2"


def test_verify_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    call(verify_app, "--json", "--formula", "lambda-return", "--backends", "numpy", "--dtype", "float32")
    data = json.loads(capsys.readouterr().out)
    assert data["passed"]
    assert data["dtypes"] == ["float32"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--backends", "sympy", "torhc"], "unknown_backend"),
        (["--formula", "lamda-return"], "unknown_formula"),
        (["--section", "99.1"], "unknown_section"),
        (["no/such/file.toml"], "file_unreadable"),
    ],
)
def test_verify_refuses(words: list[str], code: str) -> None:
    with refused((InputError, DataError), code) as caught:
        call(verify_app, *words)
    assert caught.value.exit_code == 2


def test_verify_refuses_an_empty_folder(tmp_path: Path) -> None:
    with refused(DataError, "no_golden_files"):
        call(verify_app, str(tmp_path))


@pytest.mark.slow  # every file of the suite
def test_certify_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = broken_file(tmp_path)
    before = path.read_text("utf-8")
    with pytest.raises(CheckFailed) as caught:
        call(golden_app, "certify", "--check", str(path))
    assert caught.value.exit_code == 1
    assert "the exact form of lambda_return derives -187/400" in capsys.readouterr().out
    assert path.read_text("utf-8") == before
    call(golden_app, "certify", "--overwrite", str(path))
    # what is gone from the file stands in the output
    assert "exact was -187/401, the exact form of lambda_return derives -187/400" in capsys.readouterr().out
    call(golden_app, "certify", "--check", str(path))
    assert path.read_text("utf-8") == LAMBDA.read_text("utf-8")
    with pytest.raises(InputError):
        call(golden_app, "certify", "--check", "--overwrite", str(path))


def test_export_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(golden_app, "export", "--formula", "lambda-return")
    data = json.loads(capsys.readouterr().out)
    assert [file["formula"] for file in data["files"]] == ["lambda_return"]
    call(golden_app, "export", "--formula", "lambda_return", "--output", str(tmp_path))
    assert json.loads((tmp_path / "lambda_return.json").read_text("utf-8")) == data["files"][0]
    call(golden_app, "export", "--formula", "lambda_return", "--output", str(tmp_path / "all.json"))
    assert json.loads((tmp_path / "all.json").read_text("utf-8")) == data
