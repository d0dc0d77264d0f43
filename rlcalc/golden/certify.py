"""Certification: decimals derived from exact values, exact values confirmed.

Each case is evaluated by the exact form. Its answer must equal ``exact``,
which a person derived; ``decimal`` is then written from ``exact``. What a
file says already is not changed unless asked for, and what a source printed
never is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlcalc.errors import RlcalcError
from rlcalc.files import write_text
from rlcalc.golden.batch import rows_of
from rlcalc.golden.files import Case, Expected, GoldenFile, Variant, load
from rlcalc.golden.replay import brief
from rlcalc.golden.toml_edit import edited
from rlcalc.golden.values import Certified, certified, exact_text, source_problems
from rlcalc.specs import load_formula


@dataclass(frozen=True)
class Difference:
    """Something in a file that its certification does not confirm.

    Attributes:
        where: case, variant and output, as a person finds them.
        what: ``exact``, ``decimal``, ``printed``, ``error`` or ``input``.
        recorded: what the file says.
        derived: what it should be, and who says so.
        overwritable: whether ``--overwrite`` can settle it.
    """

    where: str
    what: str
    recorded: Any
    derived: str
    overwritable: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is {self.recorded} in the file, {self.derived}"


@dataclass
class Certification:
    """What certifying one file found.

    Attributes:
        missing: places without a ``decimal``, which certification can fill in.
        differences: what has to be corrected by hand or overwritten.
        overwritten: differences that were settled by writing over what the file said.
        written: how many values were put into the file.
    """

    path: Path
    cases: int
    missing: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    overwritten: list[Difference] = field(default_factory=list)
    written: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and nothing differs."""
        return not self.missing and not self.differences


def certify(path: Path | str, *, write: bool = True, overwrite: bool = False) -> Certification:
    """Confirm one golden file and fill in its missing decimals.

    Args:
        path: the file.
        write: put what is missing into the file; otherwise only report it.
        overwrite: also replace ``exact`` and ``decimal`` where they differ.

    Returns:
        What is still missing or different afterwards.

    Raises:
        DataError: the file cannot be read, edited or written.
    """
    file = load(path)
    report = Certification(file.path, len(file.cases))
    changes: dict[tuple[str | int, ...], Any] = {}
    overwritten: list[Difference] = []
    for place, key, value, problem in _findings(file):
        if isinstance(problem, str):
            settled = write
            if not write:
                report.missing.append(problem)
        else:
            settled = write and overwrite and problem.overwritable
            (overwritten if settled else report.differences).append(problem)
        if settled:
            changes[(*place, key)] = value
    if changes:
        text = file.path.read_bytes().decode("utf-8")
        write_text(file.path, edited(text, changes, after="exact"))
        # what was written is judged like anything else that stands in a file
        report = certify(path, write=False)
        report.written, report.overwritten = len(changes), overwritten
    return report


Finding = tuple[tuple[str | int, ...], str, Any, Difference | str]


def _findings(file: GoldenFile) -> Iterator[Finding]:
    """Every gap and every difference: table, key, right value, and the problem (a gap is a text)."""
    formula = load_formula(file.formula)
    for number, case in enumerate(file.cases):
        top: tuple[str | int, ...] = ("case", number)
        if case.result == "invalid":
            yield from ((top, "error", None, difference) for difference in _refusal(case))
            continue
        values = certified(case, formula)
        for variant, wants in zip(case.variants, values, strict=True):
            where = case.id + (f" ({variant.when})" if variant.when else "")
            answers, rounded = _answers(case, variant)
            if isinstance(answers, Exception):
                why = f"but the exact form refuses it: {_code(answers)}: {answers}"
                yield top, "given", None, Difference(where, "input", "accepted", why)
                continue
            for name, value in wants.items():
                table = (*top, *variant.path, "want", name)
                got = answers.get(name)
                yield from _value_findings(table, f"{where}: {name}", value, got, case.formula, rounded)
        for what, name, why in source_problems(case, values):
            if what == "printed":
                printed = next(w[name].want.printed for w in values if w[name].want.printed is not None)
                yield top, what, None, Difference(f"{case.id}: {name}", what, printed, why)


def _value_findings(
    table: tuple[str | int, ...], where: str, value: Certified, got: Any, formula: str, rounded: bool
) -> Iterator[Finding]:
    want = value.want
    if got is None:
        why = "but the exact form gives no such output"
        yield table, "exact", None, Difference(where, "exact", want.exact, why)
        return
    try:
        same, decimals = value.equals(got, rounded), value.decimals
    except RlcalcError as error:
        yield table, "exact", None, Difference(where, "exact", want.exact, f"which cannot be read: {error}")
        return
    if not same:
        derived = exact_text(got)
        why = f"the exact form of {formula} derives {brief(derived)}"
        yield table, "exact", derived, Difference(where, "exact", want.exact, why, not rounded)
        decimals = Certified(Expected(derived), value.output).decimals
    if decimals is None:
        if want.decimal is not None:
            why = "but a word or a symbolic answer has none"
            yield table, "decimal", None, Difference(where, "decimal", want.decimal, why)
    elif want.decimal is None:
        yield table, "decimal", decimals, f"{where}: decimal is missing"
    elif want.decimal != decimals:
        why = f"20 digits of {'exact' if same else 'the derived value'} are {decimals}"
        yield table, "decimal", decimals, Difference(where, "decimal", want.decimal, why, True)


def _answers(case: Case, variant: Variant) -> tuple[dict[str, Any] | Exception, bool]:
    """Outputs of the exact form, and whether they may be rounded to fifty digits."""
    try:
        rows = rows_of(load_formula(case.formula), variant.given, case.batch)
        return rows.exact(), rows.is_long
    except Exception as error:
        # a fault in one formula must not hide what is wrong with the other cases
        return error, False


def _code(error: Exception) -> str:
    return error.code if isinstance(error, RlcalcError) else type(error).__name__


def _refusal(case: Case) -> Iterator[Difference]:
    answers, _ = _answers(case, case.variants[0])
    if not isinstance(answers, Exception):
        yield Difference(case.id, "error", case.error, "but the input is accepted")
    elif _code(answers) != case.error:
        yield Difference(case.id, "error", case.error, f"but it is refused with {_code(answers)}: {answers}")
