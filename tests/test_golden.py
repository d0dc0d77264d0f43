"""The golden suite as pytest sees it: every case of every file on every backend.

After the suite itself come tests of the reader and of certification, most
of which break a file on purpose.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
from pathlib import Path

import pytest

from rlcalc import files
from rlcalc.data import data_folder
from rlcalc.errors import DataError, RlcalcError, UnknownName
from rlcalc.golden.certify import certify
from rlcalc.golden.export import file_json
from rlcalc.golden.files import load, load_all, load_files, shipped
from rlcalc.golden.flags import shared_flags
from rlcalc.golden.report import failure_lines
from rlcalc.golden.toml_edit import edited
from rlcalc.golden.values import Certified
from rlcalc.golden.verify import run_case, verify
from rlcalc.specs import load_formula, read_formula
from tests.fuzz.documents import damaged
from tests.refused import refused

GOOD = (Path(__file__).parent / "data" / "lambda_return.toml").read_text("utf-8")
FILES = sorted(data_folder("golden").rglob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_certified_and_met(path: Path) -> None:
    """The exact form derives what the file says, and NumPy and Torch meet its digits."""
    certified = certify(path, write=False)
    assert certified.complete, [*certified.missing, *map(str, certified.differences)]
    report = verify(shipped(path.stem).cases, ("numpy", "torch"), ("float64", "float32"))
    assert report.passed, "\n".join(line for failure in report.failures for line in failure_lines(failure))
    for found in report.cases:
        digits = found.case.digits
        for run in found.runs:
            if run.status == "skipped":
                symbol_or_exact = run.why in ("something is left as a symbol", "its outputs are exact only")
                assert symbol_or_exact or 0 in (digits.get("float64"), digits.get(run.dtype)), found.case.id


def test_no_file_says_what_is_said_elsewhere() -> None:
    shared = shared_flags()
    for path in FILES:
        file = shipped(path.stem)
        assert file.formula == path.stem, "a golden file is named after its formula"
        assert file.own_flags <= set(file.flags), f"an idle flag in {path.name}"
        again = [name for name in file.own_flags if shared.get(name) == file.flags[name]]
        assert not again, f"shared by all already, in {path.name}"


@pytest.fixture
def golden(tmp_path: Path):
    """Writes ``GOOD`` with replacements, each of which must hit."""

    def write(*changes: tuple[str, str]) -> Path:
        text = GOOD
        for old, new in changes:
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        path = tmp_path / "lambda_return.toml"
        path.write_text(text, "utf-8")
        return path

    return write


# --- reading -----------------------------------------------------------------------


def test_readings_are_complete(golden) -> None:
    file = load(golden())
    assert [case.id.partition("/")[2] for case in file.cases] == ["one", "two", "three", "four"]
    two = file.cases[1]
    assert two.variants[1].given == {**two.given, "values": ["5", "8", "0"]}
    assert two.variants[1].want["return"].exact == "47/10"
    assert file.cases[2].is_erratum
    assert not two.is_erratum
    assert file.cases[3].error == "lam_out_of_range"
    assert file.cases[3].want == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('about  = "One."', 'abuot  = "One."'), "abuot"),
        (('lambda_return/one"', 'lambda_return/two"'), "used twice"),
        (('lambda_return/one"', 'lambda_return/17"'), "bare number"),
        (('lambda_return/one"', 'gae/one"'), "lambda_return/"),
        (('lambda_return/one"', 'lambda_return/One"'), "small letters"),
        (('lam = "1/2"', "lam = 0.5"), "the float 0.5"),
        (('exact   = "11/4"', "exact   = 2.75"), "the float 2.75"),
        (('exact   = "11/4"', "exact   = true"), "only strings and integers"),
        (('rewards = ["1", "2", "3"]', 'rewards = ["1", 2.0, "3"]'), "the float 2.0"),
        (('flags  = ["basic"]', 'flags  = ["bassic"]'), "Did you mean basic?"),
        (('flags  = ["basic"]', "flags  = []"), "at least one flag"),
        (('kind   = "basic"', 'kind   = "plain"'), "plain"),
        (('flags  = ["choice"]', 'flags  = ["basic"]'), "convention"),
        (('flags  = ["domain"]', 'flags  = ["basic"]'), "invalid"),
        (('result = "acceptable"', 'result = "valid"'), "otherwise"),
        (('error  = "lam_out_of_range"\n', ""), "missing key 'error'"),
        (('error  = "lam_out_of_range"', 'error  = "λ is too large"'), "stable code"),
        (('printed = "1.5"\n', ""), "erratum"),
        (("[case.want.return]", "[case.want.retrun]"), "Did you mean return?"),
        (("[case.want.return]", "[case.wants.return]"), "wants"),
        (('printed = "2.75"', 'printed = ["2.75"]'), "another shape"),
        (('printed = "2.75"', 'printd = "2.75"'), "printd"),
        (('schema  = "rlcalc-golden-1"', 'schema  = "rlcalc-golden-2"'), "rlcalc-golden-2"),
        (('formula = "lambda_return"', 'formula = "lambda-return"'), "Python name"),
        (('result = "valid"', 'result = "valid"\ndigits = { float64 = 9 }'), "reason"),
        (('result = "valid"', 'result = "valid"\ndigits = { float64 = "9", reason = "x" }'), "float64"),
        (('result = "valid"', 'result = "valid"\ndigits = { reason = "x" }'), "names a dtype"),
    ],
)
def test_loader_refuses(golden, change: tuple[str, str], says: str) -> None:
    with refused(DataError, "bad_golden") as caught:
        load(golden(change))
    assert says in str(caught.value)
    assert "lambda_return.toml: " in str(caught.value)


def test_a_missing_want_is_refused(golden) -> None:
    with pytest.raises(DataError, match="case lambda_return/three: missing key 'want'"):
        load(golden(('[case.want.return]\nexact   = "1"\nprinted = "1.5"\n', "")))


def test_an_empty_otherwise_is_refused(golden) -> None:
    block = GOOD[GOOD.index("[[case.otherwise]]") : GOOD.index('[[case]]\nid     = "lambda_return/three"')]
    with pytest.raises(DataError, match="otherwise"):
        load(golden((block, "otherwise = []\n")))
    with pytest.raises(DataError, match="missing key 'otherwise'"):
        load(golden((block, "\n")))


def test_unknown_formula_is_named_with_its_file(golden) -> None:
    with pytest.raises(UnknownName, match=r"lambda_return\.toml: .*'lamda_return'"):
        load(golden(('formula = "lambda_return"', 'formula = "lamda_return"')))


def test_ids_are_unique_across_files(golden, tmp_path: Path) -> None:
    path = golden()
    copy = tmp_path / "copy.toml"
    copy.write_text(GOOD, "utf-8")
    with pytest.raises(DataError, match="has that id already"):
        load_files([path, copy])
    with pytest.raises(DataError, match="has that id already"):
        load_all(tmp_path)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with refused(DataError, "no_golden_files"):
        load_all(tmp_path)


def test_loading_executes_nothing(golden, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = golden(('exact   = "11/4"', f"exact   = \"__import__('pathlib').Path('{trap}').touch()\""))
    load(path)
    report = certify(path, write=False)
    assert "cannot be read" in str(report.differences[0])
    assert not trap.exists()


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    """No damage ends in anything but a refusal of ours; three cases keep it short."""
    chance = random.Random(seed)
    head, *cases = chance.choice(FILES).read_text("utf-8").split("[[case]]")
    path = tmp_path / "damaged.toml"
    path.write_bytes(damaged("[[case]]".join([head, *chance.sample(cases, 3)]), chance))
    try:
        verify(load(path).cases, ("sympy", "numpy"))
        certify(path, write=False)
    except RlcalcError:
        pass


@pytest.mark.parametrize("seed", range(60))
def test_damaged_specifications_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    source = chance.choice(sorted((data_folder("specs") / "formulas").glob("*.toml")))
    path = tmp_path / source.name
    path.write_bytes(damaged(source.read_text("utf-8"), chance))
    with contextlib.suppress(DataError):
        read_formula(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('rewards = ["1", "2", "3"]', "rewards = " + "9" * 5000), "digits"),
        (('rewards = ["1", "2", "3"]', "rewards = 0x" + "f" * 5000), "more than 4000 digits"),
        (('flags  = ["basic"]', 'flags  = [["basic"]]'), "expected a text"),
        (('printed = "2.75"', 'decimal = "six"'), "expected decimals"),
        (('printed = "2.75"', 'decimal = "1e999999999"'), "expected decimals"),
        (('rewards = ["1", "2", "3"]', 'rewards = [{ repeat = 1000000000, value = "1" }]'), "a run has"),
        (('result = "valid"', 'result = "valid"\nbatch = [2]'), "axes [2] of the batch"),
    ],
)
def test_excess_is_refused_with_its_place(golden, change: tuple[str, str], says: str) -> None:
    with pytest.raises(DataError) as caught:
        load(golden(change))
    assert says in str(caught.value)


def test_pipes_and_devices_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe without a writer and a device without an end are refused, not waited for."""
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    for name in ("pipe.toml", "zero.toml"):
        with pytest.raises(DataError):
            load(tmp_path / name)


