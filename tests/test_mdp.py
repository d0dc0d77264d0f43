"""Reading MDPs: what is accepted, what is refused and with which code."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch

from rlcalc.data import data_folder
from rlcalc.errors import InputError, RlcalcError
from rlcalc.mdp.model import MDP
from rlcalc.mdp.reading import read_mdp
from rlcalc.mdp.tables import MAX_ENTRIES
from tests.refused import refused

FILE = """
name = "two rooms"
states = ["left", "right", "out"]
actions = ["stay", "go"]
terminal = ["out"]
start = ["1/2", "1/2", 0]
P = [[["1", 0, 0], [0.1, "0.9", 0]], [[0, 1, 0], [0, "1/3", "2/3"]], []]
R = [[0, -1], [0, [0, 0, "3/2"]], []]
"""
GOOD: dict[str, Any] = {"P": [[["1/2", "1/2"]], []], "R": [["1"], []], "terminal": [1]}


def test_grid_is_the_one_of_the_lecture() -> None:
    grid = read_mdp("grid2x2")
    assert grid.states == ("(0,0)", "(0,1)", "(1,0)", "(1,1)")
    assert grid.actions == ("U", "D", "L", "R")
    assert grid.terminal == (False, False, False, True)
    # bumping stays, R and D move, entering the goal pays 1
    assert [grid.successors(0, a) for a in range(4)] == [(0,), (2,), (0,), (1,)]
    assert grid.r == ((0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0))
    assert grid.label == "grid2x2"
    assert grid.start == (1, 0, 0, 0)


def test_slip_draws_from_all_four_actions() -> None:
    grid = read_mdp("grid2x2:slip=1/5")
    assert grid.p[0][3] == (F(1, 10), F(17, 20), F(1, 20), 0)  # R: 4/5 + 1/20 right, U and L bump
    assert grid.r[1][1] == F(17, 20)
    assert read_mdp("grid2x2:slip=0") == read_mdp("grid2x2")
    assert read_mdp("grid2x2:slip=0.2").p == grid.p
    assert grid.label == "grid2x2:slip=1/5"


def test_bandit_and_tokens() -> None:
    assert read_mdp("bandit").r == ((10, 0), (0, 0))
    tokens = read_mdp("tokens")
    assert tokens.longest() == 2
    assert len(tokens.trajectories(2, 100)) == 9
    assert [sum(rewards) for rewards in tokens.r] == [0, 1, 1, 1, 0]


def test_a_file_is_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "rooms.toml"
    path.write_text(FILE, "utf-8")
    mdp = read_mdp(str(path))
    assert mdp.p[0][1] == (F(1, 10), F(9, 10), 0)  # 0.1 in TOML is 1/10, not the float nearest to it
    assert mdp.r == ((0, -1), (0, 1), (0, 0))  # 2/3 of 3/2
    assert mdp.start == (F(1, 2), F(1, 2), 0)
    assert mdp.label == str(path)
    assert read_mdp(path) == mdp
    assert read_mdp([str(path)]) == mdp
    assert read_mdp(mdp) is mdp


def test_python_takes_arrays_and_floats() -> None:
    mdp = read_mdp({"P": np.array([[[0.1, 0.9]], [[0.0, 1.0]]]), "R": np.zeros((2, 1)), "terminal": 1})
    assert mdp.p[0][0] == (F(1, 10), F(9, 10))
    assert mdp.label == "MDP of 2 states and 1 actions"


def test_the_schema_accepts_what_the_reader_accepts(tmp_path: Path) -> None:
    import tomllib

    schema = json.loads((data_folder("specs") / "schemas" / "mdp.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for table in (GOOD, tomllib.loads(FILE)):
        jsonschema.validate(table, schema)
    for table in ({**GOOD, "gamma": "1/2"}, {"P": []}, {**GOOD, "states": ["a\nb", "c"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(table, schema)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"P": [[["1/2", "1/3"]], []]}, "mdp_row_not_one"),
        ({"P": [[[0.3, 0.3]], []]}, "mdp_row_not_one"),
        ({"P": [[["3/2", "-1/2"]], []]}, "mdp_negative_probability"),
        ({"P": [[["1"]], []]}, "mdp_wrong_shape"),
        ({"P": [[["1/2", "1/2"]], [["1", "0"]]]}, "mdp_terminal_moves"),
        ({"R": [["1"], ["1"]]}, "mdp_terminal_moves"),
        ({"R": [["1"]]}, "mdp_wrong_shape"),
        ({"R": [["1", "2"], []]}, "mdp_wrong_shape"),
        ({"R": [[["1"]], []]}, "mdp_wrong_shape"),
        ({"R": [["sqrt(2)"], []]}, "mdp_not_rational"),
        ({"R": [["x"], []]}, "symbol_not_allowed"),
        ({"R": [["__import__('os').getcwd()"], []]}, "unknown_name"),
        ({"R": [["nan"], []]}, "number_not_finite"),
        ({"R": [[float("nan")], []]}, "number_not_finite"),
        ({"R": [[True], []]}, "number_syntax"),
        ({"R": [[None], []]}, "number_syntax"),
        ({"R": [["1e100"], []]}, "mdp_too_large"),
        ({"P": []}, "mdp_wrong_shape"),
        ({"P": "1"}, "mdp_wrong_shape"),
        ({"P": [[], []]}, "mdp_wrong_shape"),
        ({"terminal": [2]}, "mdp_unknown_state"),
        ({"terminal": ["s3"]}, "mdp_unknown_state"),
        ({"start": "nowhere"}, "mdp_unknown_state"),
        ({"start": ["1/2", "1/3"]}, "mdp_row_not_one"),
        ({"start": ["3/2", "-1/2"]}, "mdp_negative_probability"),
        ({"start": ["1"]}, "mdp_wrong_shape"),
        ({"states": ["a", "a"]}, "mdp_bad_name"),
        ({"states": ["a", "\\input{x}"]}, "mdp_bad_name"),
        ({"states": ["a", "[red]b"]}, "mdp_bad_name"),
        ({"actions": ["a", "b"]}, "mdp_wrong_shape"),
        ({"name": "x" * 41}, "mdp_bad_name"),
        ({"gamma": "1/2"}, "mdp_unknown_key"),
    ],
)
def test_tables_that_are_refused(change: dict[str, Any], code: str) -> None:
    assert isinstance(read_mdp(GOOD), MDP)
    with refused(InputError, code):
        read_mdp({**GOOD, **change})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("grid3x3", "mdp_unknown"),
        ("grid2x2:wind=1", "mdp_unknown"),
        ("grid2x2:slip=2", "mdp_negative_probability"),
        ("grid2x2:slip=x", "symbol_not_allowed"),
        ("bandit:1", "mdp_unknown"),
        ("missing.toml", "mdp_file_unreadable"),
        ("x" * 5000, "mdp_unknown"),
        ("x" * 5000 + ".toml", "mdp_file_unreadable"),
        (7, "mdp_unknown"),
    ],
)
def test_names_that_are_refused(name: Any, code: str) -> None:
    with refused(InputError, code):
        read_mdp(name)


def test_lacking_a_key_and_files_that_are_no_mdp(tmp_path: Path) -> None:
    with refused(InputError, "mdp_key_missing"):
        read_mdp({"P": GOOD["P"]})
    for number, content in enumerate((b"P = [", b"\xff\xfe", b"P = " + b"[" * 3000)):
        path = tmp_path / f"{number}.toml"
        path.write_bytes(content)
        with refused(InputError, "mdp_file_not_toml"):
            read_mdp(path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"P = [[[{'9' * 5000}]]]\nR = [[1]]", "mdp_file_not_toml"),
        ("P = " + "[" * 2000 + "]" * 2000, "mdp_file_not_toml"),
        ("P = [[[1]]]\nR = [[nan]]", "number_not_finite"),
        ("P = [[[1]]]\nR = [[1979-05-27]]", "number_syntax"),
    ],
    ids=["digits", "brackets", "nan", "date"],
)
def test_files_that_go_too_far(tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "process.toml"
    path.write_text(content)
    with refused(RlcalcError, code):
        read_mdp(path)


def test_a_file_without_end_is_read_up_to_the_bound(tmp_path: Path) -> None:
    endless = tmp_path / "endless.toml"
    endless.symlink_to("/dev/zero")
    with refused(InputError, "mdp_too_large"):
        read_mdp(endless)


def test_size_is_bounded_before_anything_is_computed() -> None:
    count = int(MAX_ENTRIES**0.5) + 1
    with refused(InputError, "mdp_too_large"):
        read_mdp({"P": [[[]]] * count, "R": []})


def test_a_proper_policy_avoids_states_without_a_way_out() -> None:
    # s0: a0 may fall into the trap s1, a1 is the sure way; s1 loops for ever
    table = {
        "P": [[[0, "1/2", "1/2"], ["1/2", 0, "1/2"]], [[0, 1, 0], [0, 1, 0]], []],
        "R": [[0, 0], [0, 0], []], "terminal": [2],
    }  # fmt: skip
    assert read_mdp(table).proper_policy() == (1, None, None)
    assert read_mdp(table).longest() is None
    # without the sure way both are lost
    table["P"] = [[[0, "1/2", "1/2"], [0, "1/2", "1/2"]], [[0, 1, 0], [0, 1, 0]], []]
    assert read_mdp(table).proper_policy() == (None, None, None)
    assert read_mdp("grid2x2").proper_policy() == (1, 1, 3, None)


def test_trajectories_are_counted_before_they_are_too_many() -> None:
    grid = read_mdp("grid2x2")
    found = grid.trajectories(2, 1000)
    assert len(found) == 16
    assert sum(states[-1] == 3 for states, _ in found) == 2
    with refused(InputError, "too_many_trajectories"):
        grid.trajectories(10**6, 1000)


def test_arrays_keep_dtype_and_end_at_terminal_states() -> None:
    grid = read_mdp("grid2x2")
    for dtype in (np.float32, np.float64):
        a = grid.arrays("numpy", np.dtype(dtype))
        assert a.p.dtype == a.r.dtype == a.start.dtype == dtype
        assert a.p.shape == (4, 4, 4)
        assert not a.p[3].any()
        assert (a.p[:3].sum(-1) == 1).all()
    b = grid.arrays("torch", torch.bfloat16, torch.device("cpu"))
    assert b.p.dtype == torch.bfloat16
    assert b.mdp is grid


def test_arrays_are_a_table_without_names() -> None:
    grid = read_mdp("grid2x2:slip=1/5")
    for dtype in (np.float64, np.float32):
        arrays = grid.arrays("numpy", dtype)
        again = read_mdp(
            {"p": arrays.p, "r": arrays.r, "start": arrays.start, "terminal": list(grid.terminal)}
        )
        assert again.terminal == grid.terminal
        assert again.start == grid.start
        # every row is a distribution, and as close as the dtype to the one that was rounded
        for mine, theirs in zip(again.p, grid.p, strict=True):
            for row, exact in zip(mine, theirs, strict=True):
                assert sum(row) == 1
                assert max(abs(x - y) for x, y in zip(row, exact, strict=True)) <= 2 * np.finfo(dtype).eps


def test_thirds_in_floats_are_completed_and_more_than_rounding_is_refused() -> None:
    third = 1 / 3
    mdp = read_mdp({"p": [[[third, third, third]], [[0, 0, 0]], [[0.0, 0.0, 0.0]]], "r": [[1], [0], [0]],
                    "terminal": [False, True, True]})  # fmt: skip
    assert sum(mdp.p[0][0]) == 1
    with refused(InputError, "mdp_row_not_one"):
        read_mdp({"p": [[[0.5, 0.4]], [[0, 0]]], "r": [[1], [0]], "terminal": [0, 1]})


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ({"p": [[[1]]]}, "mdp_key_missing"),
        ({"p": [[[1]]], "r": [[0]], "R": [[0]]}, "mdp_unknown_key"),
        ({"p": 1.0, "r": [[0]]}, "mdp_wrong_shape"),
        ({"p": [[[1, 0]], [[0, 0]]], "r": [[0], [0]], "terminal": [1]}, "mdp_wrong_shape"),
        ({"p": [[[1, 0]], [[0, 0]]], "r": [[0], [0]], "terminal": [0, 2]}, "mdp_wrong_shape"),
        ({"p": [[[1, 0]], [[0, 1]]], "r": [[0], [5]], "terminal": [0, 1]}, "mdp_terminal_moves"),
    ],
)
def test_arrays_that_are_no_decision_process(table: dict[str, object], code: str) -> None:
    with refused(RlcalcError, code):
        read_mdp(table)


def test_arrays_decide_the_dtype() -> None:
    import rlcalc

    # one step to the end pays 2; the other action stays: V* = 2
    p = np.array([[[0, 1], [1, 0]], [[0, 0], [0, 0]]], np.float32)
    r = np.array([[2, 0], [0, 0]], np.float32)
    found = rlcalc.bellman({"p": p, "r": r, "terminal": [False, True]}, gamma=0.5)
    assert found.dtype == np.float32
    assert found.tolist() == [2.0, 0.0]
