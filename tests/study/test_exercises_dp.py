"""Exercises on decision processes, as a student types them.

Numbers are those of the collected exercises (exercises.json), derived there in fractions by other code.
"""

from __future__ import annotations

import json

import pytest

from rlcalc.exact import equal, parse_number
from tests.command import run

TOP = "top left -> L 1 1; top right -> R; L go -> top; R go -> top 1 2"
LINE = (
    "-1 back -> -2 4/5 20; -1 back -> 0 1/5 -5; -1 on -> 0 3/10 -5; -1 on -> -2 7/10 20; "
    "0 back -> -1 4/5 -5; 0 back -> 1 1/5 -5; 0 on -> 1 3/10 -5; 0 on -> -1 7/10 -5; "
    "1 back -> 0 4/5 -5; 1 back -> 2 1/5 100; 1 on -> 2 3/10 100; 1 on -> 0 7/10 -5; terminal: -2 2"
)
FLOAT = (
    "1 float -> 2 1 1; 1 reset -> 1; 2 float -> 3 1 1; 2 reset -> 1; 3 float -> 4 1 1; 3 reset -> 1; "
    "4 float -> end 1 10; 4 reset -> 1; terminal: end"
)
GYM = (
    '{"0": {"0": [[1, 0, 0, false]], "1": [[1, 1, 1, false]]}, '
    '"1": {"0": [[1, 0, 0, false]], "1": [[1, 1, 1, false]]}}'
)


def grid_with_15(changed: bool) -> str:
    """The 4×4 grid of example 4.1 with state 15 below 13 (exercise 4.2)."""
    lines = []
    for s in range(1, 15):
        row, column = divmod(s, 4)
        for name, there in {
            "U": (row - 1, column),
            "D": (row + 1, column),
            "L": (row, column - 1),
            "R": (row, column + 1),
        }.items():
            inside = 0 <= there[0] < 4 and 0 <= there[1] < 4
            after = 4 * there[0] + there[1] if inside else s
            target = "end" if after in (0, 15) else str(after)
            if changed and s == 13 and name == "D":
                target = "15"
            lines.append(f"{s} {name} -> {target} 1 -1")
    lines += [f"15 {name} -> {after} 1 -1" for name, after in zip("LURD", (12, 13, 14, 15), strict=True)]
    return "; ".join([*lines, "terminal: end", "gamma: 1"])


PROCESSES = {
    "TOP": TOP,
    "LINE": LINE,
    "FLOAT": FLOAT,
    "CYCLE": "A go -> B; B go -> A 1 1",
    "GYM": GYM,
    "COIN": "0 -> 0 1/2 1; 0 -> 1 1/2; 1 -> 1 1/2; 1 -> 2 1/2; 2 -> 2 1/2; 2 -> 0 1/2 1",
    "OLD": grid_with_15(False),
    "NEW": grid_with_15(True),
}

