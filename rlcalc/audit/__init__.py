"""The audit: every statement of the lecture, proved, confirmed, conditioned or refuted by a program.

What the lecture says stands in ``specs/claims/s<chapter>.toml``, in our own
words. What is true about it stands nowhere: a function per claim computes
evidence when the audit runs, and ``judge`` turns evidence into a verdict by
fixed rules. ``specs/claims/reviewed.toml`` holds the verdicts that a person
has read, so that a change is noticed.

How to write a section
----------------------
A section is ``specs/claims/s7.toml`` and the modules ``rlcalc/audit/s7.py``,
``s7_<part>.py`` (any name that starts so is found). One function per claim::

    @claim(
        "L2.2-weights-sum",
        exponent=-1,                       # the parts of the statement, as the lecture has them
        total=1,
        corruptions=[
            Corruption("exponent n instead of n − 1", exponent=0),
            Corruption("sum 2", total=2),
        ],
    )
    def weights_sum(s: Statement) -> Findings:
        ...
        return Findings(literal=[...], against=[...], repair=...)

The function builds its evidence FROM THE PARTS ``s.exponent``, ``s.total``,
never from constants: that is what makes ``rlcalc audit --self-check`` mean
something. It hands every claim its corrupted statements and demands another
verdict each time (an exception or ``undecided`` does not count as caught).

``Findings`` has four fields.

- ``literal``: evidence for the statement as it stands. All of it must hold.
- ``against``: counterexamples to the statement as it stands (in a claim about
  taxonomy also facts that contradict it).
- ``repair``: what is true instead, with its own evidence:
  ``condition(text, [...])`` for a statement that holds only then,
  ``reading(text, [...], unchanged=[...])`` for a slip of notation that changes
  no printed number, ``correction(text, [...])`` for a false statement.
- ``unknowable``: why nothing can be computed; then nothing else is given.

Evidence (``rlcalc.audit.evidence``): ``Identity`` (an equation closed to
zero, symbols left in), ``Induction`` (checked base and step), ``Sign`` (an
expression of positive symbols that is positive), ``Exact`` (numbers),
``Exhaustive`` (every element of a finite domain), ``Fact`` (attributes and tables), ``Simulation``,
``Counterexample``. ``rlcalc.audit.proofs`` builds inductions and symbols.
``judge`` (``rlcalc.audit.verdict``) states the rules; the ones to know:

- general statements need at least one general proof; ``Exact`` on some sizes
  and ``Fact`` leave them ``undecided``. Claims of kind "worked number" are instances, those
  of kind "taxonomy/historical" structure, "empirical" statistics; ``scope=`` of
  the decorator overrides;
- ``conditional`` and ``wrong`` need a ``Counterexample`` whose numbers contradict the
  statement; a conditional one must also lie outside the condition (``violates``);
- ``refuted`` (it fails and nothing proved stands in its place), ``unsupported``
  (neither contradicted nor supported) and ``undecided`` (a proof did not close)
  are no verdicts but faults: exit code 1. A spoilt statement may end as one of the
  first two, never as ``undecided``.

Every ``Counterexample`` names a golden case (``golden="n_step_return/..."``),
which names the claim: ``source = { ref = "audit L1.2-bias-falls", section = "1.2" }``
and ``flags = ["counterexample"]``; and it lists calculator commands with the
answers they give (``Replay``). Tests run both.

Then ``rlcalc audit --section 7``, ``--claim ID``, ``--self-check`` and, when the
verdicts have been read, ``--record``.

The modules:

- ``evidence``, ``proofs``: what can be found out, and helpers to find it;
- ``verdict``: the rules; ``registry``: claim functions, statements, corruptions;
- ``claims``: the TOML files; ``runner``: run, in parallel; ``outcome``: a result as plain data;
- ``report``, ``errata``, ``page``, ``latex``: what people see;
- ``s0`` … ``s9``: the lecture.
"""

from __future__ import annotations
