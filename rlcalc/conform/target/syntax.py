"""Small questions about a function's syntax: its tree, what is called in it, the names in an expression."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

# what arrays have by themselves, and no container of ours does
_WORDS = (
    "shape size dtype device T ndim data detach cpu numpy float double to item mean std sum clone copy "
    "view reshape unsqueeze squeeze flatten transpose permute astype tolist new_zeros long bool int dim "
    "exp log sub add mul div new_tensor type_as var max min clamp clip type append extend insert items "
    "keys values_ fill_ zero_ copy_ flip cumsum numel is_cuda requires_grad ravel swapaxes at gather "
    "contiguous pow any all prod abs sqrt square round nonzero argmax argmin repeat expand expand_as view_as "
    "unbind logical_not logical_and neg softmax log_softmax sigmoid half cuda requires_grad_ masked_fill "
    "masked_select index_select scatter diff nan_to_num narrow roll new_full new_empty new_ones "
    "popleft pop amax amin chunk logsumexp maximum minimum clear reverse "
)
OF_ARRAYS = frozenset(_WORDS.split())
_OF_LISTS = frozenset(["append", "extend", "insert", "pop", "reverse", "items", "keys", "values", "get"])
WRITES = frozenset(["append", "extend", "insert", "copy_", "fill_", "appendleft"])
# an entry of a record in a list of the object's
_ENTRY = re.compile(r"self\.(\w+)\[\]\[(\d+)\]")
# in the place of a tree, where there is no source
NOTHING = ast.Module([], [])
# how networks are called, besides by themselves
_CALLED_BY = re.compile(r"\.(apply|apply_fn|forward|forward_np|predict)\(\)$")
# a name that Python changes for a class
_PRIVATE = re.compile(r"^_[A-Za-z]\w*?__(?=[A-Za-z])")


def tree_of(function: Any) -> ast.AST | None:
    """Its syntax tree; ``None`` where there is no source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


def nodes_of_class(owner: type) -> Iterator[ast.AST]:
    """All syntax of a class, and of those beside it that it comes from."""
    for one in owner.__mro__:
        if one.__module__ == owner.__module__:
            yield from ast.walk(tree_of(one) or NOTHING)


def of_self(node: ast.AST) -> str:
    """The attribute of ``self`` that an expression is; empty for anything else."""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if own and isinstance(node, ast.Attribute) else ""


def kept_by(owner: type) -> set[str]:
    """Attributes that a class sets, or one beside it that it comes from: ``self.rewards = []``."""
    stored = (node for node in nodes_of_class(owner) if isinstance(getattr(node, "ctx", None), ast.Store))
    return {*map(of_self, stored)} - {""}


def stored_as(owner: type | None, path: str) -> str:
    """What a class calls an entry of a record where it stores one: ``self.memory.append((a, r))``."""
    found = _ENTRY.fullmatch(path)
    if found is None or owner is None:
        return ""
    for node in ast.walk(tree_of(owner) or NOTHING):
        stores = isinstance(node, ast.Call) and called(node) in WRITES and node.args and node
        if not stores or not isinstance(stores.func, ast.Attribute):
            continue
        holder, record = stores.func.value, stores.args[-1]
        if getattr(holder, "attr", "") == found[1] and isinstance(record, ast.Tuple | ast.List):
            names = [only_name(part) or getattr(part, "attr", "") for part in record.elts]
            return names[int(found[2])] if int(found[2]) < len(names) else ""
    return ""


def scans(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Functions that JAX's scan calls step by step, with what they are called for."""
    for node in ast.walk(tree):
        scan = isinstance(node, ast.Call) and called(node) == "scan" and node
        if scan and len(scan.args) > 2 and isinstance(scan.args[0], ast.Name):
            yield scan.args[0].id, scan.args[2]


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def of_plain_numbers(tree: ast.AST) -> bool:
    """Whether a body works with lists of numbers: with ``math`` or ``list()``, and no method of arrays."""
    nodes = list(ast.walk(tree))
    found = [node for node in nodes if isinstance(node, ast.Attribute)]
    others = [n for n in found if not (isinstance(n.value, ast.Name) and n.value.id == "math")]
    lists = any(isinstance(node, ast.Call) and called(node) == "list" for node in nodes)
    return (lists or len(others) < len(found)) and all(node.attr in _OF_LISTS for node in others)


def only_name(value: ast.expr) -> str:
    """The one name in a returned expression, functions that are called on it aside."""
    inner = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    held = {
        id(part)
        for node in ast.walk(value)
        if id(node) in inner and not (isinstance(node, ast.Attribute) and node.attr in OF_ARRAYS)
        for part in ast.walk(node)
    }
    names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name) and id(node) not in held}
    return names.pop() if len(names) == 1 else ""


def texts(node: ast.expr) -> list[str]:
    """Texts that an expression says, of a tuple or a list each of them."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]


def last_name(path: str) -> str:
    """The name at the end of a place."""
    path = _CALLED_BY.sub("()", path)
    words = path.replace("()", "").replace("['", ".").replace("']", "").replace("[]", "")
    return _PRIVATE.sub("", words.rpartition(".")[2])
