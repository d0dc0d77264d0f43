"""Whether a formula, as it is printed, says what the evidence shows.

A claim function states what it proves with ``says``, built from the same
parts as its evidence. Formula and statement are evaluated at the same random
points: all sides must agree and all relations be the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rlcalc.audit.formula.evaluate import Point, Reads, as_node, same
from rlcalc.audit.formula.reader import RELATIONS, Chain, LatexError, Node, read
from rlcalc.errors import shown

POINTS = 3


@dataclass(frozen=True)
class Said:
    """``sides[0] relations[0] sides[1] …``: SymPy expressions, numbers, or lists of them."""

    sides: tuple[Any, ...]
    relations: tuple[str, ...]


def says(*parts: Any) -> Said:
    """A statement, side and relation in turn: ``says(w(n), "=", (1 - lam) * lam ** (n - 1))``.

    Relations: ``= != < <= > >= in ~ -> <-`` as in the formula (``~`` is approximately or distributed as).
    """
    relations = tuple(parts[1::2])
    if len(parts) % 2 == 0 or not set(relations) <= set(RELATIONS.values()):
        raise ValueError(f"sides and relations do not take turns in {parts}")
    return Said(tuple(parts[0::2]), relations)


def written(template: str, /, **holes: Any) -> list[Said]:
    """Every chain of a LaTeX formula in which ``@name`` stands for something the evidence is made of.

    ``written(r"\\nabla J(\\theta) @relation \\mathbb{E}[ @weight G ]", relation=s.relation, weight=ratio)``

    Args:
        template: the formula; a hole is never part of a word or of an argument's name.
        holes: SymPy expressions, numbers, lists of them; relations; LaTeX commands such as ``\\min``.

    Raises:
        ValueError: without holes it would only repeat the formula; a hole that is not in it.
    """
    if not holes or set(holes) != set(_HOLE.findall(template)):
        raise ValueError(f"{template} does not have the holes {sorted(holes)}")
    words = {name: value for name, value in holes.items() if _is_word(value)}
    latex = _HOLE.sub(
        lambda found: _LATEX.get(words.get(found[1], ""), words.get(found[1], found[0])), template
    )
    filled = {f"@{name}": as_node(value) for name, value in holes.items() if name not in words}
    return [Said(tuple(_filled(side, filled) for side in one.sides), one.relations) for one in read(latex)]


_HOLE = re.compile("@([a-z_]+)")
_LATEX = {"=": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "in": r"\in"}


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and (value in _LATEX or value.startswith("\\"))


def _filled(node: Node, holes: Mapping[str, Node]) -> Node:
    if node.name in holes and node.head == "name":
        return holes[node.name]
    return replace(node, parts=tuple(_filled(part, holes) for part in node.parts))


def mismatch(latex: str, said: list[Said], reads: Reads | None = None) -> str:
    """How a formula differs from what was said; empty where they agree.

    Args:
        latex: the formula.
        said: its chains, in its order.
        reads: what names of the formula stand for.
    """
    try:
        chains = read(latex)
        expected = [Chain(tuple(map(as_node, one.sides)), one.relations) for one in said]
        if len(chains) != len(expected):
            return f"the formula has {len(chains)} parts, its evidence says {len(expected)}"
        for number, (ours, theirs) in enumerate(zip(chains, expected, strict=True), start=1):
            problem = _different(ours, theirs, reads)
            if problem:
                return f"part {number}: {problem}"
    except LatexError as error:
        return f"the formula cannot be read: {error.message}"
    return ""


def _different(ours: Chain, theirs: Chain, reads: Reads | None) -> str:
    if ours.relations != theirs.relations:
        return f"the formula has {' '.join(ours.relations)}, its evidence {' '.join(theirs.relations)}"
    for number, sides in enumerate(zip(ours.sides, theirs.sides, strict=True), start=1):
        for seed in range(POINTS):
            left, right = (Point(seed, reads).value(side) for side in sides)
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
