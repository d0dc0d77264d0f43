"""Arguments that tell readings of language-model formulas apart: small, and off every bound.

Rows have different lengths, what is masked is not 0, one token in the middle
is masked and one row is. Numbers are so large that a small ε does not matter.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays

# as a wrong mask or a wrong shift would have it seen
HIDDEN = 4.75


def probes_of(formula: str, equal: bool, one: bool) -> list[Arrays]:
    """Two calls or more.

    Args:
        equal: groups have one size and stand one after the other.
        one: there is a single group.
    """
    if formula in ("group_advantage", "rloo_advantage"):
        return _groups(equal, one)
    if formula in ("policy_clip", "cispo", "kl_estimate", "decoupled_ppo"):
        return _tokens(formula)
    found: list[Arrays] = _PROBES[formula]()
    return found


def _mask() -> Any:
    return np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]], bool)


def _whole() -> Any:
    """Rows that end early, without gaps."""
    return np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)


def _without_gaps() -> Any:
    """Other rows that end early: many functions know nothing of gaps."""
    return np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)


def _behind_prompts() -> Any:
    """Rows of which the first tokens are no answer either: what is not masked there comes back."""
    return np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]], bool)


def _table(mask: Any, start: float = 0.0, step: float = 0.375) -> Any:
    """Numbers that differ; large ones where nothing is."""
    entries = np.arange(mask.size).reshape(mask.shape)
    return np.where(mask, start + step * ((entries * 7) % 11 - 4), HIDDEN + entries)


def _logs(mask: Any, seed: int) -> Any:
    entries = np.arange(mask.size).reshape(mask.shape)
    return np.where(mask, -0.25 - ((entries * seed) % 9) / 8, -HIDDEN)


def _tokens(formula: str) -> list[Arrays]:
    """One entry a token: flat, then two rows."""
    ratio = np.array([0.5, 0.8125, 1.0625, 1.1875, 1.5, 3.5, 0.4375, 5.5])
    adv = np.array([1.0, -2.0, 0.5, -1.5, 2.25, -0.75, -1.25, 1.75])
    before = -2.5 - (np.arange(8) % 5) / 8
    after = before + np.log(ratio)
    names: Arrays = {
        "policy_clip": {"logp": after, "old_logp": before, "adv": adv, "eps_low": np.float64(0.2)},
        "cispo": {
            "logp": after,
            "old_logp": before,
            "adv": adv,
            "low": np.float64(0.75),
            "high": np.float64(1.25),
        },
        "kl_estimate": {"logp": after, "ref_logp": before},
        "decoupled_ppo": {
            "logp": after,
            "prox_logp": before,
            "behav_logp": before - np.log(ratio[::-1]) / 4,
            "adv": adv,
        },
    }
    one = names[formula]
    shaped = {name: v.reshape(2, 4)[::-1].copy() if v.ndim else v for name, v in one.items()}
    more = {"eps_low": np.float64(0.125)} if formula == "policy_clip" else {}
    return [one, {**shaped, **more}]


def _aggregation() -> list[Arrays]:
    mask = _mask()
    first = {"loss": _table(mask, 1.0), "mask": mask}
    second = {"loss": _table(_whole(), -2.0), "mask": _whole()}
    return [second, first, {"loss": _table(_whole(), 3.0), "mask": _whole(), "tokens": np.int64(17)}]


def _logprobs() -> list[Arrays]:
    logits = np.array([[0.5, -1.25, 2.0, 0.0], [1.5, 0.25, -0.5, 1.0], [-1.0, 0.75, 0.125, 2.5]])
    more = np.vstack([logits[::-1] * 1.5, [[0.0, 1.0, -2.0, 0.5]]])
    return [
        {"logits": logits, "ids": np.array([2, 0, 3])},
        {"logits": more, "ids": np.array([1, 3, 2, 0]), "temperature": np.float64(1.0)},
    ]


def _entropy() -> list[Arrays]:
    first = _logprobs()[0]["logits"]
    return [{"logits": first}, {"logits": 1.5 * first[:2]}]


def _sft() -> list[Arrays]:
    table = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.5], [-1.0, 0.75, 0.125], [0.25, -0.75, 1.0]])
    logits = np.stack([table, table[::-1] * 1.5])
    one = np.array([[0, 1, 2, 0], [-100, -100, 1, 2]])
    # the first label is none of the terms, and says so
    two = np.array([[-100, 1, 0, -100], [-100, 2, 1, 0]])
    return [{"logits": logits, "labels": two}, {"logits": logits[::-1], "labels": one}]


def _sequences() -> list[Arrays]:
    mask = np.array([[1, 1, 0], [1, 1, 1]], bool)
    logp, old = _logs(mask, 5), _logs(mask, 4)
    widths = {"eps_low": np.float64(0.2), "eps_high": np.float64(0.2)}
    one = {"logp": logp, "old_logp": old, "adv": np.array([1.5, -0.75]), "mask": mask, **widths}
    return [one, {**one, "adv": np.array([-1.25, 2.0])}]


def _correction() -> list[Arrays]:
    mask = _whole()
    train, rollout = _logs(mask, 5), _logs(mask, 4)
    bounds = {"low": np.float64(0.5), "high": np.float64(1.25)}
    one = {"train_logp": train, "rollout_logp": rollout, "mask": mask, **bounds}
    return [one, {**one, "train_logp": rollout, "rollout_logp": train}]


def _rewards() -> list[Arrays]:
    mask = _whole()
    one = {
        "score": np.array([1.5, -2.0, 0.75]),
        "logp": _logs(mask, 5),
        "ref_logp": _logs(mask, 4),
        "mask": mask,
        "beta": np.float64(0.5),
    }
    other = _without_gaps()
    return [one, {**one, "logp": _logs(other, 7), "ref_logp": _logs(other, 5), "mask": other}]


def _groups(equal: bool, one: bool) -> list[Arrays]:
    rewards = np.array([10.0, -30.0, 55.0, 5.0, 90.0, 20.0, -70.0, 15.0])
    if one:
        names = np.zeros(4, np.int64)
        return [{"rewards": rewards[:4], "groups": names}, {"rewards": rewards[5:], "groups": names[:3]}]
    if equal:
        names = np.repeat([0, 1], 4)
        return [
            {"rewards": rewards, "groups": names},
            {"rewards": rewards[:6], "groups": names[1:7] * 0 + [0, 0, 0, 1, 1, 1]},
        ]
    mixed = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    return [
        {"rewards": rewards, "groups": mixed},
        {"rewards": rewards[:5], "groups": np.array([2, 0, 2, 0, 0])},
    ]


def _reinforce() -> list[Arrays]:
    mask, gap = _whole(), np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)
    return [
        {"rewards": 10 * _table(mask), "mask": mask, "gamma": np.float64(1.0)},
        {"rewards": 10 * _table(mask, 2.0), "mask": mask, "gamma": np.float64(0.5)},
        {"rewards": 10 * _table(gap, 2.0), "mask": gap, "gamma": np.float64(0.5)},
    ]


def _whitening() -> list[Arrays]:
    mask = _whole()
    return [{"x": 10 * _table(mask, 2.0), "mask": mask}, {"x": 10 * _table(_mask(), -1.0), "mask": _mask()}]


def _gae() -> list[Arrays]:
    mask = _whole()
    one = {"rewards": _table(mask), "values": _table(mask, 0.5, 0.25), "mask": mask}
    other = _behind_prompts()
    return [
        {**one, "gamma": np.float64(1.0), "lam": np.float64(0.5)},
        {**one, "gamma": np.float64(0.5), "lam": np.float64(1.0)},
        {
            "rewards": _table(other),
            "values": _table(other, 0.5, 0.25),
            "mask": other,
            "lam": np.float64(0.75),
        },
    ]


def _values() -> list[Arrays]:
    mask = _whole()
    entries = np.arange(mask.size).reshape(mask.shape)
    old = np.where(mask, (entries * 3 % 7) / 4, HIDDEN)
    values = np.where(mask, old + ((entries * 5) % 9 - 4) / 4.0, -HIDDEN)
    one = {"values": values, "old_values": old, "returns": _table(mask, 0.5), "mask": mask}
    return [{**one, "eps": np.float64(0.5)}, {**one, "values": values * 1.5, "eps": np.float64(0.3)}]


def _pairs() -> list[Arrays]:
    one = {
        "chosen": np.array([-7.0, -4.0, -12.5]),
        "rejected": np.array([-9.0, -3.5, -2.0]),
        "ref_chosen": np.array([-8.0, -4.5, -10.0]),
        "ref_rejected": np.array([-7.5, -5.0, -3.0]),
        "chosen_lengths": np.array([4, 3, 7]),
        "rejected_lengths": np.array([5, 2, 3]),
        "beta": np.float64(0.5),
    }
    return [one, {**one, "chosen": one["rejected"], "rejected": one["chosen"], "beta": np.float64(0.25)}]


def _averaged() -> list[Arrays]:
    return [{n: v for n, v in one.items() if not n.startswith("ref_")} for one in _pairs()]


def _single() -> list[Arrays]:
    """Answers judged one by one."""
    one = {
        "logps": np.array([-7.0, -4.0, -12.5, -6.0]),
        "ref_logps": np.array([-8.0, -4.5, -10.0, -7.25]),
        "desirable": np.array([True, False, True, False]),
        "kl_logps": np.array([-3.0, -5.0, -6.5]),
        "kl_ref_logps": np.array([-4.0, -6.5, -6.0]),
        "beta": np.float64(0.5),
    }
    weights = {"weight_desirable": np.float64(1.25), "weight_undesirable": np.float64(0.75)}
    return [
        one,
        {**one, **weights},
        {**one, "kl_logps": np.array([-5.0, -7.5, -7.0]), "beta": np.float64(0.25)},
    ]


def _samples() -> list[Arrays]:
    counts = ((9, 2, 4), (10, 3, 1), (7, 5, 2))
    return [{"n": np.int64(n), "c": np.int64(c), "k": np.int64(k)} for n, c, k in counts]


def _rated() -> list[Arrays]:
    one = {"chosen": np.array([2.0, 0.5, -1.25]), "rejected": np.array([1.0, 1.5, -0.5])}
    return [one, {"chosen": one["rejected"][:2], "rejected": one["chosen"][:2]}]


def _overlong() -> list[Arrays]:
    one = {"lengths": np.array([70, 81, 95, 100]), "max_length": np.int64(100), "buffer": np.int64(20)}
    return [one, {**one, "factor": np.float64(0.5)}, {**one, "max_length": np.int64(90)}]


def _answers() -> list[Arrays]:
    mask, gap = _whole(), np.array([[0, 1, 1, 0, 0], [1, 1, 0, 1, 1], [0, 0, 0, 1, 0]], bool)
    first = {"logps": _logs(mask, 5), "mask": mask, "average": np.int64(0)}
    return [first, {"logps": _logs(gap, 7), "mask": gap, "average": np.int64(1)}]


_PROBES = {
    "answer_logprobs": _answers,
    "loss_aggregation": _aggregation,
    "token_logprobs": _logprobs,
    "token_entropy": _entropy,
    "sft_loss": _sft,
    "gspo": _sequences,
    "rollout_correction": _correction,
    "token_rewards": _rewards,
    "reinforce_pp_advantage": _reinforce,
    "masked_whiten": _whitening,
    "token_gae": _gae,
    "value_clip_loss": _values,
    "dpo_loss": _pairs,
    "ipo_loss": _pairs,
    "orpo_loss": _averaged,
    "simpo_loss": _averaged,
    "reward_model_loss": _rated,
    "kto_loss": _single,
    "pass_at_k": _samples,
    "overlong_penalty": _overlong,
}
