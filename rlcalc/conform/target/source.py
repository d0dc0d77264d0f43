"""The source of a function, read without a call: places that it reads and writes, and what it returns."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rlcalc.conform.target.syntax import (
    OF_ARRAYS,
    WRITES,
    called,
    last_name,
    only_name,
    scans,
    stored_as,
    texts,
    tree_of,
)

# of a name that a function is followed into: its class's own helpers
DEEPEST = 3
# what the object, or the class, is called that a method belongs to
RECEIVERS = ("self", "cls")
# what tensors have and NumPy's arrays do not
_TENSOR_WORDS = "unsqueeze masked_fill detach clamp exp log gather logsumexp log_softmax float masked_select"
OF_TENSORS = frozenset(_TENSOR_WORDS.split())
# what nothing else has, so that its owner is a tensor also where the rest is NumPy
OF_TENSORS_ALONE = frozenset(["detach", "clone", "cpu", "numpy"])
GROWS = frozenset(["append", "extend", "insert"])
# functions whose arguments are how many steps, or rows, there are
_COUNTING = frozenset(["range", "zeros", "ones", "empty", "full", "slice"])
# functions that hand on what they are given, entry by entry
_HAND_ON = frozenset(["list", "tuple", "map", "reversed"])


def _asked(function: ast.Attribute) -> ast.expr:
    """What a chain of methods begins with, as in x.clone().cpu()."""
    found = function.value
    while isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute):
        found = found.func.value
    return found


class Reader(ast.NodeVisitor):
    """Walks the source of one function, and of helpers of its class that it calls.

    Attributes:
        counts: places that it counts up to, or makes arrays of.
        switches: places that decide what is done.
        factors: places that something is multiplied by.
        tensors: places that are asked for what tensors alone have.
        words: texts that something is compared with.
        results: what is called by a name of its own of what calls give.
        stacked: places whose entries are set side by side, as numbers are.
        of_tensors: it calls what tensors have and arrays do not.
    """

    def __init__(self, parameters: set[str], owner: type | None, space: Mapping[str, Any]) -> None:
        self.owner, self.space = owner, space
        # of records that a tuple with names is made of, by the place of a record
        self.fields: dict[str, tuple[str, ...]] = {}
        self.paths: dict[str, str] = {}
        self.written: set[str] = set()
        self.counts: set[str] = set()
        self.firsts: set[str] = set()
        self.grown: set[str] = set()
        # how often a place is read, and how often only to be returned
        self.reads: Counter[str] = Counter()
        self.returns_of: Counter[str] = Counter()
        self.switches: set[str] = set()
        self.factors: set[str] = set()
        self.tensors: set[str] = set()
        self.stacked: set[str] = set()
        self.names: set[str] = set()
        self.numbers: set[float] = set()
        self.words: set[str] = set()
        self.of_tensors = False
        self.returns = False
        self.returned = ""
        self.alias = {name: name for name in parameters}
        self.receiver = next((name for name in RECEIVERS if name in parameters), "self")
        self.depth = 0
        self.results: dict[str, str] = {}
        self.scanned: dict[str, ast.expr] = {}

    def follow(self, tree: ast.AST) -> None:
        self.scanned |= dict(scans(tree))
        for node in getattr(tree, "body", []):
            for inner in getattr(node, "body", []):
                self.visit(inner)
        for path in self.firsts:  # entry 0 is one of a record where the others are
            rest = [other.removeprefix(f"{path}[") for other in self.paths if other.startswith(f"{path}[")]
            if any(part[:1].isdigit() for part in rest):
                self.paths.setdefault(f"{path}[0]", last_name(f"{path}[0]"))
        for path in [path for path, name in self.paths.items() if name == last_name(path)]:
            self.paths[path] = stored_as(self.owner, path) or self.paths[path]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in self.scanned and node.args.args:  # its last argument is one step of what is scanned
            self.alias.pop(node.args.args[-1].arg, None)
            source = self.chain(self.scanned[node.name])
            if source is not None:
                self.alias[node.args.args[-1].arg] = source
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and self.depth == 0:
            self.returns, self.returned = True, only_name(node.value)
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            places = (self.chain(part) for part in parts if not isinstance(part, ast.Name))
            self.returns_of.update(path for path in places if path is not None)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, float) and 0 < node.value <= 1:
            self.numbers.add(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.words |= {word for part in node.comparators for word in texts(part)}
        self.generic_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        self.words |= set(texts(node.value))
        self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        """Flags that are asked for by themselves, or for their opposite."""
        parts = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
        for part in parts:
            flag = part.operand if isinstance(part, ast.UnaryOp) else part
            if isinstance(flag, ast.Name | ast.Attribute | ast.Subscript) and (path := self.chain(flag)):
                self.switches.add(path)
        self.generic_visit(node)

    visit_IfExp = visit_If

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Mult):
            sides = (self.chain(side) for side in (node.left, node.right))
            self.factors |= {path for path in sides if path is not None}
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        self.words |= {word for key in node.keys if key is not None for word in texts(key)}
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        source = self.columns(node.value) or self.place(node.value)
        if source is not None and isinstance(node.value, ast.Call):
            self.fields[source] = getattr(self.space.get(called(node.value)), "_fields", ())
        for target in node.targets:
            self.store(target)
            self.bind(target, source)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.visit(node.target)
        self.store(node.target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.bind_loop(node.target, node.iter)
        for inner in [*node.body, *node.orelse]:
            self.visit(inner)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        for part in node.generators:
            self.visit(part.iter)
            self.bind_loop(part.target, part.iter)
        self.generic_visit(node)

    visit_GeneratorExp = visit_ListComp  # type: ignore[assignment]

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.of_tensors |= node.attr in OF_TENSORS
        self.read(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.slice, ast.Slice) and node.slice.upper is not None:
            self.count([node.slice.upper])
        self.read(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in WRITES:
            path = self.chain(function.value)
            if path:
                self.written.add(path)
                self.grown |= {path} if function.attr in GROWS else set()
        if isinstance(function, ast.Attribute):
            self.of_tensors |= function.attr in OF_TENSORS
            if function.attr in OF_TENSORS_ALONE and (path := self.chain(_asked(function))) is not None:
                self.tensors.add(path)
        if called(node) == "stack" and node.args and (path := self.chain(node.args[0])) is not None:
            self.stacked.add(path)
        if called(node) in _COUNTING:
            self.count(node.args[1:] if called(node) == "slice" else node.args)
        helper = self.helper(function)
        if helper is not None:
            self.names.add(getattr(function, "attr", ""))
            if self.depth < DEEPEST and (tree := tree_of(helper)) is not None:
                alias, self.alias = self.alias, self.handed(node, tree)
                self.depth += 1
                self.follow(tree)
                self.depth -= 1
                self.alias = alias
        elif (path := self.chain(node)) is not None:
            self.keep(path)
        else:
            self.visit(function)
        for part in [*node.args, *node.keywords]:
            self.visit(part)

    def handed(self, call: ast.Call, tree: ast.AST) -> dict[str, str]:
        """What a method of the class calls the places that it is given, such as records."""
        found = dict.fromkeys(RECEIVERS, self.receiver)
        names = [a.arg for f in getattr(tree, "body", [])[:1] for a in f.args.args if a.arg not in RECEIVERS]
        given = [*zip(names, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
        places = {name: self.place(value) for name, value in given if name is not None}
        return found | {name: path for name, path in places.items() if path is not None}

    def helper(self, function: ast.expr) -> Any:
        """A method of the same class."""
        if not (
            self.owner and isinstance(function, ast.Attribute) and self.place(function.value) in RECEIVERS
        ):
            return None
        found = inspect.getattr_static(self.owner, function.attr, None)
        found = getattr(found, "__func__", found)
        return inspect.unwrap(found) if inspect.isfunction(found) else None

    def read(self, node: ast.expr) -> None:
        path = self.chain(node)
        if path is not None:
            self.keep(path)
        for part in ast.iter_child_nodes(node):
            if path is None or (isinstance(node, ast.Subscript) and part is node.slice):
                self.visit(part)
            elif isinstance(part, ast.Attribute | ast.Subscript):
                self.inside(part)

    def inside(self, node: ast.expr) -> None:
        """Indices below a chain that was kept whole."""
        for part in ast.walk(node):
            if isinstance(part, ast.Subscript):
                self.visit(part.slice)

    @property
    def handed_on(self) -> set[str]:
        """Places of which nothing is made: they are returned as they are."""
        return {path for path, count in self.returns_of.items() if self.reads[path] == count}

    def keep(self, path: str) -> None:
        self.reads[path] += 1
        if path not in self.alias and not (self.depth and path.isidentifier()):
            self.paths.setdefault(path, last_name(path))

    def store(self, target: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self.store(part)
        elif isinstance(target, ast.Subscript):
            path = self.chain(target) or self.chain(target.value)
            if path:
                self.written.add(path)
                self.keep(path)
            self.visit(target.slice)
        elif isinstance(target, ast.Attribute):
            path = self.chain(target)
            if path:
                self.written.add(path)

    def bind(self, target: ast.expr, source: str | None) -> None:
        """Local names for what was found."""
        if isinstance(target, ast.Name):
            if source is None:
                self.alias.pop(target.id, None)
            else:
                self.alias[target.id] = source
                if source.endswith("()"):
                    self.results.setdefault(source, target.id)
                if source in self.paths and source[-2:-1].isdigit():
                    self.paths[source] = target.id
        elif isinstance(target, ast.Tuple) and source is not None:
            for place, part in enumerate(target.elts):
                if isinstance(part, ast.Name):
                    path = f"{source}[{place}]"
                    self.alias[part.id] = path
                    self.paths[path] = last_name(path) if part.id == "_" else part.id

    def columns(self, value: ast.expr) -> str | None:
        """The entries of records that ``zip(*records)`` turns into columns."""
        while isinstance(value, ast.Call) and value.args:
            last = value.args[-1]
            if isinstance(last, ast.Starred):
                if called(value) == "zip":
                    source = self.place(last.value)
                    return None if source is None else f"{source}[]"
                last = last.value
            elif called(value) not in _HAND_ON:
                return None
            value = last
        return None

    def count(self, nodes: list[ast.expr]) -> None:
        """Places in a range, a shape or the end of a slice."""
        for node in nodes:
            parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
            for part in parts:
                sides = [part.left, part.right] if isinstance(part, ast.BinOp) else [part]
                self.counts |= {path for side in sides if (path := self.chain(side)) is not None}

    def bind_loop(self, target: ast.expr, over: ast.expr) -> None:
        while isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.args:
            if over.func.id == "zip" and isinstance(target, ast.Tuple):
                for part, one in zip(target.elts, over.args, strict=False):
                    self.bind_loop(part, one)
                return
            if over.func.id == "enumerate" and isinstance(target, ast.Tuple):
                target = target.elts[-1]
            elif over.func.id not in ("reversed", "list", "enumerate"):
                return
            over = over.args[0]
        source = self.place(over)
        if source is not None and not isinstance(over, ast.Call):
            self.bind(target, f"{source}[]")

    def chain(self, node: ast.expr) -> str | None:
        """The place that an expression reads, where it is one; of one step of an array the array."""
        path = self.place(node)
        while path is not None and path.endswith("[]"):
            path = path[:-2]
        return path

    def place(self, node: ast.expr) -> str | None:
        """The same with ``[]`` behind what is an entry of it."""
        if isinstance(node, ast.Name):
            return self.alias.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self.place(node.value)
            if inner is None or (node.attr in OF_ARRAYS and inner not in RECEIVERS):
                return None
            if node.attr in self.fields.get(inner, ()):
                path = f"{inner}[{self.fields[inner].index(node.attr)}]"
                self.paths.setdefault(path, node.attr)
                return path
            return f"{inner}.{self.own_name(node.attr)}"
        if isinstance(node, ast.Subscript):
            inner = self.place(node.value)
            return None if inner is None else self.entry(inner, node.slice)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = self.place(node.func.value)
            if inner is not None and node.func.attr == "get" and node.args:
                key = node.args[0]
                return f"{inner}['{key.value!s}']" if isinstance(key, ast.Constant) else inner
            if inner is None or (node.func.attr in OF_ARRAYS and inner not in RECEIVERS):
                return None
            return None if self.helper(node.func) is not None else f"{inner}.{node.func.attr}()"
        if isinstance(node, ast.Call) and called(node) in ("list", "tuple") and len(node.args) == 1:
            return self.place(node.args[0])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            inner = self.chain(node.func)
            return None if inner is None else f"{inner}()"
        return None

    def entry(self, inner: str, index: ast.expr) -> str:
        """A key of a table, an entry of a record, or one of many."""
        key = index.value if isinstance(index, ast.Constant) else None
        if isinstance(key, str):
            return f"{inner}['{key}']"
        if isinstance(index, ast.Slice | ast.Tuple):
            return inner
        if isinstance(key, int) and key > 0:  # of an array nobody asks for a step by its number
            return f"{inner}[{key}]"
        if key == 0:
            self.firsts.add(inner)
        return inner if inner.endswith("[]") else f"{inner}[]"

    def own_name(self, name: str) -> str:
        """An attribute as Python keeps it: ``__gamma`` of a class ``Agent`` is ``_Agent__gamma``."""
        private = name.startswith("__") and not name.endswith("__") and self.owner is not None
        return f"_{self.owner.__name__.lstrip('_')}{name}" if private and self.owner else name
