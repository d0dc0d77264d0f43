"""How long the arrays of an object are, as its class makes them, read without a call.

``self.masks = torch.ones(num_steps + 1, lanes)`` beside ``self.rewards = torch.zeros(num_steps, lanes)``
has one entry more than there are rewards: who reads ``masks[t]`` at step ``t`` reads that of the step before.
"""

from __future__ import annotations

import ast

from rlcalc.conform.target.syntax import called, nodes_of_class, of_self

_MADE = frozenset(["zeros", "ones", "empty", "full", "rand", "randn"])


def sizes_of(owner: type) -> dict[str, str]:
    """As written, the first dimension of each array that a class makes, or one that it comes from."""
    found: dict[str, str] = {}
    for node in nodes_of_class(owner):
        if isinstance(node, ast.Assign) and (size := _first(node.value)):
            for name in filter(None, map(of_self, node.targets)):
                found.setdefault(f"self.{name}", size)
    return found


def _first(value: ast.expr) -> str:
    """The first dimension of an array where it is made; empty for anything else."""
    while isinstance(value, ast.Call) and called(value) not in _MADE:
        if not (isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Call)):
            return ""
        value = value.func.value  # .to(device), .byte() and the like
    if not isinstance(value, ast.Call) or not value.args:
        return ""
    shape = value.args[0]
    while isinstance(shape, ast.BinOp) and isinstance(shape.left, ast.Tuple | ast.BinOp):
        shape = shape.left  # of a tuple and what is added to it
    if isinstance(shape, ast.Tuple | ast.List):
        shape = shape.elts[0] if shape.elts else shape
    return ast.unparse(shape).removeprefix("self.") if isinstance(shape, ast.expr) else ""
