"""What the lecture says: ``specs/claims/s<chapter>.toml``, and the verdicts that were reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rlcalc.audit.verdict import VERDICTS
from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName, shown, suggestion

SCHEMA = "rlcalc-claims-1"
REVIEWED = "rlcalc-reviewed-1"
CHAPTERS = tuple("0123456789")
KINDS = (
    "definition",
    "identity",
    "special case",
    "asymptotic",
    "inequality",
    "worked number",
    "empirical",
    "taxonomy/historical",
)
_KEYS = {"id", "section", "kind", "statement", "reference"}
_ID = re.compile(r"L([0-9])(\.[0-9])?-[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")


@dataclass(frozen=True)
class Claim:
    """One statement of the lecture.

    Attributes:
        id: stable; also the link target in the HTML report.
        section: such as ``2.2``.
        kind: one of ``KINDS``.
        statement: in our own words.
        formula: LaTeX, where the statement has one.
        reference: where the literature has it.
    """

    id: str
    section: str
    kind: str
    statement: str
    formula: str
    reference: tuple[str, ...]

    @property
    def chapter(self) -> str:
        return self.section[0]


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
        path = folder() / f"s{chapter}.toml"
        if path.exists():
            for claim in _read(path, chapter):
                if claim.id in found:
                    raise DataError("bad_claim", f"{path.name}: {claim.id} stands there twice.")
                found[claim.id] = claim
    return found


def _read(path: Path, chapter: str) -> Iterable[Claim]:
    top = read_toml(path)
    if top.get("schema") != SCHEMA:
        raise DataError("bad_claim", f"{path.name}: the schema is not {SCHEMA}.")
    for entry in top.get("claim", []):
        id = str(entry.get("id", "?"))
        where = f"{path.name}: {id}: "
        missing = _KEYS - set(entry)
        extra = set(entry) - _KEYS - {"formula"}
        if missing or extra:
            keys = ", ".join(sorted(missing or extra))
            raise DataError("bad_claim", f"{where}{'it lacks' if missing else 'nobody reads'} {keys}.")
        match = _ID.fullmatch(id)
        section = str(entry["section"])
        if not match or match[1] + (match[2] or "") != section or section[0] != chapter:
            raise DataError("bad_claim", f"{where}id, section and file do not belong together.")
        if entry["kind"] not in KINDS:
            raise DataError("bad_claim", f"{where}kind is one of {', '.join(KINDS)}.")
        yield Claim(
            id,
            section,
            entry["kind"],
            entry["statement"],
            entry.get("formula", ""),
            tuple(entry["reference"]),
        )


def select(section: str | None = None, id: str | None = None) -> list[Claim]:
    """The claims of a section or chapter, or one.

    Raises:
        UnknownName: ``unknown_claim``, ``unknown_section``, with the nearest known one.
    """
    claims = load_claims()
    if id is not None:
        if id not in claims:
            hint = suggestion(id, list(claims)) or "'rlcalc audit --json' lists them."
            raise UnknownName("unknown_claim", f"There is no claim {shown(id)}.", hint)
        found = [claims[id]]
    else:
        found = list(claims.values())
    if section is None:
        return found
    chosen = [claim for claim in found if claim.section == section or claim.chapter == section]
    if not chosen:
        sections = sorted({claim.section for claim in claims.values()})
        if id is not None and section in sections:
            raise UnknownName("unknown_claim", f"{id} does not stand in section {section}.")
        raise UnknownName(
            "unknown_section",
            f"There is no section {shown(section)}.",
            f"There are {', '.join(sections)}; one digit stands for a whole chapter.",
        )
    return chosen


def reviewed() -> dict[str, str]:
    """The verdicts that were read and accepted, by claim.

    Raises:
        DataError: ``bad_review``.
    """
    path = folder() / "reviewed.toml"
    if not path.exists():
        return {}
    top = read_toml(path)
    verdicts = top.get("verdict", {})
    if top.get("schema") != REVIEWED or set(top) != {"schema", "verdict"}:
        raise DataError("bad_review", f"{path.name}: it has 'schema' ({REVIEWED}) and 'verdict'.")
    for id, verdict in verdicts.items():
        if verdict not in VERDICTS:
            raise DataError("bad_review", f"{path.name}: {id}: {shown(verdict)} is no verdict.")
    return dict(verdicts)


def record(verdicts: Mapping[str, str]) -> Path:
    """Lay these verdicts over the reviewed ones and write the file."""
    from rlcalc.files import write_text

    path = folder() / "reviewed.toml"
    merged: dict[str, Any] = {**reviewed(), **verdicts}
    known = [id for id in load_claims() if id in merged]
    lines = [
        "# Verdicts that a person has read and accepted; written by 'rlcalc audit --record'.",
        "# The audit computes them anew each time and fails when one differs.",
        "",
        f'schema = "{REVIEWED}"',
        "",
        "[verdict]",
        *(f'"{id}" = "{merged[id]}"' for id in known),
    ]
    write_text(path, "\n".join(lines) + "\n")
    return path
