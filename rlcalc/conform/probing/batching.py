"""Certified vectors of single samples, stacked into batches.

A loss that is a mean over its batch, the elementwise objective and a sum are
the same for one sample; only a batch distinguishes them. The truth of every
row is the certified one: nothing is computed here. Golden files stay what
they are, and whoever exports them to another language stacks them as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.faults import catalogue
from rlcalc.conform.vectors import Vector, answer_name
from rlcalc.nested import flatten, fold, outline

LEAST, MOST = 3, 12
STACKED = "/stacked-"
# a huge input sets the scale of the whole batch, and hides what is wrong with the other rows
LARGEST = 2.0**10


def with_batches(vectors: Sequence[Vector], batches: bool = True) -> tuple[Vector, ...]:
    """The vectors, and after them their batches where a convention of the formula is about batches."""
    if not batches:
        return tuple(vector for vector in vectors if not vector.rows)
    if not vectors:
        return ()
    declared = catalogue(vectors[0].formula.name).conventions
    more = stacked(vectors) if any(convention.reduces for convention in declared) else ()
    return (*vectors, *more)


def stacked(vectors: Sequence[Vector]) -> tuple[Vector, ...]:
    """Batches of the vectors that agree in all that a batch shares: a flat one each, and one of two axes.

    The same vectors in the same order always give the same batches. Certified
    batches are left alone, and so is a set that was stacked already.
    """
    if any(STACKED in vector.id for vector in vectors):
        return ()
    groups: dict[Any, list[Vector]] = {}
    for vector in vectors:
        if not vector.rows and _fit(vector):
            group = groups.setdefault(_shared(vector), [])
            if len(group) < MOST and not any(_same_rows(vector, other) for other in group):
                group.append(vector)
    wide = [group for group in groups.values() if len(group) >= LEAST]
    found = [_batch(group, (len(group),)) for group in wide]
    # two axes, of unequal lengths: a mean of means is a mean only over equal groups
    found += [_batch(group[: 2 * half], (2, half)) for group in wide[:1] if (half := len(group) // 2) > 1]
    return tuple(found)


def _per_row(vector: Vector) -> list[str]:
    """Inputs of which every entry of a batch has its own."""
    return [
        p.name
        for p in vector.formula.parameters
        if p.kind == "number" and not p.single and vector.arrays[p.name] is not None
    ]


def _fit(vector: Vector) -> bool:
    """Whether a vector is one sample with a finite answer of ordinary size."""
    answer = vector.truth.get(answer_name(vector.formula))
    # an infinite answer is a float
    if answer is None or isinstance(answer, list | float):
        return False
    return bool(_per_row(vector)) and _size(vector) <= LARGEST


def _size(vector: Vector) -> float:
    """The largest input that a row brings along."""
    return max(float(abs(vector.arrays[name]).max()) for name in _per_row(vector))


def _shared(vector: Vector) -> Any:
    """What the rows of one batch have in common, as a key."""
    rows = _per_row(vector)
    others = []
    for p in vector.formula.parameters:
        value = vector.arrays[p.name]
        if p.name in rows:
            others.append((p.name, value.shape))
        else:
            others.append((p.name, repr(value.tolist() if hasattr(value, "tolist") else value)))
    return tuple(others), tuple(vector.demanded.items())


def _same_rows(vector: Vector, other: Vector) -> bool:
    return all((vector.arrays[name] == other.arrays[name]).all() for name in _per_row(vector))


def _batch(group: Sequence[Vector], batch: tuple[int, ...]) -> Vector:
    first = group[0]
    arrays = dict(first.arrays)
    for name in _per_row(first):
        whole = np.stack([vector.arrays[name] for vector in group])
        arrays[name] = whole.reshape(batch + whole.shape[1:])
    # an output that some of the rows do not certify cannot be compared
    names = [name for name in first.truth if all(_alike(name, v, first) for v in group)]
    words = "x".join(map(str, batch))
    return Vector(
        id=f"{first.formula.name}{STACKED}{words}-from-{first.id.partition('/')[2]}",
        formula=first.formula,
        about=f"A batch of {math.prod(batch)} vectors.",
        given=frozenset().union(*(vector.given for vector in group)),
        texts={name: text for vector in reversed(group) for name, text in vector.texts.items()},
        arrays=arrays,
        truth={name: fold([v.truth[name] for v in group], batch) for name in names},
        demanded=first.demanded,
        scale=max(map(_size, group)),
        rows=tuple(dict(vector.texts) for vector in group),
    )


def _alike(name: str, vector: Vector, first: Vector) -> bool:
    value = vector.truth.get(name)
    known = value is not None and not any(isinstance(part, float) for part in flatten(value))
    return known and outline(value) == outline(first.truth[name])
