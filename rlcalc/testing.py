"""Conformance as tests of your own repository.

    from my_package import my_gae
    from rlcalc.testing import conformance_suite

    test_gae = conformance_suite(my_gae, formula="gae")

gives one test per vector and dtype, under the id of the vector, and one for
generated cases (where Hypothesis is installed)::

    pytest --rlcalc-vectors my_vectors.toml

runs vectors of your own as well, in every suite of their formula. A failure
says what was expected, what came and, where it is one, which known fault it
is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcalc.conform.runner import ConformReport
    from rlcalc.conform.target.base import Target
    from rlcalc.conform.vectors import Vector

__all__ = ["ConformanceError", "conformance_suite"]

OPTION = "--rlcalc-vectors"
# what pytest was asked for; the plugin fills it in before any module is imported
_extra: list[Path] = []


class ConformanceError(AssertionError):
    """A function does not give what the formula gives."""


def conformance_suite(
    function: Callable[..., Any],
    formula: str,
    *,
    convention: str | Sequence[str] = (),
    backend: str = "numpy",
    dtypes: Sequence[str] = ("float64", "float32"),
    vectors: Sequence[str | Path] = (),
    random: int | None = None,
    batches: bool = True,
    limit: float = 5.0,
) -> Callable[..., None]:
    """A parametrised test of a function; give it a name that starts with ``test``.

    Args:
        function: takes the canonical keyword arguments; those that it does not name are left out.
        formula: Python name or command, such as ``"gae"``.
        convention: declared ones, such as ``"truncation-as-termination"``.
        backend: ``"numpy"``, ``"torch"`` or ``"jax"`` arrays.
        dtypes: some of ``"float64"``, ``"float32"``.
        vectors: golden files to run besides the shipped vectors.
        random: how many generated cases; by default 100 where Hypothesis is installed.
        batches: whether there may be batch axes, in generated cases and in vectors stacked from others.
        limit: seconds for one call. The function runs in pytest's own process, where the limit is an
            alarm: it ends Python code and waiting, on the main thread, but not a call that stays
            inside compiled code, and a crash is pytest's. ``rlcalc conform`` has a process to spare.

    Raises:
        InputError, UnknownName, DataError: when a name is unknown or a file is wrong,
            at once and not only when the tests run.
    """
    import pytest

    from rlcalc.conform.batching import with_batches
    from rlcalc.conform.faults import catalogue
    from rlcalc.conform.target.base import DTYPES, from_function
    from rlcalc.conform.vectors import golden_vectors
    from rlcalc.errors import InputError, shown
    from rlcalc.specs import load_formula

    for dtype in dtypes:
        if dtype not in DTYPES:
            raise InputError("unknown_dtype", f"There is no dtype {shown(dtype)} here.")
    spec = load_formula(formula)
    names = [convention] if isinstance(convention, str) else list(convention)
    catalogue(spec.name).chosen(names)
    target = from_function(function, backend=backend, limit=limit, dtypes=tuple(dtypes))
    known = with_batches([*golden_vectors(spec.name), *_own_vectors(spec.name, vectors)], batches)
    suite = _Suite(target, spec.name, names, known, batches)
    count = _random_count(random)
    cases: list[Any] = [
        pytest.param(vector, dtype, id=f"{vector.id}-{dtype}") for vector in known for dtype in target.dtypes
    ]
    if count:
        cases.append(pytest.param(None, count, id=f"{spec.name}/generated"))

    def test(vector: Vector | None, how: Any) -> None:
        __tracebackhide__ = True
        if vector is None:
            suite.generated(how)
        else:
            suite.vector(vector, how)

    test.__name__ = f"test_{spec.name}"
    test.__doc__ = f"{target.name} against the vectors of {spec.name}."
    marked: Callable[..., None] = pytest.mark.parametrize(("vector", "how"), cases)(test)
    return marked


def _own_vectors(formula: str, paths: Sequence[str | Path]) -> list[Vector]:
    """Vectors of a user: files named for this suite must be of its formula, those of pytest may be."""
    from rlcalc.conform.vectors import file_vectors, load_own, vectors_of

    found = list(vectors_of(formula, [Path(path) for path in paths])) if paths else []
    named = {Path(path).resolve() for path in paths}
    for path in _extra:
        if path.resolve() not in named and (file := load_own(path)).formula == formula:
            found += file_vectors(file)
    return found


def _random_count(random: int | None) -> int:
    if random is not None:
        return random
    from importlib.util import find_spec

    return 100 if find_spec("hypothesis") else 0


@dataclass
class _Suite:
    """One function with all that its tests share."""

    target: Target
    formula: str
    names: Sequence[str]
    known: Sequence[Vector]
    batches: bool
    whole: ConformReport | None = None

    def vector(self, vector: Vector, dtype: str) -> None:
        import pytest

        from rlcalc.conform.faults import catalogue
        from rlcalc.conform.trial import Trial

        __tracebackhide__ = True
        conventions = catalogue(self.formula).chosen(self.names)
        judgement = Trial(self.target, [vector]).judgement(vector, dtype, conventions)
        if judgement.status == "raises" and vector.rows and not self.takes_batches:
            pytest.skip("batches not supported: it raises on each")
        if judgement.status == "skipped":
            pytest.skip(judgement.why)
        if judgement.failed:
            raise ConformanceError(self.why(self.run([vector], 0)))

    @cached_property
    def takes_batches(self) -> bool:
        """As ``rlcalc conform`` finds it; asked only where a batch has failed."""
        from rlcalc.conform.trial import Trial

        trial = Trial(self.target, self.known)
        trial.leave_out_what_it_never_takes()
        return trial.batches

    def generated(self, count: int) -> None:
        import pytest

        __tracebackhide__ = True
        report = self.run(self.known, count)
        if report.random_skipped:
            pytest.skip(report.random_skipped)
        if report.found is not None:
            raise ConformanceError(self.why(report))

    def run(self, vectors: Sequence[Vector], count: int, find: bool = False) -> ConformReport:
        from rlcalc.conform.runner import run

        return run(self.target, self.formula, self.names, vectors, count, 0, self.batches, find)

    def why(self, case: ConformReport) -> str:
        """The message of a failing test: the diagnosis from all vectors, once, and the case at hand."""
        from rlcalc.conform.report.counterexample import counterexample
        from rlcalc.conform.report.text import diagnosis_lines, example_lines, headline
        from rlcalc.errors import visible

        example = counterexample(case, self.target)
        if self.whole is not None and example is not None:
            found = [(headline(case), ""), *example_lines(example, short=True)]
            return visible("\n".join(text for text, _ in found), "\n")
        self.whole = whole = self.run(self.known, 0, find=True)
        found = [(headline(case if whole.verdict == "conforms" else whole), "")]
        if whole.verdict == "conforms-under-convention" and not whole.declared:
            wanted = ", ".join(f'"{c.name}"' for c in whole.conventions)
            hint = f"  if that is what it should do: conformance_suite(..., convention=[{wanted}])"
            found.append((hint, ""))
        diagnosis = whole.diagnosis or case.diagnosis
        if diagnosis is not None and whole.verdict != "conforms-under-convention":
            found += diagnosis_lines(self.formula, diagnosis)
        if example is not None:
            found += example_lines(example)
        return visible("\n".join(text for text, _ in found), "\n")


# the plugin, under the entry point "rlcalc"


def pytest_addoption(parser: Any) -> None:
    """``--rlcalc-vectors FILE``, as often as wanted."""
    group = parser.getgroup("rlcalc", "functions checked against certified vectors")
    group.addoption(
        OPTION,
        action="append",
        default=[],
        metavar="FILE",
        help="test vectors of your own, run in every conformance suite of their formula",
    )


def pytest_configure(config: Any) -> None:
    """Read the option; a file that is wrong stops the run before the first test."""
    _extra[:] = [Path(path) for path in config.getoption(OPTION, default=[])]
    if not _extra:
        return
    import pytest

    from rlcalc.conform.vectors import load_own
    from rlcalc.errors import RlcalcError
    from rlcalc.golden.files import load_files

    try:
        load_files(_extra)
        for path in _extra:
            load_own(path)
    except RlcalcError as error:
        raise pytest.UsageError(f"{OPTION}: {error}") from error