# --- certifying --------------------------------------------------------------------


def test_certify_fills_in_decimals_and_changes_nothing_else(golden) -> None:
    path = golden()
    report = certify(path)
    assert report.complete
    assert report.written == 5
    text = path.read_text("utf-8")
    added = [line for line in text.splitlines() if line not in GOOD.splitlines()]
    assert added == [
        'decimal = "2.7500000000000000000"',
        'decimal = ["1.0000000000000000000", "3.0000000000000000000", "6.0000000000000000000"]',
        'want.return.decimal = "12.800000000000000000"',
        'want  = { return = { exact = "47/10", decimal = "4.7000000000000000000" } }',
        'decimal = "1.0000000000000000000"',
    ]
    kept = text.replace(', decimal = "4.7000000000000000000"', "")
    assert "\n".join(line for line in kept.splitlines() if "decimal =" not in line) + "\n" == GOOD
    # written once, it is complete and is left alone
    before = path.stat().st_mtime_ns
    assert certify(path).written == 0
    assert path.stat().st_mtime_ns == before
    assert certify(path, write=False).complete
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no temporary file is left"


def test_check_writes_nothing_and_reports_what_is_missing(golden) -> None:
    path = golden()
    report = certify(path, write=False)
    assert not report.complete
    assert len(report.missing) == 5
    assert path.read_text("utf-8") == GOOD


