"""A random sample of the mutants of all formulas and of the recurrence, in one process.

    pip install mutmut==3.8.1
    python benchmarks/mutation_sample.py --count 400 --seed 1 --out FILE.jsonl
    python benchmarks/mutation_sample.py --report FILE.jsonl    # the estimate, and survivors as differences

``mutation.py`` runs all mutants of a module, a day for all modules. Here the tests are collected once; a fork
puts one mutant in the place of its module, and meets the golden cases and the tests of the formulas that use
it, up to the first that fails: the quick ones for all mutants, then the rest for those that are left. FILE
gets a row a mutant as it comes, with the test that failed; a run that was cut off goes on where it stopped.
At the end each test that has killed is run without a mutant: it must pass.
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import random
import sys
import tempfile
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from mutants import BACKENDS, ROOT, Mutant, all_modules, dotted, install, mutate, users
from mutation import EXAMPLES, OUTCOMES, STORE, forked, golden_holds, limit_examples

FOLDERS = ("rlcalc.formulas.", "rlcalc.recurrence.")
# tried after the formula's own; the second ones last of all, on what is left then
QUICK = ("test_steps", "test_texts", "test_one_door", "test_edges", "test_rounding", "test_bad_batches")
REST = ("test_batches", "test_masks", "test_sequence", "test_oracle", "test_gradients", "test_plain_tensors",
        "test_forms", "test_transforms")  # fmt: skip
OF_RECURRENCE = ("test_recurrence", "test_time_major", "test_transforms")
LIMIT = 240  # seconds of processor time for one mutant


class Sample:
    """A pytest plugin: forks once per mutant where the tests would run."""

    def __init__(self, chosen: dict[str, list[int]], out: Path) -> None:
        self.chosen, self.out = chosen, out

    def pytest_runtestloop(self, session: Any) -> bool:
        items, failing = list(session.items), Path(tempfile.mkstemp()[1])
        limit_examples(items, EXAMPLES)
        for files in (QUICK, REST):
            left = [row["mutant"] for row in rows(self.out).values() if row["outcome"] == "survived"]
            for name, numbers in self.chosen.items():
                if files == REST and not any(mutant.startswith(f"{dotted(name)}.") for mutant in left):
                    continue
                self.module(session, name, numbers, files, concerned(items, name, files), failing)
        killers = {row["by"] for row in rows(self.out).values()}
        session.items[:] = [item for item in items if item.nodeid in killers]
        code, _ = forked(lambda: meet(session, [], BACKENDS, session.items, failing), 100 * LIMIT)
        print(f"{len(session.items)} killing tests without a mutant: {OUTCOMES.get(code, code)}")
        return True

    def module(
        self,
        session: Any,
        name: str,
        numbers: list[int],
        files: tuple[str, ...],
        items: list[Any],
        failing: Path,
    ) -> None:
        from rlcalc.golden.files import shipped

        code, mutants = mutate(name)
        cases = [case for user in users(name) for case in shipped(user).cases] if files == QUICK else []
        for mutant in (mutants[number] for number in numbers):
            known = rows(self.out).get(mutant.key)
            if known and (files == QUICK or known["outcome"] != "survived" or known["all"]):
                continue

            def changed(mutant: Mutant = mutant) -> int:
                os.environ["MUTANT_UNDER_TEST"] = mutant.name
                swap(name, code)
                return meet(session, cases, mutant.backends, items, failing)

            failing.write_text("")
            # a mutant of text is met by no test of numbers
            idle = files == REST and mutant.text_only
            found, seconds = (0, 0.0) if idle else forked(changed, LIMIT)
            row = {"key": mutant.key, "mutant": mutant.name, "text_only": mutant.text_only}
            row |= {"outcome": OUTCOMES.get(found, "tests"), "by": failing.read_text()}
            row |= {"all": files == REST, "seconds": round(seconds, 2)}
            row |= {"difference": difference(mutant)} if found == 0 else {}
            with self.out.open("a", encoding="utf-8") as out:
                print(json.dumps(row, ensure_ascii=False), file=out)


def meet(session: Any, cases: list[Any], backends: Any, items: list[Any], failing: Path) -> int:
    """Golden cases, then tests, up to the first that fails, whose name is left in a file."""
    if not golden_holds(cases, backends):
        return 10
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            failing.write_text(item.nodeid)
            return 11
    return 0


def concerned(items: list[Any], name: str, files: tuple[str, ...]) -> list[Any]:
    """The tests of a module's formulas in some files of all formulas, after those of their own."""
    mine, formulas = set(users(name)), set(all_modules())
    own = {f"test_{user}" for user in mine} | {f"test{name}"} if files == QUICK else set()
    if dotted(name).startswith(FOLDERS[1]) and files == QUICK:
        own |= set(OF_RECURRENCE)
    found = []
    for item in items:
        stem = item.path.stem
        given = item.callspec.params.values() if hasattr(item, "callspec") else ()
        named = {str(getattr(value, "name", value)) for value in given} & formulas
        if stem in own and (named & mine or not named):
            found.append((0, item))
        elif stem in files and (named & mine or not named):
            found.append((1 + files.index(stem), item))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def swap(name: str, code: str) -> None:
    """The mutated module in its place, and whatever was taken from it or from what uses it taken again."""
    public = not name.startswith("_") and dotted(name).startswith(FOLDERS[0])
    gone = {dotted(name)} if public else {module for module in sys.modules if module.startswith(FOLDERS)}
    for module in gone:
        if sys.modules.pop(module, None) is not None:
            package, _, stem = module.rpartition(".")
            vars(sys.modules[package]).pop(stem, None)
    install(name, code)
    for module in list(sys.modules.values()):
        if not getattr(module, "__name__", "").startswith(("tests.", "rlcalc.")):
            continue
        for key, value in list(vars(module).items()):
            home = getattr(value, "__name__" if isinstance(value, type(sys)) else "__module__", None)
            if home in gone:
                fresh = import_module(home)
                setattr(
                    module, key, fresh if isinstance(value, type(sys)) else getattr(fresh, value.__name__)
                )


