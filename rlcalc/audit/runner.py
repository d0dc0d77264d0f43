"""Run claims: one, or all of them on several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from rlcalc.audit.audited import Altered, Audited, audited
from rlcalc.audit.cases import nothing_printed, printed
from rlcalc.audit.claims import Claim, load_claims
from rlcalc.audit.evidence import Evidence, Findings
from rlcalc.audit.formula import altered, fill, mismatch
from rlcalc.audit.registry import Check, load_checks
from rlcalc.audit.verdict import Judgement, judge, scope_of
from rlcalc.errors import InputError
from rlcalc.time_limit import TimedOut, limited

LIMIT = 60.0  # seconds for one statement; the slowest needs two
NO_FORMULA, TIED = "no formula", "tied"
FALSE_AS_WELL = "false as well"

Progress = Callable[[int, int], None]


def check_of(claim: Claim) -> Check | None:
    """The check of a claim: what its entry describes, or its function; that of another claim it repeats."""
    from rlcalc.audit.data_checks import data_check

    source = load_claims()[claim.same_as] if claim.same_as else claim
    return data_check(source) or _checks(source.chapter).get(source.id)


@cache
def _checks(chapter: str) -> dict[str, Check]:
    return load_checks(chapter)


class Run:
    """One claim with its check: the statement as it stands, and altered ones.

    Args:
        claim: what the lecture says.
        check: what it is checked with.
    """

    def __init__(self, claim: Claim, check: Check) -> None:
        self.claim, self.check = claim, check
        self.scope = claim.scope or check.scope or scope_of(claim.kind)
        # each must lead to another verdict, but for the harmless ones
        self.alterations = [*check.statement.alterations(), *claim.corruptions]

    def judged(self, changes: dict[str, Any] | None = None) -> tuple[Findings, Judgement]:
        with in_time():
            found = self.found(changes or {})
            return found, judge(found, self.scope, self.claim.repair)

    def found(self, changes: Mapping[str, Any]) -> Findings:
        """What the function finds and says, and that printed numbers stay where a reading's entry says so."""
        statement = self.check.statement.altered(changes)
        found, repair = self.check.function(statement), self.claim.repair
        if self.claim.template:
            found.says = fill(self.claim.template, found.holes, statement.all_parts())
        if repair is None or repair.kind != "reading" or not found.repair:
            return found
        kept: list[Evidence] = [*printed(*repair.unchanged)]
        if not (kept or found.unchanged):
            kept = [nothing_printed(self.claim.section)]
        found.unchanged += kept
        return found

    def outcome(self, corrupt: bool) -> Audited:
        start = time.perf_counter()
        try:
            found, verdict = self.judged()
            tie = self.tie(found)
            idle, fails = self.idle(found)
            verdict = self.fault(idle, tie) or verdict
            result = audited(self.claim, verdict, found, time.perf_counter() - start, tie, fails)
        except Exception as error:  # a broken claim must not hide the others
            return _failed(self.claim, error, time.perf_counter() - start)
        if not corrupt:
            return result
        return replace(result, altered=tuple(self.altered(found, verdict.verdict, tie)))

    # what must not count as evidence

    def tie(self, found: Findings) -> str:
        """``tied``, ``no formula`` or ``differs: how``."""
        if not self.claim.formula:
            return NO_FORMULA
        if not found.says:
            return "differs: nothing in its evidence says it"
        problem = mismatch(self.claim.formula, found.says)
        return f"differs: {problem}" if problem else TIED

    def fault(self, idle: list[str], tie: str) -> Judgement | None:
        if tie.startswith("differs"):
            return Judgement(
                "untied", f"Its formula and its evidence differ: {tie.removeprefix('differs: ')}."
            )
        if idle:
            return Judgement("vacuous", f"This could not fail: {'; '.join(dict.fromkeys(idle))}.")
        return None

    def idle(self, found: Findings) -> tuple[list[str], dict[int, str]]:
        """Evidence that says the same twice: what no altered statement makes fail, and how the others do.

        Returns:
            What the first is called, and for each of the others, by its place in ``roles()``, a line that
            shows it under the first altered statement that it contradicts.
        """
        fails: dict[int, str] = {}
        waiting = {key: piece for key, piece in _leaves(found) if piece.is_idle}
        for alteration in self.alterations:
            if not waiting:
                break
            with contextlib.suppress(Exception), in_time():
                other = self.found(alteration.changes)
                there = list(_leaves(other))
                for key, piece in list(waiting.items()):
                    partners = [one for at, one in there if at == key or one.what == piece.what]
                    broken = [one for one in partners if one.status == "fails"]
                    if broken:
                        del waiting[key]
                        fails.setdefault(key[1], f"it fails for {alteration.about}{_how(broken[0])}")
        return [piece.what for piece in waiting.values()], fails

    # altered statements

    def altered(self, found: Findings, verdict: str, tie: str) -> Iterator[Altered]:
        is_linked = False
        for alteration in self.alterations:
            other, changed = self.altered_verdict(dict(alteration.changes))
            harmless = self.claim.harmless.get(alteration.about, "")
            missed = changed != verdict if harmless else changed in (verdict, "undecided", "failed")
            if missed and changed == verdict == "wrong":
                # what stands beside a false statement is false too; its truth must be noticed, see self_check
                missed, harmless = False, FALSE_AS_WELL
            yield Altered(alteration.about, changed, missed, harmless)
            if tie == TIED and other is not None and not (missed or harmless):
                is_linked = is_linked or bool(mismatch(self.claim.formula, other.says))
        for about in set(self.claim.harmless) - {one.about for one in self.alterations}:
            yield Altered(about, "no such alteration", True, self.claim.harmless[about])
        if tie != TIED:
            return
        if not is_linked:
            yield Altered("the formula: no altered part shows in it", verdict, True)
        for about, latex in altered(self.claim.formula).items():
            problem = mismatch(latex, found.says)
            yield Altered(f"formula: {about}", "untied" if problem else verdict, not problem)

    def altered_verdict(self, changes: dict[str, Any]) -> tuple[Findings | None, str]:
        try:
            found, judgement = self.judged(changes)
            return found, judgement.verdict
        except InputError:  # the calculator refuses it: no answer, and so no support
            return None, "refused"
        except Exception:
            return None, "failed"


