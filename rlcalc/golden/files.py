"""Golden files: certified vectors as data, one file per formula.

``golden/<formula>.toml`` gives inputs with the answers that are right for
them, derived from the definitions and never recorded from the code under
test. Reading one executes nothing: a file of unknown origin is refused or
read, and no text in it is more than a number or a word.

``rlcalc.golden.certify`` fills in decimals, ``rlcalc.golden.verify`` runs the cases on the
backends, conformance replays them against functions of other people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName, shown, suggestion
from rlcalc.golden.flags import Flag, read_flags, shared_flags
from rlcalc.golden.keys import (
    batch_problem,
    code_problem,
    decimal_problem,
    digits_problem,
    distinct_flags,
    expanded,
    given_problem,
    id_problem,
    number_problem,
)
from rlcalc.nested import outline
from rlcalc.records import Place, not_empty, read_record
from rlcalc.specs import Formula, load_formula

SCHEMA = "rlcalc-golden-1"
Result = Literal["valid", "acceptable", "invalid"]
RESULTS: tuple[str, ...] = get_args(Result)


@dataclass(frozen=True)
class Expected:
    """The certified value of one output.

    Attributes:
        exact: text in the expression grammar, an integer, ``infinity``, a
            word, or a (nested) list of them. The truth.
        decimal: 20 significant digits of it in the same shape; ``None`` for
            words, for symbolic answers and until the file is certified.
        printed: what the source prints, verbatim, in the same shape.
    """

    exact: Any = field(metadata={"check": number_problem})
    decimal: Any = field(default=None, metadata={"check": decimal_problem})
    printed: Any = field(default=None, metadata={"check": number_problem})


@dataclass(frozen=True)
class Variant:
    """One set of inputs with its answers.

    Attributes:
        when: the convention under which it holds; empty for a case's own variant.
        given: all inputs, those of ``otherwise`` laid over the case's own.
        want: by output name; only these outputs are compared.
        path: where the variant stands in the file, below its case.
    """

    when: str
    given: Mapping[str, Any] = field(metadata={"check": given_problem})
    want: Mapping[str, Expected] = field(metadata={"check": not_empty})
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class _Source:
    ref: str = ""
    section: str = ""


@dataclass(frozen=True)
class _Digits:
    reason: str
    float64: int | None = field(default=None, metadata={"check": digits_problem})
    float32: int | None = field(default=None, metadata={"check": digits_problem})


@dataclass(frozen=True)
class _Entry:
    """A ``[[case]]`` as the file has it."""

    id: str = field(metadata={"check": id_problem})
    about: str
    flags: tuple[str, ...] = field(metadata={"check": distinct_flags})
    result: Result
    given: Mapping[str, Any] = field(metadata={"check": given_problem})
    want: Mapping[str, Expected] | None = field(default=None, metadata={"check": not_empty})
    otherwise: tuple[Mapping[str, Any], ...] | None = field(default=None, metadata={"check": not_empty})
    source: _Source = _Source()
    batch: tuple[int, ...] = field(default=(), metadata={"check": batch_problem})
    digits: _Digits | None = None
    error: str | None = field(default=None, metadata={"check": code_problem})


# what a result calls for, of the keys that not every case has
_NEEDED = {"valid": {"want"}, "acceptable": {"want", "otherwise"}, "invalid": {"error"}}
_ALLOWED = {"valid": {"batch", "digits"}, "acceptable": {"batch", "digits"}, "invalid": set()}


@dataclass(frozen=True)
class Case:
    """One certified vector.

    Attributes:
        id: ``formula/slug``; it never changes and is never used again.
        formula: Python name of the formula.
        source: ``ref`` and ``section`` of where it was found; may be empty.
        flags: why it is there.
        result: ``valid``; ``acceptable`` when a convention decides between
            several answers; ``invalid`` when the input must be refused.
        variants: first the case's own, then one per ``otherwise``. An
            invalid case has one variant that wants nothing.
        error: stable code that an invalid case must raise.
        batch: lengths of leading axes, in every answer and in the inputs that differ by row.
        digits: correct digits demanded by dtype, where conditioning costs some;
            0 where that dtype cannot hold the input at all, or rounding decides the answer: it is not
            run then, nor any narrower one.
        digits_reason: why they are fewer than usual.
    """

    id: str
    formula: str
    about: str
    source: Mapping[str, str]
    flags: tuple[Flag, ...]
    result: Result
    variants: tuple[Variant, ...]
    error: str = ""
    batch: tuple[int, ...] = ()
    digits: Mapping[str, int] = field(default_factory=dict)
    digits_reason: str = ""

    @property
    def given(self) -> Mapping[str, Any]:
        return self.variants[0].given

    @property
    def want(self) -> Mapping[str, Expected]:
        return self.variants[0].want

    @property
    def is_erratum(self) -> bool:
        """Whether ``printed`` is known to be wrong."""
        return any(flag.kind == "erratum" for flag in self.flags)


@dataclass(frozen=True)
class GoldenFile:
    """All vectors of one formula.

    Attributes:
        flags: those that its cases carry, by name.
        own_flags: names of those that it defines itself; the others are ``shared_flags``.
    """

    path: Path
    formula: str
    flags: Mapping[str, Flag]
    cases: tuple[Case, ...]
    own_flags: frozenset[str] = frozenset()


def load(path: Path | str) -> GoldenFile:
    """Read one golden file and check all that can be checked without computing.

    Raises:
        DataError: ``bad_golden`` with file and case: an unknown key, flag or
            output, a repeated or bare-number id, a float where a string must
            stand, a case that lacks what its result calls for;
            codes of ``rlcalc.data.read_toml``.
        UnknownName: ``unknown_formula``.
    """
    path = Path(path)
    return _file(path, read_toml(path))


@cache
def shipped(formula: str) -> GoldenFile:
    """The shipped file of a formula, read once a process.

    Raises:
        DataError: as ``load``.
    """
    return load(data_folder("golden") / f"{formula}.toml")


def load_all(folder: Path | str | None = None) -> tuple[GoldenFile, ...]:
    """Every golden file of a folder and the folders in it; by default the shipped ones.

    Raises:
        DataError: ``no_golden_files``, or as ``load``; ``bad_golden`` when
            one id stands in two files.
    """
    if folder is None:
        return _apart(tuple(shipped(path.stem) for path in sorted(data_folder("golden").glob("*.toml"))))
    paths = sorted(Path(folder).rglob("*.toml"))
    if not paths:
        raise DataError("no_golden_files", f"There are no golden files in {folder}.")
    return load_files(paths)


def load_files(paths: list[Path]) -> tuple[GoldenFile, ...]:
    """Several files, whose ids must differ from each other as well.

    Raises:
        DataError: as ``load``.
    """
    return _apart(tuple(load(path) for path in paths))


def _apart(files: tuple[GoldenFile, ...]) -> tuple[GoldenFile, ...]:
    seen: dict[str, Path] = {}
    for file in files:
        for case in file.cases:
            if case.id in seen:
                raise DataError(
                    "bad_golden", f"{file.path.name}: case {case.id}: {seen[case.id]} has that id already."
                )
            seen[case.id] = file.path
    return files


@dataclass(frozen=True)
class _Top:
    schema: Literal["rlcalc-golden-1"]
    formula: str
    case: tuple[Any, ...] = field(metadata={"check": not_empty})
    flag: Mapping[str, Any] = field(default_factory=dict)


def _file(path: Path, raw: Mapping[str, Any]) -> GoldenFile:
    place = Place(path.name, code="bad_golden")
    top = read_record(_Top, raw, place)
    try:
        formula = load_formula(top.formula)
    except UnknownName as error:
        raise UnknownName(error.code, f"{path.name}: {error.message}", error.hint) from error
    if formula.name != top.formula:
        place.refuse(f"formula is the Python name, {formula.name}.")
    own = read_flags(top.flag, place)
    flags = {**shared_flags(), **own}
    cases: dict[str, Case] = {}
    for number, entry in enumerate(top.case):
        name = entry.get("id") if isinstance(entry, Mapping) else None
        at = place.at(f"case {name}" if isinstance(name, str) else f"case number {number + 1}")
        case = _case(read_record(_Entry, _written_out(entry, at), at), at, formula, flags)
        if case.id in cases:
            at.refuse("that id is used twice.")
        cases[case.id] = case
    used = {flag.name: flag for case in cases.values() for flag in case.flags}
    return GoldenFile(path, formula.name, used, tuple(cases.values()), frozenset(own))


def _written_out(value: Any, place: Place) -> Any:
    """A table with the runs of its lists written out, at any depth."""
    if isinstance(value, Mapping):
        return {key: _written_out(part, place.at(key)) for key, part in value.items()}
    if isinstance(value, list) and all(isinstance(part, Mapping) and "repeat" not in part for part in value):
        return [_written_out(part, place.at(number + 1)) for number, part in enumerate(value)]
    try:
        return expanded(value)
    except ValueError as error:
        place.refuse(str(error))


def _case(entry: _Entry, place: Place, formula: Formula, flags: Mapping[str, Flag]) -> Case:
    if entry.id.partition("/")[0] != formula.name:
        place.refuse(f"its id must start with {formula.name}/.")
    _check_result(entry, place)
    chosen = _case_flags(entry, place, flags)
    own = Variant("", entry.given, _wants(entry.want or {}, entry, place, formula))
    variants = [own]
    for number, raw in enumerate(entry.otherwise or ()):
        at = place.at("otherwise", number + 1)
        other = read_record(Variant, raw, at, path=("otherwise", number))
        want = _wants(other.want, entry, at, formula)
        variants.append(Variant(other.when, {**own.given, **other.given}, want, other.path))
    if any(flag.kind == "erratum" for flag in chosen) and all(w.printed is None for w in own.want.values()):
        place.refuse("an erratum keeps the wrong value of its source in 'printed'.")
    digits = entry.digits
    demanded = {"float64": digits.float64, "float32": digits.float32} if digits else {}
    if digits and not any(number is not None for number in demanded.values()):
        place.at("digits").refuse("it names a dtype, float64 or float32.")
    source = {"ref": entry.source.ref, "section": entry.source.section}
    if entry.source.section and not entry.source.ref:
        place.at("source").refuse("missing key 'ref'.")
    return Case(
        id=entry.id,
        formula=formula.name,
        about=entry.about,
        source={key: text for key, text in source.items() if text},
        flags=chosen,
        result=entry.result,
        variants=tuple(variants),
        error=entry.error or "",
        batch=entry.batch,
        digits={dtype: number for dtype, number in demanded.items() if number is not None},
        digits_reason=digits.reason if digits else "",
    )


def _check_result(entry: _Entry, place: Place) -> None:
    """Refuse a case that lacks what its result calls for, or has what belongs to another result."""
    needed = _NEEDED[entry.result]
    for key in ("want", "otherwise", "error", "batch", "digits"):
        there = getattr(entry, key) not in (None, ())
        if key in needed and not there:
            place.refuse(f"missing key '{key}': its result is {entry.result}.")
        if there and key not in needed | _ALLOWED[entry.result]:
            place.refuse(f"unexpected key '{key}': its result is {entry.result}.")


def _case_flags(entry: _Entry, place: Place, flags: Mapping[str, Flag]) -> tuple[Flag, ...]:
    for name in entry.flags:
        if name not in flags:
            place.refuse(f"there is no flag {shown(name)}.", suggestion(name, list(flags)))
    kinds = {flags[name].kind for name in entry.flags}
    if entry.result == "acceptable" and "convention" not in kinds:
        place.refuse("an acceptable case carries a flag of kind 'convention' that explains it.")
    if (entry.result == "invalid") != ("invalid" in kinds):
        place.refuse("a case is invalid exactly when it carries a flag of kind 'invalid'.")
    return tuple(flags[name] for name in entry.flags)


def _wants(
    wants: Mapping[str, Expected], entry: _Entry, place: Place, formula: Formula
) -> Mapping[str, Expected]:
    outputs = {output.name: output for output in formula.outputs}
    for name, want in wants.items():
        at = place.at(f"want.{name}")
        if name not in outputs:
            place.refuse(f"{formula.name} has no output {shown(name)}.", suggestion(name, list(outputs)))
        for key in ("decimal", "printed"):
            part = getattr(want, key)
            if part is not None and outline(part) != outline(want.exact):
                at.refuse(f"{key} has another shape than exact.")
        if outputs[name].kind == "word" and want.decimal is not None:
            at.refuse("a word has no decimal.")
        if not _begins(want.exact, entry.batch):
            at.refuse(f"exact does not begin with the axes {list(entry.batch)} of the batch.")
    return wants


def _begins(value: Any, axes: tuple[int, ...]) -> bool:
    """Whether a nested list has these leading lengths."""
    if not axes:
        return True
    return (
        isinstance(value, list) and len(value) == axes[0] and all(_begins(part, axes[1:]) for part in value)
    )
