"""Whether a function says that it takes rows: a table of several sequences or groups, and not one of them.

Read from its name, its words and its source, without a call. ``(r - r.mean()) / r.std()`` is right for one
group and wrong for a table of groups, and nothing that it answers tells which of them it is written for.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from typing import Any

from rlcalc.conform.target.syntax import called, tree_of

# what is done to arrays of several axes only
_AXES_WORDS = (
    "view reshape unsqueeze squeeze flatten unflatten ravel transpose permute swapaxes expand expand_as "
    "repeat_interleave expand_dims newaxis atleast_2d ndim dim vstack stack chunk split rearrange"
)
_OF_AXES = frozenset(_AXES_WORDS.split())
_AXES = frozenset(["axis", "dim", "keepdim", "keepdims"])
# a shape of two axes as people write it: [B, G], (num_prompts, group_size), B x G, "b g"
_SHAPE = re.compile(
    r"[\[(]\s*\w+\s*(?:[,×*]|\s[xX]\s)\s*\w+[^\])]*[\])]|\b[A-Z]\s*[x×]\s*[A-Z]\b|\"\w+ \w+\""
)
_WORDS = re.compile(
    r"(?i)\b(groups|(mini)?batch(e[sd])?|rows?|tables?|matri(x|ces)|prompts|questions|2-?d|nested|"
    r"global(ly)?|whole|all|every|each)\b"
)


def takes_rows(function: Any) -> bool:
    """Whether something in its name, its text or its source speaks of more than one row.

    What has no source and says nothing does not.
    """
    tree = tree_of(function)
    name = getattr(function, "__name__", "").replace("_", " ")
    said = [name, inspect.getdoc(function) or "", *_comments(function)]
    if any(_WORDS.search(text) for text in said) or any(_SHAPE.search(text) for text in said[1:]):
        return True
    if tree is None:
        return False
    annotated = [
        ast.unparse(node.annotation)
        for node in ast.walk(tree)
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None
    ]
    return any(map(_several_axes, annotated)) or any(map(_handles_axes, ast.walk(tree)))


def _comments(function: Any) -> list[str]:
    try:
        lines = io.StringIO(inspect.getsource(function)).readline
        return [part.string for part in tokenize.generate_tokens(lines) if part.type == tokenize.COMMENT]
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return []


def _several_axes(annotation: str) -> bool:
    """A list of lists, or a shape of two axes as text."""
    return bool(re.search(r"(?i)list\[\s*list|sequence\[\s*sequence|['\"]\w+ \w+['\"]", annotation))


def _handles_axes(node: ast.AST) -> bool:
    """Whether a piece of syntax makes sense for several axes only."""
    if isinstance(node, ast.Call):
        return called(node) in _OF_AXES or any(word.arg in _AXES for word in node.keywords) or _of_axis(node)
    if isinstance(node, ast.Subscript):
        # of a shape another axis than the first, of an array two axes
        other = _is_shape(node.value) and not (isinstance(node.slice, ast.Constant) and node.slice.value == 0)
        return other or isinstance(node.slice, ast.Tuple)
    if isinstance(node, ast.Assign) and _is_shape(node.value):
        return any(isinstance(t, ast.Tuple | ast.List) and len(t.elts) > 1 for t in node.targets)
    return isinstance(node, ast.Attribute) and node.attr in ("ndim", "T")


def _of_axis(node: ast.Call) -> bool:
    """Whether a reduction has the number of an axis: r.mean(1), r.std(-1), np.mean(r, 1)."""
    if called(node) not in ("mean", "std", "var", "sum", "max", "min", "size"):
        return False
    method = isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy", "torch", "jnp")
    )
    given = node.args if method else node.args[1:]
    if called(node) == "size":
        return bool(given) and not (isinstance(given[0], ast.Constant) and given[0].value == 0)
    return bool(given)


def _is_shape(node: ast.expr) -> bool:
    sized = isinstance(node, ast.Call) and called(node) == "size" and not node.args
    return sized or (isinstance(node, ast.Attribute) and node.attr == "shape")
