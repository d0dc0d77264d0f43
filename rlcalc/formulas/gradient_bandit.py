"""Gradient bandit: preferences that follow rewards above their running mean.

    H(b) ← H(b) + α (R_k − B_k) ([a_k = b] − π(b)),   π = softmax(H),   k = 1 … T

B_k is the mean of the rewards before the k-th, and R_1 itself for the first, so that the first step changes
nothing; or the mean of the rewards up to the k-th; or a number. One step is one of REINFORCE.

Source: Sutton and Barto, 2nd edition, equation 2.12; Williams (1992), section 4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._indices import check_arrays_below, check_below
from rlcalc.formulas._softmax import score, softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, total


def check(i: Inputs) -> None:
    """Refuse an arm without a preference.

    Raises:
        InputError: ``actions_out_of_range``.
    """
    check_below("actions", i.actions, len(i.preferences), "preferences")


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    check_arrays_below(a, "actions", "preferences")


def exact_form(d: Derivation, i: Inputs) -> None:
    alpha = d.given("α", i.alpha)
    held: list[Term] = [d.given(Name("H", arg=Name(str(b))), h) for b, h in enumerate(i.preferences)]
    rewards = [d.given(Name("R", str(k)), r) for k, r in enumerate(i.rewards, start=1)]
    baselines = []
    for k, action in enumerate(i.actions):
        sub = str(k + 1)
        policy = [d.step(Name("π", sub, arg=Name(str(b))), p) for b, p in enumerate(softmax_terms(held))]
        baseline = d.step(Name("B", sub), _baseline(d, i, rewards, k), "what the reward is measured by")
        baselines.append(baseline)
        gain = d.step(Name("A", sub), rewards[k] - baseline)
        held = [
            d.step(Name("H", sub, arg=Name(str(b))), old + alpha * gain * (int(b == action) - p))
            for b, (old, p) in enumerate(zip(held, policy, strict=True))
        ]
    d.output("preferences", held)
    d.output("policy", [d.step(Name("π", arg=Name(str(b))), p) for b, p in enumerate(softmax_terms(held))])
    d.output("baselines", baselines)


def _baseline(d: Derivation, i: Inputs, rewards: list[Any], k: int) -> Term:
    if i.baseline == "before":
        seen = rewards[:k] or rewards[:1]
    elif i.baseline == "with":
        seen = rewards[: k + 1]
    else:
        return d.given("b", i.baseline)
    return total(seen) / len(seen) if len(seen) > 1 else total(seen)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """actions, rewards [..., T], preferences [..., A] -> preferences, policy [..., A], baselines [..., T]."""
    steps = a.rewards.shape[-1]
    if isinstance(a.baseline, str):
        means = xp.cumsum(a.rewards, -1) / xp.cast(1 + xp.indices(steps, a.rewards), a.rewards.dtype)
        shifted = xp.concatenate([a.rewards[..., :1], means[..., :-1]], -1)
        means = means if a.baseline == "with" else shifted
    else:
        means = a.baseline + xp.zeros_like(a.rewards)
    held = a.preferences + 0 * a.rewards[..., :1]
    for k in range(steps):
        slope = score(xp, xp.softmax(held, -1), a.actions[..., k])
        held = held + (a.alpha * (a.rewards[..., k] - means[..., k]))[..., None] * slope
    return {"preferences": held, "policy": xp.softmax(held, -1), "baselines": means}
