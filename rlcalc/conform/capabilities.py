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
from dataclasses import dataclass, field
from importlib.util import find_spec

from rlcalc._lazy import np
from rlcalc.conform.binding.names import of_tokens
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.probes import (
    FEW,
    NEAR,
    PER_STEP,
    SEVERAL,
    another,
    answers,
    certified_batch,
    changed,
    compared,
    compared_rows,
    entries,
    in_float32,
    length_along,
    models,
    per_row,
    refuses,
    stacked,
    steps_of,
)
from rlcalc.conform.requirements import BATCHES, BEHIND_ENDS, ONE_STEP, PRECISION, per_step_name, word
from rlcalc.conform.target.base import Target, one_per_step, says_something
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula, Parameter

ENTRIES = "several entries a call"
# what code for single numbers says when it gets an array, by NumPy, math and Torch
_ONE_NUMBER = (
    "truth value of an array",
    "can be converted to Python scalars",
    "can be converted to an integer scalar",
    "can be converted to a scalar",
    "Boolean value of Tensor",
    "only one element tensors",
)


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
    looks = [*_per_step(trial, formula, plain), *_one_step(trial, plain), *_one_number_a_call(trial, plain)]
    if batches:
        more, found.mixes = _batches(trial, formula, plain)
        looks += more
        if found.mixes and not any(v.rows and not trial.target.unable(v) for v in trial.vectors):
            trial.vectors = [*trial.vectors, *certified_batch(trial, formula, plain)]
    for lack in looks:
        # of what no vector asks there is nothing to compare with known bugs
        asked = any(lack.uses(v) and not trial.target.unable(v) for v in trial.vectors)
        trial.one_entry |= lack.name == ENTRIES
        if lack.certain or not asked:
            narrow(trial, lack)
        (found.lacks if lack.certain or not asked else found.doubts).append(lack)
    if BEHIND_ENDS in required:
        found.lacks += _behind_ends(trial, plain)
    if PRECISION not in required and "float64" in trial.target.dtypes:
        trial.single = any(in_float32(trial, v) for v in models(trial, plain))
    return found


def narrow(trial: Trial, lack: Lack) -> None:
    """Ask a target no more for what it does not have."""
    trial.target = lack.narrowed(trial.target)
    trial.batches = trial.batches and lack.name != BATCHES
    if lack.note:
        trial.target.notes.append(lack.note)


def _arguments(trial: Trial, formula: Formula) -> list[str]:
    """Optional arguments that vectors have and the target has not."""
    return [
        word(p.name)
        for p in formula.parameters
        if not (p.required or trial.target.takes(p.name))
        and any(p.name in v.given and says_something(v, p.name) for v in trial.vectors)
    ]


# the arrays that it takes


def _choose_backend(trial: Trial, plain: Sequence[Vector]) -> None:
    """Call it with the arrays that it takes, where it raises on those that it was to be called with."""
    first = sorted(plain, key=entries)[:FEW]
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
    few = sorted(plain, key=entries)[: 2 * FEW]
    refused = [d for d in dtypes if all(refuses(trial.outcome(v, d)) for v in few)]
    if 0 < len(refused) < len(dtypes):
        trial.target = trial.target.with_dtypes(tuple(d for d in dtypes if d not in refused))
        for dtype in refused:
            yield Lack(dtype, lambda vector: False, f"it refuses {dtype} inputs")


# single numbers and single steps


