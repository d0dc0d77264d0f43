"""What one call did: the right answer, a wrong one, or something worse.

The truth is exact. A floating answer is counted in correct digits, as
everywhere else here, and must have the right shape. Its dtype is a note.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.call import Part, Reply, quiet, raised, read
from rlcalc.conform.target.slopes import GRADIENT
from rlcalc.conform.vectors import Vector, answer_name, complete
from rlcalc.digits import DIGITS, LARGEST, least_digits
from rlcalc.golden.values import output_of
from rlcalc.nested import flatten, shape
from rlcalc.specs import Formula

# from worst to mildest; the first one found is a target's verdict. A hang ends the run,
# so that nothing else about the target is known for certain
KINDS = ("hangs", "wrong", "raises", "wrong-shape", "nan", "wrong-dtype", "changes-inputs")


@dataclass(frozen=True)
class Outcome:
    """What a call gave.

    Attributes:
        kind: ``answer``, ``raises``, ``hangs`` or ``wrong-shape`` (no array at all).
        outputs: NumPy arrays by output name.
        detail: the exception, or what came instead of an array.
        dtypes: floating dtype of each output; a plain Python number has none.
        changed: names of inputs that were modified in place.
        form: whether an ``array``, a ``mapping`` or a ``tuple`` was returned.
        frames: where an exception was raised, the innermost last.
        died: the process that made the call did not survive it.
        derived: outputs that it did not give, and autograd did.
    """

    kind: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""
    dtypes: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    form: str = "array"
    frames: tuple[str, ...] = ()
    died: bool = False
    derived: tuple[str, ...] = ()

    @property
    def infinite(self) -> bool:
        """Whether it has numbers, and all of them are infinite."""
        arrays = list(self.outputs.values())
        return any(array.size for array in arrays) and all(np.isinf(array).all() for array in arrays)


@dataclass(frozen=True)
class Judgement:
    """One vector on one target in one dtype.

    Attributes:
        status: ``passed``, ``skipped`` or one of ``KINDS``.
        digits: fewest correct digits of any output; ``None`` where none were counted.
        output: the one that failed.
        expected: nested lists of Fractions.
        why: one sentence.
        aside: what is no failure but worth saying: another dtype than that of the inputs.
    """

    vector: Vector
    dtype: str
    status: str
    digits: float | None = None
    output: str = ""
    expected: Any = None
    why: str = ""
    outcome: Outcome | None = field(default=None, repr=False, compare=False)
    aside: str = ""

    @property
    def failed(self) -> bool:
        return self.status not in ("passed", "skipped")

    @property
    def got(self) -> Any:
        """The answer that failed, as nested lists; ``None`` where there was none, or one of no use."""
        array = None if self.outcome is None else self.outcome.outputs.get(self.output)
        return None if array is None else array.tolist()


def outcome_of(vector: Vector, reply: Reply) -> Outcome:
    """A reply with its arrays under the names of the formula's outputs.

    Shapes come first: of an answer that is larger than any right one can be,
    under whatever convention, nothing is kept.
    """
    formula = vector.formula
    if reply.kind != "answer":
        return Outcome(reply.kind, detail=reply.detail, frames=reply.frames, died=reply.died)
    arrays, dtypes = {}, {}
    most = vector.largest_answer
    for key, part in reply.parts.items():
        name = key or answer_name(formula)
        if part.array is None or part.array.size > most:
            return Outcome("wrong-shape", detail=_no_answer(vector, name, part))
        arrays[name] = _hidden_as_absent(vector, part)
        if part.dtype:
            dtypes[name] = part.dtype
    found = complete(formula, arrays)
    if not found:
        detail = f"no output of {formula.name} among {', '.join(arrays)[:200] or 'nothing'}"
        return Outcome("wrong-shape", detail=detail)
    derived = tuple(name for name, part in reply.parts.items() if part.kind == GRADIENT)
    return Outcome("answer", found, dtypes=dtypes, changed=reply.changed, form=reply.form, derived=derived)


def _hidden_as_absent(vector: Vector, part: Part) -> Any:
    """An array whose own mask hides no more than the formula's does: 0 there, as of what is not there."""
    own = vector.formula.mask
    there = np.asarray(None if own is None else vector.arrays.get(own.name))
    if part.kind != "MaskedArray" or there.shape != part.array.shape:
        return part.array
    return np.where(np.isnan(part.array) & (there == 0), 0, part.array)


