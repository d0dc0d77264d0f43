"""Whether a formula, as it is printed, says what the evidence shows.

The formula stands once more beside itself as a template, in whose holes the
claim function puts the parts that its evidence is built from. Formula and
filled template are evaluated at the same random points: all sides must agree
and all relations be the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc.audit.formula.evaluate import Point, as_node, same
from rlcalc.audit.formula.reader import Chain, LatexError, Node, read
from rlcalc.errors import shown

POINTS = 3


@dataclass(frozen=True)
class Said:
    """``sides[0] relations[0] sides[1] …``: SymPy expressions, numbers, or lists of them."""

    sides: tuple[Any, ...]
    relations: tuple[str, ...]


def fill(template: str, holes: Mapping[str, Any], parts: Mapping[str, Any] | None = None) -> list[Said]:
    """Every chain of a LaTeX formula in which ``@name`` stands for something the evidence is made of.

    ``fill(r"\\nabla J(\\theta) @relation \\mathbb{E}[ @weight G ]", {"relation": "<=", "weight": ratio})``

    Args:
        template: the formula; a hole that letters follow at once is written ``@{name}``.
        holes: what fills them: SymPy expressions, numbers, lists of them; relations; other text is LaTeX.
        parts: of the statement, for holes that are left; one that is in no hole shows nowhere.

    Raises:
        ValueError: without holes it would only repeat the formula; nothing fills a hole, or what should is
            in none.
    """
    names = {braced or bare for braced, bare in _HOLE.findall(template)}
    filled_with = {**(parts or {}), **holes}
    if not names or not set(holes) <= names <= set(filled_with):
        raise ValueError(f"{template} has the holes {sorted(names)}, and filled are {sorted(filled_with)}")
    holes = filled_with
    texts = {name: _LATEX.get(holes[name], holes[name]) for name in names if _is_latex(holes[name])}
    latex = _HOLE.sub(lambda found: texts.get(found[1] or found[2], f"@{found[1] or found[2]}"), template)
    filled = {f"@{name}": as_node(holes[name]) for name in names - set(texts)}
    return [Said(tuple(_filled(side, filled) for side in one.sides), one.relations) for one in read(latex)]


_HOLE = re.compile(r"@(?:\{([a-z_]+)\}|([a-z_]+))")
_LATEX = {"=": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "in": r"\in"}


def _is_latex(value: Any) -> bool:
    """Whether it is text other than a number."""
    if not isinstance(value, str):
        return False
    try:
        Fraction(value)
    except ValueError:
        return True
    return False


def _filled(node: Node, holes: Mapping[str, Node]) -> Node:
    if node.name in holes and node.head == "name":
        return holes[node.name]
    return replace(node, parts=tuple(_filled(part, holes) for part in node.parts))


def mismatch(latex: str, said: list[Said]) -> str:
    """How a formula differs from what was said; empty where they agree.

    Args:
        latex: the formula.
        said: its chains, in its order.
    """
    try:
        chains = read(latex)
        expected = [Chain(tuple(map(as_node, one.sides)), one.relations) for one in said]
        if len(chains) != len(expected):
            return f"the formula has {len(chains)} parts, its evidence says {len(expected)}"
        for number, (ours, theirs) in enumerate(zip(chains, expected, strict=True), start=1):
            problem = _different(ours, theirs)
            if problem:
                return f"part {number}: {problem}"
    except LatexError as error:
        return f"the formula cannot be read: {error.message}"
    return ""


def _different(ours: Chain, theirs: Chain) -> str:
    if ours.relations != theirs.relations:
        return f"the formula has {' '.join(ours.relations)}, its evidence {' '.join(theirs.relations)}"
    for number, sides in enumerate(zip(ours.sides, theirs.sides, strict=True), start=1):
        for seed in range(POINTS):
            left, right = (Point(seed).value(side) for side in sides)
            if not same(left, right):
                return f"side {number} is {shown(left)} in the formula and {shown(right)} in its evidence"
    return ""


def names_in(chains: tuple[Chain, ...]) -> set[str]:
    """The names that a formula leaves open."""
    found: set[str] = set()

    def walk(node: Node) -> None:
        if node.head == "name":
            found.add(node.name)
        for part in node.parts:
            walk(part)

    for chain in chains:
        for side in chain.sides:
            walk(side)
    return found
