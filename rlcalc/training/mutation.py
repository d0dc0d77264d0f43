"""A bug that is put into a trainer from outside, and what detects it.

The trainer's source stays as it is: a formula or a method is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Mutation:
    """A bug in one part of a trainer.

    Attributes:
        about: what is computed instead; left out where the catalogue of ``conform`` says it.
        known: the same bug in that catalogue, as ``formula/name``.
        part: a formula that the trainer holds, or a method of it or of what it has (``task.reward``).
        change: what takes its place, given the right one.
    """

    name: str
    about: str = ""
    known: str = ""
    part: str = ""
    change: Callable[[Any], Any] | None = None

    def put_into(self, trainer: Any) -> None:
        """Break a trainer."""
        if self.change is None:
            return
        if hasattr(trainer.formulas, self.part):
            broken = self.change(getattr(trainer.formulas, self.part))
            trainer.formulas = replace(trainer.formulas, **{self.part: broken})
            return
        *way, name = self.part.split(".")
        owner = trainer
        for step in way:
            owner = getattr(owner, step)
        setattr(owner, name, self.change(getattr(owner, name)))


@dataclass(frozen=True)
class Detection:
    """Which checks detected a mutation, and in which iteration of their probe (0: before learning)."""

    name: str
    about: str
    known: str
    caught_by: tuple[str, ...]
    iteration: str
    right: bool


def then(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Changes what the right part gives."""
    return lambda right: lambda *given, **named: change(right(*given, **named))


def given(**changes: Any) -> Callable[[Any], Any]:
    """Changes what a formula is given: a value, or a function of all that it was given."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def broken(**named: Any) -> Any:
            new = {key: value(named) if callable(value) else value for key, value in changes.items()}
            return right(**{**named, **new})

        return broken

    return change
