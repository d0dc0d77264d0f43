"""Leave-one-out advantage: a reward less the mean of the other rewards of its group.

    A_i = r_i − Σ_{j≠i} r_j / (G − 1) = G/(G − 1)·(r_i − mean of the group)

As arrays the second form is taken. Equal rewards are told by comparing them: the mean of three floats of
0.1 is not 0.1.

Source: Kool, van Hoof and Welling, Buy 4 REINFORCE samples, get a baseline for free! (2019); Ahmadian et
al., arXiv:2402.14740, equation 5.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._groups import Groups
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    rewards = [d.given(Name("r", str(k)), reward) for k, reward in enumerate(i.rewards)]
    advantages = []
    for k, reward in enumerate(rewards):
        others = [r for r, group in zip(rewards, i.groups, strict=True) if group == i.groups[k]]
        others.remove(reward)
        name = Name("A", str(k))
        if others:
            baseline = d.step(Name("b", str(k)), total(others) / len(others), "mean of the others")
            advantages.append(d.step(name, reward - baseline))
        elif i.singleton == "raw":
            advantages.append(d.step(name, reward, "alone in its group: the reward itself"))
        else:
            advantages.append(d.step(name, term(0), "alone in its group: nothing to compare with"))
    d.output("advantages", advantages)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Advantages of rewards [..., N]."""
    rewards = a.rewards
    apart, whole = Groups(xp, a.groups, rewards), rewards.shape
    rewards = apart.apart(rewards)
    count = apart.counts(rewards)
    alone = count == 1
    share = count / xp.where(alone, 1.0, count - 1)
    found = xp.where(apart.constant(rewards), 0.0, (rewards - apart.means(rewards, count)) * share)
    if a.singleton == "raw":
        found = xp.where(alone, rewards, found)
    return {"advantages": found.reshape(whole)}
