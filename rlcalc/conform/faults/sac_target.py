"""Faults of the target of soft actor-critic."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _targets as shared

of_every_target = shared.OF_EVERY_TARGET

PAIRS = (("next_q1", "next_q2"), ("q1_values", "q2_values"))


def _critics(arrays: Arrays, joined: Any) -> Arrays:
    """Both critics replaced by one number made of them."""
    found: Arrays = {}
    for first, second in PAIRS:
        if arrays.get(first) is not None and arrays.get(second) is not None:
            both = joined(arrays[first], arrays[second])
            found |= {first: both, second: both}
    return found


def _negated_entropy(arrays: Arrays) -> Any:
    """log π of the action that was drawn, or its expectation."""
    if arrays.get("policy") is None:
        return arrays["next_log_probs"]
    p = arrays["policy"]
    return (p * np.log(np.where(p > 0, p, 1))).sum(-1)


@fault("discounting", "rail-berkeley/serl issue #93", "DLR-RM/stable-baselines3 issue #76")
def entropy_outside_the_discount(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts α log π outside of γ·(1 − terminated): undiscounted, and also after a terminated step.

    Shown when: α above 0, and γ below 1 or a terminated step.
    Cause: The bonus is added to a finished target in a line of its own.
    Fix: It belongs to the value of the next state: R + γ·(1 − terminated)·(min Q − α log π).
    - target = rewards + gamma * (1 - dones) * min_q - alpha * next_log_prob
    + target = rewards + gamma * (1 - dones) * (min_q - alpha * next_log_prob)
    """
    plain = form(**{**arrays, "alpha": arrays["alpha"] * 0})["target"]
    return {"target": plain - arrays["alpha"] * _negated_entropy(arrays)}


def _apart(form: Form, arrays: Arrays, firsts: bool) -> Outputs:
    """What two critics learn, the smaller first, of which the second has a target of its own network."""
    right = form(**arrays)["target"]
    if all(arrays.get(second) is None for _, second in PAIRS):
        return {"target": right}
    first, second = (
        form(**{**arrays, **_critics(arrays, lambda one, two, of=of: (one, two)[of])})["target"]
        for of in (0, 1)
    )
    return {"target": np.sort(np.stack([first if firsts else right, second], -1), -1)}


@fault("reduction")
def critics_with_targets_of_their_own(form: Form, /, **arrays: Any) -> Outputs:
    """Lets each of two critics learn from its own target network: nothing holds an overestimate down.

    Shown when: Two critics that differ.
    Cause: The update of one critic was copied for the second, with every 1 replaced by a 2.
    Fix: One target for both, with the smaller of the two values.
    - y1, y2 = r + gamma * (1 - d) * q1_next, r + gamma * (1 - d) * q2_next
    + y1 = y2 = r + gamma * (1 - d) * torch.min(q1_next, q2_next)
    """
    return _apart(form, arrays, True)


@fault("reduction")
def second_critic_with_its_own_target(form: Form, /, **arrays: Any) -> Outputs:
    """Lets the first critic learn from the smaller value, and the second one from its own target network.

    Shown when: A second critic that is above the first.
    Cause: The minimum was put into the line of one target, and the other line was forgotten.
    Fix: One target for both, with the smaller of the two values.
    - y2 = r + gamma * (1 - d) * q2_next
    + y2 = r + gamma * (1 - d) * torch.min(q1_next, q2_next)
    """
    return _apart(form, arrays, False)


@argument_fault("sign")
def entropy_sign(arrays: Arrays) -> Arrays:
    """Adds α log π: the policy is paid for being certain.

    Shown when: α above 0 and a log-probability other than 0.
    Cause: The sign is carried over from the loss of the policy, which does add it.
    Fix: Subtract α log π.
    - next_value = min_q + alpha * next_log_prob
    + next_value = min_q - alpha * next_log_prob
    """
    return {"alpha": -arrays["alpha"]}


@argument_fault("ignored")
def alpha_missing(arrays: Arrays) -> Arrays:
    """Subtracts log π with a weight of 1, whatever α is.

    Shown when: α other than 1.
    Cause: Rewards were scaled in place of a temperature once, and now are not.
    Fix: Multiply by α.
    - next_value = min_q - next_log_prob
    + next_value = min_q - alpha * next_log_prob
    """
    return {"alpha": arrays["alpha"] * 0 + 1}


