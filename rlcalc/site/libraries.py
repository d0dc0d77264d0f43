"""The matrix of released libraries, with links to what they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.peers.cell import KINDS
from rlcalc.conform.peers.matrix import BEGIN, END, PUBLISHED
from rlcalc.site import markdown as md
from rlcalc.site.faults import entries
from rlcalc.specs import formula_names

_CODE = re.compile(r"`([^`]+)`")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9.]+)*")
_SEVERITY = (
    "passes every vector that it can be asked",
    "another answer, which the library documents",
    "right but for rounding to float32 on the way: wrong digits, no wrong formula",
    "another number than the formula's: a bug, or an undocumented choice",
)


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of the pages of libraries."""
    grid = between(PUBLISHED.read_text("utf-8"))
    meaning = md.table(
        ("severity", "what it means"),
        [(f"**{kind}**", said) for kind, said in zip(KINDS, _SEVERITY, strict=True)],
    )
    about = (
        "`rlcalc peers` puts functions of released libraries to the certified vectors, as they stand. "
        "[Every function](functions.md), with the cases that its maintainer can paste."
    )
    yield "libraries/index.md", md.document("Released libraries", about, meaning, _linked(grid))
    every = between((root / "benchmarks" / "results" / "peers.md").read_text("utf-8"))
    # the short grid stands first in both files
    functions = every.partition("| library | function |")
    listed = f"{functions[1]}{functions[2]}" if functions[1] else every
    yield "libraries/functions.md", md.document("Every function of the libraries", _linked(listed))


def between(text: str) -> str:
    """What stands between the marks of the matrix."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def _linked(text: str) -> str:
    """A table with its bugs and formulas as links."""
    known = dict.fromkeys(entries(Fault), "faults") | dict.fromkeys(entries(Convention), "conventions")

    def linked(found: re.Match[str]) -> str:
        name = found[0]
        return md.link(md.code(name), f"../{known[name]}/{name}.md") if name in known else name

    def names(found: re.Match[str]) -> str:
        """Names of bugs and conventions, with what stands between them; other code stays code."""
        said = _NAME.sub(linked, found[1])
        return found[0] if said == found[1] else said

    formulas = "|".join(sorted(formula_names(), key=len, reverse=True))
    lines = []
    for line in text.splitlines():
        cells = _CODE.sub(names, line) if line.startswith("|") else line
        if line.startswith("|"):
            cells = re.sub(rf"(?<=[| >])({formulas})(?=[ :<|])", r"[\1](../formulas/\1.md)", cells)
        lines.append(cells)
    return "\n".join(lines)


def in_short(grid: str) -> str:
    """The matrix for a front page: what has a finding, formula by formula, and the names of the others."""
    findings: dict[str, list[str]] = {kind: [] for kind in KINDS[2:]}
    fine = []
    for line in grid.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 1 + len(KINDS) or cells[0] in ("library", "---"):
            continue
        found = [", ".join(dict.fromkeys(_formulas(cell))) for cell in cells[3:]]
        for kind, formulas in zip(findings, found, strict=True):
            findings[kind] += [f"{cells[0]} ({formulas})"] * bool(formulas)
        if not any(found):
            fine.append(cells[0].partition(" ")[0])
    lines = [f"**{kind.capitalize()}**: {'; '.join(names)}." for kind, names in findings.items()]
    lines.append(f"Right wherever they were asked, or right by a documented convention: {', '.join(fine)}.")
    return "\n\n".join(lines) + "\n"


def _formulas(cell: str) -> list[str]:
    """The formulas named in a cell."""
    return [part.partition(":")[0].strip() for part in cell.split("<br>") if part not in ("", "–")]
