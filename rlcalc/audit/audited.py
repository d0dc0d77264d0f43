"""The result of one claim as plain data, which travels between processes and into JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rlcalc.audit.cases import Counterexample
from rlcalc.audit.claims import Claim
from rlcalc.audit.evidence import Evidence, Findings
from rlcalc.audit.verdict import FAULTS, Judgement


@dataclass(frozen=True)
class Piece:
    """One piece of evidence, printed."""

    role: str  # literal | against | condition | reading | correction | unchanged
    kind: str
    what: str
    status: str
    lines: tuple[str, ...]
    latex: str = ""
    golden: str = ""
    also: tuple[str, ...] = ()  # further golden cases
    replay: tuple[tuple[str, str, Any], ...] = ()  # command, output, exact answer
    shows_little: bool = False  # both sides were the same before any work: nothing for a reader

    @property
    def value(self) -> str:
        """What a fact says there is, where it says no more than that."""
        is_more = self.kind != "fact" or re.search(" (has|in|subset|[=≠<≤>≥]) ", self.lines[0])
        return "" if is_more else self.lines[0]

    @property
    def said(self) -> str:
        """What it shows, with the value of a fact unless the words have it already."""
        is_said = self.value in ("", "True", "False")
        is_said |= bool(re.search(rf"(?<!\w){re.escape(self.value)}(?!\w)", self.what))
        return self.what if is_said else f"{self.what}: {self.value}"

    @property
    def numbers(self) -> list[str]:
        """The lines of a counterexample that say at which numbers what fails."""
        if self.kind != "counterexample":
            return []
        return [line for line in self.lines if line.startswith(("given ", "claimed: "))]


@dataclass(frozen=True)
class Altered:
    """An altered statement and the verdict it led to.

    Attributes:
        about: what was altered.
        verdict: ``refused`` where the calculator refuses its numbers, ``failed`` where its check broke.
        missed: it should have led to another verdict.
        harmless: why it keeps the verdict.
    """

    about: str
    verdict: str
    missed: bool
    harmless: str = ""


@dataclass(frozen=True)
class Audited:
    """Verdict of one claim with everything that led to it.

    Attributes:
        instead: the condition, the precise reading or the right statement.
        altered: the altered statements, where they were run.
        fault: traceback's last line, when the claim function itself failed.
        tie: ``tied`` when the formula was compared with the evidence, else why not.
    """

    id: str
    verdict: str
    reason: str
    seconds: float
    instead: str = ""
    instead_latex: str = ""
    evidence: tuple[Piece, ...] = ()
    fault: str = ""
    altered: tuple[Altered, ...] | None = None
    tie: str = ""

    @property
    def settled(self) -> bool:
        return self.verdict not in FAULTS

    @property
    def counterexamples(self) -> list[Piece]:
        return [piece for piece in self.evidence if piece.role == "against" and piece.status == "holds"]

    @property
    def is_guarded(self) -> bool:
        """Whether some altered statement changed the verdict."""
        return any(not (one.missed or one.harmless) for one in self.altered or ())

    def missed(self) -> list[str]:
        """Alterations that did not change the verdict, or only broke the proof."""
        return [one.about for one in self.altered or () if one.missed]

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        # the older name of the altered statements
        found["caught"] = None if self.altered is None else {one.about: one.verdict for one in self.altered}
        return found


def audited(
    claim: Claim,
    judgement: Judgement,
    found: Findings,
    seconds: float,
    tie: str = "",
    fails: Mapping[int, str] | None = None,
) -> Audited:
    """What a run of a claim found out, printed.

    Args:
        fails: of evidence whose sides are the same, by its place in ``roles()``: what makes it fail.
    """
    repair = claim.repair
    # what was not proved is not offered as the truth
    kept = repair if repair and judgement.verdict in ("conditional", "imprecise", "wrong") else None
    is_recorded = judgement.verdict == "recorded"
    return Audited(
        claim.id,
        judgement.verdict,
        (is_recorded and claim.read_off) or judgement.reason,
        round(seconds, 4),
        kept.text if kept else "",
        kept.formula if kept else "",
        tuple(
            _piece(repair.kind if repair and role == "repair" else role, one, (fails or {}).get(at, ""))
            for at, (role, one) in enumerate(found.roles())
        ),
        tie=tie,
    )


def _piece(role: str, one: Evidence, fails: str) -> Piece:
    shown = one if isinstance(one, Counterexample) else None
    lines = tuple(
        line if line.startswith("$") else _signs(line) for line in (*one.lines(), *filter(None, [fails]))
    )
    golden = shown.golden.id if shown else ""
    also = tuple(case.id for case in shown.also) if shown else ()
    replays = shown.replays if shown else ()
    return Piece(
        role, one.kind, _signs(one.what), one.status, lines, one.latex(), golden, also, replays, one.is_idle
    )


def _signs(text: str) -> str:
    """Relations as they are written in a formula; a part of a statement is spelt in ASCII."""
    return text.replace("<=", "≤").replace(">=", "≥").replace("!=", "≠")
