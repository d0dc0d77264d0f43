"""The audit itself: verdicts as reviewed, corruptions caught, counterexamples linked and replayed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from rlcalc.audit import runner
from rlcalc.audit.claims import load_claims, reviewed, select
from rlcalc.audit.evidence import Exact, Findings
from rlcalc.audit.outcome import Outcome
from rlcalc.audit.registry import CHECKS, Check, Corruption, Statement, claim
from rlcalc.audit.runner import audit, run_claim, self_check
from rlcalc.audit.verdict import VERDICTS
from rlcalc.cli.app import run
from rlcalc.errors import RlcalcError
from rlcalc.golden.files import Case, load_all

IDS = list(load_claims())


@pytest.fixture(scope="module")
def golden() -> dict[str, Case]:
    return {case.id: case for file in load_all() for case in file.cases}


@pytest.mark.parametrize("id", IDS)
def test_verdict_is_the_reviewed_one(id: str, outcomes: dict[str, Outcome]) -> None:
    verdict, accepted, reason = outcomes[id].verdict, reviewed().get(id), outcomes[id].reason
    assert verdict == accepted, reason
    assert verdict in VERDICTS, reason


def test_nothing_is_reviewed_that_is_no_claim() -> None:
    assert set(reviewed()) == set(IDS)


@pytest.mark.parametrize("id", IDS)
def test_spoilt_statements_are_noticed(id: str, outcomes: dict[str, Outcome]) -> None:
    one = outcomes[id]
    assert one.caught or one.verdict == "not-checkable", "no corruption is declared"
    assert one.missed() == []


def test_all_corruptions_are_caught(outcomes: dict[str, Outcome]) -> None:
    said: list[str] = []
    sound = self_check(list(outcomes.values()), said.append)
    assert sound, "\n".join(said)
    assert said[-1].endswith("(100 %)")


def test_each_repair_is_said(outcomes: dict[str, Outcome]) -> None:
    for one in outcomes.values():
        assert bool(one.instead) == (one.verdict in ("wrong", "conditional", "imprecise")), one.id


def test_exact_counterexamples_stand_in_the_golden_files(
    outcomes: dict[str, Outcome], golden: dict[str, Case]
) -> None:
    named: dict[str, set[str]] = {}
    unnamed: list[str] = []
    for one in outcomes.values():
        for piece in one.counterexamples:
            if piece.kind == "counterexample":
                assert piece.golden in golden, f"{one.id} names {piece.golden or 'no case'}"
                named.setdefault(one.id, set()).add(piece.golden)
    for case in golden.values():
        ref = case.source.get("ref", "")
        if ref.startswith("audit "):
            id = ref.removeprefix("audit ")
            if case.id not in named.get(id, ()):
                unnamed.append(f"{case.id} says it was made for {id}")
                continue
            assert case.source["section"] == load_claims()[id].section
            assert any(flag.name == "counterexample" for flag in case.flags)
    assert unnamed == []


def test_counterexamples_can_be_replayed(
    outcomes: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    replayed = 0
    for one in outcomes.values():
        for piece in one.counterexamples:
            assert piece.replay or piece.kind != "counterexample", f"{one.id}: nothing to replay"
            for command, output, want in piece.replay:
                assert answered(command, output, capsys) == want, f"{one.id}: {command}"
                replayed += 1
    assert replayed >= 20


def answered(command: str, output: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command says: an exact answer, or the code of its refusal."""
    program, *words = shlex.split(command)
    assert program == "rlcalc"
    if output == "error":
        with pytest.raises(RlcalcError) as caught:
            run(words)
        return caught.value.code
    capsys.readouterr()
    assert run([*words, "--json"]) == 0
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    return outputs[output or next(iter(outputs))]["exact"]


def test_processes_find_what_one_finds() -> None:
    chosen = [*select("1.4"), *select("2.4")]
    together, alone = (audit(chosen, corrupt=True, jobs=jobs) for jobs in (2, 1))
    assert [one.id for one in together] == [claim.id for claim in chosen]
    for ours, theirs in zip(together, alone, strict=True):
        assert {**vars(ours), "seconds": 0} == {**vars(theirs), "seconds": 0}


@pytest.fixture
def declared() -> Callable[..., Check]:
    """Declare a claim function for one test."""
    before = dict(CHECKS)

    def declare(function: Callable[[Statement], Findings], **parts: Any) -> Check:
        claim("L1.4-G1", **parts)(function)
        return CHECKS["L1.4-G1"]

    CHECKS.pop("L1.4-G1", None)
    yield declare  # type: ignore[misc]
    CHECKS.clear()
    CHECKS.update(before)


def test_a_claim_function_that_fails_is_a_fault(declared: Callable[..., Check]) -> None:
    def broken(s: Statement) -> Findings:
        raise ZeroDivisionError("by hand")

    one = run_claim(declared(broken), load_claims()["L1.4-G1"])
    assert one.verdict == "undecided"
    assert "by hand" in one.fault


def test_a_proof_that_never_ends_is_a_fault(
    declared: Callable[..., Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(s: Statement) -> Findings:
        while True:
            pass

    monkeypatch.setattr(runner, "LIMIT", 0.1)
    one = run_claim(declared(endless), load_claims()["L1.4-G1"])
    assert one.verdict == "undecided"
    assert "longer than 0.1 seconds" in one.fault


def test_a_claim_without_a_function_is_a_fault() -> None:
    assert run_claim(None, load_claims()["L1.4-G1"]).verdict == "undecided"


def test_a_check_that_cannot_fail_is_found_out(declared: Callable[..., Check]) -> None:
    def deaf(s: Statement) -> Findings:
        return Findings(literal=[Exact("one", 1, "=", 1)])

    check = declared(deaf, total=1, corruptions=[Corruption("total 2", total=2)])
    one = run_claim(check, load_claims()["L1.4-G1"], corrupt=True)
    assert one.missed() == ["total 2"]
    said: list[str] = []
    assert not self_check([one], said.append)
    assert "0 of 1" in said[-1]


def test_a_corruption_that_only_breaks_the_check_does_not_count(declared: Callable[..., Check]) -> None:
    def fragile(s: Statement) -> Findings:
        return Findings(literal=[Exact("one", 1 // s.total, "=", 1)])

    check = declared(fragile, total=1, corruptions=[Corruption("total 0", total=0)])
    assert run_claim(check, load_claims()["L1.4-G1"], corrupt=True).missed() == ["total 0"]


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(KeyError, match="totl"):
        claim("L1.4-G1", total=1, corruptions=[Corruption("typing error", totl=2)])
    with pytest.raises(AttributeError, match="totl"):
        _ = Statement({"total": 1}).totl
