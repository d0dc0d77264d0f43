"""What a verification found: comparisons, runs, cases and all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlcalc.golden.files import Case


@dataclass(frozen=True)
class Failure:
    """One comparison that did not hold.

    Attributes:
        reading: the convention, empty for the case's own reading.
        backend: ``sympy``, ``numpy``, ``torch``; ``source`` when the file contradicts itself.
        dtype: empty for exact results.
        output: empty when the whole computation failed.
        expected, got: as text.
        digits: correct digits, ``None`` where there are none to count.
        demanded: digits that were asked for.
        why: one sentence.
        command: a command line that shows the result; empty where none can be written.
    """

    case: str
    reading: str
    backend: str
    dtype: str
    output: str
    expected: str
    got: str
    why: str
    digits: float | None = None
    demanded: float | None = None
    command: str = ""


@dataclass
class Run:
    """One case on one backend in one dtype.

    Attributes:
        status: ``passed``, ``failed`` or ``skipped``.
        digits: least correct digits over all outputs and readings; ``None`` for exact runs.
        why: reason of a skip.
        compared: number of outputs compared.
    """

    backend: str
    dtype: str
    status: str = "skipped"
    digits: float | None = None
    why: str = ""
    compared: int = 0


@dataclass
class CaseReport:
    """One case on everything that was asked for."""

    case: Case
    runs: list[Run] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass
class Report:
    """All cases of one verification.

    Attributes:
        missing: backends that could not run, with the line that installs them.
    """

    backends: tuple[str, ...]
    dtypes: tuple[str, ...]
    device: str
    cases: list[CaseReport]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> list[Failure]:
        return [failure for report in self.cases for failure in report.failures]

    @property
    def passed(self) -> bool:
        return not self.failures
