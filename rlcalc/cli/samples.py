"""Several samples on one command line: each evaluated as it stands, in one table, with the mean.

Formulas of one sample (``samples = true`` in the specification of an input) take lists here, as a batch of
a training run does; a single value beside a list holds for all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlcalc.agreement import Result, compare_backends
from rlcalc.errors import InputError, many
from rlcalc.evaluation import Evaluation, evaluate
from rlcalc.exact import to_sympy
from rlcalc.specs import Formula, Output
from rlcalc.steps.values import add, divide, tidy

MOST = 1000


def sample_count(spec: Formula, raw: Mapping[str, Any]) -> int:
    """How many samples there are.

    Raises:
        InputError: ``<name>_wrong_length`` where lists differ in length, ``samples_too_many``.
    """
    sizes = {p.name: len(raw[p.name]) for p in spec.parameters if p.samples and p.name in raw}
    most = max(sizes.values(), default=1)
    for name, size in sizes.items():
        if size not in (1, most):
            raise InputError(
                f"{name}_wrong_length",
                f"--{name} has {many(size, 'entry', 'entries')}, expected {most}, one for every sample.",
                "Give one for each, or one for all.",
            )
    if most > MOST:
        raise InputError("samples_too_many", f"There are {most} samples; the command takes up to {MOST}.")
    return most


def evaluate_samples(
    spec: Formula, raw: Mapping[str, Any], count: int, backends: Sequence[str], dtype: str, device: str
) -> Evaluation:
    """All samples as one evaluation: the mean of the answer, then every output as a column.

    Raises:
        InputError: as ``evaluate``.
    """
    found = [evaluate(spec, _sample(spec, raw, k), backends, dtype, device) for k in range(count)]
    first = found[0]
    columns = [_column(name, found) for name in first.results if all(name in one.results for one in found)]
    columns = [column for column in columns if not column.output.exact_only]
    results = [_mean(spec.answer, columns[0]), *columns]
    given = {**first.inputs.given}
    for p in spec.parameters:
        if p.samples and p.name in raw and len(raw[p.name]) > 1:
            given[p.name] = [one.inputs.given[p.name] for one in found]
    inputs = replace(first.inputs, given=given, typed=frozenset(raw))
    inputs.names["sample"] = tuple(str(k) for k in range(1, count + 1))
    notes = list(dict.fromkeys(note for one in found for note in one.notes))
    agree = None if inputs.symbols else compare_backends(results, inputs, dtype)
    return Evaluation(
        spec, inputs, {r.output.name: r for r in results}, None, first.backends, dtype, agree, notes
    )


def _sample(spec: Formula, raw: Mapping[str, Any], k: int) -> dict[str, Any]:
    listed = {p.name for p in spec.parameters if p.samples}
    return {
        name: (value[k] if len(value) > 1 else value[0]) if name in listed else value
        for name, value in raw.items()
    }


def _column(name: str, found: Sequence[Evaluation]) -> Result:
    output = found[0].results[name].output
    parts: dict[str, Any] = {}
    for backend in ("exact", "numpy", "torch"):
        values = [getattr(one.results[name], backend) for one in found]
        parts[backend] = None if any(value is None for value in values) else values
    return Result(replace(output, shape=("sample",), table="samples"), **parts)


def _mean(answer: Output, column: Result) -> Result:
    """The mean of the answers on every backend."""
    output = Output("mean", f"Mean over the samples: {answer.about}", f"mean {answer.symbol}")
    parts: dict[str, Any] = {}
    if column.exact is not None:
        parts["exact"] = tidy(divide(add(column.exact), to_sympy(len(column.exact))))
    for backend in ("numpy", "torch"):
        values = getattr(column, backend)
        parts[backend] = None if values is None else sum(values) / len(values)
    return Result(output, **parts)
