"""Chapter 2: the worked example, and what it recalls of Monte Carlo."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
)
from rlcalc.audit.lecture.ch2 import EXAMPLE
from rlcalc.audit.proofs import answer, equal_by_increments, index, positives, reals, sequence
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.returns import NStep
from rlcalc.audit.zero import as_expression


@claim(
    "L2.4-Gn",
    printed=("1", "3", "6"),
    gamma="1",
    corruptions=[
        Corruption("rewards not added up", printed=("1", "2", "3")),
        Corruption("γ = 1/2", gamma="1/2"),
    ],
)
def n_step_returns(s: Statement) -> Findings:
    found = answer("lambda_return", "n_step_returns", rewards=EXAMPLE["rewards"], gamma=s.gamma, lam="1/2")
    return Findings(
        literal=[
            Exact(f"{n}-step return", exact, "=", printed)
            for n, (exact, printed) in enumerate(zip(found, s.printed, strict=True), start=1)
        ]
    )


@claim(
    "L2.4-weights",
    printed=("0.5", "0.25", "0.125"),
    exponent=-1,
    corruptions=[
        Corruption("exponent n", exponent=0),
        Corruption("third weight with the rest in it", printed=("0.5", "0.25", "0.25")),
    ],
)
def weights(s: Statement) -> Findings:
    """The geometric weights themselves; the rest is the next claim."""
    half = as_expression("1/2")
    return Findings(
        literal=[
            Exact(f"weight {n}", (1 - half) * half ** (n + s.exponent), "=", printed)
            for n, printed in enumerate(s.printed, start=1)
        ]
    )


@claim(
    "L2.4-remaining",
    printed="0.125",
    joint="0.25",
    corruptions=[
        Corruption("nothing is left", printed="0"),
        Corruption("the rest replaces the weight instead of joining it", joint="0.125"),
    ],
)
def remaining(s: Statement) -> Findings:
    """What is left after three weights, and what the last return then has; for every λ and N besides."""
    left = 1 - sum((as_expression(weight) for weight in ("0.5", "0.25", "0.125")), as_expression(0))
    lam, last = reals("lambda"), index("N")
    return Findings(
        literal=[
            Exact("left after three weights", left, "=", s.printed),
            Exact(
                "weight of the final return", answer("lambda_weights", lam="1/2", steps=3)[2], "=", s.joint
            ),
            Identity(
                "in general: its own weight and the rest make λ^(N−1)",
                (1 - lam) * lam ** (last - 1) + lam**last,
                lam ** (last - 1),
                "N ≥ 1, every λ",
            ),
        ]
    )


@claim(
    "L2.4-result",
    lam="1/2",
    printed="2.75",
    parts=("0.5", "0.75", "1.5"),
    corruptions=[
        Corruption("left-over weight forgotten", printed="2"),
        Corruption("λ = 1/4", lam="1/4"),
        Corruption("last summand with the geometric weight", parts=("0.5", "0.75", "0.75")),
    ],
)
def result(s: Statement) -> Findings:
    """The calculator's λ-return of the example, and the printed summands."""
    exact = answer("lambda_return", rewards=EXAMPLE["rewards"], gamma="1", lam=s.lam)
    total = sum((as_expression(part) for part in s.parts), as_expression(0))
    return Findings(
        literal=[
            Exact("λ-return of the rewards 1, 2, 3", exact, "=", s.printed),
            Exact("sum of the printed parts", total, "=", s.printed),
        ]
    )


@claim(
    "L2.4-indexing",
    first=1,
    scope="instance",  # a statement about one index
    corruptions=[Corruption("R_0 is the first reward from S_0", first=0)],
)
def indexing(s: Statement) -> Findings:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    from sympy.core.function import AppliedUndef

    calls = sorted(str(call) for call in NStep(reals("gamma")).one(0).atoms(AppliedUndef))
    return Findings(literal=[Fact("the 1-step target from S_0 contains", f"R({s.first})", "in", calls)])


@claim(
    "L2.5-mc-update",
    sign=1,
    corruptions=[Corruption("sign of the step flipped", sign=-1)],
)
def mc_update(s: Statement) -> Findings:
    """A step of size α towards the return; the calculator does the same with symbols."""
    from rlcalc.exact import symbol

    alpha, value, full = symbol("a"), symbol("v"), symbol("g")
    new = value + s.sign * alpha * (full - value)
    calculated = answer("mc_update", value="v", returns=["g"], alpha="a")
    return Findings(
        literal=[
            Identity("the error left is 1 − α of the old one", full - new, (1 - alpha) * (full - value)),
            Identity("the calculator's update", calculated, new, "every α, V and G"),
        ]
    )


