"""Faults that formulas of a softmax over a vocabulary have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant
from rlcalc.conform.fault import Arrays, Fault, Form, Outputs, fault

# what people add to a probability before its logarithm
ADDED = Constant("eps", 1e-12, 1e-2)
# from the form, its arguments, the logarithms of the probabilities that weigh, and those that are read
Answer = Callable[[Form, Arrays, Callable[[Any], Any], Callable[[Any], Any]], Outputs]


def log_softmax(logits: Any, axis: int = -1) -> Any:
    shifted = logits - logits.max(axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def of_a_vocabulary(answer: Answer) -> tuple[Fault, ...]:
    """The faults of a formula whose answer is made of logarithms of probabilities."""

    @fault("reduction")
    def softmax_over_rows(form: Form, /, **arrays: Any) -> Outputs:
        """Normalises over the tokens of the sequence, not over the vocabulary.

        Shown when: Two tokens or more.
        Cause: dim=1 was the vocabulary of [B, V], and is the sequence of [B, K, V]; the shapes say nothing.
        Fix: Name the last axis, dim=-1.
        - log_probs = torch.log_softmax(logits, dim=1)
        + log_probs = torch.log_softmax(logits, dim=-1)
        """

        def over_rows(logits: Any) -> Any:
            return log_softmax(logits, -2)

        return answer(form, arrays, over_rows, over_rows)

    @fault("logarithm", constants=[ADDED])
    def eps_in_the_logarithm(form: Form, eps: float, /, **arrays: Any) -> Outputs:
        """Adds a small number to the probability before the logarithm: log(p + ε).

        Shown when: A token whose probability is not far above ε; the value and its gradient stop at log ε.
        Cause: log 0 was to be avoided after a softmax that underflows.
        Fix: log_softmax, which has no 0 to avoid.
        - log_probs = torch.log(torch.softmax(logits, -1) + 1e-8)
        + log_probs = torch.log_softmax(logits, -1)
        """
        return answer(form, arrays, log_softmax, lambda logits: np.log(np.exp(log_softmax(logits)) + eps))

    @fault("logarithm")
    def logarithm_missing(form: Form, /, **arrays: Any) -> Outputs:
        """Takes the probability where its logarithm is meant.

        Shown when: A token that is not certain.
        Cause: softmax was called where log_softmax is meant.
        Fix: log_softmax.
        - log_probs = torch.softmax(logits, -1)
        + log_probs = torch.log_softmax(logits, -1)
        """
        return answer(form, arrays, log_softmax, lambda logits: np.exp(log_softmax(logits)))

    @fault("logarithm")
    def softmax_twice(form: Form, /, **arrays: Any) -> Outputs:
        """Takes the softmax of probabilities, as if these were logits: no token gets far from the others.

        Shown when: Logits that are not all alike.
        Cause: The network ends in a softmax, or one was taken, before a loss that takes its own.
        Fix: Hand the logits over: cross_entropy and Categorical(logits=...) take the softmax themselves.
        - loss = F.cross_entropy(torch.softmax(logits, -1), labels)
        + loss = F.cross_entropy(logits, labels)
        """

        def twice(logits: Any) -> Any:
            return log_softmax(np.exp(log_softmax(logits)))

        return answer(form, arrays, twice, twice)

    return softmax_over_rows, eps_in_the_logarithm, logarithm_missing, softmax_twice
