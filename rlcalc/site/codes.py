"""A page for every code that an error may carry."""

from __future__ import annotations

from collections.abc import Iterator

from rlcalc.error_codes import NAME, Code, codes, labels
from rlcalc.errors import RlcalcError
from rlcalc.evaluation import checked, derive_bound
from rlcalc.golden.files import Case
from rlcalc.site import markdown as md
from rlcalc.specs import load_formula

_MOST = 3


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every page of error codes."""
    rows = [
        (md.link(md.code(one.name), f"{one.name}.md"), str(one.exit_code), md.text(_first(one)))
        for one in codes()
    ]
    about = (
        "An error carries a code that never changes: it is in the JSON of a command that fails, "
        f"it is `error.code` in Python, and golden files name it. {md.code(NAME)} stands for the name of "
        "what was given. `rlcalc explain CODE` tells the same in the terminal."
    )
    table = md.table(("code", "exit code", "what is said"), rows)
    yield "errors/index.md", md.document("Error codes", about, table)
    for one in codes():
        yield f"errors/{one.name}.md", _page(one)


def _first(code: Code) -> str:
    return next((one.message for one in code.raised if one.message), "")


def _page(code: Code) -> str:
    messages = dict.fromkeys(one.message for one in code.raised if one.message)
    hints = dict.fromkeys(one.hint for one in code.raised if one.hint)
    modules = dict.fromkeys(one.module for one in code.raised)
    names = ""
    if NAME in code.name:
        made = md.code(code.name.replace(NAME, "gamma"))
        names = f"{md.code(NAME)} is the name of what was given, as in {made}."
        if code.cases:
            names += f" Inputs have these names: {', '.join(map(md.code, labels()))}."
    return md.document(
        md.code(code.name),
        f"An error; the command line ends with {code.exit_code}.",
        md.section("What is said", md.bullets(map(md.text, messages))),
        md.section("How to fix it", md.bullets(map(md.text, hints))),
        names,
        md.section("For example", *map(_example, code.cases[:_MOST])),
        md.section("Where it is raised", md.bullets(map(md.code, modules))),
    )


def _example(case: Case) -> str:
    """A certified case that must be refused, with the words that it gets today."""
    words = _words(case)
    if not words:  # one that only a batch of arrays can have
        return ""
    given = ", ".join(f"{name}={value!r}" for name, value in case.given.items())
    call = f"rlcalc.derive({case.formula!r}, {given})"
    return f"{md.text(case.about)}\n\n" + md.block([f">>> {call}", *words], "pycon")


def _words(case: Case) -> list[str]:
    try:
        derive_bound(checked(load_formula(case.formula), dict(case.given)))
    except RlcalcError as error:
        return [
            f"{type(error).__name__}: {line}" if not at else line
            for at, line in enumerate(str(error).splitlines())
        ]
    return []
