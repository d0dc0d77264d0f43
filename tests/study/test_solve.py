"""``--solve``: for which input the answer is a number."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.command import run

# E30: a chain that branches with probability 1/2; its n-step returns are 11/2, 4, 4, 6, 5
BRANCH = "lambda-return --rewards 0 2 1 1 1 --values 0 11/2 2 1 2 0 --solve lam=5"


@pytest.mark.parametrize(
    ("line", "code", "answer"),
    [
        (BRANCH, 0, "0.40303171676268477587 1"),
        ("discounted-return --rewards 1 2 3 --solve gamma=4", 0, "0.72075922005612644400"),
        ("lambda-return --rewards 1 2 3 --solve lam=11/4", 0, "1/2"),
        ("lambda-return --rewards 1 2 3 --solve lam=7", 1, ""),
        ("discounted-return --rewards 1 2 3 --gamma 1/2 --solve bootstrap=10", 0, "58"),
        # exercise G12: 1/(1 − g²) = 2g/(1 − g²) at g = 1/2, as the root of (1 − 2g)/(1 − g²)
        ("discounted-return --rewards 1 -2 --repeat --solve gamma=0", 0, "1/2"),
    ],
)
def test_roots_in_the_domain(line, code, answer):
    assert run(*shlex.split(line), "-q")[:2] == (code, answer + "\n")


def test_the_polynomial_is_exact():
    # (λ − 1)(2λ³ − 2λ² − 2λ + 1), the exercise's polynomial and the root λ = 1 that it divides out
    found = json.loads(run(*shlex.split(BRANCH), "--json")[1])
    assert found["polynomial"] == "2*x**4 - 4*x**3 + 3*x - 1"
    out = run(*shlex.split(BRANCH))[1]
    assert out.splitlines()[-2:] == ["λ ≈ 0.4030317168", "λ = 1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lambda-return --rewards 1 2 --solve lam", "--solve takes NAME=VALUE"),
        ("lambda-return --rewards 1 2 --lam 1/2 --solve lam=2", "--lam is given, and --solve looks for it."),
        ("lambda-return --rewards 1 2 --lam 1/2 --solve rewards=2", "--solve looks for one number"),
        ("lambda-return --rewards a 2 --solve lam=2", "Give numbers for the other inputs."),
        ("lambda-return --rewards 1 2 --solve lamda=2", "lam"),
        ("entropy --p 1/2 1/2 --solve base=2", "entropy"),
    ],
)
def test_bad_questions(line, message):
    code, _, err = run(*shlex.split(line))
    assert code == 2
    assert message in err
