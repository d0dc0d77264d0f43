"""Each kind of evidence holds, fails, and stays open where it must."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy

from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import Vector, smallest, vector
from rlcalc.audit.proofs import index, positives, powers_vanish, reals, sequence, unit
from rlcalc.audit.values import given
from rlcalc.audit.zero import at_point
from rlcalc.errors import UnknownName

X, N, F = reals("x"), index(), sequence("f")
A, B = positives("a b")
SAME, DIFFERENT = ev.Identity("", X, X), ev.Identity("", X, X + 1)
TRUE, FALSE, UNKNOWN = (ev.Exact("", *one) for one in ((1, "=", 1), (1, "=", 2), ("x", "<", "y")))
# an endless sum of an arbitrary function has no value at any point
ENDLESS = sympy.Sum(F(N), (N, 1, sympy.oo))


CASE = vector("score/lecture-4.4")


class Doubtful(Vector):
    """A golden case that the calculator does not confirm."""

    def is_confirmed(self) -> bool:
        return False


DOUBTFUL = Doubtful(CASE.case)


def seen(low: float, high: float, relation: str, target: float, matters: float = 0.2) -> ev.Simulation:
    return ev.Simulation("", 1, 100, (low + high) / 2, low, high, 0.99, relation, target, matters)


def total(closed: Any) -> ev.Induction:
    return ev.sum_by_induction("", lambda k: k, closed, over="")


HOLDS = [
    ev.Identity("", (X - 1) * (X + 1), X**2 - 1),
    ev.Identity("", X**N * X, X ** (N + 1)),
    ev.Identity("", sympy.Integer(0) ** N, 0),
    ev.Identity("", F(N + 1), F(N + 1)),
    ev.Identity("", sympy.exp(X) * sympy.exp(-X), 1),
    ev.Identity("", sympy.sin(X) ** 2 + sympy.cos(X) ** 2, 1),
    ev.Identity("", "1/3", Fraction(1, 3)),
    ev.Sign("", 1 - unit("p")),
    ev.Sign("", A + B),
    ev.Sign("", sympy.Integer(0), strict=False),
    ev.Sign("", unit("p") ** N - unit("p") ** (N + 1)),
    ev.Exact("", "0.1", "=", Fraction(1, 10)),
    ev.Exact("", "sqrt(2)", "<", "1.5"),
    ev.Exact("", "1/3", "!=", "0.3333333333333333"),
    ev.Exact("", 2, "<=", 2),
    ev.Induction("", (SAME,), (SAME,), "all"),
    total(lambda n: n * (n + 1) / 2),
    ev.equal_by_increments("", (1, 1), (X, X), over=""),
    powers_vanish(),
    ev.ordered("", A, "!=", 2 * A),
    ev.ordered("", A, "<", 2 * A),
    ev.Exhaustive("", [("one", True), ("two", True)], "two"),
    ev.Fact("", True, "=", True),
    ev.Fact("", "a", "in", ("a", "b")),
    ev.Fact("", "c", "not in", ("a", "b")),
    ev.Fact("", {"a"}, "subset", {"a", "b"}),
    seen(0.4, 0.6, "covers", 0.5),
    seen(0.4, 0.6, "below", 0.7),
    seen(0.4, 0.6, "above", 0.3),
    *CASE.refutes("", FALSE),
    *CASE.refutes("", FALSE, premises=(TRUE,)),
]
FAILS = [
    ev.Identity("", (X - 1) * (X + 1), X**2 + 1),
    ev.Identity("", X**N * X, X ** (N + 2)),
    # wrong at n = 1 only, where 0^0 = 1
    ev.Identity("", sympy.Integer(0) ** (N - 1), 0),
    ev.Identity("", F(N + 1), F(N)),
    ev.Sign("", unit("p") - 1),
    ev.Sign("", A - B),
    ev.Sign("", A - 100 * B),
    ev.Sign("", B - 100 * A),
    ev.Sign("", sympy.Integer(0)),
    ev.Exact("", "sqrt(2)", ">=", "1.5"),
    ev.Exact("", 2, ">", 2),
    ev.Induction("", (DIFFERENT,), (SAME,), "all"),
    ev.Induction("", (SAME,), (DIFFERENT,), "all"),
    total(lambda n: n),  # right at the start only
    total(lambda n: n * (n + 1) / 2 + 1),  # right in the step only
    ev.equal_by_increments("", (1, 2), (X, X), over=""),
    ev.ordered("", A, "=", 2 * A),
    ev.ordered("", A, ">=", 2 * A),
    ev.Exhaustive("", [("one", True), ("two", False)], "two"),
    ev.Fact("", True, "!=", True),
    ev.Fact("", "c", "in", ("a", "b")),
    ev.Fact("", {"c"}, "subset", {"a", "b"}),
    seen(0.4, 0.6, "covers", 0.7),
    seen(0.4, 0.6, "below", 0.5),
    seen(0.4, 0.6, "above", 0.5),
    *CASE.refutes("", TRUE),
    *CASE.refutes("", FALSE, premises=(FALSE,)),
    *DOUBTFUL.refutes("", FALSE),
    *CASE.refutes("", FALSE, also=(DOUBTFUL,)),
]
OPEN = [
    ev.Identity("", ENDLESS, 0),
    # zero where both are equal, which no tried point shows
    ev.Sign("", (A - B) ** 2),
    UNKNOWN,
    ev.Induction("", (), (SAME,), "all"),
    ev.Induction("", (SAME,), (), "all"),
    ev.Exhaustive("", [], "none"),
    # too wide to notice what matters: it could not have failed
    seen(0.4, 0.6, "covers", 0.5, matters=0.05),
    ev.Simulation("", 1, 100, 0.5, 0.6, 0.7, 0.99, "covers", 0.65, 0.2),
    *CASE.refutes("", UNKNOWN),
    *CASE.refutes("", FALSE, premises=(UNKNOWN,)),
]


@pytest.mark.parametrize(
    ("piece", "status"),
    [(one, word) for word, pieces in (("holds", HOLDS), ("fails", FAILS), ("open", OPEN)) for one in pieces],
)
def test_status(piece: ev.Evidence, status: str) -> None:
    assert piece.status == status


def test_a_point_is_the_same_function_everywhere() -> None:
    assert at_point(F(N) - F(N), 0) == 0
    assert at_point(F(N + 1) - F(N), 0) != 0


def test_exact_refuses_floats() -> None:
    with pytest.raises(TypeError, match="float"):
        _ = ev.Exact("", 0.1, "=", "0.1").status


def test_a_counterexample_takes_everything_from_its_golden_case() -> None:
    case = vector("n_step_return/audit-bias-grows")
    (one,) = case.refutes("", ev.Exact("", case.answer(), "=", case.answer(n=1)))
    assert one.status == "holds"
    assert "given R = 0 0, V = 0 0 1, γ = 9/10, n = 2" in one.lines()
    assert one.replays == (
        ("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 9/10 --n 2", "return", "81/100"),
    )


def test_a_refused_case_is_confirmed_by_its_code() -> None:
    assert vector("lambda_weights/endless-lambda-one").is_confirmed()
    assert vector("policy_eval/audit-endless-undiscounted").is_confirmed()
    with pytest.raises(UnknownName):
        vector("n_step_return/no-such-case")


def test_smallest_is_searched() -> None:
    found, search = smallest(range(1, 10), lambda n: n * n > 10, "integers from 1")
    assert (found, search) == (4, "integers from 1 (4 tried)")
    with pytest.raises(ValueError, match="holds for all"):
        smallest(range(3), lambda n: n > 5, "three")


@pytest.mark.parametrize(
    ("piece", "idle"),
    [
        (ev.Exact("", 10, "!=", 0), True),
        (ev.Exact("", "12.8", "=", Fraction(64, 5)), True),
        (ev.Exact("", sympy.Integer(10), "!=", 0), False),
        (ev.Exact("", given("10"), "!=", 0), False),
        (ev.Exact("", given(10), "!=", 0), False),
        (ev.Identity("", X + X, 2 * X), True),
        (ev.Identity("", (X + 1) ** 2, X**2 + 2 * X + 1), False),
        (ev.Induction("", (SAME,), (ev.Identity("", 2 * X, X + X),), ""), True),
        (ev.Induction("", (SAME,), (ev.Sign("", A),), ""), False),
    ],
)
def test_what_says_the_same_twice_is_idle(piece: ev.Evidence, idle: bool) -> None:
    assert piece.is_idle == idle


def test_what_a_table_says_is_recorded() -> None:
    assert ev.Fact("", 1, "=", 1, "a table").recorded
    assert not ev.Fact("", 1, "=", 1).recorded
    assert ev.Exhaustive("", [("one", True)], "rows", "a table").recorded


def test_a_false_claim_is_shown_as_what_holds() -> None:
    assert CASE.refutes("", FALSE)[0].latex() == r"1 \ne 2"
    assert ev.Exact("", 1, "<", 2).latex() == "1 < 2"
    assert ev.Identity("", 0, 0).latex() == ""
