"""Chapters 7 and 8: settings that are called typical, against published ones."""

from __future__ import annotations

from collections import Counter
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
    return Fact(
        f"{key}: published settings within [{low}, {high}] are the majority, {inside} of {len(found)}",
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
    """Both ends are settings of the PPO paper."""
    ends: list[Evidence] = [
        Fact(f"{end} epochs are a published setting", Fraction(end), "in", values("epochs"), SOURCE)
        for end in (s.low, s.high)
    ]
    return Findings(literal=[typical("epochs", s.low, s.high), *ends])


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
            "These are the usual values for control tasks. For language models PPO uses γ = 1 and a learning "
            "rate about a hundredth of this one; ε and λ are the same.",
            [
                typical("eps", s.eps[0], s.eps[1], "control"),
                typical("epochs", s.epochs[0], s.epochs[1], "control"),
                usual("rate", s.rate, "control"),
                usual("lam", s.lam, "control"),
                usual("gamma", s.gamma, "control"),
                typical("eps", s.eps[0], s.eps[1], "language"),
                usual("lam", s.lam, "language"),
                usual("gamma", "1", "language"),
                usual("rate", "3e-6", "language"),
            ],
        ),
    )
