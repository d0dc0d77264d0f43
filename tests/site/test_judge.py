"""The check of the browser, without a browser: pasted functions of plain Python on the certified vectors."""

from __future__ import annotations

import pytest

from rlcalc.errors import InputError
from rlcalc.site.answers import document
from rlcalc.site.judge import judge
from tests.refused import refused

GAE = """
def gae(rewards, values, gamma, lam, terminated, truncated, next_values):
    out, last = [0.0] * len(rewards), 0.0
    for t in reversed(range(len(rewards))):
        boot = 0.0 if terminated[t] else next_values[t]
        last = rewards[t] + gamma * boot - values[t] + gamma * lam * (0.0 if {cut} else last)
        out[t] = last
    return out
"""
TUTORIAL = """
def compute(rewards, values, dones, next_value, gamma=0.99, gae_lambda=0.95):
    values, out, last = values + [next_value], [0.0] * len(rewards), 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * (1 - dones[t]) - values[t]
        last = delta + gamma * gae_lambda * (1 - dones[t]) * last
        out[t] = last
    return out, [a + v for a, v in zip(out, values)]
"""


@pytest.fixture(scope="module")
def gae() -> dict[str, object]:
    return document("gae")


def test_right_code_conforms(gae: dict[str, object]) -> None:
    found = judge(gae, GAE.format(cut="terminated[t] or truncated[t]"))
    assert (found["verdict"], found["matches"], found["case"]) == ("conforms", [], None)
    assert found["passed"] == found["asked"] > 25


def test_a_known_bug_is_named(gae: dict[str, object]) -> None:
    found = judge(gae, GAE.format(cut="terminated[t]"))
    assert found["verdict"] == "nonconforming"
    assert [one["name"] for one in found["matches"]] == ["recursion-crosses-truncation"]
    assert "truncated" in found["case"]["given"]


def test_names_of_a_tutorial_are_understood(gae: dict[str, object]) -> None:
    found = judge(gae, TUTORIAL)
    assert found["verdict"] == "conforms"
    assert found["read"]["dones"] == "done"
    assert found["not_asked"] > 0  # it has no word for a truncation


def test_a_convention_is_no_bug() -> None:
    clip = "min(max(ratio, 1 - eps), 1 + eps)"
    source = f"def loss(ratio, adv, eps):\n    return -min(ratio * adv, {clip} * adv)"
    found = judge(document("ppo_clip"), source)
    assert (found["verdict"], found["matches"][0]["name"]) == ("conforms-under-convention", "loss")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("x = 1", "target_not_found"),
        ("def f(:", "target_import"),
        ("def f(banana):\n    return banana", "target_signature"),
    ],
)
def test_what_cannot_be_judged_is_said(gae: dict[str, object], source: str, code: str) -> None:
    with refused(InputError, code):
        judge(gae, source)


def test_an_exception_is_a_verdict(gae: dict[str, object]) -> None:
    found = judge(gae, "def gae(rewards, values, gamma, lam):\n    return 1 / 0")
    assert found["verdict"] == "raises"
    assert "ZeroDivisionError" in found["case"]["yours"]
