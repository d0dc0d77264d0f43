"""Which known fault does a target have?

Its answers are compared with those of every fault of the formula, of every
pair that can stand together, and of every fault under a convention. A match
is agreement on all vectors that were run, of which at least one must show
the fault; a fault that matches only where it is right explains nothing.

A fault that only rounds (to float32, somewhere) cannot be identified by its last
digits, which depend on the order of operations. It matches a target that is
off by no more than float32 makes it, on exactly the vectors on which this
fault shows: those whose inputs float32 does not hold.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.compare import CLOSE, outcomes_equal
from rlcalc.conform.composition import composed, pairs, together
from rlcalc.conform.constants import fitted, slack_of, without_rounding
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import Outcome, judge, run_form
from rlcalc.conform.target.base import says_something
from rlcalc.conform.vectors import GENERATED, Vector, reference


@dataclass(frozen=True)
class Match:
    """A fault, or several, that behave as the target does.

    Attributes:
        faults: one, or an outer and an inner one.
        conventions: under which they were tried.
        shown: vectors on which this differs from the right answer; all agree with the target.
        compared: all vectors compared.
    """

    faults: tuple[Fault, ...]
    conventions: tuple[Convention, ...]
    shown: tuple[str, ...]
    compared: int

    @property
    def name(self) -> str:
        words = " + ".join(fault.name for fault in self.faults)
        under = " and ".join(convention.name for convention in self.conventions)
        return f"{words} (under {under})" if under else words


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        matches: all that agree everywhere; simplest first. Empty when none does.
        nearest: the fault that agrees on most vectors which show it, with counts; only without a match.
        tried: how many faults, pairs and faults under conventions were compared.
    """

    matches: tuple[Match, ...] = ()
    nearest: tuple[str, int, int] | None = None
    tried: int = 0
    notes: list[str] = field(default_factory=list)


# seconds of computing after which no further explanation is tried
LONGEST = 8.0
SHORT = 64  # steps over which two orders of rounding still agree closely


@dataclass(frozen=True)
class Trial:
    """One explanation to try: faults, conventions that may be open, and which stands around the other."""

    faults: tuple[Fault, ...]
    under: tuple[Convention, ...]
    outside: bool = False

    @property
    def searches(self) -> bool:
        """Whether constants have to be found first."""
        return any(convention.open for convention in self.under)


def diagnose(
    vectors: Sequence[Vector],
    outcomes: Mapping[str, Outcome],
    conventions: tuple[Convention, ...] = (),
    dtype: str = "float64",
    likely: tuple[Convention, ...] = (),
) -> Diagnosis:
    """Compare a target's outcomes with the catalogue.

    Args:
        vectors: those that were run; the shipped ones first.
        outcomes: by vector id.
        conventions: declared by the user; every fault is tried under them.
        dtype: of the outcomes. That float32 ones lost digits to float32 cannot be said.
        likely: conventions that leave the fewest failures; pairs of faults are tried under them as well.
    """
    run = [
        v
        for v in vectors
        if v.id in outcomes and v.demanded[dtype] and judge(v, outcomes[v.id], dtype).status != "skipped"
    ]
    if not run:
        return Diagnosis()
    known = catalogue(run[0].formula.name)
    if dtype != "float64":
        known = replace(known, faults=tuple(fault for fault in known.faults if not fault.rounds))
    tolerance = _tolerance(outcomes.values())
    # vectors that fail first: nearly every fault is out after one of them
    run.sort(key=lambda v: not judge(v, outcomes[v.id], dtype).failed)
    shows = _showing(known.faults, run)
    tried, until = 0, time.process_time() + LONGEST
    for stage in _trials(known, conventions, likely):
        found = []
        for trial in stage:
            if trial.searches and not shows & {fault.name for fault in trial.faults}:
                continue
            if time.process_time() > until:
                break
            tried += 1
            match = _match(trial, run, outcomes, tolerance, dtype)
            if match is not None:
                found.append(match)
        if found:
            return Diagnosis(_ranked(_plainest(found, run)), None, tried)
    return Diagnosis((), _nearest(known, conventions or likely, run, outcomes, tolerance, dtype), tried)


