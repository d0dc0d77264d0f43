"""The audit for people: a summary to scan, and everything about one claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rlcalc.audit.verdict import FAULTS, VERDICTS

if TYPE_CHECKING:
    from rlcalc.audit.claims import Claim
    from rlcalc.audit.outcome import Outcome, Piece

Line = tuple[str, str]  # text and style: "", heading, good, bad, caution, faint

STYLES = {
    "proved": "good",
    "confirmed": "good",
    "conditional": "caution",
    "imprecise": "caution",
    "wrong": "bad",
    "not-checkable": "faint",
    "undecided": "bad",
    "refuted": "bad",
    "unsupported": "bad",
}
MEANING = {
    "proved": "holds as it stands, by proof or exact evaluation",
    "confirmed": "holds by simulation, at the confidence shown",
    "conditional": "holds under a condition that the lecture does not state",
    "imprecise": "its notation needs repair; no printed number changes",
    "wrong": "an exact counterexample refutes it",
    "not-checkable": "nothing can be computed about it",
    "undecided": "a proof did not close: a fault of the audit",
    "refuted": "it fails and nothing proved stands in its place: a fault of the audit",
    "unsupported": "nothing speaks for it or against it: a fault of the audit",
}
TROUBLE = ("refuted", "unsupported", "undecided", "wrong", "conditional", "imprecise")
_ROLES = {
    "literal": "evidence",
    "against": "against it",
    "condition": "under the condition",
    "reading": "read that way",
    "correction": "what is right",
    "unchanged": "unchanged",
}


def changed(outcomes: Sequence[Outcome], reviewed: Mapping[str, str]) -> list[str]:
    """One line for every verdict that is not the one that was reviewed."""
    found = []
    for one in outcomes:
        before = reviewed.get(one.id)
        if not one.settled:
            found.append(f"{one.id}: {one.verdict}: {one.reason}")
        elif before is None:
            found.append(f"{one.id}: {one.verdict}, never reviewed")
        elif before != one.verdict:
            found.append(f"{one.id}: {one.verdict}, reviewed as {before}")
    return found


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many claims have each verdict, in the order of the vocabulary; faults only where there are some."""
    found = {verdict: sum(one.verdict == verdict for one in outcomes) for verdict in (*VERDICTS, *FAULTS)}
    return {verdict: n for verdict, n in found.items() if n or verdict in VERDICTS}


def summary(
    claims: Mapping[str, Claim], outcomes: Sequence[Outcome], width: int, *, seconds: float
) -> list[Line]:
    """Counts by verdict, then what is wrong, conditional or imprecise."""
    lines: list[Line] = [(f"{len(outcomes)} claims in {seconds:.1f} s", "heading")]
    for verdict, n in counts(outcomes).items():
        lines.append((f"{n:5}  {verdict:<14} {MEANING[verdict]}", STYLES[verdict] if n else "faint"))
    slow = sorted((one for one in outcomes if one.seconds >= 0.5), key=lambda one: -one.seconds)[:3]
    if slow:
        costs = ", ".join(f"{one.id} {one.seconds:.1f} s" for one in slow)
        lines += [(text, "faint") for text, _ in _paragraph("dearest proofs: ", costs, width)]
    for verdict in TROUBLE:
        chosen = [one for one in outcomes if one.verdict == verdict]
        if chosen:
            lines += [("", ""), (verdict.upper(), STYLES[verdict])]
        for one in chosen:
            lines += _trouble(claims[one.id], one, width)
    return lines


def listing(claims: Mapping[str, Claim], outcomes: Sequence[Outcome], width: int) -> list[Line]:
    """Every claim with its verdict, for a filtered view."""
    lines: list[Line] = []
    for one in outcomes:
        lines += _trouble(claims[one.id], one, width)
    return lines


def _trouble(claim: Claim, one: Outcome, width: int) -> list[Line]:
    lines: list[Line] = [("", ""), (one.id, "heading")]
    lines += _paragraph("says: ", claim.statement, width)
    if one.instead:
        word = {"conditional": "only if: ", "imprecise": "precisely: "}.get(one.verdict, "right: ")
        lines += _paragraph(word, one.instead, width)
    elif not one.settled:
        lines += _paragraph("why: ", one.reason, width)
    for piece in one.counterexamples[:1]:
        lines += _paragraph("shown by: ", piece.what, width)
        for line in piece.lines:
            if line.startswith("$"):  # a command must stay on one line to be copied
                lines.append((f"    {line}", "faint"))
            elif line.startswith(("given", "claimed")):
                lines += _paragraph("  ", line, width)
    return lines


def detail(claim: Claim, one: Outcome, width: int) -> list[Line]:
    """Everything about one claim."""
    from rlcalc.audit.latex import to_text

    lines: list[Line] = [(f"{one.id}: {one.verdict}", STYLES[one.verdict])]
    lines += [(f"section {claim.section}, {claim.kind}", "faint"), ("", "")]
    lines += _paragraph("", claim.statement, width)
    if claim.formula:
        lines += [(f"  {to_text(claim.formula)}", "")]
    if one.instead:
        lines.append(("", ""))
        word = {"conditional": "only if: ", "imprecise": "precisely: "}.get(one.verdict, "right: ")
        lines += _paragraph(word, one.instead, width)
        if one.instead_latex:
            lines += [(f"    {to_text(one.instead_latex)}", "")]
    elif one.verdict not in ("proved", "confirmed"):
        lines += [("", ""), *_paragraph("because: ", one.reason, width)]
    for piece in one.evidence:
        lines += [("", ""), *_evidence(piece, width)]
    if one.caught is not None:
        lines += [("", ""), ("spoilt statements", "heading")]
        lines += [(f"  {about}: {verdict}", "") for about, verdict in one.caught.items()]
    lines += [("", "")]
    for number, reference in enumerate(claim.reference):
        lines += _paragraph("see: " if number == 0 else "     ", reference, width)
    lines.append((f"{one.seconds:.2f} s", "faint"))
    return lines


def _evidence(piece: Piece, width: int) -> list[Line]:
    style = {"holds": "good", "fails": "bad", "open": "bad"}[piece.status]
    lines: list[Line] = [(f"{_ROLES[piece.role]}, {piece.kind}: {piece.status}", style)]
    lines += _paragraph("", piece.what, width)
    for line in piece.lines:
        # a command must stay on one line to be copied
        lines += [(f"    {line}", "faint")] if line.startswith("$") else _paragraph("  ", line, width)
    return lines


def _paragraph(label: str, text: str, width: int) -> list[Line]:
    first = f"  {label}"
    found = wrap(text, width, initial_indent=first, subsequent_indent="    ", break_long_words=False)
    return [(line, "") for line in found]


def as_json(
    claims: Mapping[str, Claim],
    outcomes: Sequence[Outcome],
    reviewed: Mapping[str, str],
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
                "reviewed": reviewed.get(one.id),
                **one.to_json(),
            }
            for one in outcomes
        ],
        "counts": counts(outcomes),
        "changed": changed(outcomes, reviewed),
        "seconds": round(seconds, 3),
    }
    if corrupt:
        total = sum(len(one.caught or {}) for one in outcomes)
        found["corruptions"] = {"total": total, "missed": sum(len(one.missed()) for one in outcomes)}
    return found
