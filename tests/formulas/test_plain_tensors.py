"""The ways that only large plain tensors take, forced upon small ones, and the choices among them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import rlcalc
from rlcalc import plain_tensors
from rlcalc.formulas import _lines, load_forms
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import formula_names, load_formula
from tests.formulas.test_transforms import example


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_alone_and_values_with_a_graph_are_the_same(dtype: str, monkeypatch: Any) -> None:
    for formula in formula_names():
        given = from_exact(example(formula), "torch", dtype)
        form = load_forms(formula).torch_form
        monkeypatch.setattr(plain_tensors, "LARGE", 1 << 40)
        want = form(**given)
        monkeypatch.setattr(plain_tensors, "LARGE", 1)
        monkeypatch.setattr(_lines, "SIZE", 1)
        before = {name: value.clone() for name, value in given.items() if isinstance(value, torch.Tensor)}
        found = form(**given)
        for name, value in before.items():
            torch.testing.assert_close(given[name], value, rtol=0, atol=0, equal_nan=True, msg=formula)
        for name, value in want.items():
            if isinstance(value, torch.Tensor):
                torch.testing.assert_close(found[name], value, equal_nan=True, msg=f"{formula}: {name}")
                # else a later call that is given this answer would write over it
                assert plain_tensors.spare(found[name]) is None, f"{formula}: {name}"


@pytest.mark.parametrize("value", [0.1, 1e6, -3e-5])
def test_equal_values_of_a_large_batch_are_whitened_to_nothing(value: float) -> None:
    mask = torch.rand(64, 256, generator=torch.Generator().manual_seed(1)) < 0.9
    x = torch.where(mask, torch.tensor(value), torch.tensor(float("nan")))
    assert not rlcalc.compute("masked_whiten", x=x, mask=mask)["whitened"].any()
    x[mask.nonzero()[3].unbind()] *= 1.01
    assert rlcalc.compute("masked_whiten", x=x, mask=mask)["whitened"].any()


@pytest.mark.parametrize("size", [1, 4, 12])
@pytest.mark.parametrize("lead", [(), (3,)], ids=str)
def test_groups_that_lie_in_order_are_answered_as_in_any_order(lead: tuple[int, ...], size: int) -> None:
    chance = torch.Generator().manual_seed(1)
    rewards = torch.randn(*lead, 12, generator=chance, dtype=torch.float64)
    rewards[..., :5] = 1 / 3
    groups, mixed = torch.arange(12) // size, torch.randperm(12, generator=chance)
    for formula, choice in (("group_advantage", "scale"), ("rloo_advantage", "singleton")):
        for word in load_formula(formula).parameter(choice).choices:
            given = {choice: word, "groups": groups}
            found = rlcalc.compute(formula, rewards=rewards, **given)["advantages"]
            given["groups"] = groups[mixed]
            other = rlcalc.compute(formula, rewards=rewards[..., mixed], **given)["advantages"]
            torch.testing.assert_close(found[..., mixed], other, msg=f"{formula} {word}")
    loss, mask = rewards[..., None] * torch.arange(1, 4), torch.rand(12, 3, generator=chance) < 0.6
    weights = {
        name: rlcalc.compute(
            "loss_aggregation",
            loss=loss[..., rows, :],
            mask=mask[rows],
            groups=groups[rows],
            mode="prompt-mean",
        )["weights"]
        for name, rows in (("in order", torch.arange(12)), ("mixed", mixed))
    }
    torch.testing.assert_close(weights["in order"][..., mixed, :], weights["mixed"])


def test_entropy_a_few_lines_at_a_time_keeps_what_is_possible(monkeypatch: Any) -> None:
    logits = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(1))
    logits[1, 2, 7] = logits[1, 3, :40] = -torch.inf
    logits[0, 0, 1:] -= 3e4
    monkeypatch.setattr(plain_tensors, "LARGE", 1)
    monkeypatch.setattr(_lines, "SIZE", 128)
    found = rlcalc.compute("token_entropy", logits=logits, temperature=0.5)
    chances = torch.softmax(logits.double() / 0.5, -1)
    want = torch.special.entr(chances).sum(-1)
    slopes = 2 * (torch.special.entr(chances) - chances * want[..., None])  # −q (log q + H)/τ
    torch.testing.assert_close(found["entropy"].double(), want, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found["d_logits"].double(), slopes, rtol=1e-5, atol=1e-6)
    assert torch.equal(found["kept"], (logits > -torch.inf).float())
