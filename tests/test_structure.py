"""The plan of the house: imports run one way, from what people see down to numbers and files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rlcalc
from rlcalc.specs import formula_names
from tests import test_golden
from tests.formulas import test_batches, test_forms

PACKAGE = Path(rlcalc.__file__).parent

# From the ground up. A room may use the rooms above it in this list, and its own.
FLOORS = (
    ("errors", "_version", "spelling"),
    ("_lazy", "files", "nested", "records"),
    ("plain_tensors", "data", "interval", "junit", "backends", "plotting", "time_limit"),
    ("exact", "heads"),
    ("digits", "specs"),
    ("mdp", "experience", "steps", "recurrence"),
    ("inputs",),
    ("formulas",),
    ("reference", "agreement", "evaluation"),
    ("api", "golden"),
    ("training",),
    ("conform", "ppo", "lm", "audit", "error_codes"),
    ("study",),
    ("_pytest_report",),
    ("testing",),
    ("cli",),
    ("site",),
    ("__main__", "_stubs"),
)


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below ``rlcalc``."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name or "rlcalc"] = path
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Pairs (module, name) of what is imported, wherever it stands, and for its types alone as well."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        else:
            yield from imports(node)


def arrows(known: dict[str, Path]) -> dict[str, set[str]]:
    """Module -> the modules of the package that it imports."""
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        found[name] = set()
        for module, part in imports(ast.parse(path.read_text("utf-8"))):
            if module.partition(".")[0] != "rlcalc":
                continue
            base = module.partition(".")[2]
            inner = f"{base}.{part}" if base and part else base or part
            target = inner if inner in known else base
            if target and target != name:
                found[name].add(target)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def rising(graph: dict[str, set[str]]) -> list[str]:
    """Imports that run from a lower floor to a higher one."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    return [
        f"{name} -> {target}"
        for name, targets in sorted(graph.items())
        for target in sorted(targets)
        if name != "rlcalc" and floor[target.partition(".")[0]] > floor[name.partition(".")[0]]
    ]


def test_arrows_point_down_and_never_in_a_circle() -> None:
    graph = arrows(modules())
    assert circles(graph) == []
    assert rising(graph) == []


def test_every_room_has_a_floor() -> None:
    rooms = {name.partition(".")[0] for name in modules()} - {"rlcalc"}
    assert rooms == {room for rooms in FLOORS for room in rooms}


def test_a_circle_and_a_rising_arrow_would_be_found() -> None:
    graph = {"exact.a": {"exact.b"}, "exact.b": {"exact.c"}, "exact.c": {"exact.a"}, "errors": {"cli.app"}}
    assert circles(graph) == [["exact.a", "exact.b", "exact.c"]]
    assert rising(graph) == ["errors -> cli.app"]


@pytest.mark.parametrize(
    "test",
    [
        test_golden.test_file_is_certified_and_met,
        test_forms.test_forms_and_reference_agree,
        test_batches.test_a_batch_is_its_rows,
    ],
    ids=lambda test: test.__name__,
)
def test_the_inner_loop_has_every_formula(test: Any) -> None:
    sweeps = [mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"]
    assert "slow" not in {mark.name for mark in test.pytestmark}
    assert any(len(rows) == len(formula_names()) for rows in sweeps)
    for rows in sweeps:
        quick = [row for row in rows if not getattr(row, "marks", ())]
        assert quick, "nothing of a sweep is left in the inner loop"
        assert len(rows) != len(formula_names()) or quick == list(rows), "a formula is missing"


def test_a_module_is_read_at_one_sitting() -> None:
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lengths.items() if count > 400} == {}
