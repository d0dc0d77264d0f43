"""What a function can do, found by trying before it is judged.

A capability is not a fault: a loop over one list of rewards is right, though
it takes no batch and no discount per step. What a function does not have is
not asked of it, and is said (``not_tested``). To tell "does not take it" from
"takes it and is wrong", nothing here is compared with the right answer, but
the function with itself: the answer to a batch with those to its rows, the
answer to equal discounts per step with that to the one discount.

- It refuses (raises, or answers in another shape): it does not have it.
- It answers, but along another axis, or not as for one row or discount: a
  *doubt*. It is asked without it; if it is right then, the catalogue is asked
  whether a known bug behaves like it with it. Only if none does it is a lack.
- It answers in the right shape and mixes the rows of a batch: a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.compare import all_close
from rlcalc.conform.faults import catalogue
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.outcome import Judgement, Outcome
from rlcalc.conform.target.base import Target, one_per_step, says_something
from rlcalc.conform.trial import PROBE, Trial
from rlcalc.conform.vectors import Vector
from rlcalc.errors import UnknownName, shown, suggestion
from rlcalc.nested import map_nested
from rlcalc.specs import Formula, Parameter

BATCHES, ONE_STEP, PRECISION, DTYPE = "batches", "sequences of one step", "float64", "dtype"
# what people call the arguments that a formula may have
WORDS = {
    "terminated": "terminations",
    "truncated": "truncation",
    "next_values": "next values",
    "bootstrap": "a bootstrap",
}
PER_STEP = {"gamma": "per-step discounts"}
# inputs of an ordinary size, and few enough of them to be tried often
LARGEST, FEW, SEVERAL = 2.0**10, 3, 16
NEAR = 1e-4
# a change that float64 sees and float32 does not, and one that both see
FINE, COARSE = 1e-9, 1e-5


@dataclass(frozen=True)
class Lack:
    """Something that a function does not have.

    Attributes:
        name: as in ``not_tested``.
        uses: whether a vector needs it.
        note: how it was found; may be empty.
        certain: it refuses; otherwise it answers, and may have a fault.
        parameter: that takes one number only.
    """

    name: str
    uses: Callable[[Vector], bool]
    note: str = ""
    certain: bool = True
    parameter: str = ""

    def reason(self, vector: Vector) -> str:
        return f"{self.name} not tested" if self.uses(vector) else ""

    def narrowed(self, target: Target) -> Target:
        single = frozenset({self.parameter} if self.parameter else ())
        return target.narrowed(single, (self.reason,))


@dataclass
class Capabilities:
    """What was found about a target.

    Attributes:
        lacks: what it does not have.
        doubts: what it answers in another way than it should, if it has it at all.
        arguments: optional ones that it does not take.
        mixes: it takes batches, and its answer to one row depends on the others.
    """

    lacks: list[Lack] = field(default_factory=list)
    doubts: list[Lack] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    mixes: bool = False

    @property
    def rows_apart(self) -> Lack:
        """To be asked for single rows only."""
        return _no_batches("", True)[0]

    @property
    def not_tested(self) -> list[str]:
        """In words, batches first and single arguments last."""
        names = sorted((lack.name for lack in self.lacks), key=lambda name: name != BATCHES)
        return list(dict.fromkeys([*names, *self.arguments]))


def probe(
    trial: Trial, formula: Formula, batches: bool, required: frozenset[str] = frozenset()
) -> Capabilities:
    """Find what the target of a trial can do, and narrow the trial to it, doubts aside.

    Args:
        trial: its target, its precision and whether it is asked for batches may change.
        formula: of its vectors.
        batches: whether there may be batch axes at all.
        required: names that must not be left out.
    """
    found = Capabilities(arguments=_arguments(trial, formula))
    singles = [v for v in trial.vectors if not v.rows and not trial.target.unable(v)]
    plain = [v for v in singles if not any(one_per_step(v, p.name) for p in formula.parameters)]
    for name in _only_per_step(trial, formula, singles):
        trial.target = trial.target.spreading(name)
        trial.target.notes.append(f"a single number as {name} is given as one per step")
        trial.known.clear()
    if not plain:
        return found
    _choose_backend(trial, plain)
    if not any(answers(trial.outcome(v, d)) for v in plain for d in trial.target.dtypes):
        return found
    found.lacks += _dtypes(trial, plain)
    looks = [*_per_step(trial, formula, plain), *_one_step(trial, plain)]
    if batches:
        more, found.mixes = _batches(trial, formula, plain)
        looks += more
        if found.mixes and not any(v.rows and not trial.target.unable(v) for v in trial.vectors):
            trial.vectors = [*trial.vectors, *_certified_batch(trial, formula, plain)]
    for lack in looks:
        # of what no vector asks there is nothing to compare with known bugs
        asked = any(lack.uses(v) and not trial.target.unable(v) for v in trial.vectors)
        if lack.certain or not asked:
            narrow(trial, lack)
        (found.lacks if lack.certain or not asked else found.doubts).append(lack)
    if PRECISION not in required and "float64" in trial.target.dtypes:
        trial.single = any(_in_float32(trial, v) for v in _models(trial, plain))
    return found


def narrow(trial: Trial, lack: Lack) -> None:
    """Ask a target no more for what it does not have."""
    trial.target = lack.narrowed(trial.target)
    trial.batches = trial.batches and lack.name != BATCHES
    if lack.note:
        trial.target.notes.append(lack.note)


def slug(name: str) -> str:
    """A capability as an option has it."""
    return name.replace(" ", "-").replace("_", "-").lower().removeprefix("a-")


def requirements(formula: Formula, names: Sequence[str]) -> frozenset[str]:
    """Capabilities by the names that ``--require`` has for them; commas and several names are alike.

    Raises:
        UnknownName: ``unknown_requirement``.
    """
    known = {slug(name): name for name in (BATCHES, PRECISION, "float32", DTYPE, ONE_STEP)}
    for p in formula.parameters:
        if p.each:
            known[slug(_per_step_name(p))] = _per_step_name(p)
        if not p.required:
            known[slug(p.name)] = known[slug(_word(p.name))] = _word(p.name)
    found = set()
    for text in (part.strip() for name in names for part in name.split(",")):
        if text and slug(text) not in known:
            hint = suggestion(slug(text), list(known)) or f"There are {', '.join(known)}."
            raise UnknownName("unknown_requirement", f"{formula.name} has no capability {shown(text)}.", hint)
        if text:
            found.add(known[slug(text)])
    return frozenset(found)


def answers(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.kind == "answer"


def _word(name: str) -> str:
    return WORDS.get(name, name)


def _per_step_name(p: Parameter) -> str:
    return PER_STEP.get(p.name, f"per-step {p.name}")


def _arguments(trial: Trial, formula: Formula) -> list[str]:
    """Optional arguments that vectors have and the target has not."""
    return [
        _word(p.name)
        for p in formula.parameters
        if not (p.required or trial.target.takes(p.name))
        and any(p.name in v.given and says_something(v, p.name) for v in trial.vectors)
    ]


# the arrays that it takes


def _choose_backend(trial: Trial, plain: Sequence[Vector]) -> None:
    """Call it with the arrays that it takes, where it raises on those that it was to be called with."""
    first = sorted(plain, key=_size)[:FEW]
    dtype = trial.target.dtypes[0]
    raised = [trial.outcome(v, dtype) for v in first]
    if not all(outcome is not None and outcome.kind == "raises" and not outcome.died for outcome in raised):
        return
    ways = list(trial.target.backends[1:])
    said = " ".join(outcome.detail for outcome in raised if outcome is not None)
    if ("numpy.ndarray" in said or "Tensor" in said) and find_spec("torch"):
        ways += [name for name in ("torch",) if name not in (trial.target.backend, *ways)]
    for name in ways:
        other = trial.target.with_backend(name)
        if any(answers(other.call(v, dtype)) for v in first):
            words = {
                "lists": "plain lists",
                "numpy": "NumPy arrays",
                "torch": "Torch tensors",
                "jax": "JAX arrays",
            }
            other.notes.append(f"called with {words[name]}, which it takes")
            trial.target = other
            trial.known.clear()
            return


def _dtypes(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """A dtype that it refuses everywhere, where it takes another."""
    dtypes = trial.target.dtypes
    if len(dtypes) < 2:
        return
    few = sorted(plain, key=_size)[: 2 * FEW]
    refused = [d for d in dtypes if all(_refuses(trial.outcome(v, d)) for v in few)]
    if 0 < len(refused) < len(dtypes):
        trial.target = trial.target.with_dtypes(tuple(d for d in dtypes if d not in refused))
        for dtype in refused:
            yield Lack(dtype, lambda vector: False, f"it refuses {dtype} inputs")


def _refuses(outcome: Outcome | None) -> bool:
    """A crash is no way to refuse."""
    return outcome is not None and outcome.kind == "raises" and not outcome.died


# single numbers and single steps


def _per_step(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Numbers that may differ from step to step: equal ones must give what the one number gives."""
    for p in formula.parameters:
        if not (p.each and trial.target.takes(p.name)):
            continue
        name = p.name

        def uses(vector: Vector, name: str = name) -> bool:
            return one_per_step(vector, name)

        models = _models(trial, plain)
        states = {state for v in models if (state := _equal_numbers(trial, v, p))}
        states = {"raises"} if name in trial.target.single else states
        words = _per_step_name(p)
        note = f"{words} not supported; tested with scalar {name}"
        if not states:
            continue
        if states <= {"raises", "shape"}:
            yield Lack(words, uses, note, True, name)
        elif name in PER_STEP and (states != {"alike"} or any(_looks_ahead(trial, v, p) for v in plain)):
            # it answers, and means something else by it; whether that is a bug is seen when it is judged
            yield Lack(words, uses, note, False, name)


