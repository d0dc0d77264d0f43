"""Chapters 7 and 8: settings that are called typical, against published ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any

from rlcalc.audit.claims import folder
from rlcalc.audit.evidence import Evidence, Fact, Findings, condition
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.data import read_toml

SOURCE = "specs/claims/ppo_settings.toml"


@cache
def settings() -> tuple[dict[str, Any], ...]:
    """Published settings, each with its source."""
    return tuple(read_toml(folder() / "ppo_settings.toml")["setting"])


def values(key: str, task: str | None = None) -> list[Fraction]:
    """What is used for one setting, wherever it is stated."""
    chosen = [one for one in settings() if task in (None, one["task"])]
    return [Fraction(str(one[key])) for one in chosen if key in one]


def typical(key: str, low: str, high: str, task: str | None = None) -> Fact:
    """More than half of the published settings lie in a range."""
    found = values(key, task)
    inside = sum(Fraction(low) <= value <= Fraction(high) for value in found)
    of = f" for {task}" if task else ""
    return Fact(
        f"{key}: published settings{of} within [{low}, {high}] are the majority, {inside} of {len(found)}",
        2 * inside > len(found),
        "=",
        True,
        SOURCE,
    )


def usual(key: str, stated: str, task: str) -> Fact:
    """The value that most settings for a kind of task have."""
    most = Counter(values(key, task)).most_common(1)[0][0]
    return Fact(
        f"{key}: the value used most for {task} is the stated one", most, "=", Fraction(stated), SOURCE
    )


@claim(
    "L8.2-epochs",
    low="3",
    high="10",
    corruptions=[
        Corruption("11 to 100 epochs", low="11", high="100"),
        Corruption("5 to 8 epochs", low="5", high="8"),
    ],
)
def epochs(s: Statement) -> Findings:
    """Both ends are settings of the PPO paper; recipes for language models make one pass."""
    ends: list[Evidence] = [
        Fact(f"{end} epochs are a published setting", Fraction(end), "in", values("epochs"), SOURCE)
        for end in (s.low, s.high)
    ]
    fewest = Fraction(s.low)
    return Findings(
        against=[
            Fact(
                f"settings for language models that make {s.low} epochs or more are the majority",
                _majority(value >= fewest for value in values("epochs", "language")),
                "!=",
                True,
                SOURCE,
            )
        ],
        repair=condition(
            "This is the usual range for control tasks. Language models are mostly tuned with a single pass "
            "over each batch, divided into minibatches.",
            [typical("epochs", s.low, s.high, "control"), *ends, usual("epochs", "1", "language")],
        ),
    )


def _majority(hits: Iterable[bool]) -> bool:
    found = list(hits)
    return 2 * sum(found) > len(found)


@claim(
    "L8.3-hyperparameters",
    eps=("0.1", "0.2"),
    epochs=("3", "10"),
    rate="3e-4",
    lam="0.95",
    gamma="0.99",
    corruptions=[
        Corruption("learning rate 0.01", rate="1e-2"),
        Corruption("λ = 0.5", lam="0.5"),
        Corruption("γ = 1", gamma="1"),
        Corruption("ε from 0.4 to 0.5", eps=("0.4", "0.5")),
    ],
)
def hyperparameters(s: Statement) -> Findings:
    """The values of the PPO paper for control; for text, the lecture's subject, γ and the rate differ."""
    return Findings(
        against=[
            Fact(
                "a discount of language models",
                Fraction(s.gamma),
                "not in",
                values("gamma", "language"),
                SOURCE,
            ),
            Fact("a rate of language models", Fraction(s.rate), "not in", values("rate", "language"), SOURCE),
        ],
        repair=condition(
            "These are the usual values for control tasks. For language models ε is the same, but γ is 1, λ "
            "often 1 too, a batch is mostly passed over once, and the learning rate is about 10⁻⁶.",
            [
                typical("eps", s.eps[0], s.eps[1], "control"),
                typical("epochs", s.epochs[0], s.epochs[1], "control"),
                usual("rate", s.rate, "control"),
                usual("lam", s.lam, "control"),
                usual("gamma", s.gamma, "control"),
                typical("eps", s.eps[0], s.eps[1], "language"),
                usual("gamma", "1", "language"),
                usual("lam", "1", "language"),
                usual("epochs", "1", "language"),
                usual("rate", "1e-6", "language"),
            ],
        ),
    )
