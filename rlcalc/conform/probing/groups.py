"""Whether a function of one list of rewards is of a single group, or takes a batch and mixes its groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace

from rlcalc._lazy import np
from rlcalc.conform.binding.bound import BoundTarget
from rlcalc.conform.binding.families.token_layouts import ROWS, TABLES
from rlcalc.conform.probing.lack import Lack
from rlcalc.conform.probing.probes import answers, compared
from rlcalc.conform.probing.requirements import SEVERAL_GROUPS
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula

# roles that say which answers belong together, or that bring a batch of them along
_OF_A_BATCH = frozenset({"groups", "group_size", "token_scores", "mask", "valid", "padding"})
_PLAIN_LIST = re.compile(r"(?i)\b(list|sequence|iterable|tuple)\b(?!.*\b(list|sequence|tuple)\b)")
MIXES = (
    "it takes no groups, and compares all rewards of a table with each other: "
    "where it is given one group a call and no more, say so with --no-batch"
)
ONE_GROUP = "it is read as of one group a call: of a table it would compare all rewards with each other"


def several_groups(
    trial: Trial, formula: Formula, plain: Sequence[Vector], batches: bool = True
) -> Iterator[Lack]:
    """Batches of several groups, of a function of one list that has no word for groups.

    One list is one group. A function that takes a table of groups as well, and answers as if all of it were
    one, is asked for several: it has lost them.
    """
    target = trial.target
    groups = next((p for p in formula.parameters if p.name == "groups" and p.shape == ("N",)), None)
    if groups is None or not isinstance(target, BoundTarget):
        return
    binding = target.reading
    if binding.layout != ROWS or binding.roles & _OF_A_BATCH:
        return
    joins = batches and not _is_list(target) and _joins_tables(trial, target, plain)
    if joins and target.facts is not None and target.facts.rows:
        target.notes.append(MIXES)
        return
    note = f"{SEVERAL_GROUPS} not tested: one list is one group"
    if joins:
        note = ""
        target.notes.append(ONE_GROUP)
    yield Lack(SEVERAL_GROUPS, _has_several, note)


def says_one_group(trial: Trial, formula: Formula) -> bool:
    """Whether it is of a formula of groups, and nothing in it speaks of several."""
    grouped = any(p.shape == ("G",) for p in formula.parameters)
    return grouped and trial.target.facts is not None and not trial.target.facts.rows


def _has_several(vector: Vector) -> bool:
    return len(np.unique(vector.arrays["groups"])) > 1


def _is_list(target: BoundTarget) -> bool:
    """Whether its rewards are said to be a plain list of numbers."""
    arguments = target.facts.arguments if target.facts is not None else ()
    place = next((path for path, role in target.reading.inputs.items() if role == "rewards"), "")
    said = next((a.annotation for a in arguments or () if a.name == place), "")
    return target.reading.form == "list" or bool(_PLAIN_LIST.search(said))


def _joins_tables(trial: Trial, target: BoundTarget, plain: Sequence[Vector]) -> bool:
    """Whether it answers a table of groups as it answers the list of all rewards."""
    other = copy(target)
    other.reading = other.binding = replace(target.reading, layout=TABLES)
    for vector in plain:
        if not _has_several(vector) or target.unable(vector) or other.unable(vector):
            continue
        rows, listed = other.call(vector, trial.dtype), trial.tried(vector)
        if answers(listed) and np.ptp(vector.arrays["rewards"]) > 0:
            return compared(rows, listed, vector.scale) == "alike"
    return False
