"""Processes as people write them: lines, tables of Gymnasium, built-in names, policies."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path

import pytest

import rlcalc
from rlcalc.errors import InputError
from rlcalc.mdp.builtin import BUILT_IN
from rlcalc.mdp.policies import named_policy
from rlcalc.mdp.reading import read_mdp
from tests.command import run
from tests.refused import refused
from tests.sweep import sweep

CAR = """
# the racing car of CS188
cool slow -> cool 1 1
cool fast -> cool 1/2 2
cool fast -> warm 1/2 2      # one number more is the reward
warm slow -> cool p=0.5 r=1
warm slow -> warm 1/2 1
warm fast -> overheated 1 -10
terminal: overheated
start: warm
gamma: 9/10
"""


def test_lines_are_read_in_their_order() -> None:
    car = read_mdp(CAR)
    assert car.states == ("cool", "warm", "overheated")
    assert car.actions == ("slow", "fast")
    assert car.p[0] == ((1, 0, 0), (F(1, 2), F(1, 2), 0))
    assert car.r == ((1, 2), (1, -10), (0, 0))
    assert car.start == (0, 1, 0)
    assert car.gamma == F(9, 10)
    built_in = read_mdp("racing")
    assert (built_in.moves, built_in.r, built_in.states) == (car.moves, car.r, car.states)


def test_what_may_be_left_out() -> None:
    one = read_mdp("A -> B 1/2; A -> C 1/2; B -> C; terminal: C; reward-of: A 5 B -1")
    assert one.actions == ("go",)
    assert one.r == ((5,), (-1,), (0,))
    assert one.label == "MDP of 3 states and 1 actions"
    two = read_mdp("s a -> t 1/3 3; s a -> t 2/3 6; s b -> s; terminal: t; start: s 1/4 t 3/4; states: t s")
    assert two.states == ("t", "s")
    assert two.r[1] == (5, 0)  # 3/3 + 2·6/3
    assert two.start == (F(3, 4), F(1, 4))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("A go -> B 1/2; terminal: B", "mdp_row_not_one", "state A, action go sum to 1/2"),
        ("A go -> B 5; terminal: B", "mdp_negative_probability", "Probabilities come before rewards"),
        ("high go -> hihg; low go -> high", "mdp_unknown_state", "Did you mean high?"),
        ("A go -> B; B go -> A; terminal: B", "mdp_terminal_moves", "B is terminal, but it has transitions"),
        ("A go -> B; terminal: B; reward-of: B 5", "mdp_terminal_moves", "B is terminal"),
        ("A go -> B; terminl: B", "mdp_unknown_key", "Line 2 of the process: A process has no key 'terminl'"),
        ("A go -> B\nB go to A", "mdp_bad_line", "Line 2 of the process: 'B go to A' has no arrow"),
        ("A go fast -> B", "mdp_bad_line", "Names have no spaces"),
        ("A go -> B 1 2 3", "mdp_bad_line", "'3' is unexpected"),
        ("A go ->", "mdp_bad_line", "Nothing stands after the arrow"),
        ("A go -> B x", "symbol_not_allowed", "Line 1"),
        ("A go -> A; start: B", "mdp_unknown_state", "There is no state 'B'"),
        ("A go -> A; gamma: 1 2", "mdp_bad_line", "takes one number"),
        ("A go -> A; states: A B", "mdp_no_actions", "State B has no action"),
        ("racin", "mdp_unknown", "Did you mean racing?"),
        ("robot:alph=1", "mdp_unknown", "Did you mean alpha?"),
        ("robot:alpha=2", "mdp_negative_probability", "alpha must be in [0, 1], not 2"),
        ("walk:0", "mdp_wrong_shape", "n must be an integer from 1"),
        ("grid:1x", "mdp_wrong_shape", "is not the size of a grid"),
        ("frozenlake:5x5", "mdp_unknown", "frozenlake has no map '5x5'"),
        ("cliff:2", "mdp_unknown", "Use cliff alone"),
        ('{"0": 1}', "mdp_wrong_shape", "no table of transitions"),
        ("{", "mdp_file_not_json", "not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, code: str, words: str) -> None:
    with refused(InputError, code) as caught:
        read_mdp(text)
    assert words in str(caught.value)


TABLE = {
    "0": {
        "0": [[0.3333333333333333, 0, 0.0, False], [0.6666666666666666, 1, 3.0, False]],
        "1": [[1, 2, 1, True]],
    },
    "1": {"0": [[1.0, 0, 5.0, True]]},
    "2": {"0": [[1.0, 2, 0, True]], "1": [[1.0, 2, 0, True]]},
}


def test_a_table_of_gymnasium(tmp_path: Path) -> None:
    """Thirds are thirds again; a state that only stays is terminal; a step that is done ends the episode."""
    path = tmp_path / "game.json"
    path.write_text(json.dumps(TABLE), "utf-8")
    for raw in (TABLE, str(path), json.dumps(TABLE)):
        game = read_mdp(raw)
        assert game.states == ("0", "1", "2", "end")
        assert game.terminal == (False, False, True, True)
        assert game.p[0][0] == (F(1, 3), F(2, 3), 0, 0)
        assert game.r == ((2, 1), (5, 0), (0, 0), (0, 0))
        assert game.available(1) == (0,)
        assert game.successors(1, 0) == (3,)  # done, though state 0 goes on


def test_a_game_of_gymnasium() -> None:
    pytest.importorskip("gymnasium")
    lake, ours = read_mdp("gym:FrozenLake-v1"), read_mdp("frozenlake")
    assert lake.actions == ("left", "down", "right", "up")
    assert lake.places == ours.places
    order = [ours.actions.index(name) for name in "LDRU"]
    assert [[rows[a] for a in order] for rows in ours.p] == [list(rows) for rows in lake.p]
    plain = read_mdp("gym:FrozenLake-v1:is_slippery=false,map_name=8x8")
    assert len(plain.states) == 64
    assert plain.p[0][2][1] == 1
    for text, code in (("gym:CartPole-v1", "mdp_no_table"), ("gym:FrozenLak-v1", "mdp_unknown")):
        with refused(InputError, code):
            read_mdp(text)


def test_an_empty_row_is_an_action_that_does_not_exist() -> None:
    table = {"P": [[[0, 1], []], []], "R": [[2, 0], []], "terminal": [1]}
    assert rlcalc.derive("bellman", mdp=table, gamma="1/2").outputs["values"] == [2, 0]
    # two zeros are as good an absence for code that has arrays only
    arrays = {
        "p": [[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0]] * 2],
        "r": [[-2.0, 0.0], [0.0, 0.0]],
        "terminal": [0, 1],
    }
    found = rlcalc.bellman(arrays, 0.5)
    assert found.tolist() == [-2, 0]


@pytest.mark.parametrize("name", sweep(BUILT_IN, 4))
def test_built_in_processes_solve(name: str) -> None:
    made = read_mdp(name)
    assert made.label == name
    found = rlcalc.evaluate(
        "bellman", {"mdp": name, "gamma": made.gamma or "9/10"}, ("sympy", "numpy", "torch")
    )
    assert found.agree


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("search recharge", [[1, 0, 0], [0, 0, 1]]),
        ("low=wait high=search", [[1, 0, 0], [0, 1, 0]]),
        ("wait", [[0, 1, 0], [0, 1, 0]]),
        ("wait=1/3 search=2/3", [[F(2, 3), F(1, 3), 0], [F(2, 3), F(1, 3), 0]]),
        ("epsilon=1/10,prefer=wait", [[F(1, 20), F(19, 20), 0], [F(1, 30), F(14, 15), F(1, 30)]]),
        ("greedy:1 1 9; 0 2 5", [[F(1, 2), F(1, 2), 0], [0, 0, 1]]),
        ("epsilon=1/2,greedy:1 0 0; 3 2 1", [[F(3, 4), F(1, 4), 0], [F(2, 3), F(1, 6), F(1, 6)]]),
    ],
)
def test_policies_by_name(text: str, rows: list[list[F]]) -> None:
    robot = read_mdp("robot")
    assert named_policy(robot, text) == rows
    assert named_policy(robot, text.split()) == rows


ROBOT = [F(6130, 73), F(5480, 73)]  # search in both states, discount 9/10


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [
        ("serch recharge", "mdp_unknown_action", "Did you mean search?"),
        ("search", "", ""),
        ("recharge", "policy_no_such_action", "State high does not have the action recharge"),
        ("search wait wait", "policy_wrong_length", "names 3 actions, expected 2"),
        ("high=search", "policy_wrong_length", "says nothing of low"),
        ("hgih=search low=wait", "mdp_unknown_state", "Did you mean high?"),
        ("epsilon=1/10", "policy_unknown", "does not say what is done"),
        ("epsilon=2,prefer=wait", "policy_unknown", "epsilon must be in [0, 1]"),
        ("greedy:1 2; 3", "policy_wrong_length", "must be 2 rows"),
        ("1/2 0 1/2; 0 0 1", "policy_no_such_action", "with probability 1/2"),
        ("1/2 1/2; 0 1", "policy_wrong_length", "expected 3"),
    ],
)
def test_policies_that_cannot_be(policy: str, code: str, words: str) -> None:
    if not code:
        assert rlcalc.derive("policy_eval", mdp="robot", gamma="9/10", policy=policy).answer == ROBOT
        return
    with refused(InputError, code) as caught:
        rlcalc.derive("policy_eval", mdp="robot", gamma="9/10", policy=policy)
    assert words in str(caught.value)


def test_a_process_from_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(CAR))
    assert run("bellman", "--mdp", "@-", "-q")[1] == "31/2 29/2 0\n"
    path = tmp_path / "car"
    path.write_text(CAR, "utf-8")
    for word in (f"@{path}", str(path)):
        assert run("bellman", "--mdp", word, "--gamma", "9/10", "-q")[1] == "31/2 29/2 0\n"


def test_names_stand_in_the_answers() -> None:
    line = ["policy-eval", "--mdp", "robot", "--policy", "search", "recharge", "--gamma", "9/10"]
    found = json.loads(run(*line, "--json")[1])
    assert found["names"] == {"S": ["high", "low"], "A": ["search", "wait", "recharge"]}
    assert found["outputs"]["q_values"]["exact"][0] == ["5000/59", "4677/59", "-infinity"]
    assert found["outputs"]["q_values"]["numpy"][0][2] is None
    lines = run(*line)[1].splitlines()
    assert "  high  5000/59  5000/59    4677/59  –" in lines
    assert "  7/25·V(high) − 9/50·V(low) = 10" in lines


def test_symbols_in_a_small_process() -> None:
    """Exercise 3.22 of Sutton and Barto: left is worth 1/(1 − g²), right 2g/(1 − g²)."""
    text = "top left -> L 1 1; top right -> R; L go -> top; R go -> top 1 2"
    for first, wanted in (("left", "1/(1 - g**2)"), ("right", "2*g/(1 - g**2)")):
        found = rlcalc.derive("policy_eval", mdp=text, policy=f"{first} go go", gamma="g").answer
        assert rlcalc.exact.equal(found[0], rlcalc.exact.parse_number(wanted))
    walk = rlcalc.derive("policy_eval", mdp="walk:1", policy="left=1-p right=p", gamma=1).answer
    assert str(walk[0]) == "p"
    robot = "robot:search=r,alpha=1"
    assert (
        str(rlcalc.derive("policy_eval", mdp=robot, policy="search recharge", gamma="1/2").answer[0]) == "2*r"
    )
    with refused(InputError, "symbol_not_allowed"):
        rlcalc.derive("bellman", mdp=robot, gamma="1/2")


def test_a_grid_prints_as_a_grid() -> None:
    out = run("bellman", "--mdp", "aima4x3", "--digits", "3", "--decimal")[1]
    values = out.split("V* on the grid\n")[1].splitlines()[:3]
    assert [line.split() for line in values] == [
        ["0.812", "0.868", "0.918", "0"],
        ["0.762", "▒", "0.660", "0"],
        ["0.705", "0.655", "0.611", "0.388"],
    ]
    moves = out.split("optimal actions on the grid\n")[1].splitlines()[:3]
    assert [line.split() for line in moves] == [list("→→→■"), list("↑▒↑■"), list("↑←←←")]


def test_mdp_show_and_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io

    out = run("mdp", "show", "racing")[1]
    assert "  warm  fast  reward −10  -> overheated" in out.splitlines()
    found = json.loads(run("mdp", "show", "racing", "--json")[1])
    assert found["terminal"] == ["overheated"]
    assert found["transitions"][1]["next"] == {"cool": "1/2", "warm": "1/2"}
    monkeypatch.setattr("sys.stdin", io.StringIO("A go -> A\nB go -> A p"))
    code, out, err = run("mdp", "check", "@-")
    assert (code, out) == (2, "")
    assert "sum to p, not to 1" in err
    code, _, err = run("mdp", "check", "A go -> A; B go -> A")
    assert code == 0
    assert "No state is terminal" in err
    assert "Never reached from the start: B." in err
    assert all(name in run("mdp", "list")[1] for name in BUILT_IN)


@pytest.mark.parametrize(("name", "size"), [("racing", 3), ("grid4x4", 16)])
def test_a_process_is_drawn(name: str, size: int, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "p.svg"
    code, _, err = run("mdp", "show", name, "--plot", str(target))
    assert code == 0, err
    assert target.read_text("utf-8").count("<path") > size
