"""What stands around a function: numbers of the function that made it, configurations, another library."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.target import load
from rlcalc.conform.target.load import load_function
from rlcalc.errors import InputError
from tests.conform.as_it_stands import matched

args = SimpleNamespace(discount=0.99, gae_lambda=0.95, seed=3)


def advantages(rewards, values, dones, gamma: float, lam: float):
    found, later = np.zeros_like(rewards), np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
        found[t] = later = delta + gamma * lam * (1 - dones[t]) * later
    return found


def made(gamma: float, lam: float):
    def gae(rewards, values, dones):
        return advantages(rewards, values, dones, gamma, lam)

    return gae


def configured(config: dict[str, float]):
    def gae(rewards, values, dones):
        return advantages(rewards, values, dones, config["GAMMA"], config["GAE_LAMBDA"])

    return gae


def set_up(rewards, values, dones):
    return advantages(rewards, values, dones, args.discount, args.gae_lambda)


@pytest.mark.parametrize(
    ("function", "place"),
    [
        (made(0.99, 0.95), "module.gamma"),
        (configured({"GAMMA": 0.99, "GAE_LAMBDA": 0.95}), "module.config['GAMMA']"),
        (set_up, "module.args.discount"),
    ],
    ids=["closure", "dictionary", "object"],
)
def test_numbers_around_a_function_are_inputs(function: Any, place: str) -> None:
    report = conform(function, "gae", random=5)
    assert report.binding is not None
    assert report.binding.inputs[place] == "gamma"
    assert report.verdict == "conforms"
    assert len({j.vector.id for j in report.judgements if j.status == "passed"}) > 20
    assert args == SimpleNamespace(discount=0.99, gae_lambda=0.95, seed=3)


def test_a_function_inside_another_one_says_how_to_reach_it() -> None:
    with pytest.raises(InputError, match="There is no") as caught:
        load_function(f"{Path(__file__)}:made.gae")
    assert "f = made(...)" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("agent.py", "It has returns, Agent.loss and 1 more. Write agent.py:returns"),
        ("agent.py:nothing_like_it", "Write agent.py:returns"),
        ("agent.py:Agent", "It has loss, gae. Write agent.py:Agent.loss"),
        ("nofile.py", "Write package.module:function"),
    ],
)
def test_a_file_or_a_class_says_what_it_has(
    named: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(load, "MOST_LISTED", 2)
    Path("agent.py").write_text(
        "def returns(r): pass\ndef _own(): pass\n"
        "class Agent:\n    def __init__(self): pass\n    def loss(self): pass\n    def gae(self): pass\n"
    )
    with pytest.raises(InputError) as caught:
        load_function(named)
    assert words in str(caught.value.hint)


class Loss:
    def forward(self, values):
        return values


class Called(Loss):
    def __call__(self, values):
        return self.forward(values)


@pytest.mark.parametrize("name", ["Loss", "Called"])
def test_a_class_is_what_a_call_of_its_objects_runs(name: str) -> None:
    found = load_function(f"{Path(__file__)}:{name}")
    assert found.__qualname__ == "Loss.forward"


LOOP = """
import torch

def reward_to_go(rewards, gamma):
    found, total = [], 0.0
    for r in reversed(rewards):
        total = r + gamma * total
        found.insert(0, total)
    return found
"""


def test_a_loop_over_a_list_is_one_whatever_its_module_imports(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(LOOP)
    report = conform(load_function(f"{tmp_path / 'agent.py'}:reward_to_go"), "discounted_return")
    assert report.binding is not None
    assert (report.binding.layout, report.binding.form) == ("[T]", "list")
    assert report.verdict == "conforms"


def short_tail(rewards, values, gamma: float, n_step: int):
    """γ^(m−1) where fewer than n rewards are left."""
    steps = len(rewards)
    found = np.zeros_like(rewards)
    for t in range(steps):
        m = min(n_step, steps - t)
        power = m if m == n_step else m - 1
        found[t] = sum(gamma**k * rewards[t + k] for k in range(m)) + gamma**power * values[t + m]
    return found


def unfolded(rewards, values, gamma: float, n_step: int):
    """Right, and without windows that are longer than all."""
    if n_step > len(rewards):
        raise ValueError("too few steps")
    steps = len(rewards)
    ends = np.minimum(np.arange(steps) + n_step, steps)
    return np.array(
        [
            sum(gamma**k * r for k, r in enumerate(rewards[t:end])) + gamma ** (end - t) * values[end]
            for t, end in enumerate(ends)
        ]
    )


@pytest.mark.slow
def test_windows_that_are_cut_short_are_asked_as_they_are() -> None:
    report = conform(short_tail, "n_step_return")
    assert matched(report) == ["gamma-power-one-short-at-the-end"]
    report = conform(unfolded, "n_step_return")
    assert report.verdict == "conforms"
    assert "windows longer than the sequence" in report.not_tested


def all_n_step_returns(rewards, values, gamma: float):
    """Those of the first state, for n = 1, 2, 3 ..."""
    summed = np.cumsum(gamma ** np.arange(len(rewards)) * rewards)
    return summed + gamma ** np.arange(1, len(rewards) + 1) * values[1:]


@pytest.mark.slow
def test_returns_of_every_n_are_not_judged_as_those_of_one() -> None:
    with pytest.raises(InputError, match="takes no n"):
        conform(all_n_step_returns, "n_step_return", random=0)


def gae_or_monte_carlo(rewards, values, gamma: float, lam: float):
    return advantages(rewards, values, 0 * rewards, gamma, lam or 1.0)


def test_a_lam_of_zero_is_no_missing_lam() -> None:
    report = conform(gae_or_monte_carlo, "gae", random=0)
    assert matched(report) == ["lam-of-zero-for-one"]


def starts_from_zero(rewards, dones, last_value, gamma: float):
    found, total = np.zeros_like(rewards), 0 * last_value
    for t in reversed(range(len(rewards))):
        found[t] = total = rewards[t] + gamma * total * (1 - dones[t])
    return found


def ends_in_zero(rewards, values, dones, last_value, gamma: float, lam: float):
    return advantages(rewards, np.concatenate([values, 0 * last_value[None]]), dones, gamma, lam)


@pytest.mark.parametrize(
    ("function", "formula"), [(starts_from_zero, "discounted_return"), (ends_in_zero, "gae")]
)
@pytest.mark.filterwarnings("ignore")
def test_a_last_value_that_is_never_used_has_a_name(
    function: Any, formula: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlcalc.conform.runner.NAMING", 0.0)  # what explains it by trying needs no search
    report = conform(function, formula)
    assert report.verdict == "nonconforming"
    assert matched(report) == ["last-value-unused"]