def _showing(faults: Sequence[Fault], vectors: Sequence[Vector]) -> set[str]:
    """Faults that make a difference on some vector; beside others no constant is worth a search."""
    right = reference(vectors[0].formula)
    answers = [(vector, run_form(right, vector)) for vector in vectors]
    return {
        fault.name
        for fault in faults
        if not all(outcomes_equal(run_form(fault.around(right), v), found, v.scale) for v, found in answers)
    }


def _trials(
    known: Catalogue, conventions: tuple[Convention, ...], likely: tuple[Convention, ...]
) -> Iterable[Iterable[Trial]]:
    """Simplest explanations first; the next stage is entered only when one explains nothing."""
    yield _both_ways([(fault,) for fault in known.faults], conventions)
    others = [c for c in (*known.conventions, *known.families) if c not in conventions and c.call is None]
    # a mean of losses is two conventions, and the rule among libraries; a dual clip makes it three
    for count in (1, 2, 3):
        ways = [way for way in combinations(others, count) if _sensible((*conventions, *way))]
        yield [
            trial
            for way in ways
            for trial in _both_ways([(fault,) for fault in known.faults], (*conventions, *way))
        ]
    both = list(pairs(known.faults))
    alone = [(*conventions, c) for c in others if not c.open and together((*conventions, c))]
    closer = (*conventions, *(c for c in likely if c not in conventions))
    for under in {tuple(c.name for c in some): some for some in (conventions, closer, *alone)}.values():
        yield _both_ways(both, under)


