"""Right answers to another question: of another formula, or without a convention that was declared.

A function called gae that gives λ-returns has no fault in it. It is said to
be what it is where all of its answers are those of the other formula, and
enough of them are no answers of the one that it was judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from rlcalc.conform.compare import CLOSE, all_close
from rlcalc.conform.convention import Constant, Convention, as_typed
from rlcalc.conform.faults import catalogue
from rlcalc.conform.forms import Form
from rlcalc.conform.naming.composition import composed
from rlcalc.conform.naming.constants import fitted
from rlcalc.conform.outcome import Outcome, run_form
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector, answer_name, reference
from rlcalc.specs import Formula, load_formula

# what is computed from rewards and values of one sequence, the simplest first
FAMILY = {
    "td_error": "TD errors",
    "discounted_return": "discounted returns",
    "lambda_return": "λ-returns",
    "gae": "advantages of GAE",
    "n_step_return": "n-step returns",
}
# what one flag, or values without the last one, make of any of them
USUAL = ("truncation-as-termination", "no-bootstrap")
LEAST = 3
# constants that no convention has, and what is known about who has them
NEVER = {
    "dual-clip": (Constant("c", 0.0, 1.0), "which must be above 1: known bug dual-clip-below-one"),
}


def recognised(
    trial: Trial, outcomes: Mapping[str, Outcome], chosen: Sequence[Convention], dtype: str
) -> list[str]:
    """In a sentence each, what a wrong function is right about."""
    return [
        *_undeclared(trial, chosen, dtype),
        *_out_of_range(trial, chosen, dtype),
        *_elsewhere(trial, outcomes, dtype),
    ]


def named_otherwise(name: str, formula: Formula, chosen: Sequence[Convention]) -> Iterator[str]:
    """That a function is called after another choice than the one that it is right for."""
    words = name.rpartition(":")[2].lower()
    for way in chosen:
        named = [p for p in formula.parameters if p.name == way.sets and p.kind == "choice"]
        choices = [choice for p in named for choice in p.choices if choice.replace("-", "_") in words]
        if choices and way.value not in choices:
            yield f"its name says {max(choices, key=len)}, and it computes {way.value}"


def _undeclared(trial: Trial, chosen: Sequence[Convention], dtype: str) -> Iterator[str]:
    """Declared conventions that it does not follow, and is right for that."""
    for left_out in chosen:
        others = [way for way in chosen if way is not left_out]
        judged = [trial.judgement(vector, dtype, others) for vector in trial.vectors]
        if any(j.status == "passed" for j in judged) and not any(j.failed for j in judged):
            yield f"It is right without {left_out.name}, which was declared and which it does not follow."


def _out_of_range(trial: Trial, chosen: Sequence[Convention], dtype: str) -> Iterator[str]:
    """Conventions that it follows with a constant that they must not have."""
    for family in catalogue(trial.vectors[0].formula.name).families:
        if family.name not in NEVER or any(way.name.startswith(family.name) for way in chosen):
            continue
        constant, words = NEVER[family.name]
        able = [v for v in trial.vectors if v.demanded[dtype] and not trial.target.unable(v)]
        first = sorted(able, key=lambda v: not trial.judgement(v, dtype, chosen).failed)
        wrong = replace(family, constants=(constant,))
        _, ways = fitted((*chosen, wrong), first, lambda v: trial.outcome(v, dtype), dtype) or ((), ())
        if ways and not any(trial.judgement(v, dtype, ways).failed for v in able):
            values = next(way.values for way in ways if way.constants == wrong.constants)
            yield f"It follows {family.name} with {constant.name} = {as_typed(values[0])}, {words}."


def _elsewhere(trial: Trial, outcomes: Mapping[str, Outcome], dtype: str) -> Iterator[str]:
    """The first other formula of the family that gives all of its answers."""
    formula = trial.vectors[0].formula
    answered = [v for v in trial.vectors if v.id in outcomes and outcomes[v.id].kind == "answer"]
    wrong = [v for v in answered if trial.judgement(v, dtype).failed]
    if formula.name not in FAMILY or len(wrong) < LEAST:
        return
    # those that fail first: nearly every formula is out after one of them
    first = [*wrong, *(v for v in answered if v not in wrong)]
    for name in (name for name in FAMILY if name != formula.name):
        other = load_formula(name)
        for ways in _ways(name):
            form = composed((), ways, reference(other))
            if all(_gives(form, other, formula, v, outcomes[v.id]) for v in first):
                under = f" under {' and '.join(way.name for way in ways)}" if ways else ""
                yield (
                    f"It gives {FAMILY[name]}{under}, on all {len(answered)} cases: "
                    f"try --formula {other.command}."
                )
                return


def _ways(formula: str) -> Iterator[tuple[Convention, ...]]:
    known = [way for way in catalogue(formula).conventions if way.name in USUAL]
    for count in range(len(known) + 1):
        yield from combinations(known, count)


def _gives(form: Form, other: Formula, formula: Formula, vector: Vector, outcome: Outcome) -> bool:
    """Whether the other formula answers a vector as the target did."""
    arrays = {p.name: vector.arrays.get(p.name) for p in other.parameters}
    # what lacks an input raises, and gives nothing
    found = run_form(form, replace(vector, formula=other, arrays=arrays))
    theirs, own = found.outputs.get(answer_name(other)), outcome.outputs
    name = answer_name(formula)
    if theirs is None or (name not in own and len(own) != 1):
        return False
    # an answer may be read as another output, which it is not
    answer = own[name] if name in own else next(iter(own.values()))
    return all_close(theirs, answer, vector.scale, CLOSE["float64"])
