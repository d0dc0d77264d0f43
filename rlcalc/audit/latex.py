"""A small part of LaTeX's mathematics -> presentation MathML, and one line of text.

Pages without scripts need MathML; a terminal needs text. The formulas of the
claims keep to the commands below, and a test reads them all. Anything else
is refused, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from rlcalc.audit.latex_signs import (
    ACCENTS,
    DOUBLE,
    IGNORED,
    LARGE,
    LETTERS,
    LIMITS,
    SCRIPT,
    SIGNS,
    SPACES,
    STYLED,
    WORDS,
)

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|\d+(?:\.\d+)?|[^\s\\]|\s+", re.DOTALL)
_OPERATORS = set("+-=<>()[],;:!/*.'?|")


class LatexError(ValueError):
    """The formula uses something that this module does not read."""


@dataclass(frozen=True)
class Node:
    """``kind`` is row, id, num, op, word, text, space, frac, sqrt, script, accent or table."""

    kind: str
    text: str = ""
    parts: tuple[Node | None, ...] = ()
    limits: bool = False


def to_mathml(latex: str, *, block: bool = False) -> str:
    """One ``<math>`` element.

    Raises:
        LatexError: a command outside the subset, or brackets that do not match.
    """
    # not display="block": several formulas share a line where there is room, and wrap where there is none
    display = ' displaystyle="true"' if block else ""
    body = _mathml(parse(latex), block)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{display}>{body}</math>'


def to_text(latex: str) -> str:
    """One line of Unicode text.

    Raises:
        LatexError: as ``to_mathml``.
    """
    return re.sub(r" +", " ", _text(parse(latex))).strip()


def columns(latex: str) -> list[str]:
    """The parts between quads that stand in no bracket: they may go on separate lines."""
    parts, depth, inside = [""], 0, 0
    for token in _TOKEN.findall(latex):
        depth += (token == "{") - (token == "}")
        inside += (token == r"\begin") - (token == r"\end")
        if token in (r"\quad", r"\qquad") and depth == 0 and inside == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts if part.strip()]


def parse(latex: str) -> Node:
    reader = _Reader(_TOKEN.findall(latex))
    node = reader.row(())
    if reader.at < len(reader.tokens):
        raise LatexError(f"a bracket too many in {latex!r}")
    return node


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise LatexError("the formula ends too early")
        self.at += 1
        return token

    def blank(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def row(self, ends: tuple[str, ...]) -> Node:
        found: list[Node] = []
        while True:
            self.blank()
            token = self.peek()
            if not token or token in ends or token == "}":
                return found[0] if len(found) == 1 else Node("row", parts=tuple(found))
            node = self.atom()
            if node is not None:
                found.append(self.scripts(node))

    def scripts(self, base: Node) -> Node:
        below: Node | None = None
        above: Node | None = None
        while True:
            self.blank()
            token = self.peek()
            if token == "_" and below is None:
                self.next()
                below = self.argument()
            elif token == "^" and above is None:
                self.next()
                above = self.argument()
            elif token == "'":
                self.next()
                prime = Node("op", "′")
                above = prime if above is None else Node("row", parts=(prime, above))
            elif token in ("\\limits", "\\nolimits"):
                self.next()
            else:
                break
        if below is None and above is None:
            return base
        return Node("script", parts=(base, below, above), limits=base.limits)

    def argument(self) -> Node:
        self.blank()
        if self.peek() == "{":
            self.next()
            inside = self.row(("}",))
            if self.next() != "}":
                raise LatexError("a bracket is not closed")
            return inside
        node = self.atom()
        if node is None:
            raise LatexError("a script without content")
        return node

    def words(self) -> str:
        """The argument of \\text and the like, as it stands."""
        self.blank()
        if self.next() != "{":
            raise LatexError("text without a bracket")
        found, depth = "", 1
        while True:
            token = self.next()
            depth += (token == "{") - (token == "}")
            if depth == 0:
                return found
            found += LETTERS.get(token[1:], token[1:]) if token.startswith("\\") else token

    def atom(self) -> Node | None:
        token = self.next()
        if token == "{":
            self.at -= 1
            return self.argument()
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return Node("num", token)
        if token in _OPERATORS or token in "−·≤≥→":
            return Node("op", "−" if token == "-" else token)
        if token.isalpha():
            return Node("id", token)
        raise LatexError(f"{token!r} is not read here")

    def command(self, name: str) -> Node | None:
        if name in LETTERS:
            return Node("id", LETTERS[name])
        if name in LARGE:
            return Node("op", LARGE[name], limits=True)
        if name in SIGNS:
            return Node("op", SIGNS[name])
        if name in WORDS:
            return Node("word", name, limits=name in LIMITS)
        if name in SPACES:
            return Node("space", SPACES[name])
        if name in ("left", "right"):
            self.blank()
            if self.peek() == ".":
                self.next()
            return None
        if name in IGNORED:
            return None
        if name in ("frac", "tfrac", "dfrac"):
            above = self.argument()
            return Node("frac", parts=(above, self.argument()))
        if name == "sqrt":
            return Node("sqrt", parts=(self.argument(),))
        if name in ACCENTS:
            return Node("accent", ACCENTS[name], (self.argument(),))
        if name in STYLED:
            words = self.words()
            return Node("text" if name.startswith("text") else "word", words)
        if name == "mathbb":
            return Node("id", _lettered(self.words(), DOUBLE))
        if name == "mathcal":
            return Node("id", _lettered(self.words(), SCRIPT))
        if name == "begin":
            return self.table(self.words())
        raise LatexError(f"\\{name} is not read here")

    def table(self, name: str) -> Node:
        if name not in ("cases", "pmatrix", "bmatrix", "matrix", "aligned"):
            raise LatexError(f"\\begin{{{name}}} is not read here")
        rows: list[Node] = []
        cells: list[Node] = []
        while True:
            cells.append(self.row(("&", "\\\\", "\\end")))
            end = self.next()
            if end == "&":
                continue
            rows.append(Node("row", parts=tuple(cells)))
            cells = []
            if end == "\\end":
                if self.words() != name:
                    raise LatexError(f"\\begin{{{name}}} is not closed")
                return Node("table", name, tuple(rows))
            if end != "\\\\":
                raise LatexError("a bracket too many in a table")


def _lettered(text: str, known: dict[str, str]) -> str:
    if text not in known:
        raise LatexError(f"there is no such letter for {text!r}")
    return known[text]


_FENCES = {
    "cases": ("{", ""),
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "matrix": ("", ""),
    "aligned": ("", ""),
}


def _mathml(node: Node | None, block: bool) -> str:
    if node is None:
        return "<mrow></mrow>"
    inner = [_mathml(part, block) for part in node.parts]
    match node.kind:
        case "id":
            return f"<mi>{escape(node.text)}</mi>"
        case "num":
            return f"<mn>{escape(node.text)}</mn>"
        case "op":
            large = ' largeop="true"' if node.limits and block else ""
            # brackets that grow with sums look heavier than the formula they hold
            fence = ' stretchy="false"' if node.text in "()[]{}|‖" else ""
            return f"<mo{large}{fence}>{escape(node.text)}</mo>"
        case "word":
            return f'<mi mathvariant="normal">{escape(node.text)}</mi>'
        case "text":
            # MathML drops blanks at the ends of a text, where they part it from the formula
            return f"<mtext>{escape(node.text).replace(' ', chr(0xA0))}</mtext>"
        case "space":
            return f'<mspace width="{node.text}"></mspace>'
        case "frac":
            return f"<mfrac>{_wrapped(inner[0])}{_wrapped(inner[1])}</mfrac>"
        case "sqrt":
            return f"<msqrt>{inner[0]}</msqrt>"
        case "accent":
            return f'<mover accent="true">{_wrapped(inner[0])}<mo>{escape(node.text)}</mo></mover>'
        case "script":
            return _scripted(node, inner, block)
        case "table":
            return _matrix(node, block)
        case _:
            return "<mrow>" + "".join(inner) + "</mrow>"


def _wrapped(markup: str) -> str:
    return markup if markup.startswith("<mrow>") else f"<mrow>{markup}</mrow>"


def _scripted(node: Node, inner: list[str], block: bool) -> str:
    base, below, above = (_wrapped(part) for part in inner)
    under = node.limits and block
    if node.parts[1] is None:
        tag, body = ("mover" if under else "msup"), base + above
    elif node.parts[2] is None:
        tag, body = ("munder" if under else "msub"), base + below
    else:
        tag, body = ("munderover" if under else "msubsup"), base + below + above
    return f"<{tag}>{body}</{tag}>"


def _matrix(node: Node, block: bool) -> str:
    rows = ""
    for row in node.parts:
        assert row is not None
        cells = "".join(f"<mtd>{_mathml(cell, block)}</mtd>" for cell in row.parts)
        rows += f"<mtr>{cells}</mtr>"
    before, after = (f"<mo>{escape(sign)}</mo>" if sign else "" for sign in _FENCES[node.text])
    align = ' columnalign="left"' if node.text == "cases" else ""
    return f"<mrow>{before}<mtable{align}>{rows}</mtable>{after}</mrow>"


_SPACED = set("=<>≤≥≠≈→←⇒⇔∈∉+−±·|∼≡↦∝⊕")


def _text(node: Node | None) -> str:
    if node is None:
        return ""
    inner = [_text(part) for part in node.parts]
    match node.kind:
        case "space":
            return " " if node.text != "0" else ""
        case "op":
            # the sums of a line of text are the letters; the large signs are hard to read there
            if node.limits:
                return {"∑": "Σ", "∏": "Π"}.get(node.text, node.text)
            return f" {node.text} " if node.text in _SPACED - {"|"} else node.text
        case "word":
            return f"{node.text} " if node.text in WORDS else node.text
        case "frac":
            return "/".join(_bracketed(part) for part in inner)
        case "sqrt":
            return f"√({inner[0]})"
        case "accent":
            return inner[0]
        case "script":
            base, below, above = inner
            found = base.rstrip() + (f"_{_braced(below)}" if below else "")
            if above.startswith("′"):
                found, above = base.rstrip() + "′" + (f"_{_braced(below)}" if below else ""), above[1:]
            found += f"^{_braced(above)}" if above else ""
            return found + (" " if node.limits else "")
        case "table":
            rows = [", ".join(_text(cell).strip() for cell in row.parts) for row in node.parts if row]
            before, after = _FENCES[node.text]
            return before + "; ".join(rows) + (after or ("}" if before == "{" else ""))
        case "row":
            return "".join(_argument(before, part, text) for before, part, text in _neighbours(node, inner))
        case _:
            return node.text


def _neighbours(node: Node, inner: list[str]) -> list[tuple[Node | None, Node | None, str]]:
    return list(zip((None, *node.parts[:-1]), node.parts, inner, strict=True))


def _argument(before: Node | None, part: Node | None, text: str) -> str:
    """A fraction behind log, min and the like in brackets: ``log (a/b)`` is not ``(log a)/b``."""
    word = before is not None and before.kind == "word" and before.text in WORDS
    return f"({text})" if word and part is not None and part.kind == "frac" else text


def _bracketed(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"[\w.∇∂]+|\(.*\)", text) and text.count("(") <= 1 else f"({text})"


def _braced(text: str) -> str:
    text = text.strip()
    plain = len(text) == 1 or text.isdigit() or re.fullmatch(r"\([^()]*\)", text)
    return text if plain else "{" + re.sub(r" ([+−=∼→≥≤<>]) ", r"\1", text) + "}"
