"""What of an agent starts over with every episode, by the source of its class and of what stands around it.

A trace is set to 0 by the method that learns, by another method of the class
(``reset``, ``begin_episode``), or by the loop that trains. The first is what
the agent does by itself; the others are found here, so that an agent is
asked as its own program asks it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any

from rlcalc.conform.target.syntax import called, of_self, tree_of

_BEGINS = re.compile(r"(^|_)(re_?set|begin|start|clear|new|init\w*|end|finish|on)(_|$)|episode")
_CLEARS = frozenset(["fill", "clear", "zero_"])


def resets_of(owner: type, method: str, written: set[str]) -> dict[str, tuple[str, ...]]:
    """Places that start over with an episode: methods such as ``self.reset()``, and attributes, ``self.E``.

    Each comes with all attributes that are changed there: where a table is one of them, something else is
    learnt, or all is forgotten.

    Args:
        method: the name of the one that learns.
        written: attributes that it changes.
    """
    found: dict[str, tuple[str, ...]] = {}
    functions, around = _functions(owner)
    helpers = _helpers(functions, method)
    for name, tree in functions.items():
        if name in helpers or name == "__init__":
            continue
        sets = _set_by(tree, "self")
        if not sets & written:
            continue
        changed = tuple(sorted(_changed_by(tree)))
        alone = _BEGINS.search(name) and _needs_nothing(tree)
        for place in [f"{name}()"] if alone else sets & written:
            _keep_least(found, f"self.{place}", changed)
    for part in around:
        for attribute in _set_by(part, "") & written:
            _keep_least(found, f"self.{attribute}", (attribute,))
    return found


def _keep_least(found: dict[str, tuple[str, ...]], place: str, changed: tuple[str, ...]) -> None:
    """Of several that set a place the one that changes least besides."""
    if place not in found or len(changed) < len(found[place]):
        found[place] = changed


def _changed_by(tree: ast.AST) -> set[str]:
    """Attributes of an object that a method changes, as a whole or in part."""
    found = _set_by(tree, "self")
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets if isinstance(node, ast.Assign | ast.AugAssign) else ():
            while isinstance(target, ast.Subscript):
                target = target.value
            found |= {of_self(target)} if target is not None else set()
    return found - {""}


def _functions(owner: type) -> tuple[dict[str, ast.FunctionDef], list[ast.AST]]:
    """Methods of a class by name, and whatever else its module holds."""
    functions: dict[str, ast.FunctionDef] = {}
    for one in owner.__mro__:
        tree = tree_of(one) if one is not object else None
        body = tree.body[0].body if isinstance(tree, ast.Module) else []  # type: ignore[attr-defined]
        functions |= {
            part.name: part
            for part in body
            if isinstance(part, ast.FunctionDef) and part.name not in functions
        }
    module: Any = tree_of(sys.modules.get(owner.__module__))
    around = getattr(module, "body", [])
    return functions, [part for part in around if getattr(part, "name", "") != owner.__name__]


def _helpers(functions: dict[str, ast.FunctionDef], method: str) -> set[str]:
    """A method with all those of the same object that it calls."""
    found, left = set(), [method]
    while left:
        name = left.pop()
        if name in found or name not in functions:
            continue
        found.add(name)
        left += [of_self(node.func) for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
    return found


def _needs_nothing(tree: ast.FunctionDef) -> bool:
    """Whether a method can be called with its object alone."""
    given = tree.args
    required = len(given.posonlyargs) + len(given.args) - 1 - len(given.defaults)
    return required <= 0 and all(default is not None for default in given.kw_defaults)


def _set_by(tree: ast.AST, of: str) -> set[str]:
    """Attributes that are set as a whole, or cleared.

    Args:
        of: of what; empty for anything but ``self``, which is another object elsewhere.
    """
    return {
        target.attr
        for target in _whole(tree)
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and (target.value.id == of if of else target.value.id != "self")
    }


def _whole(tree: ast.AST) -> Iterator[ast.expr]:
    """Whatever is set as a whole: ``x = …``, ``x[:] = …``, ``x *= 0``, ``x.fill(0)``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                several = target.elts if isinstance(target, ast.Tuple) else [target]
                yield from (_all_of(one) for one in several)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult):
            if isinstance(node.value, ast.Constant) and node.value.value == 0:
                yield _all_of(node.target)
        elif isinstance(node, ast.Call) and called(node) in _CLEARS and isinstance(node.func, ast.Attribute):
            yield node.func.value


def _all_of(target: ast.expr) -> ast.expr:
    """What ``x[:]`` is all of."""
    entire = isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice)
    return target.value if entire and isinstance(target, ast.Subscript) else target
