"""Pieces of a page: running text, tables, code and mathematics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape

# what Markdown or a table would take for its own, as characters that it leaves alone
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>&|#~^$]")


def text(words: object) -> str:
    """Words that stand as they are: no character of theirs is markup."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", str(words))


def code(words: object) -> str:
    """Words in the type of a program, also inside of a table."""
    return f"<code>{text(words)}</code>"


def block(lines: str | Iterable[str], language: str = "text") -> str:
    """Lines of a program or of its output."""
    body = lines if isinstance(lines, str) else "\n".join(lines)
    fence = "````" if "```" in body else "```"
    return f"{fence}{language}\n{body.rstrip()}\n{fence}"


def link(words: str, target: str) -> str:
    """A link whose words are Markdown already."""
    return f"[{words}]({target})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown cells; nothing where there are no rows."""
    lines = ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines])


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def document(title: str, *parts: str) -> str:
    """A page: its title, and every part that says something."""
    return "\n\n".join([f"# {title}", *(part for part in parts if part)]) + "\n"


def section(title: str, *parts: str, level: int = 2) -> str:
    """A heading with what stands below it; nothing where nothing does."""
    found = [part for part in parts if part]
    return "\n\n".join([f"{'#' * level} {title}", *found]) if found else ""


@lru_cache(maxsize=4096)
def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML, which browsers draw by themselves."""
    from latex2mathml.converter import convert

    return convert(latex, display=display)


def formula(*parts: str) -> str:
    """Formulas below each other, each scrolling by itself on a narrow page."""
    lines = [f'<div class="formula">{mathml(part, "block")}</div>' for part in parts if part.strip()]
    return "\n".join(lines)


def spread(latex: str) -> str:
    """A formula whose parts may stand below each other where they stood apart in a line."""
    return formula(*re.split(r",?\s*\\q?quad", latex))


def attribute(words: str) -> str:
    return escape(words, quote=True)
