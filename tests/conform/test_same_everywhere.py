"""Command line, pytest and Python give the same verdict on the same function."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from rlcalc.conform.check import Request, check
from rlcalc.errors import InputError
from rlcalc.testing import ConformanceError, conformance_suite

from . import losses, plain_targets, targets

pytestmark = pytest.mark.slow  # each a whole run of conform, three times

LOOPS = ["discounted_return", "gae", "n_step_return", "lambda_return", "td_error"]


def passes(suite) -> bool:
    """Whether every test of a suite passes or is skipped."""
    good = True
    (mark,) = (m for m in suite.pytestmark if m.name == "parametrize")
    for case in mark.args[1]:
        try:
            suite(*case.values)
        except pytest.skip.Exception:
            pass
        except ConformanceError:
            good = False
    return good


def _functions(module: ModuleType) -> list[tuple[str, str]]:
    return [
        (module.__name__, name)
        for name, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", "") == module.__name__
        and not name.startswith("_")
    ]


FORMULAS = {
    **{name: name for name in LOOPS},
    "returns_in_a_buffer": "discounted_return",
    "only_lists": "discounted_return",
    "returns_wanting_values": "discounted_return",
    "rows_scrambled": "discounted_return",
    "only_the_last_reward": "discounted_return",
    "mean_squared": "critic_loss",
    "squared_each": "critic_loss",
    "a_value_for_each": "critic_loss",
    "squares_of_a_list": "critic_loss",
    "powers_of_the_discount": "discounted_return",
    "step_of_a_value": "td_update",
    "divergence_of_lists": "kl",
    "squares_of_one_less": "critic_loss",
    "group_of_all": "grpo_advantage",
    "mean_entropy": "entropy",
    "entropy_loss": "entropy",
    "sum_of_divergences": "kl",
    "ppo_loss_mean": "ppo_clip",
}
ALL = [
    place
    for module in (targets, plain_targets, losses)
    for place in _functions(module)
    if place[1] != "Advantages"
]


def _both(module: str, name: str, **options) -> tuple[Any, Any]:
    """Verdict, what was not tested and whether it passes: from the command line, and from pytest."""
    formula = FORMULAS.get(name, "ppo_clip" if module == losses.__name__ else "gae")
    # what never ends is waited for; what ends may be slow on a busy machine
    options["limit"] = 1.0 if "hangs" in name else 20.0
    try:
        found = check(Request(f"{module}:{name}", formula, random=5, **options)).report
        command: Any = (found.verdict, found.not_tested, found.backend, found.passed)
    except InputError as error:
        command = error.code
    suite: Any = conformance_suite(getattr(sys.modules[module], name), formula, random=5, **options)
    try:
        there = suite.suite.report
    except InputError as error:
        return command, error.code
    return command, (there.verdict, there.not_tested, there.backend, passes(suite))


@pytest.mark.parametrize("name", ["discounted_return", "tokens", "group_of_all"])
def test_same_verdict_from_command_line_and_pytest(name: str) -> None:
    command, suite = _both(plain_targets.__name__, name)
    assert command == suite


@pytest.mark.parametrize(("module", "name"), ALL[::5])
def test_same_verdict_for_many_targets(module: str, name: str) -> None:
    command, suite = _both(module, name)
    assert command == suite


def test_same_verdict_where_something_is_required() -> None:
    command, suite = _both(plain_targets.__name__, "gae", require=("batches",))
    assert command == suite
    assert not suite[-1]
