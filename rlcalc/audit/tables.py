"""Attributes of algorithms and published facts about language models: ``specs/claims/*.toml``.

Claims of taxonomy are settled by what stands there. Classes are computed from
the attributes (``Algorithm.category``), never stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from rlcalc.audit.claims import folder
from rlcalc.data import read_toml
from rlcalc.errors import DataError, shown, suggestion
from rlcalc.records import Place, read_record

VALUE_BASED, POLICY_BASED, ACTOR_CRITIC = "value-based", "policy-based", "actor-critic"


@dataclass(frozen=True)
class Algorithm:
    """One row of ``algorithms.toml``; the attributes are explained at its head."""

    name: str
    values: Literal["", "optimal", "own"]
    critic: Literal["no", "yes", "optional"]
    bootstraps: bool
    policy: bool
    model: Literal["none", "learned", "given"]
    on_policy: bool
    limit: Literal["", "clip", "kl"]
    passes: int
    by: str
    year: int
    source: str
    penalty: Literal["", "kl"] = ""
    order: int = 0

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
    optimisers: tuple[str, ...]
    steps: tuple[str, ...]
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
    by: tuple[str, ...]
    year: int
    source: str
    last: str = ""


@dataclass(frozen=True)
class Setting:
    """What PPO was run with; a setting for which the source gives no single value is empty.

    Attributes:
        task: ``control`` or ``language``.
        decay: whether the learning rate falls during the run; empty where the source does not say.
    """

    name: str
    task: Literal["control", "language"]
    source: str
    eps: str = ""
    epochs: str = ""
    rate: str = ""
    lam: str = ""
    gamma: str = ""
    decay: Literal["", "yes", "no"] = ""


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


@cache
def settings() -> dict[str, Setting]:
    return {one.name: one for one in _table("ppo_settings", "setting", Setting)}


_TABLES: dict[str, Callable[[], Any]] = {
    "algorithms": algorithms,
    "recipes": recipes,
    "pretrained": pretrained,
    "tokenizers": tokenizers,
    "datasets": datasets,
    "works": works,
    "settings": settings,
}


def rows(table: str) -> list[Any]:
    """All rows of a table.

    Raises:
        DataError: ``bad_algorithms``: no such table.
    """
    if table not in _TABLES:
        raise DataError(
            "bad_algorithms", f"There is no table {shown(table)}.", suggestion(table, list(_TABLES))
        )
    found = _TABLES[table]()
    return list(found.values()) if isinstance(found, dict) else list(found)


def name(row: Any) -> str:
    return str(getattr(row, "key", "") or row.name)


def names(table: str) -> list[str]:
    return [name(one) for one in rows(table)]


def row(table: str, wanted: str) -> Any:
    """One row by its name."""
    for one in rows(table):
        if name(one) == wanted:
            return one
    raise DataError(
        "bad_algorithms", f"{table} has no row {shown(wanted)}.", suggestion(wanted, names(table))
    )


def column(row: Any, wanted: str) -> Any:
    """What a row says in a column, a computed one such as ``category`` included."""
    if not hasattr(row, wanted):
        raise DataError("bad_algorithms", f"{type(row).__name__} has no column {shown(wanted)}.")
    return getattr(row, wanted)


def _table(stem: str, name: str, row: type[Any]) -> list[Any]:
    top = read_toml(folder() / f"{stem}.toml")
    place = Place(f"{stem}.toml", code="bad_algorithms")
    if top.get("schema") != f"rlcalc-{stem.replace('_', '-')}-1":
        place.refuse(f"the schema is {shown(top.get('schema'))}.")
    return [
        read_record(row, entry, place.at(name, entry.get("name", entry.get("key", number))))
        for number, entry in enumerate(top.get(name, []), start=1)
    ]
