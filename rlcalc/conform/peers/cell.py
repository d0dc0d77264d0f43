"""One cell of the matrix of libraries: a function, and what running it said."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlcalc.conform.report.counterexample import Counterexample

NOT_RUN = "not-run"
PASSES, CONVENTION, PRECISION, WRONG = (
    "passes", "passes with a documented convention", "loses precision", "gives a wrong answer"
)  # fmt: skip
# what the matrix distinguishes, the best first; a column each
KINDS = (PASSES, CONVENTION, PRECISION, WRONG)


@dataclass(frozen=True)
class Cell:
    """One function of one library.

    Attributes:
        verdict: as of a report; ``not-run`` where the library could not be loaded.
        conventions: under which it conforms; ``documented`` says that the library declares them.
        settings: with which it was called, where one function stands in several cells.
        faults: what it behaves as, simplest first.
        rounds: it is right but for rounding to float32 on the way.
        passed: how many vectors of how many in float64, which may be fewer than there are.
    """

    library: str
    version: str
    function: str
    formula: str
    verdict: str
    settings: str = ""
    conventions: tuple[str, ...] = ()
    documented: bool = False
    faults: tuple[str, ...] = ()
    rounds: bool = False
    note: str = ""
    why: str = ""
    passed: tuple[int, int] = (0, 0)
    digits: float | None = None
    example: Counterexample | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """Which of ``KINDS`` it is; ``not-run`` where it could not be asked."""
        if self.verdict == NOT_RUN:
            return NOT_RUN
        if self.verdict == "conforms-under-convention":
            return CONVENTION
        if self.verdict == "conforms":
            return PASSES
        return PRECISION if self.rounds else WRONG

    @property
    def called(self) -> str:
        """The function and its settings."""
        return f"{self.function} ({self.settings})" if self.settings else self.function

    @property
    def words(self) -> str:
        """The verdict as it stands in the terminal."""
        return self.said()

    def said(self, mark: str = "") -> str:
        """The verdict in words, with a mark on both sides of each name."""
        if self.verdict == "conforms-under-convention":
            found = "" if self.documented else ", found by trying"
            return (
                "conforms under " + " and ".join(f"{mark}{name}{mark}" for name in self.conventions) + found
            )
        if self.faults:
            return f"{self.verdict}: " + " or ".join(f"{mark}{name}{mark}" for name in self.faults)
        if self.verdict in ("conforms", NOT_RUN):
            return self.verdict
        return f"{self.verdict}: {self.why}" if self.why else self.verdict
