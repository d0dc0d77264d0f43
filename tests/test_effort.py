"""No command takes long, however small its input looks: work is counted before it is done."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import sympy

import rlcalc
from rlcalc.evaluation import evaluate
from rlcalc.exact import effort
from rlcalc.exact.effort import TooMuchWork, charge, limited
from rlcalc.steps.values import add, multiply, power
from tests.fuzz.forked import end_with_parent, run
from tests.refused import refused

PRIMES = "4357480617283941263051207"  # 25 digits, squared below
SEMIPRIME = str(int(PRIMES) * 3907156318277481926540801)


def many(pattern: str, count: int) -> list[str]:
    return [pattern.format(k) for k in range(1, count + 1)]


CHAIN = ["traces", "--lam", "sqrt(2)/2", "--gamma", "exp(-1)"]
LONG = "1/" + "3" * 500
RETURN = ["discounted-return", "--rewards"]
VARIATE = ["control-variate", "--k", "best", "--x"]


def process(states: int) -> str:
    """Three actions of each state that lead to all of them, with chances of fifty digits."""
    weights = [pow(7, 70 + k, 10**49) + 10**49 for k in range(states)]
    chances = [f"{weight}/{sum(weights)}" for weight in weights]
    moves = [(s, a, (s * a + t) % states) for s in range(states) for a in range(3) for t in range(states)]
    return "; ".join(
        f"s{s} a{a} -> s{t} {chances[k % states]} {s}/{t + 1}" for k, (s, a, t) in enumerate(moves)
    )


HARD = {
    "exponential of 1e7": ["softmax", "--theta", "1e7", "0"],
    "exponential of 1e11": ["softmax", "--theta", "1e11", "0"],
    "exponential of 1e20": ["score", "--theta", "1e20", "0", "--action", "0"],
    "exponential of a step": ["reinforce-step", "--theta", "1", "0", "--action", "0", "--return", "1e9"],
    "exponential in a trajectory": ["policy-gradient", "--mdp", "bandit", "--theta", "1e7", "0"],
    "exponential beside a symbol": ["softmax", "--theta", "log(c)", "-1", "3e12"],
    "power of a sum": ["ppo-clip", "--ratio", "a", "--adv", "(a+b+c+d+f)**12"],
    "extremes of a long sum": ["ppo-clip", "--ratio", "(a+b+c+d+f)**12", "--adv", "2" * 60, "--eps", "1"],
    "product of powers": ["td-error", "--reward", "1", "--value", "1", "--gamma",
                          "(a+b+c+d)**12", "--next-value", "(b+c+d+f)**12"],
    "root of a long number": ["control-variate", "--x", "1e-51", "2**4000", "-1", "1e20",
                              "--b", "2**4000", "1/" + "7" * 80, "100", "2"],
    "long discount": [*RETURN, *["1"] * 128, "--gamma", LONG],
    "long lambda": ["lambda-return", "--rewards", *["1/7"] * 100, "--lam", LONG, "--gamma", LONG],
    "irrational traces": [*CHAIN, "--states", *many("s{}", 40), "--rewards", *["1"] * 40],
    "base to factor": ["entropy", "--p", "2/3", "1/3", "--base", SEMIPRIME],
    "probability to factor": ["entropy", "--p", f"1/{SEMIPRIME}", f"1-1/{SEMIPRIME}", "--base", "2"],
    "256 symbols": ["softmax", "--theta", *many("x{}", 256)],
    "32 symbols": ["reinforce-step", "--theta", *many("x{}", 32), "--action", "0", "--return", "r"],
    "64 symbols squared": [*VARIATE, *many("x{}", 64), "--b", *many("y{}", 64)],
    "256 roots": ["grpo-advantage", "--rewards", *many("sqrt({})", 256)],
    "30 roots": [*VARIATE, *many("sqrt({})", 30), "--b", *many("sqrt({0}+1)", 30)],
    "degree 710": ["control-variate", "--x", "2.7", "-0.9", "--b", "exp(710)", "lam", "--k", "1e9"],
    "constants in a variance": ["baseline-variance", "--policy", "exp(-1)", *["(1-exp(-1))/4"] * 4,
                                "--returns",
                                "sqrt(2)", "sqrt(3)", "9000", "7", "6", "--baseline", "best"],
    "wide process": ["bellman", "--mdp", process(64), "--gamma", "0.99"],
    "long process": ["bellman", "--mdp", "grid2x2", "--gamma", "1e-2500", "--latex"],
    "long answer": [*RETURN, "1e-4000", "1e-4000", "--gamma", "1e-4000", "--json"],
    "long delay": ["token-mdp", "--prompt", "p", "--tokens", *["x"] * 256, "--gamma", LONG],
    "long exponent": [*RETURN, "1e999999999", "--gamma", "1/2"],
}  # fmt: skip


def _ready_to_fork() -> None:
    """A process with what all forks share, and without the threads that other tests start here."""
    end_with_parent()
    assert sympy.__version__


@pytest.fixture(scope="module")
def apart() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, get_context("spawn"), _ready_to_fork) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize("words", HARD.values(), ids=HARD.keys())
def test_every_command_ends_soon_in_little_memory(words: list[str], apart: Executor) -> None:
    """Five seconds of processor time and 1 GiB, both measured in the fork."""
    assert apart.submit(run, words).result().problems() == []


def test_over_budget_the_numeric_forms_answer() -> None:
    found = evaluate("softmax", {"theta": ["1e11", "0"]}, ("sympy", "numpy"))
    assert found.answer.numpy == [1, 0]
    assert found.notes == ["The exact backend was skipped: it holds exp of a number beyond 10000."]


@pytest.mark.parametrize("backends", [("sympy",), ("sympy", "numpy")])
def test_where_no_form_can_answer_it_is_refused_with_what_to_change(backends: tuple[str, ...]) -> None:
    with refused(TooMuchWork, "exact_too_long", "Use shorter numbers") as caught:
        evaluate("ppo_clip", {"ratio": "a", "adv": "(a+b+c+d+f)**12"}, backends)
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_work_is_counted_within_a_limit_only() -> None:
    charge(10 * effort.LIMIT, "digits")
    with limited(100):
        charge(60, "digits")
        with limited(1000), pytest.raises(TooMuchWork, match="numbers grow too long"):
            charge(60, "digits")  # the outer block goes on counting
    charge(10 * effort.LIMIT, "symbols")


def test_work_is_refused_before_it_is_done() -> None:
    """Any of these would take minutes, or all memory."""
    a, b, c = sympy.symbols("a b c", real=True)
    longs = [sympy.Rational(1, 3**200_000 + 2 * k) for k in range(60)]
    with limited(effort.LIMIT / 2):
        for work in (
            lambda: power(a + b + c + 1, sympy.Integer(10**4)),
            lambda: power(sympy.Rational(3, 7), sympy.Integer(10**9)),
            lambda: add(longs),
            lambda: multiply(longs * 9),
        ):
            with pytest.raises(TooMuchWork):
                work()


def test_estimates_leave_what_people_type_alone() -> None:
    for formula, inputs in {
        "softmax": {"theta": [f"x{k}" for k in range(8)]},
        "grpo_advantage": {"rewards": [f"sqrt({k})" for k in range(1, 9)]},
        "gae": {"rewards": ["1/7"] * 60, "lam": "0.95", "gamma": "0.99"},
        "traces": {"states": list("ABCABC"), "lam": "sqrt(2)/2", "gamma": "exp(-1)", "rewards": [1] * 6},
    }.items():
        assert rlcalc.derive(formula, **inputs).steps


def test_a_net_catches_what_the_estimates_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "_LAST_RESORT", 0.0)
    with limited(), pytest.raises(TooMuchWork):
        charge(1, "symbols")


def test_what_to_change_is_said_in_the_words_of_the_caller() -> None:
    with pytest.raises(TooMuchWork) as caught:
        rlcalc.derive("pass_at_k", n=100_000, c=5, k=50_000)
    assert caught.value.hint.endswith("or NumPy arrays without symbols.")
