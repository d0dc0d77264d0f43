"""One check from end to end: what is asked for, as data, and what came out.

The command line makes a ``Request`` of its options and a project writes one as
``[[tool.rlcalc.check]]``; both run here, and so agree.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rlcalc.conform.binding.model import Binding, read_binding
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.generate.drawing import hypothesis_or_refuse
from rlcalc.conform.report.counterexample import Counterexample, counterexample
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import BACKENDS, DTYPES, Target, load_target
from rlcalc.conform.target.program import Program
from rlcalc.conform.trial import Watch
from rlcalc.conform.vectors import vectors_of
from rlcalc.errors import InputError, shown
from rlcalc.time_limit import checked_limit

RANDOM = 300
LIMIT = 5.0
# JAX compiles for every new shape, and starts on the first call
RANDOM_COMPILED, LIMIT_COMPILED = 50, 30.0


def _is_backend(name: str) -> str:
    return "" if name in BACKENDS else f"expected {', '.join(BACKENDS)}, not {shown(name)}."


@dataclass(frozen=True)
class Request:
    """One function and what it should be.

    Attributes:
        target: ``file.py:function`` or ``package.module:function``; empty with ``program``.
        formula: that it should compute.
        map: roles of parameters whose names do not say them, by place.
        binding: a file that says what all parameters are.
        conventions: that it follows.
        program: a command to start instead.
        backend: arrays to call it with: ``numpy``, ``torch`` or ``jax``.
        dtypes: of ``float64`` and ``float32``; both when empty.
        vectors: golden files in place of the shipped ones.
        random: generated cases; the usual number when left out.
        seed: of the generated cases.
        batches: whether it may be asked for several rows at once.
        require: capabilities that it must have, such as ``batches``; without, what it lacks is not tested.
        limit: seconds for one call; the usual ones when left out.
        in_process: call it in this process, for a debugger.
    """

    target: str = ""
    formula: str = ""
    map: Mapping[str, str] = field(default_factory=dict)
    binding: str = ""
    conventions: tuple[str, ...] = ()
    program: str = field(default="", metadata={"key": "exec"})
    backend: str = field(default="numpy", metadata={"check": _is_backend})
    dtypes: tuple[str, ...] = field(default=(), metadata={"key": "dtype"})
    vectors: tuple[str, ...] = ()
    random: int | None = None
    seed: int = 0
    batches: bool = True
    require: tuple[str, ...] = ()
    limit: float | None = None
    in_process: bool = False


@dataclass(frozen=True)
class Checked:
    """A report, and the case that shows the failure, if there is one."""

    report: ConformReport
    example: Counterexample | None


def check(request: Request, watch: Watch | None = None) -> Checked:
    """Run a request.

    Raises:
        InputError, UnknownName, DataError: what cannot be asked in this way.
    """
    binding = _binding(request)
    target = load(request)
    try:
        return check_target(target, request, binding, watch)
    finally:
        target.close()


def check_target(
    target: Target, request: Request, binding: Binding | None = None, watch: Watch | None = None
) -> Checked:
    """Run a request on a target that is loaded already, and stays so.

    Raises:
        InputError, UnknownName, DataError: as ``check``.
    """
    formula = request.formula or (binding.formula if binding else "")
    formula = formula or found_formula(target, request.target)
    known = vectors_of(formula, [Path(p) for p in request.vectors]) if request.vectors else None
    count, lacking = _generated(request.random, target)
    found = run(
        target,
        formula,
        request.conventions,
        known,
        count,
        request.seed,
        request.batches,
        watch=watch,
        mapped=request.map,
        binding=binding,
        require=request.require,
    )
    found.random_skipped = lacking or found.random_skipped
    return Checked(found, counterexample(found, target.with_backend(found.backend)))


def _binding(request: Request) -> Binding | None:
    if request.program and (request.map or request.binding):
        raise InputError("map_without_function", "--map and --binding are about functions, not --exec.")
    if request.map and request.binding:
        raise InputError("map_twice", "--map and --binding do not go together.", "Edit the file instead.")
    return read_binding(Path(request.binding)) if request.binding else None


def load(request: Request) -> Target:
    """The target of a request; whoever loads it closes it."""
    name, program, backend = request.target, request.program, request.backend
    if bool(name) == bool(program):
        raise InputError(
            "target_missing" if not name else "target_twice",
            "There is no TARGET." if not name else f"{shown(name)} and --exec do not go together.",
            'Write package.module:function, file.py:function or --exec "command".',
        )
    if request.limit is not None:
        checked_limit(request.limit, "--limit")
    usual = LIMIT_COMPILED if backend == "jax" else LIMIT
    limit = usual if request.limit is None else request.limit
    dtypes = _dtypes(request.dtypes)
    if program:
        if backend != "numpy" or request.in_process:
            option = "in-process" if request.in_process else backend
            raise InputError("backend_twice", f"--exec and --{option} do not go together.")
        asked = Program(program, limit)
        asked.dtypes = dtypes
        return asked
    if request.in_process or os.name != "posix":  # elsewhere there are no process groups to end
        found = load_target(name, backend, math.inf if request.limit is None else request.limit, dtypes)
        # what a debugger asks is to be read, and stays out of the report
        found.output = sys.stderr
        return found
    from rlcalc.conform.target.process import ProcessTarget

    return ProcessTarget(name, backend, limit, dtypes)


def _dtypes(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in DTYPES:
            raise InputError("unknown_dtype", f"There is no dtype {shown(name)} here.", "float64 or float32.")
    return tuple(name for name in DTYPES if name in names) or DTYPES


def _generated(random: int | None, target: Target) -> tuple[int, str]:
    """How many cases to generate, and why there are none where none were refused.

    Raises:
        InputError: ``hypothesis_missing``, when cases were asked for that need it.
    """
    if random is not None:
        return random, ""
    try:
        hypothesis_or_refuse()
    except InputError:
        return 0, "Hypothesis is not installed; install rlcalc[test] to have them"
    return RANDOM_COMPILED if target.backend == "jax" else RANDOM, ""
