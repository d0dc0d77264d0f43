"""Conformance as tests of your own repository.

    from my_package import my_gae
    from rlcalc.testing import conformance_suite

    test_gae = conformance_suite(my_gae, formula="gae")

gives one test per vector and dtype, under the id of the vector, one for
generated cases (where Hypothesis is installed) and one for the verdict. All of
them read one report, the same that ``rlcalc conform`` prints::

    pytest --rlcalc-vectors my_vectors.toml

runs vectors of your own as well, in every suite of their formula. A failure
says in three lines what was expected and what came; which known fault it is
stands once at the end of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlcalc.errors import ConformanceError, InputError, RlcalcError, shown, visible

if TYPE_CHECKING:
    from rlcalc.conform.binding.model import Binding
    from rlcalc.conform.conform_report import ConformReport
    from rlcalc.conform.target.base import Target
    from rlcalc.conform.vectors import Vector

__all__ = ["ConformanceError", "conformance_suite"]

OPTION = "--rlcalc-vectors"
# what pytest was asked for; the plugin fills it in before any module is imported
_extra: list[Path] = []


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
    require: str | Sequence[str] = (),
    map: Mapping[str, str] | None = None,
    binding: str | Path | None = None,
) -> Callable[..., None]:
    """A parametrised test of a function; give it a name that starts with ``test``.

    Args:
        function: takes the canonical keyword arguments; those that it does not name are left out.
        formula: Python name or command, such as ``"gae"``.
        convention: declared ones, such as ``"truncation-as-termination"``.
        backend: ``"numpy"``, ``"torch"`` or ``"jax"`` arrays, or ``"lists"``; others are tried where the
            function takes none of these.
        dtypes: some of ``"float64"``, ``"float32"``.
        vectors: golden files to run besides the shipped vectors.
        random: how many generated cases; by default 100 where Hypothesis is installed.
        batches: whether there may be batch axes, in generated cases and in vectors stacked from others.
        limit: seconds for one call. The function runs in pytest's own process, where the limit is an
            alarm: it ends Python code and waiting, on the main thread, but not a call that stays
            inside compiled code, and a crash is pytest's. ``rlcalc conform`` has a process to spare.
        require: capabilities that it must have, such as ``"batches"`` or ``"float64"``; without it, what
            the function does not have is skipped.
        map: roles of parameters whose names do not say them, as ``{"buf": "rewards"}``.
        binding: a file that ``rlcalc conform --write-binding`` wrote, in place of looking.

    Raises:
        InputError, UnknownName, DataError: when a name is unknown or a file is wrong,
            at once and not only when the tests run.
    """
    import pytest

    from rlcalc.conform.binding.model import read_binding
    from rlcalc.conform.faults import catalogue
    from rlcalc.conform.probing.batching import with_batches
    from rlcalc.conform.probing.requirements import requirements
    from rlcalc.conform.target.base import DTYPES, from_function
    from rlcalc.conform.vectors import golden_vectors
    from rlcalc.specs import load_formula

    for dtype in dtypes:
        if dtype not in DTYPES:
            raise InputError("unknown_dtype", f"There is no dtype {shown(dtype)} here.")
    spec = load_formula(formula)
    names = [convention] if isinstance(convention, str) else list(convention)
    catalogue(spec.name).chosen(names)
    target = from_function(function, backend=backend, limit=limit, dtypes=tuple(dtypes))
    known = with_batches([*golden_vectors(spec.name), *_own_vectors(spec.name, vectors)], batches)
    wanted = [require] if isinstance(require, str) else list(require)
    requirements(spec, wanted)
    count = _random_count(random)
    read = None if binding is None else read_binding(Path(binding))
    suite = _Suite(target, spec.name, names, known, batches, count, wanted, map, read)
    cases: list[Any] = [
        pytest.param(vector, dtype, id=f"{vector.id}-{dtype}") for vector in known for dtype in target.dtypes
    ]
    if count:
        cases.append(pytest.param(None, "generated", id=f"{spec.name}/generated"))
    cases.append(pytest.param(None, "verdict", id=f"{spec.name}/verdict"))

    def test(vector: Vector | None, how: Any) -> None:
        __tracebackhide__ = True
        if vector is None:
            suite.generated() if how == "generated" else suite.verdict()
        else:
            suite.vector(vector, how)

    test.__name__ = f"test_{spec.name}"
    test.__doc__ = f"{target.name} against the vectors of {spec.name}."
    marked: Any = pytest.mark.parametrize(("vector", "how"), cases)(test)
    marked.suite = suite
    found: Callable[..., None] = marked
    return found


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
    return 100 if find_spec("hypothesis") else 0


@dataclass
class _Suite:
    """One function with all that its tests share: one report, the same that ``rlcalc conform`` makes."""

    target: Target
    formula: str
    names: Sequence[str]
    known: Sequence[Vector]
    batches: bool
    count: int
    require: Sequence[str]
    map: Mapping[str, str] | None = None
    binding: Binding | None = None

    @cached_property
    def report(self) -> ConformReport:
        from rlcalc.conform.runner import run

        return run(
            self.target,
            self.formula,
            self.names,
            self.known,
            self.count,
            batches=self.batches,
            require=self.require,
            mapped=self.map,
            binding=self.binding,
        )

    def vector(self, vector: Vector, dtype: str) -> None:
        """One vector, as it was judged under the declared conventions."""
        import pytest

        from rlcalc.conform.faults import catalogue
        from rlcalc.conform.generate.restated import original_id

        __tracebackhide__ = True
        asked = (vector.id, dtype)
        report = self.report.without or self.report
        same = (j for j in report.as_declared if (original_id(j.vector), j.dtype) == asked)
        judgement = next(same, None)
        if judgement is None:
            pytest.skip(f"{dtype} not tested")
        if judgement.status == "skipped":
            pytest.skip(judgement.why)
        if judgement.failed:
            declared = catalogue(self.formula).chosen(self.names)
            raise self.error(replace(self.report, judgements=[judgement], found=None, tried_under=declared))

    def generated(self) -> None:
        import pytest

        __tracebackhide__ = True
        if self.report.random_skipped:
            pytest.skip(self.report.random_skipped)
        if self.report.found is not None:
            raise self.error(replace(self.report, judgements=[]))

    def verdict(self) -> None:
        """What no single vector says: a convention that has to be declared, a lack, too few vectors."""
        __tracebackhide__ = True
        if self.report.passed:
            return
        lines = [self.headline]
        if self.report.verdict == "conforms-under-convention":
            wanted = ", ".join(f'"{c.name}"' for c in self.report.conventions)
            lines.append(f"  if that is what it should do: conformance_suite(..., convention=[{wanted}])")
        raise ConformanceError("\n".join(lines), self.summary)

    @cached_property
    def headline(self) -> str:
        from rlcalc.conform.report.text import headline

        return headline(self.report)

    @cached_property
    def summary(self) -> str:
        """What ``rlcalc conform`` prints about the function."""
        from rlcalc.conform.report.counterexample import counterexample
        from rlcalc.conform.report.text import summary_lines

        example = counterexample(self.report, self.target)
        return visible("\n".join(text for text, _ in summary_lines(self.report, example)), "\n")

    def error(self, case: ConformReport) -> ConformanceError:
        """One failing case: what is wrong, what is right, and what came."""
        from rlcalc.conform.report.counterexample import counterexample
        from rlcalc.conform.report.text import case_heading
        from rlcalc.golden.replay import brief

        example = counterexample(case, self.target)
        if example is None:
            return ConformanceError(self.headline, self.summary)
        lines = [case_heading(example), f"  {'exact' if example.exact else 'right'}  {brief(example.right)}"]
        lines += [f"  at {frame}" for frame in example.frames]
        if example.got is not None:
            lines.append(f"  yours  {brief(example.given)}")
        return ConformanceError(visible("\n".join(lines), "\n"), self.summary)


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
    from rlcalc import _pytest_report

    if not config.pluginmanager.is_registered(_pytest_report):
        config.pluginmanager.register(_pytest_report)
    _extra[:] = [Path(path) for path in config.getoption(OPTION, default=[])]
    if not _extra:
        return
    import pytest

    from rlcalc.conform.vectors import load_own
    from rlcalc.golden.files import load_files

    try:
        load_files(_extra)
        for path in _extra:
            load_own(path)
    except RlcalcError as error:
        raise pytest.UsageError(f"{OPTION}: {error}") from error