def _no_answer(vector: Vector, name: str, part: Part) -> str:
    if part.shape is None:
        return f"{name} is not an array of numbers but a {part.kind}"
    truth = vector.truth.get(name)
    right = "" if truth is None else f", not {list(shape(truth))}"
    return f"{name} has shape {list(part.shape)}{right}"


def read_answer(vector: Vector, value: Any) -> Outcome:
    """The value that a function returned, as an outcome."""
    form, parts = read(value)
    return outcome_of(vector, Reply("answer", parts, form))


def run_form(form: Callable[..., Any], vector: Vector) -> Outcome:
    """One of our own forms, with or without a fault or convention, on a vector."""
    try:
        # the mean of nothing warns by itself
        with quiet(RuntimeWarning):
            return read_answer(vector, form(**vector.cast("float64")))
    except Exception as error:
        return replace(outcome_of(vector, raised(error)), form="mapping")


def judge(
    vector: Vector,
    outcome: Outcome,
    dtype: str = "float64",
    truth: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Judgement:
    """Compare a call with the vector's truth, or with another one that a convention gives.

    Another dtype than that of the inputs is a failure only where this is ``strict``.
    """
    wanted = vector.truth if truth is None else truth

    def verdict(status: str, why: str, output: str = "", digits: float | None = None) -> Judgement:
        return Judgement(vector, dtype, status, digits, output, wanted.get(output), why, outcome)

    # an endless sum of weights is certified, the endless list of them is not
    common = [name for name in wanted if name in outcome.outputs]
    unknown = outcome.form != "mapping" and not wanted.keys() & _in_the_answer(vector.formula)
    if outcome.kind == "raises" and vector.truth.keys() - wanted.keys():
        return verdict(outcome.kind, outcome.detail)  # nan under a convention is an answer, an error is none
    if unknown or (outcome.kind == "answer" and not common):
        only = f"the vector certifies {', '.join(wanted)} only"
        return verdict("skipped", only if wanted else "under the conventions no number is right")
    if outcome.kind != "answer":
        return verdict(outcome.kind, outcome.detail)
    demanded = vector.demanded[dtype]
    least: float = DIGITS[dtype]
    other = ""
    for name in common:
        got, right = outcome.outputs[name], wanted[name]
        # nested lists say no length after an axis without entries
        if (got.shape if got.size else shape(got.tolist())) != shape(right):
            why = f"{name} has shape {list(got.shape)}, not {list(shape(right))}"
            return verdict("wrong-shape", why, name)
        finite = all(not isinstance(part, float) for part in flatten(right))
        if finite and np.isnan(got).any():
            return verdict("nan", f"{name} is not a number in some entry", name)
        digits = _digits(got, right, dtype, vector.size(dtype))
        if digits < demanded and _overflows(got, right) and _adds_up_beyond(vector, right, dtype):
            return verdict("skipped", f"a sum that {name} is the mean of may leave the range of {dtype}")
        if digits < demanded:
            counted = max(digits, 0.0)
            why = f"{name}: {counted:.1f} correct digits, {demanded:g} required"
            return verdict("wrong", why, name, counted)
        least = min(least, max(digits, 0.0))
        kind = outcome.dtypes.get(name, dtype)
        if kind.startswith("float") and kind != dtype and _tells_dtype(vector):
            other = other or f"{name} is {kind}; the inputs are {dtype}"
    if other and strict:
        return verdict("wrong-dtype", other, common[0], least)
    if outcome.changed:
        return verdict("changes-inputs", f"{', '.join(outcome.changed)} changed in place", "", least)
    return replace(verdict("passed", "", common[0], least), aside=other)


def _in_the_answer(formula: Formula) -> set[str]:
    """Outputs that are known from the answer alone: itself, and what is its first entry."""
    answer = answer_name(formula)
    return {answer, *(output.name for output in formula.outputs if output.of == answer)}


def _tells_dtype(vector: Vector) -> bool:
    """Whether a caller can see the dtype: plain Python numbers have none."""
    return any(
        parameter.kind == "mdp"
        or (parameter.kind == "number" and hasattr(vector.arrays[parameter.name], "dtype"))
        for parameter in vector.formula.parameters
        if not parameter.single and vector.arrays.get(parameter.name) is not None
    )


def _overflows(got: Any, right: Any) -> bool:
    """Whether an entry is infinite, and all that are have the signs of the right ones."""
    mine = got.ravel().tolist()
    beyond = [(x, y) for x, y in zip(mine, flatten(right), strict=True) if x in (math.inf, -math.inf)]
    return bool(beyond) and all((x > 0) == (y > 0) for x, y in beyond)


def _adds_up_beyond(vector: Vector, right: Any, dtype: str) -> bool:
    """Whether as many numbers of this size as there are inputs add up to more than a dtype holds.

    What is infinite by right has been added up: it asks for infinity of that sign.
    """
    count = max((getattr(x, "size", 1) for x in vector.arrays.values()), default=1)
    sizes = [abs(value) for value in flatten(right)]
    return any(size * count > LARGEST[dtype] for size in sizes if size != math.inf)


def _digits(got: Any, right: Any, dtype: str, scale: float) -> float:
    """Fewest correct digits; of many entries only the one that floats call the worst is measured exactly."""
    rights = list(flatten(right))
    if len(rights) < 4 or any(isinstance(value, float) for value in rights):
        return least_digits(got.tolist(), right, dtype, scale)
    mine = got.astype(np.float64).ravel()
    try:
        near = np.array([float(value) for value in rights])
    except OverflowError:
        return least_digits(got.tolist(), right, dtype, scale)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(near), scale)
        lost = np.abs(mine - near) / np.where(size > 0, size, 1)
    if not np.isfinite(lost).all():
        return least_digits(got.tolist(), right, dtype, scale)
    worst = int(lost.argmax())
    return least_digits(got.ravel()[worst].item(), rights[worst], dtype, scale)


