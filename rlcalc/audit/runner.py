"""Run claim functions: one, a chapter, or everything on several processes.

Chapters are independent. Each worker is a fresh interpreter that is told
chapters on its standard input and answers with one JSON line each, so that
nothing depends on how the platform starts processes or on what can be pickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from rlcalc.audit.claims import Claim
from rlcalc.audit.evidence import Findings
from rlcalc.audit.outcome import Outcome, outcome
from rlcalc.audit.registry import Check, Statement, load_checks
from rlcalc.audit.verdict import Scope, judge, scope_of

# measured: chapters that take longest are started first, so that no worker is left alone with one
_LONGEST_FIRST = "7436512890"
LIMIT = 60.0  # seconds for one statement; the dearest needs two


def run_claim(check: Check | None, claim: Claim, *, corrupt: bool = False) -> Outcome:
    """One verdict, computed now; with ``corrupt`` also those of its spoilt statements."""
    if check is None:
        return Outcome(claim.id, "undecided", "No function checks it.", 0.0)
    start = time.perf_counter()
    scope = check.scope or scope_of(claim.kind)
    try:
        with _limited():
            found = check.function(check.statement)
            verdict = judge(found, scope)
            result = outcome(claim.id, verdict, found, time.perf_counter() - start)
    except Exception as error:  # a broken claim must not hide the others
        fault = f"{type(error).__name__}: {error}"
        return Outcome(
            claim.id, "undecided", f"Its function failed: {fault}", time.perf_counter() - start, fault=fault
        )
    if not corrupt:
        return result
    caught = {one.about: _verdict(check, one.changes, scope) for one in check.corruptions}
    return Outcome(**{**vars(result), "caught": caught})


def _verdict(check: Check, changes: dict[str, Any], scope: Scope) -> str:
    statement: Statement = check.statement.corrupted(changes)
    try:
        with _limited():
            found: Findings = check.function(statement)
            return judge(found, scope).verdict
    except Exception:
        return "failed"


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Stop what SymPy may never finish; it then counts as a proof that did not close.

    Only a main thread can be interrupted, and not on every platform; elsewhere there is no limit.
    """
    import signal
    from threading import current_thread, main_thread

    if not hasattr(signal, "setitimer") or current_thread() is not main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"it took longer than {LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_chapter(claims: Sequence[Claim], *, corrupt: bool = False) -> list[Outcome]:
    """All given claims of one chapter, in this process."""
    checks = load_checks(claims[0].chapter) if claims else {}
    return [run_claim(checks.get(claim.id), claim, corrupt=corrupt) for claim in claims]


def audit(claims: Sequence[Claim], *, corrupt: bool = False, jobs: int | None = None) -> list[Outcome]:
    """Verdicts of the claims, in their order.

    Args:
        corrupt: also run the spoilt statements.
        jobs: processes; by default one per processor. With 1, or for claims
            of one chapter only, everything runs in this process.
    """
    chapters: dict[str, list[Claim]] = {}
    for claim in claims:
        chapters.setdefault(claim.chapter, []).append(claim)
    count = min(jobs or _processors(), len(chapters))
    if count <= 1 or not sys.executable:
        done = [one for group in chapters.values() for one in run_chapter(group, corrupt=corrupt)]
    else:
        order = sorted(chapters, key=lambda chapter: _LONGEST_FIRST.find(chapter))
        done = _on_processes([chapters[chapter] for chapter in order], corrupt, count)
    by_id = {one.id: one for one in done}
    return [by_id[claim.id] for claim in claims]


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _on_processes(groups: list[list[Claim]], corrupt: bool, count: int) -> list[Outcome]:
    waiting, lock = list(groups), Lock()
    done: list[Outcome] = []
    faults: list[BaseException] = []
    workers: list[_Worker] = []

    def serve() -> None:
        worker = _Worker(corrupt)
        workers.append(worker)
        try:
            while True:
                with lock:
                    if not waiting or faults:
                        return
                    group = waiting.pop(0)
                found = worker.run([claim.id for claim in group])
                with lock:
                    done.extend(found)
        except BaseException as error:
            faults.append(error)
        finally:
            worker.close()

    threads = [Thread(target=serve, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException as error:  # interrupted: nobody waits for the chapters that are being run
        faults.append(error)
        for worker in workers:
            worker.process.terminate()
    if faults:
        raise faults[0]
    return done


class _Worker:
    """A fresh interpreter that runs chapters."""

    def __init__(self, corrupt: bool) -> None:
        package = str(Path(__file__).resolve().parents[2])
        start = (
            f"import sys; sys.path.insert(0, {package!r}); "
            f"from rlcalc.audit.runner import work; work({corrupt!r})"
        )
        # the workers share the processors: threads of their own would only get in each other's way
        settings = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=settings,
        )

    def run(self, ids: list[str]) -> list[Outcome]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(ids) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker for {ids[0]} and others ended with code {self.process.wait()}")
        return [Outcome.from_json(one) for one in json.loads(answer)]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        self.process.terminate()
        self.process.wait()


def work(corrupt: bool) -> None:
    """Body of a worker: a line with ids in, a line with outcomes out, until the input ends."""
    from rlcalc.audit.claims import load_claims

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent ends its workers
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints by accident must not mix with the answers
    known = load_claims()
    lines: Iterable[str] = sys.stdin
    for line in lines:
        found = run_chapter([known[id] for id in json.loads(line)], corrupt=corrupt)
        try:
            answers.write(json.dumps([one.to_json() for one in found]) + "\n")
            answers.flush()
        except BrokenPipeError:  # the parent is gone
            os._exit(1)


def self_check(outcomes: Sequence[Outcome], tell: Callable[[str], None]) -> bool:
    """Say what share of the corruptions was noticed; whether it is all of them."""
    total = sum(len(one.caught or {}) for one in outcomes)
    missed = [(one, about) for one in outcomes for about in one.missed()]
    unguarded = [one.id for one in outcomes if not one.caught and one.verdict != "not-checkable"]
    for one, about in missed:
        tell(f"missed: {one.id}: {about}: still {(one.caught or {})[about]}")
    for id in unguarded:
        tell(f"unguarded: {id} has no corruption")
    share = 100 * (total - len(missed)) / total if total else 0.0
    tell(f"{total - len(missed)} of {total} corruptions caught ({share:.4g} %)")
    return bool(total) and not missed and not unguarded