def _only_per_step(trial: Trial, formula: Formula, singles: Sequence[Vector]) -> Iterator[str]:
    """Parameters of which it raises for each single number, and takes one per step."""
    dtype = trial.target.dtypes[0]
    for name in (p.name for p in formula.parameters if p.each and p.name not in PER_STEP):
        many = [v for v in singles if one_per_step(v, name)]
        one = [v for v in singles if not one_per_step(v, name)]
        takes = trial.target.takes(name) and any(answers(trial.outcome(v, dtype)) for v in many)
        if takes and one and all(_refuses(trial.outcome(v, dtype)) for v in one):
            yield name


def _equal_numbers(trial: Trial, vector: Vector, p: Parameter) -> str:
    one = vector.arrays.get(p.name)
    length = _length(vector, str(p.each))
    if one is None or one.ndim or not length:
        return ""
    many = _changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)})
    alone, asked = trial.outcome(vector, trial.target.dtypes[0]), trial.outcome(many, trial.target.dtypes[0])
    return _compared(asked, alone, vector.scale)


def _looks_ahead(trial: Trial, vector: Vector, p: Parameter) -> bool:
    """Whether one of the first of several numbers changes answers two steps later, which no reading does.

    A function of one discount to which several are broadcast does this; one
    that takes a discount per step, if of a neighbouring step, does not.
    """
    one, length = vector.arrays.get(p.name), _length(vector, str(p.each))
    if one is None or one.ndim or not 4 < length <= SEVERAL:
        return False
    dtype = trial.target.dtypes[0]
    equal = trial.outcome(_changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)}), dtype)
    for place in (0, 1):
        many = np.full(length, one)
        many[place] = one / 2 if one else 0.5
        other = trial.outcome(_changed(vector, f"{p.name}-{place}", {p.name: many}), dtype)
        if equal is None or other is None or not (answers(equal) and answers(other)):
            continue
        both = [(a, other.outputs[name]) for name, a in equal.outputs.items() if name in other.outputs]
        later = [(a[..., place + 2 :], b[..., place + 2 :]) for a, b in both if a.shape[-1:] == (length,)]
        # by more than rounding
        if any((np.abs(a - b) > NEAR * max(1.0, vector.scale)).any() for a, b in later if a.shape == b.shape):
            return True
    return False


