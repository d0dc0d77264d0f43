"""``rlcalc golden``: certify and export the golden files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.command import Command, Group
from rlcalc.cli.screen import Screen, write_json
from rlcalc.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from rlcalc.golden.certify import Certification

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    cls=Group,
    help="Certify, check and export the golden vectors.",
    epilog="rlcalc golden certify --check  # for CI\nrlcalc golden export --output vectors.json",
)


@app.command(cls=Command, epilog="rlcalc golden certify\nrlcalc golden certify --check")
def certify(
    files: list[Path] = typer.Argument(
        None, help="Golden files. Default: the shipped ones.", show_default=False
    ),
    check: bool = typer.Option(False, "--check", help="Write nothing; fail if anything is missing."),
    overwrite: bool = typer.Option(
        False, "--overwrite", help="Replace 'exact' and 'decimal' where the exact form differs."
    ),
) -> None:
    """Confirm every exact value and write the missing decimals.

    What a source printed is never changed. Exit code 1 when a file and the
    exact forms differ.
    """
    from rlcalc.golden.certify import certify as certify_file
    from rlcalc.golden.files import load_all
    from rlcalc.reference import without_oracle

    if check and overwrite:
        raise InputError("options_mixed", "--check and --overwrite do not go together.", "Choose one.")
    paths = list(files or []) or [file.path for file in load_all()]
    reports = []
    for path in paths:
        reports.append(certify_file(path, write=not check, overwrite=overwrite))
        _print(reports[-1])
    if not files and (alone := without_oracle()):
        Screen(sys.stderr).note(f"no second definition in rlcalc.reference: {', '.join(alone)}.")
    differences = sum(len(report.differences) for report in reports)
    missing = sum(len(report.missing) for report in reports)
    if differences or missing:
        hint = "'rlcalc golden certify' fills in what is missing." if missing else ""
        raise CheckFailed("not_certified", f"{differences} values differ, {missing} are missing.", hint)


def _print(report: Certification) -> None:
    out = Screen(sys.stdout)
    state = "certified" if report.complete else "not certified"
    added = f", {report.written} value{'s' * (report.written > 1)} written" if report.written else ""
    out.line(f"{report.path.name}: {report.cases} cases, {state}{added}")
    for line in [*report.missing, *map(str, report.differences)]:
        out.line(f"  {line}")
    for difference in report.overwritten:
        was = f"{difference.what} was {difference.recorded}"
        out.line(f"  overwritten, {difference.where}: {was}, {difference.derived}")


@app.command(
    cls=Command,
    epilog="rlcalc golden export --formula gae --output gae.json\nrlcalc golden export --release vectors",
)
def export(
    formula: str = typer.Option(None, "--formula", help="Only this formula."),
    output: Path = typer.Option(
        None, "--output", metavar="FILE|DIR", help="A file for everything, or a folder for one file each."
    ),
    release: Path = typer.Option(
        None,
        "--release",
        metavar="DIR",
        help="A folder for all that other languages need: numbers, schemas, runners, a manifest.",
    ),
) -> None:
    """Write the golden vectors as plain JSON, for other languages.

    Numbers stay text, so that no reader rounds them.
    """
    from rlcalc.files import check_target, write_text
    from rlcalc.golden.export import file_json
    from rlcalc.golden.files import load_all
    from rlcalc.specs import load_formula

    if release is not None:
        if output is not None or formula is not None:
            raise InputError(
                "options_mixed", "--release writes everything.", "Leave out --output and --formula."
            )
        _release(release)
        return
    if output is not None and not output.is_dir():
        check_target(output)
    files = load_all()
    if formula is not None:
        name = load_formula(formula).name
        files = tuple(file for file in files if file.formula == name)
        if not files:
            raise InputError("nothing_selected", f"There is no golden file for {name}.")
    if output is not None and output.is_dir():
        for file in files:
            write_text(output / f"{file.formula}.json", _json(file_json(file)))
        return
    everything = {"schema": "rlcalc-golden-1", "files": [file_json(file) for file in files]}
    if output is None:
        write_json(everything)
    else:
        write_text(output, _json(everything))


def _release(folder: Path) -> None:
    from rlcalc.golden.release import write_release

    if folder.exists() and any(folder.iterdir()):
        raise InputError("folder_not_empty", f"There are files in {folder}.", "Name a new folder.")
    for part in ("schemas", "runners"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    manifest = write_release(folder)
    Screen(sys.stdout).line(
        f"{folder}: {manifest['cases']} cases of {len(manifest['formulas'])} formulas, "
        f"{len(manifest['sha256'])} files; manifest.json has their hashes"
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
