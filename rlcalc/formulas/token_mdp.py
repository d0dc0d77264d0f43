"""Token-level MDP: text generation with one reward at its end.

    S_0 = prompt,  S_{t+1} = S_t ⊕ A_t,  t = 0 … T−1;   R_1 = … = R_{T−1} = 0,
    G_t = Σ_{k=0}^{T−1−t} γ^k R_{t+k+1} = γ^{T−1−t} R_T,
    log π(A_0 … A_{T−1}) = −T log|V|  when each of |V| tokens is equally likely.

The NumPy form runs the recurrence of the returns, the Torch form takes powers.

Source: Sutton and Barto, 2nd edition, equation 3.8; lecture, section 5.3.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan_numpy
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, apply

MAX_SHOWN = 16  # returns of longer answers are listed without their steps


def check(i: Inputs) -> None:
    """Refuse an answer with more different tokens than the vocabulary holds.

    Raises:
        InputError: ``vocabulary_too_small``.
    """
    if i.vocabulary is not None:
        _check_vocabulary(len(set(i.tokens)), i.vocabulary)


def check_arrays(a: Arrays) -> None:
    if _length(a.tokens) == 0:
        raise InputError("tokens_empty", "tokens is empty; it takes at least one token.")
    found = None if a.vocabulary is None else a.look("vocabulary")
    if found is not None and found[0].size:
        different = 1 if isinstance(a.tokens, str) else len(set(map(str, a.tokens)))
        _check_vocabulary(different, int(found[0].min()))


def _check_vocabulary(different: int, vocabulary: int) -> None:
    if different > vocabulary:
        raise InputError(
            "vocabulary_too_small",
            f"The answer uses {different} different tokens, but {spelled('vocabulary')} is {vocabulary}.",
            "Give the size of the whole vocabulary, not of the answer.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    length = len(i.tokens)
    gamma, reward = d.given("γ", i.gamma), d.given(Name("R", str(length)), i.reward)
    returns = [
        d.step(
            Name("G", str(t)),
            _discounted(gamma, length - 1 - t, reward),
            "" if t else "every reward before the last is 0" * (length > 1),
            shown=t == 0 or length <= MAX_SHOWN,
        )
        for t in range(length)
    ]
    d.output("return", returns[0])
    d.output("returns", returns)
    d.output("states", _states(i.prompt, i.tokens))
    d.output("actions", list(i.tokens))
    several = f"{length} actions A_0 … A_{length - 1} and {length + 1} states S_0 … S_{length}"
    d.note(f"{several if length > 1 else 'One action A_0 and two states S_0 and S_1'}, the last terminal.")
    if i.vocabulary is not None:
        size, count = d.given(Name("|V|", tex=r"\lvert V\rvert"), i.vocabulary), d.given("T", length)
        d.output("log_probability", d.step(Name("log π", tex=r"\log \pi"), -(count * apply("log", size))))


def _discounted(gamma: Term, delay: int, reward: Term) -> Term:
    if delay == 0:
        return reward
    return (gamma if delay == 1 else gamma**delay) * reward


def _states(prompt: str, tokens: list[str]) -> list[str]:
    states = [prompt]
    for token in tokens:
        states.append(f"{states[-1]} {token}" if states[-1] else token)
    return states


def _length(tokens: Any) -> int:
    """Number of tokens of a Python caller, who may also bring a single one."""
    return 1 if isinstance(tokens, str) else len(tokens)


def numpy_form(a: Arrays) -> dict[str, Any]:
    """The recurrence over T tokens: reward, gamma [...] -> returns [..., T], log_probability [...]."""
    length = _length(a.tokens)
    reward, gamma = np.broadcast_arrays(a.reward, a.gamma)
    rewards = np.zeros((*reward.shape, length), reward.dtype)
    rewards[..., -1] = reward
    found = {"returns": scan_numpy(rewards, gamma[..., None])}
    if a.vocabulary is not None:
        # in float64: a vocabulary may be larger than half precision's largest number
        log_probability = -length * np.log(np.asarray(a.vocabulary, np.float64))
        found["log_probability"] = log_probability.astype(reward.dtype)
    return found


def torch_form(a: Arrays) -> dict[str, Any]:
    """As ``numpy_form``, by powers of γ."""
    reward, gamma = a.reward, a.gamma
    length = _length(a.tokens)
    # a plain number stays on the host, so the one on a device decides
    device = reward.device if reward.device.type != "cpu" else gamma.device
    reward, gamma = reward.to(device), gamma.to(device)
    left = torch.arange(length - 1, -1, -1, device=device)
    found = {"returns": reward[..., None] * gamma[..., None] ** left}
    if a.vocabulary is not None:
        working = torch.promote_types(reward.dtype, torch.float32)
        found["log_probability"] = (-length * a.vocabulary.to(working).log()).to(reward.dtype)
    return found
