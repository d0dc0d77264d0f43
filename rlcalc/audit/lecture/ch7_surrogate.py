"""Chapter 7: the surrogate objective, its gradient, and what the ratio of one step leaves out."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Findings,
    Identity,
    Replay,
    condition,
    correction,
)
from rlcalc.audit.proofs import answer, reals, sequence, unit
from rlcalc.audit.registry import Corruption, Statement, claim

HALF = ["1/2", "1/2"]


def two_steps() -> dict[str, Any]:
    """A family of episodes of at most two steps, its value and its surrogate.

    In S_0 the first action (probability p) pays x and leads to S_1, the other
    pays y and ends; in S_1 the first action (probability q) pays z, the other
    w. ``surrogate`` is J_old + E_old[Σ γ^t r_t A_t] with the exact advantages of
    the old policy (p, q) at a new policy (P, Q).
    """
    p, q, gamma = unit("a"), unit("b"), unit("g")
    new_p, new_q = reals("P Q")
    x, y, z, w = reals("x y z w")
    later = q * z + (1 - q) * w
    go, stop = x + gamma * later, y
    old = p * go + (1 - p) * stop
    # ratio · old probability = new probability; S_1 is reached as often as under the old policy
    first = new_p * (go - old) + (1 - new_p) * (stop - old)
    second = p * gamma * (new_q * (z - later) + (1 - new_q) * (w - later))
    true = new_p * (x + gamma * (new_q * z + (1 - new_q) * w)) + (1 - new_p) * y
    return {
        "p": p,
        "q": q,
        "P": new_p,
        "Q": new_q,
        "surrogate": old + first + second,
        "J": true,
        "gap": gamma * (new_p - p) * (new_q - q) * (z - w),
        # the whole history as weight, in place of the ratio of one step
        "history": old + first + new_p / p * second,
    }


FAMILY = "all episodes of this shape: two actions in each of two states, all rewards, policies, 0 < γ < 1"


@claim(
    "L7.2-is-gradient",
    differentiated=False,
    sign=1,
    corruptions=[
        Corruption("differentiated, and at the old policy", differentiated=True),
        Corruption("sign of the gradient flipped", sign=-1),
    ],
)
def gradient(s: Statement) -> Findings:
    """A number is no gradient; the gradient of that number is one, at θ_old."""
    world = two_steps()
    here = {world["P"]: world["p"], world["Q"]: world["q"]}
    slopes = [
        Identity(
            f"∂/∂{name} of the surrogate at the old policy is ∂J/∂{name}",
            s.sign * world["surrogate"].diff(world[name]).subs(here),
            world["J"].diff(world[name]).subs(here),
            FAMILY,
        )
        for name in ("P", "Q")
    ]
    theta, start = reals("theta theta_0")
    policy = sequence("pi")
    slope = (policy(theta) / policy(start)).diff(theta)
    ratio = Identity(
        "∇(π/π_old) = (π/π_old) ∇ log π",
        slope,
        policy(theta) / policy(start) * (policy(theta).diff(theta) / policy(theta)),
        "every differentiable policy, every θ",
    )
    if s.differentiated:
        return Findings(literal=[*slopes, ratio])
    value = answer("importance", "estimate", p=HALF, q=HALF, f=["5", "-5"])
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])
    return Findings(
        against=[
            Counterexample(
                "the bandit of section 4.4 at θ = θ_old = (0, 0): returns 10 and 0, advantages 5 and −5",
                given={"π = π_old": "1/2 1/2", "A": "5 −5"},
                claimed=Exact("E_old[r A] = ∂J/∂θ_L", value, "=", true[0][0]),
                replay=(
                    Replay("rlcalc importance --p 1/2 1/2 --q 1/2 1/2 --f 5 -5", "0", "estimate"),
                    Replay("rlcalc policy-gradient --mdp bandit --theta 0 0", [["5/2", "-5/2"]]),
                ),
                golden="importance/audit-value-is-no-gradient",
                search="all policies: with exact advantages the mean is 0 at θ_old, always",
            )
        ],
        repair=correction(
            "The mean is the surrogate objective, a number (0 at θ_old). Its gradient E_old[r A ∇ log π] is "
            "∇J at θ = θ_old, and near it only approximately.",
            [*slopes, ratio],
            latex=r"\nabla_\theta J(\theta_{\text{old}}) = "
            r"\nabla_\theta \mathbb{E}_{\text{old}}[ r_t(\theta) A_t ] \quad (\theta = \theta_{\text{old}})",
        ),
    )


@claim(
    "L7.2-per-step-ratio",
    weight="step",
    at_old=True,
    corruptions=[
        Corruption("the ratios of all steps so far, multiplied", weight="history"),
        Corruption("condition dropped: exact away from θ_old too", at_old=False),
    ],
)
def per_step(s: Statement) -> Findings:
    """The states are still those of the old policy: an error of second order."""
    world = two_steps()
    if s.weight == "history":
        return Findings(
            literal=[
                Identity("products of ratios give J exactly", world["history"], world["J"], FAMILY),
            ]
        )
    gap = world["J"] - world["surrogate"]
    here = {world["P"]: world["p"], world["Q"]: world["q"]} if s.at_old else {}
    old = "9/40"
    first = answer("importance", "estimate", p=["1", "0"], q=HALF, f=["9/40", "-9/40"])
    drawn = ["1/2", "1/4", "1/4"]
    second = answer("importance", "estimate", p=["1/2", "0", "1/2"], q=drawn, f=["0", "-9/20", "9/20"])
    true = answer("importance", "estimate", p=["0", "0", "1"], q=drawn, f=["0", "0", "9/10"])
    from rlcalc.audit.zero import as_expression

    total = sum((as_expression(part) for part in (first, second)), as_expression(old))
    return Findings(
        against=[
            Counterexample(
                "two steps, a reward 1 after both; each is taken with probability 1/2 before and 1 now",
                given={"p = q": "1/2", "P = Q": 1, "x y z w": "0 0 1 0", "γ": "9/10"},
                claimed=Exact("J_old + E_old[Σ γ^t r_t A_t] = J", total, "=", true),
                violates=Exact("the new policy is not the old one", 1, "!=", "1/2"),
                replay=(
                    Replay(
                        "rlcalc importance --p 1/2 0 1/2 --q 1/2 1/4 1/4 --f 0 -9/20 9/20", "9/40", "estimate"
                    ),
                    Replay(
                        "rlcalc importance --p 0 0 1 --q 1/2 1/4 1/4 --f 0 -9/20 9/20", "9/20", "estimate"
                    ),
                ),
                golden="importance/audit-last-ratio-alone",
                search="numbers of steps: with one step the ratio of the step is the whole weight",
            )
        ],
        repair=condition(
            "It holds to first order at θ = θ_old, and exactly where both policies visit the states alike "
            "(episodes of one step). Otherwise each step needs the product of the ratios up to it, or "
            "the policies must stay close: the error is γ(P − p)(Q − q)(z − w) in the two-step family.",
            [
                Identity(
                    "what is missing is of second order",
                    world["surrogate"] + world["gap"],
                    world["J"],
                    FAMILY,
                ),
                Identity("∂/∂P of what is missing", gap.diff(world["P"]).subs(here), 0, FAMILY),
                Identity("∂/∂Q of what is missing", gap.diff(world["Q"]).subs(here), 0, FAMILY),
            ],
            latex=r"J(\theta) = \mathbb{E}_{\text{old}}\left[ \sum_t \gamma^t R_{t+1} \prod_{k=0}^{t} "
            r"r_k(\theta) \right]",
        ),
    )
