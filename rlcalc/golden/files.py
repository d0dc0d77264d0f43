"""Golden files: certified vectors as data, one file per formula.

``golden/<formula>.toml`` gives inputs with the answers that are right for
them, derived from the definitions and never recorded from the code under
test. Reading one executes nothing: a file of unknown origin is refused or
read, and no text in it is more than a number or a word.

``rlcalc.golden.certify`` fills in decimals, ``rlcalc.golden.verify`` runs the cases on the
backends, conformance replays them against functions of other people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName, shown, suggestion
from rlcalc.specs import Formula, load_formula

SCHEMA = "rlcalc-golden-1"
KINDS = ("basic", "edge", "convention", "erratum", "identity", "stiff", "invalid")
RESULTS = ("valid", "acceptable", "invalid")
# dtypes whose demanded digits a case may lower, with its reason
DEMANDING = ("float64", "float32")

_ID = re.compile(r"[a-z][a-z0-9_]*/[a-z0-9]+(?:[.-][a-z0-9]+)*")
_CODE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Flag:
    """A word of the file's closed vocabulary: what a case is there for.

    Attributes:
        kind: one of ``KINDS``.
        about: what the flagged cases have in common.
        effect: what an implementation that fails them has got wrong, or what it may choose.
    """

    name: str
    kind: str
    about: str
    effect: str


@dataclass(frozen=True)
class Want:
    """The certified value of one output.

    Attributes:
        exact: text in the expression grammar, an integer, ``infinity``, a
            word, or a (nested) list of them. The truth.
        decimal: 20 significant digits of it in the same shape; ``None`` for
            words, for symbolic answers and until the file is certified.
        printed: what the source prints, verbatim, in the same shape.
    """

    output: str
    exact: Any
    decimal: Any = None
    printed: Any = None


@dataclass(frozen=True)
class Reading:
    """One set of inputs with its answers.

    Attributes:
        when: the convention under which it holds; empty for a case's own reading.
        given: all inputs, those of ``otherwise`` laid over the case's own.
        want: by output name; only these outputs are compared.
        path: where the reading stands in the file, below its case.
    """

    when: str
    given: Mapping[str, Any]
    want: Mapping[str, Want]
    path: tuple[str | int, ...] = ()


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
        readings: first the case's own, then one per ``otherwise``. An
            invalid case has one reading that wants nothing.
        error: stable code that an invalid case must raise.
        digits: correct digits demanded by dtype, where conditioning costs some;
            ``float32 = 0`` where that dtype cannot hold the input at all: it is not run then.
        digits_reason: why they are fewer than usual.
    """

    id: str
    formula: str
    about: str
    source: Mapping[str, str]
    flags: tuple[Flag, ...]
    result: Literal["valid", "acceptable", "invalid"]
    readings: tuple[Reading, ...]
    error: str = ""
    digits: Mapping[str, int] = field(default_factory=dict)
    digits_reason: str = ""

    @property
    def given(self) -> Mapping[str, Any]:
        return self.readings[0].given

    @property
    def want(self) -> Mapping[str, Want]:
        return self.readings[0].want

    @property
    def is_erratum(self) -> bool:
        """Whether ``printed`` is known to be wrong."""
        return any(flag.kind == "erratum" for flag in self.flags)


@dataclass(frozen=True)
class GoldenFile:
    """All vectors of one formula."""

    path: Path
    formula: str
    flags: Mapping[str, Flag]
    cases: tuple[Case, ...]


def load(path: Path | str) -> GoldenFile:
    """Read one golden file and check all that can be checked without computing.

    Raises:
        DataError: ``bad_golden`` with file and case: an unknown key, flag or
            output, a repeated or bare-number id, a float where a string must
            stand, a case that lacks what its result calls for;
            ``file_unreadable``, ``file_not_toml``.
        UnknownName: ``unknown_formula``.
    """
    path = Path(path)
    return _Reader(path).file(read_toml(path))


def load_all(folder: Path | str | None = None) -> tuple[GoldenFile, ...]:
    """Every golden file of a folder and the folders in it; by default the shipped ones.

    Raises:
        DataError: ``no_golden_files``, or as ``load``; ``bad_golden`` when
            one id stands in two files.
    """
    folder = data_folder("golden") if folder is None else Path(folder)
    paths = sorted(folder.rglob("*.toml"))
    if not paths:
        raise DataError("no_golden_files", f"There are no golden files in {folder}.")
    return load_files(paths)


def load_files(paths: list[Path]) -> tuple[GoldenFile, ...]:
    """Several files, whose ids must differ from each other as well.

    Raises:
        DataError: as ``load``.
    """
    files = tuple(load(path) for path in paths)
    seen: dict[str, Path] = {}
    for file in files:
        for case in file.cases:
            if case.id in seen:
                raise DataError(
                    "bad_golden", f"{file.path.name}: case {case.id}: {seen[case.id]} has that id already."
                )
            seen[case.id] = file.path
    return files


