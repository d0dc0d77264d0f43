"""A target on vectors: every call is made once, and looked at as often as needed.

A trial is what the parts of a run hand on to each other: the runner judges
by it, the search for generated cases asks more of it, and the diagnosis
compares its outcomes with those of known faults.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, islice
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import Effort
from rlcalc.conform.faults import catalogue
from rlcalc.conform.naming.composition import composed, together
from rlcalc.conform.naming.constants import fitted, lost_in_float32, slack_of, without_rounding
from rlcalc.conform.outcome import Judgement, Outcome, judge, run_form
from rlcalc.conform.target.base import Target
from rlcalc.conform.vectors import GENERATED, Vector, first_quarter, longest, reference
from rlcalc.digits import least_digits
from rlcalc.nested import map_nested, outline

# answers of a convention are those of a float64 form, not exact ones; as many digits as of others, since with
# one less log(p + 1e-10) would pass for log p
CONVENTION_DIGITS = 10.0
# where float32 is computed in somewhere on the way
SINGLE_DIGITS = 5.5
MOST_TOGETHER = 3
# the ids of vectors that no truth is known for, and that are only tried
PROBE = "probe/"
# each costs the start of another process, and says nothing new
MOST_DEATHS = 5


# so many steps take a loop within a loop longer than a call may take
MANY_STEPS = 1000
SLOW = f"takes too long for {MANY_STEPS} steps, and not for {MANY_STEPS // 4}"
# what is being done, how much of it, of how much (0 where it is not known)
Watch = Callable[[str, int, int], None]


class Trial:
    """A target and some vectors.

    Attributes:
        target: may be found to take less than it seemed to.
        stopped: why it is not asked any more; empty while it is.
        slow: vectors that are too long for it.
        batches: whether it may be asked for several rows at once.
        single: it computes in float32 somewhere, so that no more than that is asked of it.
        one_entry: it works on one number, so that its answer may be one where a list of one is asked for.
        strict: whether an answer must have the dtype of its inputs.
        exact: whether every digit of float64 is required.
        watch: hears how far things are.
        effort: what may be spent on explaining wrong answers.
    """

    def __init__(
        self,
        target: Target,
        vectors: Sequence[Vector],
        watch: Watch | None = None,
    ) -> None:
        self.target = target
        self.vectors = vectors
        self.stopped = ""
        self.batches = True
        self.single = False
        self.one_entry = False
        self.strict = False
        self.exact = False
        self.watch: Watch = watch or (lambda *_: None)
        self.known: dict[tuple[str, str, str], Outcome] = {}
        self.slow: set[str] = set()
        self.deaths = 0
        self.tired = False
        self.effort = Effort()

    def outcome(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Outcome | None:
        """What the target does; ``None`` once it hung or died too often, since every call may be another."""
        calls = [c for c in conventions if c.call is not None]
        key = (vector.id, dtype, "+".join(c.name for c in calls))
        if vector.id == GENERATED:  # they share their name, and are asked again on purpose
            return self.target.call(vector, dtype, chain(calls))
        if key not in self.known:
            trying = vector.id.startswith(PROBE)
            if self.stopped or (trying and self.tired):
                return None
            found = self.known[key] = self.target.call(vector, dtype, chain(calls))
            self.deaths += found.died
            if trying and found.kind == "hangs":
                self.tired = True  # what was only tried proves nothing, but each costs its time
            elif found.kind == "hangs" and self._is_slow(vector, dtype):
                self.slow.add(vector.id)
                self.target.notes.append(SLOW)
            elif found.kind == "hangs":
                self.stopped = "another call never came back"
            elif self.deaths >= MOST_DEATHS:
                self.stopped = f"the process had died {self.deaths} times"
        return None if vector.id in self.slow else self.known[key]

    def _is_slow(self, vector: Vector, dtype: str) -> bool:
        """Whether it comes back from a quarter of so many steps: what takes T² is no worse than slow."""
        if longest(vector) < MANY_STEPS:
            return False
        return self.target.call(first_quarter(vector), dtype).kind == "answer"

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """How the arguments are read, which says what can be asked."""
        return () if self.target.binding is None else (self.target.binding,)

    @property
    def dtype(self) -> str:
        """The one to look at: what fails in float32 alone is rounding, unless nothing else was asked for."""
        return "float64" if "float64" in self.target.dtypes else self.target.dtypes[0]

    def tried(self, vector: Vector) -> Outcome | None:
        """The outcome in that dtype, as ``outcome``."""
        return self.outcome(vector, self.dtype)

    def judgement(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Judgement:
        """One vector in one dtype, as right or wrong under conventions."""
        why = self.target.unable(vector)
        if not why and vector.demanded[dtype] == 0:
            why = f"{dtype} cannot hold the input"
        if why:
            return Judgement(vector, dtype, "skipped", why=why)
        outcome = self.outcome(vector, dtype, conventions)
        if outcome is None:
            return Judgement(vector, dtype, "skipped", why=self.stopped or SLOW)
        outcome = _listed(outcome, vector) if self.one_entry else outcome
        wide = vector.demanded["float64"]
        wide = min(wide, CONVENTION_DIGITS) if conventions else wide
        wide = min(wide, _digits_of_float32(vector)) if self.single else wide
        wide = min(wide, self.target.reach(vector))
        if dtype == "float64" and not wide:
            return Judgement(
                vector, dtype, "skipped", why="float32, in which it computes, cannot hold the input"
            )
        asked = replace(vector, demanded={**vector.demanded, "float64": wide})
        truth, without_number = truth_under(vector, conventions) if conventions else (None, set())
        if truth is not None:
            outcome = without_rounding(
                outcome, truth, slack_of(conventions, vector, self._computes_in(dtype))
            )
            some = without_number if any(way.undefined for way in conventions) else set()
            for name in some & vector.truth.keys() & outcome.outputs.keys():
                if np.isfinite(outcome.outputs[name]).all():
                    truth[name] = vector.truth[name]  # a division by 0 excuses no other number
        return judge(asked, outcome, dtype, truth, self.strict)

    def judgements(self, conventions: Sequence[Convention] = ()) -> list[Judgement]:
        """Every vector in every dtype of the target."""
        asked = [(vector, dtype) for dtype in self.target.dtypes for vector in self.vectors]
        found = []
        for number, (vector, dtype) in enumerate(asked):
            self.watch("vectors", number, len(asked))
            found.append(self.judgement(vector, dtype, conventions))
        return found

    def fails(self, conventions: Sequence[Convention] = ()) -> bool:
        """Whether any vector fails under conventions."""
        return any(j.failed for j in self.judgements(conventions))

    def passes(self, conventions: Sequence[Convention] = ()) -> bool:
        """Whether some vector passes under conventions, and none fails."""
        found = self.judgements(conventions)
        return any(j.status == "passed" for j in found) and not any(j.failed for j in found)

    def outcomes(self, conventions: Sequence[Convention], dtype: str) -> dict[str, Outcome]:
        """All outcomes in one dtype by vector."""
        able = [vector for vector in self.vectors if not self.target.unable(vector)]
        found = {vector.id: self.outcome(vector, dtype, conventions) for vector in able}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def with_more(self, vectors: Sequence[Vector]) -> Trial:
        """The same trial with further vectors; what is known already is shared."""
        found = copy(self)
        found.vectors = [*self.vectors, *vectors]
        return found

    def conventions(self) -> tuple[Convention, ...]:
        """The fewest conventions under which every vector passes; empty when none do."""
        if not self.vectors:
            return ()
        declared = catalogue(self.vectors[0].formula.name)
        every = [way for way in (*declared.conventions, *declared.families) if self._may_follow(way)]
        known = sorted(every, key=_says_least)
        # what fails as it is settles most conventions with one comparison
        first = sorted(self.vectors, key=lambda v: not self.judgement(v, self.dtype).failed)
        asked = [(vector, dtype) for vector in first for dtype in self.target.dtypes]
        for count in range(1, min(MOST_TOGETHER, len(known)) + 1):
            for chosen in filter(together, combinations(known, count)):
                if self.stopped:
                    return ()
                self.watch("conventions", 0, 0)
                ways = self._with_constants(chosen, first)
                for reading in self._readings(ways) if ways else ():
                    if self._all_right(asked, reading):
                        return reading
        return ()

    def finer(self, chosen: Sequence[Convention], against: Sequence[Vector]) -> tuple[Convention, ...]:
        """Conventions with another small ε, under which generated cases are right too; empty without one."""
        asked = [(vector, dtype) for vector in (*against, *self.vectors) for dtype in self.target.dtypes]
        return next((ways for ways in self._readings(tuple(chosen)) if self._all_right(asked, ways)), ())

    def _readings(self, chosen: tuple[Convention, ...]) -> Iterator[tuple[Convention, ...]]:
        """Conventions as they are, then with every other ε that single precision cannot tell from theirs."""
        yield chosen
        if self.single:
            yield from lost_in_float32(chosen, catalogue(self.vectors[0].formula.name).families)

    def _all_right(self, asked: Sequence[tuple[Vector, str]], ways: Sequence[Convention]) -> bool:
        """Whether nothing fails under conventions; where none of it can be judged, nothing is right."""
        judged = 0
        for question in asked:
            found = self.judgement(*question, ways)
            if found.failed:
                return False
            judged += found.status != "skipped"
        return judged > 0

    def _may_follow(self, convention: Convention) -> bool:
        """Whether nothing in its signature speaks against a convention, nor every digit that is required."""
        if self.exact and convention.rounds:
            return False
        excluded = self.target.binding.excludes if self.target.binding is not None else ()
        return convention.name not in excluded and not (
            convention.sets and self.target.takes(convention.sets)
        )

    def closest(self) -> tuple[Convention, ...]:
        """Conventions that leave the fewest failures, of those that need no constant; often none.

        One after the other is added while it makes a vector right that was wrong.
        """
        if not self.vectors or self.stopped:
            return ()
        known = catalogue(self.vectors[0].formula.name).conventions
        ways = [c for c in known if c.call is None and self._may_follow(c)]
        chosen: tuple[Convention, ...] = ()
        # what fails as it is settles most conventions soon
        first = sorted(self.vectors, key=lambda v: not self.judgement(v, self.dtype).failed)
        least = self._failures(chosen, first, len(first))
        while least and len(chosen) < MOST_TOGETHER:
            best = chosen
            for some in [(*chosen, way) for way in ways if way not in chosen and together((*chosen, way))]:
                failed = self._failures(some, first, least)
                if failed < least:
                    least, best = failed, some
            if best == chosen:
                break
            chosen = best
        return chosen

    def _failures(self, conventions: tuple[Convention, ...], vectors: Sequence[Vector], most: int) -> int:
        """How many fail, or so many that it is no matter how many more."""
        failed = (v for v in vectors if self.judgement(v, self.dtype, conventions).failed)
        return sum(1 for _ in islice(failed, most))

    def _with_constants(
        self, chosen: tuple[Convention, ...], vectors: Sequence[Vector]
    ) -> tuple[Convention, ...] | None:
        """Conventions with the constants that the target has; ``None`` where it has none."""
        if not any(convention.open for convention in chosen):
            return chosen
        dtype = self.dtype
        able = [v for v in vectors if v.demanded[dtype] and not self.target.unable(v)]
        calls = tuple(c for c in chosen if not c.open)
        found = fitted(chosen, able, lambda v: self.outcome(v, dtype, calls), self._computes_in(dtype))
        return None if found is None else found[1]

    def _computes_in(self, dtype: str) -> str:
        return "float32" if self.single else dtype


def _says_least(convention: Convention) -> bool:
    """Whether it forgives rounding, and no more; what says more is tried first."""
    return convention.slack is not None and not convention.constants


def _digits_of_float32(vector: Vector) -> float:
    """What float32 somewhere on the way leaves of an answer: less over many steps."""
    demanded = vector.demanded["float32"]
    steps = max((n for a in vector.arrays.values() for n in getattr(a, "shape", ())), default=1)
    return demanded and max(demanded, SINGLE_DIGITS - math.log10(max(1.0, steps / 64)))


def truth_under(vector: Vector, conventions: Sequence[Convention]) -> tuple[dict[str, Any], set[str]]:
    """What is right under conventions: exact where they change nothing, else from the float64 form.

    Beside it the outputs that are no number there, as 0/0.
    """
    form = composed((), conventions, reference(vector.formula))
    outcome = run_form(form, vector)
    found: dict[str, Any] = {}
    silent: set[str] = set()
    for name, array in outcome.outputs.items():
        got = array.tolist()
        certified = vector.truth.get(name)
        alike = certified is not None and outline(certified) == outline(got)
        if alike and least_digits(got, certified, "float64", vector.scale) >= CONVENTION_DIGITS:
            found[name] = certified
        elif not any(math.isnan(part) for part in array.ravel().tolist()):
            found[name] = map_nested(lambda x: Fraction(x) if math.isfinite(x) else x, got)
        else:
            silent.add(name)
    return found, silent


def _listed(outcome: Outcome, vector: Vector) -> Outcome:
    """With single numbers as lists of one, where the truth is one."""
    single = {
        name: value.reshape(1)
        for name, value in outcome.outputs.items()
        if not value.ndim and outline(vector.truth.get(name)) == outline([0])
    }
    return replace(outcome, outputs={**outcome.outputs, **single})


def chain(conventions: Sequence[Convention]) -> Any:
    """What conventions do to the arguments of a call; ``None`` when nothing."""
    if not conventions:
        return None

    def change(arguments: dict[str, Any]) -> dict[str, Any]:
        for convention in conventions:
            arguments = convention.call(arguments) if convention.call is not None else arguments
        return arguments

    return change
