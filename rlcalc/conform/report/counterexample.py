"""The smallest failing case as something to read and something to run.

What a maintainer needs: the inputs, the exact answer with its steps, what
the function said instead, and a pytest test that fails until it is fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rlcalc.conform.outcome import Judgement, wrong_places, wrong_row
from rlcalc.conform.report.written_test import expected_answer, pytest_text
from rlcalc.conform.vectors import Vector, answer_name
from rlcalc.errors import RlcalcError
from rlcalc.evaluation import derive
from rlcalc.exact import to_text
from rlcalc.golden.replay import command_line
from rlcalc.golden.values import output_of
from rlcalc.nested import map_nested, shape
from rlcalc.specs import Formula
from rlcalc.steps.derivation import Derivation

if TYPE_CHECKING:
    from rlcalc.conform.conform_report import ConformReport
    from rlcalc.conform.target.base import Target

# a page of steps explains nothing
LONGEST_DERIVED = 8


@dataclass(frozen=True)
class Counterexample:
    """One failing case.

    Attributes:
        case: id of a golden case, or ``generated``.
        inputs: exact, as text by parameter; of the failing entry of a batch.
        expected: the right answer as text, in the shape of the whole answer; ``exact`` unless
            a convention gives it.
        got: what the function answered; ``None`` where it did not.
        steps: how the exact answer comes about; empty under a convention and for long cases.
        test: a pytest module.
        command: the ``rlcalc`` command that computes the right answer.
        batch: axes of the case, of which ``inputs`` is one entry, or all of them where it is ``whole``.
        entry: place of that entry along these axes.
        frames: where the function raised its exception, the innermost last.
        defaults: inputs that were left out and stand for a number.
        wrong: places of the wrong numbers in ``right``, where that is a list.
        counted: dimension of that list, such as ``T`` or ``A``.
    """

    case: str
    dtype: str
    status: str
    why: str
    output: str
    inputs: Mapping[str, Any]
    expected: Any
    got: Any
    steps: tuple[str, ...]
    test: str
    command: str
    batch: tuple[int, ...] = ()
    entry: tuple[int, ...] = ()
    flaky: bool = False
    whole: bool = False
    exact: bool = True
    frames: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[int, ...] = ()
    counted: str = "row"

    @property
    def right(self) -> Any:
        """The part of the right answer that belongs to the inputs shown."""
        return self._entry(self.expected)

    @property
    def given(self) -> Any:
        """The part of the function's answer that belongs to the inputs shown."""
        return self._entry(self.got)

    def _entry(self, value: Any) -> Any:
        """An entry of a batch; all of it, if it has another shape."""
        found = value
        for place, length in zip(self.entry, self.batch, strict=bool(self.entry)):
            if not isinstance(found, list) or len(found) != length:
                return value
            found = found[place]
        return found


def counterexample(report: ConformReport, target: Target) -> Counterexample | None:
    """The smallest case that a target fails; ``None`` when it fails none."""
    target = report.asked or target
    found = report.found
    kind = "wrong" if report.verdict == "nonconforming" else report.verdict
    # one that shows the verdict, before others that may be smaller
    if found is not None and (
        found.judgement.status == kind or all(j.status != kind for j in report.failures)
    ):
        judgement, at = found.judgement, found.row
        rows: Sequence[Mapping[str, Any]] = found.rows
    elif report.failures:
        found = None
        judgement = min(report.failures, key=lambda j: (j.status != kind, *_size(j.vector)))
        rows = judgement.vector.rows or (dict(judgement.vector.texts),)
        at = min(wrong_row(judgement), len(rows) - 1)
    else:
        return None
    vector = judgement.vector
    batch = _batch(vector) if found is not None or vector.rows else ()
    # of one number for a whole batch no entry is the wrong one
    whole = len(rows) > 1 and any(c.reduces for c in report.tried_under)
    row = joined(rows) if whole else rows[at]
    texts = {name: as_text(value) for name, value in row.items() if value is not None}
    # what is right under a convention is computed in floating point
    exact = not report.tried_under
    derivation = _derived(vector, texts) if exact else None
    expected = as_text(expected_answer(judgement)) if exact else near_text(judgement.expected)
    if derivation is not None and not batch:
        expected = _exact_answer(derivation, judgement, expected)
    return Counterexample(
        case=vector.id,
        dtype=judgement.dtype,
        status=judgement.status,
        why=judgement.why,
        output=judgement.output,
        inputs=texts,
        expected=expected,
        got=judgement.got,
        steps=() if derivation is None else tuple(derivation.text().splitlines()),
        test=pytest_text(judgement, target, report.tried_under, expected if exact else None),
        command=command_line(vector.formula, texts, "sympy") if exact else "",
        batch=batch,
        entry=() if whole else _place(at, batch),
        flaky=found is not None and found.flaky,
        whole=whole,
        exact=exact,
        frames=() if judgement.outcome is None else judgement.outcome.frames,
        defaults=_defaults(vector, texts),
        wrong=wrong_places(judgement, None if whole else at),
        counted=rows_of(vector.formula, judgement.output),
    )


