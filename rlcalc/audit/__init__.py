"""The audit: every statement of the lecture, proved, refuted or given its condition by a program.

What the lecture says stands in ``specs/claims/s<chapter>.toml``, in our own
words. What is true about it stands nowhere: evidence is computed when the
audit runs, and ``judge`` turns it into a verdict by fixed rules. A formula is
tied to its evidence, evidence that could not fail is refused, and altered
statements must lead to other verdicts. ``specs/claims/reviewed.toml`` holds
the verdicts that a person has read, with a fingerprint of the words, so that
a change of either is noticed.

- ``registry``: how a claim is written; claim functions and altered statements;
- ``evidence``, ``proofs``, ``cases``: what can be found out, and helpers to find it;
- ``verdict``: the rules; ``alter``: altered statements by the types of their parts;
- ``formula``: LaTeX read, evaluated, compared, altered;
- ``claims``, ``tables``, ``data_checks``: the TOML files, and claims that data alone settle;
- ``runner``: run, on several processes; ``audited``: a result as plain data;
- ``report``, ``errata``, ``page``: what people see;
- ``lecture``: the chapters.
"""

from __future__ import annotations
