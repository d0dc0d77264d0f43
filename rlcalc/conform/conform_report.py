"""What is known of one target: its verdict, every judgement behind it, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from rlcalc.conform.binding.model import Binding
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import Diagnosis, Match
from rlcalc.conform.generate.search import FailingCase
from rlcalc.conform.outcome import KINDS, Judgement
from rlcalc.conform.target.base import Target

# fewer vectors than this prove nothing, where there are many
LEAST_EVIDENCE, MANY = 3, 10


@dataclass
class ConformReport:
    """Everything about one target.

    Attributes:
        verdict: ``conforms``, ``conforms-under-convention``, ``nonconforming`` or one of
            ``hangs``, ``raises``, ``wrong-shape``, ``nan``, ``wrong-dtype``, ``changes-inputs``; or
            ``too-few-vectors``, where nothing failed and next to nothing could be asked.
        conventions: under which it conforms, or was asked to.
        declared: the user named them, rather than that they were found.
        judgements: one per vector and dtype.
        tried_under: conventions that the judgements were made under.
        random: how many generated cases ran.
        found: the smallest failing generated case, if one failed.
        diagnosis: which known bugs behave like it; ``None`` where none was looked for.
        random_skipped: why no cases were generated.
        details: notes that say more of what was not tested.
        asked: the target as it was bound and narrowed.
        binding: what its parameters were found to mean.
        not_tested: what the target does not have, and was not asked for.
        lacking: of that, what was required.
        as_declared: the judgements under the declared conventions, where others were found since.
        backend: the arrays that it was called with.
        spared: the convention without which alone it is wrong; ``None`` where there is none.
        right_under: with that, the conventions under which all else is right.
        constant: the one number that it answers whatever it is given.
        part: of the function that this report is about, where it is one term of several.
        without: on the same function without that term; right.
    """

    target: str
    formula: str
    verdict: str
    conventions: tuple[Convention, ...]
    declared: bool
    judgements: list[Judgement]
    tried_under: tuple[Convention, ...] = ()
    random: int = 0
    found: FailingCase | None = None
    diagnosis: Diagnosis | None = None
    notes: list[str] = field(default_factory=list)
    details: frozenset[str] = frozenset()
    random_skipped: str = ""
    asked: Target | None = None
    binding: Binding | None = None
    not_tested: list[str] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    as_declared: list[Judgement] = field(default_factory=list)
    backend: str = "numpy"
    spared: Convention | None = None
    right_under: tuple[Convention, ...] = ()
    constant: float | None = None
    part: str = ""
    without: ConformReport | None = None

    @property
    def passed(self) -> bool:
        """Right as declared; a convention that was only found has to be declared first."""
        return self.verdict == "conforms" or (self.verdict == "conforms-under-convention" and self.declared)

    @property
    def matches(self) -> tuple[Match, ...]:
        """Known bugs that behave like it, the simplest first."""
        return () if self.diagnosis is None else self.diagnosis.matches

    @property
    def failures(self) -> list[Judgement]:
        return [j for j in self.judgements if j.failed]

    @property
    def worst(self) -> str:
        """The worst thing that happened, of ``KINDS``; empty when nothing failed."""
        happened = {j.status for j in self.judgements}
        if self.found is not None:
            happened.add(self.found.judgement.status)
        return next((kind for kind in KINDS if kind in happened), "")

    @property
    def thin(self) -> str:
        """Why what it was asked is too little to say that it conforms; empty where it is not."""
        ran = {j.vector.id for j in self.judgements if j.status != "skipped"}
        every = {j.vector.id for j in self.judgements}
        excused = any(way.excuses for way in self.conventions)  # it is declared that this is meant
        if self.binding is not None and self.binding.agreed == "fault" and not excused:
            bug = self.binding.like[0]
            return f"Its first answers are those of the bug {bug}, which none of {len(ran)} vectors shows."
        passed = {j.vector.id for j in self.judgements if j.status == "passed"}
        if len(every) < MANY or len(passed) >= LEAST_EVIDENCE:
            return ""
        return f"Only {len(ran)} of {len(every)} vectors could be put to it: too few to say that it conforms."

    def digits(self, dtype: str) -> float | None:
        """Least correct digits in a dtype, over what was answered."""
        counted = (j.digits for j in self.judgements if j.dtype == dtype and j.digits is not None)
        return min(counted, default=None)
