"""``rlcalc conform``: a function of your own against the certified vectors."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, write_json
from rlcalc.errors import CheckFailed, InputError, shown
from rlcalc.files import check_target, write_text

if TYPE_CHECKING:
    from rlcalc.conform.report.text import Line
    from rlcalc.conform.runner import ConformReport
    from rlcalc.conform.target.base import Target

RANDOM = 300
LIMIT = 5.0
# JAX compiles for every new shape, and starts on the first call
RANDOM_COMPILED, LIMIT_COMPILED = 50, 30.0

EXAMPLES = """
rlcalc conform my_agent.py:gae --formula gae  # is it right, and if not, which bug is it?
rlcalc conform --exec "./my_gae" --formula gae  # a program in any language
rlcalc conform --faults --formula gae  # the known bugs
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog=EXAMPLES)
def conform(
    target: str = typer.Argument(
        None, metavar="[TARGET]", help="package.module:function or file.py:function.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="The formula that it should compute."),
    convention: list[str] = typer.Option(  # noqa: B008
        None,
        "--convention",
        metavar="NAME",
        help="A convention that it follows; 'rlcalc conform --conventions'.",
    ),
    program: str = typer.Option(
        None, "--exec", metavar="COMMAND", help="Instead of TARGET: a program in any language."
    ),
    torch: bool = typer.Option(False, "--torch", help="Call it with Torch tensors."),
    jax: bool = typer.Option(False, "--jax", help="Call it with JAX arrays."),
    dtype: list[str] = typer.Option(  # noqa: B008
        None, "--dtype", metavar="NAME", help="float64 or float32. Default: both."
    ),
    vectors: list[Path] = typer.Option(  # noqa: B008
        None, "--vectors", metavar="FILE", help="Golden files to run in place of the shipped one."
    ),
    random: int = typer.Option(
        None,
        "--random",
        min=0,
        metavar="N",
        help=f"Generated cases. Default: {RANDOM}, {RANDOM_COMPILED} with --jax; 0 without Hypothesis.",
        show_default=False,
    ),
    seed: int = typer.Option(0, "--seed", help="Seed of the generated cases."),
    require: list[str] = typer.Option(  # noqa: B008
        None,
        "--require",
        metavar="NAME,...",
        help="What it must have: batches, per-step-discounts, float64, dtype, truncation, ...",
    ),
    no_batch: bool = typer.Option(False, "--no-batch", help="It takes one sequence, never a batch."),
    limit: float = typer.Option(
        None,
        "--limit",
        metavar="SECONDS",
        help="Time for one call. Default: 5; 30 with --jax; none with --in-process.",
    ),
    in_process: bool = typer.Option(
        False,
        "--in-process",
        help="Call it in rlcalc's process, for a debugger. A hang or crash ends all.",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
    junit: Path = typer.Option(None, "--junit", metavar="FILE", help="Also write JUnit XML."),  # noqa: B008
    write_test: Path = typer.Option(  # noqa: B008
        None, "--write-test", metavar="FILE", help="Write a pytest test of the smallest failing case."
    ),
    conventions: bool = typer.Option(False, "--conventions", help="List the declared conventions."),
    faults: bool = typer.Option(False, "--faults", help="List the known bugs."),
    kind: str = typer.Option(
        None, "--class", metavar="NAME", help="With --faults: bugs of one class, such as termination."
    ),
    self_check: bool = typer.Option(
        False, "--self-check", help="Show that the vectors detect every known bug. Takes no TARGET."
    ),
    out: Path = typer.Option(  # noqa: B008
        None, "--out", metavar="FILE", help="Save the detection matrix as JSON."
    ),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="With --self-check: all of the matrix."),
) -> None:
    """Check your function against the certified vectors of a formula, and name its bug.

    TARGET is imported and called, COMMAND is started: that runs their code,
    with all that it may do. Use it on code that you would run anyway. Vector,
    fault and case files are only ever read.

    The function takes the keyword arguments of the formula ('rlcalc show
    gae') as NumPy arrays, time last, and returns the answer for all time
    steps. Arguments that it does not name are left out. It runs in a process
    of its own, which is ended when a call takes too long.

    Exit code 0 when it conforms as declared, 1 when it does not, 2 when it
    could not be run.
    """
    for path in filter(None, (junit, write_test, out)):
        check_target(path)
    if self_check:
        _self_check(formula, out, as_json, verbose)
        return
    if conventions or faults:
        _catalogue(formula, conventions, faults, kind, as_json)
        return
    if kind:
        raise InputError("class_without_faults", f"--class {shown(kind)} says which bugs --faults lists.")
    if not formula:
        raise InputError("formula_missing", "--formula is missing.", "For example: --formula gae")
    if torch and jax:
        raise InputError("backend_twice", "--torch and --jax do not go together.")
    backend = "torch" if torch else "jax" if jax else "numpy"
    chosen = _target(target, program, backend, limit, _dtypes(dtype), in_process)
    try:
        _run(
            chosen,
            formula,
            convention or [],
            vectors or [],
            random,
            seed,
            not no_batch,
            require or [],
            as_json,
            junit,
            write_test,
        )
    finally:
        chosen.close()


def _target(
    name: str | None,
    program: str | None,
    backend: str,
    seconds: float | None,
    dtypes: tuple[str, ...],
    in_process: bool,
) -> Target:
    if bool(name) == bool(program):
        raise InputError(
            "target_missing" if not name else "target_twice",
            "There is no TARGET." if not name else f"{shown(name)} and --exec do not go together.",
            'Write package.module:function, file.py:function or --exec "command".',
        )
    if seconds is not None:
        from rlcalc.conform.target.time_limit import checked_limit

        checked_limit(seconds, "--limit")
    usual = LIMIT_COMPILED if backend == "jax" else LIMIT
    limit = usual if seconds is None else seconds
    if program:
        from rlcalc.conform.target.program import Program

        if backend != "numpy" or in_process:
            option = "in-process" if in_process else backend
            raise InputError("backend_twice", f"--exec and --{option} do not go together.")
        asked = Program(program, limit)
        asked.dtypes = dtypes
        return asked
    if in_process or os.name != "posix":  # elsewhere there are no process groups to end
        from rlcalc.conform.target.base import load_target

        found = load_target(str(name), backend, math.inf if seconds is None else seconds, dtypes)
        # what a debugger asks is to be read, and stays out of the report
        found.output = sys.stderr
        return found
    from rlcalc.conform.target.process import ProcessTarget

    return ProcessTarget(str(name), backend, limit, dtypes)


def _dtypes(names: list[str] | None) -> tuple[str, ...]:
    from rlcalc.conform.target.base import DTYPES

    if not names:
        return DTYPES
    for name in names:
        if name not in DTYPES:
            raise InputError("unknown_dtype", f"There is no dtype {shown(name)} here.", "float64 or float32.")
    return tuple(name for name in DTYPES if name in names)


def _run(
    target: Target,
    formula: str,
    conventions: list[str],
    paths: list[Path],
    random: int | None,
    seed: int,
    batches: bool,
    require: list[str],
    as_json: bool,
    junit: Path | None,
    write_test: Path | None,
) -> None:
    from rlcalc.conform.report.counterexample import counterexample
    from rlcalc.conform.report.data import report_json, write_junit
    from rlcalc.conform.report.text import report_lines
    from rlcalc.conform.runner import run
    from rlcalc.conform.vectors import vectors_of

    known = vectors_of(formula, paths) if paths else None
    count, lacking = _generated(random, target)
    with Progress() as progress:
        found = run(
            target, formula, conventions, known, count, seed, batches, watch=progress, require=require
        )
    if lacking:
        found.random_skipped = lacking
        Screen(sys.stderr).note(f"No generated cases were run: {lacking}.")
    example = counterexample(found, target)
    if junit is not None:
        write_junit(found, example, junit)
    if write_test is not None and example is not None:
        write_text(write_test, example.test)
    if as_json:
        write_json(report_json(found, example))
    else:
        _print(report_lines(found, example))
    _raise(found)


STYLES = {"good": ANSWER, "bad": ALARM, "head": HEADING}


def _print(lines: Iterable[Line]) -> None:
    screen = Screen(sys.stdout)
    for text, part in lines:
        screen.line(text, STYLES.get(part, ""))


def _generated(random: int | None, target: Target) -> tuple[int, str]:
    """How many cases to generate, and why there are none where none were refused.

    Raises:
        InputError: ``hypothesis_missing``, when cases were asked for that need it.
    """
    if random is not None:
        return random, ""
    from rlcalc.conform.generate.drawing import hypothesis_or_refuse

    try:
        hypothesis_or_refuse()
    except InputError:
        return 0, "Hypothesis is not installed; install rlcalc[test] to have them"
    return RANDOM_COMPILED if target.backend == "jax" else RANDOM, ""


def _raise(found: ConformReport) -> None:
    """Exit code 1 with its reason, unless all is as declared."""
    from rlcalc.conform.report.text import headline

    if found.passed:
        return
    if found.verdict == "conforms-under-convention":
        names = " ".join(f"--convention {c.name}" for c in found.conventions)
        raise CheckFailed(
            "convention_undeclared",
            "It conforms, but only under a convention that was not declared.",
            f"If that is what it should do, say so: {names}",
        )
    raise CheckFailed("nonconforming", f"{headline(found)}.")


def _catalogue(formula: str | None, conventions: bool, faults: bool, kind: str | None, as_json: bool) -> None:
    from rlcalc.conform.faults import catalogue, formulas_with_faults
    from rlcalc.conform.report.data import catalogue_json
    from rlcalc.conform.report.text import catalogue_lines
    from rlcalc.specs import load_formula

    names = [load_formula(formula).name] if formula else formulas_with_faults()
    known = [catalogue(name) for name in names]
    if kind:
        known = [part for part in (whole.of_class(kind) for whole in known) if part.faults or conventions]
    if as_json:
        write_json([catalogue_json(k) for k in known])
    else:
        _print(line for k in known for line in catalogue_lines(k, conventions, faults))


def _self_check(formula: str | None, out: Path | None, as_json: bool, verbose: bool) -> None:
    from rlcalc.conform.selfcheck import matrix_json, matrix_lines, matrix_verdict, self_check
    from rlcalc.specs import load_formula

    matrices = self_check([load_formula(formula).name] if formula else None)
    data = matrix_json(matrices)
    if out is not None:
        write_text(out, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        write_json(data)
    else:
        screen = Screen(sys.stdout)
        for line in matrix_lines(matrices, verbose):
            odd = line.startswith(" ") and ("NOT D" in line or not verbose)
            screen.line(line, ALARM if odd else HEADING if not line.startswith(" ") else "")
        if matrix_verdict(matrices):
            screen.line(matrix_verdict(matrices), ANSWER)
    if not data["passed"]:
        bad = sum(len(m.missed) + len(m.confused) + len(m.broken) for m in matrices)
        raise CheckFailed("faults_survive", f"{bad} bugs or pairs of them are not detected by the vectors.")
