"""Every page of the site by its path, and the order in which readers find them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rlcalc.heads import GROUPS, heads
from rlcalc.site import codes, faults, formulas, lecture, libraries, reference

Pages = Iterator[tuple[str, str]]


def written(root: Path) -> Pages:
    """The pages that are written by hand: every Markdown file of ``docs/``."""
    for path in sorted((root / "docs").rglob("*.md")):
        if "node_modules" not in path.parts:
            yield path.relative_to(root / "docs").as_posix(), path.read_text("utf-8")


def generated(root: Path) -> Iterator[tuple[str, Pages]]:
    """The pages that are made of data, in parts, each with what it is about."""
    yield "formulas", formulas.pages()
    yield "bugs", faults.pages()
    yield "error codes", codes.pages()
    yield "libraries", libraries.pages(root)
    yield "lecture", lecture.pages()
    yield "reference", reference.pages(root)


def collect(root: Path, tell: Callable[[str], None] = lambda said: None) -> dict[str, str]:
    """Every page by its path, and the pictures of the formulas.

    Args:
        root: the checkout.
        tell: hears what is being made.
    """
    found = dict(written(root))
    for about, pages in generated(root):
        tell(about)
        for path, text in pages:
            if path in found:
                raise ValueError(f"{path} is made twice")
            found[path] = text
    return found


def navigation(paths: Mapping[str, str]) -> list[Any]:
    """The menu; bugs and error codes are found by their lists and by searching."""

    def listed(folder: str) -> list[str]:
        return [path for path in sorted(paths) if path.startswith(f"{folder}/")]

    groups = [
        {group: [f"formulas/{head.name}.md" for head in heads() if head.group == group]} for group in GROUPS
    ]
    return [
        {"Home": "index.md"},
        {"Tutorials": listed("tutorials")},
        {"How to": listed("howto")},
        {"Playground": "playground.md"},
        {"Formulas": ["formulas/index.md", *(group for group in groups if any(group.values()))]},
        {"Known bugs": ["faults/index.md", "conventions/index.md"]},
        {"Libraries": ["libraries/index.md", "libraries/functions.md"]},
        {"The lecture": listed("lecture")},
        {
            "Reference": [
                "reference/index.md",
                {"Command line": listed("reference/cli")},
                {"Python": listed("reference/python")},
                "reference/schemas.md",
                {"Error codes": "errors/index.md"},
                "reference/protocol.md",
                "changelog.md",
            ]
        },
    ]
