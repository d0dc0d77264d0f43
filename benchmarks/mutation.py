"""Mutants of the formulas and of the recurrence, held against golden cases and tests.

    pip install mutmut==3.8.1
    python benchmarks/mutation.py [--formula NAME ...] [--out FILE]
    python benchmarks/mutation.py --again                   # survivors once more, after tests were added
    python benchmarks/mutation.py --show behaviour|text     # survivors as differences

mutmut makes the mutants of a module, and a trampoline that picks one by the
environment variable MUTANT_UNDER_TEST. It would start the tests from nothing
for each, a day for ten thousand; here everything is imported and collected
once per module, and each mutant gets a fork of that process. There it meets
the golden cases of its formula, on the backend that the mutated function is
for, and then, if they let it pass, the formula's tests, the quickest first.
Hypothesis runs derandomised, with few examples and without shrinking.

NAME is a formula, a private module such as _sequence, or recurrence; without
it all of them run. Results go to build/mutation/NAME.jsonl as they come, so a
run that was cut off goes on where it stopped; a mutant is known by its text,
so a function that has changed is run again. --out renews the table in FILE.

A survivor is "text only" if it differs from the original in nothing but
strings, names of quantities, reasons and messages.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mutants import BACKENDS, ROOT, Mutant, all_modules, install, mutate, users

STORE = ROOT / "build" / "mutation"
# tests of all formulas, of which a module gets those that name one of its own
SHARED = (
    "test_sequence", "test_texts", "test_batches", "test_forms", "test_one_door", "test_steps",
    "test_gradients", "test_edges", "test_rounding",
)  # fmt: skip
SEQUENCE = {"discounted_return", "n_step_return", "lambda_return", "td_error", "gae"}
RECURRENCE = ["tests/test_recurrence.py", "tests/test_time_major.py", "tests/formulas/test_sequence.py"]
GOLDEN = {"recurrence": ["gae", "n_step_return"], "_sequence": ["lambda_return", "n_step_return"]}
OUTCOMES = {0: "survived", 10: "golden cases", 11: "tests"}
OUTCOMES |= {-signal.SIGXCPU: "time-out", -signal.SIGALRM: "time-out"}
EXAMPLES = 5  # of each hypothesis test
SLOWEST = 0.1  # mutants of text meet test_texts and the tests quicker than this, with one example
MARKS = ("<!-- mutation.py: begin -->", "<!-- mutation.py: end -->")
COLUMNS = ["mutants", "golden cases", "tests", "time-out", "text only", "behaviour"]


class Runner:
    """A pytest plugin: forks once per mutant where the tests would run."""

    def __init__(self, name: str, mutants: list[Mutant]) -> None:
        self.name, self.mutants = name, mutants

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if self.concerns(item)]
        limit_examples(items, EXAMPLES)

    def concerns(self, item: Any) -> bool:
        mine, formulas = set(users(self.name)), set(all_modules())
        named = set(map(str, item.callspec.params.values() if hasattr(item, "callspec") else ()))
        of_all = not named & formulas and mine & SEQUENCE
        return bool(item.path.stem not in SHARED or named & mine or of_all)

    def pytest_runtestloop(self, session: Any) -> bool:
        from rlcalc.data import data_folder
        from rlcalc.golden.files import load

        files = [data_folder("golden") / f"{user}.toml" for user in GOLDEN.get(self.name, users(self.name))]
        cases = [case for file in files for case in load(file).cases]

        def unchanged() -> int:
            found: dict[str, float] = {}
            code = meet(session, [], BACKENDS, found)
            (STORE / f"{self.name}.times").write_text(json.dumps(found))
            return code

        def changed(mutant: Mutant) -> int:
            os.environ["MUTANT_UNDER_TEST"] = mutant.name
            if mutant.text_only:
                session.items[:] = [*texts, *quick]
                limit_examples(session.items, 1)
            return meet(session, cases, mutant.backends, {})

        # in this process, since it fills the caches that every fork then shares
        code, seconds = forked(unchanged, 3000) if golden_holds(cases, BACKENDS) else (10, 0.0)
        if code != 0:
            sys.exit(f"{self.name}: {OUTCOMES.get(code, code)} fail without any mutant")
        order = json.loads((STORE / f"{self.name}.times").read_text())
        session.items.sort(key=lambda item: order[item.nodeid])
        texts = [item for item in session.items if item.path.stem == "test_texts"]
        quick = [item for item in session.items if item not in texts and order[item.nodeid] < SLOWEST]
        limit = int(5 + 3 * seconds)
        with (STORE / f"{self.name}.jsonl").open("a", encoding="utf-8", buffering=1) as out:
            for mutant in self.mutants:
                code, seconds = forked(lambda m=mutant: changed(m), limit)  # type: ignore[misc]
                row = {"key": mutant.key, "mutant": mutant.name, "outcome": OUTCOMES.get(code, "tests")}
                print(json.dumps({**row, "seconds": round(seconds, 2)}, ensure_ascii=False), file=out)
        return True


def limit_examples(items: list[Any], most: int) -> None:
    from hypothesis import is_hypothesis_test, settings

    for item in items:
        if is_hypothesis_test(item.obj):
            # set on the test itself, since what decorates it outranks any profile
            test = getattr(item.obj, "__func__", item.obj)
            had = test._hypothesis_internal_use_settings
            test._hypothesis_internal_use_settings = settings(
                parent=had, max_examples=min(had.max_examples, most)
            )


def meet(session: Any, cases: list[Any], backends: Iterable[str], seconds: dict[str, float]) -> int:
    """Golden cases, then tests, up to the first that fails; notes the seconds of each test."""
    if not golden_holds(cases, backends):
        return 10
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        start = time.perf_counter()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds[item.nodeid] = time.perf_counter() - start
        if session.testsfailed:
            return 11
    return 0


def golden_holds(cases: list[Any], backends: Iterable[str]) -> bool:
    from rlcalc.golden.verify import run_case

    return all(run_case(case, tuple(backends), ("float64", "float32")).passed for case in cases)


def forked(work: Callable[[], int], limit: int) -> tuple[int, float]:
    """Exit code (negative: a signal) and CPU seconds of ``work`` in a fork that may use ``limit`` of them."""
    start = sum(os.times()[2:4])
    pid = os.fork()
    if pid == 0:
        code = 99
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))  # a mutant may grow without end
            signal.alarm(10 * limit)  # one that waits uses no CPU
            for stream in (0, 1, 2):
                os.dup2(os.open(os.devnull, os.O_RDWR), stream)
            code = work()
        os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), sum(os.times()[2:4]) - start


def run_module(name: str, again: bool) -> None:
    code, mutants = mutate(name)
    known, over = results(name), {"golden cases", "tests", "time-out"} if again else set(OUTCOMES.values())
    left = [mutant for mutant in mutants if known.get(mutant.key) not in over]
    left.sort(key=lambda mutant: mutant.text_only)  # what matters more comes first
    if not left:
        return
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    install(name, code)
    settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutation")
    stems = [*(f"test_{user}" for user in users(name)), f"test{name}", *SHARED]  # test_tabular for _tabular
    files = [path for stem in stems if (path := ROOT / "tests" / "formulas" / f"{stem}.py").exists()]
    print(f"{name}: {len(left)} of {len(mutants)} mutants", flush=True)
    words = ["-q", "-s", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    pytest.main(
        [*words, *(RECURRENCE if name == "recurrence" else map(str, files))], plugins=[Runner(name, left)]
    )


def results(name: str) -> dict[str, str]:
    path = STORE / f"{name}.jsonl"
    rows = map(json.loads, path.read_text("utf-8").splitlines()) if path.exists() else ()
    return {row["key"]: row["outcome"] for row in rows}  # the last one counts


def table(names: list[str]) -> str:
    """Killed by golden cases, by tests, by time-out; survivors that are text only, and the others."""
    rows: dict[str, Counter[str]] = {name: Counter() for name in names}
    for name, row in rows.items():
        known = results(name)
        for mutant in mutate(name)[1]:
            outcome = known.get(mutant.key, "not run")
            row[("text only" if mutant.text_only else "behaviour") if outcome == "survived" else outcome] += 1
            row["mutants"] += 1
    rows["all"] = sum(rows.values(), Counter())
    columns = COLUMNS + ["not run"] * ("not run" in rows["all"])
    lines = [f"| module | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for name, row in rows.items():
        lines.append(f"| `{name}` | {' | '.join(f'{row[column]:,}' for column in columns)} |")
    return "\n".join(lines)


def show(names: list[str], text: bool) -> None:
    for name in names:
        known = results(name)
        for mutant in mutate(name)[1]:
            if known.get(mutant.key) == "survived" and mutant.text_only == text:
                before, after = mutant.before.splitlines(), mutant.after.splitlines()
                lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[3:]
                print(mutant.name, *(line for line in lines if not line.startswith("@@")), sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formula", nargs="+", choices=all_modules(), default=all_modules(), metavar="NAME")
    parser.add_argument("--again", action="store_true", help="run survivors once more")
    parser.add_argument("--show", choices=["behaviour", "text"], help="print survivors, run nothing")
    parser.add_argument("--out", type=Path, help="file whose table is renewed")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if options.show:
        show(options.formula, options.show == "text")
        return
    STORE.mkdir(parents=True, exist_ok=True)
    for name in ("hypothesis", "numpy", "pytest", "sympy"):
        importlib.import_module(name)  # the forks share what is imported here
    importlib.import_module("torch").set_num_threads(1)  # a pool of threads does not outlive a fork
    for name in options.formula:
        pid = os.fork()  # each module is replaced in a process of its own
        if pid == 0:
            run_module(name, options.again)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)
    print(table(options.formula))
    if options.out:
        before, rest = options.out.read_text("utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        options.out.write_text(f"{before}{MARKS[0]}\n{table(all_modules())}\n{MARKS[1]}{after}", "utf-8")


if __name__ == "__main__":
    main()
