"""From evidence to a verdict, by rules that look at nothing else.

In this order:

1. A reason why nothing can be known, and no evidence: ``not-checkable``.
2. Any evidence that stays open: ``undecided``.
3. The statement is not contradicted. All evidence is exact and, for a general
   statement, a proof is among it: ``proved``. Some is statistical: ``confirmed``.
   A general statement with examples only: ``undecided``. All of it was read
   off tables, which can only repeat what was written into them: ``recorded``.
4. Evidence for the statement holds and a counterexample to it holds as well:
   ``undecided``, since one of the two is mistaken.
5. The statement is contradicted. What stands in its place must be proved by
   the same standard:
   a condition, outside of which the counterexample lies: ``conditional``;
   another reading, under which all printed numbers stay: ``imprecise``;
   another statement: ``wrong``.
   Conditional and wrong need a counterexample in exact numbers (in taxonomy, a
   contradicting fact); an imprecise one may also fail by its own evidence.
6. Contradicted, and nothing proved in its place: ``refuted``. Neither
   contradicted nor supported: ``unsupported``.

Two more are found before any of these rules (``rlcalc.audit.runner``):
``vacuous``, a piece of evidence that could not fail, and ``untied``, a
formula that says something else than its evidence. They, the last two and
``undecided`` are faults of the audit, never verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rlcalc.audit.cases import Counterexample
from rlcalc.audit.evidence import Evidence, Findings

Scope = Literal["general", "instance", "structure", "empirical"]
VERDICTS = ("proved", "recorded", "confirmed", "conditional", "imprecise", "wrong", "not-checkable")
REPAIRS = ("condition", "reading", "correction")
FAULTS = ("undecided", "refuted", "unsupported", "vacuous", "untied")

_SCOPE_OF_KIND: dict[str, Scope] = {
    "worked number": "instance",
    "taxonomy/historical": "structure",
    "empirical": "empirical",
}


@dataclass(frozen=True)
class Repair:
    """What is true instead, in words; the evidence for it is that of the claim function.

    A ``condition`` under which the statement holds; a ``reading`` of it that
    holds, while every printed number stays; a ``correction``.

    Attributes:
        unchanged: golden cases, or ``case:output``, whose printed numbers stay under a reading; without
            any, and without other evidence of that, the section must print none.
    """

    kind: Literal["condition", "reading", "correction"]
    text: str
    formula: str = ""
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    verdict: str
    reason: str


def scope_of(kind: str) -> Scope:
    """How far a statement of this kind reaches, unless its function says otherwise."""
    return _SCOPE_OF_KIND.get(kind, "general")


def judge(found: Findings, scope: Scope = "general", repair: Repair | None = None) -> Judgement:
    """Apply the rules of this module.

    Args:
        found: the evidence.
        scope: how far the statement reaches.
        repair: the words that the evidence of a repair is for; without them it is none.
    """
    if found.unknowable:
        if found.all():
            return Judgement("undecided", "It is called uncheckable, and yet there is evidence.")
        return Judgement("not-checkable", found.unknowable)
    for piece in found.all():
        if piece.status == "open":
            return Judgement("undecided", f"Not settled: {piece.what}.")
    contradicting = [piece for piece in found.against if piece.status == "holds"]
    failing = [piece for piece in found.literal if piece.status == "fails"]
    if not contradicting and not failing:
        return _supported(found, scope)
    if contradicting and found.literal and not failing:
        return Judgement("undecided", f"Evidence for it holds, and so does this: {contradicting[0].what}.")
    return _replaced(found, repair, contradicting, failing, scope)


def _supported(found: Findings, scope: Scope) -> Judgement:
    if not found.literal:
        why = "No counterexample contradicts it, and no evidence supports it."
        return Judgement("unsupported", why if found.against else "There is no evidence.")
    if all(piece.recorded for piece in found.literal):
        verdict = "recorded"
    else:
        verdict = "confirmed" if any(piece.statistical for piece in found.literal) else "proved"
    return _standard(found.literal, scope) or Judgement(
        verdict, "; ".join(piece.what for piece in found.literal)
    )


def _standard(evidence: list[Evidence], scope: Scope) -> Judgement | None:
    """What is missing for these pieces, which all hold, to settle a statement."""
    if not evidence:
        return Judgement("undecided", "Nothing shows it.")
    if scope == "general" and not any(piece.general for piece in evidence):
        why = "Examples and facts prove no general statement (scope='structure' or 'instance' if it is none)."
        return Judgement("undecided", why)
    return None


def _replaced(
    found: Findings,
    repair: Repair | None,
    contradicting: list[Evidence],
    failing: list[Evidence],
    scope: Scope,
) -> Judgement:
    first = (contradicting or failing)[0]
    if repair is None or not found.repair:
        return Judgement("refuted", f"It fails: {first.what}. Nothing stands in its place.")
    for piece in (*found.repair, *found.unchanged):
        if piece.status == "fails":
            return Judgement("refuted", f"It fails, and its {repair.kind} does not hold: {piece.what}.")
    lacking = _standard(found.repair, scope)
    if lacking is None and scope != "empirical" and all(piece.statistical for piece in found.repair):
        lacking = Judgement("undecided", f"Its {repair.kind} was only simulated.")
    if lacking is not None:
        return lacking
    if repair.kind == "reading":
        if not found.unchanged:
            return Judgement("undecided", "Nothing shows that the printed numbers stay under the reading.")
        return Judgement("imprecise", repair.text)
    exact = [piece for piece in contradicting if isinstance(piece, Counterexample)]
    if not exact and not (contradicting and scope in ("structure", "empirical")):
        return Judgement("refuted", f"It fails ({first.what}), but no exact counterexample shows it.")
    if repair.kind == "condition":
        for piece in exact:
            if piece.violates is None or piece.violates.status != "holds":
                return Judgement("refuted", f"The counterexample meets the condition: {piece.what}.")
        return Judgement("conditional", repair.text)
    return Judgement("wrong", repair.text)
