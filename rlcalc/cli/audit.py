"""``rlcalc audit``: the verdict on every statement of the lecture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, CAUTION, FAINT, HEADING, Screen
from rlcalc.errors import CheckFailed, InputError, UnknownName, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rlcalc.audit.outcome import Outcome
    from rlcalc.audit.report import Line

_STYLES = {"heading": HEADING, "good": ANSWER, "bad": ALARM, "caution": CAUTION, "faint": FAINT, "": ""}

EXAMPLES = """
rlcalc audit --section 2.4  # one section of the lecture
rlcalc audit --errata  # what is wrong, and what is right
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog=EXAMPLES)
def audit(
    section: str = typer.Option(None, "--section", help="Only this section, such as 2.2, or chapter."),
    claim: str = typer.Option(None, "--claim", metavar="ID", help="Everything about one claim."),
    verdict: str = typer.Option(None, "--verdict", help="Show only claims with this verdict, such as wrong."),
    as_json: bool = typer.Option(False, "--json", help="Print the audit as JSON."),
    html: Path = typer.Option(None, "--html", metavar="FILE", help="Write it as one HTML page."),  # noqa: B008
    errata: bool = typer.Option(False, "--errata", help="Print an errata sheet in Markdown."),
    self_check: bool = typer.Option(
        False, "--self-check", help="Also spoil every statement; its verdict must change."
    ),
    record: bool = typer.Option(False, "--record", help="Accept the verdicts as reviewed."),
    jobs: int = typer.Option(None, "--jobs", min=1, help="Processes. Default: one per processor."),
) -> None:
    """Prove, confirm, condition or refute every statement of the lecture.

    Exit code 1 when a verdict differs from the reviewed one, a proof does not
    close, or --self-check finds a spoilt statement that passes.
    """
    import time

    from rlcalc.audit import report, runner
    from rlcalc.audit.claims import load_claims, reviewed, select
    from rlcalc.audit.claims import record as write_record

    _check_options(verdict, as_json, errata)
    chosen = select(section, claim)
    start = time.perf_counter()
    outcomes = runner.audit(chosen, corrupt=self_check, jobs=jobs)
    seconds = time.perf_counter() - start
    claims, accepted = load_claims(), reviewed()
    seen = [one for one in outcomes if verdict in (None, one.verdict)]
    out, notes = Screen(sys.stdout), Screen(sys.stderr)
    if record:
        accepted = {**accepted, **{one.id: one.verdict for one in outcomes if one.settled}}
        path = write_record({one.id: one.verdict for one in outcomes if one.settled})
        notes.note(f"{sum(one.settled for one in outcomes)} verdicts recorded in {path.name}.")
    if html is not None:
        from rlcalc.audit.page import page
        from rlcalc.files import write_text

        write_text(html, page(claims, seen))
        notes.note(f"{len(seen)} claim{'s' * (len(seen) != 1)} written to {html}.")
    width = _width(out)
    if as_json:
        import json

        found = report.as_json(claims, seen, accepted, seconds, corrupt=self_check)
        print(json.dumps(found, ensure_ascii=False, allow_nan=False, indent=2))
    elif errata:
        from rlcalc.audit.errata import sheet

        sys.stdout.write(sheet(claims, seen))
    elif claim is not None:
        _print(out, [line for one in seen for line in report.detail(claims[one.id], one, width)])
    elif verdict is not None:
        _print(out, report.listing(claims, seen, width)[1:])
        notes.note(f"{len(seen)} of {len(outcomes)} claims are {verdict}.")
    else:
        _print(out, report.summary(claims, seen, width, seconds=seconds))
    _conclude(outcomes, accepted, self_check, out if not (as_json or errata) else notes)


def _check_options(verdict: str | None, as_json: bool, errata: bool) -> None:
    from rlcalc.audit.verdict import FAULTS, VERDICTS

    known = [*VERDICTS, *FAULTS]
    if verdict is not None and verdict not in known:
        hint = suggestion(verdict, known) or f"Use {', '.join(VERDICTS)}."
        raise UnknownName("unknown_verdict", f"There is no verdict {shown(verdict)}.", hint)
    if as_json and errata:
        raise InputError("options_mixed", "--json and --errata both go to standard output.", "Choose one.")


def _width(out: Screen) -> int:
    from rlcalc.cli.screen import page_width

    return page_width() if out.terminal else 80


def _print(out: Screen, lines: Sequence[Line]) -> None:
    for text, style in lines:
        out.line(text, _STYLES[style])


def _conclude(outcomes: Sequence[Outcome], accepted: dict[str, str], self_check: bool, out: Screen) -> None:
    """Say what differs from the review and raise for the exit code."""
    from rlcalc.audit.report import changed
    from rlcalc.audit.runner import self_check as judge_corruptions

    sound = True
    if self_check:
        out.line()
        sound = judge_corruptions(outcomes, out.line)
    different = changed(outcomes, accepted)
    if different:
        shown_lines = "\n".join(different[:20] + (["…"] if len(different) > 20 else []))
        raise CheckFailed(
            "verdicts_changed",
            f"{len(different)} of {len(outcomes)} verdicts are not as reviewed.",
            f"{shown_lines}\n'rlcalc audit --record' accepts verdicts that were read.",
        )
    if not sound:
        raise CheckFailed("corruption_missed", "A spoilt statement kept its verdict.")
