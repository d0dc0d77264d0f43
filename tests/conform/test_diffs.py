"""The line that a diff takes away does what its fault is said to do, and the line that it adds is right.

Run for the faults whose diff is one expression of the formula's own arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rlcalc.conform.compare import CLOSE, all_close
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import run_form
from rlcalc.conform.vectors import Vector, golden_vectors, reference

SHORT = {"advantage": "adv "}
# formula, output, and its arguments by the names of the diffs
ROLES = {
    "ppo_clip": ("objective", {"ratio": "ratio", "adv": "adv", "eps": "eps"}),
    "entropy": ("entropy", {"p": "p"}),
    "critic_loss": ("loss", {"values": "values", "returns": "returns"}),
    "ratio": ("ratio", {"log_prob": "new_log", "old_log_prob": "old_log"}),
    "td_update": ("value", {"value": "value", "target": "target", "alpha": "alpha"}),
    "advantage": (
        "advantage",
        {"reward": "reward", "next_value": "next_value", "value": "value", "gamma": "gamma"},
    ),
}


def single_expressions() -> Iterator[Any]:
    for formula in ROLES:
        for fault in catalogue(formula).faults:
            taken = [line[2:] for line in fault.diff if line.startswith("- ")]
            added = [line[2:] for line in fault.diff if line.startswith("+ ")]
            lines = [*taken, *added]
            known = {*ROLES[formula][1], "np"}
            if (
                len(taken) == len(added) == 1
                and all(_of_the_output(line, ROLES[formula][0]) for line in lines)
                and all(_names(line) <= known for line in lines)
            ):
                yield pytest.param(fault, taken[0], added[0], id=f"{formula}/{fault.name}")


def _value(line: str) -> ast.expr:
    (statement,) = ast.parse(line.removeprefix("return ")).body
    if isinstance(statement, ast.AugAssign):
        return ast.BinOp(statement.target, statement.op, statement.value)
    return statement.value


def _of_the_output(line: str, output: str) -> bool:
    """Whether a line gives the output itself, for arrays of the shapes that vectors have."""
    return "#" not in line and line.startswith(("return ", f"{output} ", SHORT.get(output, "return ")))


def _names(line: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(_value(line)) if isinstance(node, ast.Name)}
    except (SyntaxError, AttributeError, ValueError):
        return {"nothing that can be run"}


def _run(line: str, given: dict[str, Any]) -> Any:
    return eval(ast.unparse(_value(line)), {"np": np}, given)


def _usable(vector: Vector, roles: dict[str, str], guarded: bool) -> dict[str, Any] | None:
    given = {name: vector.arrays.get(parameter) for name, parameter in roles.items()}
    if any(value is None for value in given.values()) or vector.rows:
        return None
    if vector.terms > 1e6 * max(1.0, vector.scale):
        return None  # where only the closed form of an update keeps its digits
    if "p" in given and not guarded and not (given["p"] > 0).all():
        return None  # a guard for impossible actions is another diff
    plain = {name for name in vector.given if name not in roles.values()}
    sequences = all(np.ndim(value) == 1 for name, value in given.items() if name in ("values", "returns"))
    return given if sequences and not plain else None


@pytest.mark.parametrize(("fault", "taken", "added"), [*single_expressions()])
def test_a_diff_is_what_it_says(fault: Fault, taken: str, added: str) -> None:
    output, roles = ROLES[fault.formula]
    shown = 0
    vectors = golden_vectors(fault.formula)
    right = reference(vectors[0].formula)
    means = ".mean()" in added
    for vector in vectors:
        given = _usable(vector, roles, "where" in added)
        if given is None:
            continue
        asked = {"reduction": "mean"} if means and fault.formula == "critic_loss" else {}
        with np.errstate(all="ignore"):
            before, after = _run(taken, given), _run(added, given)
            faulty = fault.around(right)(**{**vector.cast("float64"), **asked})[output]
            correct = right(**{**vector.cast("float64"), **asked})[output]
        assert all_close(np.asarray(before), np.asarray(faulty), vector.scale, CLOSE["float64"]), vector.id
        assert all_close(np.asarray(after), np.asarray(correct), vector.scale, CLOSE["float64"]), vector.id
        shown += not all_close(np.asarray(before), np.asarray(after), vector.scale, CLOSE["float64"])
    assert shown
    assert run_form(fault.around(right), vectors[0]).kind in ("answer", "raises")