def rows_of(formula: Formula, output: str) -> str:
    """Dimension along which an answer is listed, as its specification has it: ``T``, ``A``, ``state``."""
    dimensions = output_of(formula, output or answer_name(formula)).shape
    return dimensions[0].partition("+")[0] if dimensions else "row"


def _defaults(vector: Vector, texts: Mapping[str, Any]) -> dict[str, str]:
    left_out = (p for p in vector.formula.parameters if p.name not in texts)
    return {p.name: p.default for p in left_out if p.default is not None and p.default != "zeros"}


def joined(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Inputs of all entries of a batch; one value where they share it."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        found[name] = values[0] if all(value == values[0] for value in values) else values
    return found


def _size(vector: Vector) -> tuple[int, int]:
    arrays = [value for value in vector.arrays.values() if hasattr(value, "size")]
    return sum(a.size for a in arrays), len(str(vector.texts))


def _batch(vector: Vector) -> tuple[int, ...]:
    """Axes before those that the answer itself has."""
    name = answer_name(vector.formula)
    whole = shape(vector.truth[name])
    return whole[: len(whole) - len(output_of(vector.formula, name).shape)]


def _place(at: int, batch: tuple[int, ...]) -> tuple[int, ...]:
    found: list[int] = []
    for length in reversed(batch):
        at, place = divmod(at, length)
        found.insert(0, place)
    return tuple(found)


def _derived(vector: Vector, texts: Mapping[str, Any]) -> Derivation | None:
    """The exact answer with its steps, of a short case."""
    if max((len(value) for value in texts.values() if isinstance(value, list)), default=1) > LONGEST_DERIVED:
        return None
    try:
        return derive(vector.formula.name, **texts)
    except RlcalcError:
        return None


def _exact_answer(derivation: Derivation, judgement: Judgement, rounded: Any) -> Any:
    """The answer as an expression: a vector holds 20 digits of what is not rational."""
    name = judgement.output or answer_name(judgement.vector.formula)
    exact = derivation.outputs.get(name)
    if exact is None or shape(exact) != shape(rounded):
        return rounded
    return map_nested(lambda value: value if isinstance(value, str) else to_text(value), exact)


def as_text(value: Any, in_table: bool = False) -> Any:
    """Exact numbers as text in nested lists; in a table, names and places of states stay what they are."""
    if isinstance(value, list | tuple):
        return [as_text(part, in_table) for part in value]
    if isinstance(value, Mapping):
        return {key: as_text(part, in_table=True) for key, part in value.items()}
    if isinstance(value, Fraction):
        return str(value) if value.denominator.bit_length() < 200 else str(float(value))
    if value is None or in_table:
        return value
    return str(int(value)) if isinstance(value, bool) else str(value)


def near_text(value: Any) -> Any:
    """Answers that are not exact: as short as the float is, unless it is a plain fraction."""
    if isinstance(value, list):
        return [near_text(part) for part in value]
    if isinstance(value, Fraction) and value.denominator.bit_length() > 20:
        return repr(float(value))
    return as_text(value)