# exercise; command, a process by its name above; where the answer stands: an output, then indices; the answer
CASES = [
    ("E03 left, 0", "bellman --mdp TOP --gamma 0", "values 0", "1"),
    ("E03 left", "policy-eval --mdp TOP --policy left go go --gamma 0.9", "values 0", "100/19"),
    ("E03 right", "policy-eval --mdp TOP --policy right go go --gamma 0.9", "values 0", "180/19"),
    ("E03 at 9/10", "bellman --mdp TOP --gamma 0.9", "greedy 0", "right"),
    ("E03 both", "bellman --mdp TOP --gamma 1/2", "greedy 0", "left right"),
    ("E04", "bellman --mdp grid5x5", "values 1", "1000000/40951"),
    ("E06", "backup --rewards 0 --next-values 4.4 1.9 0.7 3.0 --gamma 0.9", "value", "9/4"),
    (
        "E07",
        "policy-eval --mdp grid5x5",
        "values 24",
        "-126273368537110699033237360/63930087070970054436332951",
    ),
    ("E09 old", "policy-eval --mdp OLD --gamma 1", "values 14", "-20"),
    ("E09 changed", "policy-eval --mdp NEW --gamma 1", "values 14", "-20"),
    ("E10", "policy-eval --mdp grid4x4 --sweeps 3", "history 3 5", "-23/8"),
    ("E12", "policy-eval --mdp walk:5", "values", "1/6 1/3 1/2 2/3 5/6 0 0"),
    ("E43", "value-iteration --mdp racing --gamma 1 --sweeps 2", "values", "7/2 5/2 0"),
    ("E45", "value-iteration --mdp micro-blackjack --sweeps 2", "values 2", "7/3"),
    ("E45 best", "bellman --mdp micro-blackjack", "values 0", "76/27"),
    ("E46 first", "value-iteration --mdp LINE --gamma 1 --sweeps 1", "values", "15 -5 53/2 0 0"),
    ("E46", "value-iteration --mdp LINE --gamma 1 --sweeps 2", "values", "14 269/20 23 0 0"),
    ("E48", "bellman --mdp aima4x3", "values 10", "3823/9855"),
    ("E49", "bellman --mdp FLOAT --gamma 1/2", "values", "3 4 6 10 0"),
    (
        "E51",
        "bellman --mdp robot:alpha=0.3,beta=0.6,search=1,wait=0.1 --gamma 0.9",
        "values",
        "1000/163 900/163",
    ),
    ("E52", "policy-eval --mdp robot --gamma 0.9 --policy search search", "values", "6130/73 5480/73"),
    ("E52 sweeps", "value-iteration --mdp robot --gamma 0.9 --sweeps 2", "values", "1783/100 383/40"),
    ("E54", "policy-eval --mdp walk:5 --gamma 0.9", "values 0", "6561/100166"),
    (
        "E54 drift",
        "policy-eval --mdp walk:5 --gamma 0.9 --policy left=1/3 right=2/3",
        "values 4",
        "2462/2829",
    ),
    ("E55", "policy-eval --mdp student", "values 0", "-1016/81"),
    ("E55 discounted", "policy-eval --mdp student --gamma 0.9", "values 0", "-17573620/3505799"),
    ("E57 windy", "bellman --mdp windy", "values 30", "-15"),
    ("E57 cliff", "bellman --mdp cliff", "values 36", "-13"),
    ("E58", "bellman --mdp frozenlake", "values 0", "14/17"),
    ("E61", "value-iteration --mdp CYCLE --gamma 0.9 --sweeps 1 --values 0.5 0.4", "values", "9/25 29/20"),
    ("E63", "value-iteration --mdp GYM --gamma 0.9 --sweeps 1", "values", "1 1"),
    ("E64", "policy-eval --mdp grid:5x5 --gamma 0.9", "values 12", "-16339790/2303201"),
    ("E91", "average-reward --mdp COIN", "rate", "1/3"),
    ("E93", "policy-eval --mdp grid4x4 --sweeps 1 --in-place", "history 1 14", "-243/128"),
    (
        "G06",
        "value-iteration --mdp racing --gamma 0.9 --sweeps 2 --in-place",
        "values",
        "751/200 14179/4000 0",
    ),
    ("G07", "value-iteration --mdp robot --gamma 0.9 --values 1 1 --sweeps 1", "values", "109/10 22/5"),
    ("G09", "policy-iteration --mdp robot --gamma 0.9 --policy wait wait", "rounds 1", "6130/73 5480/73"),
    ("G10", "value-iteration --mdp grid4x4 --sweeps 3", "values 3", "-3"),
    ("G18", "average-reward --mdp robot --policy search recharge", "rate", "25/3"),
    ("G12", "policy-eval --mdp TOP --policy right go go --gamma g", "values 0", "2*g/(1 - g**2)"),
]


@pytest.mark.parametrize(("line", "where", "wanted"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_an_exercise_is_answered_as_it_is_typed(line: str, where: str, wanted: str) -> None:
    code, out, err = run(*(PROCESSES.get(word, word) for word in line.split()), "--json")
    assert code == 0, err
    output, *indices = where.split()
    found = json.loads(out)["outputs"][output]["exact"]
    for index in indices:
        found = found[int(index)]
    if "g**" in wanted:
        assert equal(parse_number(found), parse_number(wanted))
    else:
        assert (found if isinstance(found, str) else " ".join(found)) == wanted
