"""What a function does with one number or one step: each a capability that it may lack (``capabilities``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.outcome import run_form
from rlcalc.conform.probing.edges import MASKED_LOGITS, NO_TOKEN
from rlcalc.conform.probing.lack import Lack
from rlcalc.conform.probing.probes import (
    NEAR,
    PER_STEP,
    SEVERAL,
    answers,
    changed,
    compared,
    length_along,
    models,
    refuses,
    steps_of,
)
from rlcalc.conform.probing.requirements import (
    AFTER_ENDS,
    INFINITE,
    LONG_WINDOWS,
    ONE_STEP,
    choice_name,
    has_windows,
    per_step_name,
)
from rlcalc.conform.target.base import one_per_step
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector, reference
from rlcalc.nested import flatten
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
# what Python's own numbers raise where an array holds infinity
_NO_NUMBER = ("ZeroDivisionError", "OverflowError", "ValueError: math domain error")


def per_step(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
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


def only_per_step(trial: Trial, formula: Formula, singles: Sequence[Vector]) -> Iterator[str]:
    """Parameters of which it raises for each single number, and takes one per step."""
    for name in (p.name for p in formula.parameters if p.each and p.name not in PER_STEP):
        many = [v for v in singles if one_per_step(v, name)]
        one = [v for v in singles if not one_per_step(v, name)]
        takes = trial.target.takes(name) and any(answers(trial.tried(v)) for v in many)
        if takes and one and all(refuses(trial.tried(v)) for v in one):
            yield name


def _equal_numbers(trial: Trial, vector: Vector, p: Parameter) -> str:
    one = vector.arrays.get(p.name)
    length = length_along(vector, str(p.each))
    if one is None or one.ndim or not length:
        return ""
    many = changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)})
    alone, asked = trial.tried(vector), trial.tried(many)
    return compared(asked, alone, vector.scale)


def _looks_ahead(trial: Trial, vector: Vector, p: Parameter) -> bool:
    """Whether one of the first of several numbers changes answers two steps later, which no reading does.

    A function of one discount to which several are broadcast does this; one
    that takes a discount per step, if of a neighbouring step, does not.
    """
    one, length = vector.arrays.get(p.name), length_along(vector, str(p.each))
    if one is None or one.ndim or not 4 < length <= SEVERAL:
        return False
    equal = trial.tried(changed(vector, f"equal-{p.name}", {p.name: np.full(length, one)}))
    for place in (0, 1):
        many = np.full(length, one)
        many[place] = one / 2 if one else 0.5
        other = trial.tried(changed(vector, f"{p.name}-{place}", {p.name: many}))
        if equal is None or other is None or not (answers(equal) and answers(other)):
            continue
        both = [(a, other.outputs[name]) for name, a in equal.outputs.items() if name in other.outputs]
        later = [(a[..., place + 2 :], b[..., place + 2 :]) for a, b in both if a.shape[-1:] == (length,)]
        # by more than rounding
        if any((np.abs(a - b) > NEAR * max(1.0, vector.scale)).any() for a, b in later if a.shape == b.shape):
            return True
    return False


def behind_ends(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Whether a value that is nan after a terminal step changes an answer, or cannot be handed over."""
    for vector in plain:
        over, after = vector.arrays.get("terminated"), vector.arrays.get("next_values")
        values = vector.arrays.get("values")
        if after is None and values is not None:
            after = values[..., 1:]
        if over is None or not over.any() or after is None or not trial.target.takes("next_values"):
            continue
        other = changed(vector, "nan-after", {"next_values": np.where(over, np.nan, after)})
        if compared(trial.tried(other), trial.tried(vector), vector.scale) == "alike":
            return
        break
    note = "a value that is nan after a terminal step reaches the answer, or has no place"
    yield Lack(AFTER_ENDS, lambda vector: False, note)