def wrong_row(judgement: Judgement) -> int:
    """Row of the flattened batch that holds the first wrong number; 0 where the shapes differ."""
    return next(_wrong_numbers(judgement, 0), 0) // _numbers_a_row(judgement)


def wrong_places(judgement: Judgement, row: int | None) -> tuple[int, ...]:
    """Places of the wrong numbers in the flattened answer of a row; of the whole batch for ``None``.

    Empty where the answers have another shape, or there is none.
    """
    if row is None:
        return tuple(_wrong_numbers(judgement, 0))
    each = _numbers_a_row(judgement)
    of_row = islice(_wrong_numbers(judgement, row * each), each)
    return tuple(at - row * each for at in of_row if at < (row + 1) * each)


def _wrong_numbers(judgement: Judgement, start: int) -> Iterator[int]:
    """Places of the wrong numbers in the flattened answer, from one on."""
    got, vector = _failed_output(judgement), judgement.vector
    rights = [] if got is None else list(flatten(judgement.expected))
    if got is None or got.size != len(rights):
        return
    mine = got.ravel().tolist()
    for at in range(start, len(rights)):
        digits = least_digits(mine[at], rights[at], judgement.dtype, vector.size(judgement.dtype))
        if digits < vector.demanded[judgement.dtype]:
            yield at


def _failed_output(judgement: Judgement) -> Any:
    if judgement.outcome is None or judgement.expected is None:
        return None
    return judgement.outcome.outputs.get(judgement.output)


def _numbers_a_row(judgement: Judgement) -> int:
    got = _failed_output(judgement)
    if got is None:
        return 1
    own = len(output_of(judgement.vector.formula, judgement.output).shape)
    return max(1, int(math.prod(got.shape[got.ndim - own :])))
