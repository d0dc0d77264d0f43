"""Someone else's function against the certified vectors, with a diagnosis.

    target  ->  vectors  ->  trial  ->  outcomes  ->  verdict  ->  report

``target/`` calls what was named, ``vectors`` are golden readings as arrays
with their exact answers, ``trial`` asks the target and remembers, ``outcome``
says what each call did, ``conventions`` and ``diagnose`` look for the reading
or the known bug behind a difference. ``faults/`` is the catalogue that the
golden vectors themselves are measured by (``selfcheck``).

Running a target is running its author's code, with all that it may do. The
data files (vectors, faults, cases) only ever hold numbers and words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcalc.conform.conform_report import ConformReport

__all__ = ["conform"]


def conform(target: Any, formula: str, **options: Any) -> ConformReport:
    """Run a function against the vectors of a formula.

    Args:
        target: a function that takes the canonical keyword arguments, or a
            ``rlcalc.conform.target.base.Target``.
        formula: Python name or command.
        options: as ``rlcalc.conform.runner.run``.
    """
    from rlcalc.conform.runner import run
    from rlcalc.conform.target.base import Target, from_function

    chosen = target if isinstance(target, Target) else from_function(target)
    return run(chosen, formula, **options)
