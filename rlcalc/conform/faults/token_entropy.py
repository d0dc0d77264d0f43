"""Faults of the entropy of the next token."""

from __future__ import annotations

from rlcalc.conform.fault import argument_fault
from rlcalc.conform.forms import Arrays


@argument_fault("temperature-forgotten", "ignored", reported_in=["OpenRLHF/OpenRLHF PR #1319"])
def temperature_forgotten(arrays: Arrays) -> Arrays:
    """Takes the entropy of the untempered logits.

    Shown when: A temperature other than 1, and logits that differ.
    Cause: The log-probabilities divide by the temperature in a function of their own, the entropy in none.
    Fix: Divide the logits once, before both.
    Diff:
        - entropy = entropy_from_logits(logits)
        + entropy = entropy_from_logits(logits / temperature)
    """
    return {"temperature": 1.0}
