"""``rlcalc conform``: a function of your own against the certified vectors."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, write_json
from rlcalc.errors import CheckFailed, InputError, UnknownName, shown, suggestion
from rlcalc.files import check_target, write_text

if TYPE_CHECKING:
    from rlcalc.conform.check import Request
    from rlcalc.conform.conform_report import ConformReport

EXAMPLES = """
rlcalc conform my_agent.py:gae --formula gae  # is it right, and if not, which bug is it?
rlcalc conform --exec "./my_gae" --formula gae  # a program in any language
rlcalc conform --faults --formula gae  # the known bugs
"""

# as rlcalc.conform.report.formats has them, which is imported when it is needed
FORMATS = ("text", "json", "junit", "github", "markdown", "sarif")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog=EXAMPLES)
def conform(
    target: str = typer.Argument(
        None, metavar="[TARGET]", help="package.module:function or file.py:function.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="What it should compute. Default: by its name."),
    convention: list[str] = typer.Option(
        None,
        "--convention",
        metavar="NAME",
        help="A convention that it follows, some with a value (eps=1e-5); 'rlcalc conform --conventions'.",
    ),
    mapping: list[str] = typer.Option(
        None,
        "--map",
        metavar="NAME=ROLE",
        help="What a parameter is, where its name does not say: --map xs=rewards, --map self.g=gamma.",
    ),
    binding: Path = typer.Option(
        None, "--binding", metavar="FILE", help="What all parameters are, as --write-binding wrote it."
    ),
    write_binding: Path = typer.Option(
        None, "--write-binding", metavar="FILE", help="Write down what the parameters were found to be."
    ),
    program: str = typer.Option(
        None, "--exec", metavar="COMMAND", help="Instead of TARGET: a program in any language."
    ),
    torch: bool = typer.Option(False, "--torch", help="Call it with Torch tensors."),
    jax: bool = typer.Option(False, "--jax", help="Call it with JAX arrays."),
    dtype: list[str] = typer.Option(
        None, "--dtype", metavar="NAME", help="float64 or float32. Default: both."
    ),
    vectors: list[Path] = typer.Option(
        None, "--vectors", metavar="FILE", help="Golden files to run in place of the shipped one."
    ),
    random: int = typer.Option(
        None,
        "--random",
        min=0,
        metavar="N",
        help="Generated cases. Default: 300, 50 with --jax; 0 without Hypothesis.",
        show_default=False,
    ),
    seed: int = typer.Option(0, "--seed", help="Seed of the generated cases."),
    require: list[str] = typer.Option(
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
    form: str = typer.Option("text", "--format", metavar="NAME", help=f"{', '.join(FORMATS)}."),
    junit: Path = typer.Option(None, "--junit", metavar="FILE", help="Also write JUnit XML."),
    write_test: Path = typer.Option(
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
    out: Path = typer.Option(None, "--out", metavar="FILE", help="Save the detection matrix as JSON."),
    verbose: bool = typer.Option(
        False, "--verbose", "-v", help="Print everything: each dtype, steps, the test; all of the matrix."
    ),
) -> None:
    """Check your function against the certified vectors of a formula, and name its bug.

    TARGET is imported and called, COMMAND is started: that runs their code,
    with all that it may do. Use it on code that you would run anyway. Vector,
    fault and case files are only ever read.

    The function is judged as it stands: what its parameters mean and how its
    arrays are laid out is found by their names, then by trying; the report
    says how they were read. file.py:Class.method is one as well. It runs in
    a process of its own, which is ended when a call takes too long.

    Exit code 0 when it conforms as declared, 1 when it does not, 2 when it
    could not be run.
    """
    for path in filter(None, (junit, write_test, write_binding, out)):
        check_target(path)
    if self_check:
        _self_check(formula, out, as_json, verbose)
        return
    if conventions or faults:
        _catalogue(formula, conventions, faults, kind, as_json)
        return
    if kind:
        raise InputError("class_without_faults", f"--class {shown(kind)} says which bugs --faults lists.")
    if torch and jax:
        raise InputError("backend_twice", "--torch and --jax do not go together.")
    from rlcalc.conform.check import Request

    request = Request(
        target=target or "",
        formula=formula or "",
        map=_roles(mapping or []),
        binding=str(binding) if binding else "",
        conventions=tuple(convention or ()),
        program=program or "",
        backend="torch" if torch else "jax" if jax else "numpy",
        dtypes=tuple(dtype or ()),
        vectors=tuple(str(path) for path in vectors or ()),
        random=random,
        seed=seed,
        batches=not no_batch,
        require=tuple(require or ()),
        limit=limit,
        in_process=in_process,
    )
    files = {"junit": junit, "test": write_test, "binding": write_binding}
    _run(request, checked_format(form, as_json), files, verbose)


# a place that stands for several has signs of equality of its own, and so may a text
_MAP = re.compile(r"(\s*log_prob\(.*\)\s*|[^=]*)=(.*)", re.DOTALL)


def _roles(words: list[str]) -> dict[str, str]:
    """Roles by place.

    Raises:
        InputError: ``bad_map``.
    """
    found = {}
    for word in words:
        split = _MAP.fullmatch(word)
        place, role = split.groups() if split else ("", "")
        if not (place.strip() and role.strip()):
            raise InputError("bad_map", f"{shown(word)} is not NAME=ROLE.", "For example: --map xs=rewards")
        found[place.strip()] = role.strip() if ":" in role else role.strip().replace("-", "_")
    return found


def _run(request: Request, form: str, files: Mapping[str, Path | None], verbose: bool) -> None:
    from rlcalc.conform.binding.model import Binding
    from rlcalc.conform.binding.which import told_by
    from rlcalc.conform.check import check
    from rlcalc.conform.report.data import report_json
    from rlcalc.conform.report.formats import FORMATS as writers
    from rlcalc.conform.report.text import report_lines, summary_lines

    with Progress() as progress:
        checked = check(request, progress)
    found, example = checked.report, checked.example
    if found.random_skipped.startswith("Hypothesis"):
        Screen(sys.stderr).note(f"No generated cases were run: {found.random_skipped}.")
    if not request.formula and not request.binding:
        read = (found.without or found).formula
        told = told_by(request.target, read)
        Screen(sys.stderr).note(f"Read as {read}, by its {told}; --formula says otherwise.")
    if (junit := files["junit"]) is not None:
        write_text(junit, writers["junit"]([checked]))
    if (write_binding := files["binding"]) is not None:
        write_text(write_binding, (found.binding or Binding(found.formula)).text())
    if (write_test := files["test"]) is not None:
        if example is None:
            Screen(sys.stderr).note(f"{write_test} is not written: no case fails.")
        else:
            write_text(write_test, example.test)
    if form == "json":
        write_json(report_json(found, example))
    elif form in writers:
        sys.stdout.write(writers[form]([checked]))
    else:
        Screen(sys.stdout).report(report_lines(found, example) if verbose else summary_lines(found, example))
    _raise(found)


def checked_format(name: str, as_json: bool = False) -> str:
    """The name of a format, or a refusal.

    Raises:
        UnknownName: ``unknown_format``.
        InputError: ``options_mixed``.
    """
    if name not in FORMATS:
        hint = suggestion(name, list(FORMATS)) or f"There are {', '.join(FORMATS)}."
        raise UnknownName("unknown_format", f"There is no format {shown(name)}.", hint)
    if as_json and name not in ("text", "json"):
        raise InputError("options_mixed", f"--json and --format {name} do not go together.", "Choose one.")
    return "json" if as_json else name


def _raise(found: ConformReport) -> None:
    """Exit code 1 with its reason, unless all is as declared."""
    from rlcalc.conform.report.text import declaration, headline

    if found.passed:
        return
    if found.verdict == "conforms-under-convention":
        raise CheckFailed(
            "convention_undeclared",
            "It conforms, but only under a convention that was not declared.",
            f"If that is what it should do, say so: {declaration(found.conventions)}",
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
        Screen(sys.stdout).report(line for k in known for line in catalogue_lines(k, conventions, faults))


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