def test_a_wrong_exact_value_is_a_difference(golden) -> None:
    path = golden(('exact   = "11/4"', 'exact   = "2750001/1000000"'))
    before = path.read_text("utf-8")
    report = certify(path, write=False)
    exact = [d for d in report.differences if d.what == "exact"]
    assert [d.recorded for d in exact] == ["2750001/1000000"]
    assert "lambda_return derives 11/4" in str(exact[0])
    assert path.read_text("utf-8") == before


def test_exact_is_replaced_only_when_asked_for(golden) -> None:
    path = golden(('exact   = "11/4"', 'exact   = "5/2"'))
    assert not certify(path).complete
    assert 'exact   = "5/2"' in path.read_text("utf-8")
    assert certify(path, overwrite=True).complete
    assert 'exact   = "11/4"    # 2.75' in path.read_text("utf-8")
    assert certify(path, write=False).complete


def test_a_wrong_decimal_is_kept_until_overwritten(golden) -> None:
    wrong = '"11/4"    # 2.75\ndecimal = "2.7500000000000000001"'
    path = golden(('"11/4"    # 2.75', wrong))
    report = certify(path)
    assert [d.what for d in report.differences] == ["decimal"]
    assert "2.7500000000000000001" in path.read_text("utf-8")
    assert certify(path, overwrite=True).complete
    assert "2.7500000000000000001" not in path.read_text("utf-8")


def test_printed_is_never_changed(golden) -> None:
    path = golden(('printed = "2.75"', 'printed = "2.76"'))
    report = certify(path, overwrite=True)
    assert [d.what for d in report.differences] == ["printed"]
    assert 'printed = "2.76"' in path.read_text("utf-8")


def test_an_erratum_that_is_right_is_refused(golden) -> None:
    path = golden(('printed = "1.5"', 'printed = "1.0"'))
    assert [d.what for d in certify(path, write=False).differences] == ["printed"]
    report = run_case(load(path).cases[2], ("sympy",))
    assert [failure.backend for failure in report.failures] == ["source"]
    assert "which is right" in report.failures[0].why


def test_an_invalid_case_that_is_accepted_is_a_difference(golden) -> None:
    report = certify(golden(('lam = "2"', 'lam = "1"')), write=False)
    assert [(d.what, d.derived) for d in report.differences] == [("error", "but the input is accepted")]
    report = certify(golden(('lam = "2"', 'lam = "nan"')), write=False)
    assert "number_not_finite" in report.differences[0].derived


