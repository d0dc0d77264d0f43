"""Functions of a library that need no code of ours: which they are, and what the names do not say.

``peers/<library>.toml`` has one table a function. What its parameters mean is
found as it is for any function that a user names; ``map`` says the rest, by
the place of a parameter, as ``rlcalc conform --map`` does::

    version = "2.1.1"

    [[function]]
    name = "skrl.agents.torch.ppo.ppo:compute_gae"
    formula = "lambda_return"
    backend = "torch"
    map = { time_limit_bootstrap = "true", truncated = "false" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rlcalc.conform.target.base import DTYPES, Target, load_target
from rlcalc.data import MAX_FILE
from rlcalc.files import read_text
from rlcalc.records import Place, read_record

CODE = "bad_library"
LIMIT = 60.0


@dataclass(frozen=True)
class Row:
    """One function as a target, without an adapter.

    Attributes:
        name: ``package.module:function`` or ``package.module:Class.method``.
        formula: that it should compute.
        backend: arrays that it takes.
        map: roles by place, of what names and trying do not say.
        conventions: those that the library documents.
        note: where it documents them, or what the map had to choose.
        dtypes: floating dtypes that the library promises to keep.
    """

    name: str
    formula: str
    backend: Literal["numpy", "torch", "jax"] = "numpy"
    map: Mapping[str, str] = field(default_factory=dict)
    conventions: tuple[str, ...] = ()
    note: str = ""
    dtypes: tuple[str, ...] = DTYPES

    @property
    def settings(self) -> Mapping[str, str]:
        """What is called in several ways has an adapter."""
        return {}

    @property
    def function(self) -> str:
        """Its name as Python writes it."""
        return self.name.replace(":", ".")

    def target(self, limit: float = LIMIT) -> Target:
        """The function as a target; this imports the library. A first call may compile."""
        return load_target(self.name, self.backend, limit, self.dtypes)


@dataclass(frozen=True)
class Table:
    """The file of one library.

    Attributes:
        version: that the matrix was made with.
        source: where it is installed from, in pip's words, where that is no registry.
        alone: packages of it whose ``__init__`` cannot run here; see ``alone``.
        absent: why the library cannot be installed beside the others; empty where it can.
    """

    version: str = ""
    source: str = ""
    alone: tuple[str, ...] = ()
    absent: str = ""
    function: tuple[Row, ...] = ()


def read_table(path: Path) -> Table:
    """The table of a library.

    Raises:
        DataError: ``bad_library``.
    """
    return read_record(Table, tomllib.loads(read_text(path, MAX_FILE)), Place(path.name, code=CODE))
