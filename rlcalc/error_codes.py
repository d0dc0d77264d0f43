"""Every code that an error of rlcalc may carry, read from the source that raises it.

A code is written where it is raised and nowhere else; so are its message and its
hint. Those made of a name, ``gamma_out_of_range``, share an entry with the name left
open, ``NAME_out_of_range``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rlcalc import errors
from rlcalc.errors import UnknownName, many, shown, suggestion
from rlcalc.golden.files import Case, load_all
from rlcalc.specs import formula_names, load_formula

NAME = "NAME"
_MOST_CASES = 12  # named on one screen
OPEN = "…"  # stands in a message for what is filled in
_CODE = re.compile(r"(?:NAME|[a-z][a-z0-9]*)(?:_(?:NAME|[a-z0-9]+))*")
_PACKAGE = Path(errors.__file__).parent
_KINDS: dict[str, type[errors.RlcalcError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.RlcalcError)
}
_KINDS["Refusal"] = errors.InputError  # of the grammar, which is given the number's own words on the way
_RAISES = re.compile(rf"\bcode\b|CODES?\b|\b({'|'.join(_KINDS)})(\(|\):)")


@dataclass(frozen=True)
class Raised:
    """One place that raises a code.

    Attributes:
        module: its dotted name.
        error: name of the exception's class.
        message, hint: as written there, with ``…`` for what is filled in; empty where it is made elsewhere.
    """

    module: str
    error: str
    message: str
    hint: str


@dataclass(frozen=True)
class Code:
    """A code with all that is known of it.

    Attributes:
        name: the code, or its pattern with ``NAME`` for the name of an input, a library or a check.
        raised: where.
    """

    name: str
    raised: tuple[Raised, ...]

    @property
    def exit_code(self) -> int:
        """What the command line ends with."""
        found = {_KINDS[one.error].exit_code for one in self.raised}
        return min(found, default=2)

    def matches(self, code: str) -> bool:
        """Whether a code is this one, or is made by this pattern."""
        return code == self.name or bool(_pattern(self.name).fullmatch(code))

    @property
    def cases(self) -> tuple[Case, ...]:
        """Certified cases that must be refused with it."""
        return _cases().get(self.name, ())

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": "error",
            "name": self.name,
            "exit_code": self.exit_code,
            "messages": [one.message for one in self.raised if one.message],
            "hints": list(dict.fromkeys(one.hint for one in self.raised if one.hint)),
            "modules": list(dict.fromkeys(one.module for one in self.raised)),
            "golden": [case.id for case in self.cases],
        }


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(NAME, "[a-z][a-z0-9_]*"))


@cache
def codes() -> tuple[Code, ...]:
    """All of them, by name."""
    texts = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        texts[module] = path.read_text("utf-8")
    # two of three modules raise nothing, and are not parsed
    nodes = {module: _nodes(text) for module, text in texts.items() if _RAISES.search(text)}
    takers = {name: at for found in nodes.values() for name, at in _takers(found)}
    calls = re.compile(rf"\b({'|'.join(map(re.escape, takers))})\(")
    found: dict[str, list[Raised]] = {}
    for module, text in texts.items():
        if module not in nodes and not calls.search(text):
            continue
        for code, raised in _raised(nodes.get(module) or _nodes(text), module, takers):
            if raised not in found.setdefault(code, []):
                found[code].append(raised)
    return tuple(Code(name, tuple(found[name])) for name in sorted(found))


@cache
def refusals() -> tuple[Case, ...]:
    """Certified cases that must be refused."""
    return tuple(case for file in load_all() for case in file.cases if case.result == "invalid")


@cache
def _cases() -> dict[str, tuple[Case, ...]]:
    found: dict[str, tuple[Case, ...]] = {}
    for case in refusals():
        name = find(case.error).name
        found[name] = (*found.get(name, ()), case)
    return found


def find(code: str) -> Code:
    """The entry of a code as it is printed.

    Raises:
        UnknownName: ``unknown_code``.
    """
    known = codes()
    exact = [one for one in known if one.name == code]
    # the most exact pattern: the one that leaves least open
    made = sorted((one for one in known if one.matches(code)), key=lambda one: -len(one.name))
    if exact or made:
        return (exact or made)[0]
    names = [one.name for one in known]
    raise UnknownName("unknown_code", f"There is no error code {shown(code)}.", suggestion(code, names))


def is_code(name: str) -> bool:
    """Whether a name is that of a code; names of bugs have dashes, those of codes underscores."""
    return "-" not in name and any(one.matches(name) for one in codes())


def parts(code: Code) -> Iterator[tuple[str, str]]:
    """Label and text of what there is to say."""
    for label, texts in (
        ("says", [one.message for one in code.raised]),
        ("hint", [one.hint for one in code.raised]),
    ):
        yield from ((label, text) for text in dict.fromkeys(texts) if text)
    if NAME in code.name:
        yield "name", f"{NAME} is the name of what was given, as in 'gamma' or 'rewards'."
    yield "raised in", ", ".join(dict.fromkeys(one.module for one in code.raised))
    if code.cases:
        listed = ", ".join(case.id for case in code.cases[:_MOST_CASES])
        yield "shown by", f"{many(len(code.cases), 'certified case')}: {listed}"


def labels() -> list[str]:
    """Names of inputs as they stand in codes."""
    return sorted({p.label for name in formula_names() for p in load_formula(name).parameters})


def _nodes(text: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(text)))


def _takers(nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """Functions that are handed a code to raise, with its place among their arguments."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
            if "code" in names and node.name != "__init__":
                yield node.name, names.index("code")


