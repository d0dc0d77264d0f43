"""Learning from experience as a student types it; numbers of the exercises E13 to E40 and G01 to G04."""

from __future__ import annotations

import json
import shlex

import pytest

import rlcalc
from tests.command import run

EPISODE = "--steps 's1 a1 -8 s1; s1 a2 -16 s2; s2 a1 20 s1; s1 a2 -10 s2' --alpha 1/2 --gamma 1/2"
GRID = "--steps 'A E 3 C; C S 4 B; C E 4 G; C E 3 E; E N 3 D; E N 4 F; E N 6 H' --alpha 1/2"
SILVER = "--episodes 'A 3 A 2 B -4 A 4 B -3; B -2 A 3 B -3'"
DOUBLE = "double-q --steps 's a 1 t' --q1 's a 1/2; t b 1; t c 2' --q2 't b 3; t c 1/4' --alpha 1/10"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("td --steps 'C 0 B; B 0 A; A 0 end' --values 1/2 --alpha 1/10 --output error", "0 0 -1/2"),  # E13
        ("batch --episodes 'A 0 B 0; B 1 x6; B 0' --method mc", "0 3/4"),  # E16
        ("batch --episodes 'A 0 B 0; B 1 x6; B 0'", "3/4 3/4"),
        (f"mc --episodes '{'S 1 ' * 10}'", "10"),  # E18
        (f"mc --episodes '{'S 1 ' * 10}' --visit every", "11/2"),
        (f"mc {SILVER}", "1 -5/2"),  # E19
        (f"mc {SILVER} --visit every", "1/2 -11/4"),
        (f"batch {SILVER}", "2 -2"),
        ("mc-update --returns 6/5 4/5 1 --alpha mean", "1"),  # E25
        ("mc-update --value 2 --returns 5 9 --alpha 3/10", "473/100"),  # E27
        ("q-learning --steps 's0 right 1 s1; s1 down -10 end' --alpha 1/10 --gamma 99/100 --output new-value",
         "1/10 -1"),  # E33
        ("sarsa --steps '1 a1 5 2 a1' --q '1 a1 3/2; 2 a1 5/2' --alpha 1/10 --gamma 1/2 --output new-value",
         "79/40"),  # E34
        (f"td {GRID}", "3/2 3 0 0 35/8 0 0 0"),  # E36
        (f"q-learning {GRID} --output new-value", "3/2 2 2 5/2 3/2 11/4 35/8"),  # E37
        (f"q-learning {EPISODE} --output new-value", "-4 -8 9 -27/4"),  # E39
        (f"q-learning {EPISODE}", "-4 -27/4; 9 0"),
        (f"expected-sarsa {EPISODE} --epsilon 1/10 --output new-value", "-4 -8 179/20 -10999/1600"),  # E40
        ("bandit --actions 1 2 2 2 3 --rewards -1 1 -2 2 0 --arms 4 --output exploratory",
         "perhaps perhaps perhaps surely surely"),  # E67
        ("td --steps 'A 1 B; B 0 A; A 2 end' --alpha 1/2 --lam 1/2", "95/64 19/32"),  # G01
        ("td --steps 'A 1 B; B 0 A; A 2 end' --alpha 1/2 --lam 1/2 --output traces", "1 0; 1/2 1; 5/4 1/2"),
        (f"{DOUBLE} --gamma 9/10 --output target", "49/40"),  # G03
        (f"{DOUBLE} --gamma 9/10 --output new-value", "229/400"),
        ("sarsa --steps 's a 1 t; t a 2 u a' --q 's a 1; u a 3' --n 2 --gamma 1/2 --alpha 1/4"
         " --output target",
         "11/4 7/2"),  # G04
    ],
)  # fmt: skip
def test_exercises(line, answer):
    code, out, err = run(*shlex.split(line), "-q")
    assert (code, out) == (0, answer + "\n"), err


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
