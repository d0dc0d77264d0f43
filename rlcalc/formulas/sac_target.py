"""Target of soft actor-critic: the reward, the smaller of two critics, and a bonus for the policy's surprise.

    sampled    V_t = min(Q₁, Q₂)(S_{t+n}, A') − α log π(A'|S_{t+n})
    discrete   V_t = Σ_a π(a|S_{t+n}) (min(Q₁, Q₂)(S_{t+n}, a) − α log π(a|S_{t+n}))
    target_t = R_{t+1} + γ_t^n V_t,   t = 0 … T−1,

and R_{t+1} alone after a terminated step. A' is drawn by the policy in the next state. With α = 0 and the
action of the target policy it is the target of TD3.

Source: Haarnoja et al., arXiv:1812.05905, equation 3 and section 5; Christodoulou, arXiv:1910.07207,
equation 10; Fujimoto et al., arXiv:1802.09477, equation 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic
from rlcalc.formulas._targets import action_values, exact_targets, targets
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, total

# their names, as text and in LaTeX
CRITICS = (("Q¹", "Q^1"), ("Q²", "Q^2"))


def exact_form(d: Derivation, i: Inputs) -> None:
    alpha = d.given("α", i.alpha)

    def smaller(pair: Sequence[Term]) -> Term:
        return apply("min", *pair) if len(pair) > 1 else pair[0]

    def sampled(t: int) -> Term:
        name = str(t + 1)
        critics = zip(CRITICS, (i.next_q1, i.next_q2), strict=True)
        pair = [d.given(Name(q, name, tex=tex), rows[t]) for (q, tex), rows in critics if rows is not None]
        log = d.given(Name("ℓ", name), i.next_log_probs[t])
        return d.step(Name("V", name), smaller(pair) - alpha * log, "with the bonus of the entropy")

    def discrete(t: int) -> Term:
        critics = zip(CRITICS, (i.q1_values, i.q2_values), strict=True)
        both = [action_values(d, rows, t, *name) for name, rows in critics if rows is not None]
        parts = []
        for a, chance in enumerate(i.policy[t]):
            if not is_symbolic(chance) and compare(chance, 0) == 0:
                continue  # 0·log 0 counts as 0
            pi = d.given(Name("π", str(t + 1), arg=Name("a", str(a))), chance)
            parts.append(pi * (smaller([critic[a] for critic in both]) - alpha * apply("log", pi)))
        return d.step(Name("V", str(t + 1)), total(parts), "expected under π, with the bonus of the entropy")

    exact_targets(d, i, sampled if i.policy is None else discrete)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards, critics, log-probabilities [..., T], or critics and policy [..., T, A] -> target [..., T]."""
    if a.policy is None:
        following = _smaller(xp, a.next_q1, a.next_q2) - a.alpha * a.next_log_probs
    else:
        possible = a.policy > 0
        logs = xp.log(xp.where(possible, a.policy, xp.ones_like(a.policy)))
        soft = a.policy * (_smaller(xp, a.q1_values, a.q2_values) - a.alpha * logs)
        following = xp.where(possible, soft, xp.zeros_like(soft)).sum(-1)
    return targets(xp, a.rewards, a.gamma, following, a.terminated, a.n)


def _smaller(xp: Backend, first: Any, second: Any) -> Any:
    return first if second is None else xp.minimum(first, second)
