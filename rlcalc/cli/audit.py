"""``rlcalc audit``: the verdict on every statement of the lecture."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import Screen, page_width, write_json
from rlcalc.errors import CheckFailed, InputError, UnknownName, shown, suggestion
from rlcalc.files import check_target, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rlcalc.audit.audited import Audited
    from rlcalc.audit.claims import Claim, Review


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
    everything: bool = typer.Option(False, "--all", help="Everything that needs a change, with its numbers."),
    only_list: bool = typer.Option(False, "--list", help="List the claims; compute nothing."),
    as_json: bool = typer.Option(False, "--json", help="Print the audit as JSON."),
    html: Path = typer.Option(None, "--html", metavar="FILE", help="Write it as one HTML page."),
    errata: bool = typer.Option(False, "--errata", help="Print an errata sheet in Markdown."),
    self_check: bool = typer.Option(
        False, "--self-check", help="Also alter every statement; its verdict must change."
    ),
    record: bool = typer.Option(False, "--record", help="Accept the verdicts as reviewed."),
    jobs: int = typer.Option(None, "--jobs", min=1, help="Processes. Default: one per processor."),
) -> None:
    """Prove or refute every statement of the lecture, or find the condition under which it holds.

    Exit code 1 when a verdict differs from the reviewed one, a proof does not
    close, or --self-check finds an altered statement that passes.
    """
    from rlcalc.audit import report, runner
    from rlcalc.audit.claims import record as write_record
    from rlcalc.audit.claims import reviewed, select

    _check_options(verdict, as_json, errata)
    out, notes = Screen(sys.stdout), Screen(sys.stderr)
    if only_list:
        # what was typed with it would need a computed audit, and must not be dropped without a word
        _check_list({"--html": html, "--errata": errata, "--self-check": self_check, "--record": record})
        _list(select(section, claim), reviewed(), verdict, as_json, out, notes)
        return
    if html is not None:
        check_target(html)
    chosen = select(section, claim)
    start = time.perf_counter()
    with Progress() as bar:
        outcomes = runner.audit(chosen, corrupt=self_check, jobs=jobs, progress=partial(bar, "claims"))
    seconds = time.perf_counter() - start
    if record:
        settled = {one.id: one.verdict for one in outcomes if one.settled}
        path = write_record(settled)
        notes.note(f"{len(settled)} verdicts recorded in {path.name}.")
    claims, accepted = {one.id: one for one in chosen}, reviewed()
    seen = [one for one in outcomes if verdict in (None, one.verdict)]
    if html is not None:
        from rlcalc.audit.page import page

        write_text(html, page(claims, seen))
        notes.note(f"{len(seen)} claim{'s' * (len(seen) != 1)} written to {html}.")
    width = page_width() if out.terminal else 80
    if as_json:
        write_json(report.as_json(claims, seen, accepted, seconds, corrupt=self_check))
    elif errata:
        from rlcalc.audit.errata import sheet

        sys.stdout.write(sheet(claims, seen))
    elif claim is not None:
        # the one claim is shown whatever its verdict, so that the filter cannot hide the answer
        out.report(report.detail(claims[outcomes[0].id], outcomes[0], width))
    elif verdict is not None:
        out.report(report.listing(claims, seen, width)[1:])
    else:
        out.report(report.summary(claims, seen, width, seconds=seconds, everything=everything))
    if verdict is not None:
        notes.note(f"{len(seen)} of {len(outcomes)} claims are {verdict}.")
    _conclude(claims, outcomes, accepted, self_check, out if not (as_json or errata) else notes)


def _check_options(verdict: str | None, as_json: bool, errata: bool) -> None:
    from rlcalc.audit.verdict import FAULTS, VERDICTS

    known = [*VERDICTS, *FAULTS]
    if verdict is not None and verdict not in known:
        hint = suggestion(verdict, known) or f"Use {', '.join(VERDICTS)}."
        raise UnknownName("unknown_verdict", f"There is no verdict {shown(verdict)}.", hint)
    if as_json and errata:
        raise InputError("options_mixed", "--json and --errata both go to standard output.", "Choose one.")


def _check_list(others: Mapping[str, object]) -> None:
    for option, given in others.items():
        if given:
            raise InputError(
                "options_mixed",
                f"--list computes nothing, and {option} needs verdicts that were computed.",
                "Leave out one of the two.",
            )


def _list(
    chosen: Sequence[Claim],
    accepted: Mapping[str, Review],
    verdict: str | None,
    as_json: bool,
    out: Screen,
    notes: Screen,
) -> None:
    """Claims by what is known without computing: the verdict is the one that was reviewed last."""
    known = {one.id: accepted[one.id].verdict if one.id in accepted else None for one in chosen}
    seen = [one for one in chosen if verdict in (None, known[one.id])]
    if as_json:
        rows = [
            {"id": one.id, "section": one.section, "kind": one.kind, "reviewed": known[one.id]}
            for one in seen
        ]
        write_json({"claims": rows})
    else:
        out.report([(f"{one.id:<34} {one.kind}", "") for one in seen])
    if verdict is not None:
        notes.note(
            f"{len(seen)} of {len(chosen)} claims were {verdict} when last reviewed; "
            f"without --list the verdicts are computed."
        )


def _conclude(
    claims: Mapping[str, Claim],
    outcomes: Sequence[Audited],
    accepted: Mapping[str, Review],
    self_check: bool,
    out: Screen,
) -> None:
    """Say what differs from the review and raise for the exit code."""
    from rlcalc.audit.report import changed
    from rlcalc.audit.runner import self_check as judge_altered

    sound = True
    if self_check:
        out.line()
        sound = judge_altered(outcomes, out.line)
    different = changed(claims, outcomes, accepted)
    if different:
        shown_lines = "\n".join(different[:20] + (["…"] if len(different) > 20 else []))
        raise CheckFailed(
            "verdicts_changed",
            f"{len(different)} of {len(outcomes)} verdicts are not as reviewed.",
            f"{shown_lines}\n'rlcalc audit --record' accepts verdicts that were read.",
        )
    if not sound:
        raise CheckFailed("corruption_missed", "An altered statement kept its verdict.")
