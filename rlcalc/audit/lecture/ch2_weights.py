"""Chapter 2: the weights of the n-step returns."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    correction,
)
from rlcalc.audit.lecture.ch2 import ENDLESS
from rlcalc.audit.proofs import answer, index, positives, powers_vanish, reals, sum_by_induction, unit
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L2.2-geometric-weights",
    exponent=-1,
    corruptions=[
        Corruption("exponent n instead of n − 1", exponent=0),
        Corruption("exponent n − 2", exponent=-2),
    ],
)
def geometric(s: Statement) -> Findings:
    """They are the coefficients of the n-step returns in the definition; the calculator lists the same."""
    from rlcalc.exact import symbol

    lam, n = symbol("l"), symbol("n")
    start = Identity("the first weight", (1 - lam) * lam ** (1 + s.exponent), 1 - lam, "every λ")
    coefficient = Identity(
        "the calculator's weight of G^(n), with λ and n left as symbols",
        (1 - lam) * lam ** (n + s.exponent),
        answer("lambda_weights", "general_weight", lam="l", steps="inf"),
        "every λ and n; in an episode of N steps for n < N",
    )
    listed = answer("lambda_weights", lam="1/3", steps=4)
    third = (1 - _third()) * _third() ** (3 + s.exponent)
    return Findings(
        literal=[start, coefficient, Exact("third weight of four at λ = 1/3", listed[2], "=", third)]
    )


def _third() -> Any:
    import sympy

    return sympy.Rational(1, 3)


@claim(
    "L2.2-bar-chart",
    shift=1,
    first=1,
    corruptions=[
        Corruption("each bar λ² times the one before", shift=2),
        Corruption("first bar λ high", first=0),
    ],
)
def bar_chart(s: Statement) -> Findings:
    lam, n = reals("lambda"), index()

    def weight(k: Any) -> Any:
        return (1 - lam) * lam ** (k - 1)

    return Findings(
        literal=[
            Identity(
                "next bar", weight(n + 1), lam**s.shift * weight(n), "n ≥ 1, every λ, before the last return"
            ),
            Identity("first bar", weight(1), 1 - lam if s.first else lam, "every λ"),
        ]
    )


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

    closing: list[Evidence] = [
        sum_by_induction(
            "the first n weights add up to total − λ^n",
            weight,
            lambda k: s.total - lam**k,
            over="n ≥ 1, every λ",
        ),
        powers_vanish(),
    ]
    if not s.below_one:
        closing.append(Identity("the weights at λ = 1", weight(n, 1), s.total, "n ≥ 1"))
    return Findings(
        against=[
            Counterexample(
                "at λ = 1 every weight is 0 and there is no last return to take the rest",
                given={"λ": 1},
                claimed=Exact("sum of the first weights", sum(weight(k, 1) for k in (1, 2, 3)), "=", s.total),
                violates=Exact("λ is not below 1", 1, ">=", 1),
                replay=(ENDLESS,),
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
    "L2.2-lambda0",
    lam=0,
    corruptions=[Corruption("λ = 1 instead", lam=1), Corruption("λ = 1/2 instead", lam="1/2")],
)
def lambda0(s: Statement) -> Findings:
    """With 0^0 = 1, as in every power series, the first weight is 1 and the others are 0."""
    from rlcalc.audit.zero import as_expression

    lam, n = as_expression(s.lam), index()
    example = {"rewards": ["1", "2", "3"], "values": ["4", "5", "6", "0"], "gamma": "1/2"}
    average = answer("lambda_return", **example, lam=str(s.lam))
    return Findings(
        literal=[
            Identity("the first weight is 1", (1 - lam) * lam**0, 1),
            Identity("the later ones are 0", (1 - lam) * lam**n, 0, "n + 1 ≥ 2"),
            Exact("an example", average, "=", answer("n_step_return", **example, n=1)),
        ]
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
    "L2.2-decay-favours-short",
    relation=">",
    below_half=True,
    corruptions=[
        Corruption("longer returns count for more", relation="<"),
        Corruption("condition dropped: any λ below 1", below_half=False),
    ],
)
def decay(s: Statement) -> Findings:
    """The geometric weights fall, but the complete return gathers all that would follow it.

    λ = 1/(2+p) runs through the numbers below 1/2.
    """
    short, complete = answer("lambda_weights", lam="2/3", steps=2)
    lam, n = unit("p"), index()
    small = 1 / (2 + positives("p")) if s.below_half else lam
    literal: list[Evidence] = []
    if s.relation == "<":
        falls = answer("lambda_weights", lam="1/3", steps=3)
        literal.append(Exact("w_1 < w_2 at λ = 1/3, N = 3", falls[0], "<", falls[1]))
    return Findings(
        literal=literal,
        against=[
            Counterexample(
                "an episode of two steps, λ = 2/3: the complete return counts twice as much as the short one",
                given={"λ": "2/3", "N": 2},
                claimed=Exact(f"w_1 {s.relation} w_2", short, s.relation, complete),
                violates=Exact("λ is not below 1/2", "2/3", ">=", "1/2"),
                replay=(Replay("rlcalc lambda-weights --lam 2/3 --steps 2", ["1/3", "2/3"]),),
                golden="lambda_weights/audit-complete-return-leads",
                search="episodes: two steps; λ = 2/3 is the simplest above 1/2 (at 1/2 both count the same)",
            )
        ],
        repair=condition(
            "Among the returns before the end it holds for every λ between 0 and 1. The complete "
            "return, whose "
            "weight is λ^(N−1), counts for less than the one before it only if λ < 1/2.",
            [
                Sign(
                    "w_n − w_{n+1} before the end",
                    (1 - lam) * lam ** (n - 1) - (1 - lam) * lam**n,
                    "0 < λ < 1, n ≥ 1",
                ),
                Sign(
                    "w_{N−1} − w_N",
                    (1 - small) * small ** (n - 1) - small**n,
                    "0 < λ < 1/2, N = n + 1 ≥ 2",
                ),
            ],
        ),
    )
