"""The audit as one self-contained HTML page: no fonts, nothing from elsewhere.

It is read, filtered and printed without any script. The only one there is shows a field to search in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rlcalc._version import __version__
from rlcalc.audit.claims import CHAPTERS
from rlcalc.audit.report import INSTEAD, MEANING, ROLES, STYLES, UNTIED_WORDS, counts, tied
from rlcalc.audit.verdict import FAULTS, VERDICTS

if TYPE_CHECKING:
    from rlcalc.audit.audited import Audited, Piece
    from rlcalc.audit.claims import Claim

TITLE = "Audit of the lecture notes on TD(λ), policy gradients and PPO"
KINDS = {"taxonomy/historical": "classification or history"}
STYLE, SEARCH = ("\n" + Path(__file__).with_name(name).read_text("utf-8") for name in ("page.css", "page.js"))
TONES = {"good": "--good", "caution": "--caution", "bad": "--bad", "faint": "--none"}


def _rules() -> str:
    """The colour of each verdict, and what its button leaves to be seen; a link's target always is."""
    found = []
    for verdict in (*VERDICTS, *FAULTS):
        chosen = f"body:has(#only-{verdict}:checked)"
        found += [
            f".{verdict}, .filter .{verdict} {{ --tone: var({TONES[STYLES[verdict]]}); }}",
            f"{chosen} article:not(.{verdict}):not(:target), "
            f"{chosen} section:not(:target):not(:has(.{verdict}, :target)) {{ display: none; }}",
        ]
    return "\n".join(found)


def page(claims: Mapping[str, Claim], outcomes: Sequence[Audited]) -> str:
    """The whole page."""
    chapters = [number for number in CHAPTERS if any(claims[one.id].chapter == number for one in outcomes)]
    body = [
        f'<header id="top"><h1>{TITLE}</h1>',
        f"<p>{len(outcomes)} statements, each proved, refuted or given its condition by "
        f"rlcalc {__version__} on {date.today().isoformat()}. {tied(outcomes)}</p>",
        _filter(outcomes),
        '<label class="search" hidden>Search <input type="search" id="search"> <output id="found"></output>',
        "</label>",
        "</header>",
        '<nav aria-label="Contents"><ul>',
        *(f'<li><a href="#chapter-{n}">{n} {escape(CHAPTERS[n])}</a></li>' for n in chapters),
        "</ul></nav><main>",
    ]
    for number in chapters:
        body.append(f'<section id="chapter-{number}"><h2>{number} {escape(CHAPTERS[number])}</h2>')
        body += [_claim(claims[one.id], one) for one in outcomes if claims[one.id].chapter == number]
        body.append("</section>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE}</title><style>{STYLE}{_rules()}</style></head>\n<body>"
        + "\n".join(body)
        + f'</main><a class="top" href="#top">Top</a><script>{SEARCH}</script></body></html>\n'
    )


def _filter(outcomes: Sequence[Audited]) -> str:
    """How many there are of each verdict; each can be chosen to be seen alone."""
    kinds = [
        ("all", len(outcomes), "every statement"),
        *((v, n, MEANING[v]) for v, n in counts(outcomes).items()),
    ]
    items = [
        f'<label class="{verdict}"><input type="radio" name="only" id="only-{verdict}"'
        f"{' checked' * (verdict == 'all')}><b>{n}</b>{verdict}<small>{escape(meaning)}</small></label>"
        for verdict, n, meaning in kinds
    ]
    return f'<fieldset class="filter"><legend>Show</legend>{"".join(items)}</fieldset>'


def _claim(claim: Claim, one: Audited) -> str:
    parts = [
        f'<article id="{escape(one.id)}" class="{one.verdict}">',
        f'<h3><span class="tag">{one.verdict}</span>{prose(claim.statement)}</h3>',
        f'<p class="where"><a href="#{escape(one.id)}">{escape(one.id)}</a>, section {claim.section}, '
        f"{KINDS.get(claim.kind, claim.kind)}</p>",
        formula(claim.formula),
    ]
    if not claim.formula:
        parts.append(f'<p class="faint">{UNTIED_WORDS.capitalize()}.</p>')
    elif one.tie != "tied":
        parts.append(f'<p class="faint">Formula {escape(one.tie)}.</p>')
    if one.instead:
        parts.append(f"<p><strong>{INSTEAD[one.verdict].capitalize()}:</strong> {prose(one.instead)}</p>")
        parts.append(formula(one.instead_latex))
    elif one.verdict not in ("proved", "confirmed"):
        parts.append(f"<p><strong>Because:</strong> {prose(one.reason)}</p>")
    parts += [_shown(piece) for piece in one.counterexamples[:1]]
    parts.append("<details><summary>Evidence and sources</summary>")
    parts += [_piece(piece) for piece in one.evidence]
    sources = "; ".join(escape(reference) for reference in claim.reference)
    parts.append(f'<p class="faint">Sources: {sources}. Computed in {one.seconds:.2f} s.</p>')
    parts.append("</details></article>")
    return "\n".join(part for part in parts if part)


def _shown(piece: Piece) -> str:
    text = f"<p><strong>Shown by:</strong> {prose('; '.join([piece.said, *piece.numbers]))}.</p>"
    commands = dict.fromkeys(command for command, _, _ in piece.replay)
    return text + (f"<pre>{escape(chr(10).join(commands))}</pre>" if commands else "")


def _piece(piece: Piece) -> str:
    shown = [line for line in piece.lines if not line.startswith(("$", "golden case"))]
    if piece.value:  # it stands beside the words
        shown = shown[1:]
    math = formula(piece.latex)
    # the first line says in plain text what the formula says
    lines = "".join(
        f"<p>{prose(line)}</p>" for line in (shown[1:] if math and piece.kind != "counterexample" else shown)
    )
    lines += f"<p>golden case <code>{escape(piece.golden)}</code></p>" if piece.golden else ""
    status = "verified" if piece.kind == "counterexample" and piece.status == "holds" else piece.status
    role = ROLES[piece.role].capitalize()
    kind = "" if piece.kind in role.lower() else f"{piece.kind}, "
    head = f"<p><strong>{role}</strong> ({kind}{status}): {prose(piece.said)}</p>"
    return f'<div class="piece">{head}{math}{lines}</div>'


_SUB = re.compile(r"(?<![A-Za-z0-9_/])([A-Za-zα-ωΑ-Ω])_(\{[^{}]*\}|[A-Za-z0-9]+(?![A-Za-z0-9_/]))")
_SUP = re.compile(r"\^(\{[^{}]*\}|\([^()]*\)|[A-Za-z0-9α-ω∞*]+)")


def prose(text: str) -> str:
    """Running text; V_{t+n}, S_1 and γ^n get their indices where they belong."""
    marked = _SUB.sub(lambda m: f"{m[1]}<sub>{m[2].strip('{}')}</sub>", escape(text))
    return _SUP.sub(lambda m: f"<sup>{m[1].strip('{}')}</sup>", marked)


def formula(latex: str) -> str:
    """A formula as a block that scrolls by itself on a narrow page; nothing where there is none."""
    if not latex:
        return ""
    from latex2mathml.converter import convert

    # what stands apart in a line may break apart on a narrow page
    parts = [convert(part, display="block") for part in re.split(r"\\q?quad", latex) if part.strip()]
    return f'<div class="formula">{" ".join(parts)}</div>'
