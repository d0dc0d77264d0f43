"""A draft: one drawn case, as tables of exact inputs, and the vector that it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.vectors import GENERATED, Vector, answer_name, fits_arrays
from rlcalc.errors import InputError
from rlcalc.evaluation import checked
from rlcalc.golden.verify import DEMANDED
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import flatten, fold
from rlcalc.reference import exact_answer
from rlcalc.specs import Formula

# more than float32 changes a number by rounding it
ULP = Fraction(1, 2**22)


@dataclass(frozen=True)
class Draft:
    """A drawn case: one table of exact inputs per entry of the batch.

    Attributes:
        dtype: that the arrays will have.
        batch: lengths of the batch axes; ``()`` for a single entry.
        shared: inputs that all entries have in common.
        rows: the other inputs, one table per entry.
    """

    dtype: str
    batch: tuple[int, ...]
    shared: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def tables(self) -> list[dict[str, Any]]:
        return [self.shared, *self.rows]

    def each_table(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Draft:
        """The draft with every table changed in the same way."""
        shared, *rows = map(change, self.tables)
        return replace(self, shared=shared, rows=rows)

    def mapped(self, name: str, change: Callable[[Any], Any]) -> Draft:
        """The draft with one input changed wherever it stands."""
        return self.each_table(lambda table: {k: change(v) if k == name else v for k, v in table.items()})

    def without(self, name: str) -> Draft:
        """The draft without an input."""
        return self.each_table(lambda table: {k: v for k, v in table.items() if k != name})

    def with_shared(self, name: str, value: Any) -> Draft:
        """The draft with another value of an input that its entries have in common."""
        return replace(self, shared={**self.shared, name: value})

    def next_to_a_jump(self, formula: Formula) -> bool:
        """Whether the truth is another one for inputs that differ by no more than float32 rounds them.

        Next to the bound of a clip, say, its derivative is that of either side, and code that compares
        other roundings of the same numbers than we do is as right as we are.
        """
        here = self.vector(formula)
        names = [p.name for p in formula.parameters if p.kind == "number" and not p.distribution]
        moved = (
            self.mapped(name, partial(_moved, by)).vector(formula)
            for name in names
            for by in (1 + ULP, 1 - ULP)
        )
        return here is not None and any(_jumped(here, there) for there in moved if there is not None)

    def vector(self, formula: Formula, name: str = GENERATED) -> Vector | None:
        """The draft with its exact answer; ``None`` where the formula refuses it, or it costs too much."""
        try:
            bound = [checked(formula, {**self.shared, **row}) for row in self.rows]
            if not all(map(fits_arrays, bound)):
                return None
            answers = [exact_answer(inputs) for inputs in bound]
        except InputError:
            return None
        wanted = answer_name(formula)
        if any(wanted not in answer for answer in answers):
            return None
        first = bound[0]
        arrays = from_exact(first, "numpy")
        if self.batch:
            others = [from_exact(inputs, "numpy") for inputs in bound]
            for p in formula.parameters:
                if p.name in self.rows[0] or (p.default == "zeros" and arrays[p.name] is not None):
                    stacked = np.stack([other[p.name] for other in others])
                    if stacked.ndim == 1 and isinstance(self.rows[0].get(p.name), list):
                        stacked = stacked[:, None]  # one per step, of a single step
                    arrays[p.name] = stacked.reshape(self.batch + stacked.shape[1:])
        common = [key for key in answers[0] if all(key in answer for answer in answers)]
        truth = {key: fold([answer[key] for answer in answers], self.batch) for key in common}
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


def cuts(length: int) -> list[range]:
    """What may be left out of so many entries: a half first, then one by one from the end."""
    half = length // 2
    halves = [range(half, length), range(half)] if half > 1 else []
    return halves + [range(k, k + 1) for k in reversed(range(length if length > 1 else 0))]


def _moved(by: Fraction, value: Any) -> Any:
    if isinstance(value, list):
        return [_moved(by, part) for part in value]
    return value * by if isinstance(value, Fraction) else value


def _jumped(here: Vector, there: Vector) -> bool:
    least = 10.0 ** -DEMANDED["float32"]
    for name, truth in here.truth.items():
        pairs = zip(flatten(truth), flatten(there.truth[name]), strict=False)
        if any(abs(float(a) - float(b)) > least * max(abs(float(a)), here.scale) for a, b in pairs):
            return True
    return False


def _scale(formula: Formula, arrays: dict[str, Any], truth: dict[str, Any]) -> float:
    """Size of the largest number that goes in, against which cancellation is judged.

    In a decision process one value is added up from the others, so the largest
    of them counts as well: no solver knows a small value better than that.
    """
    given = [arrays[p.name] for p in formula.parameters if p.kind == "number"]
    for table in (arrays[p.name] for p in formula.parameters if p.kind == "mdp"):
        given += [table.r, *(np.array(list(flatten(part)), float) for part in truth.values())]
    return max((float(np.abs(a).max()) for a in given if getattr(a, "size", 0)), default=0.0)
