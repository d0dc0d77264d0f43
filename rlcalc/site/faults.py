"""A page for every known bug and for every convention, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rlcalc.conform.convention import Convention
from rlcalc.conform.explain import ANY, explain, parts, smallest_case
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.faults._by_trying import BY_TRYING
from rlcalc.conform.outcome import Judgement
from rlcalc.nested import flatten
from rlcalc.site import markdown as md
from rlcalc.specs import load_formula

Entry = Fault | Convention
_PLACE = re.compile(r"([\w.-]+/[\w.-]+)(?: (issue|PR|discussion) #(\d+))?$")
_KINDS = {"issue": "issues", "PR": "pull", "discussion": "discussions"}
_MOST = 12  # numbers of one input or answer


def entries(kind: type[Entry]) -> dict[str, list[Entry]]:
    """Faults, or conventions, by name; one name may stand in several formulas."""
    found: dict[str, list[Entry]] = {}
    for formula in formulas_with_faults():
        known = catalogue(formula)
        for entry in known.faults if kind is Fault else known.named:
            found.setdefault(entry.name, []).append(entry)
    for entry in BY_TRYING if kind is Fault else ():
        found[entry.name] = [replace(entry, formula=ANY)]
    return dict(sorted(found.items()))


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every page of bugs and conventions."""
    for kind, folder, title, about in (
        (
            Fault,
            "faults",
            "Known bugs",
            "Every way to be wrong that `rlcalc conform` names. Each is tested: two certified vectors at "
            "least detect it, and some vector distinguishes it from every other.",
        ),
        (
            Convention,
            "conventions",
            "Conventions",
            "Answers that are right where they are declared: `rlcalc conform --convention NAME`.",
        ),
    ):
        named = entries(kind)
        rows = [
            (
                md.link(md.code(name), f"{name}.md"),
                ", ".join(_formula(one.formula, one.formula) for one in found),
                md.text(_does(found[0])),
            )
            for name, found in named.items()
        ]
        heading = ("name", "formulas", "what is computed")
        yield f"{folder}/index.md", md.document(title, about, md.table(heading, rows))
        for name, found in named.items():
            yield f"{folder}/{name}.md", _page(name, found)


def _does(entry: Entry) -> str:
    return entry.does if isinstance(entry, Fault) else entry.about


def _page(name: str, found: Sequence[Entry]) -> str:
    kinds = sorted({one.kind for one in found if isinstance(one, Fault)})
    said = f"A known bug ({', '.join(kinds)})." if kinds else "A convention: right where it is declared."
    return md.document(
        md.code(name),
        f"{said} In the terminal: `rlcalc explain {name}`.",
        *(_section(name, one) for one in found),
    )


_LABELS = {
    "what": "What it computes",
    "why": "Cause",
    "detected by": "Detected by",
    "reported in": "Who had it",
}


def _section(name: str, entry: Entry) -> str:
    (explained,) = explain(name, None if entry.formula == ANY else entry.formula)
    title = ANY if entry.formula == ANY else load_formula(entry.formula).title
    lines: list[str] = []
    diff: list[str] = []
    for label, words in parts(explained):
        if label == "diff":
            diff.append(words)
            continue
        places = entry.reported_in if isinstance(entry, Fault) and label == "reported in" else ()
        shown = ", ".join(map(place, places)) or md.text(words)
        lines.append(f"**{_LABELS.get(label, label.capitalize())}.** {shown}")
    return md.section(
        f"In {_formula(md.text(title), entry.formula)} {{ #{entry.formula.replace(' ', '-')} }}",
        *lines,
        md.section("The fix", md.block(diff, "diff"), level=3) if diff else "",
        "" if entry.formula == ANY else _case(entry),
    )


def _formula(words: str, name: str) -> str:
    """Words as a link to a formula; what can be wrong with any has none."""
    return words if name == ANY else md.link(words, f"../formulas/{name}.md")


def place(words: str) -> str:
    """A public place as a link, where its words say which."""
    found = _PLACE.fullmatch(words)
    if not found:
        return md.text(words)
    below = f"/{_KINDS[found[2]]}/{found[3]}" if found[2] else ""
    return md.link(md.text(words), f"https://github.com/{found[1]}{below}")


def _case(entry: Entry) -> str:
    judgement = smallest_case(entry)
    if judgement is None:
        return ""
    given = [(md.code(name), _numbers(value, str)) for name, value in judgement.vector.texts.items()]
    return md.section(
        "The smallest case that shows it",
        f"Certified vector {md.code(judgement.vector.id)}: {md.text(judgement.vector.about)}",
        md.table(("input", "value"), given),
        _answers(judgement),
        level=3,
    )


def _answers(judgement: Judgement) -> str:
    if judgement.got is None:
        return f"The answer: {md.text(judgement.why)}."
    right = _numbers(judgement.expected, lambda value: f"{float(value):.6g}")
    wrong = _numbers(judgement.got, lambda value: f"{value:.6g}")
    return md.table((judgement.output, "value"), [("right", right), ("with it", wrong)])


def _numbers(value: object, words: Callable[..., str]) -> str:
    listed = [words(part) for part in flatten(value)] if isinstance(value, list | tuple) else [words(value)]
    more = f" … {len(listed)} in all" if len(listed) > _MOST else ""
    return md.code(" ".join(listed[:_MOST])) + more
