"""Chapter 2: the weights of the n-step returns; the λ-return as it is defined, its ends and its update."""

from __future__ import annotations

from functools import partial
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import Counterexample, vector
from rlcalc.audit.lecture.ch2 import EXAMPLE, LAMBDA_RETURN
from rlcalc.audit.proofs import answer, domain_is, index, positives, powers_vanish, reals, sequence, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.returns import moved, n_step_weight
from rlcalc.exact import symbol

ENDLESS = "lambda_weights/endless-lambda-one"
LEADS = "lambda_weights/audit-complete-return-leads"  # two steps, λ = 2/3


def last_weight_is_another(what: str, expected: Any) -> list[Counterexample]:
    """In an episode the complete return gathers what is left, which is no geometric weight."""
    case = vector(LEADS)
    steps = sympy.Integer(int(case.given["steps"]))
    return case.refutes(
        "an episode of two steps: the second return is the complete one",
        ev.Exact(what, case.answer()[1], "=", expected),
        violates=ev.Exact("the second return is not before the last", 2, ">=", steps),
    )


@claim("L2.2-geometric-weights", exponent=-1)
def geometric(s: Statement, show: ev.Findings) -> None:
    """The coefficients of the n-step returns in the definition; in an episode the last one takes the rest."""
    weight = partial(n_step_weight, exponent=s.exponent)
    lam, third = reals("lambda"), sympy.Rational(1, 3)
    show.fill(weight=weight(lam, index()))
    show.against += last_weight_is_another(
        "second weight = (1 − λ)λ", weight(sympy.Rational(2, 3), sympy.Integer(2))
    )
    show.repair.identity("the first weight", weight(lam, 1), 1 - lam, "every λ")
    show.repair.identity(
        "the calculator's weight of G^(n), with λ and n left as symbols",
        weight(symbol("l"), symbol("n")),
        answer("lambda_weights", "general_weight", lam="l", steps="inf"),
        "every λ and n; in an episode of N steps for n < N",
    )
    general = answer("lambda_weights", lam="1/3", steps=4)
    show.repair.exact("third weight of four at λ = 1/3", general[2], "=", weight(third, 3))
    show.repair.append(
        first_weights(
            "the first n weights add up to 1 − λ^n, so that λ^(N−1) is left for the last of N", s.exponent
        )
    )


def first_weights(what: str, exponent: int, total: int = 1) -> ev.Induction:
    """The partial sums telescope."""
    lam = reals("lambda")
    return ev.sum_by_induction(
        what, lambda k: n_step_weight(lam, k, exponent), lambda k: total - lam**k, over="n ≥ 1, every λ"
    )


@claim("L2.2-bar-chart", shift=1, first=1)
def bar_chart(s: Statement, show: ev.Findings) -> None:
    lam, n = reals("lambda"), index()
    first_bar = 1 - s.first * lam
    high = (1 + positives("p")) / (2 + positives("p"))  # any λ above 1/2
    case = vector(LEADS)
    show.fill(first_bar=first_bar)
    show.against += last_weight_is_another(
        "second bar = λ times the first", case.number("lam") ** s.shift * case.answer()[0]
    )
    bar, following = n_step_weight(lam, n), n_step_weight(lam, n + 1)
    show.repair.identity("next bar", following, lam**s.shift * bar, "n ≥ 1, every λ, n + 1 < N")
    show.repair.identity("first bar", n_step_weight(lam, 1), first_bar, "every λ")
    show.repair.sign(
        "the last bar is the higher one: λ^n − (1 − λ)λ^(n−1)",
        high**n - n_step_weight(high, n),
        "1/2 < λ < 1, N = n + 1 ≥ 2",
    )


@claim("L2.2-weights-sum", exponent=-1, total=1, below_one=True)
def weights_sum(s: Statement, show: ev.Findings) -> None:
    """The partial sums telescope to 1 − λ^n; at λ = 1 they are 0 and stay 0."""
    weight, case = partial(n_step_weight, exponent=s.exponent), vector(ENDLESS)
    at_one = case.number("lam")
    show.fill(weight=weight(reals("lambda"), index()))
    show.against += case.refutes(
        "at λ = 1 every weight is 0 and there is no last return to take the rest",
        ev.Exact("sum of the first weights", sum(weight(at_one, k) for k in (1, 2, 3)), "=", s.total),
        violates=ev.Exact("λ is not below 1", at_one, ">=", 1),
    )
    show.repair.append(first_weights("the first n weights add up to total − λ^n", s.exponent, s.total))
    show.repair.append(powers_vanish())
    if not s.below_one:
        show.repair.identity("the weights at λ = 1", weight(1, index()), s.total, "n ≥ 1")