def _leaves(found: Findings) -> Iterator[tuple[tuple[str, int, int], Evidence]]:
    for at, (role, piece) in enumerate(found.roles()):
        for below, leaf in enumerate(piece.leaves()):
            yield (role, at, below), leaf


def _how(piece: Evidence) -> str:
    """How an identity fails; the failing part of an induction or of cases."""
    parts = (*getattr(piece, "base", ()), *getattr(piece, "step", ()), *getattr(piece, "parts", ()))
    for one in (*parts, piece):
        if one.status == "fails" and one.lines():
            return f" ({one.lines()[0].removesuffix(': does not hold')})"
    return ""


def _failed(claim: Claim, error: Exception, seconds: float) -> Audited:
    fault = f"{type(error).__name__}: {error}"
    return Audited(claim.id, "undecided", f"Its function failed: {fault}", seconds, fault=fault)


def run_claim(claim: Claim, check: Check | None = None, *, corrupt: bool = False) -> Audited:
    """One verdict, computed now; with ``corrupt`` also those of its altered statements."""
    try:
        check = check or check_of(claim)
    except Exception as error:
        return _failed(claim, error, 0.0)
    if check is None:
        return Audited(claim.id, "undecided", "No function checks it.", 0.0)
    return Run(claim, check).outcome(corrupt)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Stop what SymPy may never finish; it then counts as a proof that did not close."""
    try:
        with limited(LIMIT):
            yield
    except TimedOut:
        raise TimeoutError(f"it took longer than {LIMIT} seconds") from None


def audit(
    claims: Sequence[Claim],
    *,
    corrupt: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[Audited]:
    """Verdicts of the claims, in their order.

    Args:
        corrupt: also run the altered statements.
        jobs: processes; by default one per processor. With 1, or for few claims, everything runs in this one.
        progress: called with how many of how many are done.
    """
    count = min(jobs or _processors(), len(claims))
    if count <= 1 or (jobs is None and len({claim.chapter for claim in claims}) == 1):
        found = []
        for claim in claims:
            found.append(run_claim(claim, corrupt=corrupt))
            if progress:
                progress(len(found), len(claims))
        return found
    by_id = _on_processes(claims, corrupt, count, progress)
    return [by_id[claim.id] for claim in claims]


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _on_processes(
    claims: Sequence[Claim], corrupt: bool, count: int, progress: Progress | None
) -> dict[str, Audited]:
    # not for a single claim, which runs in this process
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    before = {child.pid for child in multiprocessing.active_children()}
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))
    done: dict[str, Audited] = {}
    try:
        # a terminal sends an interrupt to every process; children start with it ignored, and end with us
        with _uninterrupted():
            futures = [pool.submit(_work, claim.id, corrupt) for claim in claims]
        for future in as_completed(futures):
            one = future.result()
            done[one.id] = one
            if progress:
                progress(len(done), len(claims))
    except BrokenProcessPool as error:
        raise RuntimeError("a process of the audit was ended from outside; try --jobs 1") from error
    except BaseException:
        for child in multiprocessing.active_children():
            if child.pid not in before:
                child.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return done


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    from threading import current_thread, main_thread

    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    # the workers share the processors: threads of their own would only get in each other's way
    os.environ.update(dict.fromkeys(threads, "1"))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        for name, value in threads.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _work(id: str, corrupt: bool) -> Audited:
    """One claim in a worker."""
    return run_claim(load_claims()[id], corrupt=corrupt)


def self_check(outcomes: Sequence[Audited], tell: Callable[[str], None]) -> bool:
    """Say what share of the altered statements was noticed; whether it is all of them."""
    total = sum(len(one.altered or ()) for one in outcomes)
    missed = [(one, each) for one in outcomes for each in one.altered or () if each.missed]
    unguarded = [one.id for one in outcomes if one.verdict != "not-checkable" and not one.is_guarded]
    for one, each in missed:
        tell(
            f"missed: {one.id}: {each.about}: {'still ' if each.verdict == one.verdict else ''}{each.verdict}"
        )
    for id in unguarded:
        tell(f"unguarded: {id} has no altered statement that changes its verdict")
    harmless = sum(bool(each.harmless) for one in outcomes for each in one.altered or () if not each.missed)
    share = 100 * (total - len(missed)) / total if total else 0.0
    true = f", {harmless} of them keep it for a stated reason" if harmless else ""
    tell(f"{total - len(missed)} of {total} altered statements noticed ({share:.4g} %){true}")
    return bool(total) and not missed and not unguarded