def _sensible(under: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once; of several constants one is looked for beside a fault."""
    return together(under) and sum(convention.open for convention in under) < 2


def _both_ways(faults: Sequence[tuple[Fault, ...]], under: tuple[Convention, ...]) -> list[Trial]:
    """Faults inside of conventions, and around them where that is another thing."""
    inside = [Trial(some, under) for some in faults]
    outer = [some for some in faults if under and any(fault.stage != "whole" for fault in some)]
    return inside + [Trial(some, under, outside=True) for some in outer]


def _ranked(found: Sequence[Match]) -> tuple[Match, ...]:
    """One of several that differ in their order alone; the fewest parts first, then what shows most."""
    parts: dict[tuple[frozenset[str], frozenset[str]], Match] = {}
    for match in found:
        faults = frozenset(fault.name for fault in match.faults)
        parts.setdefault((faults, frozenset(c.name for c in match.conventions)), match)
    # the same fault needs no more conventions than the fewest
    fewest: dict[frozenset[str], int] = {}
    for (faults, under), _ in parts.items():
        fewest[faults] = min(fewest.get(faults, len(under)), len(under))
    kept = [match for (faults, under), match in parts.items() if len(under) == fewest[faults]]
    order = sorted(kept, key=lambda m: (_constants(m), len(m.conventions), -len(m.shown)))
    # where a name says all, the same with a constant that was looked for says no more
    plain = {frozenset(f.name for f in m.faults) for m in order if not _constants(m)}
    return tuple(m for m in order if not _constants(m) or frozenset(f.name for f in m.faults) not in plain)


def _plainest(found: Sequence[Match], run: Sequence[Vector]) -> Sequence[Match]:
    """Without faults that are others by inputs alone which no vector had."""
    had = {name for v in run for name in v.given if says_something(v, name)}
    plain = [m for m in found if all(not f.presumes or had & {*f.presumes} for f in m.faults)]
    return plain or found


def _constants(match: Match) -> int:
    return sum("=" in convention.name for convention in match.conventions)


def _match(
    trial: Trial,
    vectors: Sequence[Vector],
    outcomes: Mapping[str, Outcome],
    tolerance: float,
    dtype: str,
) -> Match | None:
    """The faults as a match, if the target agrees with them on every vector and some vector shows them."""
    under: tuple[Convention, ...] | None = trial.under
    if trial.searches:
        under = fitted(
            trial.under, vectors, lambda v: outcomes[v.id], dtype, trial.faults, outside=trial.outside
        )
    if under is None:
        return None
    shown = _shown(trial, under, vectors, outcomes, tolerance, dtype)
    return Match(trial.faults, under, shown, len(vectors)) if shown else None


def _shown(
    trial: Trial,
    under: tuple[Convention, ...],
    vectors: Sequence[Vector],
    outcomes: Mapping[str, Outcome],
    tolerance: float,
    dtype: str,
) -> tuple[str, ...]:
    """Vectors that show the faults, if the target agrees with them on every one; else none."""
    faults = trial.faults
    right = reference(vectors[0].formula)
    form, declared = composed(faults, under, right, trial.outside), composed((), under, right)
    rounds = any(fault.rounds for fault in faults)
    shown = []
    for vector in vectors:
        # a long sum that is rounded is so in an order that is each implementation's own
        steps = _longest(vector) / SHORT if any(fault.rounds == "sums" for fault in faults) else 1.0
        if rounds:
            tolerance = CLOSE["rounded"] * max(1.0, steps)
        mine = run_form(form, vector)
        theirs = without_rounding(outcomes[vector.id], mine.outputs, slack_of(under, vector, dtype))
        if not outcomes_equal(mine, theirs, vector.scale, tolerance):
            return ()
        # what the target does not say cannot show anything
        both = {name: mine.outputs[name] for name in mine.outputs.keys() & outcomes[vector.id].outputs.keys()}
        said = replace(mine, outputs=both)
        wrong = _inexact(vector, said, dtype)
        # of generated cases there is one, and it was looked for where the target rounds and we may not
        comparable = rounds and steps <= 1.0 and vector.id != GENERATED
        if comparable and wrong != _inexact(vector, outcomes[vector.id], dtype):
            return ()
        # under a convention another answer is right, and only what differs from that is the fault
        if under and outcomes_equal(said, run_form(declared, vector), vector.scale):
            continue
        if wrong:
            shown.append(vector.id)
    return tuple(shown)


def _longest(vector: Vector) -> int:
    """Entries along the longest axis of a vector's inputs."""
    return max((n for x in vector.arrays.values() for n in getattr(x, "shape", ())), default=1)


def _inexact(vector: Vector, outcome: Outcome, dtype: str) -> bool:
    """Whether an outcome is wrong in its numbers, whatever their dtype."""
    return judge(vector, outcome, dtype).status not in ("passed", "skipped", "wrong-dtype", "changes-inputs")


def _nearest(
    known: Catalogue,
    under: tuple[Convention, ...],
    vectors: Sequence[Vector],
    outcomes: Mapping[str, Outcome],
    tolerance: float,
    dtype: str,
) -> tuple[str, int, int] | None:
    """The fault that agrees with most of the target's wrong answers; a refusal is no answer."""
    right = composed((), under, reference(vectors[0].formula))
    answered = [v for v in vectors if outcomes[v.id].kind == "answer"]
    wrong = [v for v in answered if judge(v, outcomes[v.id], dtype).failed]
    if under:
        wrong = [
            v for v in wrong if not outcomes_equal(run_form(right, v), outcomes[v.id], v.scale, tolerance)
        ]
    best: tuple[str, int, int] | None = None
    for fault in known.faults:
        if fault.rounds:  # to be near is all that it says
            continue
        form = composed((fault,), under, reference(vectors[0].formula))
        agree = sum(outcomes_equal(run_form(form, v), outcomes[v.id], v.scale, tolerance) for v in wrong)
        if agree and (best is None or agree > best[1]):
            best = (fault.name, agree, len(wrong))
    return best


def _tolerance(outcomes: Iterable[Outcome]) -> float:
    """A target that computes in float32 agrees with nothing to more digits than that."""
    single = any(kind in ("float32", "float16") for o in outcomes for kind in o.dtypes.values())
    return CLOSE["float32" if single else "float64"]
