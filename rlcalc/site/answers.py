"""What the check in the browser compares with: certified vectors, and what every known bug answers to them.

The bugs are NumPy code, which the browser does not have; their answers to the vectors are numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.outcome import run_form
from rlcalc.conform.vectors import Vector, answer_name, golden_vectors, reference
from rlcalc.exact import to_decimal
from rlcalc.nested import flatten, map_nested
from rlcalc.specs import load_formula

_KINDS = ("number", "integer", "flag", "choice")
_MOST = 64  # numbers of one vector


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """For every formula whose functions take numbers and lists, what is needed to judge one."""
    for name in formulas_with_faults():
        spec = load_formula(name)
        if all(p.kind in _KINDS and len(p.shape) < 2 for p in spec.parameters) and not spec.mask:
            found = document(name)
            if found["vectors"]:
                yield name, found


def document(name: str) -> dict[str, Any]:
    """Vectors and the answers of bugs and conventions of one formula, as plain data."""
    spec = load_formula(name)
    answer = answer_name(spec)
    vectors = [vector for vector in golden_vectors(name) if _is_plain(vector) and answer in vector.truth]
    known, right = catalogue(name), reference(spec)
    entries: list[Fault | Convention] = [
        *known.faults,
        *(way for way in known.conventions if not (way.open or way.call)),
    ]
    return {
        "formula": name,
        "answer": answer,
        "vectors": [_vector(vector, answer) for vector in vectors],
        "known": [_entry(entry, right, vectors, answer) for entry in entries],
    }


def _is_plain(vector: Vector) -> bool:
    """Whether it is one case, and no batch, of few numbers."""
    arrays = [value for value in vector.arrays.values() if hasattr(value, "ndim")]
    return not vector.rows and sum(value.size for value in arrays) <= _MOST


def _vector(vector: Vector, answer: str) -> dict[str, Any]:
    given = {
        name: _plain(value)
        for name, value in vector.arrays.items()
        if value is not None and (name in vector.given or vector.formula.parameter(name).default is not None)
    }
    return {
        "id": vector.id,
        "about": vector.about,
        "given": given,
        "texts": dict(vector.texts),
        "right": map_nested(
            lambda part: str(part) if isinstance(part, float) else to_decimal(part), vector.truth[answer]
        ),
        "digits": vector.demanded["float64"],
        "scale": vector.size("float64"),
    }


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _entry(entry: Fault | Convention, right: Any, vectors: list[Vector], answer: str) -> dict[str, Any]:
    form = entry.around(right)
    answers = [run_form(form, vector).outputs.get(answer) for vector in vectors]
    fault = isinstance(entry, Fault)
    return {
        "name": entry.name,
        "kind": "fault" if fault else "convention",
        "does": entry.does if isinstance(entry, Fault) else entry.about,
        "fix": entry.fix if isinstance(entry, Fault) else "",
        "answers": [_words(value) for value in answers],
    }


def _words(value: Any) -> Any:
    """An answer as JSON can hold it; ``None`` where there is none."""
    if value is None:
        return None
    found = value.tolist()
    return found if all(abs(part) < float("inf") for part in flatten(found)) else map_nested(repr, found)
