"""Storages, agents and trainers as public code has them: nothing but ``file.py:Class.method`` is typed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rlcalc.conform.check import Request, check
from rlcalc.conform.runner import ConformReport
from rlcalc.errors import InputError
from tests.sweep import sweep

pytest.importorskip("torch")

from tests.conform import storages

HERE = Path(storages.__file__)
RIGHT = {
    "Recurrent.compute_returns": ("gae", []),
    "Walker.compute_returns": ("gae", []),
    "Loop.compute_gae": ("gae", []),
    "Learner.update": ("q_learning", []),
    "OneStep.estimate_advantage": ("td_error", []),
    "Prompts.compute_advantages": ("token_gae", ["interior-zero"]),
    "Traces.run_episode": ("td", []),
    "Window.calc_multistep_return": ("discounted_return", []),
    "Starts.compute_advantage": ("gae", []),
    "Greedy.learn": ("q_learning", []),
    "GRPOTrainer.advantages": ("group_advantage", ["singleton-nan"]),
}
FAULTY = {
    "Recurrent.compute_returns_late": ["done-mask-one-late"],
    "Walker.compute_returns_early": ["done-mask-one-early-but-the-last"],
    "Loop.compute_gae_late": ["done-mask-one-late-but-the-last"],
    "Learner.update_on": ["terminal-value-bootstrapped"],
    "OneStep.estimate_advantage_on": ["bootstrap-after-terminal"],
    "Prompts.compute_advantages_short": [],
    "Window.calc_multistep_return_late": ["first-reward-discounted"],
    "Traces.run_episode_short": ["traces-decay-without-discount"],
    "Starts.compute_advantage_late": ["done-mask-one-late-but-the-last"],
    "Greedy.learn_least": ["smallest-next-value"],
    "GRPOTrainer.advantages_over_all": ["groups-ignored"],
}


def judged(name: str) -> ConformReport:
    return check(Request(target=f"{HERE}:{name}", in_process=True, random=5)).report


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("name", sweep(RIGHT, 3))
def test_a_right_method(name: str) -> None:
    found = judged(name)
    assert found.verdict in ("conforms", "conforms-under-convention")
    assert (found.formula, [way.name for way in found.conventions]) == RIGHT[name], found.binding


@pytest.mark.parametrize("name", sweep(FAULTY, 3))
def test_its_faulty_sibling(name: str) -> None:
    found = judged(name)
    assert not found.passed
    assert found.diagnosis is not None
    assert [match.name for match in found.diagnosis.matches] == FAULTY[name]


def test_a_mask_that_is_kept_and_never_read_is_said() -> None:
    binding = judged("Masked.compute_returns").binding
    assert binding is not None
    assert any("self.masks is kept and never read" in note for note in binding.notes)


@pytest.mark.slow
def test_an_n_step_return_without_its_n_says_which_line_to_type() -> None:
    with pytest.raises(InputError, match="takes no n") as caught:
        judged("Latest._get_n_step_info")
    assert "--formula discounted-return" in str(caught.value.hint)
    request = Request(target=f"{HERE}:Latest._get_n_step_info", formula="discounted_return", in_process=True)
    found = check(replace(request, random=5)).report
    assert found.diagnosis is not None
    assert [match.name for match in found.diagnosis.matches] == ["flags-ignored"]