@claim(
    "L2.5-mc-averaging",
    harmonic=True,
    corruptions=[
        Corruption("condition dropped: a constant step size", harmonic=False),
    ],
)
def averaging(s: Statement) -> Findings:
    """With α = 1/k the update is the running mean; a constant α forgets."""
    total, full, n = reals("S"), reals("G"), index("k")
    alpha = 1 / (n + 1) if s.harmonic else reals("alpha")
    first_alpha = 1 if s.harmonic else reals("alpha")
    value = reals("V")
    after = answer("mc_update", value="0", returns=["1"], alpha="1/2")
    from rlcalc.audit.evidence import Induction

    return Findings(
        against=[
            Counterexample(
                "one return of 1, started from 0 with α = 1/2",
                given={"V": 0, "returns": "1", "α": "1/2"},
                claimed=Exact("value after the update = average of the returns", after, "=", 1),
                violates=Exact("α is not 1/k", "1/2", "!=", 1),
                replay=(
                    Replay("rlcalc mc-update --value 0 --returns 1 --alpha 1/2", "1/2"),
                    Replay("rlcalc mc-update --value 0 --returns 1 --alpha 1/k", "1"),
                ),
                golden="mc_update/audit-constant-step-is-no-mean",
                search="sequences of returns: one return, 0 or 1",
            )
        ],
        repair=condition(
            "It is the average with α = 1/k for the k-th return. A constant α gives a mean in which older "
            "returns, and the first guess, weigh geometrically less.",
            [
                Induction(
                    "the value after k returns is their sum over k",
                    base=(Identity("k = 1", value + first_alpha * (full - value), full),),
                    step=(
                        Identity(
                            "k → k + 1", total / n + alpha * (full - total / n), (total + full) / (n + 1)
                        ),
                    ),
                    over="k ≥ 1, all returns, any first guess",
                    variable="k",
                )
            ],
        ),
    )


@claim(
    "L2.5-return-exponent",
    shift=0,
    corruptions=[Corruption("exponent T − t", shift=1), Corruption("exponent T − t − 2", shift=-1)],
)
def return_exponent(s: Statement) -> Findings:
    """The sum obeys G_t = R_{t+1} + γ G_{t+1}; one reward more at the end adds its last term."""
    gamma, t, n = reals("gamma"), index("t"), index()
    reward = sequence("R")

    def last(start: Any, end: Any) -> Any:
        """The term with which R at the time ``end`` stands in the return from ``start``."""
        return gamma ** (end - start - 1 + s.shift) * reward(end)

    proof = equal_by_increments(
        "the sum is the unrolled recursion G_t = R_{t+1} + γ G_{t+1}, G_T = 0",
        (last(t, t + 1), reward(t + 1)),
        (last(t, t + 1 + n), gamma * last(t + 1, t + 1 + n)),
        over="every number T − t ≥ 1 of steps, every γ and R",
    )
    return Findings(literal=[proof])


@claim(
    "L2.5-mc-after-end",
    discounted=True,
    waits=True,
    corruptions=[
        Corruption("condition dropped: γ = 0 allowed", discounted=False),
        Corruption("the update may be made at once", waits=False),
    ],
)
def after_end(s: Statement) -> Findings:
    """The last reward stands in the return with the factor γ^(T−t−1); at γ = 0 it does not count."""
    gamma = positives("gamma") if s.discounted else 0 * positives("gamma")
    n = index()
    with_last, without = (answer("discounted_return", rewards=["1", last], gamma="0") for last in ("1", "0"))
    ordinary = [answer("discounted_return", rewards=["1", last], gamma="1/2") for last in ("1", "0")]
    if not s.waits:
        known: list[Evidence] = [
            Exact("returns that differ in the last reward", ordinary[0], "=", ordinary[1])
        ]
        return Findings(literal=known)
    return Findings(
        against=[
            Counterexample(
                "γ = 0: the return of the first state is the first reward, whatever the last one is",
                given={"rewards": "1 0 or 1 1", "γ": 0},
                claimed=Exact("the return depends on the last reward: G differs", with_last, "!=", without),
                violates=Exact("γ is not above 0", 0, "<=", 0),
                replay=(
                    Replay("rlcalc discounted-return --rewards 1 0 --gamma 0", "1"),
                    Replay("rlcalc discounted-return --rewards 1 1 --gamma 0", "1"),
                ),
                golden="discounted_return/audit-myopic-return-is-early",
                search="the values of γ in [0, 1]: it is the only one",
            )
        ],
        repair=condition(
            "It holds for γ > 0, where the last reward changes the return of every state before it. "
            "(Its error "
            "can be gathered on the way, as TD(1) does; the update is complete at the end.)",
            [
                Sign(
                    "weight of the last reward in the return",
                    gamma**n,
                    "γ > 0, T − t − 1 = n ≥ 1 (for the last step it is 1)",
                )
            ],
        ),
    )