def _per_step(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Numbers that may differ from step to step: equal ones must give what the one number gives."""
    for p in formula.parameters:
        if not (p.each and trial.target.takes(p.name)):
            continue
        name = p.name

        def uses(vector: Vector, name: str = name) -> bool:
            return one_per_step(vector, name)

        some = models(trial, plain)
        states = {state for v in some if (state := _equal_numbers(trial, v, p))}
        states = {"raises"} if name in trial.target.single else states
        words = per_step_name(p)
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
        if takes and one and all(refuses(trial.outcome(v, dtype)) for v in one):
            yield name


def _equal_numbers(trial: Trial, vector: Vector, p: Parameter) -> str:
    one = vector.arrays.get(p.name)
    length = length_along(vector, str(p.each))
    if one is None or one.ndim or not length:
        return ""
    many = changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)})
    alone, asked = trial.outcome(vector, trial.target.dtypes[0]), trial.outcome(many, trial.target.dtypes[0])
    return compared(asked, alone, vector.scale)


def _looks_ahead(trial: Trial, vector: Vector, p: Parameter) -> bool:
    """Whether one of the first of several numbers changes answers two steps later, which no reading does.

    A function of one discount to which several are broadcast does this; one
    that takes a discount per step, if of a neighbouring step, does not.
    """
    one, length = vector.arrays.get(p.name), length_along(vector, str(p.each))
    if one is None or one.ndim or not 4 < length <= SEVERAL:
        return False
    dtype = trial.target.dtypes[0]
    equal = trial.outcome(changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)}), dtype)
    for place in (0, 1):
        many = np.full(length, one)
        many[place] = one / 2 if one else 0.5
        other = trial.outcome(changed(vector, f"{p.name}-{place}", {p.name: many}), dtype)
        if equal is None or other is None or not (answers(equal) and answers(other)):
            continue
        both = [(a, other.outputs[name]) for name, a in equal.outputs.items() if name in other.outputs]
        later = [(a[..., place + 2 :], b[..., place + 2 :]) for a, b in both if a.shape[-1:] == (length,)]
        # by more than rounding
        if any((np.abs(a - b) > NEAR * max(1.0, vector.scale)).any() for a, b in later if a.shape == b.shape):
            return True
    return False


def _behind_ends(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Whether a value that is nan behind a terminal step changes an answer, or cannot be handed over."""
    dtype = trial.target.dtypes[0]
    for vector in plain:
        over, after = vector.arrays.get("terminated"), vector.arrays.get("next_values")
        values = vector.arrays.get("values")
        if after is None and values is not None:
            after = values[..., 1:]
        if over is None or not over.any() or after is None or not trial.target.takes("next_values"):
            continue
        other = changed(vector, "nan-behind", {"next_values": np.where(over, np.nan, after)})
        if compared(trial.outcome(other, dtype), trial.outcome(vector, dtype), vector.scale) == "alike":
            return
        break
    note = "a value that is nan behind a terminal step reaches the answer, or has no place"
    yield Lack(BEHIND_ENDS, lambda vector: False, note)


def _one_step(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Sequences of one step, if it raises on each of them and on no other."""
    short = [v for v in plain if steps_of(v) == 1]
    others = [v for v in plain if steps_of(v) > 1]
    if not short or not others:
        return
    dtype = trial.target.dtypes[0]
    never = all(refuses(trial.outcome(v, dtype)) for v in short)
    if never and all(answers(trial.outcome(v, dtype)) for v in others):
        yield Lack(ONE_STEP, lambda vector: steps_of(vector) == 1, "it raises for one step alone", False)


def _one_number_a_call(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Inputs of one entry, if it says of each longer one that it is no single number."""
    one, more = ([v for v in plain if (steps_of(v) > 1) is several] for several in (False, True))
    dtype = trial.target.dtypes[0]
    if one and more and _wants_one_number(trial, more) and any(answers(trial.outcome(v, dtype)) for v in one):
        note = f"{ENTRIES} not supported (it works on one number); tested with one"
        yield Lack(ENTRIES, lambda vector: steps_of(vector) > 1, note)


def _wants_one_number(trial: Trial, vectors: Sequence[Vector]) -> bool:
    """Whether it raises on all of them because an array is no single number."""
    found = [trial.outcome(v, trial.target.dtypes[0]) for v in vectors]
    return bool(found) and all(
        outcome is not None
        and outcome.kind == "raises"
        and any(words in outcome.detail for words in _ONE_NUMBER)
        for outcome in found
    )


# batches


def _batches(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> tuple[list[Lack], bool]:
    """Whether it answers a batch as it answers its rows, and whether its rows are mixed."""
    if any(p.kind in ("mdp", "word") or (p.kind == "integer" and not p.single) for p in formula.parameters):
        certain = [v for v in trial.vectors if v.rows and not trial.target.unable(v)]
        return (
            (_no_batches("it works on one number", True), False)
            if _wants_one_number(trial, certain)
            else ([], False)
        )
    if of_tokens(formula.name) and any(p.shape[:1] == ("N",) for p in formula.parameters):
        trial.batches = False  # a table with a row an answer is the batch
        return [], False
    dtype = trial.target.dtypes[0]
    reduces = any(way.reduces for way in catalogue(formula.name).conventions)
    for vector in models(trial, plain):
        rows = [vector, another(vector)]
        alone = [outcome for row in rows if answers(outcome := trial.outcome(row, dtype)) and outcome]
        if len(alone) < len(rows):
            continue
        if trial.target.unable(stacked(rows, 0)):
            return _no_batches("one sequence a call", True), False
        state = _as_rows(trial, rows, alone, 0)
        if state == "alike":
            return [], False
        certified = [trial.outcome(v, dtype) for v in trial.vectors if v.rows and not trial.target.unable(v)]

        if state == "raises":
            if all(map(refuses, certified)):
                return _no_batches("it raises on each", True), False
            return [], False
        if reduces and _one_number(trial.outcome(stacked(rows, 0), dtype)):
            if any(vector.arrays[name].ndim for name in per_row(vector)):
                # of samples it makes one number already, and need not know of batches of batches
                return _no_batches("its answer to a batch is one number", False), False
            return [], False  # for a whole batch, which is a convention
        if state == "shape":
            return _no_batches("its answer has the shape of one row", True), False
        if _as_rows(trial, rows, alone, -1) == "alike":
            return _no_batches("several at once it takes along the last axis, time first", False), False
        listed = trial.target.with_backend("lists")
        if listed.backend != trial.target.backend and answers(listed.call(vector, dtype)):
            nested = listed.call(stacked(rows, 0), dtype)
            if compared_rows(nested, alone, 0, vector.scale) in ("raises", "shape"):
                return _no_batches("it takes plain lists, one at a time", False), False
        return [], True
    return [], False


def _one_number(outcome: Outcome | None) -> bool:
    return outcome is not None and all(not value.ndim for value in outcome.outputs.values())


def _no_batches(how: str, certain: bool) -> list[Lack]:
    note = f"{BATCHES} not supported ({how}); tested with single rows"
    return [Lack(BATCHES, lambda vector: bool(vector.rows), note, certain)]


def _as_rows(trial: Trial, rows: Sequence[Vector], alone: Sequence[Outcome], axis: int) -> str:
    asked = trial.outcome(stacked(rows, axis), trial.target.dtypes[0])
    return compared_rows(asked, alone, axis, rows[0].scale)


def over_the_whole(trial: Trial, formula: Formula) -> bool:
    """Whether the answer to a batch is that to all of it as one row."""
    dtype = trial.target.dtypes[0]
    for vector in models(trial, [v for v in trial.vectors if not v.rows]):
        rows = [vector, another(vector)]
        shapes = {vector.arrays[name].shape for name in per_row(vector)}
        if len(shapes) != 1 or len(shapes.pop()) != 1:
            continue
        joined = {name: np.concatenate([row.arrays[name] for row in rows]) for name in per_row(vector)}
        one = trial.outcome(changed(vector, "joined", joined), dtype)
        many = trial.outcome(stacked(rows, 0), dtype)
        if one is None or many is None or not (answers(one) and answers(many)):
            continue
        flat = {name: value.reshape(-1) for name, value in many.outputs.items()}
        return compared(Outcome("answer", flat), one, vector.scale) == "alike"
    return False
