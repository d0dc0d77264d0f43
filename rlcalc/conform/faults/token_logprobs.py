"""Faults of the log-probabilities of the tokens taken."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets
from rlcalc.conform.faults import _softmax
from rlcalc.conform.faults._softmax import log_softmax


def _temperature(arrays: Arrays) -> Any:
    return given(arrays, "temperature", 1.0)


@fault("logarithm", "PrimeIntellect-ai/prime-rl PR #697", "PrimeIntellect-ai/prime-rl PR #679")
def temperature_on_the_result(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the log-probability by the temperature, not the logits: the chances sum to 1 no more.

    Shown when: A temperature other than 1.
    Cause: The helper for log-probabilities is called first, and the temperature comes after.
    Fix: Divide the logits, then take the logarithm of their softmax.
    - logps = torch.log_softmax(logits, -1).gather(-1, ids) / temperature
    + logps = torch.log_softmax(logits / temperature, -1).gather(-1, ids)
    """
    found = form(**{**arrays, "temperature": 1.0})
    return {name: value / _temperature(arrays) for name, value in found.items()}


@sets(
    "ignored",
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
    temperature=1.0,
)
def temperature_forgotten() -> None:
    """Takes the log-probabilities of the untempered model, where sampling was tempered.

    Shown when: A temperature other than 1, and logits that differ.
    Cause: The engine divides its logits by the temperature, and the trainer, or the reference, does not.
    Fix: Divide the logits by the temperature of sampling wherever log-probabilities are compared.
    - logps = torch.log_softmax(logits, -1)
    + logps = torch.log_softmax(logits / temperature, -1)
    """


@argument_fault("indexing", "huggingface/trl issue #3681")
def rows_not_shifted(arrays: Arrays) -> Arrays:
    """Scores each token by its own row, which predicts the next one.

    Shown when: Two tokens or more, with rows of logits that differ.
    Cause: The shift is missing, or the last rows were cut out of a model that gave all of them.
    Fix: Rows up to the last but one predict the tokens from the second on.
    - logps = torch.log_softmax(logits[1:], -1).gather(-1, ids[1:, None])
    + logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[1:, None])
    """
    return {"logits": np.roll(arrays["logits"], -1, axis=-2)}


@argument_fault("indexing")
def tokens_not_shifted(arrays: Arrays) -> Arrays:
    """Asks the row before a token for the token before it, which it has read.

    Shown when: Two tokens or more that differ.
    Cause: The rows were cut at the end, and the tokens too.
    Fix: Cut the last row of the logits and the first of the tokens.
    - logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[:-1, None])
    + logps = torch.log_softmax(logits[:-1], -1).gather(-1, ids[1:, None])
    """
    return {"ids": np.roll(arrays["ids"], 1, axis=-1)}


@fault(
    "normalisation",
    "huggingface/trl issue #6789",
    "PrimeIntellect-ai/prime-rl PR #2979",
    "PrimeIntellect-ai/prime-rl PR #3431",
    "NovaSky-AI/SkyRL issue #877",
    "NVIDIA-NeMo/RL PR #2053",
)
def renormalised_over_the_nucleus(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the log-probabilities of the truncated distribution, here of the nucleus of 4/5.

    Shown when: A token outside the nucleus that has some chance.
    Cause: The engine reports what it sampled from, after top-p, and the trainer the whole softmax.
    Fix: Truncate on both sides, or ask the engine for the untruncated log-probabilities.
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


@fault("precision")
def exponential_overflows(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of the plain sum of exponentials.

    Shown when: Logits beyond 709 in double or 88 in single precision: inf − inf; far below 0: log 0.
    Cause: The formula was written down as it is printed.
    Fix: Subtract the largest logit first, or use logsumexp.
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


@fault("logarithm")
def logits_for_logarithms(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logit of the token for its log-probability.

    Shown when: Logits whose exponentials do not add up to 1: a constant added to them moves the answer.
    Cause: The values of the last layer are gathered as they stand; the softmax was left to the caller.
    Fix: logits − logsumexp of the row.
    - logps = logits.gather(-1, ids)
    + logps = torch.log_softmax(logits, -1).gather(-1, ids)
    """
    return _of_logs(form, arrays, log_softmax, lambda logits: logits)


def _of_logs(form: Form, arrays: Arrays, weigh: Any, said: Any) -> Outputs:
    """Other log-probabilities, of the tokens taken."""
    every = said(arrays["logits"][..., :-1, :] / _temperature(arrays))
    ids = np.broadcast_to(arrays["ids"][..., 1:], every.shape[:-1])
    taken = np.take_along_axis(every, ids[..., None].astype(np.int64), -1)[..., 0]
    return {"logps": taken.astype(every.dtype)}


of_a_vocabulary = _softmax.of_a_vocabulary(_of_logs)
