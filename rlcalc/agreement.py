"""Whether the backends agree: one output on each of them, and how many of its digits are right.

A disagreement counts only where a backend is wrong by more than the inputs, as its dtype holds them, allow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

from rlcalc.digits import LARGEST, SMALLEST, least_digits, rounded
from rlcalc.exact import to_float, to_text
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import flatten, map_nested
from rlcalc.specs import Output

# the share of a dtype's digits that rounding may cost before two backends count as disagreeing
AGREES_FROM = {"float64": 9.0, "float32": 3.5, "float16": 1.0, "bfloat16": 0.5}


@dataclass
class Result:
    """One output on every backend that ran.

    ``exact`` is a SymPy expression, a word, or nested lists; ``numpy`` and
    ``torch`` are floats or nested lists of them.
    """

    output: Output
    exact: Any = None
    numpy: Any = None
    torch: Any = None
    digits: dict[str, float] = field(default_factory=dict)


def numbers(inputs: Inputs, *, vectors_only: bool = False) -> Iterator[tuple[Any, float]]:
    """Every exact number among the inputs, with the nearest float."""
    for parameter in inputs.formula.parameters:
        value = inputs.given[parameter.name]
        if value is None or isinstance(value, str) or parameter.kind != "number":
            continue
        if parameter.shape or not vectors_only:
            yield from zip(flatten(value), flatten(inputs.floats(parameter.name)), strict=True)


def out_of_range(inputs: Inputs, dtype: str) -> str | None:
    """The first input that a dtype cannot hold, in words; ``None`` if it holds all."""
    for value, nearest in numbers(inputs):
        size = abs(nearest)
        if size > LARGEST[dtype] or (size < SMALLEST[dtype] and value != 0):
            text = to_text(value)
            return text if len(text) <= 40 else f"{text[:30]}… ({len(text)} characters)"
    return None


def input_scale(inputs: Inputs) -> float:
    """Size of the largest number given, against which cancellation is judged.

    Rewards of steps and of decision processes and values of tables count as those of lists do.
    """
    tables = (value for value in inputs.given.values() if hasattr(value, "numbers"))
    listed = (abs(nearest) for _, nearest in numbers(inputs, vectors_only=True))
    return max(chain(listed, (abs(to_float(x)) for table in tables for x in table.numbers)), default=0.0)


def compare_backends(results: Iterable[Result], inputs: Inputs, dtype: str) -> bool | None:
    """Fill in correct digits and say whether all backends agree."""
    least: list[float] = []
    scale: float | None = None
    for result in results:
        others = {name: got for name in ("numpy", "torch") if (got := getattr(result, name)) is not None}
        if result.output.kind == "word" or not others:
            continue
        truth = result.exact
        if truth is None:
            truth = others.pop(next(iter(others)))
        if not others:
            continue
        if scale is None:
            scale = input_scale(inputs)
        for name, got in others.items():
            result.digits[name] = least_digits(got, truth, dtype, scale)
            least.append(result.digits[name])
    return min(least) >= AGREES_FROM[dtype] if least else None


def as_held(inputs: Inputs, dtype: str) -> Inputs:
    """The inputs as the dtype holds them: 0.99999999999999999 is 1 in float64."""
    given = {
        parameter.name: map_nested(partial(_as_held, dtype=dtype), inputs.given[parameter.name])
        if parameter.kind == "number"
        else inputs.given[parameter.name]
        for parameter in inputs.formula.parameters
    }
    return replace(inputs, given=given)


def _as_held(value: Any, dtype: str) -> Any:
    words = value is None or isinstance(value, str)
    return value if words else rounded(Fraction(to_float(value)), dtype)


def agree_for_held(
    results: Sequence[Result], nearby: Mapping[str, Any], inputs: Inputs, dtype: str
) -> bool | None:
    """``compare_backends`` against ``nearby``, the exact answers for the inputs as the dtype holds them.

    What a backend says of these is no fault of its own, however far it is from the exact answer.
    """
    twins = [replace(result, exact=nearby.get(result.output.name), digits={}) for result in results]
    agree = compare_backends(twins, inputs, dtype)
    for result, twin in zip(results, twins, strict=True):
        result.digits |= {name: max(count, result.digits[name]) for name, count in twin.digits.items()}
    return agree


def squares_leave_the_range(inputs: Inputs, dtype: str) -> bool:
    """Whether a variance, say, of these inputs passes through numbers that the dtype cannot hold."""
    sizes = [abs(nearest) for _, nearest in numbers(inputs) if nearest]
    return any(size > LARGEST[dtype] ** 0.5 or size < SMALLEST[dtype] ** 0.5 for size in sizes)


def agree_in_range(results: Iterable[Result], dtype: str) -> bool | None:
    """Whether the answers that are numbers agree; ``None`` where no backend has one."""
    least = [
        count
        for result in results
        for backend, count in result.digits.items()
        if not (count < AGREES_FROM[dtype] and _lost_on_the_way(result, backend))
    ]
    return min(least) >= AGREES_FROM[dtype] if least else None


def _lost_on_the_way(result: Result, backend: str) -> bool:
    """Whether a backend says that there is no number where the exact answer is one."""
    got = list(flatten(getattr(result, backend)))
    return any(not math.isfinite(value) for value in got if isinstance(value, float))