def _raised(nodes: list[ast.AST], module: str, takers: Mapping[str, int]) -> Iterator[tuple[str, Raised]]:
    """Codes in a module's source, with what is said there."""
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _of_call(node, module, takers)
        elif isinstance(node, ast.ClassDef) and (
            kinds := _KINDS.keys() & {ast.unparse(b) for b in node.bases}
        ):
            yield from _of_class(node, _KINDS[kinds.pop()].__name__, module)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield from _of_constant(node.targets[0].id, node.value, module)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield from _of_constant(node.target.id, node.value, module)


def _of_call(node: ast.Call, module: str, takers: Mapping[str, int]) -> Iterator[tuple[str, Raised]]:
    kind = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if kind in _KINDS:
        raised, places = _as_said(node, _KINDS[kind].__name__, module), node.args[:1]
    else:  # Place(file, code="bad_golden") raises it with the words of its reader
        at = takers.get(kind, -1)
        raised = Raised(module, "DataError" if kind == "Place" else "InputError", "", "")
        places = [node.args[at]] if 0 <= at < len(node.args) else []
        places += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    for place in places:
        for code in _words(place, NAME):
            yield from _checked(code, raised)


def _of_class(node: ast.ClassDef, kind: str, module: str) -> Iterator[tuple[str, Raised]]:
    """The code of an exception that is always the same: ``super().__init__("code", message, hint)``."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
            for code in _words(call.args[0], NAME):
                yield from _checked(code, _as_said(call, kind, module))


def _as_said(call: ast.Call, kind: str, module: str) -> Raised:
    words = [" / ".join(dict.fromkeys(_words(part))) for part in call.args[1:3]]
    message, hint = (*words, "", "")[:2]
    return Raised(module, kind, message, hint)


def _of_constant(name: str, value: ast.AST, module: str) -> Iterator[tuple[str, Raised]]:
    if not (name == "code" or name.strip("_").endswith(("CODE", "CODES"))):
        return
    parts = value.values if isinstance(value, ast.Dict) else [value]
    for part in parts:
        for code in _words(part, NAME):
            yield from _checked(code, Raised(module, "DataError", "", ""))


def _checked(code: str, raised: Raised) -> Iterator[tuple[str, Raised]]:
    if _CODE.fullmatch(code) and code != NAME:
        yield code, raised


def _words(node: ast.AST, gap: str = OPEN) -> list[str]:
    """The texts that an expression may be; what is filled in as a gap."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = [
            "".join(_words(part, gap)) if isinstance(part, ast.Constant) else gap for part in node.values
        ]
        return ["".join(parts)]
    if isinstance(node, ast.IfExp):
        return [*_words(node.body, gap), *_words(node.orelse, gap)]
    if isinstance(node, ast.BoolOp):
        return [word for part in node.values for word in _words(part, gap)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _words(node.left, gap) or [gap], _words(node.right, gap) or [gap]
        return [one + other for one in left for other in right]
    return []
