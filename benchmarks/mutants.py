"""Mutants of a module of rlcalc, made by mutmut: what they are, and how one takes the module's place."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import textwrap
import types
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parent.parent
FORMULAS, RECURRENCE = ROOT / "rlcalc" / "formulas", ROOT / "rlcalc" / "recurrence"
BACKENDS = ("sympy", "numpy", "torch")


class Skeleton(ast.NodeTransformer):
    """Drops what only names and explains: reasons, messages, names of quantities."""

    KEPT: ClassVar = {"given": [1], "step": [1], "note": [], "Name": [], "InputError": [0]}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in self.KEPT:
            node.args = [node.args[k] for k in self.KEPT[name] if k < len(node.args)]
            node.keywords = [keyword for keyword in node.keywords if keyword.arg == "shown"]
        return node


def skeleton(source: str) -> str:
    function: Any = ast.parse(source).body[0]
    function.name = ""
    return ast.dump(Skeleton().visit(function))


@dataclass(frozen=True)
class Mutant:
    name: str  # as MUTANT_UNDER_TEST wants it
    before: str
    after: str

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.name}\n{self.after}".encode()).hexdigest()[:16]

    @property
    def text_only(self) -> bool:
        return skeleton(self.before) == skeleton(self.after)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backend that the name of the function speaks of, or all that can show the mutant."""
        function = self.name.rpartition(".")[2]
        able = BACKENDS[1:] if "recurrence" in self.name else BACKENDS[:1] if self.text_only else BACKENDS
        return tuple(backend for backend in BACKENDS if backend in function) or able


def dotted(name: str) -> str:
    if name == "recurrence":
        return "rlcalc.recurrence.scan"
    return f"rlcalc.{'formulas' if (FORMULAS / name).with_suffix('.py').exists() else 'recurrence'}.{name}"


def all_modules() -> list[str]:
    found = sorted(path.stem for path in FORMULAS.glob("*.py") if path.stem != "__init__")
    others = sorted(path.stem for path in RECURRENCE.glob("*.py") if path.stem not in ("__init__", "scan"))
    return [*sorted(found, key=lambda name: name.startswith("_")), "recurrence", *others]


@cache
def imports(name: str) -> set[str]:
    """Modules of the same two folders that one imports, in whatever place and way."""
    tree = ast.parse(Path(ROOT, *dotted(name).split(".")).with_suffix(".py").read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {other for other in all_modules() if dotted(other) in found}


def users(name: str) -> list[str]:
    """Formulas that a module serves: itself, or those that import it, also by way of another that is none."""
    if (FORMULAS / f"{name}.py").exists() and not name.startswith("_"):
        return [name]
    near, serving = {name}, set()
    while near - serving:
        serving |= near
        near = {m for m in all_modules() if imports(m) & serving}
    return sorted(m for m in serving if (FORMULAS / f"{m}.py").exists() and not m.startswith("_"))


def mutate(name: str) -> tuple[str, list[Mutant]]:
    """The module with all its mutants and their trampolines, and the list of them."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    path = Path(*dotted(name).split(".")).with_suffix(".py")
    made = mutate_file_contents(str(path), (ROOT / path).read_text("utf-8"))
    lines = made.code.splitlines()

    def source(function: str) -> str:
        span = made.line_span_by_function_name[function]
        return textwrap.dedent("\n".join(lines[span.start - 1 : span.end]))

    original = {mutant: f"{mutant.rpartition('_')[0]}_orig" for mutant in made.mutant_names}
    return made.code, [Mutant(f"{dotted(name)}.{m}", source(o), source(m)) for m, o in original.items()]


def install(name: str, code: str) -> None:
    """The mutated module in the place of its file, before anything imports that."""
    module = sys.modules[dotted(name)] = types.ModuleType(dotted(name))
    package, _, stem = dotted(name).rpartition(".")
    exec(compile(code, f"<mutants of {name}>", "exec"), module.__dict__)
    setattr(importlib.import_module(package), stem, module)
