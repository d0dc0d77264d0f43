"""Certified vectors at the numbers that a function has in its body: with a γ of its own few would be left.

The rest of a vector stays; what is right for it then is computed again by the exact definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from rlcalc._lazy import np
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula

# between the id of a vector and the numbers that it was put at
AT = " at "


def original_id(vector: Vector) -> str:
    """The id of the vector that this one was made of, or is."""
    return vector.id.partition(AT)[0]


def restated(vectors: Sequence[Vector], fixed: Mapping[str, float]) -> tuple[Vector, ...]:
    """The vectors with some inputs at other values; as they are where they have none of these, or must not.

    Args:
        fixed: value by parameter, as a binding has them.
    """
    return tuple(_at(vector, fixed) for vector in vectors) if fixed else tuple(vectors)


def with_fixed(draft: Draft, formula: Formula, fixed: Mapping[str, float]) -> Draft:
    """A drawn case at the numbers of a body."""
    own = {p.name for p in formula.parameters}
    for name, value in fixed.items():
        if name not in own:
            continue  # how it computes, and no input
        draft = draft.without(name).with_shared(name, _exact(value))
    return draft


def _at(vector: Vector, fixed: Mapping[str, float]) -> Vector:
    other = {name: value for name, value in fixed.items() if _differs(vector.arrays.get(name), value)}
    if not other or vector.rows:
        return vector
    given = {**vector.texts, **{name: str(_exact(value)) for name, value in other.items()}}
    found = Draft("float64", (), given, [{}]).vector(vector.formula)
    if found is None:
        return vector
    said = ", ".join(f"{name} = {value:g}" for name, value in other.items())
    return replace(found, id=f"{vector.id}{AT}{said}", about=vector.about, texts=given, flags=vector.flags)


def _differs(given: object, value: float) -> bool:
    return given is not None and np.ndim(given) == 0 and float(given) != value  # type: ignore[arg-type]


def _exact(value: float) -> Fraction:
    return Fraction(repr(value))
