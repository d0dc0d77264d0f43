"""The rules that turn evidence into a verdict, one by one."""

from __future__ import annotations

import pytest

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Repair,
    Simulation,
    condition,
    correction,
    reading,
)
from rlcalc.audit.proofs import reals
from rlcalc.audit.verdict import FAULTS, VERDICTS, judge, scope_of

X = reals("x")
PROOF = Identity("squares", (X + 1) ** 2, X**2 + 2 * X + 1)
BROKEN = Identity("squares", (X + 1) ** 2, X**2 + 1)
TRUE, FALSE = Exact("one", "1", "=", 1), Exact("one", "1", "=", 2)
SEEN = Simulation("mean", 1, 100, 0.5, 0.4, 0.6, 0.99, "covers", 0.5, 0.2)


class Open(Identity):
    """A proof that does not close."""

    def decide(self):  # type: ignore[no-untyped-def]
        return "open"


OPEN = Open("unfinished", X, X)


def against(claimed: Evidence = FALSE, *, outside: Evidence | None = TRUE) -> Counterexample:
    return Counterexample("numbers", claimed, violates=outside)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Findings([PROOF]), "proved"),
        (Findings([PROOF, TRUE]), "proved"),
        (Findings([SEEN]), "confirmed"),
        (Findings([PROOF, SEEN]), "confirmed"),
        (Findings([], [against()], condition("if", [PROOF])), "conditional"),
        (Findings([BROKEN], [against()], condition("if", [PROOF])), "conditional"),
        (Findings([BROKEN], [], reading("as", [PROOF], unchanged=[TRUE])), "imprecise"),
        (Findings([], [against()], reading("as", [PROOF], unchanged=[TRUE])), "imprecise"),
        (Findings([], [against()], correction("rather", [PROOF])), "wrong"),
        (Findings(unknowable="taste"), "not-checkable"),
        # faults
        (Findings(), "unsupported"),
        (Findings([], [against(TRUE)], correction("rather", [PROOF])), "unsupported"),
        (Findings([OPEN]), "undecided"),
        (Findings([PROOF, OPEN]), "undecided"),
        (Findings([], [against()], correction("rather", [OPEN])), "undecided"),
        (Findings([PROOF], [against()]), "undecided"),
        (Findings([TRUE]), "undecided"),
        (Findings([PROOF], unknowable="taste"), "undecided"),
        (Findings([BROKEN]), "refuted"),
        (Findings([], [against()]), "refuted"),
        (Findings([], [against()], correction("rather", [BROKEN])), "refuted"),
        (Findings([], [against()], correction("rather", [TRUE])), "undecided"),
        (Findings([], [against()], correction("rather", [])), "undecided"),
        (Findings([], [against()], correction("rather", [SEEN])), "undecided"),
        (Findings([BROKEN], [], correction("rather", [PROOF])), "refuted"),
        (Findings([], [against(outside=None)], condition("if", [PROOF])), "refuted"),
        (Findings([], [against(outside=FALSE)], condition("if", [PROOF])), "refuted"),
        (Findings([BROKEN], [], reading("as", [PROOF], unchanged=[])), "undecided"),
        (Findings([BROKEN], [], reading("as", [PROOF], unchanged=[FALSE])), "refuted"),
    ],
)
def test_general_statements(found: Findings, verdict: str) -> None:
    assert judge(found).verdict == verdict


def test_finitely_many_sizes_are_no_general_proof() -> None:
    examples = Findings([TRUE, Exact("two", 2, "<", 3)])
    assert judge(examples, "general").verdict == "undecided"
    assert judge(examples, "instance").verdict == "proved"


def test_a_fact_contradicts_a_taxonomy_but_no_theorem() -> None:
    fact = Fact("learns a critic", False, "=", False)
    found = Findings([], [fact], correction("it does not", [fact]))
    assert judge(found, "structure").verdict == "wrong"
    assert judge(found, "general").verdict == "undecided"
    assert judge(Findings([fact]), "general").verdict == "undecided"
    assert judge(Findings([fact]), "structure").verdict == "proved"


def test_a_table_proves_nothing() -> None:
    row = Fact("learns a critic", True, "=", True, "a table")
    assert judge(Findings([row]), "structure").verdict == "recorded"
    assert judge(Findings([row, TRUE]), "structure").verdict == "proved"
    assert judge(Findings([Exhaustive("all", 1, (), "rows", "a table")])).verdict == "recorded"


def test_evidence_of_a_repair_needs_its_text() -> None:
    found = Findings([], [against()], [PROOF])
    assert judge(found).verdict == "refuted"
    assert judge(found, repair=Repair("condition", "if")).verdict == "conditional"


def test_an_empirical_statement_may_be_repaired_by_simulation() -> None:
    found = Findings([], [against()], correction("rather", [SEEN]))
    assert judge(found, "empirical").verdict == "wrong"


def test_a_premise_that_fails_disarms_a_counterexample() -> None:
    idle = Counterexample("numbers", FALSE, premises=(FALSE,))
    assert idle.status == "fails"
    assert judge(Findings([PROOF], [idle])).verdict == "proved"


def test_what_was_not_proved_is_not_offered_as_the_truth() -> None:
    from rlcalc.audit.outcome import outcome

    found = Findings([], [against()], correction("rather", [BROKEN]))
    assert outcome("L1.1-x", judge(found), found, 0.0).instead == ""


def test_every_outcome_is_in_the_vocabulary() -> None:
    assert not set(VERDICTS) & set(FAULTS)
    assert {one("x", []).kind for one in (condition, correction)} == {"condition", "correction"}
    assert reading("x", [], unchanged=[]) == Repair("reading", "x", ())
    assert scope_of("worked number") == "instance"
    assert scope_of("definition") == "general"
