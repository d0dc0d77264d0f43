"""Vectors to try a function on, and what it answers to them beside another answer of its own.

No truth is known for them, and none is needed: a batch is compared with its
rows, an answer with that to inputs that were moved a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.compare import all_close
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.trial import PROBE, Trial
from rlcalc.conform.vectors import Vector
from rlcalc.nested import map_nested
from rlcalc.specs import Formula

# inputs of an ordinary size, and few enough of them to be tried often
LARGEST, FEW, SEVERAL = 2.0**10, 3, 16
NEAR = 1e-4
# a change that float64 sees and float32 does not, and one that both see
FINE, COARSE = 1e-9, 1e-5
# inputs of which a sequence has one for all steps, or one for each
PER_STEP = {"gamma": "per-step discounts"}


def answers(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.kind == "answer"


def refuses(outcome: Outcome | None) -> bool:
    """A crash is no way to refuse."""
    return outcome is not None and outcome.kind == "raises" and not outcome.died


def length_along(vector: Vector, dimension: str) -> int:
    for p in vector.formula.parameters:
        array: Any = vector.arrays.get(p.name)
        if p.shape[-1:] == (dimension,) and hasattr(array, "ndim"):
            return int(array.shape[-1])
    return 0


def steps_of(vector: Vector) -> int:
    # values have one more than there are steps
    plain = [p for p in vector.formula.parameters if p.shape and "+" not in p.shape[-1]]
    rows: list[Any] = [vector.arrays.get(p.name) for p in plain if p.kind == "number"]
    return max((int(a.shape[-1]) for a in rows if getattr(a, "ndim", 0)), default=0)


def per_row(vector: Vector) -> list[str]:
    """Inputs of which every row has its own."""
    found = []
    for p in vector.formula.parameters:
        array: Any = vector.arrays.get(p.name)
        if p.kind not in ("number", "flag") or not hasattr(array, "ndim"):
            continue
        # a critic's values, not the discounts of a sequence
        listed = bool(p.each) and array.ndim == 1 and p.name not in PER_STEP
        if listed or not p.single:
            found.append(p.name)
    return found


def another(vector: Vector) -> Vector:
    """Another row for a batch: lists backwards, numbers half as large again."""
    arrays = {}
    for name in per_row(vector):
        p, array = vector.formula.parameter(name), vector.arrays[name]
        array = array[..., ::-1].copy() if array.ndim else array
        # what is anywhere between two bounds might leave them
        free = p.kind == "number" and (p.domain.text == "real" or not array.ndim)
        arrays[name] = np.asarray(array * 1.5) if free else array
    return changed(vector, "backwards", arrays)


def stacked(rows: Sequence[Vector], axis: int) -> Vector:
    """Rows as a batch, along the first axis or, where ``axis`` is −1, along the last."""
    names = per_row(rows[0])
    arrays = {name: np.stack([row.arrays[name] for row in rows], axis) for name in names}
    return changed(rows[0], "first" if axis == 0 else "last", arrays)


def certified_batch(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> list[Vector]:
    """A batch of two rows with its exact answer, for a target that no batch of the vectors can be put to."""
    for vector in models(trial, plain):
        rows = [_exact(row) for row in (vector, another(vector))]
        own = per_row(vector)
        shared = {name: value for name, value in rows[0].items() if name not in own}
        tables = [{name: row[name] for name in own if name in row} for row in rows]
        found = Draft("float64", (2,), shared, tables).vector(formula, f"{formula.name}/two-rows")
        if found is not None:
            texts = [_as_texts(row) for row in rows]
            return [replace(found, about="A batch of two rows.", texts=texts[0], rows=tuple(texts))]
    return []


def _exact(vector: Vector) -> dict[str, Any]:
    """The inputs of a vector as exact numbers, those that are left at their default aside."""
    found = {}
    for p in vector.formula.parameters:
        value = vector.arrays.get(p.name)
        if value is None or not (p.required or p.name in vector.given):
            continue
        plain = value.tolist() if hasattr(value, "tolist") else value
        found[p.name] = (
            map_nested(Fraction, plain) if p.kind == "number" and not isinstance(plain, str) else plain
        )
    return found


def _as_texts(table: dict[str, Any]) -> dict[str, Any]:
    """Exact inputs as text."""
    return {
        name: map_nested(lambda x: str(int(x) if isinstance(x, bool) else x), v) for name, v in table.items()
    }


def compared_rows(asked: Outcome | None, alone: Sequence[Outcome], axis: int, scale: float) -> str:
    """The answer to a batch next to those to its rows, as ``compared``."""
    names = [name for name in alone[0].outputs if all(name in other.outputs for other in alone)]
    if any(len({other.outputs[name].shape for other in alone}) > 1 for name in names):
        return "shape"
    whole = {name: np.stack([other.outputs[name] for other in alone], axis) for name in names}
    if axis and asked is not None:  # outputs that are the first entry of another are not read along this axis
        whole = {name: value for name, value in whole.items() if value.ndim > 1}
    return compared(asked, Outcome("answer", whole), scale)


def compared(asked: Outcome | None, other: Outcome | None, scale: float) -> str:
    """``alike``, ``raises``, ``shape`` or ``numbers``: how an answer differs; empty where there is none."""
    if asked is None or other is None or other.kind != "answer" or asked.kind == "hangs":
        return ""
    if asked.kind != "answer":
        return "shape" if asked.kind == "wrong-shape" else "raises"
    common = asked.outputs.keys() & other.outputs.keys()
    if any(asked.outputs[name].shape != other.outputs[name].shape for name in common):
        return "shape"
    alike = all(all_close(asked.outputs[name], other.outputs[name], scale, NEAR) for name in common)
    return "alike" if alike else "numbers"


def in_float32(trial: Trial, vector: Vector) -> bool:
    """Whether some input is rounded to float32 on the way.

    Its answer then does not move when the input changes by less than float32
    can say, though it moves when the input changes by more, and in proportion.
    Any other small error (an ε, a factor near 1) moves along, and is no
    rounding; nor is a jump, where numbers that are nearly equal count as equal.
    """
    before = trial.outcome(vector, "float64")
    if before is None or not answers(before):
        return False
    for p in vector.formula.parameters:
        array = vector.arrays.get(p.name)
        if (
            p.kind != "number"
            or not trial.target.takes(p.name)
            or getattr(array, "dtype", None) != np.float64
        ):
            continue
        fine = _moved(trial, before, vector, p.name, FINE)
        coarse = _moved(trial, before, vector, p.name, COARSE)
        for name in fine.keys() & coarse.keys():
            if (
                not np.isfinite(fine[name]).all()
                or not np.isfinite(coarse[name]).all()
                or not coarse[name].size
            ):
                continue
            at = int(np.abs(coarse[name]).argmax())
            expected = abs(coarse[name].ravel()[at]) * (FINE / COARSE)
            size = max(1.0, float(np.abs(before.outputs[name]).max()))
            # what float64 itself rounds away says nothing
            if (
                expected > 1e3 * np.finfo(np.float64).eps * size
                and abs(fine[name].ravel()[at]) < expected / 2
            ):
                half = _moved(trial, before, vector, p.name, COARSE / 2)[name].ravel()[at]
                if 0.3 < half / coarse[name].ravel()[at] < 0.7:
                    return True
    return False


def _moved(trial: Trial, before: Outcome, vector: Vector, name: str, by: float) -> dict[str, Any]:
    array = vector.arrays[name]
    # not all in the same proportion, which what is normalised would not see
    weights = 1.0 / (1 + np.arange(array.size, dtype=np.float64)).reshape(array.shape)
    moved = np.asarray(array * (1 + by * weights))
    if vector.formula.parameter(name).distribution:
        moved = moved / moved.sum(axis=-1, keepdims=True)
    after = trial.outcome(changed(vector, f"{name}-{by:g}", {name: moved}), "float64")
    if after is None or not answers(after):
        return {}
    both = before.outputs.keys() & after.outputs.keys()
    same = [name for name in both if before.outputs[name].shape == after.outputs[name].shape]
    with np.errstate(all="ignore"):
        return {k: after.outputs[k].astype(np.float64) - before.outputs[k].astype(np.float64) for k in same}


def models(trial: Trial, plain: Sequence[Vector]) -> list[Vector]:
    """A few vectors that it answers, of ordinary numbers and several steps that differ, plain ones first."""
    able = [v for v in plain if v.scale <= LARGEST and not trial.target.unable(v)]
    able = [v for v in able if answers(trial.tried(v))]
    # two rows, and never as many steps
    able.sort(key=lambda v: (steps_of(v) in (1, 2), not _differs(v), len(v.given), entries(v)))
    return able[:FEW]


def _differs(vector: Vector) -> bool:
    """Whether it is another vector when its lists are read backwards."""
    lists = [a for name in per_row(vector) if (a := vector.arrays[name]).ndim and a.dtype.kind == "f"]
    return not lists or any((a != a[..., ::-1]).any() for a in lists)


def changed(vector: Vector, word: str, arrays: dict[str, Any]) -> Vector:
    return replace(vector, id=f"{PROBE}{vector.id}/{word}", arrays={**vector.arrays, **arrays}, rows=())


def entries(vector: Vector) -> int:
    return sum(int(a.size) for a in vector.arrays.values() if hasattr(a, "size"))
