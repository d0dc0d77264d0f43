"""The result of one claim as plain data, which travels between processes and into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rlcalc.audit.evidence import Counterexample, Evidence, Findings
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
    replay: tuple[tuple[str, str, Any], ...] = ()  # command, output, exact answer


@dataclass(frozen=True)
class Outcome:
    """Verdict of one claim with everything that led to it.

    Attributes:
        instead: the condition, the precise reading or the right statement.
        caught: corruption -> the verdict it led to, where they were run.
        fault: traceback's last line, when the claim function itself failed.
    """

    id: str
    verdict: str
    reason: str
    seconds: float
    instead: str = ""
    instead_latex: str = ""
    evidence: tuple[Piece, ...] = ()
    fault: str = ""
    caught: Mapping[str, str] | None = None

    @property
    def settled(self) -> bool:
        return self.verdict not in FAULTS

    @property
    def counterexamples(self) -> list[Piece]:
        return [piece for piece in self.evidence if piece.role == "against" and piece.status == "holds"]

    def missed(self) -> list[str]:
        """Corruptions that did not change the verdict, or only broke the proof."""
        return [
            about
            for about, verdict in (self.caught or {}).items()
            if verdict in (self.verdict, "undecided", "failed")
        ]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        pieces = tuple(
            Piece(**{**piece, "lines": tuple(piece["lines"]), "replay": tuple(map(tuple, piece["replay"]))})
            for piece in data["evidence"]
        )
        return cls(**{**data, "evidence": pieces})


def outcome(id: str, judgement: Judgement, found: Findings, seconds: float) -> Outcome:
    repair = found.repair
    # what was not proved is not offered as the truth
    kept = repair if repair and judgement.verdict in ("conditional", "imprecise", "wrong") else None
    pieces = [_piece("literal", one) for one in found.literal]
    pieces += [_piece("against", one) for one in found.against]
    if repair:
        pieces += [_piece(repair.kind, one) for one in repair.evidence]
        pieces += [_piece("unchanged", one) for one in repair.unchanged]
    return Outcome(
        id,
        judgement.verdict,
        judgement.reason,
        round(seconds, 4),
        kept.statement if kept else "",
        kept.latex if kept else "",
        tuple(pieces),
    )


def _piece(role: str, one: Evidence) -> Piece:
    shown = one if isinstance(one, Counterexample) else None
    golden = shown.golden if shown else ""
    replay = tuple((each.command, each.output, each.want) for each in shown.replay) if shown else ()
    lines = tuple(line if line.startswith("$") else _signs(line) for line in one.lines())
    return Piece(role, one.kind, _signs(one.what), one.status, lines, one.latex(), golden, replay)


def _signs(text: str) -> str:
    """Relations as they are written in a formula; a part of a statement is spelt in ASCII."""
    return text.replace("<=", "≤").replace(">=", "≥").replace("!=", "≠")
