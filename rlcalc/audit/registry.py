"""Claim functions, the statements they take, and the altered statements they must notice.

How to write a claim
====================

A claim is an entry of ``specs/claims/s<chapter>.toml`` and, where data does
not settle it, a function in ``rlcalc/audit/lecture/ch<chapter>*.py``. The
model is chapters 1 and 2.

    from rlcalc.audit import cases, evidence as ev, proofs
    from rlcalc.audit.registry import Statement, claim

    @claim("L2.2-geometric-weights", exponent=-1)
    def geometric(s: Statement, show: ev.Findings) -> None:
        lam, n = proofs.reals("lambda"), proofs.index()
        weight = (1 - lam) * lam ** (n + s.exponent)
        show.fill(weight=weight)                 # into the template 'w_n = @weight' of the formula
        show.literal.identity(..., weight, ...)  # the evidence, from the same parts

**What goes where**

1. *Worked numbers* need no function. In the TOML entry::

       formula = 'G_1^{(1)} = 2 + 0.9 \\cdot 8 = 9.2'
       template = 'G_1^{(1)} = @expect = @expect'      # each side has this value
       check = "golden:n_step_return/lecture-1.4-n1"   # the case's answer, computed when the audit runs
       output = "updated"                              # where it is not the first one
       expect = "9.2"                                  # or a list, entry by entry

   Several outputs, or several cases, are lists of the same length; what is given once goes for all. In
   the template their numbers are ``@first``, ``@second`` and ``@third``::

       formula = '\\min(7.5, 6.0) = 6.0'
       template = '\\min(@first, @second) = @third'
       check = "golden:ppo_clip/lecture-7.4-s1"
       output = ["unclipped", "clipped", "objective"]
       expect = ["7.5", "6.0", "6.0"]

2. *Taxonomy* needs no function if rows of a table say it. In the TOML entry::

       [[claim.fact]]
       what = "PPO learns a critic"
       table = "algorithms"                 # recipes, pretrained, tokenizers, datasets, works, settings
       row = "PPO"                          # or rows = [...], or where = { policy = true } (all that fit)
       column = "critic"                    # also the computed ones: category, learned, model_free
       relation = "="                       # = !=, in, not in, < <= > >= has (a list that has it)
       value = "yes"
       role = "against"                     # or repair, unchanged: beside the text of the repair

   The verdict is ``recorded``: a table can only repeat what was written into it. ``read_off = "why"`` says
   why no formula of the calculator decides it, which every recorded claim must. A reading without an
   ``unchanged`` fact is one of a section that prints no number, which is counted.
3. *The same statement again* (chapter 9): ``same_as = "L4.3-per-timestep"``, nothing else; formula and
   repair are that claim's.
   *What nothing can settle*: ``unknowable = "why"``, no function; its verdict is ``not-checkable``.
4. *Repairs* are text and stand in the TOML entry; the function gives their evidence::

       [claim.condition]         # under which it holds; or reading: so understood it holds; or correction
       text = "It holds for λ < 1."
       formula = '...'           # LaTeX, optional
       unchanged = ["ppo_clip/lecture-7.4-s1:objective"]  # of a reading: cases whose printed numbers stay

       show.against += ...
       show.repair.identity(...)

5. *Counterexamples* are golden cases; inputs stand there alone::

       case = cases.vector("n_step_return/audit-bias-grows")
       show.against += case.refutes(                     # given, commands and answers are the case's
           "V is right at S_1 and wrong at S_2",
           ev.Exact("|bias of n = 2| <= |bias of n = 1|", case.answer(), s.relation, case.answer(n=1)),
           also=(cases.vector("n_step_return/other"),),  # further cases to replay
           violates=ev.Exact("λ is not below 1", case.given["lam"], ">=", 1),
       )

   The case names the claim (``source = { ref = "audit L1.2-bias-falls", ... }``) and has the flag
   ``counterexample``. Call one the smallest only if ``cases.smallest(…)`` found it.
6. *Altered statements* come from the types of the parts (``rlcalc.audit.alter``): nothing to write.
   A part that is a word is a ``Choice("PPO", "TRPO", "DQN")``. Where an altered statement is still true,
   say so in the entry: ``harmless = { "sign: 1 → 2" = "a step twice as long leads to the target too" }``; the
   engine checks that it really keeps its verdict. (Beside a ``wrong`` statement most are wrong too; there the
   right one must be noticed.) A set of parts without an order is a ``frozenset``. Where no operator fits, the
   entry has ``corruptions = [{ about = "…", why = "no operator does it", changes = { part = "value" } }]``.
7. *The formula* is tied: beside it stands a template, the same formula with holes for the parts::

       formula = '\\nabla J = \\mathbb{E}[ \\rho_t G_t ]'
       template = '\\nabla J @relation \\mathbb{E}[ @weight @{letter}_t ]'

   Parts of the statement fill the holes of their names; ``show.fill(weight=ratio)`` fills others, with what
   the evidence is made of: an expression, a number, a list, or text, which is LaTeX. Names are those of
   ``rlcalc.audit.formula.reader``; a state is its index, so V(S_{t+n}) is ``V(t + n)``.
   An equation that is only conditional takes ``relation="="`` as a part: ``ev.ordered(what, left,
   s.relation, right)`` and ``ev.Exact(what, left, s.relation, right)`` follow it. The self-check demands that
   some altered part changes both the formula and the verdict, and that every altered formula (index, sign,
   exponent, max or min, relation, number) is noticed.

**What the engine refuses** (``vacuous``)

- ``Exact`` of two typed-in numbers. Take them from the parts (``s.total``) or from the case (``case.given``).
- ``Identity`` whose sides are the same expression before any work, unless some altered statement makes it
  fail. Give it a part, or drop it.
- Facts and enumerations over tables name their ``source``; they are ``recorded`` and prove nothing.

**Then**: ``rlcalc audit --section 2 --self-check`` lists what is left; ``--claim ID`` shows one claim.
When the verdicts have been read, ``--record``: it also records the words that were reviewed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from rlcalc.audit.alter import Alteration, Choice, alterations
from rlcalc.audit.evidence import Findings
from rlcalc.audit.values import given
from rlcalc.audit.verdict import Scope


class Statement:
    """The parts of a statement: ``s.relation``, ``s.exponent``, whatever its function declares."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._parts = dict(parts)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            part = self._parts[name]
        except KeyError:
            raise AttributeError(f"the statement has no part {name!r}") from None
        return given(part.value if isinstance(part, Choice) else part)

    def all_parts(self) -> dict[str, Any]:
        """All of them by name."""
        return {name: getattr(self, name) for name in self._parts}

    def altered(self, changes: Mapping[str, Any]) -> Statement:
        unknown = set(changes) - set(self._parts)
        if unknown:
            raise KeyError(f"the statement has no part {sorted(unknown)}")
        return Statement({**self._parts, **changes})

    def alterations(self) -> list[Alteration]:
        return alterations(self._parts)


