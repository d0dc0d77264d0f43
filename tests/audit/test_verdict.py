"""The rules that turn evidence into a verdict, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlcalc.audit.cases import Counterexample, vector
from rlcalc.audit.claims import load_claims
from rlcalc.audit.evidence import (
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Simulation,
)
from rlcalc.audit.proofs import reals
from rlcalc.audit.verdict import FAULTS, VERDICTS, Repair, judge, scope_of

X = reals("x")
PROOF = Identity("squares", (X + 1) ** 2, X**2 + 2 * X + 1)
BROKEN = Identity("squares", (X + 1) ** 2, X**2 + 1)
TRUE, FALSE = Exact("one", "1", "=", 1), Exact("one", "1", "=", 2)
CASE = vector("score/lecture-4.4")
SEEN = Simulation("mean", 1, 100, 0.5, 0.4, 0.6, 0.99, "covers", 0.5, 0.2)


class Open(Identity):
    """A proof that does not close."""

    def decide(self):  # type: ignore[no-untyped-def]
        return "open"


OPEN = Open("unfinished", X, X)


def against(claimed: Evidence = FALSE, *, outside: Evidence | None = TRUE) -> Counterexample:
    return Counterexample("numbers", claimed, CASE, violates=outside)


IF, AS, RATHER = Repair("condition", "if"), Repair("reading", "as"), Repair("correction", "rather")


@pytest.mark.parametrize(
    ("found", "repair", "verdict"),
    [
        (Findings([PROOF]), None, "proved"),
        (Findings([PROOF, TRUE]), None, "proved"),
        (Findings([SEEN]), None, "confirmed"),
        (Findings([PROOF, SEEN]), None, "confirmed"),
        (Findings([], [against()], [PROOF]), IF, "conditional"),
        (Findings([BROKEN], [against()], [PROOF]), IF, "conditional"),
        (Findings([BROKEN], [], [PROOF], [TRUE]), AS, "imprecise"),
        (Findings([], [against()], [PROOF], [TRUE]), AS, "imprecise"),
        (Findings([], [against()], [PROOF]), RATHER, "wrong"),
        (Findings(unknowable="taste"), None, "not-checkable"),
        # faults
        (Findings(), None, "unsupported"),
        (Findings([], [against(TRUE)], [PROOF]), RATHER, "unsupported"),
        (Findings([OPEN]), None, "undecided"),
        (Findings([PROOF, OPEN]), None, "undecided"),
        (Findings([], [against()], [OPEN]), RATHER, "undecided"),
        (Findings([PROOF], [against()]), None, "undecided"),
        (Findings([TRUE]), None, "undecided"),
        (Findings([PROOF], unknowable="taste"), None, "undecided"),
        (Findings([BROKEN]), None, "refuted"),
        (Findings([], [against()]), None, "refuted"),
        (Findings([], [against()], [PROOF]), None, "refuted"),
        (Findings([], [against()], [BROKEN]), RATHER, "refuted"),
        (Findings([], [against()], [TRUE]), RATHER, "undecided"),
        (Findings([], [against()], []), RATHER, "refuted"),
        (Findings([], [against()], [SEEN]), RATHER, "undecided"),
        (Findings([BROKEN], [], [PROOF]), RATHER, "refuted"),
        (Findings([], [against(outside=None)], [PROOF]), IF, "refuted"),
        (Findings([], [against(outside=FALSE)], [PROOF]), IF, "refuted"),
        (Findings([BROKEN], [], [PROOF]), AS, "undecided"),
        (Findings([BROKEN], [], [PROOF], [FALSE]), AS, "refuted"),
    ],
)
def test_general_statements(found: Findings, repair: Repair | None, verdict: str) -> None:
    assert judge(found, repair=repair).verdict == verdict


def test_finitely_many_sizes_are_no_general_proof() -> None:
    examples = Findings([TRUE, Exact("two", 2, "<", 3)])
    assert judge(examples, "general").verdict == "undecided"
    assert judge(examples, "instance").verdict == "proved"


def test_a_fact_contradicts_a_taxonomy_but_no_theorem() -> None:
    fact = Fact("learns a critic", False, "=", False)
    found = Findings([], [fact], [fact])
    assert judge(found, "structure", RATHER).verdict == "wrong"
    assert judge(found, "general", RATHER).verdict == "undecided"
    assert judge(Findings([fact]), "general").verdict == "undecided"
    assert judge(Findings([fact]), "structure").verdict == "proved"


def test_a_table_proves_nothing() -> None:
    row = Fact("learns a critic", True, "=", True, "a table")
    assert judge(Findings([row]), "structure").verdict == "recorded"
    assert judge(Findings([row, TRUE]), "structure").verdict == "proved"
    assert judge(Findings([Exhaustive("all", [("one", True)], "rows", "a table")])).verdict == "recorded"


def test_an_empirical_statement_may_be_repaired_by_simulation() -> None:
    assert judge(Findings([], [against()], [SEEN]), "empirical", RATHER).verdict == "wrong"


def test_a_premise_that_fails_disarms_a_counterexample() -> None:
    idle = Counterexample("numbers", FALSE, CASE, premises=(FALSE,))
    assert idle.status == "fails"
    assert judge(Findings([PROOF], [idle])).verdict == "proved"


def test_what_was_not_proved_is_not_offered_as_the_truth() -> None:
    from rlcalc.audit.audited import audited

    claim = replace(next(iter(load_claims().values())), repair=RATHER)
    found = Findings([], [against()], [BROKEN])
    assert audited(claim, judge(found, repair=RATHER), found, 0.0).instead == ""


def test_every_outcome_is_in_the_vocabulary() -> None:
    assert not set(VERDICTS) & set(FAULTS)
    assert scope_of("worked number") == "instance"
    assert scope_of("definition") == "general"
