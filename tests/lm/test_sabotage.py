"""Every bug is detected by a check, none is detected where there is none, and no check is idle."""

from __future__ import annotations

import pytest

from rlcalc.lm.check.checks import ABOUT
from rlcalc.lm.check.faults import FAULTS, Bug
from rlcalc.lm.check.sabotage import control, detect
from tests.sweep import sweep

# the checks that a bug is meant for, where one alone would do
MEANT = {
    "mask_off_by_one": "answer_mask",
    "padding_in_denominator": "counts",
    "mean_of_means": "weights",
    "old_refreshed": "old_policy",
    "old_is_reference": "first_ratio",
    "kl_sign": "kl_exact",
    "k1_as_loss": "kl_gradient",
    "whole_batch": "advantages",
    "no_baseline": "centred",
    "shift_missing": "masked",
    "sampler_untempered": "sampler",
    "end_masked": "counts",
    "reward_on_padding": "returns",
    "values_unshifted": "exact_row",
    "value_loss_unmasked": "masked",
    "last_micro_batch": "accumulated",
    "counted_unshifted": "label_count",
    "reference_follows": "reference",
    "ties_are_pairs": "pairs",
    "pairs_swapped": "pair_gradient",
    "ascent": "descent",
    "zero_ignored": "reward",
}


def test_nothing_is_detected_where_nothing_is_broken() -> None:
    found = control()
    assert found.right, found.caught_by


@pytest.mark.parametrize("fault", sweep(FAULTS, 8, lambda fault: fault.name))
def test_every_bug_is_detected(fault: Bug) -> None:
    found = detect(fault, fault.probes)
    assert found.right, f"nothing detects: {fault.about}"
    assert set(found.caught_by) <= set(ABOUT)
    assert MEANT.get(fault.name, found.caught_by[0]) in found.caught_by


def test_there_are_enough_of_them_and_each_has_a_name() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 25
    assert set(MEANT) <= set(names)