class _Reader:
    """Reads one file; remembers where it is, for messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = ""

    def refuse(self, why: str, hint: str = "") -> NoReturn:
        where = f"{self.path.name}: {self.place}: " if self.place else f"{self.path.name}: "
        raise DataError("bad_golden", where + why, hint)

    def file(self, top: Mapping[str, Any]) -> GoldenFile:
        self.keys(top, {"schema", "formula", "case"}, {"flag"})
        if top["schema"] != SCHEMA:
            self.refuse(f"the schema is {shown(top['schema'])}; this version reads {SCHEMA}.")
        try:
            formula = load_formula(self.text(top["formula"], "formula"))
        except UnknownName as error:
            raise UnknownName(error.code, f"{self.path.name}: {error.message}", error.hint) from error
        if formula.name != top["formula"]:
            self.refuse(f"formula is the Python name, {formula.name}.")
        flags = {
            name: self.flag(name, entry)
            for name, entry in self.table(top.get("flag", {}), "flag", "a table").items()
        }
        entries = top["case"]
        if not isinstance(entries, list) or not entries:
            self.refuse("it has no [[case]].")
        cases: list[Case] = []
        ids: set[str] = set()
        for number, entry in enumerate(entries):
            self.place = f"case number {number + 1}"
            case = self.case(self.table(entry, "case", "a table"), formula, flags)
            if case.id in ids:
                self.refuse("that id is used twice.")
            ids.add(case.id)
            cases.append(case)
        self.place = ""
        return GoldenFile(self.path, formula.name, flags, tuple(cases))

    def flag(self, name: str, entry: Any) -> Flag:
        self.place = f"flag {name}"
        entry = self.table(entry, name, "a table")
        self.keys(entry, {"kind", "about", "effect"})
        if entry["kind"] not in KINDS:
            self.refuse(f"kind is one of {', '.join(KINDS)}, not {shown(entry['kind'])}.")
        return Flag(
            name, entry["kind"], self.text(entry["about"], "about"), self.text(entry["effect"], "effect")
        )

    def case(self, entry: Mapping[str, Any], formula: Formula, flags: Mapping[str, Flag]) -> Case:
        name = entry.get("id")
        if not isinstance(name, str):
            self.refuse("it has no id.")
        self.place = f"case {name}"
        if not _ID.fullmatch(name) or not name.startswith(formula.name + "/"):
            self.refuse(f"an id is {formula.name}/ and words of small letters, digits, '-' and '.'.")
        if not re.search("[a-z]", name.partition("/")[2]):
            self.refuse("an id names what the case is about; it is never a bare number.")
        result = entry.get("result")
        if result not in RESULTS:
            self.refuse(f"result is one of {', '.join(RESULTS)}, not {shown(result)}.")
        needed = {
            "valid": {"want"},
            "acceptable": {"want", "otherwise"},
            "invalid": {"error"},
        }[result]
        optional = {"source"} if result == "invalid" else {"source", "digits"}
        self.keys(entry, {"id", "about", "flags", "result", "given"} | needed, optional)
        chosen = self.case_flags(entry["flags"], flags, result)
        given = self.given(entry["given"])
        want = self.wants(entry["want"], formula) if "want" in entry else {}
        readings = [Reading("", given, want)]
        for number, other in enumerate(self.others(entry)):
            other = self.table(other, "otherwise", "a table")
            self.keys(other, {"when", "given", "want"})
            when, laid_over = self.text(other["when"], "when"), self.given(other["given"])
            path = ("otherwise", number)
            readings.append(Reading(when, {**given, **laid_over}, self.wants(other["want"], formula), path))
        if any(flag.kind == "erratum" for flag in chosen) and not any(
            value.printed is not None for value in want.values()
        ):
            self.refuse("an erratum keeps the wrong value of its source in 'printed'.")
        digits, reason = self.digits(entry.get("digits"))
        return Case(
            id=name,
            formula=formula.name,
            about=self.text(entry["about"], "about"),
            source=self.source(entry.get("source", {})),
            flags=chosen,
            result=result,
            readings=tuple(readings),
            error=self.code(entry["error"]) if "error" in entry else "",
            digits=digits,
            digits_reason=reason,
        )

    def case_flags(self, names: Any, flags: Mapping[str, Flag], result: str) -> tuple[Flag, ...]:
        if not isinstance(names, list) or not names:
            self.refuse("flags lists at least one flag.")
        for name in names:
            if name not in flags:
                self.refuse(f"there is no flag {shown(name)}.", suggestion(str(name), list(flags)))
        if len(set(names)) < len(names):
            self.refuse("a flag stands there twice.")
        kinds = {flags[name].kind for name in names}
        if result == "acceptable" and "convention" not in kinds:
            self.refuse("an acceptable case carries a flag of kind 'convention' that explains it.")
        if (result == "invalid") != ("invalid" in kinds):
            self.refuse("a case is invalid exactly when it carries a flag of kind 'invalid'.")
        return tuple(flags[name] for name in names)

    def wants(self, entry: Any, formula: Formula) -> dict[str, Want]:
        outputs = {output.name: output for output in formula.outputs}
        entry = self.table(entry, "want", "a table by output")
        if not entry:
            self.refuse("'want' is empty.")
        found = {}
        for name, value in entry.items():
            if name not in outputs:
                self.refuse(f"{formula.name} has no output {shown(name)}.", suggestion(name, list(outputs)))
            value = self.table(value, f"want.{name}", "a table with 'exact'")
            self.keys(value, {"exact"}, {"decimal", "printed"}, f"want.{name}")
            for key, part in value.items():
                self.numbers(part, f"want.{name}.{key}")
                if _outline(part) != _outline(value["exact"]):
                    self.refuse(f"want.{name}.{key} has another shape than exact.")
            if outputs[name].kind == "word" and "decimal" in value:
                self.refuse(f"want.{name} is a word; it has no decimal.")
            found[name] = Want(name, value["exact"], value.get("decimal"), value.get("printed"))
        return found

    def given(self, entry: Any) -> dict[str, Any]:
        entry = self.table(entry, "given", "a table by parameter")
        for name, value in entry.items():
            # true and false read well for a switch; anything else is text or a whole number
            if not isinstance(value, bool):
                self.numbers(value, f"given.{name}", tables=True)
        return dict(entry)

    def numbers(self, value: Any, where: str, *, tables: bool = False) -> None:
        """Strings and integers only: a TOML float is rounded before anyone sees it."""
        if isinstance(value, list):
            for part in value:
                self.numbers(part, where, tables=tables)
        elif tables and isinstance(value, dict):
            for part in value.values():
                self.numbers(part, where, tables=tables)
        elif isinstance(value, float):
            self.refuse(f"{where} holds the float {value!r}.", f'Write it as a string: "{value!r}".')
        elif isinstance(value, bool) or not isinstance(value, str | int):
            self.refuse(f"{where} holds {shown(value)}; only strings and integers are exact.")

    def digits(self, entry: Any) -> tuple[dict[str, int], str]:
        if entry is None:
            return {}, ""
        entry = self.table(entry, "digits", "a table by dtype")
        self.keys(entry, {"reason"}, set(DEMANDING), "digits")
        found = {dtype: entry[dtype] for dtype in DEMANDING if dtype in entry}
        for dtype, number in found.items():
            least = 1 if dtype == "float64" else 0
            if type(number) is not int or not least <= number <= 15:
                self.refuse(f"digits.{dtype} is a whole number from {least} to 15, not {shown(number)}.")
        if not found:
            self.refuse(f"digits names a dtype: {' or '.join(DEMANDING)}.")
        return found, self.text(entry["reason"], "digits.reason")

    def source(self, entry: Any) -> dict[str, str]:
        entry = self.table(entry, "source", "a table")
        self.keys(entry, {"ref"} if entry else set(), {"section"}, "source")
        return {key: self.text(value, f"source.{key}") for key, value in entry.items()}

    def code(self, value: Any) -> str:
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            self.refuse(f"error is a stable code such as gamma_out_of_range, not {shown(value)}.")
        return value

    def keys(
        self, entry: Mapping[str, Any], needed: set[str], optional: Set[str] = frozenset(), of: str = ""
    ) -> None:
        """Refuse a missing or an unknown key: a misspelt one would check nothing."""
        of = f" in {of}" if of else ""
        for name in sorted(set(entry) - needed - optional):
            self.refuse(f"the key {shown(name)}{of} is unknown.", suggestion(name, sorted(needed | optional)))
        for name in sorted(needed - set(entry)):
            self.refuse(f"the key '{name}'{of} is missing.")

    def table(self, value: Any, where: str, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.refuse(f"{where} is {what}, not {shown(value)}.")
        return value

    def others(self, entry: Mapping[str, Any]) -> list[Any]:
        value = entry.get("otherwise", [])
        if not isinstance(value, list) or ("otherwise" in entry and not value):
            self.refuse("otherwise is a list of at least one table.")
        return value

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{where} is a text, not {shown(value)}.")
        return value


def _outline(value: Any) -> Any:
    """The nesting of a list without its entries."""
    return [_outline(part) for part in value] if isinstance(value, list) else None
