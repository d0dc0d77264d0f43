"""The source of a function, read without a call: places that it reads and writes, and what it returns."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

# of a name that a function is followed into: its class's own helpers
DEEPEST = 3
# what arrays have by themselves, and no container of ours does
_WORDS = (
    "shape size dtype device T ndim data detach cpu numpy float double to item mean std sum clone copy "
    "view reshape unsqueeze squeeze flatten transpose permute astype tolist new_zeros long bool int dim "
    "exp log sub add mul div new_tensor type_as var max min clamp clip type append extend insert items "
    "keys values_ fill_ zero_ copy_ flip cumsum numel is_cuda requires_grad ravel swapaxes at gather "
    "contiguous pow "
)
OF_ARRAYS = frozenset(_WORDS.split())
# what tensors have and NumPy's arrays do not
_TENSOR_WORDS = "unsqueeze masked_fill detach clamp exp log gather logsumexp log_softmax float masked_select"
OF_TENSORS = frozenset(_TENSOR_WORDS.split())
WRITES = frozenset(["append", "extend", "insert", "copy_", "fill_", "appendleft"])


def tree_of(function: Any) -> ast.AST | None:
    """Its syntax tree; ``None`` where there is no source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


class Reader(ast.NodeVisitor):
    """Walks the source of one function, and of helpers of its class that it calls.

    Attributes:
        words: texts that something is compared with.
        of_tensors: it calls what tensors have and arrays do not.
    """

    def __init__(self, parameters: set[str], owner: type | None) -> None:
        self.owner = owner
        self.paths: dict[str, str] = {}
        self.written: set[str] = set()
        self.names: set[str] = set()
        self.numbers: set[float] = set()
        self.words: set[str] = set()
        self.of_tensors = False
        self.returns = False
        self.returned = ""
        self.alias = {name: name for name in parameters}
        self.depth = 0
        self.scanned: dict[str, ast.expr] = {}

    def follow(self, tree: ast.AST) -> None:
        self.scanned |= dict(_scans(tree))
        for node in getattr(tree, "body", []):
            for inner in getattr(node, "body", []):
                self.visit(inner)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in self.scanned and node.args.args:  # its last argument is one step of what is scanned
            self.alias.pop(node.args.args[-1].arg, None)
            source = self.chain(self.scanned[node.name])
            if source is not None:
                self.alias[node.args.args[-1].arg] = source
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and self.depth == 0:
            self.returns, self.returned = True, _only_name(node.value)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, float) and 0 < node.value <= 1:
            self.numbers.add(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.words |= {word for part in node.comparators for word in _texts(part)}
        self.generic_visit(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        self.words |= set(_texts(node.value))
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        self.words |= {word for key in node.keys if key is not None for word in _texts(key)}
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        source = self.chain(node.value)
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
        self.read(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in WRITES:
            path = self.chain(function.value)
            if path:
                self.written.add(path)
        if isinstance(function, ast.Attribute):
            self.of_tensors |= function.attr in OF_TENSORS
        helper = self.helper(function)
        if helper is not None:
            self.names.add(getattr(function, "attr", ""))
            if self.depth < DEEPEST and (tree := tree_of(helper)) is not None:
                alias, self.alias = self.alias, {"self": "self"}
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

    def helper(self, function: ast.expr) -> Any:
        """A method of the same class."""
        if not (self.owner and isinstance(function, ast.Attribute) and self.chain(function.value) == "self"):
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

    def keep(self, path: str) -> None:
        if path not in self.alias:
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
                if source in self.paths and source[-2:-1].isdigit():
                    self.paths[source] = target.id
        elif isinstance(target, ast.Tuple) and source is not None:
            for place, part in enumerate(target.elts):
                if isinstance(part, ast.Name):
                    path = f"{source}[{place}]"
                    self.alias[part.id] = path
                    self.paths[path] = part.id

    def bind_loop(self, target: ast.expr, over: ast.expr) -> None:
        while isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.args:
            if over.func.id == "zip" and isinstance(target, ast.Tuple):
                return
            if over.func.id == "enumerate" and isinstance(target, ast.Tuple):
                target = target.elts[-1]
            elif over.func.id not in ("reversed", "list", "enumerate"):
                return
            over = over.args[0]
        source = self.chain(over)
        if source is not None and not isinstance(over, ast.Call):
            self.bind(target, f"{source}[]")

    def chain(self, node: ast.expr) -> str | None:
        """The place that an expression reads, where it is one."""
        if isinstance(node, ast.Name):
            return self.alias.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self.chain(node.value)
            if inner is None or (node.attr in OF_ARRAYS and inner != "self"):
                return None
            return f"{inner}.{node.attr}"
        if isinstance(node, ast.Subscript):
            inner = self.chain(node.value)
            if inner is None:
                return None
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return f"{inner}['{node.slice.value}']"
            return inner
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = self.chain(node.func.value)
            if inner is not None and node.func.attr == "get" and node.args:
                key = node.args[0]
                return f"{inner}['{key.value!s}']" if isinstance(key, ast.Constant) else None
            if inner is None or (node.func.attr in OF_ARRAYS and inner != "self"):
                return None
            return None if self.helper(node.func) is not None else f"{inner}.{node.func.attr}()"
        return None


def _scans(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Functions that JAX's scan calls step by step, with what they are called for."""
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and _called(node) == "scan" and node
        if called and len(called.args) > 2 and isinstance(called.args[0], ast.Name):
            yield called.args[0].id, called.args[2]


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _only_name(value: ast.expr) -> str:
    """The one name in a returned expression, functions that are called on it aside."""
    called = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    held = {
        id(part)
        for node in ast.walk(value)
        if id(node) in called and not (isinstance(node, ast.Attribute) and node.attr in OF_ARRAYS)
        for part in ast.walk(node)
    }
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name) and id(node) not in held}
    return names.pop() if len(names) == 1 else ""


def _texts(node: ast.expr) -> list[str]:
    """Texts that an expression says, of a tuple or a list each of them."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]


def last_name(path: str) -> str:
    """The name at the end of a place."""
    words = path.replace("()", "").replace("['", ".").replace("']", "").replace("[]", "")
    return words.rpartition(".")[2]
