"""Chapter 2: the λ-return as it is defined, its ends and its update."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch2 import EXAMPLE, LAMBDA_RETURN
from rlcalc.audit.lecture.ch2_weights import ENDLESS
from rlcalc.audit.proofs import domain_is, index, powers_vanish, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.zero import as_expression
from rlcalc.exact import symbol


@claim("L2.3-lambda-return-def", exponent=-1, last_takes_rest=True)
def definition(s: Statement, show: ev.Findings) -> None:
    """At λ = 1 the endless sum is 0 times a sum that need not exist; the episodic form always holds."""
    lam, n, last = reals("lambda"), index(), index("N")

    def weight(k: Any, at: Any = lam) -> Any:
        return (1 - at) * at ** (k + s.exponent)

    at_one = sum(weight(k, as_expression(vector(ENDLESS).given["lam"])) for k in (1, 2, 3))
    last_weight = lam ** (last - 1) if s.last_takes_rest else weight(last)
    show.literal.identity("the first weights at λ = 1 add up to 1", at_one, 1)
    show.repair.sum_by_induction(
        "the first n weights add up to 1 − λ^n", weight, lambda k: 1 - lam**k, over="n ≥ 1, every λ"
    )
    show.repair.identity(
        "with the last one all N weights add up to 1",
        (1 - lam ** (last - 1)) + last_weight,
        1,
        "N ≥ 1, every λ, 1 included",
    )
    show.repair.identity(
        "for λ < 1: what the weights from N to M add up to, M → ∞, is the last weight",
        (1 - lam ** (last + n)) - (1 - lam ** (last - 1)) + lam ** (last + n),
        last_weight,
        "N ≥ 1, M = N + n",
    )
    show.repair.append(powers_vanish())


@claim("L2.3-episodic-form", exponent=-1)
def episodic(s: Statement, show: ev.Findings) -> None:
    """The tail of the weights, from N to M, is λ^(N−1) − λ^M; the second part vanishes."""
    lam, last, full = reals("lambda"), index("N"), reals("G")
    tail = ev.sum_by_induction(
        "weights N, …, N + n − 1 times the complete return",
        lambda k: (1 - lam) * lam ** (last + k - 2) * full,
        lambda k: (lam ** (last + s.exponent) - lam ** (last + k - 1)) * full,
        over="N ≥ 1, n ≥ 1, every λ and G",
    )
    calculated, letter = vector(EXAMPLE).answer(gamma="1", lam="l"), symbol("l")
    show.literal.append(tail)
    show.literal.append(powers_vanish())
    show.literal.identity(
        "the calculator's λ-return of 2.4 with λ left as a symbol",
        calculated,
        (1 - letter) * (1 + letter * 3) + letter ** (3 + s.exponent) * 6,
        "every λ",
    )


@claim("L2.3-lambda-domain", low="0", high="1", ends=True)
def lambda_domain(s: Statement, show: ev.Findings) -> None:
    """At λ = 1 an episode needs an end: otherwise no return has any weight."""
    last, lam, case = index("N"), reals("lambda"), vector(ENDLESS)
    at = as_expression(case.given["lam"])
    # the weight left for the last return, where there is one
    left = lam ** (last - 1) if s.ends else 0
    show.against += case.refutes(
        "λ = 1 and an episode without an end: every weight is 0",
        ev.Exact("the weights add up to 1", sum((1 - at) * at**k for k in (0, 1, 2)), "=", 1),
        violates=ev.Fact("number of steps", case.given["steps"], "=", "inf"),
    )
    show.repair += domain_is("lambda_return", "lam", "λ", s.low, s.high)
    show.repair.identity(
        "with an end the weights add up to 1", (1 - lam ** (last - 1)) + left, 1, "N ≥ 1, every λ, 1 included"
    )


@claim("L2.3-lambda1-mc", relation="=", episodic=True, terminal=0)
def lambda1_mc(s: Statement, show: ev.Findings) -> None:
    """One step with reward 1: the sum as written has only terms that are 0."""
    case, endless = vector("lambda_return/audit-sum-at-one"), vector(ENDLESS)
    lam = as_expression(case.given["lam"])
    (gamma, gained), last = reals("gamma G"), index("N")
    weight = lam ** (last - 1) if s.episodic else (1 - lam) * lam ** (last - 1)
    show.fill(one=lam)
    show.against += case.refutes(
        "one step, reward 1: (1 − 1)·(G^(1) + G^(2) + …) has no term other than 0",
        ev.Exact("the sum as written", (1 - lam) * case.answer(), s.relation, case.answer()),
        also=(endless,),
        violates=ev.Exact("weight of the complete return in the sum as written", 1 - lam, "!=", 1),
    )
    show.repair.ordered(
        "weight of the complete return against all of it", weight, s.relation, 1, "N ≥ 1, λ = 1"
    )
    show.repair.identity(
        "and nothing is bootstrapped after it", gained + gamma**last * s.terminal, gained, "every γ and G"
    )


@claim("L2.3-update-free-n", bound=True, sign=1)
def free_n(s: Statement, show: ev.Findings) -> None:
    """n is bound in the λ-return by its sum; nothing in the update says which n is meant."""
    t, n, lam, alpha, end = index("t"), index("n"), reals("lambda"), reals("alpha"), index("T")
    target = sympy.Sum((1 - lam) * lam ** (n - 1) * sequence("G")(t, n), (n, 1, sympy.oo))
    value, full = sequence("V"), sequence(LAMBDA_RETURN)(t)
    old, when = value(t + n - 1, t), t + n if s.bound else end
    meant = ev.Fact(
        "indices of the updated value",
        frozenset(str(name) for name in value(when, t).free_symbols) - {"T"},
        "subset",
        frozenset(str(name) for name in target.free_symbols),
    )
    new = old + s.sign * alpha * (full - old)
    step = ev.Identity(
        "an update of the share α towards the λ-return, whatever its index",
        full - new,
        (1 - alpha) * (full - old),
        "every α, V and G",
    )
    show.fill(when=when, new=new)
    show.literal.append(meant)
    (show.literal if meant.status == "holds" else show.repair).append(step)