@argument_fault("ignored")
def entropy_missing(arrays: Arrays) -> Arrays:
    """Takes the entropy for 0: what is given of it is not looked at.

    Shown when: α above 0 and a log-probability other than 0.
    Cause: Taken over from TD3; the policy is trained with an entropy that its critics do not know.
    Fix: min Q' − α log π.
    - value = torch.min(next_q1, next_q2)
    + value = torch.min(next_q1, next_q2) - alpha * next_log_probs
    """
    return {"alpha": arrays["alpha"] * 0}


@argument_fault("swapped")
def larger_critic(arrays: Arrays) -> Arrays:
    """Takes the larger of the two critics.

    Shown when: Critics that differ.
    Cause: max and min are mixed up; both learn, one far too well of itself.
    Fix: The smaller of both.
    - next_q = torch.max(q1, q2)
    + next_q = torch.min(q1, q2)
    """
    return _critics(arrays, np.maximum)


@argument_fault("weighting")
def mean_of_critics(arrays: Arrays) -> Arrays:
    """Takes the mean of the two critics.

    Shown when: Critics that differ.
    Cause: An ensemble is averaged, as elsewhere.
    Fix: The smaller of both.
    - next_q = (q1 + q2) / 2
    + next_q = torch.min(q1, q2)
    """
    return _critics(arrays, lambda first, second: (first + second) / 2)


@argument_fault("ignored")
def first_critic_only(arrays: Arrays) -> Arrays:
    """Never looks at the second critic.

    Shown when: A second critic that is smaller.
    Cause: The same network is called twice, or the minimum is taken of one tensor.
    Fix: The smaller of both.
    - next_q = torch.min(q1_target(next_obs, a), q1_target(next_obs, a))
    + next_q = torch.min(q1_target(next_obs, a), q2_target(next_obs, a))
    """
    return _critics(arrays, lambda first, second: first)


@fault("reduction", "p-christ/Deep-Reinforcement-Learning-Algorithms-with-PyTorch issue #54")
def averaged_over_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the expectation over discrete actions by their number: weighted terms are averaged, not summed.

    Shown when: Discrete actions, two or more.
    Cause: mean() over terms that the policy weighs already.
    Fix: Sum them.
    - next_value = (probs * (min_q - alpha * log_probs)).mean(dim=1)
    + next_value = (probs * (min_q - alpha * log_probs)).sum(dim=1)
    """
    if arrays.get("policy") is None:
        return dict(form(**arrays))
    count = arrays["policy"].shape[-1]
    rows = {k: v / count for k, v in arrays.items() if k in PAIRS[1] and v is not None}
    return dict(form(**{**arrays, **rows, "alpha": arrays["alpha"] / count}))


@fault("weighting")
def entropy_not_expected(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts α log π of every discrete action without weighing it with π.

    Shown when: Discrete actions whose policy is not certain.
    Cause: A bracket too early: the policy multiplies the critics alone.
    Fix: Σ π (min Q − α log π).
    - next_value = (probs * min_q - alpha * log_probs).sum(dim=1)
    + next_value = (probs * (min_q - alpha * log_probs)).sum(dim=1)
    """
    if arrays.get("policy") is None:
        return dict(form(**arrays))
    p = arrays["policy"]
    logs = np.log(np.where(p > 0, p, 1))
    q = arrays["q1_values"] - arrays["alpha"] * logs * np.where(p > 0, 1 / np.where(p > 0, p, 1) - 1, 0)
    other = arrays.get("q2_values")
    shift = q - arrays["q1_values"]
    return dict(form(**{**arrays, "q1_values": q, "q2_values": None if other is None else other + shift}))


@fault("termination")
def entropy_after_the_end(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts γ·α log π after a terminated step too.

    Shown when: A terminated step, α above 0, and a log-probability other than 0.
    Cause: The mask stands beside the critics, and not around the value of the next state.
    Fix: R + γ·(1 − terminated)·(min Q − α log π).
    - target = rewards + gamma * ((1 - dones) * min_q - alpha * next_log_prob)
    + target = rewards + gamma * (1 - dones) * (min_q - alpha * next_log_prob)
    """
    found, over = dict(form(**arrays)), arrays.get("terminated")
    if over is not None:
        steps = 1 if arrays.get("n") is None else arrays["n"]
        bonus = arrays["gamma"] ** steps * arrays["alpha"] * _negated_entropy(arrays)
        found["target"] = np.where(over, found["target"] - bonus, found["target"])
    return found
