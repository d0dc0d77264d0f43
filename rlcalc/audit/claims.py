"""What the lecture says: ``specs/claims/s<chapter>.toml``, and the verdicts that were reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from rlcalc.audit.alter import Alteration
from rlcalc.audit.verdict import REPAIRS, VERDICTS, Repair, Scope
from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, InputError, UnknownName, shown, suggestion
from rlcalc.records import Place, read_record

SCHEMA = "rlcalc-claims-1"
REVIEWED = "rlcalc-reviewed-2"
CHAPTERS = {
    "0": "Executive summary",
    "1": "n-step temporal difference returns",
    "2": "TD(λ)",
    "3": "Taxonomy of algorithms",
    "4": "Policy gradient and REINFORCE",
    "5": "Fine-tuning language models",
    "6": "Baselines and the advantage function",
    "7": "Proximal policy optimisation",
    "8": "The PPO algorithm",
    "9": "Takeaways, comparison and further study",
}
_ID = re.compile(r"L[0-9](\.[0-9])?-[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")

Kind = Literal[
    "definition",
    "identity",
    "special case",
    "asymptotic",
    "inequality",
    "worked number",
    "empirical",
    "taxonomy/historical",
]


@dataclass(frozen=True)
class TableFact:
    """What rows of a table say, for a claim of taxonomy; see ``rlcalc.audit.registry``.

    Attributes:
        role: the part that it plays in the evidence: for the statement, ``against`` it, ``repair``
            (what is true instead) or ``unchanged`` (what stays under another reading).
    """

    what: str
    table: str
    column: str
    row: str = ""
    rows: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    relation: str = "="
    value: Any = None
    role: Literal["literal", "against", "repair", "unchanged"] = "literal"


@dataclass(frozen=True)
class Claim:
    """One statement of the lecture.

    Attributes:
        id: stable; its section and words. Also the link target in the HTML report.
        kind: what kind of statement it is, which decides how far it reaches.
        statement: in our own words.
        formula: LaTeX, where the statement has one.
        template: the formula with holes for the parts of which its evidence is made; see
            ``rlcalc.audit.formula.tie``.
        reference: where the literature has it.
        repair: what is true instead, a table named by its kind.
        scope: how far it reaches, where its kind does not say that.
        corruptions: altered statements that no operator makes.
        harmless: altered statements that are true as well -> why.
        check, output, expect: a worked number as data.
        fact: taxonomy as data.
        same_as: the claim that says the same; formula and repair are taken from it where none are given.
        unknowable: why nothing can be computed about it.
        read_off: why it can only be recorded: no formula of the calculator decides it.
    """

    id: str
    kind: Kind
    statement: str
    reference: tuple[str, ...]
    formula: str = ""
    template: str = ""
    repair: Repair | None = None
    scope: Scope | None = None
    corruptions: tuple[Alteration, ...] = ()
    harmless: Mapping[str, str] = field(default_factory=dict)
    check: str | tuple[str, ...] = ""
    output: str | tuple[str, ...] = ""
    expect: str | tuple[str, ...] = ""
    fact: tuple[TableFact, ...] = ()
    same_as: str = ""
    unknowable: str = ""
    read_off: str = ""

    @property
    def section(self) -> str:
        """Such as ``2.2``, or the chapter alone."""
        return self.id[1:].partition("-")[0]

    @property
    def chapter(self) -> str:
        return self.section[0]

    @property
    def fingerprint(self) -> str:
        """Of the words that a reviewer reads: statement, formula and repair."""
        repair = (self.repair.kind, self.repair.text, self.repair.formula) if self.repair else ()
        words = "\n".join((self.statement, self.formula, *repair))
        return sha256(words.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Review:
    """A verdict that a person has read, and the words that it was about.

    Attributes:
        verdict: one of ``VERDICTS``.
        text: fingerprint of the claim's words.
    """

    verdict: str
    text: str


def folder() -> Path:
    return data_folder("specs") / "claims"


@cache
def load_claims() -> dict[str, Claim]:
    """All claims by id, in the order of the lecture.

    Raises:
        DataError: ``bad_claim`` with file and id.
    """
    found: dict[str, Claim] = {}
    # the frame of the lecture, chapter 0, stands around the others: its summary first, chapter 9 last
    for chapter in CHAPTERS:
        for claim in _written(chapter):
            if claim.id in found:
                raise DataError("bad_claim", f"s{chapter}.toml: duplicate claim {claim.id}.")
            found[claim.id] = claim
    return {id: _completed(claim, found) for id, claim in found.items()}


def _completed(claim: Claim, claims: Mapping[str, Claim]) -> Claim:
    """With what it does not say itself as the claim says it that it repeats."""
    if not claim.same_as:
        return claim
    source = claims.get(claim.same_as)
    if source is None or source.same_as:
        raise DataError("bad_claim", f"{claim.id}: same_as names no claim with evidence of its own.")
    return replace(claim, **{name: getattr(claim, name) or getattr(source, name) for name in _REPEATED})


_REPEATED = ("formula", "template", "repair", "scope", "corruptions", "harmless")


def _written(chapter: str) -> Iterator[Claim]:
    """The claims of a chapter as its file has them."""
    path = folder() / f"s{chapter}.toml"
    if not path.exists():
        return
    top = read_toml(path)
    place = Place(path.name, code="bad_claim")
    if top.get("schema") != SCHEMA:
        place.refuse(f"the schema is {shown(top.get('schema'))}; this version reads {SCHEMA}.")
    for number, entry in enumerate(top.get("claim", []), start=1):
        here = place.at(entry.get("id", f"claim {number}"))
        kind = next((kind for kind in REPAIRS if kind in entry), "")
        repair = read_record(Repair, entry.pop(kind), here.at(kind), kind=kind) if kind else None
        claim = read_record(Claim, entry, here, repair=repair)
        if not _ID.fullmatch(claim.id) or claim.chapter != chapter:
            here.refuse("id and file do not belong together.")
        if claim.template and not claim.formula:
            here.refuse("there is no formula to be tied.")
        yield claim


def select(section: str | None = None, id: str | None = None) -> list[Claim]:
    """The claims of a section or chapter, or one.

    Raises:
        UnknownName: ``unknown_claim``, ``unknown_section``, with the nearest known one.
    """
    found = list(load_claims().values()) if id is None else [_one(id)]
    if section is None:
        return found
    chosen = [claim for claim in found if section in (claim.section, claim.chapter)]
    if not chosen:
        sections = sorted({claim.section for claim in load_claims().values()})
        if id is not None and section in (*sections, *CHAPTERS):
            raise UnknownName("unknown_claim", f"{id} is not in section {section}.")
        raise UnknownName(
            "unknown_section",
            f"There is no section {shown(section)}.",
            f"There are {', '.join(sections)}; one digit stands for a whole chapter.",
        )
    return chosen


def _one(id: str) -> Claim:
    """One claim; where it stands alone, only its chapter is read."""
    for claim in _written(id[1:2]):
        if claim.id == id and not claim.same_as:
            return claim
    claims = load_claims()
    if id not in claims:
        hint = suggestion(id, list(claims)) or "'rlcalc audit --list' lists them."
        raise UnknownName("unknown_claim", f"There is no claim {shown(id)}.", hint)
    return claims[id]


def reviewed() -> dict[str, Review]:
    """The verdicts that were read and accepted, by claim.

    Raises:
        DataError: ``bad_review``.
    """
    path = folder() / "reviewed.toml"
    if not path.exists():
        return {}
    top = read_toml(path)
    place = Place(path.name, code="bad_review")
    if top.get("schema") != REVIEWED or set(top) != {"schema", "claim"}:
        place.refuse(f"it has 'schema' ({REVIEWED}) and 'claim'.")
    found = {id: read_record(Review, entry, place.at(id)) for id, entry in top["claim"].items()}
    for id, review in found.items():
        if review.verdict not in VERDICTS:
            place.at(id).refuse(
                f"{shown(review.verdict)} is not a verdict.", suggestion(review.verdict, [*VERDICTS])
            )
    return found


def record(verdicts: Mapping[str, str]) -> Path:
    """Lay these verdicts, and the words they are about, over the reviewed ones and write the file.

    Raises:
        InputError: ``not_a_checkout``: an installed package keeps its data.
    """
    from rlcalc.files import write_text

    path = folder() / "reviewed.toml"
    if not (folder().parents[1] / "pyproject.toml").is_file():
        raise InputError(
            "not_a_checkout",
            "--record writes into specs/claims of a checkout, and this package is installed.",
            "Run it from a clone of the repository.",
        )
    claims = load_claims()
    merged = reviewed() | {
        id: Review(verdict, claims[id].fingerprint) for id, verdict in verdicts.items() if id in claims
    }
    lines = [
        "# Verdicts that a person has read and accepted, with a fingerprint of their words;",
        "# written by 'rlcalc audit --record'. The audit computes verdicts each time, and fails when one",
        "# differs or when the words have changed since.",
        "",
        f'schema = "{REVIEWED}"',
        "",
        "[claim]",
        *(
            f'"{id}" = {{ verdict = "{one.verdict}", text = "{one.text}" }}'
            for id in claims
            if (one := merged.get(id))
        ),
    ]
    write_text(path, "\n".join(lines) + "\n")
    return path