@claim("L2.2-lambda0", lam=0)
def lambda0(s: Statement, show: ev.Findings) -> None:
    """With 0^0 = 1, as in every power series, the first weight is 1 and the others are 0."""
    lam, n = sympy.Rational(s.lam), index()
    example = {"rewards": ["1", "2", "3"], "values": ["4", "5", "6", "0"], "gamma": "1/2"}
    average = answer("lambda_return", **example, lam=str(s.lam))
    show.literal.identity("the first weight is 1", (1 - lam) * lam**0, 1)
    show.literal.identity("the later ones are 0", (1 - lam) * lam**n, 0, "n + 1 ≥ 2")
    show.literal.exact("an example", average, "=", answer("n_step_return", **example, n=1))


@claim("L2.2-lambda1-equal-weights", relation="=", lam=1)
def lambda1_equal_weights(s: Statement, show: ev.Findings) -> None:
    """At λ = 1 the weights are 0, …, 0, 1."""
    case = vector("lambda_weights/audit-equal-weights")
    first, second = case.answer(lam=str(s.lam))
    n, last, lam = index(), index("N"), sympy.Rational(s.lam)
    claimed = ev.Exact(f"w_1 {s.relation} w_2", first, s.relation, second)
    show.against += case.refutes("an episode of two steps", claimed)
    show.repair.identity("w_n = 0 for n < N", n_step_weight(lam, n), 0, "1 ≤ n < N")
    show.repair.identity("w_N = 1", lam ** (last - 1), 1, "N ≥ 1")


@claim("L2.2-decay-favours-short", relation=">", below_half=True)
def decay(s: Statement, show: ev.Findings) -> None:
    """The geometric weights fall, but the complete return gathers all that would follow it.

    λ = 1/(2+p) runs through the numbers below 1/2.
    """
    case = vector(LEADS)
    short, complete = case.answer()
    lam, n = unit("p"), index()
    small = 1 / (2 + positives("p")) if s.below_half else lam
    show.against += case.refutes(
        "an episode of two steps, λ = 2/3: the complete return counts twice as much as the short one",
        ev.Exact(f"w_1 {s.relation} w_2", short, s.relation, complete),
        violates=ev.Exact("λ is not below 1/2", case.given["lam"], ">=", "1/2"),
    )
    show.repair.ordered(
        "w_n against w_{n+1} before the end",
        n_step_weight(lam, n),
        s.relation,
        n_step_weight(lam, n + 1),
        "0 < λ < 1, n ≥ 1",
    )
    show.repair.ordered(
        "w_{N−1} against w_N",
        n_step_weight(small, n),
        s.relation,
        small**n,
        "0 < λ < 1/2, N = n + 1 ≥ 2",
    )


# the λ-return


@claim("L2.3-lambda-return-def", exponent=-1, last_takes_rest=True)
def definition(s: Statement, show: ev.Findings) -> None:
    """At λ = 1 the endless sum is 0 times a sum that need not exist; the episodic form always holds."""
    lam, n, last = reals("lambda"), index(), index("N")
    at_one = sum(n_step_weight(vector(ENDLESS).number("lam"), k, s.exponent) for k in (1, 2, 3))
    last_weight = lam ** (last - 1) if s.last_takes_rest else n_step_weight(lam, last, s.exponent)
    show.literal.identity("the first weights at λ = 1 add up to 1", at_one, 1)
    show.repair.append(first_weights("the first n weights add up to 1 − λ^n", s.exponent))
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
    calculated, letter = vector(EXAMPLE).answer(gamma="1", lam="l"), symbol("l")
    show.literal.sum_by_induction(
        "weights N, …, N + n − 1 times the complete return",
        lambda k: n_step_weight(lam, last + k - 1) * full,
        lambda k: (lam ** (last + s.exponent) - lam ** (last + k - 1)) * full,
        over="N ≥ 1, n ≥ 1, every λ and G",
    )
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
    at = case.number("lam")
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
    case = vector("lambda_return/audit-sum-at-one")
    lam = case.number("lam")
    (gamma, gained), last = reals("gamma G"), index("N")
    weight = lam ** (last - 1) if s.episodic else n_step_weight(lam, last)
    show.fill(one=lam)
    show.against += case.refutes(
        "one step, reward 1: (1 − 1)·(G^(1) + G^(2) + …) has no term other than 0",
        ev.Exact("the sum as written", (1 - lam) * case.answer(), s.relation, case.answer()),
        also=(vector(ENDLESS),),
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
    target = sympy.Sum(n_step_weight(lam, n) * sequence("G")(t, n), (n, 1, sympy.oo))
    value, full = sequence("V"), sequence(LAMBDA_RETURN)(t)
    old, when = value(t + n - 1, t), t + n if s.bound else end
    meant = ev.Fact(
        "indices of the updated value",
        frozenset(str(name) for name in value(when, t).free_symbols) - {"T"},
        "subset",
        frozenset(str(name) for name in target.free_symbols),
    )
    new = moved(old, full, alpha, s.sign)
    show.fill(when=when, new=new)
    show.literal.append(meant)
    (show.literal if meant.status == "holds" else show.repair).identity(
        "an update of the share α towards the λ-return, whatever its index",
        full - new,
        (1 - alpha) * (full - old),
        "every α, V and G",
    )