def difference(mutant: Mutant) -> str:
    before, after = mutant.before.splitlines(), mutant.after.splitlines()
    lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[3:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """What became of each mutant; of two rows the later one counts."""
    found = map(json.loads, path.read_text("utf-8").splitlines()) if path.exists() else ()
    return {row["key"]: row for row in found}


def sample(count: int, seed: int) -> dict[str, list[int]]:
    """Numbers of mutants by module, drawn from all of them with equal chances."""
    stored = STORE / "counts.json"
    counts = json.loads(stored.read_text()) if stored.exists() else {}
    for name in all_modules():
        size = Path(*dotted(name).split(".")).with_suffix(".py").stat().st_size  # another text, another count
        if counts.get(name, [0])[0] != size:
            counts[name] = [size, len(mutate(name)[1])]
    stored.write_text(json.dumps(counts))
    every = [(name, number) for name in all_modules() for number in range(counts[name][1])]
    chosen: dict[str, list[int]] = {}
    for name, number in sorted(random.Random(seed).sample(every, count)):
        chosen.setdefault(name, []).append(number)
    print(f"{count} of {len(every):,} mutants of {len(counts)} modules, seed {seed}", flush=True)
    return chosen


def report(path: Path) -> None:
    """Counts, the share that survives with its interval of 95 % (Wilson), and each survivor."""
    found = list(rows(path).values())
    outcomes = Counter(row["outcome"] for row in found)
    print(*(f"{outcome}: {number}" for outcome, number in outcomes.items()), sep=", ")
    for text in (False, True):
        kind = [row for row in found if row["text_only"] == text]
        left = [row for row in kind if row["outcome"] == "survived"]
        low, high = wilson(len(left), len(kind))
        print(
            f"{'text' if text else 'behaviour'}: {len(left)} of {len(kind)} survive, {low:.1%} to {high:.1%}"
        )
        for row in left:
            print(row["mutant"], *row["difference"].splitlines(), sep="\n  ")


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    share = hits / count
    middle, width = (
        share + z * z / (2 * count),
        z * math.sqrt(share * (1 - share) / count + (z / count / 2) ** 2),
    )
    return (middle - width) / (1 + z * z / count), (middle + width) / (1 + z * z / count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="rows of the mutants")
    parser.add_argument("--report", type=Path, help="rows to count; nothing is run")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    if options.report:
        report(options.report)
        return
    STORE.mkdir(parents=True, exist_ok=True)
    import_module("torch").set_num_threads(1)  # a pool of threads does not outlive a fork
    chosen = sample(options.count, options.seed)
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutation")
    files = [
        "tests/formulas",
        *(f"tests/{stem}.py" for stem in ("test_oracle", "test_masks", *OF_RECURRENCE[:2])),
    ]
    words = [
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
        "-m",
        "not slow",
    ]
    pytest.main([*words, *files], plugins=[Sample(chosen, options.out.resolve())])


if __name__ == "__main__":
    main()
