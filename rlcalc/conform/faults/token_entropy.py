"""Faults of the entropy of the next token."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, given, sets
from rlcalc.conform.faults import _softmax


@sets("ignored", "OpenRLHF/OpenRLHF PR #1319", temperature=1.0)
def temperature_forgotten() -> None:
    """Takes the entropy of the untempered logits.

    Shown when: A temperature other than 1, and logits that differ.
    Cause: The log-probabilities divide by the temperature in a function of their own, the entropy in none.
    Fix: Divide the logits once, before both.
    - entropy = entropy_from_logits(logits)
    + entropy = entropy_from_logits(logits / temperature)
    """


@fault("logarithm")
def logits_for_logarithms(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logits themselves for the logarithms of the probabilities: −Σ p·z.

    Shown when: Logits whose exponentials do not add up to 1: a constant added to them moves the answer.
    Cause: The logarithm of the sum, which makes a softmax of logits, was left out.
    Fix: logsumexp − Σ p·z, or −Σ p·log_softmax.
    - entropy = -(torch.softmax(logits, -1) * logits).sum(-1)
    + entropy = torch.logsumexp(logits, -1) - (torch.softmax(logits, -1) * logits).sum(-1)
    """
    return _of_logs(form, arrays, _softmax.log_softmax, lambda kept: kept)


def _of_logs(form: Form, arrays: Arrays, weigh: Any, said: Any) -> Outputs:
    """The mean of what is said of tempered logits, −∞ where a cut leaves nothing."""
    tempered = arrays["logits"] / given(arrays, "temperature", 1.0)
    kept = np.where(form(**arrays)["kept"] > 0, tempered, -np.inf).astype(tempered.dtype)
    chances = np.exp(weigh(kept))
    terms = np.where(chances > 0, chances * np.where(chances > 0, -said(kept), 0), 0)
    return {"entropy": terms.sum(-1).astype(tempered.dtype)}


of_a_vocabulary = _softmax.of_a_vocabulary(_of_logs)
