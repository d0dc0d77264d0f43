"""Importance sampling by hand, by its identities, and against drawn samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rlcalc


def test_refusal_names_the_first_outcome_left_out() -> None:
    given = {"p": ["1/4", "1/4", "1/2"], "q": [1, 0, 0], "f": [1, 0, 3]}
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive("importance", **given)
    assert caught.value.message == (
        "Samples of q cannot stand in for p: outcome 3 has q = 0, but p·f is not 0 there (p = 1/2, f = 3)."
    )
    with pytest.raises(rlcalc.InputError, match=r"cannot stand in for p: somewhere q is 0 and p·f is not\."):
        rlcalc.importance([0.25, 0.25, 0.5], [1.0, 0, 0], [1.0, 0, 3])


def test_effective_samples_need_samples() -> None:
    for make in (np.asarray, torch.tensor):
        p, q = make([0.5, 0.5]), make([0.25, 0.75])
        assert "effective_samples" not in rlcalc.compute("importance", p=p, q=q, f=p)
        # E w = 1 and E w² = 1/4·4 + 3/4·4/9 = 4/3: a share of 3/4
        found = rlcalc.compute("importance", p=p, q=q, f=p, samples=8)
        assert float(found["effective_samples"]) == pytest.approx(6)
