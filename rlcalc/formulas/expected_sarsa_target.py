"""Target of expected SARSA: the reward and what follows under the policy.

    target_t = R_{t+1} + γ_t Σ_a π(a|S_{t+1}) Q(S_{t+1}, a),   t = 0 … T−1,

and R_{t+1} alone after a terminated step.

Source: Sutton and Barto, 2nd edition, equation 6.9.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    targets = []
    for t, reward in enumerate(i.rewards):
        found: Term = d.given(Name("R", str(t + 1)), reward)
        if not (i.terminated and i.terminated[t]):
            per_step = isinstance(i.gamma, list)
            discount = d.given(Name("γ", str(t) if per_step else ""), i.gamma[t] if per_step else i.gamma)
            terms = [
                d.given(Name("π", str(t + 1), arg=Name(f"a_{a}")), p)
                * d.given(Name("Q", str(t + 1), arg=Name(f"a_{a}")), q)
                for a, (p, q) in enumerate(zip(i.policy[t], i.q_values[t], strict=True), start=1)
            ]
            found = found + discount * d.step(Name("V", str(t + 1)), total(terms), "expected under π")
        targets.append(d.step(Name("target", str(t)), found))
    d.output("target", targets)


def array_form(
    xp: Backend, rewards: Any, q_values: Any, policy: Any, gamma: Any, terminated: Any = None
) -> dict[str, Any]:
    """R + γ Σ_a π Q for rewards [..., T], action values and policy [..., T, A]."""
    # a probability of 0 takes nothing, also of a value that is not finite
    expected = xp.where(policy == 0, xp.zeros_like(q_values), policy * q_values).sum(-1)
    following = gamma * expected
    if terminated is not None:
        following = xp.where(terminated, xp.zeros_like(following), following)
    return {"target": rewards + following}
