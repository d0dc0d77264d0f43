"""Group-relative advantage: A_i = (r_i − mean(r)) / (std(r) + ε), i = 1 … G.

The variance is taken in two passes, since E[r²] − E[r]² cancels in float32.
Equal rewards are recognised by comparing them, not by a standard deviation of
0: rounding of the mean would turn 0/0 into ±1.

Source: Shao et al., arXiv:2402.03300, section 4.1.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, apply, term, total


def check(i: Inputs) -> None:
    if len(i.rewards) < 2:
        raise _too_few(len(i.rewards))


def check_arrays(a: Arrays) -> None:
    if a.rewards.shape[-1] < 2:
        raise _too_few(a.rewards.shape[-1])


def _too_few(count: int) -> InputError:
    return InputError(
        "rewards_too_few",
        f"A group needs at least 2 rewards to compare, not {count}.",
        "Sample several answers to the same prompt.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    rewards = [d.given(Name("r", str(k)), reward) for k, reward in enumerate(i.rewards, start=1)]
    count = len(rewards)
    mean = d.step("m", total(rewards) / count)
    deviations = [d.step(Name("d", str(k)), r - mean) for k, r in enumerate(rewards, start=1)]
    variance = total(x**2 for x in deviations) / (count - i.ddof)
    std = d.step("s", apply("sqrt", variance), f"divided by {count - i.ddof}: ddof is {i.ddof}")
    eps = d.given("ε", i.eps)
    if std.value == 0:
        d.note("All rewards are equal: the group says nothing, so every advantage is 0.")
        advantages = [d.step(Name("A", str(k)), term(0)) for k in range(1, count + 1)]
    else:
        advantages = [
            d.step(Name("A", str(k)), x / (std + eps) if i.eps else x / std)
            for k, x in enumerate(deviations, start=1)
        ]
    d.output("advantages", advantages)
    d.output("mean", mean)
    d.output("std", std)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """(r − mean) / (std + ε) over the last axis: rewards [..., G] -> advantages [..., G], mean, std [...]."""
    mean = a.rewards.mean(axis=-1, keepdims=True)
    equal = xp.amax(a.rewards, axis=-1, keepdims=True) == xp.amin(a.rewards, axis=-1, keepdims=True)
    deviations = xp.where(equal, xp.zeros_like(a.rewards), a.rewards - mean)
    one = xp.ones_like(mean)
    # in units of the largest deviation, whose square may be beyond the range
    unit = xp.where(equal, one, xp.constant(xp.amax(xp.abs(deviations), axis=-1, keepdims=True)))
    divisor = xp.cast(xp.asarray(a.rewards.shape[-1] - a.ddof), a.rewards.dtype)
    variance = xp.square(deviations / unit).sum(axis=-1, keepdims=True) / divisor
    # the square root of 1 instead of 0 keeps the gradient finite where it is not used
    std = xp.where(equal, xp.zeros_like(mean), unit * xp.sqrt(xp.where(equal, one, variance)))
    scale = xp.where(equal, one, std + a.eps)
    return {"advantages": deviations / scale, "mean": mean[..., 0], "std": std[..., 0]}
