"""Faults of the entropy of the next token."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults._softmax import ADDED, log_softmax, log_softmax_of_rows
from rlcalc.conform.forms import Arrays, Form, Outputs


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


@fault("softmax-over-rows", "reduction")
def softmax_over_rows(form: Form, /, **arrays: Any) -> Outputs:
    """Normalises over the tokens of the sequence, not over the vocabulary.

    Shown when: Two rows or more; of a single row the answer is 0.
    Cause: dim=1 was the vocabulary of [B, V], and is the sequence of [B, K, V]; the shapes say nothing.
    Fix: Name the last axis, dim=-1.
    Diff:
        - probs = torch.softmax(logits, dim=1)
        + probs = torch.softmax(logits, dim=-1)
    """
    logs = log_softmax_of_rows(_kept(form, arrays))
    return {"entropy": _mean_of(-logs, logs)}


@fault("eps-in-the-logarithm", "logarithm", constants=[ADDED])
def eps_in_the_logarithm(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Adds a small number to the probability before the logarithm: −Σ p log(p + ε).

    Shown when: Probabilities that are not far above ε; the answer is below the entropy, and can be negative.
    Cause: 0·log 0 was to be avoided after a softmax that underflows.
    Fix: −Σ p·log_softmax, or logsumexp − Σ p·z.
    Diff:
        - entropy = -(p * torch.log(p + 1e-8)).sum(-1)
        + entropy = -(p * torch.log_softmax(logits, -1)).sum(-1)
    """
    logs = log_softmax(_kept(form, arrays))
    return {"entropy": _mean_of(-np.log(np.exp(logs) + eps), logs)}


def _kept(form: Form, arrays: Arrays) -> Any:
    """Tempered logits, −∞ where a cut leaves nothing."""
    tempered = arrays["logits"] / (1.0 if arrays.get("temperature") is None else arrays["temperature"])
    return np.where(form(**arrays)["kept"] > 0, tempered, -np.inf).astype(tempered.dtype)


def _mean_of(numbers: Any, logs: Any) -> Any:
    chances = np.exp(logs)
    return np.where(chances > 0, chances * np.where(chances > 0, numbers, 0), 0).sum(-1).astype(logs.dtype)
