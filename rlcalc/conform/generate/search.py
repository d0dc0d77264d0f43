"""Generated cases against exact arithmetic, shrunk to the smallest that fails.

Drafts are drawn by ``drawing``; here they are put to a target until one
fails, and that one is made small by ``shrink``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlcalc.conform.convention import Convention
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.generate.drawing import cannot_generate, drafts, hypothesis_or_refuse
from rlcalc.conform.generate.restated import as_taken
from rlcalc.conform.generate.shrink import attempts_for, shrink
from rlcalc.conform.outcome import Judgement, wrong_row
from rlcalc.conform.trial import Trial
from rlcalc.specs import Formula

# seconds for cases, and then for a smaller one: a compiler works again for every length
LONGEST, LONGEST_SMALLER = 120.0, 60.0


@dataclass(frozen=True)
class FailingCase:
    """A failing case, shrunk.

    Attributes:
        judgement: what the target did; its vector holds the case.
        rows: exact inputs as text, one per entry of the batch.
        row: the first entry of the batch that is wrong.
        flaky: the target did not give the same answer twice.
    """

    judgement: Judgement
    rows: tuple[dict[str, Any], ...]
    row: int = 0
    flaky: bool = False


class _Fails(AssertionError):
    """The target failed on the case at hand."""


class _Enough(AssertionError):
    """The time for cases is over."""


def search(
    trial: Trial,
    formula: Formula,
    conventions: Sequence[Convention],
    count: int,
    seed: int,
    batches: bool = True,
) -> tuple[int, FailingCase | None, str]:
    """Run generated cases: how many, the smallest failing one, and why none ran.

    Raises:
        InputError: ``hypothesis_missing``, whatever the trial says.
    """
    hypothesis = hypothesis_or_refuse()
    why = trial.stopped or cannot_generate(formula)
    if why:
        return 0, None, why
    target, ran, worst = trial.target, 0, None

    def judgement_of(draft: Draft) -> Judgement | None:
        nonlocal ran
        case = draft.vector(formula)
        if case is None:
            return None
        judgement = trial.judgement(case, draft.dtype, conventions)
        ran += judgement.status != "skipped"  # what it has no place for says nothing
        trial.watch("generated cases", min(ran, count), count)
        return judgement

    def failed(draft: Draft, judgement: Judgement) -> bool:
        unsure = judgement.status == "wrong" and draft.dtype == "float32"
        return judgement.failed and not (unsure and draft.next_to_a_jump(formula))

    until = time.monotonic() + LONGEST

    def attempt(draft: Draft) -> None:
        nonlocal worst
        if time.monotonic() > until and worst is None:
            raise _Enough
        draft = as_taken(draft, formula, trial.bindings)
        judgement = judgement_of(draft)
        if judgement is None:
            hypothesis.reject()
        elif failed(draft, judgement):
            worst = draft
            raise _Fails

    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    test = hypothesis.given(drafts(formula, target.accepts, target.dtypes, batches))(attempt)
    test = hypothesis.seed(seed)(settings(test))
    try:
        with warnings.catch_warnings():
            # of a failing draft it writes the text, which is not read here, and warns of its length
            warnings.simplefilter("ignore", hypothesis.errors.HypothesisWarning)
            test()
    except (_Fails, _Enough):
        pass
    except (hypothesis.errors.Unsatisfiable, hypothesis.errors.Flaky):
        pass
    if not ran:
        return 0, None, "could not generate a case the function accepts"
    cases = ran
    found = None if worst is None else _smallest(formula, worst, judgement_of, failed, target.dtypes)
    return cases, found, ""


def _smallest(
    formula: Formula,
    draft: Draft,
    ask: Callable[[Draft], Judgement | None],
    failed: Callable[[Draft, Judgement], bool],
    dtypes: Sequence[str],
) -> FailingCase | None:
    until = time.monotonic() + LONGEST_SMALLER
    first = ask(draft)
    if first is None or not first.failed:
        # it failed a moment ago: the target does not give the same answer twice
        return _found(draft, first, True) if first is not None else None

    def fails(other: Draft) -> bool:
        judgement = ask(other) if time.monotonic() < until else None
        return judgement is not None and judgement.status == first.status and failed(other, judgement)

    wide = replace(draft, dtype="float64")
    if draft.dtype != "float64" and "float64" in dtypes and fails(wide):
        draft = wide
    small = shrink(formula, draft, fails, attempts_for(first))
    return _found(small, ask(small) or first, False)


def _found(draft: Draft, judgement: Judgement, flaky: bool) -> FailingCase:
    rows = tuple({**draft.shared, **row} for row in draft.rows)
    return FailingCase(judgement, rows, min(wrong_row(judgement), len(rows) - 1), flaky)
