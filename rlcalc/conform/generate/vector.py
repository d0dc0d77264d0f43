"""A draft as a vector: arrays to call a function with, and the exact answer to them."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.vectors import GENERATED, Vector, answer_name
from rlcalc.errors import InputError
from rlcalc.evaluation import checked
from rlcalc.golden.verify import DEMANDED
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import flatten
from rlcalc.reference import exact_answer
from rlcalc.specs import Formula


def vector(formula: Formula, draft: Draft, name: str = GENERATED) -> Vector | None:
    """The draft with its exact answer; ``None`` where the formula refuses it."""
    import numpy as np

    try:
        bound = [checked(formula, {**draft.shared, **row}) for row in draft.rows]
    except InputError:
        return None
    answers = [exact_answer(inputs) for inputs in bound]
    wanted = answer_name(formula)
    if any(wanted not in answer for answer in answers):
        return None
    first = bound[0]
    arrays = from_exact(first, "numpy")
    if draft.batch:
        others = [from_exact(inputs, "numpy") for inputs in bound]
        for p in formula.parameters:
            if p.name in draft.rows[0] or (p.default == "zeros" and arrays[p.name] is not None):
                stacked = np.stack([other[p.name] for other in others])
                arrays[p.name] = stacked.reshape(draft.batch + stacked.shape[1:])
    common = [key for key in answers[0] if all(key in answer for answer in answers)]
    truth = {key: _nested([answer[key] for answer in answers], draft.batch) for key in common}
    return Vector(
        id=name,
        formula=formula,
        about=GENERATED,
        given=first.typed,
        texts={},
        arrays=arrays,
        truth=truth,
        demanded={d: DEMANDED[d] for d in ("float64", "float32")},
        scale=_scale(formula, arrays, truth),
    )


def _scale(formula: Formula, arrays: dict[str, Any], truth: dict[str, Any]) -> float:
    """Size of the largest number that goes in, against which cancellation is judged.

    In a decision process one value is added up from the others, so the largest
    of them counts as well: no solver knows a small value better than that.
    """
    import numpy as np

    given = [arrays[p.name] for p in formula.parameters if p.kind == "number"]
    for table in (arrays[p.name] for p in formula.parameters if p.kind == "mdp"):
        given += [table.r, *(np.array(list(flatten(part)), float) for part in truth.values())]
    return max((float(np.abs(a).max()) for a in given if getattr(a, "size", 0)), default=0.0)


def _nested(values: list[Any], batch: tuple[int, ...]) -> Any:
    if not batch:
        return values[0]
    if len(batch) == 1:
        return values
    size = len(values) // batch[0]
    return [_nested(values[k * size : (k + 1) * size], batch[1:]) for k in range(batch[0])]
