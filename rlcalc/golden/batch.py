"""Cases whose inputs carry leading batch axes, row by row and all at once.

A case with ``batch = [2, 3]`` is six rows. An input that differs by row has
the axes of the batch before its own; every other input is shared. The exact
form answers row by row, the numeric forms take all rows in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from rlcalc.errors import InputError
from rlcalc.evaluation import checked, derive_bound
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import fold
from rlcalc.reference import exact_answer
from rlcalc.specs import Formula, Parameter


@dataclass(frozen=True)
class Rows:
    """The inputs of one reading.

    Attributes:
        together: all rows, with the axes of the batch first: what a numeric form is called with.
        each: one set of inputs per row; without a batch ``together`` alone.
        batch: lengths of the leading axes.
    """

    together: Inputs
    each: tuple[Inputs, ...]
    batch: tuple[int, ...]

    @property
    def is_long(self) -> bool:
        """Too long to be derived step by step."""
        spec = self.together.formula
        return max(self.together.dims.values(), default=0) > spec.exact_limit and not self.together.symbols

    def exact(self) -> dict[str, Any]:
        """Outputs of the exact form, row by row.

        What ``is_long`` is answered by ``rlcalc.reference``, the literal
        definitions in Fractions, good to fifty digits where a definition
        leaves the rationals.
        """
        found = [exact_answer(row) if self.is_long else derive_bound(row).outputs for row in self.each]
        if not self.batch:
            return found[0]
        return {
            name: fold([outputs[name] for outputs in found], self.batch)
            for name in found[0]
            if all(name in outputs for outputs in found)
        }


def rows_of(formula: Formula, given: Mapping[str, Any], batch: Sequence[int] = ()) -> Rows:
    """Checked inputs of a reading.

    Raises:
        InputError: as ``bind``; ``batch_wrong_shape`` when an input has other leading axes, or none has any.
    """
    if not batch:
        inputs = checked(formula, given)
        return Rows(inputs, (inputs,), ())
    batch = tuple(batch)
    texts = row_texts(formula, given, batch)
    each = tuple(checked(formula, row) for row in texts)
    batched = {name for name in given if _has_axes(formula.parameter(name), given[name], len(batch))}
    first = each[0]
    values = {
        name: fold([row.given[name] for row in each], batch) if name in batched else value
        for name, value in first.given.items()
    }
    return Rows(Inputs(formula, values, first.typed, first.dims, first.notes), each, batch)


def row_texts(formula: Formula, given: Mapping[str, Any], batch: tuple[int, ...]) -> list[dict[str, Any]]:
    """What is given for every row, as the file has it.

    Raises:
        InputError: ``batch_wrong_shape``.
    """
    axes = {name: _has_axes(formula.parameter(name), value, len(batch)) for name, value in given.items()}
    if not any(axes.values()):
        raise InputError("batch_wrong_shape", f"No input has the axes {list(batch)} of the batch.")
    return [
        {name: _entry(name, value, place, batch) if axes[name] else value for name, value in given.items()}
        for place in product(*map(range, batch))
    ]


def _has_axes(parameter: Parameter, value: Any, count: int) -> bool:
    """Whether an input differs by row; a list of one number per step, where that may be, is shared."""
    own = 1 if parameter.each else len(parameter.shape)
    return isinstance(value, list) and _depth(value) >= own + count


def _depth(value: Any) -> int:
    return 1 + _depth(value[0] if value else None) if isinstance(value, list) else 0


def _entry(name: str, value: Any, place: tuple[int, ...], batch: tuple[int, ...]) -> Any:
    for at, length in zip(place, batch, strict=True):
        if not isinstance(value, list) or len(value) != length:
            raise InputError(
                "batch_wrong_shape", f"{name} does not begin with the axes {list(batch)} of the batch."
            )
        value = value[at]
    return value
