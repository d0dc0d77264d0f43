"""LaTeX formulas of the claims -> trees that can be evaluated.

A small grammar for what the lecture's formulas use. Nothing in a formula is
ever executed: a tree holds numbers, names and the operations below, and what
the reader does not know it refuses.

A formula is a list of chains, ``side relation side relation side …``; commas,
``\\quad``, words and arrows of implication stand between chains.

Names
-----
``\\gamma`` is ``gamma``. An index below a name is an argument, a word or a
parameter belongs to the name: ``R_{t+1}`` is R(t+1), ``V_\\phi(S_t)`` is
V_phi(S(t)), ``G_t^{(n)}`` is G(t, n), ``G_t^{\\lambda}`` is G^lambda(t).
A superscript of a Greek or small Latin letter, of a number or of a bracket is a power.

Operators ``\\mathbb{E}``, ``\\operatorname{Var}``, ``\\nabla``, ``\\partial``, ``\\max_a``
and the like are names applied to what follows: ``E_{x~p}(…)``, ``max_{a}(…)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from rlcalc.errors import RlcalcError


class LatexError(RlcalcError):
    """The reader does not know this LaTeX; code ``latex_unknown``."""

    def __init__(self, message: str) -> None:
        super().__init__("latex_unknown", message)


@dataclass(frozen=True)
class Node:
    """``head`` is num, name, add, mul, div, pow, neg, sum, prod, abs, list, dots, relation or apply."""

    head: str
    name: str = ""
    parts: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)


@dataclass(frozen=True)
class Chain:
    """``sides[0] relations[0] sides[1] …``; a lone side has no relation."""

    sides: tuple[Node, ...]
    relations: tuple[str, ...]


RELATIONS = {
    "=": "=", "<": "<", ">": ">", r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=", r"\ne": "!=",
    r"\neq": "!=", r"\approx": "~", r"\to": "->", r"\leftarrow": "<-", r"\gets": "<-", r"\in": "in",
    r"\notin": "not in", r"\sim": "~", r"\equiv": "=",
}  # fmt: skip
_SPACES = {
    r"\,", r"\;", r"\:", r"\!", r"\ ", r"\left", r"\right", r"\big", r"\Big", r"\bigl", r"\bigr", r"\limits",
    r"\displaystyle",
}  # fmt: skip
_SEPARATORS = {",", ";", r"\quad", r"\qquad", r"\implies", r"\text", r"\\", r"\ldots"}
_GREEK = {
    r"\alpha", r"\beta", r"\gamma", r"\delta", r"\epsilon", r"\varepsilon", r"\lambda", r"\theta", r"\phi",
    r"\pi", r"\rho", r"\sigma", r"\mu", r"\tau", r"\eta", r"\Delta", r"\ell", r"\infty",
}  # fmt: skip
_ACCENTS = {r"\hat": "hat ", r"\mathcal": ""}
_INDEX = set("tnkijlmsaxbNTM") | {r"\tau"}  # letters that are arguments when they stand below a name
# small letters and Greek ones that are functions: a bracket after them holds arguments, not a factor
_FUNCTIONS = set("pqfberwvh") | {r"\pi", r"\theta", r"\rho", r"\mu"}
_TOKEN = re.compile(r"\\[a-zA-Z]+|@[a-z_]+|\\.|\d+(?:\.\d+)?|[^\s]", re.S)


def tokens_of(latex: str) -> list[str]:
    """Commands, numbers and single characters; the words of ``\\text{…}`` are one token."""
    found: list[str] = []
    at = 0
    while match := _TOKEN.search(latex, at):
        token, at = match[0], match.end()
        if token in (r"\text", r"\operatorname", r"\begin", r"\end") and latex[at : at + 1] == "{":
            end = latex.find("}", at)
            if end < 0:
                raise LatexError(f"{token} has no end.")
            found += [token, "{", latex[at + 1 : end], "}"]
            at = end + 1
        elif token not in _SPACES:
            found.append(token)
    return found


@cache
def read(latex: str) -> tuple[Chain, ...]:
    """All chains of a formula.

    Raises:
        LatexError: something that this grammar does not have.
    """
    return tuple(_Reader(tokens_of(latex)).formula())


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    # tokens

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise LatexError(f"expected {wanted or 'more'}, not {token or 'the end'}.")
        self.at += 1
        return token

    def skip(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def group(self) -> list[str]:
        """The tokens of {…}, or the one token that stands in its place."""
        if not self.skip("{"):
            token = self.take()
            if token in ("_", "^"):
                raise LatexError(f"{token} stands where an index or a power must.")
            return [token, *self._braced()] if token == r"\text" else [token]
        self.at -= 1
        return self._braced()[1:-1]

    def _braced(self) -> list[str]:
        start, depth = self.at, 0
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if depth == 0:
                return self.tokens[start : self.at]

    def inner(self, tokens: list[str]) -> Node:
        """An expression, or several apart by commas, that fills the tokens."""
        reader = _Reader(tokens)
        parts = reader.listed("")
        return parts[0] if len(parts) == 1 else Node("list", "", tuple(parts))

    # formulas

    def formula(self) -> list[Chain]:
        found: list[Chain] = []
        while self.peek():
            if self.peek() in _SEPARATORS:
                if self.take() == r"\text":
                    self._braced()
                continue
            chain = self.chain()
            if not chain.relations and chain.sides[0].head == "relations":
                found += [_as_chain(part) for part in chain.sides[0].parts]
            else:
                found.append(chain)
        return found

    def chain(self) -> Chain:
        sides, relations = [self.sum()], []
        while self.peek() in RELATIONS:
            relations.append(RELATIONS[self.take()])
            sides.append(self.sum())
        return Chain(tuple(sides), tuple(relations))

    def listed(self, close: str) -> list[Node]:
        """Expressions or relations apart by commas or bars, up to ``close``."""
        parts: list[Node] = []
        while self.peek() != close:
            if self.peek() in (",", ";", "|", r"\mid", r"\|", r"\quad", r"\\", r"\ldots", r"\cdots"):
                if self.take() in (r"\ldots", r"\cdots"):
                    parts.append(Node("dots"))
                continue
            if self.peek() == r"\text":
                self.take()
                self._braced()
                continue
            if self.skip(r"\cdot"):  # π(·|s): any argument
                parts.append(Node("name", "·"))
                continue
            chain = self.chain()
            parts.append(_as_node(chain) if chain.relations else chain.sides[0])
        if close:
            self.take(close)
        return parts

    # expressions

    def sum(self) -> Node:
        parts = [Node("neg", "", (self.term(),)) if self.skip("-") else self.term()]
        while self.peek() in ("+", "-", r"\oplus"):
            sign = self.take()
            part = self.term()
            if sign == r"\oplus":
                parts = [Node("apply", "oplus", (_added(parts), part))]
            else:
                parts.append(Node("neg", "", (part,)) if sign == "-" else part)
        return _added(parts)

    def term(self) -> Node:
        factors = [self.factor()]
        while True:
            token = self.peek()
            if token in (r"\cdot", r"\times"):
                self.take()
                factors.append(self.factor())
            elif token == "/":
                self.take()
                factors = [Node("div", "", (_multiplied(factors), self.factor()))]
            elif (
                not token
                or token in "+-,;)]}|=<>"
                or token in RELATIONS
                or token in _SEPARATORS
                or token in (r"\mid", r"\|", r"\oplus", r"\}", r"\cdots", r"\end")
            ):
                break
            else:
                factors.append(self.factor())
        return _multiplied(factors)

    def factor(self) -> Node:
        base = self.primary()
        while self.peek() == "^":
            self.take()
            base = Node("pow", "", (base, self.inner(self.group())))
        return base

    def primary(self) -> Node:
        token = self.take()
        if token[0].isdigit():
            return Node("num", value=Fraction(token))
        if token[0] == "@":  # a hole of tie.written
            return Node("name", token)
        if token == "-":
            return Node("neg", "", (self.factor(),))
        if token == r"\cdots":
            return Node("dots")
        if token in ("(", "["):
            return self.bracket({"(": ")", "[": "]"}[token])
        if token == "|":
            part = self.sum()
            self.take("|")
            return Node("abs", "", (part,))
        if token == "{":
            self.at -= 1
            return self.inner(self.group())
        if token in (r"\sum", r"\prod"):
            return self.big(token[1:])
        if token == r"\frac":
            above, below = self.inner(self.group()), self.inner(self.group())
            return Node("div", "", (above, below))
        if token in (r"\log", r"\ln", r"\exp"):
            return Node("apply", "exp" if token == r"\exp" else "log", (self.factor(),))
        if token in (r"\max", r"\min", r"\nabla", r"\partial", r"\operatorname", r"\mathbb"):
            return self.operator(token)
        if token == r"\begin":
            self._braced()
            return self.rows()
        if token in _ACCENTS:
            return self.named(_ACCENTS[token] + "".join(self.group()))
        if token in _GREEK or token.isalpha():
            return self.named(token)
        raise LatexError(f"{token} has no meaning here.")

    def bracket(self, close: str) -> Node:
        parts = self.listed(close)
        if parts and all(part.head == "relation" for part in parts):
            return Node("relations", "", tuple(parts))
        return parts[0] if len(parts) == 1 else Node("list", "", tuple(parts))

    def rows(self) -> Node:
        parts = []
        while self.peek() != r"\end":
            if not (self.skip(r"\\") or self.skip("&")):
                parts.append(self.sum())
        self.take(r"\end")
        self._braced()
        return Node("list", "", tuple(parts))

    def big(self, name: str) -> Node:
        low = self.group() if self.skip("_") else []
        high = self.group() if self.skip("^") else []
        body = self.term()
        if high and "=" in low:
            at = low.index("=")
            ends = (self.inner(low[:at]), self.inner(low[at + 1 :]), self.inner(high))
            return Node(name, "", (*ends, body))
        return Node("apply", f"{name}_{{{_label(low)}}}", (body,))

    def operator(self, token: str) -> Node:
        name = token[1:]
        if token in (r"\operatorname", r"\mathbb"):
            name = "".join(self.group()).replace(r"\,", "")
        if self.skip("_"):
            name += f"_{{{_label(self.group())}}}"
        if self.peek() in ("(", "[") and name not in ("nabla", "partial"):
            close = {"(": ")", "[": "]"}[self.take()]
            return Node("apply", name, tuple(self.listed(close)))
        if token == r"\mathbb" and name not in ("E", "1"):
            return Node("name", name)  # a set: the real numbers
        return Node("apply", name, (self.factor(),))

    def named(self, token: str) -> Node:
        """A name with its indices, labels and arguments."""
        name, arguments = token.lstrip("\\"), []
        is_function = token in _FUNCTIONS or token[-1].isupper()
        while self.peek() in ("_", "^", "'"):
            start, mark = self.at, self.take()
            if mark == "'":
                name += "'"
                continue
            group = self.group()
            if mark == "_":
                index = _label_below(group)
                if index is None:
                    part = self.inner(group)
                    arguments += list(part.parts) if part.head == "list" else [part]
                else:
                    name += f"_{index}"
                continue
            if group == [r"\prime"]:
                name += "'"
            elif name == "e" and not arguments:
                return Node("apply", "exp", (self.inner(group),))
            elif group[0] == "(" and is_function:
                part = self.inner(group[1:-1])
                arguments += list(part.parts) if part.head == "list" else [part]
            elif is_function and not group[0].isdigit():
                name += f"^{_label(group)}"
            else:
                self.at = start  # a power of it, which is no part of its name
                break
        if is_function and self.peek() in ("(", "["):
            close = {"(": ")", "[": "]"}[self.take()]
            arguments += self.listed(close)
        return Node("name", name, tuple(arguments))


def _label(tokens: list[str]) -> str:
    """Tokens as one word, for the name of an operator or of a variant."""
    kept = [token for token in tokens if token not in ("{", "}", r"\text", " ")]
    return "".join({r"\sim": "~", r"\prime": "'"}.get(token, token.lstrip("\\")) for token in kept)


def _label_below(tokens: list[str]) -> str | None:
    """The word that a subscript is; ``None`` where it is an index."""
    if tokens[0] == r"\text" or (len(tokens) > 1 and all(token.isalpha() for token in tokens)):
        return _label(tokens)
    if tokens[0] in _GREEK - _INDEX or (len(tokens) == 1 and tokens[0].isalpha() and tokens[0] not in _INDEX):
        return _label(tokens)
    return None


def _added(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Node("add", "", tuple(parts))


def _multiplied(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Node("mul", "", tuple(parts))


def _as_node(chain: Chain) -> Node:
    return Node("relation", " ".join(chain.relations), chain.sides)


def _as_chain(node: Node) -> Chain:
    return Chain(node.parts, tuple(node.name.split()))
