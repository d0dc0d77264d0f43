"""Faults of the log-probabilities of the tokens taken."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults._softmax import ADDED, log_softmax_of_rows, logs_with_eps
from rlcalc.conform.forms import Arrays, Form, Outputs


def _temperature(arrays: Arrays) -> Any:
    return 1.0 if arrays.get("temperature") is None else arrays["temperature"]


@fault(
    "temperature-on-the-result",
    "logarithm",
    reported_in=["PrimeIntellect-ai/prime-rl PR #697", "PrimeIntellect-ai/prime-rl PR #679"],
)
def temperature_on_the_result(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the log-probability by the temperature, not the logits: the chances sum to 1 no more.

    Shown when: A temperature other than 1.
    Cause: The helper for log-probabilities is called first, and the temperature comes after.
    Fix: Divide the logits, then take the logarithm of their softmax.
    Diff:
        - logps = torch.log_softmax(logits, -1).gather(-1, ids) / temperature
        + logps = torch.log_softmax(logits / temperature, -1).gather(-1, ids)
    """
    found = form(**{**arrays, "temperature": 1.0})
    return {name: value / _temperature(arrays) for name, value in found.items()}


@argument_fault(
    "temperature-forgotten",
    "ignored",
    reported_in=[
        "huggingface/trl PR #3029",
        "huggingface/trl issue #4159",
        "NVIDIA-NeMo/RL PR #316",
        "OpenRLHF/OpenRLHF PR #853",
        "THUDM/slime PR #557",
        "modelscope/ms-swift PR #8427",
        "NVIDIA-NeMo/RL PR #935",
        "databricks/compose-rl PR #105",
        "radixark/miles PR #68",
        "radixark/miles PR #1345",
        "unslothai/unsloth-zoo PR #832",
        "thinking-machines-lab/tinker-feedback issue #148",
    ],
)
def temperature_forgotten(arrays: Arrays) -> Arrays:
    """Takes the log-probabilities of the untempered model, where sampling was tempered.

    Shown when: A temperature other than 1, and logits that differ.
    Cause: The engine divides its logits by the temperature, and the trainer, or the reference, does not.
    Fix: Divide the logits by the temperature of sampling wherever log-probabilities are compared.
    Diff:
        - logps = torch.log_softmax(logits, -1)
        + logps = torch.log_softmax(logits / temperature, -1)
    """
    return {"temperature": 1.0}


@argument_fault("rows-not-shifted", "indexing", reported_in=["huggingface/trl issue #3681"])
def rows_not_shifted(arrays: Arrays) -> Arrays:
    """Scores each token by its own row, which predicts the next one.

    Shown when: Two tokens or more, with rows of logits that differ.
    Cause: The shift is missing, or the last rows were cut out of a model that gave all of them.
    Fix: Rows up to the last but one predict the tokens from the second on.
    Diff:
        - logps = torch.log_softmax(logits[1:], -1).gather(-1, ids[1:, None])
        + logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[1:, None])
    """
    return {"logits": np.roll(arrays["logits"], -1, axis=-2)}


@argument_fault("tokens-not-shifted", "indexing")
def tokens_not_shifted(arrays: Arrays) -> Arrays:
    """Asks the row before a token for the token before it, which it has read.

    Shown when: Two tokens or more that differ.
    Cause: The rows were cut at the end, and the tokens too.
    Fix: Cut the last row of the logits and the first of the tokens.
    Diff:
        - logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[:-1, None])
        + logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[1:, None])
    """
    return {"ids": np.roll(arrays["ids"], 1, axis=-1)}


@fault(
    "renormalised-over-the-nucleus",
    "normalisation",
    reported_in=[
        "huggingface/trl issue #6789",
        "PrimeIntellect-ai/prime-rl PR #2979",
        "PrimeIntellect-ai/prime-rl PR #3431",
        "NovaSky-AI/SkyRL issue #877",
        "NVIDIA-NeMo/RL PR #2053",
    ],
)
def renormalised_over_the_nucleus(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the log-probabilities of the truncated distribution, here of the nucleus of 4/5.

    Shown when: A token outside the nucleus that has some chance.
    Cause: The engine reports what it sampled from, after top-p, and the trainer the whole softmax.
    Fix: Truncate on both sides, or ask the engine for the untruncated log-probabilities.
    Diff:
        - logps = engine_output.processed_logprobs
        + logps = engine_output.raw_logprobs
    """
    scaled = arrays["logits"] / _temperature(arrays)
    order = np.argsort(-scaled, axis=-1, kind="stable")
    sorted_ = np.take_along_axis(scaled, order, -1)
    chances = np.exp(sorted_ - sorted_[..., :1])
    chances = chances / chances.sum(-1, keepdims=True)
    before = np.cumsum(chances, -1) - chances
    kept = np.take_along_axis(before < 0.8 - 1e-6, np.argsort(order, axis=-1, kind="stable"), -1)
    low = np.where(kept, arrays["logits"], arrays["logits"].dtype.type(-1e30))
    return dict(form(**{**arrays, "logits": low}))


@fault("exponential-overflows", "precision")
def exponential_overflows(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of the plain sum of exponentials.

    Shown when: Logits beyond 709 in double or 88 in single precision: inf − inf; far below 0: log 0.
    Cause: The formula was written down as it is printed.
    Fix: Subtract the largest logit first, or use logsumexp.
    Diff:
        - logps = logits - logits.exp().sum(-1, keepdim=True).log()
        + logps = logits - logits.logsumexp(-1, keepdim=True)
    """
    found = dict(form(**arrays))
    with np.errstate(all="ignore"):
        whole = np.exp(arrays["logits"][..., :-1, :] / _temperature(arrays)).sum(-1)
    sound = np.isfinite(whole) & (whole > 0)
    return {
        "logps": np.where(sound, found["logps"], np.nan),
        "d_logits": np.where(sound[..., None], found["d_logits"], np.nan),
    }


@fault("softmax-over-rows", "reduction")
def softmax_over_rows(form: Form, /, **arrays: Any) -> Outputs:
    """Normalises over the tokens of the sequence, not over the vocabulary.

    Shown when: Two tokens to predict or more.
    Cause: dim=1 was the vocabulary of [B, V], and is the sequence of [B, K, V]; the shapes say nothing.
    Fix: Name the last axis, dim=-1.
    Diff:
        - logps = torch.log_softmax(logits[:, :-1], dim=1)
        + logps = torch.log_softmax(logits[:, :-1], dim=-1)
    """
    every = log_softmax_of_rows(arrays["logits"][..., :-1, :] / _temperature(arrays))
    return {"logps": _taken(every, arrays)}


@fault("eps-in-the-logarithm", "logarithm", constants=[ADDED])
def eps_in_the_logarithm(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Adds a small number to the probability before the logarithm: log(softmax + ε).

    Shown when: A token whose probability is not far above ε; the value and its gradient stop at log ε.
    Cause: log 0 was to be avoided after a softmax that underflows.
    Fix: log_softmax, which has no 0 to avoid.
    Diff:
        - logps = torch.log(torch.softmax(logits, -1) + 1e-8)
        + logps = torch.log_softmax(logits, -1)
    """
    every = logs_with_eps(arrays["logits"][..., :-1, :] / _temperature(arrays), eps)
    return {"logps": _taken(every, arrays)}


def _taken(every: Any, arrays: Arrays) -> Any:
    ids = np.broadcast_to(arrays["ids"][..., 1:], every.shape[:-1])
    return np.take_along_axis(every, ids[..., None].astype(np.int64), -1)[..., 0].astype(every.dtype)
