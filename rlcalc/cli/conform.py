"""``rlcalc conform``: somebody else's function against the certified vectors."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen
from rlcalc.errors import CheckFailed, InputError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"help_option_names": ["-h", "--help"]})
def conform(
    target: str = typer.Argument(
        None, metavar="TARGET", help="package.module:function or file.py:function.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="The formula that it should compute."),
    convention: list[str] = typer.Option(  # noqa: B008
        None, "--convention", metavar="NAME", help="Declared reading, such as truncation-as-termination."
    ),
    torch: bool = typer.Option(False, "--torch", help="Call it with Torch tensors."),
    jax: bool = typer.Option(False, "--jax", help="Call it with JAX arrays."),
    limit: float = typer.Option(5.0, "--limit", metavar="SECONDS", help="Time for one call."),
    self_check: bool = typer.Option(
        False, "--self-check", help="Show which vectors kill which known fault; no target."
    ),
    out: Path = typer.Option(None, "--out", metavar="FILE", help="Save the kill matrix as JSON."),  # noqa: B008
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Hold your own function to the certified vectors of a formula.

    TARGET is imported and called: that runs its code, with all that it may
    do. Nothing in a vector, fault or case file is ever executed.

    Exit code 0 when it conforms, 1 when it does not, 2 when it could not be run.
    """
    if self_check:
        _self_check(formula, out, as_json)
        return
    if not formula:
        raise InputError("formula_missing", "--formula is missing: which formula should it compute?")
    if not target:
        raise InputError("target_missing", "There is no TARGET.", "Write file.py:function.")
    from rlcalc.conform.report import print_report, report_json
    from rlcalc.conform.runner import run
    from rlcalc.conform.targets import load_target

    backend = "torch" if torch else "jax" if jax else "numpy"
    found = run(load_target(target, backend, limit), formula, convention or ())
    if as_json:
        _print_json(report_json(found))
    else:
        print_report(found, Screen(sys.stdout))
    if found.verdict == "conforms-under-convention" and not found.declared:
        names = " ".join(f"--convention {c.name}" for c in found.conventions)
        raise CheckFailed(
            "convention_undeclared",
            f"{found.target} conforms to {found.formula} only under a convention that was not declared.",
            f"If that is what it should do, say so: {names}",
        )
    if not found.passed:
        raise CheckFailed("nonconforming", f"{found.target} does not conform to {found.formula}.")


def _print_json(data: object) -> None:
    import json

    print(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2))


def _self_check(formula: str | None, out: Path | None, as_json: bool) -> None:
    from rlcalc.conform.selfcheck import matrix_json, matrix_lines, self_check

    matrices = self_check([formula] if formula else None)
    data = matrix_json(matrices)
    if out is not None:
        import json

        from rlcalc.toml_edit import write_whole

        write_whole(out, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        _print_json(data)
    else:
        screen = Screen(sys.stdout)
        for line in matrix_lines(matrices):
            odd = "SURVIVES" in line or "told apart by nothing" in line
            screen.line(line, ALARM if odd else HEADING if not line.startswith(" ") else "")
        if data["passed"]:
            count = data["faults"]
            screen.line(f"{count} faults, each killed at least twice; every pair told apart.", ANSWER)
    if not data["passed"]:
        bad = sum(len(m.survivors) + len(m.confused) + len(m.broken) for m in matrices)
        raise CheckFailed("faults_survive", f"{bad} faults or pairs of them are not caught by the vectors.")
