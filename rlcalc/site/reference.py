"""Reference pages: command line, Python, schemas, exit codes, environment, protocol, changelog."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import rlcalc
from rlcalc import testing
from rlcalc.agreement import Result
from rlcalc.api import numeric_function
from rlcalc.cli import main
from rlcalc.cli.commands import BUILT_IN, GROUPS
from rlcalc.cli.pages import ENVIRONMENT, EXIT_CODES
from rlcalc.data import data_folder
from rlcalc.errors import CheckFailed, DataError, InputError, RlcalcError, UnknownName
from rlcalc.evaluation import Evaluation
from rlcalc.site import markdown as md
from rlcalc.specs import formula_names
from rlcalc.steps.derivation import Derivation

CLASSES = (Derivation, Evaluation, Result, RlcalcError, InputError, UnknownName, DataError, CheckFailed)


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every page of reference."""
    yield "reference/index.md", _index()
    yield from _commands()
    yield from _python()
    yield "reference/schemas.md", _schemas()
    yield "reference/protocol.md", (data_folder("specs") / "conform-protocol.md").read_text("utf-8")
    yield "changelog.md", (root / "CHANGELOG.md").read_text("utf-8")


def _index() -> str:
    codes = md.table(("exit code", "meaning"), [(str(code), said) for code, said in EXIT_CODES.items()])
    names = md.table(("variable", "effect"), [(md.code(name), said) for name, said in ENVIRONMENT.items()])
    return md.document(
        "Reference",
        md.bullets(
            [
                "[Command line](cli/index.md)",
                "[Python](python/index.md)",
                "[JSON schemas](schemas.md)",
                "[Error codes](../errors/index.md)",
                "[The protocol of `conform --exec`](protocol.md)",
                "[Changelog](../changelog.md)",
            ]
        ),
        md.section("Exit codes", codes),
        md.section("Environment variables", names),
    )


def _commands() -> Iterator[tuple[str, str]]:
    parts = []
    for group in GROUPS:
        rows = [
            (md.link(md.code(f"rlcalc {name}"), f"{name}.md"), md.text(entry.about))
            for name, entry in BUILT_IN.items()
            if entry.group == group
        ]
        parts.append(md.section(group, md.table(("command", "what it does"), rows)))
    formulas = "Every [formula](../../formulas/index.md) is a command as well; its page has its options."
    yield "reference/cli/index.md", md.document("Command line", formulas, *parts)
    for name in BUILT_IN:
        yield f"reference/cli/{name}.md", md.document(md.code(f"rlcalc {name}"), *_help(name))


def _help(name: str) -> Iterator[str]:
    """What ``--help`` prints, of a command and of the commands in it."""
    import typer

    module, _, attribute = BUILT_IN[name].target.partition(":")
    command: Any = typer.main.get_command(getattr(import_module(module), attribute))
    yield md.block(_printed(name, "--help"))
    members = getattr(command, "commands", {})
    for member in members:
        yield md.section(md.code(f"{name} {member}"), md.block(_printed(name, member, "--help")))


def _printed(*words: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        main(list(words))
    return out.getvalue()


def _python() -> Iterator[tuple[str, str]]:
    functions: Mapping[str, Any] = {
        "rlcalc.derive": rlcalc.derive,
        "rlcalc.evaluate": rlcalc.evaluate,
        "rlcalc.compute": rlcalc.compute,
        "rlcalc.testing.conformance_suite": testing.conformance_suite,
    }
    classes = {f"{one.__module__}.{one.__name__}": one for one in CLASSES}
    parts = [_entry(name, found) for name, found in {**functions, **classes}.items()]
    formulas = [_entry(f"rlcalc.{name}", numeric_function(name)) for name in formula_names()]
    about = f"{md.text(inspect.cleandoc(rlcalc.__doc__ or '').splitlines()[0])} [The formulas](formulas.md)."
    yield "reference/python/index.md", md.document("Python", about, *parts)
    yield "reference/python/formulas.md", md.document("Functions of the formulas", *formulas)


def _entry(name: str, found: Any) -> str:
    """Signature and docstring, whose sections become lists."""
    signature = f"{name}{inspect.signature(found)}" if not _is_error(found) else name
    members = [
        f"**{member}.** {md.text((inspect.getdoc(value) or '').splitlines()[0])}"
        for member, value in vars(found).items()
        if inspect.isclass(found)
        and not member.startswith("_")
        and inspect.isroutine(value)
        and value.__doc__
    ]
    head = f"{md.code(name)} {{ #{name.lower().replace('.', '-')} }}"
    return md.section(head, md.block(signature, "python"), *_docstring(found), md.bullets(members))


def _is_error(found: Any) -> bool:
    return inspect.isclass(found) and issubclass(found, BaseException)


def _docstring(found: Any) -> Iterator[str]:
    from griffe import Docstring

    kinds = {"parameters": "Parameters", "raises": "Raises", "returns": "Returns", "attributes": "Attributes"}
    for part in Docstring(inspect.getdoc(found) or "").parse("google", warnings=False):
        kind = part.kind.value
        if kind == "text":
            yield from (_paragraph(text) for text in part.value.split("\n\n"))
        elif kind in kinds:
            rows = [(_name(item), md.text(" ".join(item.description.split()))) for item in part.value]
            listed = md.bullets(": ".join(cell for cell in row if cell) for row in rows)
            yield f"**{kinds[kind]}**\n\n{listed}"
        elif kind == "admonition":
            yield f"**{md.text(part.title)}** {_paragraph(part.value.description)}"
        elif kind == "examples":
            yield from (md.block(text, "pycon") for _, text in part.value)


def _name(item: Any) -> str:
    name = getattr(item, "name", "") or str(getattr(item, "annotation", "") or "")
    return md.code(name) if name else ""


def _paragraph(text: str) -> str:
    return md.block(inspect.cleandoc(text)) if text.startswith("    ") else md.text(" ".join(text.split()))


def _schemas() -> str:
    parts = []
    for path in sorted((data_folder("specs") / "schemas").glob("*.json")):
        schema = json.loads(path.read_text("utf-8"))
        rows = [
            (md.code(key), "yes" if key in schema.get("required", ()) else "", md.text(_about(value)))
            for key, value in schema.get("properties", {}).items()
        ]
        parts.append(
            md.section(
                md.text(schema.get("title", path.stem)),
                md.text(schema.get("description", "")),
                f'<a href="../../schemas/{path.name}" download>{path.name}</a>, id {md.code(schema["$id"])}',
                md.table(("key", "required", "what it is"), rows),
            )
        )
    about = "Files and outputs that other programs read, each with its JSON Schema (draft 2020-12)."
    return md.document("JSON schemas", about, *parts)


def _about(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    kind = value.get("type", value.get("const", ""))
    return str(value.get("description") or kind)