ClaimFunction = Callable[[Statement, Findings], None]


@dataclass(frozen=True)
class Check:
    """A claim function, the statement as the lecture has it, and how far one of this sort reaches."""

    function: Callable[[Statement], Findings]
    statement: Statement
    scope: Scope | None = None


CHECKS: dict[str, Check] = {}


def claim(id: str, **parts: Any) -> Callable[[ClaimFunction], Callable[[Statement], Findings]]:
    """Declare the function that checks a claim: it is handed the statement, and what to show things with.

    Args:
        id: as in ``specs/claims``.
        parts: the statement as the lecture has it.
    """

    def declare(function: ClaimFunction) -> Callable[[Statement], Findings]:
        @wraps(function)
        def findings(s: Statement) -> Findings:
            show = Findings()
            function(s, show)
            return show

        if id in CHECKS and CHECKS[id].function.__module__ != function.__module__:
            raise ValueError(f"two functions check {id}")
        CHECKS[id] = Check(findings, Statement(parts))
        return findings

    return declare


def load_checks(chapter: str) -> dict[str, Check]:
    """Import the modules of one chapter of the lecture and return its checks."""
    import rlcalc.audit.lecture

    stem = f"ch{chapter}"
    for module in iter_modules(rlcalc.audit.lecture.__path__):
        if module.name == stem or module.name.startswith(stem + "_"):
            import_module(f"rlcalc.audit.lecture.{module.name}")
    return {id: check for id, check in CHECKS.items() if id[1:2] == chapter}
