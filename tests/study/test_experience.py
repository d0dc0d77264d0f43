"""Learning from experience as a student types it; the collected exercises are in test_exercises."""

from __future__ import annotations

import json
import shlex

import pytest

import rlcalc
from tests.command import run

EPISODE = "--steps 's1 a1 -8 s1; s1 a2 -16 s2; s2 a1 20 s1; s1 a2 -10 s2' --alpha 1/2 --gamma 1/2"


def test_one_table_is_the_answer_and_a_row_is_derived_on_demand():
    code, out, _ = run("q-learning", *shlex.split(EPISODE))
    lines = out.splitlines()
    assert code == 0
    assert "  4  s1 a2 −10 s2  −11/2 = −5.5  5/2 = 2.5  −27/4 = −6.75" in lines
    assert not any(line.startswith("target_4") for line in lines)
    assert max(map(len, lines)) <= 80
    code, out, _ = run("q-learning", *shlex.split(EPISODE), "--row", "4")
    assert "target_4 = R_4 + γ·max(Q_3(s2, a1), Q_0(s2, a2)) = −10 + 1/2·max(9, 0) = −11/2" in out
    assert "target_3" not in out
    assert run("q-learning", *shlex.split(EPISODE), "--row", "5")[0] == 2
    found = json.loads(run("q-learning", *shlex.split(EPISODE), "--json")[1])
    assert found["names"]["state"] == ["s1", "s2"]
    assert found["outputs"]["q_values"]["exact"] == [["-4", "-27/4"], ["9", "0"]]


def test_an_answer_is_checked_here_too():
    line = shlex.split(f"q-learning {EPISODE} --output new-value --check")
    assert run(*line, "-4", "-8", "9", "-6.75")[:2][0] == 0
    code, out, _ = run(*line, "-4", "-8", "10", "-6.5")  # with γ = 0 the third is 10
    assert code == 1
    assert "wrong" in out


CSV = """state,action,reward,next_state,next_action,done
s1,a1,-8,s1,,0
s1,a2,-16,s2,,0
s2,a1,20,s1,,0
s1,a2,-10,s2,,1
"""
RECORDS = [
    ("s1", "a1", -8.0, "s1"),
    {"state": "s1", "action": "a2", "reward": -16, "next_state": "s2"},
    "s2 a1 20 s1",
    ("s1", "a2", -10, None),
]


def test_every_way_to_write_experience_says_the_same(tmp_path):
    path = tmp_path / "episode.csv"
    path.write_text(CSV, "utf-8")
    line = ["q-learning", "--alpha", "1/2", "--gamma", "1/2", "-q", "--output", "new-value", "--steps"]
    wanted = (0, "-4 -8 9 -9\n", "")
    assert run(*line, f"@{path}") == wanted
    path.write_text(CSV.replace("next_state", "Next State"), "utf-8")
    assert run(*line, f"@{path}") == wanted
    path.with_suffix(".txt").write_text("# mine\n" + CSV.split("\n", 1)[1].replace(",0\n", "\n").replace(
        "s2,,1", "end").replace(",", " "), "utf-8")  # fmt: skip
    assert run(*line, f"@{path.with_suffix('.txt')}") == wanted
    assert (
        run(*line, "(s1, a1, -8, s1);", "s1 a2 -16 -> s2;", "s2", "a1", "20", "s1; s1 a2 -10 end") == wanted
    )
    found = rlcalc.compute("q_learning", steps=RECORDS, alpha=0.5, gamma=0.5, q={("s9", "a1"): 0})
    assert found["new_value"].tolist() == [-4, -8, 9, -9]
    assert found["q_values"].shape == (3, 2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q-learning --steps 's1 a1 8' --alpha 1", "'s1 a1 8' is not 'state action reward next-state'."),
        ("q-learning --steps 's1 a1 x s2' --alpha 1", "--steps, step 1: 'x'"),
        ("sarsa --steps 's1 a1 8 s2' --alpha 1", "does not say which action follows in s2."),
        ("td --alpha 1", "--steps is missing"),
        ("td --steps 'A 1 end' --alpha 1 --gamma 2", "--gamma"),
        ("q-learning --steps 'A up 1 end' --actions up down --q 'A dwon 1' --alpha 1", "Did you mean down?"),
        ("batch --steps 'A 1 A'", "some state never leads to an end"),
    ],
)
def test_bad_experience_is_refused_in_words(line, message):
    code, out, err = run(*shlex.split(line))
    assert (code, out) == (2, "")
    assert message in err
