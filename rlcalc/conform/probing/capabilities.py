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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from rlcalc._lazy import np
from rlcalc.conform.binding.words.names import of_tokens
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.probing.edges import alone, edges, gaps, no_token
from rlcalc.conform.probing.groups import ONE_GROUP, says_one_group, several_groups
from rlcalc.conform.probing.lack import Lack
from rlcalc.conform.probing.probes import (
    FEW,
    another,
    answers,
    certified_batch,
    changed,
    compared,
    compared_rows,
    entries,
    in_float32,
    models,
    per_row,
    refuses,
    stacked,
)
from rlcalc.conform.probing.requirements import AFTER_ENDS, BATCHES, PRECISION, word
from rlcalc.conform.probing.single_steps import (
    ENTRIES,
    behind_ends,
    infinite,
    long_windows,
    masked_logits,
    masked_rows,
    one_number_a_call,
    one_step,
    only_per_step,
    per_step,
    refused_choices,
    wants_one_number,
)
from rlcalc.conform.target.base import one_per_step, says_something
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula


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
    for name in only_per_step(trial, formula, singles):
        trial.target = trial.target.spreading(name)
        trial.target.notes.append(f"a single number as {name} is given as one per step")
        trial.known.clear()
    if not plain:
        return found
    _choose_backend(trial, plain)
    if not any(answers(trial.outcome(v, d)) for v in plain for d in trial.target.dtypes):
        return found
    found.lacks += _dtypes(trial, plain)
    looks = [
        *per_step(trial, formula, plain),
        *one_step(trial, plain),
        *long_windows(trial, formula, plain),
        *masked_rows(trial, formula, plain),
        *masked_logits(trial, formula, plain),
        *refused_choices(trial, formula, plain),
        *one_number_a_call(trial, plain),
        *infinite(trial, plain),
        *edges(trial, formula, plain),
        *no_token(trial, formula, plain),
        *alone(trial, formula, plain),
        *gaps(formula),
        *several_groups(trial, formula, plain, batches),
    ]
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
    if AFTER_ENDS in required:
        found.lacks += behind_ends(trial, plain)
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
    raised = [trial.tried(v) for v in first]
    if not all(outcome is not None and outcome.kind == "raises" and not outcome.died for outcome in raised):
        return
    ways = list(trial.target.backends[1:])
    said = " ".join(outcome.detail for outcome in raised if outcome is not None)
    if ("numpy.ndarray" in said or "Tensor" in said) and find_spec("torch"):
        ways += [name for name in ("torch",) if name not in (trial.target.backend, *ways)]
    for name in ways:
        other = trial.target.with_backend(name)
        if any(answers(other.call(v, trial.dtype)) for v in first):
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


# batches


def _batches(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> tuple[list[Lack], bool]:
    """Whether it answers a batch as it answers its rows, and whether its rows are mixed."""
    if any(p.kind in ("mdp", "word") or (p.kind == "integer" and not p.single) for p in formula.parameters):
        certain = [v for v in trial.vectors if v.rows and not trial.target.unable(v)]
        return (
            (_no_batches("it works on one number", True), False)
            if wants_one_number(trial, certain)
            else ([], False)
        )
    if of_tokens(formula.name) and any(p.shape[:1] == ("N",) for p in formula.parameters):
        trial.batches = False  # a table with a row an answer is the batch
        several = any(v.rows and not trial.target.unable(v) for v in trial.vectors)
        return _no_batches("all answers are one batch", False) if several else [], False
    reduces = any(way.reduces for way in catalogue(formula.name).conventions)
    apart = False
    for vector in models(trial, plain):
        rows = [vector, another(vector)]
        alone = [outcome for row in rows if answers(outcome := trial.tried(row)) and outcome]
        if len(alone) < len(rows):
            continue
        if trial.target.unable(stacked(rows, 0)):
            return _no_batches("one sequence a call", True), False
        state = _as_rows(trial, rows, alone, 0)
        apart |= state == "alike"
        if state == "alike" or (apart and state != "numbers"):
            continue  # of another vector the rows may be mixed all the same
        certified = [trial.tried(v) for v in trial.vectors if v.rows and not trial.target.unable(v)]

        if state == "raises":
            if all(map(refuses, certified)):
                return _no_batches("it raises on each", True), False
            return [], False
        if reduces and _one_number(trial.tried(stacked(rows, 0))):
            if any(vector.arrays[name].ndim for name in per_row(vector)):
                # of samples it makes one number already, and need not know of batches of batches
                return _no_batches("its answer to a batch is one number", False), False
            return [], False  # for a whole batch, which is a convention
        if state == "shape":
            return _no_batches("its answer has the shape of one row", True), False
        if _as_rows(trial, rows, alone, -1) == "alike":
            return _no_batches("several at once it takes along the last axis, time first", False), False
        listed = trial.target.with_backend("lists")
        if listed.backend != trial.target.backend and answers(listed.call(vector, trial.dtype)):
            nested = listed.call(stacked(rows, 0), trial.dtype)
            if compared_rows(nested, alone, 0, vector.scale) in ("raises", "shape"):
                return _no_batches("it takes plain lists, one at a time", False), False
        if says_one_group(trial, formula):
            trial.target.notes.append(ONE_GROUP)  # to be read by everyone, as what it leaves open
            return [Lack(BATCHES, lambda vector: bool(vector.rows))], False
        return [], True
    return [], False


def _one_number(outcome: Outcome | None) -> bool:
    return outcome is not None and all(not value.ndim for value in outcome.outputs.values())


def _no_batches(how: str, certain: bool) -> list[Lack]:
    note = f"{BATCHES} not supported ({how}); tested with single rows"
    return [Lack(BATCHES, lambda vector: bool(vector.rows), note, certain)]


def _as_rows(trial: Trial, rows: Sequence[Vector], alone: Sequence[Outcome], axis: int) -> str:
    asked = trial.tried(stacked(rows, axis))
    return compared_rows(asked, alone, axis, rows[0].scale)


def over_the_whole(trial: Trial, formula: Formula) -> bool:
    """Whether the answer to a batch is that to all of it as one row."""
    for vector in models(trial, [v for v in trial.vectors if not v.rows]):
        rows = [vector, another(vector)]
        shapes = {vector.arrays[name].shape for name in per_row(vector)}
        if len(shapes) != 1 or len(shapes.pop()) != 1:
            continue
        joined = {name: np.concatenate([row.arrays[name] for row in rows]) for name in per_row(vector)}
        one = trial.tried(changed(vector, "joined", joined))
        many = trial.tried(stacked(rows, 0))
        if one is None or many is None or not (answers(one) and answers(many)):
            continue
        flat = {name: value.reshape(-1) for name, value in many.outputs.items()}
        return compared(Outcome("answer", flat), one, vector.scale) == "alike"
    return False
