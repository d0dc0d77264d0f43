"""Golden cases -> backends -> correct digits.

The exact form of a case runs once, whatever number of backends and dtypes is
asked for; floating results are measured against the certified decimals. What
cannot be compared is reported as skipped with its reason, and a form that
crashes fails its case and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from rlcalc.agreement import AGREES_FROM, input_scale, out_of_range
from rlcalc.digits import DIGITS, least_digits
from rlcalc.errors import DataError, InputError, RlcalcError, UnknownName, suggestion
from rlcalc.evaluation import BACKENDS, check_backends, run_numeric
from rlcalc.golden.batch import Rows, rows_of
from rlcalc.golden.files import Case, GoldenFile, Variant
from rlcalc.golden.replay import brief, command_line
from rlcalc.golden.results import CaseReport, Failure, Report, Run
from rlcalc.golden.values import Certified, certified, exact_text, source_problems
from rlcalc.heads import heads
from rlcalc.inputs.arrays import all_finite, dtype_of, torch_device
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import outline
from rlcalc.specs import Formula, load_formula

# Correct digits demanded of a case that names none of its own. Stricter than
# AGREES_FROM, which judges input of a user with conditioning unknown.
DEMANDED = {**AGREES_FROM, "float64": 10.0, "float32": 4.0}

Dtypes = str | Sequence[str]


def select(
    files: Iterable[GoldenFile], formula: str | None = None, section: str | None = None
) -> tuple[Case, ...]:
    """The cases of a formula, of a section, or of both.

    A case belongs to the section of its source; one without a section (an
    edge that the source leaves out) to the sections of its formula. ``"2"``
    selects every section of chapter 2.

    Raises:
        UnknownName: ``unknown_formula``, ``unknown_section``.
        DataError: ``nothing_selected``; to check nothing is not to pass.
    """
    files = tuple(files)
    name = None if formula is None else load_formula(formula).name
    if section is not None:
        known = {s for head in heads() for s in head.sections}
        known |= {s for file in files for case in file.cases for s in _sections(case)}
        if not any(_within(s, section) for s in known):
            raise UnknownName(
                "unknown_section",
                f"Nothing belongs to section '{section}'.",
                suggestion(section, sorted(known)) or f"There are {', '.join(sorted(known))}.",
            )
    chosen = tuple(
        case
        for file in files
        if name in (None, file.formula)
        for case in file.cases
        if section is None or any(_within(s, section) for s in _sections(case))
    )
    if not chosen:
        what = " and ".join(f"{k} {v}" for k, v in (("formula", formula), ("section", section)) if v)
        raise DataError("nothing_selected", f"No golden case belongs to {what or 'what was given'}.")
    return chosen


def _sections(case: Case) -> tuple[str, ...]:
    section = case.source.get("section")
    return (section,) if section else load_formula(case.formula).sections


def _within(section: str, wanted: str) -> bool:
    return section == wanted or section.startswith(wanted + ".")


def verify(
    cases: Sequence[Case],
    backends: Sequence[str] = BACKENDS,
    dtypes: Dtypes = "float64",
    device: str = "cpu",
    on_case: Callable[[CaseReport], None] | None = None,
) -> Report:
    """Run cases and collect what was found.

    Args:
        cases: at least one.
        backends: some of ``sympy``, ``numpy``, ``torch``.
        dtypes: floating dtypes of the numeric backends.
        device: Torch device.
        on_case: called after each case, for progress.

    Raises:
        UnknownName: ``unknown_backend``, ``unknown_dtype``.
        InputError: ``device_not_available``, ``unknown_device``.
        DataError: ``nothing_selected`` when there is nothing to run.
    """
    chosen, kinds = _plan(backends, dtypes, device)
    if not cases:
        raise DataError("nothing_selected", "There is no golden case to run.")
    reports = []
    for case in cases:
        reports.append(_run(case, chosen, kinds, device))
        if on_case is not None:
            on_case(reports[-1])
    return Report(chosen, kinds, device, reports)


def run_case(
    case: Case, backends: Sequence[str] = BACKENDS, dtype: Dtypes = "float64", device: str = "cpu"
) -> CaseReport:
    """One case on some backends.

    Args:
        case: from a golden file.
        backends: some of ``sympy``, ``numpy``, ``torch``.
        dtype: one floating dtype or several, for the numeric backends.
        device: Torch device.

    Returns:
        One ``Run`` per backend and dtype (the exact one has no dtype), and
        every comparison that failed.

    Raises:
        As ``verify``. A failing form raises nothing; it is in the report.
    """
    chosen, kinds = _plan(backends, dtype, device)
    return _run(case, chosen, kinds, device)


def _plan(backends: Sequence[str], dtypes: Dtypes, device: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is asked for, without repetition; a misspelt name is an error, never skipped."""
    chosen = check_backends(backends)
    kinds = tuple(dict.fromkeys([dtypes] if isinstance(dtypes, str) else dtypes))
    numeric = [backend for backend in chosen if backend != "sympy"]
    if numeric and not kinds:
        raise InputError("dtype_empty", "No dtype is chosen.", "Use float64 or float32.")
    for backend in numeric:
        for kind in kinds:
            dtype_of(backend, kind)
    if "torch" in numeric:
        torch_device(device)
    return chosen, kinds


def installed() -> tuple[str, ...]:
    """The backends whose library is there."""
    return tuple(backend for backend in BACKENDS if find_spec(backend) is not None)


