"""Chapter 2: the λ-return as it is defined, its ends and its update."""

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
    condition,
    reading,
)
from rlcalc.audit.lecture.ch2 import ENDLESS, EXAMPLE
from rlcalc.audit.proofs import answer, index, powers_vanish, reals, sum_by_induction
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L2.3-lambda-return-def",
    last_takes_rest=True,
    corruptions=[Corruption("the last return gets only its geometric weight", last_takes_rest=False)],
)
def definition(s: Statement) -> Findings:
    """At λ = 1 the endless sum is 0 times a sum that need not exist; the episodic form always holds."""
    lam, n = reals("lambda"), index()
    last = index("N")
    at_one = Identity("weights at λ = 1 add up to 1", sum((1 - 1) * 1 ** (k - 1) for k in (1, 2, 3)), 1)
    last_weight = lam ** (last - 1) if s.last_takes_rest else (1 - lam) * lam ** (last - 1)
    return Findings(
        literal=[at_one],
        repair=reading(
            "In an episode with N steps left, N − 1 geometric weights and the rest, λ^(N−1), on the complete "
            "return. For λ < 1 this is the endless sum; it also holds at λ = 1, where that sum says 0.",
            [
                sum_by_induction(
                    "the first n weights add up to 1 − λ^n",
                    lambda k: (1 - lam) * lam ** (k - 1),
                    lambda k: 1 - lam**k,
                    over="n ≥ 1, every λ",
                ),
                Identity(
                    "with the last one all N weights add up to 1",
                    (1 - lam ** (last - 1)) + last_weight,
                    1,
                    "N ≥ 1, every λ, 1 included",
                ),
                Identity(
                    "for λ < 1: what the weights from N to M add up to, M → ∞, is the last weight",
                    (1 - lam ** (last + n)) - (1 - lam ** (last - 1)) + lam ** (last + n),
                    last_weight,
                    "N ≥ 1, M = N + n",
                ),
                powers_vanish(),
            ],
            unchanged=[Exact("λ-return of 2.4", answer("lambda_return", **EXAMPLE), "=", "2.75")],
            latex=r"G_t^{\lambda} = (1-\lambda)\sum_{n=1}^{N-1}\lambda^{n-1}G_t^{(n)} + \lambda^{N-1}G_t",
        ),
    )


@claim(
    "L2.3-episodic-form",
    exponent=-1,
    corruptions=[
        Corruption("weight λ^N on the complete return", exponent=0),
        Corruption("weight λ^(N−2)", exponent=-2),
    ],
)
def episodic(s: Statement) -> Findings:
    """The tail of the weights, from N to M, is λ^(N−1) − λ^M; the second part vanishes."""
    lam, n, last, full = reals("lambda"), index(), index("N"), reals("G")
    tail = sum_by_induction(
        "weights N, …, N + n − 1 times the complete return",
        lambda k: (1 - lam) * lam ** (last + k - 2) * full,
        lambda k: (lam ** (last + s.exponent) - lam ** (last + k - 1)) * full,
        over="N ≥ 1, n ≥ 1, every λ and G",
    )
    del n
    exact = answer("lambda_return", rewards=["1", "2", "3"], gamma="1", lam="l")
    return Findings(literal=[tail, powers_vanish(), _symbolic_example(exact, s.exponent)])


def _symbolic_example(calculated: Any, exponent: int) -> Evidence:
    from rlcalc.exact import symbol

    lam = symbol("l")
    form = (1 - lam) * (1 + lam * 3) + lam ** (3 + exponent) * 6
    return Identity("the calculator's λ-return of 2.4 with λ left as a symbol", calculated, form, "every λ")


