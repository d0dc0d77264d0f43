"""Public reports of wrong formulas, each as a small function that has its fault.

The functions are written for this file, in the shape in which such code is
usually met; each gives the reporter's wrong number on the reporter's input.
``benchmarks/field.py`` puts them to ``conform`` and counts which of them are
caught, and which are told what is the matter with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

import rlcalc
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function

from .mdp_targets import gradient


@dataclass(frozen=True)
class Report:
    """A report, and the function that was written after it.

    Attributes:
        place: repository and number.
        names: faults or conventions, any of which is the right name; empty where the code is right.
        given: the reporter's input.
        wrong: what the reporter saw there.
        conventions: what is declared when it is put to ``conform``.
        require: capabilities that are required there.
    """

    id: str
    place: str
    formula: str
    names: tuple[str, ...]
    given: Mapping[str, Any]
    wrong: Any
    function: Callable[..., Any]
    conventions: tuple[str, ...] = ()
    require: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """The reporter's input as arrays."""
        return {name: _array(name, value) for name, value in self.given.items()}


@dataclass(frozen=True)
class Printed:
    """A printed number: settled by the calculator, with nothing to conform."""

    id: str
    place: str
    wrong: str
    right: str
    settled: Callable[[], Any] = field(repr=False)


@dataclass(frozen=True)
class Said:
    """What ``conform`` says about the function of a report.

    Attributes:
        caught: it is not simply called right.
        named: the right name is among what is said, or the function is right and called so.
        words: what is said.
    """

    caught: bool
    named: bool
    words: str


def said(report: Report, random: int = 0) -> Said:
    """Put the function of a report to ``conform``."""
    target = from_function(report.function, dtypes=("float64",))
    found = run(target, report.formula, report.conventions, random=random, require=report.require)
    matches = found.diagnosis.matches if found.diagnosis is not None else ()
    conventions = [] if found.worst else [c.name for c in found.conventions]
    faults = [fault.name for match in matches for fault in match.faults]
    read = [] if found.binding is None else list(found.binding.lines())
    said = [*conventions, *(match.name for match in matches), *found.notes]
    words = ", ".join([*(said or [found.verdict]), *read])
    if not report.names:
        return Said(found.verdict != "conforms", not found.worst, words)
    named = {*faults, *conventions} & {*report.names} or [n for n in report.names if n in words]
    return Said(found.verdict != "conforms" or bool(named), bool(named), words)


REPORTS: list[Report] = []


def _array(name: str, value):
    if isinstance(value, dict | int) and not isinstance(value, bool):
        return value if name in ("n", "horizon", "mdp", "ddof") else float(value)
    if name in ("terminated", "truncated", "mask"):
        return np.asarray(value, bool)
    if isinstance(value, str):
        return float(Fraction(value)) if value[-1].isdigit() else value
    return numbers(value)


def numbers(value):
    """Nested lists of numbers, fractions as text, as an array."""
    return np.array(_floats(value))


def _floats(value):
    if isinstance(value, list):
        return [_floats(part) for part in value]
    return float(value) if value == "nan" else float(Fraction(value))


