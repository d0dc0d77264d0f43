"""The audit of the lecture: a page for every chapter, computed as the site is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rlcalc.audit.audited import Audited
from rlcalc.audit.claims import CHAPTERS, Claim, load_claims
from rlcalc.audit.page import TITLE, formula, prose
from rlcalc.audit.report import INSTEAD, MEANING, counts, tied
from rlcalc.audit.runner import audit
from rlcalc.site import markdown as md

SOURCE = (
    "The lecture is a set of notes on TD(λ), policy gradients and PPO, chapters 0 to 9; each statement is "
    "given here in our own words with the section that it stands in. Everything below is computed by "
    "`rlcalc audit`: proofs closed by SymPy, exact counterexamples, enumerations and simulations."
)


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of the pages of the audit."""
    claims = load_claims()
    outcomes = audit(list(claims.values()))
    yield "lecture/index.md", _index(claims, outcomes)
    for chapter, title in CHAPTERS.items():
        found = [one for one in outcomes if claims[one.id].chapter == chapter]
        if found:
            text = md.document(f"{chapter} {title}", *(_claim(claims[one.id], one) for one in found))
            yield f"lecture/chapter-{chapter}.md", text


def _index(claims: Mapping[str, Claim], outcomes: list[Audited]) -> str:
    verdicts = [(f"**{v}**", str(n), MEANING[v]) for v, n in counts(outcomes).items()]
    chapters = [
        (md.link(f"{number} {title}", f"chapter-{number}.md"), str(count))
        for number, title in CHAPTERS.items()
        if (count := sum(claims[one.id].chapter == number for one in outcomes))
    ]
    wrong = [one for one in outcomes if one.verdict == "wrong"]
    return md.document(
        TITLE,
        SOURCE,
        f"{len(outcomes)} statements. {tied(outcomes)}",
        md.table(("verdict", "statements", "what it means"), verdicts),
        md.section("Chapters", md.table(("chapter", "statements"), chapters)),
        md.section("What is wrong", md.bullets(_short(claims[one.id], one) for one in wrong)),
    )


def _short(claim: Claim, one: Audited) -> str:
    where = f"chapter-{claim.chapter}.md#{one.id.lower()}"
    return f"{md.link(md.text(one.id), where)}: {md.text(claim.statement)}"


def _claim(claim: Claim, one: Audited) -> str:
    lines = [
        f"## {md.text(one.id)} {{ #{one.id.lower()} }}",
        f'<p class="verdict {one.verdict}">{one.verdict} <span>section {claim.section}</span></p>',
        f"<p>{prose(claim.statement)}</p>",
        formula(claim.formula),
    ]
    if one.instead:
        lines += [
            f"<p><b>{INSTEAD[one.verdict].capitalize()}:</b> {prose(one.instead)}</p>",
            formula(one.instead_latex),
        ]
    for piece in one.counterexamples[:1]:
        lines.append(f"<p><b>Shown by:</b> {prose('; '.join([piece.said, *piece.numbers]))}.</p>")
        commands = dict.fromkeys(command for command, _, _ in piece.replay)
        lines.append(md.block([f"$ {command}" for command in commands], "console") if commands else "")
    lines.append(f"Sources: {md.text('; '.join(claim.reference))}.")
    return "\n\n".join(line for line in lines if line)
