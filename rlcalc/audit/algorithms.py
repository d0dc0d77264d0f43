"""Attributes of algorithms and published facts about language models: ``specs/claims/*.toml``.

Claims of taxonomy are settled by what stands there. Classes are computed from
the attributes (``Algorithm.category``), never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from rlcalc.audit.claims import folder
from rlcalc.data import read_toml
from rlcalc.errors import DataError

VALUE_BASED, POLICY_BASED, ACTOR_CRITIC = "value-based", "policy-based", "actor-critic"


@dataclass(frozen=True)
class Algorithm:
    """One row of ``algorithms.toml``; the attributes are explained at its head."""

    name: str
    values: str
    critic: str
    bootstraps: bool
    policy: bool
    model: str
    on_policy: bool
    limit: str
    passes: int
    by: str
    year: int
    source: str

    @property
    def category(self) -> str:
        """By what is learned: values, a policy, or both."""
        if self.policy:
            return ACTOR_CRITIC if self.critic == "yes" else POLICY_BASED
        return VALUE_BASED if self.values else ""

    @property
    def learned(self) -> int:
        """How many functions are learned: a policy, a value function, or both."""
        return int(self.policy) + int(bool(self.values))

    @property
    def model_free(self) -> bool:
        return self.model == "none"


@dataclass(frozen=True)
class Recipe:
    """How a published model was tuned."""

    name: str
    by: str
    year: int
    optimisers: list[str]
    steps: list[str]
    reward: str
    source: str


@dataclass(frozen=True)
class Pretrained:
    """``tokens`` in billions, ``hours`` of accelerators (0: not published)."""

    name: str
    year: int
    tokens: int
    hours: int
    objective: str
    source: str


@dataclass(frozen=True)
class Tokenizer:
    name: str
    size: int
    source: str


@dataclass(frozen=True)
class Dataset:
    name: str
    subject: str
    checked_by: str
    source: str


@dataclass(frozen=True)
class Work:
    """Something to read or to run; ``last`` is the last version that has what it is recommended for."""

    key: str
    title: str
    by: list[str]
    year: int
    last: str
    source: str


@cache
def algorithms() -> dict[str, Algorithm]:
    """By name.

    Raises:
        DataError: ``bad_algorithms`` with file and entry, here and below.
    """
    return {one.name: one for one in _table("algorithms", "algorithm", Algorithm)}


@cache
def recipes() -> dict[str, Recipe]:
    return {one.name: one for one in _table("language_models", "recipe", Recipe)}


@cache
def pretrained() -> tuple[Pretrained, ...]:
    return tuple(_table("language_models", "pretrained", Pretrained))


@cache
def tokenizers() -> dict[str, Tokenizer]:
    return {one.name: one for one in _table("language_models", "tokenizer", Tokenizer)}


@cache
def datasets() -> tuple[Dataset, ...]:
    return tuple(_table("language_models", "dataset", Dataset))


@cache
def works() -> dict[str, Work]:
    return {one.key: one for one in _table("language_models", "work", Work)}


def _table(stem: str, name: str, row: type[Any]) -> list[Any]:
    top = read_toml(folder() / f"{stem}.toml")
    if top.get("schema") != f"rlcalc-{stem.replace('_', '-')}-1":
        raise DataError("bad_algorithms", f"{stem}.toml: the schema is {top.get('schema')!r}.")
    wanted = {each.name: str(each.type) for each in fields(row)}
    found = []
    for entry in top.get(name, []):
        where = f"{stem}.toml: {name} {entry.get('name', entry.get('key', '?'))}: "
        if set(entry) != set(wanted):
            raise DataError("bad_algorithms", f"{where}its keys are {', '.join(wanted)}.")
        for key, value in entry.items():
            if type(value).__name__ != wanted[key].partition("[")[0]:
                raise DataError("bad_algorithms", f"{where}{key} is no {wanted[key]}.")
        found.append(row(**entry))
    return found
