"""Chapters 7 and 8: settings that are called typical, against published ones."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from rlcalc.audit import evidence as ev
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import settings

SOURCE = "specs/claims/ppo_settings.toml"
# the ends of the lecture's ranges are what the PPO paper used in these two experiments
LOW_END, HIGH_END = "PPO paper, Atari", "PPO paper, MuJoCo"


def values(key: str, task: str | None = None) -> list[Fraction]:
    """What is used for one setting, wherever it is stated."""
    chosen = [one for one in settings().values() if task in (None, one.task)]
    return [Fraction(getattr(one, key)) for one in chosen if getattr(one, key)]


def typical(key: str, low: str, high: str, task: str | None = None) -> ev.Fact:
    """More than half of the published settings lie in a range."""
    found = values(key, task)
    inside = sum(Fraction(low) <= value <= Fraction(high) for value in found)
    of = f" for {task}" if task else ""
    return ev.Fact(
        f"{key}: published settings{of} within [{low}, {high}] are the majority, {inside} of {len(found)}",
        2 * inside > len(found),
        "=",
        True,
        SOURCE,
    )


def usual(key: str, stated: str, task: str) -> ev.Fact:
    """The value that most settings for a kind of task have."""
    most = Counter(values(key, task)).most_common(1)[0][0]
    return ev.Fact(f"{key}: the value used most for {task}", most, "=", Fraction(stated), SOURCE)


def both_ends(key: str, low: str, high: str) -> list[ev.Evidence]:
    """The ends of a range are what the PPO paper used, on Atari and on MuJoCo."""
    return [
        ev.Fact(f"{key}: {name}", Fraction(getattr(settings()[name], key)), "=", Fraction(end), SOURCE)
        for name, end in ((LOW_END, low), (HIGH_END, high))
    ]


def usual_range(key: str, low: str, high: str) -> list[ev.Evidence]:
    """Both ends are published, and the settings for control are mostly between them."""
    return [*both_ends(key, low, high), typical(key, low, high, "control")]


@claim("L8.2-epochs", low="3", high="10")
def epochs(s: Statement, show: ev.Findings) -> None:
    """Both ends are settings of the PPO paper; recipes for language models make one pass."""
    passes = values("epochs", "language")
    fewer = sum(value < Fraction(s.low) for value in passes)
    show.against.fact(
        f"for language models most make fewer than {s.low}, {fewer} of {len(passes)}",
        2 * fewer > len(passes),
        "=",
        True,
        SOURCE,
    )
    show.repair += usual_range("epochs", s.low, s.high)
    show.repair.append(usual("epochs", "1", "language"))


@claim(
    "L8.3-hyperparameters",
    eps_from="0.1",
    eps_to="0.2",
    epochs_from="3",
    epochs_to="10",
    rate="3e-4",
    lam="0.95",
    gamma="0.99",
)
def hyperparameters(s: Statement, show: ev.Findings) -> None:
    """The values of the PPO paper for control; for text, the lecture's subject, γ and the rate differ."""
    language = {"gamma": "1", "lam": "1", "epochs": "1", "rate": "1e-6"}
    show.against += [
        ev.Fact(f"no language model had {name}", Fraction(value), "not in", values(key, "language"), SOURCE)
        for key, name, value in (("gamma", f"γ = {s.gamma}", s.gamma), ("rate", f"the rate {s.rate}", s.rate))
    ]
    show.repair += usual_range("eps", s.eps_from, s.eps_to)
    show.repair += usual_range("epochs", s.epochs_from, s.epochs_to)
    show.repair += (usual(key, getattr(s, key), "control") for key in ("rate", "lam", "gamma"))
    show.repair.append(typical("eps", s.eps_from, s.eps_to, "language"))
    show.repair += (usual(key, value, "language") for key, value in language.items())
