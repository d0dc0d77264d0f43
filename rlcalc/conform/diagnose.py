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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.compare import CLOSE, outcomes_equal
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.forms import Form
from rlcalc.conform.naming.composition import composed
from rlcalc.conform.naming.constants import fitted, lost_in_float32, slack_of, without_rounding
from rlcalc.conform.naming.hypotheses import Hypothesis, hypotheses
from rlcalc.conform.outcome import Outcome, judge, run_form
from rlcalc.conform.target.base import says_something
from rlcalc.conform.vectors import GENERATED, Vector, length_of, reference


@dataclass(frozen=True)
class Match:
    """A fault, or several, that behave as the target does.

    Attributes:
        faults: one, or an outer and an inner one.
        conventions: under which they were tried.
        shown: vectors on which this differs from the right answer; all agree with the target.
        compared: all vectors compared.
        outside: the faults stand around the conventions.
    """

    faults: tuple[Fault, ...]
    conventions: tuple[Convention, ...]
    shown: tuple[str, ...]
    compared: int
    outside: bool = False

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
LONGEST = 3.5
SHORT = 64  # steps over which two orders of rounding still agree closely


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
    *,
    alone: bool = False,
    single: bool = False,
) -> Diagnosis:
    """Compare a target's outcomes with the catalogue.

    Args:
        vectors: those that were run; the shipped ones first.
        outcomes: by vector id.
        conventions: declared by the user; every fault is tried under them.
        dtype: of the outcomes. That float32 ones lost digits to float32 cannot be said.
        likely: conventions that leave the fewest failures; pairs of faults are tried under them as well.
        effort: shared by all searches for an explanation of the same outcomes.
        alone: try single faults under the declared conventions, and nothing that is combined.
        single: the target computes in float32 somewhere, whatever the dtype of its answers.
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
    asked = _Asked(run, outcomes, dtype, effort.refuted, single)
    until = time.process_time() + effort.left
    tried = 0
    found: list[Match] = []
    for stage in islice(hypotheses(known, conventions, likely, asked.shows), 1 if alone else None):
        found = []
        for hypothesis in stage:
            if hypothesis.searches and not all(map(asked.shows, hypothesis.faults)):
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


def _ranked(found: Sequence[Match]) -> tuple[Match, ...]:
    """Each bug once, with the fewest conventions beside it; the fewest parts first, then what shows most."""
    once: dict[frozenset[str], Match] = {}
    # in another order, or with a constant that was looked for, the same bug says no more
    for match in sorted(found, key=lambda m: (len(m.conventions), _constants(m), -len(m.shown))):
        once.setdefault(frozenset(fault.name for fault in match.faults), match)
    return tuple(sorted(once.values(), key=lambda m: (_constants(m), len(m.conventions), -len(m.shown))))


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
        computes_in: the dtype that rounds them: who computes in float32 agrees with nothing further.
        tolerance: how closely the outcomes and the answers of a fault must agree.
    """

    def __init__(
        self,
        vectors: Sequence[Vector],
        outcomes: Mapping[str, Outcome],
        dtype: str,
        refuted: dict[Any, str],
        single: bool,
    ) -> None:
        self.vectors, self.outcomes, self.dtype, self.refuted = vectors, outcomes, dtype, refuted
        narrow = {kind for o in outcomes.values() for kind in o.dtypes.values()} & {"float32", "float16"}
        self.computes_in = "float32" if single or narrow else dtype
        self.tolerance = CLOSE["float32" if single or narrow else "float64"]
        self.right = reference(vectors[0].formula)
        self._ids = {vector.id for vector in vectors}
        self._slacks: dict[tuple[str, ...], Any] = {}
        self._right_under: dict[tuple[str, ...], Outcome] = {}
        self._shows: dict[str, bool] = {}

    def shows(self, part: Fault | Convention) -> bool:
        """Whether a fault or a convention shows on some vector; an open one raises, and so differs."""
        if isinstance(part, Convention) and part.slack is not None:
            return True  # what it lets pass is seen beside a fault
        if part.name not in self._shows:
            form = part.around(self.right)
            self._shows[part.name] = not all(
                outcomes_equal(run_form(form, v), self._declared((), v), v.scale) for v in self.vectors
            )
        return self._shows[part.name]

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
                self.computes_in,
                hypothesis.faults,
                outside=hypothesis.outside,
            )
            if found is None:
                return None
            hypothesis = replace(hypothesis, faults=found[0], under=found[1])
        # single precision cannot tell a small ε from others
        families = catalogue(self.vectors[0].formula.name).families if self.computes_in == "float32" else ()
        for under in (hypothesis.under, *lost_in_float32(hypothesis.under, families)):
            shown, refuted_by = self._shown(replace(hypothesis, under=under))
            if refuted_by:
                self.refuted[key] = refuted_by
            if shown and (len(hypothesis.faults) < 2 or any(map(self._says_enough, shown))):
                return Match(hypothesis.faults, under, shown, len(self.vectors), hypothesis.outside)
        return None

    def _shown(self, hypothesis: Hypothesis) -> tuple[tuple[str, ...], str]:
        """Vectors that show the faults; none, and which one the target disagrees on, where it does on one."""
        form = composed(hypothesis.faults, hypothesis.under, self.right, hypothesis.outside)
        kinds = {fault.rounds for fault in hypothesis.faults if fault.rounds}
        shown = []
        for vector in self.vectors:
            theirs = self.outcomes[vector.id]
            # a long sum that is rounded is so in an order that is each implementation's own
            steps = length_of(vector) / SHORT if "sums" in kinds else 1.0
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

    def _says_enough(self, vector_id: str) -> bool:
        """Whether the target gave numbers, or refused: nan alone has too many causes to know two bugs by."""
        outcome = self.outcomes[vector_id]
        if outcome.kind == "raises":
            return True
        return outcome.kind == "answer" and any(np.isfinite(x).any() for x in outcome.outputs.values())

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
            self._slacks[key] = slack_of(under, vector, self.computes_in)
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
