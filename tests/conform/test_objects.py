"""Methods of storages, agents and trainers: nothing but ``file.py:Class.method`` is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlcalc.conform.check import Request, check
from rlcalc.conform.report.text import LONGEST, WIDTH, summary_lines
from rlcalc.conform.runner import ConformReport
from rlcalc.errors import InputError
from rlcalc.testing import conformance_suite
from tests.conform import objects
from tests.sweep import sweep

from .as_it_stands import matched

HERE = Path(__file__).parent
# what each is judged as, and under which conventions
RIGHT = {
    "objects.py:Diary.advantages": ("gae", []),
    "objects.py:Window.n_step_return": ("discounted_return", []),
    "objects.py:Columns.discounted_returns": ("discounted_return", []),
    "storages.py:Recurrent.compute_returns": ("gae", []),
    "storages.py:Walker.compute_returns": ("gae", []),
    "storages.py:Loop.compute_gae": ("gae", []),
    "objects.py:Estimator.gae": ("gae", []),
    "objects.py:Trip.returns": ("discounted_return", []),
    "objects.py:Trip.discounted_returns": ("discounted_return", []),
    "objects.py:Base.compute_gae": ("gae", []),
    "objects.py:Critic.value_loss": ("value_clip_loss", []),
    "objects.py:OneRow.get_advantages": ("gae", []),
    "objects.py:OwnDiscount.discounted_returns": ("discounted_return", []),
    "objects.py:Network.compute_target": ("q_target", []),
    "objects.py:GAE.estimate": ("gae", []),
    "objects.py:AppendsZero.compute_gae": ("gae", []),
    "objects.py:Soft.target_q": ("sac_target", []),
    "objects.py:Weighted.compute_gae": ("gae", []),
    "storages.py:Learner.update": ("q_learning", []),
    "storages.py:OneStep.estimate_advantage": ("td_error", []),
    "storages.py:Prompts.compute_advantages": ("token_gae", ["interior-zero"]),
    "storages.py:Traces.run_episode": ("td", []),
    "storages.py:Window.calc_multistep_return": ("discounted_return", []),
    "storages.py:Starts.compute_advantage": ("gae", []),
    "storages.py:Greedy.learn": ("q_learning", []),
    "storages.py:GRPOTrainer.advantages": ("group_advantage", ["singleton-nan"]),
}
FAULTY = {
    "objects.py:OwnDiscount.discounted_returns_across_ends": ["flags-ignored"],
    "objects.py:Network.target_without_ends": ["bootstrap-after-terminal"],
    "storages.py:Recurrent.compute_returns_late": ["done-mask-one-late"],
    "storages.py:Walker.compute_returns_early": ["done-mask-one-early-but-the-last"],
    "storages.py:Loop.compute_gae_late": ["done-mask-one-late-but-the-last"],
    "objects.py:Imagined.lambda_return": ["bootstraps-from-own-value"],
    "objects.py:Weighted.compute_gae_across_ends": ["recursion-crosses-ends"],
    "storages.py:Learner.update_on": ["terminal-value-bootstrapped"],
    "storages.py:OneStep.estimate_advantage_on": ["bootstrap-after-terminal"],
    "storages.py:Prompts.compute_advantages_short": [],
    "storages.py:Window.calc_multistep_return_late": ["first-reward-discounted"],
    "storages.py:Traces.run_episode_short": ["traces-decay-without-discount"],
    "storages.py:Starts.compute_advantage_late": ["done-mask-one-late-but-the-last"],
    "storages.py:Greedy.learn_least": ["smallest-next-value"],
    "storages.py:GRPOTrainer.advantages_over_all": ["groups-ignored"],
}


IN_THE_INNER_LOOP = {
    "objects.py:Columns.discounted_returns",
    "objects.py:Diary.advantages",
    "objects.py:Network.target_without_ends",
    "objects.py:OwnDiscount.discounted_returns_across_ends",
}


def judged(name: str, **more: object) -> ConformReport:
    return check(Request(target=f"{HERE / name}", in_process=True, random=5, **more)).report


def said(name: str) -> str:
    binding = judged(name).binding
    assert binding is not None
    return " ".join(binding.notes)


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("name", sweep(RIGHT, IN_THE_INNER_LOOP.__contains__))
def test_a_right_method(name: str) -> None:
    found = judged(name)
    formula, conventions = RIGHT[name]
    assert found.verdict == ("conforms-under-convention" if conventions else "conforms")
    assert (found.formula, [way.name for way in found.conventions]) == (formula, conventions), found.binding


@pytest.mark.parametrize("name", sweep(FAULTY, IN_THE_INNER_LOOP.__contains__))
def test_a_faulty_method(name: str) -> None:
    found = judged(name)
    assert not found.passed
    assert found.diagnosis is not None
    assert matched(found) == FAULTY[name]


@pytest.mark.usefixtures("verdict_alone")
def test_a_class_is_named_after_what_its_advantages_are() -> None:
    found = judged("objects.py:GRPOTrainer.compute_advantages")
    assert found.formula == "group_advantage"  # of several groups, one after the other
    assert [way.name for way in found.conventions] == ["eps-1e-6", "singleton-nan"]


def test_what_a_reading_takes_for_granted_is_said() -> None:
    zero = said("objects.py:AppendsZero.compute_gae")
    assert "with T entries the value after the last step counts as 0" in zero
    assert "--map value=next_values" in said("objects.py:Imagined.lambda_return")
    without = said("objects.py:OwnDiscount.discounted_returns_without_flags")
    assert "self.dones is kept and never read: right for one episode a call" in without


@pytest.mark.usefixtures("verdict_alone")
def test_the_other_reading_is_right_when_it_is_mapped() -> None:
    assert judged("objects.py:Imagined.lambda_return", map={"value": "next_values"}).verdict == "conforms"


def test_a_number_of_the_body_is_asked_about_on_all_vectors() -> None:
    found = judged("objects.py:OwnDiscount.discounted_returns")
    assert found.binding is not None
    assert found.binding.fixed == {"gamma": 0.97}
    assert sum(judgement.status == "passed" for judgement in found.judgements) > 20
    assert found.random == 5


@pytest.mark.usefixtures("verdict_alone")
def test_a_constant_too_small_for_single_precision_is_no_reason_to_call_it_wrong() -> None:
    found = judged("objects.py:Reinforce.compute_returns")
    assert [way.name.partition("=")[0] for way in found.conventions] == ["standardised-returns"]


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_single_precision_leaves_the_power_of_ten_of_a_constant() -> None:
    found = judged("objects.py:Weighted.normalised_gae")
    assert [way.name for way in found.conventions] == ["whitened-advantages=0.0001"]


@pytest.mark.slow  # two bugs at once are looked for
def test_the_report_of_two_bugs_keeps_to_its_length_and_to_the_width_of_a_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # a long path of the checkout takes a line of its own
    monkeypatch.chdir(HERE)
    found = check(Request(target="objects.py:TwoBugs.compute_gae", in_process=True, random=5))
    lines = [text for text, _ in summary_lines(found.report, found.example)]
    names = "last-value-one-early + recursion-crosses-ends"
    assert f"known bug: {names}" in lines
    assert len(lines) <= LONGEST
    assert max(map(len, lines[1:])) <= WIDTH
    words = [line.split()[0] for line in lines if line.strip()]
    assert words.count("what") == words.count("fix") == 2


def test_pytest_asks_about_a_number_of_the_body_as_the_command_does() -> None:
    suite = conformance_suite(objects.OwnDiscount.discounted_returns, formula="discounted_return", random=0)
    cases = next(mark.args[1] for mark in suite.pytestmark)
    passed = 0
    for case in cases:
        try:
            suite(*case.values)
            passed += 1
        except pytest.skip.Exception:
            continue
    assert passed > 20


def test_a_mask_that_is_kept_and_never_read_is_said() -> None:
    assert "self.masks is kept and never read" in said("storages.py:Masked.compute_returns")


@pytest.mark.slow
def test_an_n_step_return_without_its_n_says_which_line_to_type() -> None:
    with pytest.raises(InputError, match="takes no n") as caught:
        judged("storages.py:Latest._get_n_step_info")
    assert "--formula discounted-return" in str(caught.value.hint)
    found = judged("storages.py:Latest._get_n_step_info", formula="discounted_return")
    assert matched(found) == ["flags-ignored"]