@claim(
    "L2.3-lambda-domain",
    low="0",
    high="1",
    ends=True,
    corruptions=[
        Corruption("λ up to 2", high="2"),
        Corruption("condition dropped: no end needed at λ = 1", ends=False),
    ],
)
def lambda_domain(s: Statement) -> Findings:
    """At λ = 1 an episode needs an end: otherwise no return has any weight."""
    from rlcalc.data import data_folder, read_toml

    spec = read_toml(data_folder("specs") / "formulas" / "lambda_return.toml")
    declared = next(entry["domain"] for entry in spec["parameter"] if entry["name"] == "lam")
    last, lam = index("N"), reals("lambda")
    # the weight left for the last return, where there is one
    left = lam ** (last - 1) if s.ends else 0
    return Findings(
        against=[
            Counterexample(
                "λ = 1 and an episode without an end: every weight is 0",
                given={"λ": 1, "N": "∞"},
                claimed=Exact("the weights add up to 1", sum((1 - 1) * 1**k for k in (0, 1, 2)), "=", 1),
                violates=Exact("the weight of a last return", 0, "!=", 1),
                replay=(ENDLESS,),
                golden="lambda_weights/endless-lambda-one",
                search="the values of λ in [0, 1]: it is the only one",
            )
        ],
        repair=condition(
            "λ = 1 is for episodes that end; without an end it stands for the limit λ → 1.",
            [
                Fact(
                    "the domain is the one that the calculator accepts", f"[{s.low}, {s.high}]", "=", declared
                ),
                Identity(
                    "with an end the weights add up to 1",
                    (1 - lam ** (last - 1)) + left,
                    1,
                    "N ≥ 1, every λ, 1 included",
                ),
            ],
        ),
    )


@claim(
    "L2.3-lambda1-mc",
    episodic=True,
    terminal=0,
    corruptions=[
        Corruption("condition dropped: the endless sum", episodic=False),
        Corruption("condition dropped: the last state may be worth anything", terminal="z"),
    ],
)
def lambda1_mc(s: Statement) -> Findings:
    """One step with reward 1: the sum as written has only terms that are 0."""
    from rlcalc.exact import symbol

    right = answer("lambda_return", rewards=["1"], gamma="1", lam="1")
    last = index("N")
    gamma, gained = reals("gamma G")
    weight = 1 ** (last - 1) if s.episodic else (1 - 1) * 1 ** (last - 1)
    terminal = symbol(s.terminal) if s.terminal else 0
    return Findings(
        against=[
            Counterexample(
                "one step, reward 1: (1 − 1)·(G^(1) + G^(2) + …) has no term other than 0",
                given={"rewards": "1", "V": "0 0", "γ": 1, "λ": 1},
                claimed=Exact("the sum as written", (1 - 1) * right, "=", right),
                violates=Exact("weight of the complete return in the sum as written", 0, "!=", 1),
                replay=(Replay("rlcalc lambda-return --rewards 1 --lam 1", "1"), ENDLESS),
                golden="lambda_return/audit-sum-at-one",
                search="episodes: one step, reward 1",
            )
        ],
        repair=condition(
            "It holds in the episodic form, where the complete return has the weight λ^(N−1) (equally, "
            "in the "
            "limit λ → 1), and when the state in which the episode ends is worth 0.",
            [
                Identity("the complete return has all the weight", weight, 1, "N ≥ 1, λ = 1"),
                Identity(
                    "and nothing is bootstrapped behind it",
                    gained + gamma**last * terminal,
                    gained,
                    "every γ and G",
                ),
            ],
        ),
    )


@claim(
    "L2.3-update-free-n",
    bound=True,
    corruptions=[Corruption("indices of the episode's end, which are not free", bound=False)],
)
def free_n(s: Statement) -> Findings:
    """n is bound in the λ-return by its sum; nothing in the update says which n is meant."""
    import sympy

    t, n, lam, alpha, old = index("t"), index("n"), reals("lambda"), reals("alpha"), reals("V")
    end = index("T")
    returns = sympy.Function("G")
    target = sympy.Sum((1 - lam) * lam ** (n - 1) * returns(t, n), (n, 1, sympy.oo))
    updated = sympy.Function("V")(t + n if s.bound else end, sympy.Function("S")(t))
    indices = {str(name) for name in updated.free_symbols} - {"T"}
    meant = Fact(
        "indices of the updated value",
        frozenset(indices),
        "subset",
        frozenset(str(name) for name in target.free_symbols),
        "free symbols of both sides; T is the end of the episode",
    )
    value = reals("G")
    step = Identity(
        "an update of the share α towards the λ-return, whatever its index",
        value - (old + alpha * (value - old)),
        (1 - alpha) * (value - old),
        "every α, V and G",
    )
    if meant.status == "holds":
        return Findings(literal=[meant, step])
    return Findings(
        literal=[meant],
        repair=reading(
            "The λ-return is known at the end of the episode, T; the update changes V(S_t) there, "
            "without any n.",
            [step],
            unchanged=[Exact("λ-return of 2.4", answer("lambda_return", **EXAMPLE), "=", "2.75")],
            latex=r"V(S_t) \leftarrow V(S_t) + \alpha [ G_t^{\lambda} - V(S_t) ]",
        ),
    )
