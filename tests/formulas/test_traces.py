"""Eligibility traces: by their closed form, and the backward view against the forward view."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.steps.printers import TextPrinter
from tests.strategies import shares, small_numbers

ALL = ("sympy", "numpy", "torch")


@st.composite
def episodes(draw: st.DrawFn) -> dict[str, object]:
    states = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=6))
    steps = len(states) - draw(st.booleans()) or len(states)
    return {
        "states": states,
        "rewards": [draw(small_numbers) for _ in range(steps)],
        "values": [draw(small_numbers) for _ in dict.fromkeys(states)],
        "gamma": draw(shares),
        "lam": draw(shares),
        "alpha": Fraction(1, 2),
    }


def closed_form(states: list[str], steps: int, decay: Fraction, replacing: bool) -> list[list[Fraction]]:
    """e_t(s) = Σ over visits k <= t of (γλ)^(t−k); the last visit alone when replacing."""
    rows = []
    for t in range(steps):
        row = []
        for name in dict.fromkeys(states):
            visits = [k for k in range(t + 1) if states[k] == name]
            kept = visits[-1:] if replacing else visits
            row.append(sum((decay ** (t - k) if t > k else Fraction(1) for k in kept), Fraction(0)))
        rows.append(row)
    return rows


def fractions(values: list) -> list:
    return [fractions(v) if isinstance(v, list) else Fraction(str(v)) for v in values]


def test_visited_twice() -> None:
    d = rlcalc.derive("traces", states=["A", "B", "A"], gamma=1, lam="1/2")
    assert fractions(d.answer) == [[1, 0], [Fraction(1, 2), 1], [Fraction(5, 4), Fraction(1, 2)]]
    assert d.outputs["columns"] == ["A", "B"]
    assert "e_2(A) = γ·λ·e_1(A) + 1 =" in d.text()
    d = rlcalc.derive("traces", states=["A", "B", "A"], gamma=1, lam="1/2", replacing=True)
    assert fractions(d.answer)[2] == [1, Fraction(1, 2)]


@settings(deadline=None, max_examples=40)
@given(episodes())
def test_backward_view_is_forward_view(episode: dict) -> None:
    outputs = rlcalc.derive("traces", **episode).outputs
    assert outputs["views"] == "equal"
    assert fractions(outputs["credit"]) == fractions(outputs["forward_credit"])
    # λ-returns once more, from the episode's other formula
    along = dict(zip(dict.fromkeys(episode["states"]), episode["values"], strict=True))
    values = [along[s] for s in episode["states"]] + [Fraction(0)]
    values = values[: len(episode["rewards"]) + 1]
    again = rlcalc.derive(
        "lambda_return",
        rewards=episode["rewards"],
        values=values,
        gamma=episode["gamma"],
        lam=episode["lam"],
    )
    assert fractions(again.outputs["returns"]) == fractions(outputs["lambda_returns"])


def test_views_agree_as_polynomials() -> None:
    d = rlcalc.derive(
        "traces", states=list("ABAC"), gamma="g", lam="l", rewards=list("xyz"), values=["a", "b", "c"]
    )
    assert d.outputs["views"] == "equal"


def test_replacing_differs_after_a_revisit_only() -> None:
    rest = {"lam": "1/2", "rewards": [1, 2, 3], "replacing": True}
    assert rlcalc.derive("traces", states=list("ABA"), **rest).outputs["views"] == "different"
    assert rlcalc.derive("traces", states=list("ABC"), **rest).outputs["views"] == "equal"


def test_state_it_stopped_in() -> None:
    rest = {"gamma": "0.9", "lam": "1/2", "rewards": [2, 3], "alpha": "0.1"}
    ended = rlcalc.derive("traces", states=["S1", "S2"], values=[5, 8], **rest).outputs
    named = rlcalc.derive("traces", states=["S1", "S2", "S3"], values=[5, 8, 0], **rest).outputs
    stopped = rlcalc.derive("traces", states=["S1", "S2", "S3"], values=[5, 8, 10], **rest).outputs
    assert named["updates"][:2] == ended["updates"]
    assert str(stopped["td_errors"][1]) == "4"  # 3 + 0.9·10 − 8
    assert all(row[2] == 0 for row in stopped["eligibility"])


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


def test_gradients() -> None:
    lam = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    rewards = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    found = rlcalc.compute("traces", states=["A", "B", "C"], lam=lam, rewards=rewards)
    slopes = torch.autograd.grad(found["credit"][0], (lam, rewards), retain_graph=True)
    assert slopes[0].item() == pytest.approx(2 + 3 * 2 * 0.5)  # of 1 + 2λ + 3λ²
    assert slopes[1].tolist() == [1.0, 0.5, 0.25]
    forward = torch.autograd.grad(found["forward_credit"][0], (lam, rewards))
    assert forward[0].item() == pytest.approx(slopes[0].item())
    (by_lam,) = torch.autograd.grad(rlcalc.traces(["A", "B", "A"], lam=lam)[2, 0], lam)
    assert by_lam.item() == pytest.approx(2 * 0.5)  # of 1 + λ²


@pytest.mark.parametrize(
    ("states", "rest", "code"),
    [
        ([0, 5], {"rewards": [1.0, 2.0], "values": [1.0, 2.0]}, "states_out_of_range"),
        ([0, 2], {"rewards": [1.0, 2.0], "values": [1.0, 2.0]}, "states_out_of_range"),
        ([-1, 0], {}, "states_out_of_range"),
        (["a", "b"], {"rewards": [1.0, 2.0], "values": [1.0]}, "values_wrong_length"),
        ([0, 1], {"rewards": [1.0, 2.0, 3.0]}, "states_wrong_length"),
        ([0, 1], {"values": [1.0, 2.0]}, "rewards_missing"),
        ([0.5, 1.0], {}, "states_not_states"),
        ([["a"], ["b", "c"]], {}, "states_not_states"),
        ("a", {}, "states_not_states"),
    ],
)
def test_refusals_in_python(states: object, rest: dict, code: str) -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.compute("traces", states=states, lam=0.5, **rest)
    assert caught.value.code == code


def test_names_are_literal() -> None:
    d = rlcalc.derive("traces", states=["[bold]", "100%", "a_b\x1b", "2"], lam="1/2")
    assert d.outputs["columns"] == ["[bold]", "100%", "a_b\x1b", "2"]
    assert r"\text{100\%}" in d.latex()
    assert "\x1b" not in d.text() + d.latex()
    assert "e_0(é) = γ·λ·e_−1(é) + 1" in rlcalc.derive("traces", states=["é"], lam="1/2").text()


def test_a_trace_is_printed_from_its_first_visit_on() -> None:
    d = rlcalc.derive("traces", states=["A", "B", "A"], gamma=1, lam="1/2", rewards=[1, 2, 3], alpha="1/10")
    assert [TextPrinter(numbers=False).name(step.name) for step in d.steps] == [
        "e_0(A)", "e_1(A)", "e_1(B)", "e_2(A)", "e_2(B)", "δ_0", "δ_1", "δ_2", "credit(A)", "credit(B)",
        "G_0^λ", "G_1^λ", "G_2^λ", "forward(A)", "forward(B)", "ΔV(A)", "ΔV(B)", "V_new(A)", "V_new(B)",
    ]  # fmt: skip
    text = d.text()
    assert "credit(B) = δ_1·e_1(B) + δ_2·e_2(B) =" in text
    assert "G_0^λ = (1 − λ)·G_0^(1) + (1 − λ)·λ·G_0^(2) + λ²·G_0^(3)\n" in text
    assert "G_1^λ = (1 − λ)·G_1^(1) + λ·G_1^(2) =" in text
    assert "forward(A) = G_0^λ − V(A) + (G_2^λ − V(A)) =" in text


def test_notes_name_the_states_whose_views_differ() -> None:
    rest = {"lam": "1/2", "rewards": [1, 2, 3, 4], "replacing": True}
    notes = rlcalc.derive("traces", states=list("ABAB"), **rest).notes
    assert notes == ["Replacing traces: the forward and the backward view differ for A, B."]
    notes = rlcalc.derive("traces", states=list("ABCA"), **rest).notes
    assert notes == ["Replacing traces: the forward and the backward view differ for A."]
    notes = rlcalc.derive("traces", states=list("ABCD"), **rest).notes
    assert notes == [
        "The backward view (traces) and the forward view (λ-returns) give the same update of every state."
    ]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"states": ["A"], "values": [1]}, "values is given, but rewards is missing"),
        ({"states": ["A"], "alpha": "1/2"}, "alpha is given, but rewards is missing"),
        ({"states": ["A"], "rewards": [1, 2]}, "There is 1 state for 2 rewards; expected 2 or 3."),
        (
            {"states": list("ABA"), "rewards": [1, 2, 3], "values": [1, 2, 1]},
            "values has 3 entries, expected 2, one for each of 'A B'.",
        ),
        (
            {"states": list("abcdefghijkl"), "rewards": [0] * 12, "values": [1]},
            "values has 1 entry, expected 12, one for each of 'a b c d e f g h i j k l'.",
        ),
        (
            {"states": list("abcdefghijklm"), "rewards": [0] * 13, "values": [1]},
            "values has 1 entry, expected 13, one for each of '13 states'.",
        ),
    ],
)
def test_refusals_repeat_the_counts(inputs: dict, message: str) -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive("traces", lam="1/2", **inputs)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("states", "rest", "message"),
    [
        ([0, 5], {"rewards": [1.0, 2.0], "values": [1.0, 2.0]}, "0 to 1; they reach from 0 to 5."),
        (["a", "b"], {"rewards": [1.0, 2.0], "values": [1.0]}, "values has 1 entry, expected 2,"),
        ([0, 1], {"rewards": [1.0, 2.0, 3.0]}, "There are 2 states for 3 rewards; expected 3 or 4."),
        ([0, 1], {"values": [1.0, 2.0]}, "values is given, but rewards is missing"),
        ([0, 1], {"alpha": 0.5}, "alpha is given, but rewards is missing"),
    ],
)
def test_refusals_in_python_repeat_the_counts(states: list, rest: dict, message: str) -> None:
    for made in (states, torch.tensor(states)) if isinstance(states[0], int) else (states,):
        with pytest.raises(rlcalc.InputError) as caught:
            rlcalc.compute("traces", states=made, lam=0.5, **rest)
        assert message in caught.value.message


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