def _length(vector: Vector, dimension: str) -> int:
    for p in vector.formula.parameters:
        array: Any = vector.arrays.get(p.name)
        if p.shape[-1:] == (dimension,) and hasattr(array, "ndim"):
            return int(array.shape[-1])
    return 0


def _one_step(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Sequences of one step, if it raises on each of them and on no other."""
    short = [v for v in plain if _steps(v) == 1]
    others = [v for v in plain if _steps(v) > 1]
    if not short or not others:
        return
    dtype = trial.target.dtypes[0]
    refuses = all(_refuses(trial.outcome(v, dtype)) for v in short)
    if refuses and all(answers(trial.outcome(v, dtype)) for v in others):
        yield Lack(ONE_STEP, lambda vector: _steps(vector) == 1, "it raises for one step alone", False)


def _steps(vector: Vector) -> int:
    # values have one more than there are steps
    plain = [p for p in vector.formula.parameters if p.shape and "+" not in p.shape[-1]]
    rows: list[Any] = [vector.arrays.get(p.name) for p in plain if p.kind == "number"]
    return max((int(a.shape[-1]) for a in rows if getattr(a, "ndim", 0)), default=0)


# batches


def _batches(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> tuple[list[Lack], bool]:
    """Whether it answers a batch as it answers its rows, and whether its rows are mixed."""
    if any(p.kind in ("mdp", "word") or (p.kind == "integer" and not p.single) for p in formula.parameters):
        return [], False
    dtype = trial.target.dtypes[0]
    reduces = any(way.reduces for way in catalogue(formula.name).conventions)
    for vector in _models(trial, plain):
        rows = [vector, _another(vector)]
        alone = [outcome for row in rows if answers(outcome := trial.outcome(row, dtype)) and outcome]
        if len(alone) < len(rows):
            continue
        if trial.target.unable(_stacked(rows, 0)):
            return _no_batches("one sequence a call", True), False
        state = _as_rows(trial, rows, alone, 0)
        if state == "alike":
            return [], False
        certified = [trial.outcome(v, dtype) for v in trial.vectors if v.rows and not trial.target.unable(v)]

        if state == "raises":
            if all(map(_refuses, certified)):
                return _no_batches("it raises on each", True), False
            return [], False
        if reduces and _one_number(trial.outcome(_stacked(rows, 0), dtype)):
            return [], False  # for a whole batch, which is a convention
        if state == "shape":
            return _no_batches("its answer has the shape of one row", True), False
        if _as_rows(trial, rows, alone, -1) == "alike":
            return _no_batches("several at once it takes along the last axis, time first", False), False
        listed = trial.target.with_backend("lists")
        if listed.backend != trial.target.backend and answers(listed.call(vector, dtype)):
            nested = listed.call(_stacked(rows, 0), dtype)
            if _compared_rows(nested, alone, 0, vector.scale) in ("raises", "shape"):
                return _no_batches("it takes plain lists, one at a time", False), False
        return [], True
    return [], False


def _one_number(outcome: Outcome | None) -> bool:
    return outcome is not None and all(not value.ndim for value in outcome.outputs.values())


def _no_batches(how: str, certain: bool) -> list[Lack]:
    note = f"{BATCHES} not supported ({how}); tested with single rows"
    return [Lack(BATCHES, lambda vector: bool(vector.rows), note, certain)]


def _per_row(vector: Vector) -> list[str]:
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


def _another(vector: Vector) -> Vector:
    """Another row for a batch: lists backwards, numbers half as large again."""
    changed = {}
    for name in _per_row(vector):
        p, array = vector.formula.parameter(name), vector.arrays[name]
        array = array[..., ::-1].copy() if array.ndim else array
        # what is anywhere between two bounds might leave them
        free = p.kind == "number" and (p.domain.text == "real" or not array.ndim)
        changed[name] = np.asarray(array * 1.5) if free else array
    return _changed(vector, "backwards", changed)


def _stacked(rows: Sequence[Vector], axis: int) -> Vector:
    """Rows as a batch, along the first axis or, where ``axis`` is −1, along the last."""
    names = _per_row(rows[0])
    arrays = {name: np.stack([row.arrays[name] for row in rows], axis) for name in names}
    return _changed(rows[0], "first" if axis == 0 else "last", arrays)


def _certified_batch(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> list[Vector]:
    """A batch of two rows with its exact answer, for a target that no batch of the vectors can be put to."""
    for vector in _models(trial, plain):
        rows = [_exact(row) for row in (vector, _another(vector))]
        own = _per_row(vector)
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


def _as_rows(trial: Trial, rows: Sequence[Vector], alone: Sequence[Outcome], axis: int) -> str:
    asked = trial.outcome(_stacked(rows, axis), trial.target.dtypes[0])
    return _compared_rows(asked, alone, axis, rows[0].scale)


def _compared_rows(asked: Outcome | None, alone: Sequence[Outcome], axis: int, scale: float) -> str:
    """The answer to a batch next to those to its rows, as ``_compared``."""
    names = [name for name in alone[0].outputs if all(name in other.outputs for other in alone)]
    if any(len({other.outputs[name].shape for other in alone}) > 1 for name in names):
        return "shape"
    whole = {name: np.stack([other.outputs[name] for other in alone], axis) for name in names}
    if axis and asked is not None:  # outputs that are the first entry of another are not read along this axis
        whole = {name: value for name, value in whole.items() if value.ndim > 1}
    return _compared(asked, Outcome("answer", whole), scale)


def _compared(asked: Outcome | None, other: Outcome | None, scale: float) -> str:
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


def over_the_whole(trial: Trial, formula: Formula) -> bool:
    """Whether the answer to a batch is that to all of it as one row."""
    dtype = trial.target.dtypes[0]
    for vector in _models(trial, [v for v in trial.vectors if not v.rows]):
        rows = [vector, _another(vector)]
        shapes = {vector.arrays[name].shape for name in _per_row(vector)}
        if len(shapes) != 1 or len(shapes.pop()) != 1:
            continue
        joined = {name: np.concatenate([row.arrays[name] for row in rows]) for name in _per_row(vector)}
        one = trial.outcome(_changed(vector, "joined", joined), dtype)
        many = trial.outcome(_stacked(rows, 0), dtype)
        if one is None or many is None or not (answers(one) and answers(many)):
            continue
        flat = {name: value.reshape(-1) for name, value in many.outputs.items()}
        return _compared(Outcome("answer", flat), one, vector.scale) == "alike"
    return False


# precision


def _in_float32(trial: Trial, vector: Vector) -> bool:
    """Whether some input is rounded to float32 on the way.

    Its answer then does not move when the input changes by less than float32
    can say, though it moves when the input changes by more. Any other small
    error (an ε, a factor near 1) moves along, and is no rounding.
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
                return True
    return False


def _moved(trial: Trial, before: Outcome, vector: Vector, name: str, by: float) -> dict[str, Any]:
    array = vector.arrays[name]
    # not all in the same proportion, which what is normalised would not see
    weights = 1.0 / (1 + np.arange(array.size, dtype=np.float64)).reshape(array.shape)
    moved = np.asarray(array * (1 + by * weights))
    if vector.formula.parameter(name).distribution:
        moved = moved / moved.sum(axis=-1, keepdims=True)
    after = trial.outcome(_changed(vector, f"{name}-{by:g}", {name: moved}), "float64")
    if after is None or not answers(after):
        return {}
    both = before.outputs.keys() & after.outputs.keys()
    same = [name for name in both if before.outputs[name].shape == after.outputs[name].shape]
    with np.errstate(all="ignore"):
        return {k: after.outputs[k].astype(np.float64) - before.outputs[k].astype(np.float64) for k in same}


# vectors to try things on


def _models(trial: Trial, plain: Sequence[Vector]) -> list[Vector]:
    """A few vectors that it answers, of ordinary numbers and several steps that differ, plain ones first."""
    dtype = trial.target.dtypes[0]
    able = [v for v in plain if v.scale <= LARGEST and not trial.target.unable(v)]
    able = [v for v in able if answers(trial.outcome(v, dtype))]
    # two rows, and never as many steps
    able.sort(key=lambda v: (_steps(v) in (1, 2), not _differs(v), len(v.given), _size(v)))
    return able[:FEW]


def _differs(vector: Vector) -> bool:
    """Whether it is another vector when its lists are read backwards."""
    lists = [a for name in _per_row(vector) if (a := vector.arrays[name]).ndim and a.dtype.kind == "f"]
    return not lists or any((a != a[..., ::-1]).any() for a in lists)


def _changed(vector: Vector, word: str, arrays: dict[str, Any]) -> Vector:
    return replace(vector, id=f"{PROBE}{vector.id}/{word}", arrays={**vector.arrays, **arrays}, rows=())


def _size(vector: Vector) -> int:
    return sum(int(a.size) for a in vector.arrays.values() if hasattr(a, "size"))


# what failures have in common


def in_common(judgements: Sequence[Judgement]) -> str:
    """The one thing that all failures use and nothing that passed does, in a sentence; empty without one."""
    ran = [j for j in judgements if j.status != "skipped"]
    failed = [j for j in ran if j.failed]
    passed = [j for j in ran if not j.failed]
    if not failed or not passed:
        return ""
    for words, uses in _USES.items():
        if all(uses(j.vector) for j in failed) and not any(uses(j.vector) for j in passed):
            count = len({j.vector.id for j in passed})
            return f"All {count} vectors without {words} pass; all that fail have {words}."
    return ""


def _flagged(vector: Vector, name: str, before_last: bool) -> bool:
    flags = vector.arrays.get(name)
    if flags is None or not getattr(flags, "ndim", 0):
        return False
    return bool(flags[..., :-1].any() if before_last else flags.any())


_USES: dict[str, Callable[[Vector], bool]] = {
    "batches": lambda v: bool(v.rows),
    "discounts per step": lambda v: one_per_step(v, "gamma") if "gamma" in v.arrays else False,
    "an episode that ends before the last step": lambda v: any(
        _flagged(v, name, True) for name in ("terminated", "truncated")
    ),
    "truncation": lambda v: _flagged(v, "truncated", False),
    "terminations": lambda v: _flagged(v, "terminated", False),
    "next values": lambda v: v.arrays.get("next_values") is not None and "next_values" in v.given,
    "sequences of one step": lambda v: _steps(v) == 1,
}
