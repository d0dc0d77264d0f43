"""What a checkpoint of a PPO run holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlcalc.errors import RlcalcError
from rlcalc.ppo.settings import Settings, from_mapping
from rlcalc.records import Place, read_record
from rlcalc.training.checkpoint import NAME, Format, locked

__all__ = ["FORMAT", "NAME", "VERSION", "Saved", "load", "locked", "read", "save"]

FORMAT = Format(b"rlcalc-ppo", "ppo-run")
VERSION = FORMAT.version
save, load = FORMAT.save, FORMAT.load


def _are_pairs(value: Any) -> str:
    right = all(
        isinstance(pair, list | tuple) and [type(x) for x in pair] == [int, float] and pair[0] >= 0
        for pair in value
    )
    return "" if right else "expected pairs of steps and a mean return."


def _are_finite(value: Any) -> str:
    return _are_pairs(value) or ("" if all(math.isfinite(x) for _, x in value) else "a return is not finite.")


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    Attributes:
        trainer: the state of each rank's trainer.
        evaluation: the state of the environments that evaluations are played in.
        evaluations, history: as in `rlcalc.ppo.run.run.Result`.
        next_evaluation: steps at which the next evaluation is due.
    """

    settings: Settings
    trainer: tuple[Any, ...]
    evaluation: Any
    evaluations: tuple[Any, ...] = field(metadata={"check": _are_pairs})
    next_evaluation: int
    solved: bool
    history: tuple[Any, ...] = field(metadata={"check": _are_finite})


def read(folder: Path) -> Saved:
    """The checkpoint in a folder, with everything in it of the type that it should have.

    What trainer and environments make of their states shows when they take them.

    Raises:
        InputError, DataError: as `load`, and as `Settings.check`.
    """
    state = load(folder)
    place = Place(str(folder / NAME), code="checkpoint_foreign")
    try:
        settings = from_mapping(state.pop("settings"))
        return read_record(Saved, state, place, settings=settings)
    except RlcalcError:
        raise
    except (ValueError, OverflowError, RecursionError):
        place.refuse("it holds a number or a list that is too large to be of a run.")
