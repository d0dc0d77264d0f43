"""Adapters of released libraries, the matrix made of them, and a library made up here."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.cli import main
from rlcalc.conform import peers
from rlcalc.conform.faults import catalogue
from rlcalc.conform.peers import LIBRARIES, Adapter, Library, libraries, library
from rlcalc.conform.peers import scope as limits
from rlcalc.conform.peers.alone import pass_over
from rlcalc.conform.peers.cell import CONVENTION, NOT_RUN, PASSES, PRECISION, WRONG, Cell
from rlcalc.conform.peers.matrix import (
    BEGIN,
    END,
    cell,
    cells,
    matrix_json,
    matrix_lines,
    matrix_markdown,
    write_between,
    write_tests,
)
from rlcalc.conform.peers.readings import Reading, compared, differing, readings
from rlcalc.conform.peers.table import Row, read_table
from rlcalc.conform.vectors import golden_vectors
from rlcalc.errors import DataError, InputError, UnknownName
from rlcalc.specs import load_formula

from .printed import passes

EVERY = [(lib, a) for lib in libraries() for a in lib.adapters if isinstance(a, Adapter)]
ROWS = [(lib, row) for lib in libraries() for row in lib.adapters if isinstance(row, Row)]

# adapters


def test_every_library_has_adapters() -> None:
    assert all(bool(lib.adapters) != bool(lib.table.absent) for lib in libraries())
    with pytest.raises(UnknownName) as caught:
        library("torchlr")
    assert "torchrl" in caught.value.hint


def test_adapters_take_canonical_arguments() -> None:
    for lib, adapter in EVERY:
        assert adapter.function.split(".")[0] == lib.name, adapter
        first, *taken = inspect.signature(adapter.call).parameters.values()
        assert first.kind is inspect.Parameter.POSITIONAL_ONLY, adapter
        known = {p.name for p in load_formula(adapter.formula).parameters}
        assert {p.name for p in taken} <= known | set(adapter.settings), adapter
        catalogue(adapter.formula).chosen(adapter.conventions)  # raises for a name that is not declared
        assert adapter.note or not adapter.conventions, f"{adapter}: a convention is named with its place"


def test_rows_name_what_there_is() -> None:
    for lib, row in ROWS:
        assert row.name.split(".")[0] == lib.name, row
        assert lib.table.version, f"{row}: the version that the matrix was made with"
        catalogue(row.formula).chosen(row.conventions)  # raises for a name that is not declared
        assert row.note or not row.conventions, f"{row}: a convention is named with its place"


def test_a_counterexample_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it repeats uses no name of the adapter's module."""
    monkeypatch.setattr(peers, "import_module", lambda name: ast)  # as if it were installed
    for lib, adapter in EVERY:
        with monkeypatch.context() as patch:
            name = adapter.function.split(".")[-1]
            patch.setattr(ast, name, print, raising=False)
            patch.setattr(Adapter, "_place", lambda self, at=(lib.name, [name]): at)
            stands_alone(adapter.target().source)


def stands_alone(source: str) -> None:
    tree = ast.parse(source)
    bound, read = set(dir(builtins)), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.arg):
            bound.add(node.name if isinstance(node, ast.FunctionDef) else node.arg)
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)  # never evaluated inside a function
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
    assert not read - bound, source
    assert "@" not in re.sub(r'"[^"]*"', "", source)


@pytest.mark.parametrize("name", sorted({lib.name for lib, _ in EVERY}))
def test_modules_import_no_library(name: str) -> None:
    text = Path(inspect.getfile(peers)).with_name(f"{name}.py").read_text("utf-8")
    for node in ast.parse(text).body:
        assert not isinstance(node, ast.Import)
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in ("__future__", "functools", "typing", "rlcalc")


