"""Chapter 2: TD(λ) and its weights."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Replay,
    condition,
    correction,
)
from rlcalc.audit.proofs import answer, index, powers_vanish, reals, sum_by_induction
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L2.2-weights-sum",
    exponent=-1,
    total=1,
    below_one=True,
    corruptions=[
        Corruption("exponent n instead of n − 1", exponent=0),
        Corruption("sum 2", total=2),
        Corruption("condition dropped: λ = 1 allowed", below_one=False),
    ],
)
def weights_sum(s: Statement) -> Findings:
    """The partial sums telescope to 1 − λ^n; at λ = 1 they are 0 and stay 0."""
    lam, n = reals("lambda"), index()

    def weight(k: Any, at: Any = lam) -> Any:
        return (1 - at) * at ** (k + s.exponent)

    partial = sum_by_induction(
        "the first n weights add up to total − λ^n",
        weight,
        lambda k: s.total - lam**k,
        over="n ≥ 1, every real λ",
    )
    closing: list[Evidence] = [partial, powers_vanish()]
    if not s.below_one:
        closing.append(Identity("the sum at λ = 1", weight(n, 1), s.total, "n ≥ 1"))
    return Findings(
        against=[
            Counterexample(
                "at λ = 1 every weight is 0 and there is no last return to take the rest",
                given={"λ": 1},
                claimed=Exact("sum of the first weights", sum(weight(k, 1) for k in (1, 2, 3)), "=", s.total),
                violates=Exact("λ < 1 fails", 1, ">=", 1),
                replay=(
                    Replay("rlcalc lambda-weights --lam 1 --steps inf", "weights_do_not_exist", "error"),
                ),
                golden="lambda_weights/endless-lambda-one",
                search="the values of λ in [0, 1]: it is the only one",
            )
        ],
        repair=condition(
            "It holds for λ < 1. For every λ the weights of an episode of N steps add up to 1 once the last "
            "return gets all that is left, λ^(N−1).",
            closing,
            latex=r"\sum_{n=1}^{M} (1-\lambda)\lambda^{n-1} = 1 - \lambda^{M} \to 1 \quad (\lambda < 1)",
        ),
    )


@claim(
    "L2.2-lambda1-equal-weights",
    equal=True,
    lam=1,
    corruptions=[
        Corruption("all weight on the last return", equal=False),
        Corruption("λ = 0 instead, where the first return gets all", lam=0),
    ],
)
def lambda1_equal_weights(s: Statement) -> Findings:
    """At λ = 1 the weights are 0, …, 0, 1."""
    first, second = answer("lambda_weights", lam=str(s.lam), steps=2)
    n, last = index(), index("N")
    others: list[Evidence] = [
        Identity("w_n = 0 for n < N", (1 - s.lam) * s.lam ** (n - 1), 0, "1 ≤ n < N"),
        Identity("w_N = 1", s.lam ** (last - 1), 1, "N ≥ 1"),
    ]
    if not s.equal:
        return Findings(literal=others)
    return Findings(
        against=[
            Counterexample(
                "an episode of two steps",
                given={"λ": s.lam, "N": 2},
                claimed=Exact("w_1 = w_2", first, "=", second),
                replay=(Replay(f"rlcalc lambda-weights --lam {s.lam} --steps 2", [str(first), str(second)]),),
                golden="lambda_weights/audit-equal-weights",
                search="all episodes: with one step there is one weight",
            )
        ],
        repair=correction(
            "With λ = 1 the complete return gets all the weight and every other return none.",
            others,
            latex=r"w_1 = \cdots = w_{N-1} = 0, \quad w_N = 1",
        ),
    )


@claim(
    "L2.4-result",
    lam="1/2",
    printed="2.75",
    corruptions=[
        Corruption("left-over weight forgotten", printed="2"),
        Corruption("λ = 1/4", lam="1/4"),
    ],
)
def result(s: Statement) -> Findings:
    """The calculator's λ-return of the example."""
    exact = answer("lambda_return", rewards=["1", "2", "3"], gamma="1", lam=s.lam)
    return Findings(literal=[Exact("λ-return of the rewards 1, 2, 3", exact, "=", s.printed)])
