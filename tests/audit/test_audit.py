"""The audit itself: verdicts as reviewed, corruptions caught, counterexamples linked and replayed."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import sympy

from rlcalc.audit import runner
from rlcalc.audit.audited import Audited
from rlcalc.audit.claims import Claim, load_claims, reviewed, select
from rlcalc.audit.evidence import Evidence, Exact, Findings, Identity
from rlcalc.audit.formula import mismatch, read
from rlcalc.audit.proofs import reals
from rlcalc.audit.registry import Check, Statement
from rlcalc.audit.report import changed
from rlcalc.audit.runner import audit, check_of, run_claim, self_check
from rlcalc.audit.verdict import VERDICTS
from rlcalc.audit.zero import as_expression, zero_status
from rlcalc.cli.app import run
from rlcalc.errors import RlcalcError
from rlcalc.golden.files import Case, load_all
from rlcalc.nested import flatten, shape

IDS = list(load_claims())
X = reals("x")


@pytest.fixture(scope="module")
def golden() -> dict[str, Case]:
    return {case.id: case for file in load_all() for case in file.cases}


@pytest.mark.parametrize("id", IDS)
def test_verdict_and_words_are_the_reviewed_ones(id: str, outcomes: dict[str, Audited]) -> None:
    one = outcomes[id]
    assert one.verdict in VERDICTS, one.reason
    assert changed(load_claims(), [one], reviewed()) == []


def test_nothing_is_reviewed_that_is_no_claim() -> None:
    assert set(reviewed()) == set(IDS)


@pytest.mark.parametrize("id", IDS)
def test_altered_statements_are_noticed(id: str, outcomes: dict[str, Audited]) -> None:
    one = outcomes[id]
    assert one.is_guarded or one.verdict == "not-checkable", "nothing alters its verdict"
    assert one.missed() == []


def test_the_self_check_says_so(outcomes: dict[str, Audited]) -> None:
    said: list[str] = []
    assert self_check(list(outcomes.values()), said.append), "\n".join(said)
    assert "(100 %)" in said[-1]


@pytest.mark.parametrize("id", load_claims())
def test_every_formula_is_tied(id: str, outcomes: dict[str, Audited]) -> None:
    assert outcomes[id].tie == ("tied" if load_claims()[id].formula else "no formula")


@pytest.mark.slow
def test_no_formula_fits_another_claim() -> None:
    """Formulas swapped between claims: what one says, the evidence of the other does not."""
    tied = {}
    for one in load_claims().values():
        if not one.formula:
            continue
        check = check_of(one)
        assert check is not None
        tied[one.id] = (one, runner.Run(one, check).found({}))
    assert tied
    assert [id for id, (_, found) in tied.items() if not mismatch("1 = 2", found.says)] == []
    for id, (one, _) in tied.items():
        for other, (theirs, found) in tied.items():
            if id != other and read(one.formula) != read(theirs.formula):
                assert mismatch(one.formula, found.says), f"{id} says what {other} says"


def test_words_that_were_not_reviewed_fail(outcomes: dict[str, Audited]) -> None:
    """Statements and formulas replaced by nonsense, where no formula could tell."""
    nonsense = {
        id: replace(one, statement="The opposite of what the lecture says.", formula=one.formula and "1 = 2")
        for id, one in load_claims().items()
    }
    assert len(changed(nonsense, list(outcomes.values()), reviewed())) == len(nonsense)


def test_each_repair_is_said(outcomes: dict[str, Audited]) -> None:
    for one in outcomes.values():
        assert bool(one.instead) == (one.verdict in ("wrong", "conditional", "imprecise")), one.id


def test_exact_counterexamples_stand_in_the_golden_files(
    outcomes: dict[str, Audited], golden: dict[str, Case]
) -> None:
    named: dict[str, set[str]] = {}
    unnamed: list[str] = []
    for one in outcomes.values():
        for piece in one.counterexamples:
            if piece.kind == "counterexample":
                assert piece.golden in golden, f"{one.id} names {piece.golden or 'no case'}"
                named.setdefault(one.id, set()).update((piece.golden, *piece.also))
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
    outcomes: dict[str, Audited], capsys: pytest.CaptureFixture[str]
) -> None:
    for one in outcomes.values():
        for piece in one.counterexamples:
            for command, output, want in piece.replay:
                answer = answered(command, output, capsys)
                assert shape(answer) == shape(want)
                pairs = zip(flatten(answer), flatten(want), strict=True)
                assert all(_is_same(*pair) for pair in pairs), f"{one.id}: {command}"


def _is_same(answer: Any, want: Any) -> bool:
    """Golden files and the calculator put spaces and terms in the order that they like."""
    if str(answer) == str(want):
        return True
    return zero_status(as_expression(str(answer)) - as_expression(str(want))) == "holds"


def test_commands_are_what_a_shell_takes(outcomes: dict[str, Audited]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    commands = [word for one in outcomes.values() for piece in one.evidence for word, _, _ in piece.replay]
    assert commands
    done = subprocess.run(
        [bash, "-n"], input="\n".join(commands), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


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


@pytest.mark.slow
def test_processes_find_what_one_finds() -> None:
    chosen = [*select("1.4"), *select("2.4")]
    together, alone = (audit(chosen, corrupt=True, jobs=jobs) for jobs in (2, 1))
    assert [one.id for one in together] == [claim.id for claim in chosen]
    for ours, theirs in zip(together, alone, strict=True):
        assert {**vars(ours), "seconds": 0} == {**vars(theirs), "seconds": 0}


CLAIM = load_claims()["L1.3-missing-terminal-rule"]  # a claim without a formula


def declared(
    function: Callable[[Statement], Findings], entry: Mapping[str, Any] | None = None, **parts: Any
) -> tuple[Claim, Check]:
    """A claim and its check, made for one test: what its entry has besides, and its parts."""
    return replace(CLAIM, **(entry or {})), Check(function, Statement(parts))


def test_a_claim_function_that_fails_is_a_fault() -> None:
    def broken(s: Statement) -> Findings:
        raise ZeroDivisionError("by hand")

    one = run_claim(*declared(broken))
    assert one.verdict == "undecided"
    assert "by hand" in one.fault


def test_a_proof_that_never_ends_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(s: Statement) -> Findings:
        while True:
            pass

    monkeypatch.setattr(runner, "LIMIT", 0.1)
    one = run_claim(*declared(endless))
    assert one.verdict == "undecided"
    assert "longer than 0.1 seconds" in one.fault


def test_a_claim_without_a_function_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "check_of", lambda claim: None)
    assert run_claim(CLAIM).verdict == "undecided"


def test_a_check_that_does_not_listen_is_found_out() -> None:
    def deaf(s: Statement) -> Findings:
        return Findings(literal=[Exact("one", sympy.Integer(1), "=", 1)])

    claim, check = declared(deaf, {"scope": "instance"}, total=1)
    one = run_claim(claim, check, corrupt=True)
    assert one.missed() == ["total: 1 → 2", "total: 1 → 0", "total: 1 → -1"]
    said: list[str] = []
    assert not self_check([one], said.append)
    assert "0 of 3" in said[-1]


def test_an_alteration_that_only_breaks_the_check_does_not_count() -> None:
    def fragile(s: Statement) -> Findings:
        return Findings(literal=[Exact("one", sympy.Integer(1 // s.total), "=", 1)])

    one = run_claim(*declared(fragile, {"scope": "instance"}, total=1), corrupt=True)
    assert one.missed() == ["total: 1 → 0"]


@pytest.mark.parametrize("harmless", ["total: 1 → 2", "total: 1 → 7"])
def test_what_is_called_harmless_must_be(harmless: str) -> None:
    def listens(s: Statement) -> Findings:
        return Findings(literal=[Exact("one", sympy.Integer(1), "=", s.total)])

    entry = {"scope": "instance", "harmless": {harmless: "so"}}
    one = run_claim(*declared(listens, entry, total=1), corrupt=True)
    assert one.missed() == [harmless]


@pytest.mark.parametrize(
    "evidence",
    [Exact("ten is not nothing", 10, "!=", 0), Identity("itself", X + X, 2 * X), Identity("nothing", 0, 0)],
)
def test_evidence_that_cannot_fail_is_refused(evidence: Evidence) -> None:
    def idle(s: Statement) -> Findings:
        return Findings(literal=[evidence, Exact("n", sympy.Integer(1), "=", s.n)])

    one = run_claim(*declared(idle, {"scope": "instance"}, n=1))
    assert one.verdict == "vacuous"
    assert evidence.what in one.reason


def test_equal_sides_count_where_an_altered_statement_parts_them() -> None:
    def listens(s: Statement) -> Findings:
        return Findings(literal=[Identity("the building is the work", X**s.n, X)])

    one = run_claim(*declared(listens, n=1))
    assert one.verdict == "proved"
    assert "it fails for n: 1 → 2 (x^2 = x)" in one.evidence[0].lines  # so that a reader sees it can fail


@pytest.mark.parametrize(
    ("formula", "verdict"),
    [
        ("y = 2 x", "proved"),
        ("y = 3 x", "untied"),
        ("y < 2 x", "untied"),
        ("y = 2 x, z = 1", "untied"),
        (r"\foo", "untied"),
    ],
)
def test_a_formula_is_tied_to_its_evidence(formula: str, verdict: str) -> None:
    def doubled(s: Statement) -> Findings:
        return Findings(literal=[Identity("doubled", X + X, s.twice * X)])

    entry = {"formula": formula, "template": "y = @twice x"}
    assert run_claim(*declared(doubled, entry, twice=2)).verdict == verdict


def test_a_formula_that_no_part_shows_in_is_found_out() -> None:
    def loose(s: Statement) -> Findings:
        found = Findings(literal=[Identity("doubled", X + X, s.twice * X)])
        found.fill(right=X)
        return found

    entry = {"formula": "y = x", "template": "y = @right"}
    one = run_claim(*declared(loose, entry, twice=2), corrupt=True)
    assert one.missed() == ["the formula: no altered part shows in it"]


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(KeyError, match="totl"):
        Statement({"total": 1}).altered({"totl": 2})
    with pytest.raises(AttributeError, match="totl"):
        _ = Statement({"total": 1}).totl