def report(
    id: str,
    place: str,
    formula: str,
    *names: str,
    given: Mapping[str, Any],
    wrong: Any,
    conventions: Sequence[str] = (),
    require: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Write a function down as that of a report."""

    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        REPORTS.append(
            Report(id, place, formula, names, given, wrong, function, tuple(conventions), tuple(require)),
        )
        return function

    return keep


# what most reports of advantages and returns were tried on
SHORT = {"rewards": [1, 2, 4], "values": [1, 2, 3, 5], "gamma": "1/2", "lam": "1/2"}
ENDED = {**SHORT, "terminated": [0, 1, 0]}
CUT = {
    **{"rewards": [1, 2, 4], "values": [2, 3, 5, 6], "gamma": "1/2", "lam": "1/2"},
    **{"terminated": [0, 0, 0], "truncated": [0, 1, 0], "next_values": [3, 7, 6]},
}


# advantages


@report(
    *("rsl_rl-151", "leggedrobotics/rsl_rl issue #151", "gae", "truncation-bootstraps-own-value"),
    given=CUT,
    wrong=["5/8", "1/2", 2],
)
def stored_value_at_time_out(rewards, values, gamma, lam, terminated, truncated, next_values):
    rewards = rewards + gamma * values[..., :-1] * (truncated & ~terminated)
    return rlcalc.gae(rewards, values, gamma, lam, terminated | truncated)


@report(
    *("skrl-224", "Toni-SM/skrl issue #224", "gae", "time-out-bonus-on-top"),
    given={name: value for name, value in CUT.items() if name != "next_values"},
    wrong=["11/8", "7/2", 2],
)
def time_out_bonus(rewards, values, gamma, lam, terminated, truncated):
    rewards = rewards + gamma * values[..., :-1] * truncated
    carried, found = 0.0, np.zeros_like(rewards)
    for t in reversed(range(rewards.shape[-1])):
        live = 1 - terminated[..., t].astype(rewards.dtype)
        carried = rewards[..., t] - values[..., t] + gamma * live * (values[..., t + 1] + lam * carried)
        found[..., t] = carried
    return found


@report(
    *("mario-ppo-21", "vietnh1009/Super-mario-bros-PPO-pytorch issue #21", "gae", "recursion-crosses-ends"),
    given=ENDED,
    wrong=["39/32", "7/8", "7/2"],
)
def carried_over_the_end(rewards, values, gamma, lam, terminated):
    advantages, carried = [], 0.0
    for t in reversed(range(len(rewards))):
        carried = carried * gamma * lam
        carried = carried + rewards[t] + gamma * values[t + 1] * (1 - terminated[t]) - values[t]
        advantages.insert(0, carried)
    return advantages


@report(
    *("sb3-105", "DLR-RM/stable-baselines3 issue #105", "gae", "done-mask-one-early-but-the-last"),
    given=ENDED,
    wrong=[0, "19/8", "7/2"],
)
def flags_of_the_row_after(rewards, values, gamma, lam, terminated):
    steps, carried, found = len(rewards), 0.0, np.zeros_like(rewards)
    for t in reversed(range(steps)):
        live = 1.0 - terminated[t if t == steps - 1 else t + 1]
        delta = rewards[t] + gamma * values[t + 1] * live - values[t]
        carried = delta + gamma * lam * live * carried
        found[t] = carried
    return found


@report(
    *("cartpole-ppo-1", "4kasha/CartPole_PPO issue #1", "gae", "recursion-never-carried"),
    given=SHORT,
    wrong=[1, "3/2", "7/2"],
)
def reads_what_is_still_zero(rewards, values, gamma, lam):
    advantages = np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] - values[t]
        advantages[t] = delta + gamma * lam * advantages[t]
    return advantages


@report(
    *("dreamerv2-60", "danijar/dreamerv2 issue #60", "gae", "next-return-minus-value"),
    given=SHORT,
    wrong=["27/8", "9/2"],
)
def cut_at_different_ends(rewards, values, gamma, lam):
    returns = rlcalc.lambda_return(rewards, gamma=gamma, lam=lam, values=values)
    return returns[1:] - values[: len(rewards) - 1]


@report(
    *("coursia-7825", "jsboige/CoursIA PR #7825", "gae", "truncation-as-termination"),
    given={**SHORT, "terminated": [0, 0, 0], "truncated": [0, 0, 1]},
    wrong=["23/16", "7/4", 1],
)
def one_flag_for_both(rewards, values, gamma, lam, terminated, truncated):
    done = terminated | truncated
    carried, found = 0.0, np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * values[t + 1] * (1 - done[t]) - values[t]
        carried = delta + gamma * lam * (1 - done[t]) * carried
        found[t] = carried
    return found


@report(
    *("rlhf-book-216", "natolambert/rlhf-book PR #216", "gae", "reward-minus-value"),
    given={
        **{"rewards": [0, 0, 1], "values": ["1/2", "1/2", "1/2", 0]},
        **{"gamma": 1, "lam": 1, "terminated": [0, 0, 1]},
    },
    wrong=["-1/2", "-1/2", "1/2"],
)
def of_the_token_alone(rewards, values, gamma, lam, terminated):
    return rewards - values[..., :-1]


# λ-returns


@report(
    *("navix-152", "epignatelli/navix PR #152", "lambda_return", "value-two-steps-ahead"),
    given=SHORT,
    wrong=["95/32", "39/8", "13/2"],
)
def shifted_once_more(rewards, values, gamma, lam):
    later = np.append(values[2:], values[-1:])
    carried, found = values[-1], np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + gamma * ((1 - lam) * later[t] + lam * carried)
        found[t] = carried
    return found


@report(
    *("simpledreamer-6", "kc-ml2/SimpleDreamer issue #6", "lambda_return", "reward-one-late"),
    given=SHORT,
    wrong=["39/32", "23/8", "9/2"],
)
def dropped_at_the_wrong_end(rewards, values, gamma, lam):
    rewards = np.concatenate([np.zeros_like(rewards[:1]), rewards[:-1]])
    carried, found = values[-1], np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * carried)
        found[t] = carried
    return found


@report(
    *("dreamerv3-102", "danijar/dreamerv3 issue #102", "lambda_return"),
    given={"rewards": [4], "values": [0, 5], "gamma": "1/2", "lam": "1/2"},
    wrong=["13/2"],
)
def last_value_in_both_parts(rewards, values, gamma, lam):
    """Right: the two parts together weigh it once."""
    inputs = rewards + gamma * values[1:] * (1 - lam)
    carried, found = values[-1], []
    for t in reversed(range(len(rewards))):
        carried = inputs[t] + gamma * lam * carried
        found.insert(0, carried)
    return np.stack(found)


@report(
    *("dreamerv3-181", "danijar/dreamerv3 issue #181", "lambda_return", "bootstraps-from-own-value"),
    given=SHORT,
    wrong=["9/4", 4, 6],
)
def literally_as_printed(rewards, values, gamma, lam):
    carried, found = values[-1], np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + gamma * ((1 - lam) * values[t] + lam * carried)
        found[t] = carried
    return found


# n-step and discounted returns


@report(
    *("tf-agents-939", "tensorflow/agents issue #939", "n_step_return", "recursion-crosses-truncation"),
    given={
        **{"rewards": [1, 2, 4], "values": [0, 0, 9, 8], "gamma": "1/2", "n": 3},
        **{"terminated": [0, 0, 0], "truncated": [0, 1, 0], "next_values": [0, 6, 8]},
    },
    wrong=[4, 6, 8],
)
def time_limit_inside_the_window(rewards, values, gamma, n, terminated, truncated, next_values):
    steps, found = len(rewards), np.zeros_like(rewards)
    for t in range(steps):
        power = 1.0
        for k in range(t, steps if n == math.inf else min(t + n, steps)):
            found[t] += power * rewards[k]
            power = power * gamma
            last = next_values[k]
            if terminated[k]:
                power = 0.0
        found[t] += power * last if power else 0.0
    return found


@report(
    *("rllib-4626", "ray-project/ray issue #4626", "n_step_return", "gamma-to-the-n-in-short-windows"),
    given={"rewards": [1, 2], "values": [0, 0, 8], "gamma": "1/2", "n": 2},
    wrong=[4, 4],
)
def one_power_for_all_windows(rewards, values, gamma, n):
    steps, found = len(rewards), np.zeros_like(rewards)
    longest = steps if n == math.inf else n
    for t in range(steps):
        window = rewards[t : t + longest]
        found[t] = sum(gamma**k * r for k, r in enumerate(window))
        found[t] += gamma**longest * values[t + len(window)]
    return found


@report(
    *("hunkim-1", "hunkim/ReinforcementZeroToAll issue #1", "discounted_return", "discounted-and-not-summed"),
    given={"rewards": [1, 1, 1], "gamma": "1/2"},
    wrong=[1, "1/2", "1/4"],
)
def power_of_the_index(rewards, gamma):
    return np.array([r * gamma**t for t, r in enumerate(rewards)])


@report(
    "tf2-cookbook-27",
    "PacktPublishing/Tensorflow-2-Reinforcement-Learning-Cookbook issue #27",
    *("discounted_return", "reversed-after-every-append"),
    given={"rewards": [0, 1, 0, 2], "gamma": "1/2"},
    wrong=["3/4", 1, 2, "3/2"],
)
def reversed_in_the_loop(rewards, gamma):
    total, found = 0.0, []
    for reward in rewards[::-1]:
        total = reward + gamma * total
        found.append(total)
        found.reverse()
    return np.array(found)


@report(
    *("pytorch-examples-1422", "pytorch/examples PR #1422", "discounted_return", "flags-ignored"),
    given={"rewards": [1, 2, 4, 8], "gamma": "1/2", "terminated": [0, 1, 0, 1]},
    wrong=[4, 6, 8, 8],
)
def workers_joined(rewards, gamma, terminated):
    total, found = 0.0, []
    for reward in rewards[::-1]:
        total = reward + gamma * total
        found.insert(0, total)
    return found


# policies


@report(
    *("sb3-1028", "DLR-RM/stable-baselines3 PR #1028", "actor_loss", "whitening-of-one-gives-nan"),
    given={"log_probs": [-1], "advantages": [5]},
    wrong="nan",
)
def whitened_alone(log_probs, advantages):
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.square(advantages - advantages.mean()).sum() / (len(advantages) - 1))
        advantages = (advantages - advantages.mean()) / (spread + 1e-8)
    return -(log_probs * advantages).mean()


@report(
    *("ppoxfamily-95", "opendilab/PPOxFamily issue #95", "ppo_clip", "dual-clip-below-one"),
    given={"ratio": 1, "adv": -2, "eps": "1/5"},
    wrong=-1,
)
def dual_clip_too_low(ratio, adv, eps, dual_clip=0.5):
    clipped = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    return np.where(adv < 0, np.maximum(clipped, dual_clip * adv), clipped)


@report(
    *("hetero-rl-6", "HanlardResearch/Hetero-RL issue #6", "ppo_clip", "product-clipped"),
    given={"ratio": 1, "adv": "1/2", "eps": "1/5"},
    wrong="2/5",
)
def clip_around_the_product(ratio, adv, eps):
    return np.minimum(ratio * adv, np.clip(ratio * adv, 1 - eps, 1 + eps) * adv)


@report(
    *("spinningup-315", "openai/spinningup PR #315", "ppo_clip"),
    given={"ratio": "1/2", "adv": -2, "eps": "1/5"},
    wrong="-8/5",
)
def bound_by_the_sign(ratio, adv, eps):
    """Right: the same function for every ratio, advantage and ε."""
    return np.minimum(ratio * adv, np.where(adv >= 0, (1 + eps) * adv, (1 - eps) * adv))


@report(
    *("rlhf-book-125", "natolambert/rlhf-book issue #125", "ppo_clip", "right without loss"),
    given={"ratio": "3/2", "adv": 5, "eps": "1/5"},
    wrong=6,
    conventions=["loss"],
)
def objective_called_a_loss(ratio, adv, eps):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)


@report(
    *("torchforge-571", "meta-pytorch/torchforge PR #571", "ratio", "ratio-always-one"),
    given={"new_log": -1, "old_log": -2},
    wrong=1,
)
def new_minus_itself(new_log, old_log):
    held = np.array(new_log)  # detached
    return np.exp(new_log - held)


@report(
    *("pipelinerl-54", "ServiceNow/PipelineRL PR #54", "grpo_advantage", "statistics-of-the-first-reward"),
    given={"rewards": [0, 1, 1, 0]},
    wrong=[0, 10000, 10000, 0],
)
def first_rollout_alone(rewards):
    first = rewards[..., :1]
    return (rewards - first.mean(axis=-1, keepdims=True)) / (first.std(axis=-1, keepdims=True) + 1e-4)


@report(
    *("grpo-flat-2", "XU-YIJIE/grpo-flat issue #2", "grpo_advantage", "statistics-over-whole-batch"),
    given={"rewards": [[2, 4], [10, 12]]},
    wrong=[[-1.212678125181665, -0.7276068751089989], [0.7276068751089989, 1.212678125181665]],
)
def over_all_answers(rewards):
    return (rewards - rewards.mean()) / (rewards.std() + 1e-4)


@report(
    *("gem-113", "axon-rl/gem PR #113", "grpo_advantage", "standardised-again-over-batch"),
    given={"rewards": [[0, 2], [0, 0]]},
    wrong=[[-math.sqrt(2), math.sqrt(2)], [0, 0]],
)
def standardised_twice(rewards):
    """The second group has equal answers here; the report drops one of a group, which has the same effect."""
    mean, spread = rewards.mean(axis=-1, keepdims=True), rewards.std(axis=-1, keepdims=True)
    within = (rewards - mean) / (spread + 1e-8)
    return (within - within.mean()) / (within.std() + 1e-8)


@report(
    *("marin-1708", "marin-community/marin issue #1708", "kl", "negative-divergence"),
    given={"p": ["3/4", "1/4"], "q": ["1/2", "1/2"]},
    wrong=-3 * math.log(1.5) ** 2 / 8 - math.log(2) ** 2 / 8,
)
def k2_with_the_wrong_sign(p, q):
    drawn = p > 0
    logs = np.log(np.where(drawn, p, 1)) - np.log(np.where(drawn, q, 1))
    return -(p * logs**2 / 2).sum(axis=-1)


@report(
    "gymnasium-1336",
    "Farama-Foundation/Gymnasium issue #1336",
    *("actor_loss", "mean-log-times-summed-weights"),
    given={"log_probs": [-1, -2], "advantages": [5, -3]},
    wrong=3,
)
def mean_times_sum(log_probs, advantages):
    return -log_probs.mean() * advantages.sum()


@report(
    *("hf-deep-rl-95", "huggingface/deep-rl-class PR #95", "actor_loss", "first-weight-for-every-step"),
    given={"log_probs": [-1, -2], "advantages": [5, 2]},
    wrong=15,
)
def return_of_the_whole_episode(log_probs, advantages):
    return sum(-log_prob * advantages[0] for log_prob in log_probs)


@report(
    *("qdax-78", "adaptive-intelligent-robotics/QDax PR #78", "critic_loss", "quarter-mean-reduction"),
    given={"values": [10, 10], "returns": [15, 7]},
    wrong="17/4",
)
def one_half_in_front_of_another(values, returns):
    return 0.5 * (0.5 * np.square(values - returns)).mean(axis=-1)


@report(
    *("count-sr-1", "mcmachado/count_based_exploration_sr issue #1", "td_error", "gamma-added"),
    given={"rewards": [2], "values": [5, 8], "gamma": "1/2", "terminated": [0]},
    wrong=["-21/2"],
)
def minus_for_times(rewards, values, gamma, terminated):
    return rewards + gamma - (1 - terminated) * values[..., 1:] - values[..., :-1]


@report(
    *("rlevo-170", "anthonytorlucci/rlevo issue #170", "td_error", "truncation-as-termination"),
    given={
        **{"rewards": [1], "values": [0, 9], "gamma": "1/2"},
        **{"terminated": [0], "truncated": [1], "next_values": [6]},
    },
    wrong=[1],
)
def time_limit_is_the_end(rewards, values, gamma, terminated, truncated, next_values):
    live = 1.0 - (terminated | truncated)
    return rewards + gamma * live * next_values - values[..., :-1]


@report(
    *("rlevo-192", "anthonytorlucci/rlevo issue #192", "td_error", "masked-by-multiplication"),
    given={
        **{"rewards": [1], "values": [0, "nan"], "gamma": "1/2"},
        **{"terminated": [1], "next_values": ["nan"]},
    },
    wrong=["nan"],
    require=["nan-after-a-terminal-step"],
)
def nan_times_zero(rewards, values, gamma, terminated, next_values):
    return rewards + gamma * (1 - terminated) * next_values - values[..., :-1]


@report(
    *("pytorch-rl-2", "navneet-nmk/pytorch-rl issue #2", "td_error", "bootstrap-after-terminal"),
    given={"rewards": [1], "values": [0, 6], "gamma": "1/2", "terminated": [1]},
    wrong=[4],
)
def never_looks_at_done(rewards, values, gamma, terminated):
    return rewards + gamma * values[..., 1:] - values[..., :-1]


# faults that were met in public code, where nobody had reported them


@report(
    *("code-elegantrl-1", "AI4Finance-Foundation/ElegantRL", "gae", "truncation-adds-own-value"),
    given={name: value for name, value in CUT.items() if name != "next_values"},
    wrong=[1, 2, 2],
)
def own_value_without_gamma(rewards, values, gamma, lam, terminated, truncated):
    rewards = rewards + np.where(truncated & ~terminated, values[..., :-1], 0)
    live = 1 - (terminated | truncated).astype(rewards.dtype)
    carried, found = 0.0, np.zeros_like(rewards)
    for t in reversed(range(rewards.shape[-1])):
        delta = rewards[..., t] + gamma * live[..., t] * values[..., t + 1] - values[..., t]
        carried = delta + gamma * lam * live[..., t] * carried
        found[..., t] = carried
    return found


@report(
    *("code-elegantrl-2", "AI4Finance-Foundation/ElegantRL", "ppo_clip", "scaled-by-the-bounds"),
    given={"ratio": 1, "adv": 1, "eps": "1/5"},
    wrong="4/5",
)
def never_clipped(ratio, adv, eps):
    return adv * ratio * np.where(adv > 0, 1 - eps, 1 + eps)


@report(
    *("code-di-engine", "opendilab/DI-engine", "n_step_return", "gamma-power-one-short-at-the-end"),
    given={"rewards": [1, 2], "values": [0, 0, 8], "gamma": "1/2", "n": 2},
    wrong=[4, 10],
)
def power_of_the_last_row(rewards, values, gamma, n):
    steps, found = len(rewards), np.zeros_like(rewards)
    longest = steps if n == math.inf else n
    for t in range(steps):
        window = rewards[t : t + longest]
        found[t] = sum(gamma**k * r for k, r in enumerate(window))
        short = len(window) < longest
        found[t] += gamma ** (len(window) - short) * values[t + len(window)]
    return found


@report(
    *("code-last-reward", "a personal file", "lambda_return", "last-reward-lost"),
    given=SHORT,
    wrong=["75/32", "27/8", "5/2"],
)
def last_row_is_the_bootstrap(rewards, values, gamma, lam):
    steps, found = len(rewards), np.zeros_like(rewards)
    found[-1] = gamma * values[-1]
    for t in reversed(range(steps - 1)):
        found[t] = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * found[t + 1])
    return found


@report(
    *("code-philtabor", "philtabor/Youtube-Code-Repository", "gae", "last-advantage-zero"),
    given=ENDED,
    wrong=[1, 0, 0],
)
def summed_over_ends_and_short(rewards, values, gamma, lam, terminated):
    found = np.zeros_like(rewards)
    for t in range(len(rewards) - 1):
        power = 1.0
        for k in range(t, len(rewards) - 1):
            delta = rewards[k] + gamma * values[k + 1] * (1 - terminated[k]) - values[k]
            found[t] += power * delta
            power *= gamma * lam
    return found


@report(
    *("code-next-flag", "a personal file", "gae", "bootstrap-masked-one-early"),
    given=ENDED,
    wrong=["3/8", "3/2", "7/2"],
)
def value_masked_with_the_next_flag(rewards, values, gamma, lam, terminated):
    steps, carried, found = len(rewards), 0.0, np.zeros_like(rewards)
    for t in reversed(range(steps)):
        onward = 1 - terminated[t + 1] if t + 1 < steps else 1
        delta = rewards[t] + gamma * values[t + 1] * onward - values[t]
        carried = delta + gamma * lam * (1 - terminated[t]) * carried
        found[t] = carried
    return found


@report(
    *("code-gae-is-lambda", "lucidrains/dreamer4", "gae", "judged as such"),
    given=SHORT,
    wrong=["83/32", "35/8", "13/2"],
)
def called_gae_and_gives_returns(rewards, values, gamma, lam):
    """A λ-return, which is said: as the answer that it is read as, or as that of another formula."""
    carried, found = values[-1], np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * carried)
        found[t] = carried
    return found


@report(
    *("code-n-step", "kengz/SLM-Lab", "n_step_return", "It gives discounted returns"),
    given={"rewards": [1, 2], "values": [0, 0, 8], "gamma": "1/2", "n": 1},
    wrong=[4, 6],
)
def called_n_step_and_sums_all(rewards, values, gamma, n):
    carried, found = values[-1], np.zeros_like(rewards)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + gamma * carried
        found[t] = carried
    return found


# policies of small worlds

ONE_STATE = {
    "p": np.array([[[1.0], [1.0]]]),
    "r": np.array([[0.0, 1.0]]),
    "start": np.array([1.0]),
    "terminal": [False],
}


@report(
    *("hf-deep-rl-285", "huggingface/deep-rl-class issue #285", "policy_gradient", "one-score-only"),
    given={"mdp": ONE_STATE, "theta": [[0, 0]], "gamma": 1, "horizon": 2},
    wrong=[["-1/4", "1/4"]],
)
def sum_over_the_steps_missing(mdp, theta, gamma=1.0, form="trajectory", horizon=math.inf):
    return gradient(mdp, theta, gamma, "first-score", horizon)


# exercise 4.2: three moves lead to states whose values are known, −22, −20 and −14, and one back
EXTRA_STATE = {
    "P": [[[0, 1], [0, 1], [0, 1], [1, 0]], []],
    "R": [[-23, -21, -15, -1], []],
    "terminal": [1],
}
TWO_STATES = {"P": [[[0, 1]], [[1, 0]]], "R": [["-1/2"], ["1/2"]]}


def _first(formula: str, **given) -> Callable[[], Any]:
    """An exact answer, or the first entry of one, as text."""

    def settled() -> str:
        found = rlcalc.derive(formula, **given).answer
        return str(found[0] if isinstance(found, list | tuple) else found)

    return settled


PRINTED = [
    Printed(
        *("rasbt-240", "rasbt/machine-learning-book issue #240", "1/64", "1/128"),
        _first("discounted_return", rewards=[0] * 7 + [1], gamma="1/2"),
    ),
    Printed(
        *("hf-deep-rl-73", "huggingface/deep-rl-class issue #73", "-7", "-6"),
        _first("discounted_return", rewards=[-1] * 6, gamma=1),
    ),
    Printed(
        "sutton-solutions-12",
        "LyWangPX/Reinforcement-Learning-2nd-Edition-by-Sutton-Exercise-Solutions issue #12",
        *("20", "-20"),
        _first("policy_eval", mdp=EXTRA_STATE, policy="uniform", gamma=1),
    ),
    Printed(
        *("sutton-solutions-4", "brynhayder/reinforcement_learning_an_introduction issue #4", "1", "-1/3"),
        _first("policy_eval", mdp=TWO_STATES, policy="uniform", gamma="1/2"),
    ),
    Printed(
        *("verl-593", "volcengine/verl issue #593", "10/3", "6"),
        _first(
            "loss_aggregation",
            loss=[[2, 2, 2, 2, 2, 6, 5, 3, 2, 4], [10, 3, 4, 5, 2, 3, 4, 1, 1, 3]],
            mask=[[1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
            mode="seq-mean-token-mean",
        ),
    ),
]
