"""An errata sheet for the lecture's author, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlcalc.audit.audited import Audited, Piece
    from rlcalc.audit.claims import Claim

LISTED = ("wrong", "conditional", "imprecise")
_LONG = 40  # characters of a fraction
_WIDE = 120  # characters of an answer beside others
_LEAD = {"wrong": "Correction", "conditional": "It needs a condition", "imprecise": "Precisely"}


def sheet(claims: Mapping[str, Claim], outcomes: Sequence[Audited]) -> str:
    """One paragraph per claim that needs a change, by section: what it says, what is right, the numbers."""
    chosen = [one for one in outcomes if one.verdict in LISTED]
    lines = ["# Errata", ""]
    if not chosen:
        return "\n".join([*lines, "Nothing to correct.", ""])
    counts = ", ".join(f"{sum(one.verdict == word for one in chosen)} {word}" for word in LISTED)
    lines += [
        f"{len(outcomes)} statements were checked; {counts}. "
        "Numbers are exact unless an interval is given or 'about' stands before them.",
        "",
    ]
    section = ""
    for one in chosen:
        claim = claims[one.id]
        if claim.section != section:
            section = claim.section
            lines += [f"## Section {section}", ""]
        lines += [_paragraph(claim, one), ""]
    return "\n".join(lines)


def _paragraph(claim: Claim, one: Audited) -> str:
    says = f" ${claim.formula}$" if claim.formula else ""
    text = f"**{one.id}** ({one.verdict}). The lecture says: {claim.statement}{says} "
    text += f"{_LEAD[one.verdict]}: {one.instead}"
    text += f" ${one.instead_latex}$" if one.instead_latex else ""
    for piece in one.counterexamples[:1]:
        text += f" Shown by: {piece.said}" + (f" ({'; '.join(piece.numbers)})" if piece.numbers else "") + "."
        answers: dict[str, list[str]] = {}
        for command, output, want in piece.replay:
            label = "refused:" if output == "error" else output.replace("_", " ")
            answers.setdefault(command, []).append(f"{label} {_said(want)}".strip())
        commands = [f"`{command}` (answer: {_listed(said)})" for command, said in answers.items()]
        text += f" Replay: {', '.join(commands)}." if commands else ""
    same = [
        f"{piece.what}, {piece.lines[0]}"
        for piece in one.evidence
        if piece.role == "unchanged" and not _says_nothing(piece)
    ]
    return text + (f" Unchanged: {'; '.join(same)}." if same else "")


def _listed(answers: list[str]) -> str:
    """All of them but the very long ones, such as the returns of every token of a sentence."""
    return ", ".join([one for one in answers if len(one) <= _WIDE] or answers[:1])


def _says_nothing(piece: Piece) -> bool:
    """A line such as "0 = 0", or that a section prints no number, tells a reader nothing."""
    return piece.shows_little or piece.lines[0] == "0"


def _said(want: object) -> str:
    """An answer as the calculator prints it, a long fraction as about what it is."""
    if isinstance(want, list | tuple):
        return ("; " if want and isinstance(want[0], list | tuple) else " ").join(map(_said, want))
    text = str(want)
    above, _, below = text.partition("/")
    if len(text) <= _LONG or not (above.lstrip("-").isdigit() and below.isdigit()):
        return text
    return f"about {int(above) / int(below):.6g}"
