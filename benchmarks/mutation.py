"""Mutants of the formulas and of the recurrence, held against golden cases and tests.

    pip install mutmut==3.8.1
    python benchmarks/mutation.py [--formula NAME ...] [--out FILE]
    python benchmarks/mutation.py --again            # survivors once more, after tests were added
    python benchmarks/mutation.py --show [--text]    # survivors as differences

mutmut makes the mutants of a module and the trampoline that picks one by the
environment variable MUTANT_UNDER_TEST. This driver runs them: mutmut starts
the tests from the beginning for each mutant, which for ten thousand of them
takes a day, while here everything is imported and collected once per module
and each mutant gets a fork of that process. The fork meets the golden cases
of its formula first, on the backend that the mutated function is for, and,
if they let it pass, the formula's tests, the quickest first. Hypothesis runs
derandomised, with few examples and without shrinking.

NAME is a formula, a private module such as _sequence, or recurrence; without
it all of them run. Results go to build/mutation/NAME.jsonl as they come, so a
run that was cut off goes on where it stopped; a mutant is known by its text,
so a changed function is run again. --out renews the table in FILE, between
its two marks.

A survivor is "text only" if it differs from the original in nothing but
strings, names of quantities, reasons and messages.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import hashlib
import importlib
import importlib.abc
import importlib.util
import itertools
import json
import os
import resource
import signal
import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "build" / "mutation"
FORMULAS = ROOT / "rlcalc" / "formulas"
# tests of several formulas at once, of which a module gets those that name one of its formulas
SHARED = ("test_sequence", "test_texts", "test_batches")
SEQUENCE = {"discounted_return", "n_step_return", "lambda_return", "td_error", "gae"}
EXTRA = {"recurrence": ["tests/test_recurrence.py", "tests/test_time_major.py"]}
OUTCOMES = {0: "survived", 10: "golden", 11: "tests"}
# words do not depend on the numbers: mutants of text meet few examples, and no test slower than this
EXAMPLES, SLOWEST = {False: 5, True: 1}, {False: 1e9, True: 0.25}
MARKS = ("<!-- mutation.py: begin -->", "<!-- mutation.py: end -->")
COLUMNS = ("mutants", "golden cases", "tests", "time-out", "text only", "behaviour")


@dataclass(frozen=True)
class Mutant:
    name: str  # as MUTANT_UNDER_TEST wants it
    before: str
    after: str

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.name}\n{self.after}".encode()).hexdigest()[:16]

    @property
    def function(self) -> str:
        return self.name.rpartition(".")[2].partition("__mutmut")[0].removeprefix("x_").replace("xǁ", "")

    @property
    def text_only(self) -> bool:
        return skeleton(self.before) == skeleton(self.after)

    @property
    def difference(self) -> list[str]:
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), n=0, lineterm="")
        return [line for line in list(lines)[3:] if not line.startswith("@@")]


class Skeleton(ast.NodeTransformer):
    """Empties strings, and drops what only names and explains: reasons, messages, names of quantities."""

    KEPT: ClassVar = {"given": [1], "step": [1], "note": [], "Name": [], "InputError": [0]}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("")

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in self.KEPT:
            node.args = [node.args[k] for k in self.KEPT[name] if k < len(node.args)]
            node.keywords = [keyword for keyword in node.keywords if keyword.arg == "shown"]
        return node


def skeleton(source: str) -> str:
    function = ast.parse(source).body[0]
    function.name = ""
    return ast.dump(Skeleton().visit(function))


def module_path(name: str) -> Path:
    return ROOT / "rlcalc" / "recurrence.py" if name == "recurrence" else FORMULAS / f"{name}.py"


def module_name(name: str) -> str:
    return "rlcalc.recurrence" if name == "recurrence" else f"rlcalc.formulas.{name}"


def all_modules() -> list[str]:
    found = sorted(p.stem for p in FORMULAS.glob("*.py") if p.stem != "__init__")
    return [*sorted(found, key=lambda name: name.startswith("_")), "recurrence"]


def users(name: str) -> list[str]:
    """Formulas that a module serves: itself, or those that import it."""
    if name != "recurrence" and not name.startswith("_"):
        return [name]
    public = [p for p in sorted(FORMULAS.glob("*.py")) if not p.stem.startswith("_")]
    return [p.stem for p in public if f"from {module_name(name)} import" in p.read_text("utf-8")]


def mutate(name: str) -> tuple[str, list[Mutant]]:
    """The module with all its mutants and their trampolines, and the list of them."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    path = module_path(name)
    made = mutate_file_contents(str(path.relative_to(ROOT)), path.read_text("utf-8"))
    lines = made.code.splitlines()

    def source(function: str) -> str:
        span = made.line_span_by_function_name[function]
        return textwrap.dedent("\n".join(lines[span.start - 1 : span.end]))

    original = {m: m.rpartition("_")[0] + "_orig" for m in made.mutant_names}
    return made.code, [
        Mutant(f"{module_name(name)}.{m}", source(original[m]), source(m)) for m in made.mutant_names
    ]


class Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated text of one module in place of its file."""

    def __init__(self, name: str, code: str) -> None:
        self.name, self.code = name, code

    def find_spec(self, fullname: str, path: object, target: object = None) -> object:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: object) -> None:
        exec(compile(self.code, f"<mutants of {self.name}>", "exec"), module.__dict__)


class Runner:
    """A pytest plugin: forks once per mutant where the tests would run."""

    def __init__(self, name: str, mutants: list[Mutant], out: Path, text: bool) -> None:
        self.name, self.mutants, self.out, self.text = name, mutants, out, text

    def pytest_collection_modifyitems(self, items: list) -> None:
        from hypothesis import is_hypothesis_test, settings

        mine = set(users(self.name))
        everything = {p.stem for p in FORMULAS.glob("*.py")}
        kept = []
        for item in items:
            params = (
                {str(value) for value in item.callspec.params.values()}
                if hasattr(item, "callspec")
                else set()
            )
            shared = item.path.stem in SHARED and not params & mine
            if shared and (params & everything or not mine & SEQUENCE):
                continue
            if is_hypothesis_test(item.obj):
                # set on the test itself, since the decorators of the tests outrank any profile
                had = item.obj._hypothesis_internal_use_settings
                few = settings(parent=had, max_examples=min(had.max_examples, EXAMPLES[self.text]))
                getattr(item.obj, "__func__", item.obj)._hypothesis_internal_use_settings = few
            kept.append(item)
        items[:] = kept

    def pytest_runtestloop(self, session) -> bool:
        from rlcalc.data import data_folder
        from rlcalc.golden import load

        self.cases = [
            c for user in users(self.name) for c in load(data_folder("golden") / f"{user}.toml").cases
        ]
        times = STORE / f"{self.name}.times"
        code, seconds = fork(lambda: self.baseline(session, times), 3000)
        if OUTCOMES.get(code) != "survived":
            sys.exit(f"{self.name}: the tests fail without any mutant ({code})")
        order = json.loads(times.read_text())
        session.items.sort(key=lambda item: order[item.nodeid])
        session.items[:] = [item for item in session.items if order[item.nodeid] < SLOWEST[self.text]]
        golden_holds(self.cases, ("sympy", "numpy", "torch"))  # fills the caches that every fork then shares
        limit = int(5 + 3 * seconds)
        for mutant in self.mutants:
            code, seconds = fork(lambda m=mutant: self.meet(session, m), limit)
            outcome = OUTCOMES.get(
                code, "time-out" if code in (-signal.SIGXCPU, -signal.SIGALRM) else "crash"
            )
            row = {"key": mutant.key, "mutant": mutant.name, "outcome": outcome, "seconds": round(seconds, 2)}
            with self.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return True

    def baseline(self, session, times: Path) -> int:
        """The time of each test without a mutant; they all have to pass."""
        if not golden_holds(self.cases, ("sympy", "numpy", "torch")):
            return 10
        found: dict[str, float] = {}
        failed = run_tests(session, found)
        times.write_text(json.dumps(found))
        return 11 if failed else 0

    def meet(self, session, mutant: Mutant) -> int:
        os.environ["MUTANT_UNDER_TEST"] = mutant.name
        named = [backend for backend in ("numpy", "torch") if backend in mutant.function]
        if not golden_holds(self.cases, named or ("sympy", "numpy", "torch")):
            return 10
        return 11 if run_tests(session, {}) else 0


def golden_holds(cases: list, backends: object) -> bool:
    from rlcalc.verify import run_case

    return all(run_case(case, tuple(backends), ("float64", "float32")).passed for case in cases)


def run_tests(session, seconds: dict[str, float]) -> bool:
    """Whether a test fails; stops at the first."""
    for item, following in zip(session.items, [*session.items[1:], None], strict=True):
        start = time.perf_counter()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds[item.nodeid] = time.perf_counter() - start
        if session.testsfailed:
            return True
    return False


def fork(work, limit: int) -> tuple[int, float]:
    """Exit code (negative: a signal) and CPU seconds of ``work`` in a fork that may use ``limit`` of them."""
    start = sum(os.times()[2:4])
    pid = os.fork()
    if pid == 0:
        code = 99
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))  # a mutant may grow without end
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10 * limit)  # one that waits uses no CPU
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            code = work()
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), sum(os.times()[2:4]) - start


def run_module(name: str, text: bool, again: bool) -> None:
    code, mutants = mutate(name)
    out = STORE / f"{name}.jsonl"
    known = results(name)
    left = [
        m
        for m in mutants
        if m.text_only == text and (m.key not in known or (again and known[m.key]["outcome"] == "survived"))
    ]
    if not left:
        return
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    sys.meta_path.insert(0, Importer(module_name(name), code))
    importlib.import_module(module_name(name))  # before pytest, which has an importer of its own for plugins
    settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutation")
    files = EXTRA.get(name) or [f"tests/formulas/test_{user}.py" for user in users(name)]
    files += [path for stem in SHARED if (ROOT / (path := f"tests/formulas/{stem}.py")).exists()]
    words = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-s", *files]
    print(f"{name}: {len(left)} of {len(mutants)} mutants{' of text' if text else ''}", flush=True)
    pytest.main(words, plugins=[Runner(name, left, out, text)])


def results(name: str) -> dict[str, dict]:
    path = STORE / f"{name}.jsonl"
    rows = map(json.loads, path.read_text("utf-8").splitlines()) if path.exists() else ()
    return {row["key"]: row for row in rows}  # the last one counts


def counted(name: str) -> Counter[str]:
    """One row of the table."""
    known, found = results(name), Counter[str]()
    for mutant in mutate(name)[1]:
        outcome = known[mutant.key]["outcome"] if mutant.key in known else "not run"
        column = {"golden": "golden cases", "crash": "tests"}.get(outcome, outcome)
        found["text only" if mutant.text_only and outcome == "survived" else column] += 1
        found["mutants"] += 1
    found["behaviour"] = found.pop("survived", 0)
    return found


def table(names: list[str]) -> str:
    """Killed by golden cases, by tests, by time-out; survivors that are text only, and the others."""
    rows = {name: counted(name) for name in names}
    columns = [*COLUMNS, "not run"] if any(row["not run"] for row in rows.values()) else list(COLUMNS)
    lines = [f"| module | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for name, row in (*rows.items(), ("all", sum(rows.values(), Counter()))):
        lines.append(f"| `{name}` | {' | '.join(f'{row[column]:,}' for column in columns)} |")
    return "\n".join(lines)


def show(names: list[str], text: bool) -> None:
    for name in names:
        known = results(name)
        for mutant in mutate(name)[1]:
            if known.get(mutant.key, {}).get("outcome") == "survived" and mutant.text_only == text:
                print(mutant.name, *mutant.difference, sep="\n  ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formula", nargs="+", choices=all_modules(), default=all_modules(), metavar="NAME")
    parser.add_argument("--again", action="store_true", help="run survivors once more")
    parser.add_argument("--show", action="store_true", help="print survivors, run nothing")
    parser.add_argument("--text", action="store_true", help="with --show: those that are text only")
    parser.add_argument("--out", type=Path, help="file whose table is renewed")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if options.show:
        show(options.formula, options.text)
        return
    STORE.mkdir(parents=True, exist_ok=True)
    for name in ("hypothesis", "numpy", "pytest", "sympy"):
        importlib.import_module(name)  # the forks share what is imported here
    importlib.import_module("torch").set_num_threads(1)  # a pool of threads does not outlive a fork
    for text, name in itertools.product((False, True), options.formula):  # what matters more comes first
        pid = os.fork()  # each module is replaced in a process of its own
        if pid == 0:
            run_module(name, text, options.again)
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
