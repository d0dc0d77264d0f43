"""Certified vectors at inputs that a function can be given.

With a γ of its own in its body, or one width for both sides of a clip, few
would be left. The rest of a vector stays; what is right for it then is
computed again by the exact definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula

# between the id of a vector and the numbers that it was put at
AT = " at "
LOWER, UPPER = "eps_low", "eps_high"


def original_id(vector: Vector) -> str:
    """The id of the vector that this one was made of, or is."""
    return vector.id.partition(AT)[0]


def restated(vectors: Sequence[Vector], bindings: Sequence[Binding]) -> tuple[Vector, ...]:
    """The vectors with some inputs at other values; as they are where they have none of these."""
    return tuple(_at(vector, bindings) for vector in vectors) if bindings else tuple(vectors)


def as_taken(draft: Draft, formula: Formula, bindings: Sequence[Binding]) -> Draft:
    """A drawn case at inputs that all of the functions can be given."""
    own = formula.names
    for name, value in _fixed(bindings).items():
        if name not in own:
            continue  # how it computes, and no input
        draft = draft.without(name).with_shared(name, _exact(value))
    for name, value in _tied(draft.shared, formula, bindings).items():
        draft = draft.with_shared(name, value)
    return draft


def _at(vector: Vector, bindings: Sequence[Binding]) -> Vector:
    fixed = _fixed(bindings)
    numbers = {**_tied(vector.arrays, vector.formula, bindings), **fixed}
    other = {name: value for name, value in numbers.items() if _differs(vector.arrays.get(name), value)}
    if not other or vector.rows:
        return vector
    given = {**vector.texts, **_tied(vector.texts, vector.formula, bindings)}
    given |= {name: str(_exact(value)) for name, value in fixed.items() if name in other}
    found = Draft("float64", (), given, [{}]).vector(vector.formula)
    if found is None:
        return vector
    said = ", ".join(f"{name} = {float(value):g}" for name, value in other.items())
    return replace(found, id=f"{vector.id}{AT}{said}", about=vector.about, texts=given, flags=vector.flags)


def _fixed(bindings: Sequence[Binding]) -> dict[str, float]:
    return {name: value for binding in bindings for name, value in binding.fixed.items()}


def _tied(table: Mapping[str, Any], formula: Formula, bindings: Sequence[Binding]) -> dict[str, Any]:
    """The upper of two widths, where a function takes one for both."""
    defaults = {p.name: p.default for p in formula.parameters}
    one = any(UPPER not in b.roles and b.roles & {LOWER, "eps_both"} for b in bindings)
    if not one or not defaults.keys() >= {LOWER, UPPER}:
        return {}
    lower, upper = (table.get(name, defaults[name]) for name in (LOWER, UPPER))
    return {} if upper is None else {UPPER: lower}


def _differs(given: Any, value: Any) -> bool:
    if given is None or isinstance(given, str) or np.ndim(given):
        return False
    return float(given) != float(value)


def _exact(value: float) -> Fraction:
    return Fraction(repr(value))
