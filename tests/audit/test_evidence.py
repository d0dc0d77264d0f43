"""Each kind of evidence holds, fails, and stays open where it must."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from rlcalc.audit.cases import smallest, vector
from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Identity,
    Induction,
    Replay,
    Sign,
    Simulation,
)
from rlcalc.audit.proofs import (
    equal_by_increments,
    index,
    ordered,
    positives,
    powers_vanish,
    reals,
    sequence,
    sum_by_induction,
    unit,
)
from rlcalc.audit.values import given
from rlcalc.audit.zero import at_point, sign_status, zero_status
from rlcalc.errors import UnknownName

X, N = reals("x"), index()


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        ((X - 1) * (X + 1), X**2 - 1, "holds"),
        ((X - 1) * (X + 1), X**2 + 1, "fails"),
        (X**N * X, X ** (N + 1), "holds"),
        (X**N * X, X ** (N + 2), "fails"),
        (sympy.Integer(0) ** N, 0, "holds"),
        # wrong at n = 1 only, where 0^0 = 1
        (sympy.Integer(0) ** (N - 1), 0, "fails"),
        (sequence("f")(N + 1), sequence("f")(N + 1), "holds"),
        (sequence("f")(N + 1), sequence("f")(N), "fails"),
        (sympy.exp(X) * sympy.exp(-X), 1, "holds"),
        (sympy.sin(X) ** 2 + sympy.cos(X) ** 2, 1, "holds"),
        ("1/3", Fraction(1, 3), "holds"),
    ],
)
def test_identity(left: object, right: object, status: str) -> None:
    assert Identity("", left, right).status == status


def test_identity_that_nothing_settles_stays_open() -> None:
    # an endless sum of an arbitrary function has no value at any point
    endless = sympy.Sum(sequence("f")(N), (N, 1, sympy.oo))
    assert zero_status(endless) == "open"
    assert Identity("", endless, 0).status == "open"


def test_a_point_is_the_same_function_everywhere() -> None:
    f = sequence("f")
    assert at_point(f(N) - f(N), 0) == 0
    assert at_point(f(N + 1) - f(N), 0) != 0


@pytest.mark.parametrize(
    ("expression", "strict", "status"),
    [
        (1 - unit("p"), True, "holds"),
        (unit("p") - 1, True, "fails"),
        (positives("a") + positives("b"), True, "holds"),
        (positives("a") - positives("b"), True, "fails"),
        (positives("a") - 100 * positives("b"), True, "fails"),
        (positives("b") - 100 * positives("a"), True, "fails"),
        # zero where both are equal, which no tried point shows
        ((positives("a") - positives("b")) ** 2, True, "open"),
        (sympy.Integer(0), False, "holds"),
        (sympy.Integer(0), True, "fails"),
        (unit("p") ** N - unit("p") ** (N + 1), True, "holds"),
    ],
)
def test_sign(expression: object, strict: bool, status: str) -> None:
    assert sign_status(expression, strict) == status
    assert Sign("", expression, strict=strict).status == status


@pytest.mark.parametrize(
    ("left", "relation", "right", "status"),
    [
        ("0.1", "=", Fraction(1, 10), "holds"),
        ("sqrt(2)", "<", "1.5", "holds"),
        ("sqrt(2)", ">=", "1.5", "fails"),
        ("1/3", "!=", "0.3333333333333333", "holds"),
        (2, "<=", 2, "holds"),
        (2, ">", 2, "fails"),
        ("x", "<", "y", "open"),
    ],
)
def test_exact(left: object, relation: str, right: object, status: str) -> None:
    assert Exact("", left, relation, right).status == status


def test_exact_refuses_floats() -> None:
    with pytest.raises(TypeError, match="float"):
        _ = Exact("", 0.1, "=", "0.1").status


def test_induction_needs_base_and_step() -> None:
    good, bad = Identity("", X, X), Identity("", X, X + 1)
    assert Induction("", (good,), (good,), "all").status == "holds"
    assert Induction("", (bad,), (good,), "all").status == "fails"
    assert Induction("", (good,), (bad,), "all").status == "fails"
    assert Induction("", (), (good,), "all").status == "open"
    assert Induction("", (good,), (), "all").status == "open"


def test_sum_by_induction() -> None:
    assert sum_by_induction("", lambda k: k, lambda n: n * (n + 1) / 2, over="").status == "holds"
    # right at the start only, and right in the step only
    assert sum_by_induction("", lambda k: k, lambda n: n, over="").status == "fails"
    assert sum_by_induction("", lambda k: k, lambda n: n * (n + 1) / 2 + 1, over="").status == "fails"
    assert equal_by_increments("", (1, 1), (X, X), over="").status == "holds"
    assert equal_by_increments("", (1, 2), (X, X), over="").status == "fails"
    assert powers_vanish().status == "holds"


def test_exhaustive() -> None:
    assert Exhaustive("", 3, (), "three").status == "holds"
    assert Exhaustive("", 3, ("two",), "three").status == "fails"
    assert Exhaustive("", 0, (), "none").status == "open"


@pytest.mark.parametrize(
    ("found", "relation", "expected", "status"),
    [
        (True, "=", True, "holds"),
        (True, "!=", True, "fails"),
        ("a", "in", ("a", "b"), "holds"),
        ("c", "in", ("a", "b"), "fails"),
        ("c", "not in", ("a", "b"), "holds"),
        ({"a"}, "subset", {"a", "b"}, "holds"),
        ({"c"}, "subset", {"a", "b"}, "fails"),
    ],
)
def test_fact(found: object, relation: str, expected: object, status: str) -> None:
    assert Fact("", found, relation, expected).status == status


@pytest.mark.parametrize(
    ("low", "high", "relation", "target", "matters", "status"),
    [
        (0.4, 0.6, "covers", 0.5, 0.2, "holds"),
        (0.4, 0.6, "covers", 0.7, 0.2, "fails"),
        (0.4, 0.6, "below", 0.7, 0.2, "holds"),
        (0.4, 0.6, "below", 0.5, 0.2, "fails"),
        (0.4, 0.6, "above", 0.3, 0.2, "holds"),
        (0.4, 0.6, "above", 0.5, 0.2, "fails"),
        # too wide to notice what matters: it could not have failed
        (0.4, 0.6, "covers", 0.5, 0.05, "open"),
        (0.6, 0.7, "covers", 0.65, 0.2, "open"),
    ],
)
def test_simulation(
    low: float, high: float, relation: str, target: float, matters: float, status: str
) -> None:
    one = Simulation("", 1, 100, 0.5, low, high, 0.99, relation, target, matters)
    assert one.status == status
    assert one.statistical


def test_counterexample() -> None:
    false, true, unknown = Exact("", 1, "=", 2), Exact("", 1, "=", 1), Exact("", "x", "<", "y")
    assert Counterexample("", false).status == "holds"
    assert Counterexample("", true).status == "fails"
    assert Counterexample("", unknown).status == "open"
    assert Counterexample("", false, premises=(unknown,)).status == "open"


def test_a_counterexample_takes_everything_from_its_golden_case() -> None:
    case = vector("n_step_return/audit-bias-grows")
    one = Counterexample("", Exact("", case.answer(), "=", case.answer(n=1)), golden=case)
    assert one.status == "holds"
    assert "given R = 0 0, V = 0 0 1, γ = 9/10, n = 2" in one.lines()
    assert one.replays == (
        Replay("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 9/10 --n 2", "81/100", "return"),
    )


class Doubtful:
    """A golden case that the calculator does not confirm."""

    id = "n_step_return/none"
    symbols = dict
    replays = list

    def is_confirmed(self) -> bool:
        return False


def test_a_case_that_is_not_confirmed_shows_nothing() -> None:
    assert Counterexample("", Exact("", 1, "=", 2), golden=Doubtful()).status == "fails"


def test_a_refused_case_is_confirmed_by_its_code() -> None:
    assert vector("lambda_weights/endless-lambda-one").is_confirmed()
    assert vector("policy_eval/audit-endless-undiscounted").is_confirmed()
    with pytest.raises(UnknownName):
        vector("n_step_return/no-such-case")


def test_smallest_is_searched() -> None:
    found, search = smallest(range(1, 10), lambda n: n * n > 10, "integers from 1")
    assert (found, search.tried) == (4, 4)
    with pytest.raises(ValueError, match="holds for all"):
        smallest(range(3), lambda n: n > 5, "three")


@pytest.mark.parametrize(
    ("piece", "idle"),
    [
        (Exact("", 10, "!=", 0), True),
        (Exact("", "12.8", "=", Fraction(64, 5)), True),
        (Exact("", sympy.Integer(10), "!=", 0), False),
        (Exact("", given("10"), "!=", 0), False),
        (Exact("", given(10), "!=", 0), False),
        (Identity("", X + X, 2 * X), True),
        (Identity("", (X + 1) ** 2, X**2 + 2 * X + 1), False),
        (Induction("", (Identity("", X, X),), (Identity("", 2 * X, X + X),), ""), True),
        (Induction("", (Identity("", X, X),), (Sign("", positives("a")),), ""), False),
    ],
)
def test_what_says_the_same_twice_is_idle(piece: Evidence, idle: bool) -> None:
    assert piece.is_idle == idle


def test_what_a_table_says_is_recorded() -> None:
    assert Fact("", 1, "=", 1, "a table").recorded
    assert not Fact("", 1, "=", 1).recorded
    assert Exhaustive("", 1, (), "rows", "a table").recorded


@pytest.mark.parametrize(
    ("relation", "status"), [("=", "fails"), ("!=", "holds"), ("<", "holds"), (">=", "fails")]
)
def test_ordered_follows_the_relation(relation: str, status: str) -> None:
    a = positives("a")
    assert ordered("", a, relation, 2 * a).status == status
