"""What a reading of the released source says of a function, next to what running it says.

A reading is typed, in ``readings.toml``; whether it agrees is computed from
the cells of a run, and a difference is told with its reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlcalc.conform.peers.cell import Cell
from rlcalc.data import MAX_FILE
from rlcalc.files import read_text
from rlcalc.records import Place, read_record

READINGS = Path(__file__).with_name("readings.toml")
CODE = "bad_reading"
# how an answer is given, of which a reading says nothing
FORMS = ("loss", "mean-over-batch", "sum-over-batch", "mean-plus-eps", "k3-as-written")


@dataclass(frozen=True)
class Reading:
    """What the source of one function says.

    Attributes:
        library: name of its module.
        function: the end of its dotted name.
        settings: as its cell has them; empty where it has none.
        says: what was read, in words.
        conventions: under which it should conform.
        fault: the bug that it should have.
        why: of a difference, which of the two is right and what shows it.
    """

    library: str
    function: str
    formula: str
    says: str
    settings: str = ""
    conventions: tuple[str, ...] = ()
    fault: str = ""
    why: str = ""

    def is_of(self, cell: Cell, name: str) -> bool:
        """Whether a cell, of the library of this name, is that of the function."""
        found = name, cell.formula, cell.settings
        return found == (self.library, self.formula, self.settings) and cell.function.endswith(
            f".{self.function}"
        )

    def agrees(self, cell: Cell) -> bool:
        """Whether running the function said the same."""
        if self.fault:
            return any(self.fault in found.replace(" + ", " ").split() for found in cell.faults)
        plain = {name.partition("=")[0] for name in cell.conventions} - set(FORMS)
        return cell.verdict.startswith("conforms") and plain == set(self.conventions)


@dataclass(frozen=True)
class Readings:
    """The file of all readings."""

    reading: tuple[Reading, ...] = ()


def readings() -> tuple[Reading, ...]:
    """All readings, as the file has them.

    Raises:
        DataError: ``bad_reading``.
    """
    place = Place(READINGS.name, code=CODE)
    return read_record(Readings, tomllib.loads(read_text(READINGS, MAX_FILE)), place).reading


def compared(found: Sequence[Cell], names: dict[str, str]) -> list[tuple[Reading, Cell]]:
    """Each reading with the cell of its function, where that was run.

    Args:
        found: the cells of a run.
        names: of the modules, by distribution.
    """
    pairs = []
    for reading in readings():
        pairs += [(reading, cell) for cell in found if reading.is_of(cell, names.get(cell.library, ""))]
    return pairs


def differing(pairs: Collection[tuple[Reading, Cell]]) -> list[tuple[Reading, Cell]]:
    """Those of which running said something else than reading."""
    return [(reading, cell) for reading, cell in pairs if not reading.agrees(cell)]