def test_a_symbolic_answer_has_no_decimal(golden) -> None:
    symbolic = [('lam = "1/2"', 'lam = "l"'), ('exact   = "11/4"', 'exact   = "3*l**2 + 2*l + 1"')]
    plain = ('printed = "2.75"\n', "")
    report = certify(golden(*symbolic, plain), write=False)
    assert report.differences == []
    assert not any("one: return" in line for line in report.missing)
    report = certify(golden(*symbolic, ('printed = "2.75"', 'decimal = "1"')), write=False)
    assert "has none" in str(report.differences[0])


# --- what a source prints ----------------------------------------------------------


@pytest.mark.parametrize(
    ("exact", "printed", "right"),
    [
        ("11/4", "2.75", True),
        ("11/4", "2.750", True),
        ("11/4", "2.8", True),  # a tie, rounded up
        ("11/4", "2.7", True),  # a tie, rounded to even
        ("11/4", "2.76", False),
        ("11/4", "3", True),
        ("11/4", "11/4", True),
        ("11/4", "0.5 + 0.75 + 1.5", True),
        ("11/4", "0.5(1)", None),
        ("exp(-1)", "≈ 0.368", True),
        ("exp(-1)", "0.367", False),
        ("-1/2", "−0.5", True),
        ("infinity", "infinity", True),
        ("infinity", "5", False),
        ("3*l + 1", "1 + 3*l", True),
        ("3*l + 1", "4", False),
    ],
)
def test_printed_against_exact(golden, exact: str, printed: str, right: bool | None) -> None:
    changes = (('exact   = "11/4"', f'exact   = "{exact}"'), ('printed = "2.75"', f'printed = "{printed}"'))
    want = load(golden(*changes)).cases[0].want["return"]
    problem = Certified(want, load_formula("lambda_return").answer).printed_problem()
    assert (problem == "") is bool(right)
    if right is None:
        assert "cannot be read" in problem


def test_exact_comparison_can_fail(golden) -> None:
    import sympy

    value = Certified(load(golden()).cases[0].want["return"], load_formula("lambda_return").answer)
    assert value.equals(sympy.Rational(11, 4))
    assert not value.equals(sympy.Rational(11, 4) + sympy.Rational(1, 10**30))
    assert not value.equals([sympy.Rational(11, 4)])
    assert not value.equals(sympy.oo)


# --- the editor --------------------------------------------------------------------


def test_edits_keep_line_ends_and_quote_text() -> None:
    text = "[w]\r\nexact = 1 # c\r\n"
    assert edited(text, {("w", "decimal"): "1.0"}, "exact") == text + 'decimal = "1.0"\r\n'
    assert edited("exact = 1\n", {("decimal",): 'a"\\'}, "exact") == 'exact = 1\ndecimal = "a\\"\\\\"\n'


def test_a_long_list_takes_several_lines() -> None:
    text = edited("exact = 1\n\n[x]\n", {("decimal",): ["0.50000000000000000000"] * 9}, "exact")
    assert max(map(len, text.splitlines())) <= 110
    assert len(text.splitlines()) > 5
    assert text.endswith("]\n\n[x]\n")


def test_an_edit_that_hits_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import rlcalc.golden.toml_edit as toml_edit

    with pytest.raises(DataError, match="no 'exact' next to"):
        edited("x = 1\n", {("decimal",): "1"}, "exact")
    monkeypatch.setattr(
        toml_edit, "_put", lambda table, key, value, after: table.update({key: value, "x": 1})
    )
    with pytest.raises(DataError, match="change more than it should"):
        edited("exact = 1\n", {("decimal",): "3"}, "exact")


# --- export ------------------------------------------------------------------------


def test_export_is_plain_json_with_every_case() -> None:
    for name in ("lambda_return", "ppo_clip"):
        file = shipped(name)
        data = json.loads(json.dumps(file_json(file), allow_nan=False))
        assert [case["id"] for case in data["cases"]] == [case.id for case in file.cases]
        assert all(("error" in case) == (case["result"] == "invalid") for case in data["cases"])
        assert "float" not in {type(part).__name__ for case in data["cases"] for part in leaves(case)}


def leaves(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value