def one_step(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Sequences of one step, if it raises on each of them and on no other."""
    steps = [v for v in plain if steps_of(v)]
    lack = Lack(ONE_STEP, lambda vector: steps_of(vector) == 1, "it raises for one step alone", False)
    return _refused(trial, steps, lack)


def long_windows(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Windows of more steps than there are, if it raises on each of them and on no other."""
    lack = Lack(LONG_WINDOWS, _beyond, "it raises for n above the number of steps", False)
    return _refused(trial, plain if has_windows(formula) else (), lack)


def masked_rows(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Rows of nothing but masked tokens, if it raises on each of them and on no other."""
    lack = Lack(NO_TOKEN, _has_masked_row, f"{NO_TOKEN} not tested: it raises there")
    return _refused(trial, plain if formula.mask is not None else (), lack)


def _has_masked_row(vector: Vector) -> bool:
    mask = vector.arrays.get(vector.formula.mask.name if vector.formula.mask else "")
    return mask is not None and not np.asarray(mask, bool).any(-1).all()


def _refused(trial: Trial, vectors: Sequence[Vector], lack: Lack) -> Iterator[Lack]:
    """What it lacks, if it raises on every vector that uses it, and answers all others."""
    using = [v for v in vectors if lack.uses(v)]
    others = [v for v in vectors if not lack.uses(v)]
    never = bool(using and others) and all(refuses(trial.tried(v)) for v in using)
    if never and all(answers(trial.tried(v)) for v in others):
        yield lack


def _beyond(vector: Vector) -> bool:
    n = vector.arrays.get("n")
    return "n" in vector.given and n is not None and 0 < steps_of(vector) < float(n) < float("inf")


def one_number_a_call(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Inputs of one entry, if it says of each longer one that it is no single number."""
    one, more = ([v for v in plain if (steps_of(v) > 1) is several] for several in (False, True))
    if one and more and wants_one_number(trial, more) and any(answers(trial.tried(v)) for v in one):
        note = f"{ENTRIES} not supported (it works on one number); tested with one"
        yield Lack(ENTRIES, lambda vector: steps_of(vector) > 1, note)


def infinite(trial: Trial, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Answers that are infinite, if it raises on each what Python's own numbers do."""
    beyond = [v for v in plain if _is_infinite(v)]
    others = [v for v in plain if not _is_infinite(v)]
    said = [o.detail for v in beyond if (o := trial.tried(v)) is not None and o.kind == "raises"]
    never = bool(said) and len(said) == len(beyond) and all(text.startswith(_NO_NUMBER) for text in said)
    if never and any(answers(trial.tried(v)) for v in others):
        yield Lack(INFINITE, _is_infinite, f"it raises where the answer is infinite ({said[0]})")


def masked_logits(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Logits of −∞, as of a masked token, if its answer is nan where the formula has a number."""
    for vector in models(trial, plain):
        logits: Any = vector.arrays.get("logits")
        if logits is None or not logits.ndim or logits.shape[-1] < 2 or not trial.target.takes("logits"):
            continue
        masked = logits.copy()
        masked[..., int(logits.reshape(-1, logits.shape[-1])[0].argmin())] = -np.inf
        asked = changed(vector, "masked", {"logits": masked})
        right, found = run_form(reference(formula), asked), trial.tried(asked)
        if found is None:
            return
        common = right.outputs.keys() & found.outputs.keys()
        if any(np.isfinite(right.outputs[n]).all() and np.isnan(found.outputs[n]).any() for n in common):
            # what no vector asks is said all the same
            trial.target.notes.append("for a logit of −inf, as of a masked token, it answers nan")
            yield Lack(MASKED_LOGITS, lambda vector: False)
            return


def refused_choices(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """Choices that it raises for by their name, as code of three modes does for a fourth."""
    dtype, binding = trial.target.dtypes[0], trial.target.binding
    for p in formula.parameters:
        for choice in p.choices if trial.target.takes(p.name) else ():
            word = choice if binding is None else binding.words.get(choice, choice)

            def uses(vector: Vector, name: str = p.name, choice: str = choice) -> bool:
                return str(vector.arrays.get(name)) == choice

            asked = [v for v in plain if uses(v)] or [changed(plain[0], choice, {p.name: choice})]
            found = [trial.outcome(v, dtype) for v in asked]
            if all(outcome is not None and refuses(outcome) and word in outcome.detail for outcome in found):
                yield Lack(choice_name(p, choice), uses, f"it raises for {p.name} = {choice}")


def _is_infinite(vector: Vector) -> bool:
    return any(isinstance(x, float) and isinf(x) for answer in vector.truth.values() for x in flatten(answer))


def wants_one_number(trial: Trial, vectors: Sequence[Vector]) -> bool:
    """Whether it raises on all of them because an array is no single number."""
    found = [trial.tried(v) for v in vectors]
    return bool(found) and all(
        outcome is not None
        and outcome.kind == "raises"
        and any(words in outcome.detail for words in _ONE_NUMBER)
        for outcome in found
    )
