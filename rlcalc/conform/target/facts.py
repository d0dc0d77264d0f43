"""What a function says about itself: parameters, defaults, what it reads of objects, constants of its module.

Found where the function is loaded, by looking at its signature and its
source; nothing is called. A place that it reads from is written as Python
writes it, from a parameter on: ``self.gamma``, ``batch['rewards']``,
``memory[].reward`` (of every entry of a list), ``memory[][2]``,
``self.critic()`` (what a call gives), ``module.GAMMA``.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
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
WRITES = frozenset(["append", "extend", "insert", "copy_", "fill_", "appendleft"])


@dataclass(frozen=True)
class Argument:
    """One parameter of a signature.

    Attributes:
        optional: it has a default.
        default: that default, where it is a number, a word or a flag.
        annotation: as it is written, empty without one.
        positional: it cannot be named in a call.
    """

    name: str
    optional: bool = False
    default: Any = None
    annotation: str = ""
    positional: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of a function without a call.

    Attributes:
        arguments: in order; ``None`` where it says nothing about them.
        open: it takes any keyword besides.
        method: its first parameter is the object that it belongs to.
        paths: places that it reads of its parameters, with the name that it gives to what it finds.
        written: places that it writes to.
        constants: numbers of its module that it reads.
        numbers: between 0 and 1, that stand in its source.
        framework: ``torch``, ``jax`` or ``numpy``, as far as its source tells; ``either`` of Torch and NumPy.
        returns: it returns something.
    """

    arguments: tuple[Argument, ...] | None = None
    open: bool = False
    method: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[float, ...] = ()
    framework: str = ""
    returns: bool = True

    @property
    def accepts(self) -> frozenset[str] | None:
        """Names that a call may use; ``None`` for any."""
        if self.arguments is None or self.open:
            return None
        return frozenset(a.name for a in self.arguments if not a.positional)

    @property
    def needs(self) -> frozenset[str]:
        """Names without a default."""
        return frozenset(a.name for a in self.arguments or () if not (a.optional or a.positional))

    def table(self) -> dict[str, Any]:
        """As plain data, to cross a pipe."""
        return asdict(self)


def read_facts(raw: Any) -> Facts:
    """Facts that came over a pipe, with the bounds that such data need.

    Raises:
        ValueError, TypeError: they are none.
    """
    given = raw["arguments"]
    arguments = None if given is None else tuple(_argument(part) for part in given[:200])
    return Facts(
        arguments,
        bool(raw["open"]),
        bool(raw["method"]),
        {str(path)[:200]: str(name)[:100] for path, name in list(raw["paths"].items())[:500]},
        tuple(str(path)[:200] for path in raw["written"][:200]),
        {str(name)[:100]: float(value) for name, value in list(raw["constants"].items())[:200]},
        tuple(float(value) for value in raw["numbers"][:50]),
        str(raw["framework"])[:10],
        bool(raw["returns"]),
    )


def _argument(raw: Any) -> Argument:
    default = raw["default"] if isinstance(raw["default"], bool | int | float | str) else None
    words = str(raw["name"])[:100], bool(raw["optional"]), default, str(raw["annotation"])[:200]
    return Argument(*words, bool(raw["positional"]))


def owner_of(function: Callable[..., Any]) -> type | None:
    """The class that a plain function of a class body belongs to."""
    names = getattr(function, "__qualname__", "").split(".")
    if len(names) < 2 or "<locals>" in names or inspect.ismethod(function):
        return None
    found: Any = sys.modules.get(getattr(function, "__module__", ""))
    for name in names[:-1]:
        found = getattr(found, name, None)
    if not isinstance(found, type):
        return None
    static = inspect.getattr_static(found, names[-1], None)
    return None if isinstance(static, staticmethod | classmethod) else found


