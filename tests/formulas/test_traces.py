"""Eligibility traces: by their closed form, and the backward view against the forward view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from tests.refused import refused

# the Python door


def test_words_and_indices_agree() -> None:
    words = rlcalc.compute(
        "traces", states=["u", "v", "u"], lam=0.5, rewards=[1.0, 2.0, 3.0], values=[4.0, 5.0]
    )
    whole = rlcalc.compute("traces", states=[0, 1, 0], lam=0.5, rewards=[1.0, 2.0, 3.0], values=[4.0, 5.0])
    for name in whole:
        assert words[name].tolist() == whole[name].tolist()


def test_indices_are_not_renumbered() -> None:
    found = rlcalc.traces(np.array([2, 0]), lam=0.5)
    assert found.tolist() == [[0, 0, 1], [1, 0, 0.5]]
    assert rlcalc.traces(torch.tensor([2, 0]), lam=0.5).tolist() == found.tolist()
    assert rlcalc.traces(["2", "0"], lam=0.5).tolist() == [[1, 0], [0.5, 1]]


def test_shared_values_and_empty_batch() -> None:
    states = np.array([[0, 1], [1, 1]])
    found = rlcalc.compute("traces", states=states, lam=1.0, rewards=np.ones((2, 2)), values=[0.0, 0.0])
    assert found["credit"].tolist() == [[2.0, 1.0], [0.0, 3.0]]
    empty = rlcalc.compute(
        "traces", states=np.zeros((0, 3), int), lam=0.5, rewards=np.zeros((0, 3)), values=np.zeros(2)
    )
    assert empty["eligibility"].shape == (0, 3, 2)
    assert empty["credit"].shape == (0, 2)


@pytest.mark.parametrize(
    ("lam", "said"),
    [
        ("1", "Replacing traces: the forward and the backward view differ for A."),
        # at λ = 0 they agree; only the forward view has the symbol in it
        ("l", "Replacing traces: in general the forward and the backward view differ for A."),
    ],
)
def test_replacing_traces_differ_for_all_symbols_only_if_there_are_none(lam: str, said: str) -> None:
    found = rlcalc.derive("traces", states=["A", "A"], rewards=[1, 2], lam=lam, replacing=True)
    assert said in found.notes


TWO = {"rewards": [1.0, 2.0], "values": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("states", "rest", "code", "message"),
    [
        ([0, 5], TWO, "states_out_of_range", "0 to 1; they reach from 0 to 5."),
        ([0, 2], TWO, "states_out_of_range", "0 to 1; they reach from 0 to 2."),
        ([-1, 0], {}, "states_out_of_range", ""),
        (["a", "b"], {**TWO, "values": [1.0]}, "values_wrong_length", "values has 1 entry, expected 2,"),
        ([0, 1], {"rewards": [1.0, 2.0, 3.0]}, "states_wrong_length",
         "There are 2 states for 3 rewards; expected 3 or 4."),
        ([0, 1], {"values": [1.0, 2.0]}, "rewards_missing", "values is given, but rewards is missing"),
        ([0, 1], {"alpha": 0.5}, "rewards_missing", "alpha is given, but rewards is missing"),
        ([0.5, 1.0], {}, "states_not_states", ""),
        ([["a"], ["b", "c"]], {}, "states_not_states", ""),
    ],
)  # fmt: skip
def test_refusals_in_python(states: Any, rest: dict[str, Any], code: str, message: str) -> None:
    for made in (states, torch.tensor(states)) if isinstance(states[0], int) else (states,):
        with refused(rlcalc.InputError, code) as caught:
            rlcalc.compute("traces", states=made, lam=0.5, **rest)
        assert message in caught.value.message


def test_names_are_literal() -> None:
    d = rlcalc.derive("traces", states=["[bold]", "100%", "a_b\x1b", "2"], lam="1/2")
    assert d.outputs["columns"] == ["[bold]", "100%", "a_b\x1b", "2"]
    assert r"\text{100\%}" in d.latex()
    assert "\x1b" not in d.text() + d.latex()


@pytest.mark.parametrize("tensors", [False, True], ids=["numpy", "torch"])
@pytest.mark.parametrize("batched", ["states", "rewards", "values"])
def test_the_batch_may_lie_in_any_one_input(batched: str, tensors: bool) -> None:
    rows = {
        "states": ([0, 1, 0], [1, 1, 0]), "rewards": ([1.0, 2.0, 3.0], [0.5, -1.0, 4.0]),
        "values": ([3.0, 4.0], [-1.0, 2.0]),
    }  # fmt: skip

    def run(**inputs: Any) -> dict[str, Any]:
        made = {k: torch.tensor(v) if tensors else np.array(v) for k, v in inputs.items()}
        return rlcalc.compute("traces", lam=0.5, gamma=0.9, alpha=0.5, **made)

    first = {name: both[0] for name, both in rows.items()}
    together = run(**{**first, batched: list(rows[batched])})
    for k in range(2):
        alone = run(**{**first, batched: rows[batched][k]})
        for name, single in alone.items():
            got = together[name] if together[name].ndim == single.ndim else together[name][k]
            np.testing.assert_allclose(np.asarray(got), np.asarray(single), atol=1e-6, err_msg=name)
    assert tuple(together["credit"].shape) == (2, 2)


def test_states_count_themselves_where_no_values_do() -> None:
    for make in (np.array, torch.tensor):
        assert tuple(rlcalc.traces(make([0, 0]), lam=0.5).shape) == (2, 1)
        assert tuple(rlcalc.traces(make([[1], [0]]), lam=0.5).shape) == (2, 1, 2)
    assert rlcalc.traces(np.zeros((0, 3), int), lam=0.5).shape == (0, 3, 0)
    assert tuple(rlcalc.traces(torch.zeros((0, 3), dtype=torch.long), lam=0.5).shape) == (0, 3, 0)
    words = rlcalc.traces([["a", "b"], ["b", "a"]], lam=0.5)
    np.testing.assert_array_equal(words, rlcalc.traces(np.array([[0, 1], [1, 0]]), lam=0.5))
