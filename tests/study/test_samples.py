"""Lists for formulas of one sample: a table and the mean. The six cases of exercise E82."""

from __future__ import annotations

import json

import pytest

from tests.command import run

RATIOS, ADVANTAGES = ["1", "1", "0.5", "0.5", "1.5", "1.5"], ["1", "-1", "1", "-1", "1", "-1"]
SIX = ["ppo-clip", "--ratio", *RATIOS, "--adv", *ADVANTAGES, "--eps", "0.2"]


def test_six_cases_in_one_table():
    code, out, _ = run(*SIX)
    assert code == 0
    # (1 − 1 + 1/2 − 4/5 + 6/5 − 3/2)/6
    assert "mean L = −1/10 = −0.1  (mean)" in out
    found = json.loads(run(*SIX, "--json")[1])["outputs"]
    assert found["d_ratio"]["exact"] == ["1", "-1", "1", "0", "0", "-1"]  # zero for (0.5, −) and (1.5, +)
    assert found["active"]["exact"] == ["both", "both", "unclipped", "clipped", "clipped", "unclipped"]
    assert max(map(len, out.splitlines())) <= 80


def test_one_value_holds_for_all_and_answers_are_checked():
    assert run(*["ppo-clip", "--ratio", "1", "0.5", "--adv", "1", "-q"]) == (0, "3/4\n", "")
    assert run(*SIX, "-q", "--output", "objective")[1] == "1 -1 1/2 -4/5 6/5 -3/2\n"
    assert run(*SIX, "--check", "-0.1")[0] == 0
    assert run(*SIX, "--check", "1", "-1", "0.5", "-0.5", "1.2", "-1.5")[0] == 1
    assert run(*["ppo-clip", "--ratio", "1.5", "--adv", "5", "-q"]) == (0, "6\n", "")
    assert run(*["ppo-clip", "--ratio", "a", "1", "--adv", "1/2", "-q"])[0] == 0  # a symbol in one of them


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ppo-clip --ratio 1 2 --adv 1 2 3", "--ratio has 2 entries, expected 3"),
        ("ppo-clip --ratio 1 2 --adv 1 2 --plot x.png", "A picture is of one sample"),
        ("ppo-clip --ratio 1 -2 --adv 1 2", "--ratio"),
    ],
)
def test_bad_lists_are_refused(line, message):
    code, out, err = run(*line.split())
    assert (code, out) == (2, "")
    assert message in err
