"""A binding: which parameter of a function is what, and how its arrays are laid out.

Plain data, found by ``search`` or read from a file; ``rlcalc conform
--write-binding`` writes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from rlcalc.conform.binding.words.names import family
from rlcalc.conform.target.policies import TAKEN, is_policy, parts_of
from rlcalc.data import MAX_FILE, parse_toml
from rlcalc.errors import DataError
from rlcalc.files import read_text
from rlcalc.records import Place, read_record

SCHEMA = "rlcalc-binding-1"
CODE = "bad_binding"
# an answer that is one array, in a file
WHOLE = "answer"
CANONICAL = "[..., T]"
# a list that a method only adds to, such as its errors so far
EMPTY = "empty"
# what a table says of every binding; the rest where it is no default
_ALWAYS_SAID = ("formula", "backend", "layout")

Agreement = Literal["", "formula", "convention", "fault", "part", "names", "given"]


@dataclass(frozen=True)
class Binding:
    """How a function is called, and where its answer is.

    Attributes:
        formula: that it is read as.
        inputs: role by place, such as ``rewards`` by ``mb_rewards`` or ``gamma`` by ``self.gamma``.
        outputs: place in the answer by the name of the formula's output.
        backend: whose arrays it takes.
        layout: of its arrays; ``[..., T]`` as the formula itself.
        form: ``array``, ``list`` (of numbers) or ``steps`` (a list with an array per step); of a table also
            ``rows`` (a dict with an array per state), ``pairs`` (a dict by state and action) or ``dicts``.
        values: how many values it takes for T rewards.
        flags: type of its flags.
        ends: what ``dones[t]`` came with, the reward of the ``step`` or the ``observation``.
        masked: what an answer holds where nothing is: ``zero``, or what is ``left`` to the caller.
        single: how one number per sequence is passed: as it is, in a ``column`` or in a ``row``.
        merged: its done flag includes truncation, which has a place of its own beside.
        words: of a function, by those of the formula, for choices.
        fixed: inputs that it has no place for, with the value that stands in its body.
        agreed: what its answers on the probing vectors are those of.
        like: the conventions or the fault of ``agreed``.
        read: places to read after a call.
        excludes: conventions that would excuse what its parameters promise.
        notes: what a reader should know besides.
    """

    formula: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    backend: Literal["numpy", "torch", "jax", "lists"] = "numpy"
    layout: str = CANONICAL
    form: Literal["array", "list", "steps", "rows", "pairs", "dicts"] = "array"
    values: Literal["T", "T+1"] = "T+1"
    flags: Literal["float", "bool", "int"] = "bool"
    ends: Literal["step", "observation"] = "step"
    masked: Literal["zero", "left"] = "zero"
    single: Literal["plain", "column", "row"] = "plain"
    merged: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    agreed: Agreement = ""
    like: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.inputs.values())

    def places_of(self, *roles: str) -> list[str]:
        """Places that have one of some roles, in order."""
        return [path for path, role in self.inputs.items() if role in roles]

    @property
    def constants(self) -> dict[str, Any]:
        """Values that are the same in every call, by place: ``text:k3``, ``number:0.2``, ``true``."""
        found = {path: constant(role) for path, role in self.inputs.items()}
        return {path: value for path, value in found.items() if value is not None}

    @property
    def meant(self) -> dict[str, str]:
        """Places whose values depend on the call."""
        return {path: role for path, role in self.inputs.items() if constant(role) is None}

    @property
    def plain(self) -> bool:
        """Whether it says nothing that a call by the formula's own names would not do."""
        return (
            self.layout.startswith("[...")
            and self.form == "array"
            and all(path == role for path, role in self.inputs.items())
            and not self.fixed
            and not self.outputs
        )

    def lines(self) -> Iterator[str]:
        """For people: what was read as what, in a few lines."""
        if self.plain:
            return
        read = {_in_words(path): role for path, role in self.inputs.items()}
        renamed = [f"{path} = {role}" for path, role in read.items() if path != role]
        same = [path for path, role in read.items() if path == role]
        yield "read as: " + ", ".join([*renamed, *same])
        words = [f"layout {self.layout}" + ("" if self.form == "array" else f" in {_FORMS[self.form]}")]
        words += [f"{self.backend} arrays"] if self.form != "list" else []
        if "values" in self.roles and family(self.formula) == "sequence":
            words.append(f"{self.values} values")
        words += [f"{theirs} for {ours}" for ours, theirs in self.words.items() if theirs != ours]
        words += [f"{name} fixed at {value:g}" for name, value in self.fixed.items()]
        outputs = [f"{place or 'the answer'} = {name}" for name, place in self.outputs.items()]
        yield "; ".join([*words, *([", ".join(outputs)] if outputs else [])])
        yield from self.notes

    def table(self) -> dict[str, Any]:
        """As plain data, for a file or a report."""
        found: dict[str, Any] = {"schema": SCHEMA}
        default = Binding(self.formula)
        known = {part.name: getattr(self, part.name) for part in fields(Binding)}
        said = {n: v for n, v in known.items() if n in _ALWAYS_SAID or v != getattr(default, n)}
        found |= {name: value for name, value in said.items() if isinstance(value, str | bool)}
        found |= {name: list(value) for name, value in said.items() if isinstance(value, tuple)}
        found |= {name: dict(value) for name, value in said.items() if isinstance(value, Mapping)}
        if self.outputs:
            found["outputs"] = {name: place or WHOLE for name, place in self.outputs.items()}
        return found

    def text(self) -> str:
        """As TOML."""
        tables = {name: part for name, part in self.table().items() if isinstance(part, dict)}
        lines = [f"{n} = {_toml(part)}" for n, part in self.table().items() if n not in tables]
        for name, part in tables.items():
            lines += ["", f"[{name}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in part.items())]
        return "\n".join(lines) + "\n"

    def without_note(self, note: str) -> Binding:
        return replace(self, notes=tuple(other for other in self.notes if other != note))


def constant(role: str) -> Any:
    """The value of a role that is a constant; ``None`` for the others."""
    if role == EMPTY:
        return []
    kind, colon, text = role.partition(":")
    if role in ("true", "false"):
        return role == "true"
    if kind == "text" and colon:
        return text
    if kind == "number" and colon:
        try:
            return float(text) if "." in text or "e" in text.lower() else int(text)
        except ValueError:
            return None
    return None


_FORMS = {
    "list": "lists of numbers",
    "steps": "lists with one array per step",
    "rows": "a dict with one array per state",
    "pairs": "a dict of numbers",
    "dicts": "a dict of dicts",
}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


@dataclass(frozen=True)
class _File(Binding):
    schema: Literal["rlcalc-binding-1"] = "rlcalc-binding-1"


def read_binding(path: Path) -> Binding:
    """A binding from a file.

    Raises:
        DataError: ``bad_binding``; what ``files.read_text`` raises.
    """
    try:
        raw = parse_toml(read_text(path, MAX_FILE))
    except ValueError as error:
        raise DataError(CODE, f"{path} is not valid TOML: {error}.") from error
    return binding_of(raw, str(path))


def binding_of(raw: Any, where: str) -> Binding:
    """A binding from a table, of a file or of a project's settings.

    Raises:
        DataError: ``bad_binding``.
    """
    found = read_record(_File, raw, Place(where, code=CODE))
    known = {name: getattr(found, name) for name in Binding.__dataclass_fields__}
    known["outputs"] = {name: "" if place == WHOLE else place for name, place in found.outputs.items()}
    return replace(Binding(**known), agreed="given")


def _in_words(path: str) -> str:
    """A place as a reader knows it."""
    taken = parts_of(path)[0].get(TAKEN) if is_policy(path) else None
    return taken or path
