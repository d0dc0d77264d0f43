"""Methods on objects, judged by ``file.py:Class.method`` and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlcalc.conform.check import Request, check
from rlcalc.conform.report.text import LONGEST, WIDTH, summary_lines
from rlcalc.conform.runner import ConformReport
from rlcalc.testing import conformance_suite
from tests.conform import object_targets
from tests.sweep import sweep

HERE = Path(object_targets.__file__)
RIGHT = {
    "Diary.advantages": "gae",
    "Window.n_step_return": "discounted_return",
    "Columns.discounted_returns": "discounted_return",
    "Estimator.gae": "gae",
    "Trip.returns": "discounted_return",
    "Trip.discounted_returns": "discounted_return",
    "Base.compute_gae": "gae",
    "Critic.value_loss": "value_clip_loss",
    "OneRow.get_advantages": "gae",
    "OwnDiscount.discounted_returns": "discounted_return",
    "Network.compute_target": "q_target",
    "GAE.estimate": "gae",
    "AppendsZero.compute_gae": "gae",
    "Soft.target_q": "sac_target",
    "Weighted.compute_gae": "gae",
}
FAULTY = {
    "OwnDiscount.discounted_returns_across_ends": "flags-ignored",
    "Network.target_without_ends": "bootstrap-after-terminal",
    "Imagined.lambda_return": "bootstraps-from-own-value",
    "Weighted.compute_gae_across_ends": "recursion-crosses-ends",
}


def judged(name: str, **more: object) -> ConformReport:
    return check(Request(target=f"{HERE}:{name}", in_process=True, random=5, **more)).report  # type: ignore[arg-type]


def said(name: str) -> str:
    binding = judged(name).binding
    assert binding is not None
    return " ".join(binding.notes)


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("name", sweep(RIGHT, 3))
def test_a_right_method(name: str) -> None:
    found = judged(name)
    assert (found.verdict, found.formula) == ("conforms", RIGHT[name]), found.binding


@pytest.mark.parametrize("name", sweep(FAULTY, 2))
def test_a_faulty_method(name: str) -> None:
    found = judged(name)
    assert found.diagnosis is not None
    assert [match.name for match in found.diagnosis.matches] == [FAULTY[name]]


@pytest.mark.usefixtures("verdict_alone")
def test_a_class_is_named_after_what_its_advantages_are() -> None:
    found = judged("GRPOTrainer.compute_advantages")
    assert found.formula == "group_advantage"  # of several groups, one after the other
    assert [way.name for way in found.conventions] == ["eps-1e-6", "singleton-nan"]


def test_what_a_reading_takes_for_granted_is_said() -> None:
    assert "with T entries the value after the last step counts as 0" in said("AppendsZero.compute_gae")
    assert "--map value=next_values" in said("Imagined.lambda_return")
    without = said("OwnDiscount.discounted_returns_without_flags")
    assert "self.dones is kept and never read: right for one episode a call" in without


@pytest.mark.usefixtures("verdict_alone")
def test_the_other_reading_is_right_when_it_is_mapped() -> None:
    assert judged("Imagined.lambda_return", map={"value": "next_values"}).verdict == "conforms"


def test_a_number_of_the_body_is_asked_about_on_all_vectors() -> None:
    found = judged("OwnDiscount.discounted_returns")
    assert found.binding is not None
    assert found.binding.fixed == {"gamma": 0.97}
    assert sum(judgement.status == "passed" for judgement in found.judgements) > 20
    assert found.random == 5


@pytest.mark.usefixtures("verdict_alone")
def test_a_constant_too_small_for_single_precision_is_no_reason_to_call_it_wrong() -> None:
    found = judged("Reinforce.compute_returns")
    assert [way.name.partition("=")[0] for way in found.conventions] == ["standardised-returns"]


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_single_precision_leaves_the_power_of_ten_of_a_constant() -> None:
    found = judged("Weighted.normalised_gae")
    assert [way.name for way in found.conventions] == ["whitened-advantages=0.0001"]


@pytest.mark.slow  # two bugs at once are looked for
def test_the_report_of_two_bugs_keeps_to_its_length_and_to_the_width_of_a_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # a long path of the checkout takes a line of its own
    monkeypatch.chdir(HERE.parent)
    found = check(Request(target=f"{HERE.name}:TwoBugs.compute_gae", in_process=True, random=5))
    lines = [text for text, _ in summary_lines(found.report, found.example)]
    names = "last-value-one-early + recursion-crosses-ends"
    assert f"known bug: {names}" in lines
    assert len(lines) <= LONGEST
    assert max(map(len, lines[1:])) <= WIDTH
    words = [line.split()[0] for line in lines if line.strip()]
    assert words.count("what") == words.count("fix") == 2


def test_pytest_asks_about_a_number_of_the_body_as_the_command_does() -> None:
    suite = conformance_suite(
        object_targets.OwnDiscount.discounted_returns, formula="discounted_return", random=0
    )
    cases = next(mark.args[1] for mark in suite.pytestmark)  # type: ignore[attr-defined]
    passed = 0
    for case in cases:
        try:
            suite(*case.values)
            passed += 1
        except pytest.skip.Exception:
            continue
    assert passed > 20