def test_limits() -> None:
    vectors = {v.id: v for v in golden_vectors("gae")}
    per_step = vectors["gae/per-step-discounts"]
    assert limits.one_discount(per_step)
    assert not limits.one_sequence(per_step)
    assert limits.several_steps(vectors["gae/one-step"])
    assert not limits.one_value_per_state(vectors["gae/truncated-inside"])
    assert not limits.one_value_per_state(vectors["gae/defaults"])
    zero = next(v for v in golden_vectors("entropy") if v.id == "entropy/certain")
    assert limits.without_zeros(zero)
    both = limits.any_of(limits.one_sequence, limits.one_discount)
    assert both(per_step) == limits.one_discount(per_step)
    assert both(vectors["gae/defaults"]) == ""


# a library made up here, whose advantages may carry on after the end of an episode

LIBRARY = """
import numpy as np


def advantages(rewards, values, gamma, lam, terminated):
    found = np.zeros_like(rewards)
    last = 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
        last = found[t] = delta + gamma * lam * KEEP * last
    return found


def scaled(rewards, values, gamma, lam, terminated, factor):
    return advantages(rewards, values, gamma, lam, terminated) * {"one": 1, "three": 3}[factor]


def loss(ratio, adv, eps):
    return -np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
"""
KEEPS, CARRIES = "(1 - terminated[t])", "1"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs the library, right or wrong; again where it is called again."""
    (tmp_path / "fakerl").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def install(keep: str) -> None:
        (tmp_path / "fakerl" / "core.py").write_text(LIBRARY.replace("KEEP", keep), "utf-8")
        for name in ("fakerl", "fakerl.core"):
            monkeypatch.delitem(sys.modules, name, raising=False)

    (tmp_path / "fakerl" / "__init__.py").write_text("")
    install(KEEPS)
    yield install
    for name in ("fakerl", "fakerl.core"):
        sys.modules.pop(name, None)


def gae(function, /, rewards, values, gamma, lam, terminated):
    return function(rewards, values, gamma, lam, terminated)


def gae_scaled(function, /, rewards, values, gamma, lam, terminated, factor):
    return function(rewards, values, gamma, lam, terminated, factor)


def ppo_clip(function, /, ratio, adv, eps):
    return function(ratio, adv, eps)


ALONE = limits.any_of(limits.one_sequence, limits.one_discount)
GAE = Adapter("fakerl.core.advantages", "gae", gae, dtypes=("float64",), outside=ALONE)
LOSS = Adapter("fakerl.core.loss", "ppo_clip", ppo_clip)
DOCUMENTED = replace(LOSS, conventions=("loss",), note="documents a loss")
BROKEN = Adapter("fakerl.core.no_such_function", "gae", gae)


def of(*adapters: Adapter | Row) -> Library:
    return Library("fakerl", "fakerl", "0.1", adapters)


def one(adapter: Adapter, random: int = 0) -> Cell:
    return cell(of(adapter), adapter, random)


def test_verdicts(fake: Any) -> None:
    found = cells([of(GAE, DOCUMENTED, LOSS, BROKEN), Library("absent", "absent", "", (BROKEN,))], random=15)
    assert [c.verdict for c in found] == [
        "conforms", "conforms-under-convention", "conforms-under-convention", NOT_RUN,
    ]  # fmt: skip
    assert [c.documented for c in found] == [False, True, False, False]
    assert all(c.example is None for c in found)
    assert "no_such_function" in found[3].why


@pytest.mark.slow
def test_a_fault_is_named_and_its_test_passes_once_it_is_fixed(fake: Any) -> None:
    fake(CARRIES)
    found = one(GAE, 20)
    assert (found.verdict, found.faults) == ("nonconforming", ("recursion-crosses-ends",))
    assert found.example is not None
    assert not passes(found.example.test)
    fake(KEEPS)
    assert passes(found.example.test)


@pytest.mark.slow
def test_a_row_is_read_as_any_function_is(fake: Any, tmp_path: Path) -> None:
    """No adapter: its parameters are found, and what fails is written for its maintainer."""
    row = Row("fakerl.core:advantages", "gae", dtypes=("float64",))
    assert cell(of(row), row, 15).kind == PASSES
    lossy = Row("fakerl.core:loss", "ppo_clip")
    assert (cell(of(lossy), lossy, 15).kind, cell(of(lossy), lossy, 15).documented) == (CONVENTION, False)
    fake(CARRIES)
    found = cell(of(row), row, 15)
    assert (found.kind, found.faults) == (WRONG, ("recursion-crosses-ends",))
    (path,) = write_tests(tmp_path / "tests", [found])
    text = path.read_text("utf-8")
    assert text.startswith("# fakerl 0.1, fakerl.core.advantages as gae: gives a wrong answer\n")
    assert "#   rlcalc explain recursion-crosses-ends\n" in text
    assert not passes(text)
    fake(KEEPS)
    assert passes(text)


def test_float32_inside_is_a_kind_of_its_own(fake: Any) -> None:
    def inside(function, /, rewards, values, gamma, lam):
        none = np.zeros(rewards.shape, bool)
        narrow = function(rewards.astype(np.float32), values.astype(np.float32), gamma, lam, none)
        return narrow.astype(rewards.dtype)

    found = one(replace(GAE, call=inside))
    assert (found.verdict, found.kind) == ("nonconforming", PRECISION)
    assert found.example is not None


def test_a_table_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "fakerl.toml"
    path.write_text('[[function]]\nname = "fakerl.core:loss"\nformule = "ppo_clip"\n')
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert "fakerl.toml: function" in caught.value.message


@pytest.mark.slow
def test_settings_choose_among_functions_that_are_called_alike(fake: Any) -> None:
    scaled = replace(GAE, function="fakerl.core.scaled", call=gae_scaled, settings={"factor": "one"})
    assert one(scaled).verdict == "conforms"
    wrong = one(replace(scaled, settings={"factor": "three"}))
    assert wrong.verdict == "nonconforming"
    assert wrong.example is not None
    assert 'call = partial(gae_scaled, scaled, factor="three")' in wrong.example.test
    assert not passes(wrong.example.test)


def test_a_difference_of_precision_says_so() -> None:
    def narrow(function, /, rewards, values, gamma, lam):
        return function(rewards, values, float(np.float32(gamma)), lam)

    found = one(Adapter("rlcalc.gae", "gae", narrow, outside=ALONE))
    assert found.verdict == "nonconforming"
    assert found.why.endswith("nothing wrong in float32")
    assert (found.kind, found.faults) == (PRECISION, ("gamma-in-float32",))
    assert "| – | – | gae: `gamma-in-float32` | – |" in matrix_markdown([found], [])


def test_a_package_that_cannot_be_imported_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "gpurl" / "models"
    inner.mkdir(parents=True)
    (tmp_path / "gpurl" / "__init__.py").write_text("")
    (inner / "__init__.py").write_text("import no_such_kernels")
    (inner / "helpers.py").write_text("SCALE = -1")
    (inner / "loss.py").write_text(
        "from .helpers import SCALE\n\n\ndef loss(ratio, adv, eps):\n    return SCALE * ratio\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    row = Row("gpurl.models.loss:loss", "ppo_clip")
    try:
        with pytest.raises(InputError):
            row.target()
        pass_over(["gpurl.models", "no_such_library"])
        assert row.target().function(2, 1, 0.2) == -2
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "gpurl"]:
            del sys.modules[name]


# what a reading says


def test_readings_are_of_functions_that_there_are() -> None:
    for reading in readings():
        settings = [
            ", ".join(f"{k}={v}" for k, v in entry.settings.items())
            for entry in library(reading.library).adapters
            if entry.formula == reading.formula and entry.function.endswith(f".{reading.function}")
        ]
        assert reading.settings in settings, reading
        known = catalogue(reading.formula)
        names = {way.name for way in (*known.conventions, *known.families)}
        assert set(reading.conventions) <= names, reading
        assert not reading.fault or known.is_fault(reading.fault), reading


def test_readings_are_compared_with_what_running_said() -> None:
    facts = ("verl", "0", "verl.core.agg_loss", "loss_aggregation")
    read = Reading("verl", "agg_loss", "loss_aggregation", "0/0", conventions=("nan-when-empty",))
    right = Cell(*facts, "conforms-under-convention", conventions=("nan-when-empty",))
    assert read.is_of(right, "verl")
    assert not read.is_of(replace(right, settings="way=sum"), "verl")
    assert read.agrees(replace(right, conventions=("mean-over-batch", "nan-when-empty")))
    assert not read.agrees(replace(right, conventions=("token-sum",)))
    assert not read.agrees(Cell(*facts, "conforms"))
    wrong = Cell(*facts, "nonconforming", faults=("divided-twice + numerator-unmasked",))
    assert replace(read, fault="numerator-unmasked").agrees(wrong)
    assert not replace(read, fault="mask-inverted").agrees(wrong)
    pairs = compared([wrong], {"verl": "verl"})
    assert [cell for _, cell in differing(pairs)] == [wrong]
    table = matrix_markdown([wrong], [])
    assert "0 of 1 agree" in table
    assert "| nonconforming: `divided-twice + numerator-unmasked` | no: " in table


# the matrix


def test_printers(fake: Any, tmp_path: Path) -> None:
    chosen = [of(GAE, DOCUMENTED), Library("absent", "absent", "", (BROKEN,))]
    found = cells(chosen, random=0)
    data = json.loads(json.dumps(matrix_json(found, chosen), allow_nan=False))
    assert len(data["cells"]) == 2
    assert data["libraries"][1] == {"name": "absent", "version": None, "adapters": 1}
    text = "\n".join(matrix_lines(found, chosen))
    assert "absent: not installed (pip install 'rlcalc[peers]')" in text
    assert "conforms under loss" in text
    table = matrix_markdown(found, chosen)
    assert "| fakerl 0.1 | `fakerl.core.advantages` | gae | conforms |" in table
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between(path, table)
    write_between(path, table)
    assert path.read_text() == f"before\n{BEGIN}\n{table}{END}\nafter\n"
    path.write_text("nothing")
    with pytest.raises(DataError):
        write_between(path, table)


def test_tables_and_report_from_one_run(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(CARRIES)
    monkeypatch.setattr(peers, "libraries", lambda: [of(GAE)])
    one_table, other, report = (tmp_path / name for name in ("README.md", "published.md", "peers.md"))
    for path in (one_table, other, report):
        path.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    words = ["--write", str(one_table), "--write", str(other), "--report", str(report)]
    assert main(["peers", "--random", "0", *words]) == 0
    assert "fakerl 0.1" in capsys.readouterr().out
    assert one_table.read_text() == other.read_text()
    grid = "| fakerl 0.1 | – | – | – | gae: `recursion-crosses-ends` |"
    assert grid in one_table.read_text()
    assert grid in report.read_text()
    assert "def test_gae_counterexample" not in one_table.read_text()
    assert "def test_gae_counterexample" in report.read_text()


def test_what_a_library_prints_stays_out_of_the_json(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "libraries", lambda: [of(GAE)])
    (tmp_path / "fakerl" / "__init__.py").write_text("print('a part of fakerl is missing')")
    assert main(["peers", "--random", "0", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "is missing" in err
    assert json.loads(out)["cells"][0]["verdict"] == "conforms"


def test_without_libraries_the_last_matrix_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "_version", lambda distribution: "")
    assert main(["peers"]) == 0
    out, err = capsys.readouterr()
    assert "pip install 'rlcalc[peers]'" in err
    assert re.search(r"^Run on \d{4}-\d\d-\d\d", out)
    for lib in libraries():
        assert bool(re.search(rf"^{lib.distribution} \d", out, re.MULTILINE)) != bool(lib.table.absent)
    assert "td_error: discounts-in-float32" in out.partition("\n  loses precision: ")[2]
    assert main(["peers", "rejax"]) == 0
    assert capsys.readouterr().out.count("\n  ") == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what a library does with what is deprecated elsewhere is its affair
@pytest.mark.parametrize("name", LIBRARIES)
def test_installed_library_runs(name: str) -> None:
    lib = library(name)
    if not lib.installed:
        pytest.skip(f"{lib.distribution} is not installed")
    for adapter in lib.adapters:
        found = cell(lib, adapter, 0)
        assert found.verdict != NOT_RUN, found.why
        assert found.passed[0]
        assert (found.example is None) == found.verdict.startswith("conforms")
