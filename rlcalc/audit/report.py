"""The audit for people: a summary to scan, and everything about one claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any

from rlcalc.audit.formula.plain import plain_text
from rlcalc.audit.verdict import FAULTS, VERDICTS

if TYPE_CHECKING:
    from rlcalc.audit.audited import Audited, Piece
    from rlcalc.audit.claims import Claim, Review

Line = tuple[str, str]  # text and style: "", heading, good, bad, caution, faint

# of each verdict: its style, and what it says
_WORDS = {
    "proved": ("good", "holds as it stands, by proof or exact evaluation"),
    "recorded": ("good", "a table with its sources says so, which is no proof"),
    "confirmed": ("good", "holds by simulation, at the confidence shown"),
    "conditional": ("caution", "holds under a condition that the lecture does not state"),
    "imprecise": ("caution", "needs more exact words; no printed number changes"),
    "wrong": ("bad", "an exact counterexample refutes it"),
    "not-checkable": ("faint", "nothing can be computed about it"),
    "undecided": ("bad", "a proof did not close: a fault of the audit"),
    "refuted": ("bad", "it fails, and nothing takes its place: a fault of the audit"),
    "unsupported": ("bad", "nothing supports or contradicts it: a fault of the audit"),
    "vacuous": ("bad", "its evidence could not fail: a fault of the audit"),
    "untied": ("bad", "its formula and its evidence differ: a fault of the audit"),
}
STYLES = {verdict: style for verdict, (style, _) in _WORDS.items()}
MEANING = {verdict: meaning for verdict, (_, meaning) in _WORDS.items()}
TROUBLE = ("untied", "vacuous", "refuted", "unsupported", "undecided", "wrong", "conditional", "imprecise")
ROLES = {
    "literal": "evidence",
    "against": "counterexample",
    "condition": "under the condition",
    "reading": "read that way",
    "correction": "correction",
    "repair": "instead",
    "unchanged": "unchanged",
}
INSTEAD = {"conditional": "only if", "imprecise": "precisely", "wrong": "correction"}
UNTIED_WORDS = "formula: none, so that nothing ties these words to the evidence but the person who read both"
# a piece of evidence in words; a counterexample that holds is verified, and no good news
STATUS = {"holds": "holds", "fails": "fails", "open": "not settled"}


def changed(
    claims: Mapping[str, Claim], outcomes: Sequence[Audited], reviewed: Mapping[str, Review]
) -> list[str]:
    """One line for every verdict that is not the one that was reviewed, or whose words have changed since."""
    found = []
    for one in outcomes:
        before = reviewed.get(one.id)
        if not one.settled:
            found.append(f"{one.id}: {one.verdict}: {one.reason}")
        elif before is None:
            found.append(f"{one.id}: {one.verdict}, never reviewed")
        elif before.verdict != one.verdict:
            found.append(f"{one.id}: {one.verdict}, reviewed as {before.verdict}")
        elif before.text != claims[one.id].fingerprint:
            found.append(f"{one.id}: its words have changed since they were reviewed")
    return found


def counts(outcomes: Sequence[Audited]) -> dict[str, int]:
    """How many claims have each verdict, in the order of the vocabulary; faults only where there are some."""
    found = {verdict: sum(one.verdict == verdict for one in outcomes) for verdict in (*VERDICTS, *FAULTS)}
    return {verdict: n for verdict, n in found.items() if n or verdict in VERDICTS}


def ties(outcomes: Sequence[Audited]) -> dict[str, int]:
    """How many formulas were compared with their evidence, and how many differ from it."""
    found = {"tied": 0, "no formula": 0, "not tied": 0}
    for one in outcomes:
        found[one.tie if one.tie in found else "not tied"] += bool(one.tie)
    return found


def tied(outcomes: Sequence[Audited]) -> str:
    """The same as a sentence."""
    found = ties(outcomes)
    said = f"{found['tied']} formulas were compared with the evidence, {found['not tied']} could not be"
    return f"{said}; {found['no formula']} statements have none."


def summary(
    claims: Mapping[str, Claim], outcomes: Sequence[Audited], width: int, *, seconds: float, everything: bool
) -> list[Line]:
    """Counts by verdict, then a line per wrong claim, or all that needs a change."""
    lines: list[Line] = [(f"{len(outcomes)} claims in {seconds:.1f} s", "heading")]
    for verdict, n in counts(outcomes).items():
        lines.append((f"{n:5}  {verdict:<14} {MEANING[verdict]}", STYLES[verdict] if n else "faint"))
    lines += [(text, "faint") for text, _ in _paragraph("", tied(outcomes), width)]
    slow = sorted((one for one in outcomes if one.seconds >= 0.5), key=lambda one: -one.seconds)[:3]
    if slow and everything:
        costs = ", ".join(f"{one.id} {one.seconds:.1f} s" for one in slow)
        lines += [(text, "faint") for text, _ in _paragraph("slowest proofs: ", costs, width)]
    for verdict in TROUBLE:
        chosen = [one for one in outcomes if one.verdict == verdict]
        if not chosen or (not everything and verdict in ("conditional", "imprecise")):
            continue
        lines += [("", ""), (verdict.upper(), STYLES[verdict])]
        for one in chosen:
            lines += (
                _trouble(claims[one.id], one, width) if everything else [_line(claims[one.id], one, width)]
            )
    if not everything:
        lines += [("", ""), ("--all: everything that needs a change; --claim ID: one claim in full", "faint")]
    return lines


def _line(claim: Claim, one: Audited, width: int) -> Line:
    says = claim.statement if one.settled else one.reason
    return shorten(f"{one.id}: {says}", width, placeholder=" …"), ""


def listing(claims: Mapping[str, Claim], outcomes: Sequence[Audited], width: int) -> list[Line]:
    """Every claim with its verdict, for a filtered view."""
    lines: list[Line] = []
    for one in outcomes:
        lines += _trouble(claims[one.id], one, width)
    return lines


def _trouble(claim: Claim, one: Audited, width: int) -> list[Line]:
    lines: list[Line] = [("", ""), (one.id, "heading")]
    lines += _paragraph("says: ", claim.statement, width)
    if one.instead:
        lines += _paragraph(f"{INSTEAD[one.verdict]}: ", one.instead, width)
    elif not one.settled:
        lines += _paragraph("why: ", one.reason, width)
    for piece in one.counterexamples[:1]:
        lines += _paragraph("shown by: ", piece.said, width)
        for line in piece.lines:
            if line.startswith("$"):  # a command must stay on one line to be copied
                lines.append((f"    {line}", "faint"))
            elif line in piece.numbers:
                lines += _paragraph("  ", line, width)
    return lines


def detail(claim: Claim, one: Audited, width: int) -> list[Line]:
    """Everything about one claim."""
    lines: list[Line] = [(f"{one.id}: {one.verdict}", STYLES[one.verdict])]
    lines += [(f"section {claim.section}, {claim.kind}", "faint"), ("", "")]
    lines += _paragraph("", claim.statement, width)
    if claim.formula:
        lines += [(f"  {plain_text(claim.formula)}", ""), (f"  formula: {one.tie}", "faint")]
    else:
        lines += [(text, "faint") for text, _ in _paragraph("", UNTIED_WORDS, width)]
    if one.instead:
        lines.append(("", ""))
        lines += _paragraph(f"{INSTEAD[one.verdict]}: ", one.instead, width)
        if one.instead_latex:
            lines += [(f"    {plain_text(one.instead_latex)}", "")]
    elif one.verdict not in ("proved", "confirmed"):
        lines += [("", ""), *_paragraph("because: ", one.reason, width)]
    if claim.same_as:
        lines += [("", ""), *_paragraph("", f"The same statement as {claim.same_as}.", width)]
    for piece in one.evidence:
        lines += [("", ""), *_evidence(piece, width)]
    if one.altered is not None:
        lines += [("", ""), ("altered statements", "heading")]
        for each in one.altered:
            why = f" ({each.harmless})" if each.harmless else ""
            lines.append((f"  {each.about}: {'MISSED, ' if each.missed else ''}{each.verdict}{why}", ""))
    lines += [("", "")]
    for number, reference in enumerate(claim.reference):
        lines += _paragraph("see: " if number == 0 else "     ", reference, width)
    lines.append((f"{one.seconds:.2f} s", "faint"))
    return lines


def _evidence(piece: Piece, width: int) -> list[Line]:
    lines: list[Line] = [_heading(piece)]
    lines += _paragraph("", piece.what, width)
    for line in piece.lines:
        # a command must stay on one line to be copied
        lines += [(f"    {line}", "faint")] if line.startswith("$") else _paragraph("  ", line, width)
    return lines


def _heading(piece: Piece) -> Line:
    if piece.kind == "counterexample":
        return {
            "holds": ("counterexample: verified", "caution"),
            "fails": ("counterexample: does not contradict it", "faint"),
            "open": ("counterexample: not settled", "bad"),
        }[piece.status]
    style = "good" if piece.status == "holds" else "bad"
    return f"{ROLES[piece.role]}, {piece.kind}: {STATUS[piece.status]}", style


def _paragraph(label: str, text: str, width: int) -> list[Line]:
    first = f"  {label}"
    found = wrap(text, width, initial_indent=first, subsequent_indent="    ", break_long_words=False)
    return [(line, "") for line in found]


def as_json(
    claims: Mapping[str, Claim],
    outcomes: Sequence[Audited],
    reviewed: Mapping[str, Review],
    seconds: float,
    *,
    corrupt: bool,
) -> dict[str, Any]:
    """The whole audit as data."""
    found: dict[str, Any] = {
        "claims": [
            {
                "section": claims[one.id].section,
                "kind": claims[one.id].kind,
                "statement": claims[one.id].statement,
                "formula": claims[one.id].formula,
                "reference": list(claims[one.id].reference),
                "text": plain_text(claims[one.id].formula),
                "reviewed": reviewed[one.id].verdict if one.id in reviewed else None,
                **one.to_json(),
            }
            for one in outcomes
        ],
        "counts": counts(outcomes),
        "formulas": ties(outcomes),
        "changed": changed(claims, outcomes, reviewed),
        "seconds": round(seconds, 3),
    }
    if corrupt:
        total = sum(len(one.altered or ()) for one in outcomes)
        found["corruptions"] = {"total": total, "missed": sum(len(one.missed()) for one in outcomes)}
    return found
