"""The list of formulas: names, commands, titles, in the order in which they are shown.

It is needed at every start that lists or suggests commands, and so reads of
each specification the few lines that it needs, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Literal, get_args

from rlcalc.data import MAX_FILE, data_folder
from rlcalc.files import read_text
from rlcalc.records import Place, matches, read_record

Group = Literal[
    "Returns",
    "Value targets",
    "Control and policy gradient",
    "Learning from experience",
    "Bandits and exploration",
    "Continuous actions",
    "Advantage, actor and critic",
    "PPO",
    "Language models and counting",
    "Batches and masks",
    "Policy losses",
    "Advantages",
    "Preferences",
    "Evaluation",
]
# where in the training of a language model a formula is used; "control" for those of other tasks
Stage = Literal["pre-training", "sft", "preference", "reasoning", "control"]
GROUPS: tuple[str, ...] = get_args(Group)

NAME = re.compile(r"[a-z][a-z0-9_]*")
COMMAND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Head:
    """The few facts that a list of commands needs; cheap to read."""

    name: str = field(metadata=matches(NAME, "a Python name"))
    command: str = field(metadata=matches(COMMAND, "words of small letters with dashes"))
    title: str
    group: Group
    order: int
    sections: tuple[str, ...] = ()
    stage: tuple[Stage, ...] = ()

    @property
    def place(self) -> str:
        """Where it belongs: sections of the lecture notes, or stages of training."""
        return ", ".join(self.sections or self.stage)


_LINE = re.compile(rf"^(?:{'|'.join(f.name for f in fields(Head))}) *=.*$", re.M)


@cache
def heads() -> tuple[Head, ...]:
    """Name, command and title of every formula, in the order of the lecture.

    Raises:
        DataError: ``bad_spec`` naming file and key.
    """
    import tomllib

    found = []
    for path in sorted((data_folder("specs") / "formulas").glob("*.toml")):
        place = Place(path.name, code="bad_spec")
        lines = _LINE.findall(read_text(path, MAX_FILE).partition("\n[")[0])
        try:
            top = tomllib.loads("\n".join(lines))
        except (ValueError, RecursionError) as error:
            place.refuse(f"{error} in its first part.")
        found.append(read_record(Head, top, place))
    return tuple(sorted(found, key=lambda head: (GROUPS.index(head.group), head.order, head.name)))


def formula_names() -> list[str]:
    return [head.name for head in heads()]