def facts_of(function: Callable[..., Any]) -> Facts:
    """Everything at once; what cannot be seen is left out."""
    arguments, open_ = _arguments(function)
    owner = owner_of(function)
    inner: Any = inspect.unwrap(getattr(function, "func", function))
    reader = _Reader({a.name for a in arguments or ()}, owner)
    tree = _tree(inner)
    if tree is not None:
        reader.follow(tree)
    space = getattr(inner, "__globals__", {})
    constants = {
        name: float(space[name])
        for name in sorted(reader.names)
        if isinstance(space.get(name), int | float) and not isinstance(space[name], bool)
    }
    return Facts(
        arguments,
        open_,
        owner is not None,
        reader.paths,
        tuple(sorted(reader.written)),
        constants,
        tuple(sorted(reader.numbers)),
        _framework(arguments or (), space, reader.names),
        reader.returns,
    )


def _arguments(function: Callable[..., Any]) -> tuple[tuple[Argument, ...] | None, bool]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some compiled functions say nothing about themselves
        return _scripted(function), False
    generic = all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)
    if generic and _scripted(function) is not None:
        return _scripted(function), False
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    # a partial shows what it was given as keyword-only defaults
    found = tuple(
        Argument(
            p.name,
            p.default is not p.empty,
            _plain(p.default),
            _written(p.annotation),
            p.kind is p.POSITIONAL_ONLY,
        )
        for p in named
    )
    return found, any(p.kind is p.VAR_KEYWORD for p in parameters)


def _scripted(function: Any) -> tuple[Argument, ...] | None:
    """A function compiled by ``torch.jit.script`` has its signature in a schema."""
    schema = getattr(function, "schema", None)
    if schema is None:
        return None
    return tuple(
        Argument(a.name, bool(a.has_default_value()), _plain(a.default_value), str(a.type))
        for a in schema.arguments
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else None


def _written(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _tree(function: Any) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


def _framework(arguments: tuple[Argument, ...], space: Mapping[str, Any], names: set[str]) -> str:
    """By the annotations, then by what the function itself uses; ``either`` where only its module tells."""
    words = " ".join(a.annotation for a in arguments)
    for name, hints in {"torch": ("Tensor", "torch"), "jax": ("jax", "jnp"), "numpy": ("ndarray",)}.items():
        if any(hint in words for hint in hints):
            return name
    own, all_ = (
        {str(getattr(space.get(name), "__name__", "")).partition(".")[0] for name in used}
        for used in (names, set(space))
    )
    found = next((name for name in ("torch", "jax", "numpy") if name in own), "")
    if found or "torch" not in all_:
        return found or ("jax" if "jax" in all_ else "numpy" if "numpy" in all_ else "")
    return "either"


class _Reader(ast.NodeVisitor):
    """Walks the source of one function, and of helpers of its class that it calls."""

    def __init__(self, parameters: set[str], owner: type | None) -> None:
        self.owner = owner
        self.paths: dict[str, str] = {}
        self.written: set[str] = set()
        self.names: set[str] = set()
        self.numbers: set[float] = set()
        self.returns = False
        self.alias = {name: name for name in parameters}
        self.depth = 0

    def follow(self, tree: ast.AST) -> None:
        for node in getattr(tree, "body", []):
            for inner in getattr(node, "body", []):
                self.visit(inner)

    def visit_Return(self, node: ast.Return) -> None:
        self.returns |= node.value is not None and self.depth == 0
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, float) and 0 < node.value <= 1:
            self.numbers.add(node.value)

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
        self.read(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.read(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in WRITES:
            path = self.chain(function.value)
            if path:
                self.written.add(path)
        helper = self.helper(function)
        if helper is not None:
            self.names.add(getattr(function, "attr", ""))
            if self.depth < DEEPEST and (tree := _tree(helper)) is not None:
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


def last_name(path: str) -> str:
    """The name at the end of a place."""
    words = path.replace("()", "").replace("['", ".").replace("']", "").replace("[]", "")
    return words.rpartition(".")[2]