def _run(case: Case, backends: tuple[str, ...], dtypes: tuple[str, ...], device: str) -> CaseReport:
    report = CaseReport(case)
    formula = load_formula(case.formula)
    values = certified(case, formula)
    try:
        for _, output, why in source_problems(case, values):
            report.failures.append(Failure(case.id, "", "source", "", output, "", "", why))
    except InputError:
        pass  # an exact value that cannot be read is reported by every backend
    for backend in backends:
        for dtype in ("",) if backend == "sympy" else dtypes:
            report.runs.append(Run(backend, dtype))
    for variant, wants in zip(case.variants, values, strict=True):
        _Trial(report, case, formula, variant, wants, device).run()
    for run in report.runs:
        if any((f.backend, f.dtype) == (run.backend, run.dtype) for f in report.failures):
            run.status = "failed"
        elif run.compared:
            run.status = "passed"
    return report


@dataclass
class _Trial:
    """One variant of one case, on every run of its report."""

    report: CaseReport
    case: Case
    formula: Formula
    variant: Variant
    values: Mapping[str, Certified]
    device: str

    def run(self) -> None:
        rows: Rows | None = None
        problem: Exception | None = None
        try:
            rows = rows_of(self.formula, self.variant.given, self.case.batch)
        except Exception as error:
            problem = error
        for run in self.report.runs:
            try:
                if problem is not None or rows is None:
                    raise problem or TypeError("no inputs")
                answers = self.answers(rows, run)
                if self.case.result == "invalid":
                    self.accepted(run, answers or {})
                elif answers is not None:
                    self.compare(run, answers, rows)
            except Exception as error:
                # a fault of any kind in one form is this case's failure and ends nothing else
                self.refused(run, error)

    def answers(self, rows: Rows, run: Run) -> Mapping[str, Any] | None:
        """Outputs of one backend; ``None`` where floats cannot hold the input."""
        inputs = rows.together
        if run.backend == "sympy":
            return rows.exact()
        if inputs.symbols and self.case.result != "invalid":
            run.why = "something is left as a symbol"
            return None
        if self.case.digits.get("float64") == 0 or (
            self.case.digits.get("float32") == 0 and run.dtype != "float64"
        ):
            run.why = f"not asked for in {run.dtype}: {self.case.digits_reason}"
            return None
        # in the wide dtypes a case that means to overflow is judged by what comes of it
        if run.dtype in ("float16", "bfloat16") and out_of_range(inputs, run.dtype) is not None:
            run.why = f"{run.dtype} cannot hold the input"
            return None
        return run_numeric(inputs, run.backend, run.dtype, self.device)

    def refused(self, run: Run, error: Exception) -> None:
        code = error.code if isinstance(error, RlcalcError) else type(error).__name__
        run.compared += 1
        if self.case.result != "invalid":
            self.fail(run, "", "an answer", code, f"{code}: {error}")
        elif not isinstance(error, InputError) or code != self.case.error:
            self.fail(run, "", self.case.error, code, f"the wrong refusal, {code}: {error}")

    def accepted(self, run: Run, answers: Mapping[str, Any]) -> None:
        """An invalid input came as far as an answer.

        Where only the numbers show that there is none (a singular system), a
        floating form may say so with nan or infinity: Torch cannot look at
        values without waiting for the device. A plausible number is a fault.
        """
        run.compared += 1
        answer = next(iter(answers.values()), None)
        if run.backend != "sympy" and answer is not None and not all_finite(answer):
            return
        got = exact_text(answer) if run.backend == "sympy" and answer is not None else answer
        self.fail(run, "", self.case.error, brief(got), "the input is accepted")

    def compare(self, run: Run, answers: Mapping[str, Any], rows: Rows) -> None:
        for name, value in self.values.items():
            output, exact = value.output, value.want.exact
            numeric = run.backend != "sympy"
            got = answers.get(name)
            if numeric and (output.exact_only or (got is None and output.kind == "word")):
                run.why = "its outputs are exact only"
                continue
            run.compared += 1
            if got is None:
                self.fail(run, name, brief(exact), "nothing", "the form gives no such output")
            elif outline(exact) != outline(got):
                self.fail(run, name, brief(exact), brief(got), "the answer has another shape")
            elif numeric and output.kind != "word":
                self.count_digits(run, name, value, got, rows.together)
            elif not value.equals(got, rounded=rows.is_long):
                why = "some entries differ" if isinstance(exact, list) else "the values differ"
                self.fail(run, name, brief(exact), brief(exact_text(got)), why)

    def count_digits(self, run: Run, name: str, value: Certified, got: Any, inputs: Inputs) -> None:
        if value.truth is None:
            why = "a symbol in the answer, but none in the input"
            self.fail(run, name, brief(value.want.exact), brief(got), why)
            return
        demanded = float(self.case.digits.get(run.dtype, DEMANDED[run.dtype]))
        counted = least_digits(got, value.truth, run.dtype, input_scale(inputs))
        # -inf stands for "not a number where there should be one", which no demand is low enough for
        digits = max(counted, 0.0)
        run.digits = digits if run.digits is None else min(run.digits, digits)
        if counted < demanded:
            why = f"{digits:.1f} correct digits of {DIGITS[run.dtype]:.1f}, {demanded:g} demanded"
            self.fail(run, name, brief(value.decimals), brief(got), why, digits, demanded)

    def fail(
        self,
        run: Run,
        output: str,
        expected: str,
        got: str,
        why: str,
        digits: float | None = None,
        demanded: float | None = None,
    ) -> None:
        command = ""
        if not self.case.batch:  # a command line takes one row
            command = command_line(self.formula, self.variant.given, run.backend, run.dtype, self.device)
        self.report.failures.append(
            Failure(
                self.case.id,
                self.variant.when,
                run.backend,
                run.dtype,
                output,
                expected,
                got,
                why,
                digits,
                demanded,
                command,
            )
        )
