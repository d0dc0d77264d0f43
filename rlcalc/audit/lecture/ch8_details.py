"""Chapter 8: generalised advantages and the entropy bonus."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Findings,
    Identity,
    Induction,
    Replay,
    Sign,
    condition,
)
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L8.2-gae",
    power=1,
    corruptions=[
        Corruption("weights λ^l without γ", power=0),
        Corruption("weights (γ²λ)^l", power=2),
    ],
)
def gae(s: Statement) -> Findings:
    """The λ-weighted mean of the n-step advantages gives δ_{t+l} the weight (γλ)^l, and equals G^λ − V."""
    import sympy

    lam, gamma = reals("lambda gamma")
    position = sympy.Symbol("l", integer=True, positive=True)
    tail = Induction(
        "the weights of the n-step advantages with n > l add up to λ^l",
        base=(Identity("l = N − 1: the last one is λ^(N−1)", lam ** (position - 1), lam ** (position - 1)),),
        step=(
            Identity(
                "l + 1 → l: one more weight, (1 − λ)λ^l",
                lam ** (position + 1) + (1 - lam) * lam**position,
                lam**position,
            ),
        ),
        over="0 ≤ l < N, an episode of N steps, downwards from N − 1",
        variable="l",
    )
    reward, value, behind, gained = reals("R V W G")
    error = reward + gamma * behind - value
    backward = error + (gamma**s.power * lam) * (gained - behind)
    forward = reward + gamma * ((1 - lam) * behind + lam * gained) - value
    case = {"rewards": ["1", "2", "3"], "values": ["0", "0", "0", "0"], "gamma": "1", "lam": "1/2"}
    return Findings(
        literal=[
            tail,
            Identity(
                "δ_{t+l} enters each with γ^l, so that its weight is (γλ)^l",
                gamma**position * lam**position,
                (gamma**s.power * lam) ** position,
                "every l ≥ 1",
            ),
            Identity(
                "one step earlier it is still G^λ − V", backward, forward, "all R, V, γ, λ; at the end 0 = 0"
            ),
            Exact("in the example of 2.4", answer("gae", **case)[0], "=", "11/4"),
        ]
    )


@claim(
    "L8.2-gae-smoother",
    sign=1,
    uncorrelated=True,
    corruptions=[
        Corruption("they vary more", sign=-1),
        Corruption("condition dropped: TD errors may be correlated", uncorrelated=False),
    ],
)
def smoother(s: Statement) -> Findings:
    """TD errors of an exact critic are uncorrelated; those of a wrong one can cancel in the return."""
    import sympy

    from rlcalc.audit.lecture.ch1_tradeoff import variance_of

    def advantages(lam: str) -> list[Any]:
        zero = ["0", "0", "0"]
        return [
            answer("gae", rewards=rewards, values=zero, gamma="1", lam=lam)[0]
            for rewards in (["1", "-1"], ["-1", "1"])
        ]

    short, full = variance_of(advantages("0")), variance_of(advantages("1"))
    lam, spread = unit("p"), positives("v")
    cross = 0 if s.uncorrelated else positives("c")
    # what the weights (γλ)^(2l) leave out of Var δ, l ≥ 1, at γ = 1 and divided by γ^(2l) in general
    left = sympy.factor(1 - lam**2)
    fewer = spread * left - cross
    command = "rlcalc gae --rewards {} {} --values 0 0 0 --gamma 1 --lam {}"
    return Findings(
        against=[
            Counterexample(
                "two equally likely episodes with V = 0, the second reward undoes the first; λ = 0 against "
                "λ = 1",
                given={"rewards": "1 −1 or −1 1", "V": "0 0 0", "γ": 1},
                claimed=Exact("Var at λ = 0 below Var of G − V", short, "<" if s.sign > 0 else ">", full),
                violates=Exact("both TD errors are correlated: covariance", -1, "!=", 0),
                replay=(
                    Replay(command.format(1, -1, 0), ["1", "-1"]),
                    Replay(command.format(-1, 1, 0), ["-1", "1"]),
                    Replay(command.format(1, -1, 1), ["0", "-1"]),
                    Replay(command.format(-1, 1, 1), ["0", "1"]),
                ),
                golden="gae/audit-shorter-varies-more",
                search="episodes of two rewards from −1, 0, 1 with V = 0",
            )
        ],
        repair=condition(
            "Their variance Σ (γλ)^(2l) Var δ_{t+l} rises with λ, so it is smaller for λ < 1, if "
            "the TD errors are uncorrelated, as they are when V is the true value. The price is bias when "
            "V is wrong.",
            [
                Induction(
                    "each TD error but the first enters with less variance: v(1 − λ^(2l)) > 0",
                    base=(Sign("l = 1", s.sign * fewer, "0 < λ < 1"),),
                    step=(
                        Sign(
                            "l → l + 1 adds vλ^(2l)(1 − λ²)", s.sign * spread * lam ** (2 * index("l")) * left
                        ),
                    ),
                    over="l ≥ 1, 0 < λ < 1, γ > 0",
                    variable="l",
                ),
                Exact("the 4-step chain of section 1.2, λ = 1/2", _chain("1/2"), "<", _chain("1")),
                Exact("where λ = 1 is the variance of the return", _chain("1"), "=", "2997541/1000000"),
            ],
        ),
    )


def _chain(lam: str) -> Any:
    """Variance of the generalised advantage on the chain: rewards ±1, fair and independent, γ = 9/10."""
    from itertools import product

    from rlcalc.audit.lecture.ch1_tradeoff import variance_of

    values = ["1", "1", "1", "1", "0"]
    outcomes = [
        answer("gae", rewards=list(rewards), values=values, gamma="9/10", lam=lam)[0]
        for rewards in product(("1", "-1"), repeat=4)
    ]
    return variance_of(outcomes)


@claim(
    "L8.2-entropy-prevents-convergence",
    sign=1,
    one_state=True,
    corruptions=[
        Corruption("entropy is subtracted", sign=-1),
        Corruption("condition dropped: several steps share one policy", one_state=False),
    ],
)
def premature(s: Statement) -> Findings:
    """In one state the bonus leaves one maximum, inside; with shared steps a small one leaves a trap."""
    import sympy

    # two tokens by one policy (p, 1 − p): both a pays 1, both b pays 3/5, anything else 0
    def regularised(p: Any) -> Any:
        chance = sympy.Rational(p)
        paid = chance**2 + sympy.Rational(3, 5) * (1 - chance) ** 2
        entropy = answer("entropy", p=[str(chance), str(1 - chance)])
        return answer(
            "ppo_loss", clip=str(paid), critic="0", entropy=2 * s.sign * entropy, c1="0", c2="1/100"
        )

    trap, valley, best = (regularised(p) for p in ("1/10", "1/4", "9/10"))
    p, c = unit("x"), positives("c")
    chance = sympy.Symbol("t")
    entropy = -chance * sympy.log(chance) - (1 - chance) * sympy.log(1 - chance)
    first, second = reals("Q_1 Q_2")
    paid = chance * first + (1 - chance) * second
    if not s.one_state:
        paid = chance**2 + sympy.Rational(3, 5) * (1 - chance) ** 2
    curved = (paid + s.sign * c * entropy).diff(chance, 2)
    edge = (paid + s.sign * c * entropy).diff(chance)
    ratio = sympy.exp((first - second) / c)
    command = 'rlcalc ppo-loss --clip 2/5 --critic 0 --entropy "4*log(2) - 3*log(3)/2" --c1 0 --c2 1/100'
    return Findings(
        against=[
            Counterexample(
                "two tokens by one policy: aa pays 1, bb pays 3/5; c_2 = 1/100, entropy of both steps "
                "counted. From P(a) = 1/10 the way to aa leads through a valley, so ascent settles near bb",
                given={"J": "p² + 3/5 (1 − p)²", "p": "1/10 1/4 9/10", "c_2": "1/100"},
                claimed=Exact("J + c_2 H rises from p = 1/10 to p = 1/4", valley, ">", trap),
                premises=(Exact("beyond the valley it is better", best, ">", trap),),
                violates=Exact("steps that share the policy", 2, "!=", 1),
                replay=(Replay(command, "2/5 - 3*log(3)/200 + log(2)/25"),),
                golden="ppo_loss/audit-entropy-barrier",
            )
        ],
        repair=condition(
            "In one state and with exact gradients every c_2 > 0 keeps the policy away from certainty: the "
            "only maximum is softmax(Q/c_2). With several steps, or sampled ones, it helps if c_2 is large "
            "enough; it "
            "guarantees nothing, and it moves the optimum.",
            [
                Sign("strictly concave in π(a)", -curved.subs(chance, p), "all Q, c_2 > 0, 0 < p < 1"),
                Identity(
                    "the slope is 0 at π(a) = 1/(1 + exp(−(Q_1 − Q_2)/c_2))",
                    sympy.simplify(
                        sympy.expand_log(edge.subs(chance, ratio / (1 + ratio)), force=True)
                        if s.one_state
                        else edge
                    ),
                    0,
                    "all Q, c_2 > 0",
                ),
            ],
        ),
    )
