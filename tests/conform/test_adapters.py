"""Adapters of released libraries: well-formed everywhere, run where their library is installed."""

from __future__ import annotations

import ast
import builtins
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.conform.faults import catalogue
from rlcalc.conform.peers import LIBRARIES, Adapter, Library, libraries, library
from rlcalc.conform.peers import scope as limits
from rlcalc.conform.peers.matrix import NOT_RUN, cell, cells, matrix_lines
from rlcalc.conform.target.base import BACKENDS, DTYPES
from rlcalc.conform.vectors import golden_vectors
from rlcalc.specs import load_formula

EVERY = [(lib, adapter) for lib in libraries() for adapter in lib.adapters]
NAMES = [f"{lib.name}-{adapter.load.__name__.strip('_')}" for lib, adapter in EVERY]


def _parts(adapter: Adapter) -> str:
    return "\n\n".join(inspect.getsource(part) for part in (*adapter.helpers, adapter.load))


def test_every_library_has_adapters() -> None:
    assert {lib.name for lib in libraries() if lib.adapters} == set(LIBRARIES)


@pytest.mark.parametrize(("lib", "adapter"), EVERY, ids=NAMES)
def test_adapter_is_well_formed(lib: Library, adapter: Adapter) -> None:
    assert adapter.function.split(".")[0] == lib.name
    assert adapter.backend in BACKENDS
    assert adapter.dtypes
    assert set(adapter.dtypes) <= set(DTYPES)
    formula = load_formula(adapter.formula)
    assert formula.name == adapter.formula
    # raises for a name that is not declared
    catalogue(adapter.formula).chosen(adapter.conventions)
    if adapter.conventions:
        assert adapter.note, "a documented convention is named with its place"


@pytest.mark.parametrize(("lib", "adapter"), EVERY, ids=NAMES)
def test_adapter_takes_canonical_arguments(lib: Library, adapter: Adapter) -> None:
    tree = ast.parse(_parts(adapter))
    (call,) = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "call"]
    taken = {a.arg for a in (*call.args.args, *call.args.kwonlyargs)}
    assert taken <= {p.name for p in load_formula(adapter.formula).parameters}


@pytest.mark.parametrize(("lib", "adapter"), EVERY, ids=NAMES)
def test_source_stands_alone(lib: Library, adapter: Adapter) -> None:
    """What a counterexample repeats uses no name of the adapter's module."""
    tree = ast.parse(_parts(adapter))
    bound = {"np", "torch", "jnp", *dir(builtins)}
    read = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            # the annotations are never evaluated
            node.returns = None
            bound |= {node.name}
        if isinstance(node, ast.arg):
            node.annotation = None
            bound |= {node.arg}
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
    assert not read - bound


@pytest.mark.parametrize("name", LIBRARIES)
def test_module_imports_no_library(name: str) -> None:
    place = Path(inspect.getfile(Adapter)).with_name(f"{name}.py")
    for node in ast.parse(place.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            pytest.fail(f"{place.name} imports {node.names[0].name} as it is loaded")
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in ("__future__", "collections", "typing", "rlcalc")


def test_absent_libraries_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlcalc.conform.peers._version", lambda distribution: "")
    assert cells(libraries(), 0) == []
    assert [line for line in matrix_lines([], libraries()) if "not installed" not in line] == []


FAKE = '''
"""A library whose advantages carry on behind the end of an episode."""

import numpy as np


def advantages(rewards, values, gamma, lam, terminated):
    found = np.zeros_like(rewards)
    last = 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * (1 - terminated[t]) * values[t + 1] - values[t]
        last = found[t] = delta + gamma * lam * KEEP * last
    return found
'''


def _fake() -> Any:
    from fakerl import advantages

    def call(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any) -> Any:
        return advantages(rewards, values, gamma, lam, terminated)

    return call


@pytest.mark.parametrize(("keep", "right"), [("(1 - terminated[t])", True), ("1", False)])
def test_a_library_from_end_to_end(
    keep: str, right: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fakerl").mkdir()
    (tmp_path / "fakerl" / "__init__.py").write_text(FAKE.replace("KEEP", keep), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "fakerl", raising=False)
    reason = limits.any_of(limits.one_sequence, limits.one_discount)
    adapter = Adapter("fakerl.advantages", "gae", _fake, dtypes=("float64",), outside=reason)
    found = cell(Library("fakerl", "fakerl", "0.1", (adapter,)), adapter, 20)
    monkeypatch.delitem(__import__("sys").modules, "fakerl")
    if right:
        assert found.verdict == "conforms"
        assert found.example is None
        return
    assert found.verdict == "nonconforming"
    assert found.faults == ("recursion-crosses-ends",)
    assert found.example is not None
    space: dict[str, Any] = {}
    exec(compile(found.example.test, "counterexample", "exec"), space)
    with pytest.raises(AssertionError):
        space["test_gae_counterexample"]()
    # what a maintainer does next: mends it, and runs the same text again
    mended = FAKE.replace("KEEP", "(1 - terminated[t])")
    (tmp_path / "fakerl" / "__init__.py").write_text(mended, "utf-8")
    monkeypatch.delitem(__import__("sys").modules, "fakerl", raising=False)
    __import__("importlib").invalidate_caches()
    space = {}
    exec(compile(found.example.test, "counterexample", "exec"), space)
    space["test_gae_counterexample"]()


def test_a_difference_of_precision_says_which() -> None:
    def load() -> Any:
        def call(rewards: Any, values: Any, gamma: Any, lam: Any) -> Any:
            import rlcalc

            return rlcalc.gae(rewards, values, float(np.float32(gamma)), lam)

        return call

    made = Adapter("made.up", "gae", load, outside=limits.any_of(limits.one_sequence, limits.one_discount))
    found = cell(Library("made", "made", "1", (made,)), made, 0)
    assert found.verdict == "nonconforming"
    assert found.why.endswith("nothing wrong in float32")


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
