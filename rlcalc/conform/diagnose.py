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
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.compare import CLOSE, outcomes_equal
from rlcalc.conform.composition import composed, pairs, together
from rlcalc.conform.constants import fitted, slack_of, without_rounding
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.forms import Form
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


# seconds of computing for explanations, in one run
LONGEST = 8.0
SHORT = 64  # steps over which two orders of rounding still agree closely


@dataclass(frozen=True)
class Hypothesis:
    """An explanation to try: faults, conventions that may be open, and which stands around the other."""

    faults: tuple[Fault, ...]
    under: tuple[Convention, ...]
    outside: bool = False

    @property
    def searches(self) -> bool:
        """Whether constants have to be found first."""
        parts: list[Fault | Convention] = [*self.faults, *self.under]
        return any(part.open for part in parts)

    @property
    def key(self) -> tuple[Any, ...]:
        return self.outside, *(fault.name for fault in self.faults), *(way.name for way in self.under)


@dataclass
class Effort:
    """What one run may spend on explanations, however often it looks for one.

    Attributes:
        left: seconds of computing after which no further explanation is tried.
        refuted: the vector whose answer an explanation does not give, by the explanation and the tolerance.
    """

    left: float = field(default_factory=lambda: LONGEST)
    refuted: dict[tuple[Any, ...], str] = field(default_factory=dict)


def diagnose(
    vectors: Sequence[Vector],
    outcomes: Mapping[str, Outcome],
    conventions: tuple[Convention, ...] = (),
    dtype: str = "float64",
    likely: tuple[Convention, ...] = (),
    effort: Effort | None = None,
) -> Diagnosis:
    """Compare a target's outcomes with the catalogue.

    Args:
        vectors: those that were run; the shipped ones first.
        outcomes: by vector id.
        conventions: declared by the user; every fault is tried under them.
        dtype: of the outcomes. That float32 ones lost digits to float32 cannot be said.
        likely: conventions that leave the fewest failures; pairs of faults are tried under them as well.
        effort: shared by all searches for an explanation of the same outcomes.
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
    # vectors that fail first: nearly every fault is out after one of them
    run.sort(key=lambda v: not judge(v, outcomes[v.id], dtype).failed)
    effort = effort or Effort()
    asked, until = _Asked(run, outcomes, dtype, effort.refuted), time.process_time() + effort.left
    tried, shows = 0, asked.making_a_difference(known.faults)
    found: list[Match] = []
    for stage in _hypotheses(known, conventions, likely):
        found = []
        for hypothesis in stage:
            if hypothesis.searches and not shows & {fault.name for fault in hypothesis.faults}:
                continue
            if time.process_time() > until:
                break
            tried += 1
            match = asked.match(hypothesis)
            if match is not None:
                found.append(match)
        if found or time.process_time() > until:
            break
    effort.left = until - time.process_time()
    if found:
        return Diagnosis(_ranked(_plainest(found, run)), None, tried)
    return Diagnosis((), asked.nearest(known.faults, conventions or likely), tried)


def _hypotheses(
    known: Catalogue, conventions: tuple[Convention, ...], likely: tuple[Convention, ...]
) -> Iterable[Iterable[Hypothesis]]:
    """Simplest explanations first; the next stage is entered only when one explains nothing."""
    yield _both_ways([(fault,) for fault in known.faults], conventions)
    others = [c for c in (*known.conventions, *known.families) if c not in conventions and c.call is None]
    # a mean of losses is two conventions, and the rule among libraries; a dual clip makes it three
    for count in (1, 2, 3):
        ways = [way for way in combinations(others, count) if _sensible((*conventions, *way))]
        yield [
            hypothesis
            for way in ways
            for hypothesis in _both_ways([(fault,) for fault in known.faults], (*conventions, *way))
        ]
    both = list(pairs(known.faults))
    alone = [(*conventions, c) for c in others if not c.open and together((*conventions, c))]
    closer = (*conventions, *(c for c in likely if c not in conventions))
    for under in {tuple(c.name for c in some): some for some in (conventions, closer, *alone)}.values():
        yield _both_ways(both, under)


def _sensible(under: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once; of several constants one is looked for beside a fault."""
    return together(under) and sum(convention.open for convention in under) < 2


