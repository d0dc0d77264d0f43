"""Rows of ``specs/claims/*.toml`` that claims of taxonomy are read off.

Algorithms and their attributes, published facts about language models, the
lecture's own lists. Classes are computed from the attributes
(``Algorithm.category``), never stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from rlcalc.audit.claims import folder
from rlcalc.data import read_toml
from rlcalc.errors import DataError, shown, suggestion
from rlcalc.records import Place, read_record

VALUE_BASED, POLICY_BASED, ACTOR_CRITIC = "value-based", "policy-based", "actor-critic"
DOLLARS_AN_HOUR = 2  # of an accelerator, the price that arXiv:2412.19437 reckons with


@dataclass(frozen=True)
class Algorithm:
    """One row of ``algorithms.toml``; the attributes are explained at its head."""

    name: str
    by: str
    year: int
    source: str
    values: Literal["", "optimal", "own"] = ""
    policy: bool = False
    critic: Literal["no", "yes", "optional"] = "no"
    bootstraps: bool = False
    model: Literal["none", "learned", "given"] = "none"
    on_policy: bool = False
    limit: Literal["", "clip", "kl"] = ""
    penalty: Literal["", "kl"] = ""
    passes: int = 0
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
    """How a published model was tuned.

    Attributes:
        steps: after its pre-training, in their order.
        rewards: what reinforcement learning, or the selection of samples, is rewarded with.
        correct: what a correct answer is paid, where the source says it.
        aims: what the answers that people prefer should be.
    """

    name: str
    by: str
    year: int
    optimisers: tuple[str, ...]
    steps: tuple[str, ...]
    rewards: tuple[str, ...]
    source: str
    correct: str = ""
    aims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pretrained:
    """``tokens`` in billions, ``hours`` of accelerators (0: not published)."""

    name: str
    year: int
    tokens: int
    objective: str
    source: str
    hours: int = 0

    @property
    def scale(self) -> str:
        """Of its tokens."""
        return "trillions" if self.tokens >= 1000 else "billions"

    @property
    def cost(self) -> str:
        """Of its hours, in dollars."""
        return "millions" if self.hours * DOLLARS_AN_HOUR >= 1_000_000 else "not known"


@dataclass(frozen=True)
class Tokenizer:
    name: str
    size: int
    source: str

    @property
    def about(self) -> int:
        """Its size to one digit."""
        unit = int("1" + "0" * (len(str(self.size)) - 1))
        return (self.size + unit // 2) // unit * unit


@dataclass(frozen=True)
class Dataset:
    name: str
    subject: str
    checked_by: str
    source: str


@dataclass(frozen=True)
class Work:
    """Something to read or to run; ``last`` is the last version that has what it is recommended for."""

    name: str
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


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lecture; ``exam`` is what the remark in its summary says of it."""

    name: str
    number: int
    exam: Literal["out", "in", "not named"]


@dataclass(frozen=True)
class Stage:
    """A stage of the training of language models as section 5.2 has it, and what 5.1 compares it with."""

    name: str
    number: int
    learning: str
    data: str
    gives: str
    like: str


@dataclass(frozen=True)
class Listing:
    """A section that lists the stages, and their order there."""

    name: str
    stages: tuple[str, ...]


# table -> file, key in it, what a row is
_TABLES: dict[str, tuple[str, str, type[Any]]] = {
    "algorithms": ("algorithms", "algorithm", Algorithm),
    "recipes": ("language_models", "recipe", Recipe),
    "pretrained": ("language_models", "pretrained", Pretrained),
    "tokenizers": ("language_models", "tokenizer", Tokenizer),
    "datasets": ("language_models", "dataset", Dataset),
    "works": ("language_models", "work", Work),
    "chapters": ("lecture", "chapter", Chapter),
    "stages": ("lecture", "stage", Stage),
    "listings": ("lecture", "listing", Listing),
    "settings": ("ppo_settings", "setting", Setting),
}


@cache
def table(name: str) -> dict[str, Any]:
    """The rows of a table by their names.

    Raises:
        DataError: ``bad_algorithms`` with file and entry.
    """
    if name not in _TABLES:
        raise DataError("bad_algorithms", f"There is no table {shown(name)}.", suggestion(name, [*_TABLES]))
    stem, key, kind = _TABLES[name]
    top = read_toml(folder() / f"{stem}.toml")
    place = Place(f"{stem}.toml", code="bad_algorithms")
    if top.get("schema") != f"rlcalc-{stem.replace('_', '-')}-1":
        place.refuse(f"the schema is {shown(top.get('schema'))}.")
    entries = enumerate(top.get(key, []), start=1)
    rows = [read_record(kind, entry, place.at(key, entry.get("name", at))) for at, entry in entries]
    return {one.name: one for one in rows}


def algorithms() -> dict[str, Algorithm]:
    return table("algorithms")


def recipes() -> dict[str, Recipe]:
    return table("recipes")


def settings() -> dict[str, Setting]:
    return table("settings")


def row(name: str, wanted: str) -> Any:
    """One row of a table by its name."""
    rows = table(name)
    if wanted not in rows:
        raise DataError(
            "bad_algorithms", f"{name} has no row {shown(wanted)}.", suggestion(wanted, list(rows))
        )
    return rows[wanted]


def column(row: Any, wanted: str) -> Any:
    """What a row says in a column, a computed one such as ``category`` included."""
    if not hasattr(row, wanted):
        raise DataError("bad_algorithms", f"{type(row).__name__} has no column {shown(wanted)}.")
    return getattr(row, wanted)