def _both_ways(faults: Sequence[tuple[Fault, ...]], under: tuple[Convention, ...]) -> list[Hypothesis]:
    """Faults inside of conventions, and around them where that is another thing."""
    if any(way.open for way in under):  # one constant at a time
        faults = [some for some in faults if not any(fault.open for fault in some)]
    inside = [Hypothesis(some, under) for some in faults]
    outer = [some for some in faults if under and any(fault.stage != "whole" for fault in some)]
    return inside + [Hypothesis(some, under, outside=True) for some in outer]


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


class _Asked:
    """The answers that an explanation has to give.

    Attributes:
        vectors: those that fail first.
        outcomes: what the target did, by vector.
        dtype: of the outcomes.
        refuted: as that of ``Effort``.
        tolerance: how closely the outcomes and the answers of a fault must agree.
    """

    def __init__(
        self, vectors: Sequence[Vector], outcomes: Mapping[str, Outcome], dtype: str, refuted: dict[Any, str]
    ) -> None:
        self.vectors, self.outcomes, self.dtype, self.refuted = vectors, outcomes, dtype, refuted
        self.tolerance = _tolerance(outcomes.values())
        self.right = reference(vectors[0].formula)
        self._ids = {vector.id for vector in vectors}
        self._slacks: dict[tuple[str, ...], Any] = {}
        self._right_under: dict[tuple[str, ...], Outcome] = {}

    def making_a_difference(self, faults: Sequence[Fault]) -> set[str]:
        """Faults that show on some vector; beside others no constant is worth a search."""
        answers = [(vector, run_form(self.right, vector)) for vector in self.vectors]
        return {
            fault.name
            for fault in faults
            if not all(
                outcomes_equal(run_form(fault.around(self.right), v), found, v.scale) for v, found in answers
            )
        }

    def match(self, hypothesis: Hypothesis) -> Match | None:
        """The faults as a match, if the target agrees with them on every vector and some show them."""
        key = (*hypothesis.key, self.tolerance)
        if self.refuted.get(key) in self._ids:
            return None
        if hypothesis.searches:
            outcomes = self.outcomes
            found = fitted(
                hypothesis.under,
                self.vectors,
                lambda v: outcomes[v.id],
                self.dtype,
                hypothesis.faults,
                outside=hypothesis.outside,
            )
            if found is None:
                return None
            hypothesis = replace(hypothesis, faults=found[0], under=found[1])
        shown, refuted_by = self._shown(hypothesis)
        if refuted_by:
            self.refuted[key] = refuted_by
        return Match(hypothesis.faults, hypothesis.under, shown, len(self.vectors)) if shown else None

    def _shown(self, hypothesis: Hypothesis) -> tuple[tuple[str, ...], str]:
        """Vectors that show the faults; none, and which one the target disagrees on, where it does on one."""
        form = composed(hypothesis.faults, hypothesis.under, self.right, hypothesis.outside)
        kinds = {fault.rounds for fault in hypothesis.faults if fault.rounds}
        shown = []
        for vector in self.vectors:
            theirs = self.outcomes[vector.id]
            # a long sum that is rounded is so in an order that is each implementation's own
            steps = _longest(vector) / SHORT if "sums" in kinds else 1.0
            tolerance = CLOSE["rounded"] * max(1.0, steps) if kinds else self.tolerance
            mine = self._where_something_is_right(hypothesis.under, vector, run_form(form, vector))
            if mine.kind == theirs.kind == "answer" and not mine.outputs.keys() & theirs.outputs.keys():
                continue
            near = without_rounding(theirs, mine.outputs, self._slack(hypothesis.under, vector))
            if not outcomes_equal(mine, near, vector.scale, tolerance):
                return (), vector.id
            # what the target does not say cannot show anything
            both = {name: mine.outputs[name] for name in mine.outputs.keys() & theirs.outputs.keys()}
            said = replace(mine, outputs=both)
            wrong = self._inexact(vector, said)
            # of generated cases there is one, and it was looked for where the target rounds and we may not
            comparable = kinds and steps <= 1.0 and vector.id != GENERATED
            if comparable and wrong != self._inexact(vector, theirs):
                return (), vector.id
            # under a convention another answer is right, and only what differs from that is the fault
            if hypothesis.under and outcomes_equal(
                said, self._declared(hypothesis.under, vector), vector.scale
            ):
                continue
            if wrong:
                shown.append(vector.id)
        return tuple(shown), ""

    def _declared(self, under: tuple[Convention, ...], vector: Vector) -> Outcome:
        """What is right under conventions, which is the same beside every fault."""
        key = (vector.id, *(way.name for way in under))
        if key not in self._right_under:
            self._right_under[key] = run_form(composed((), under, self.right), vector)
        return self._right_under[key]

    def _where_something_is_right(
        self, under: tuple[Convention, ...], vector: Vector, mine: Outcome
    ) -> Outcome:
        """Without the outputs of which no number is right under conventions: of these nothing is asked."""
        if not under:
            return mine
        right = self._declared(under, vector).outputs
        silent = {name for name, value in right.items() if np.isnan(value).any()}
        return replace(mine, outputs={n: v for n, v in mine.outputs.items() if n not in silent})

    def _slack(self, under: tuple[Convention, ...], vector: Vector) -> Any:
        """``slack_of``, which is the same beside every fault."""
        if not any(way.slack is not None for way in under):
            return 0.0
        key = (vector.id, *(way.name for way in under))
        if key not in self._slacks:
            self._slacks[key] = slack_of(under, vector, self.dtype)
        return self._slacks[key]

    def _inexact(self, vector: Vector, outcome: Outcome) -> bool:
        """Whether an outcome is wrong in its numbers, whatever their dtype."""
        status = judge(vector, outcome, self.dtype).status
        return status not in ("passed", "skipped", "wrong-dtype", "changes-inputs")

    def nearest(self, faults: Sequence[Fault], under: tuple[Convention, ...]) -> tuple[str, int, int] | None:
        """The fault that agrees with most of the target's wrong answers; a refusal is no answer."""
        declared = composed((), under, self.right)
        answered = [v for v in self.vectors if self.outcomes[v.id].kind == "answer"]
        wrong = [v for v in answered if judge(v, self.outcomes[v.id], self.dtype).failed]
        if under:
            wrong = [v for v in wrong if not self._agrees(declared, v)]
        best: tuple[str, int, int] | None = None
        for fault in faults:
            if fault.rounds:  # to be near is all that it says
                continue
            form = composed((fault,), under, self.right)
            agree = sum(self._agrees(form, v) for v in wrong)
            if agree and (best is None or agree > best[1]):
                best = (fault.name, agree, len(wrong))
        return best

    def _agrees(self, form: Form, vector: Vector) -> bool:
        return outcomes_equal(run_form(form, vector), self.outcomes[vector.id], vector.scale, self.tolerance)


def _longest(vector: Vector) -> int:
    """Entries along the longest axis of a vector's inputs."""
    return max((n for x in vector.arrays.values() for n in getattr(x, "shape", ())), default=1)


def _tolerance(outcomes: Iterable[Outcome]) -> float:
    """A target that computes in float32 agrees with nothing to more digits than that."""
    single = any(kind in ("float32", "float16") for o in outcomes for kind in o.dtypes.values())
    return CLOSE["float32" if single else "float64"]
