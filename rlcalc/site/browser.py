"""The calculator as a page calls it: fields of a form -> an answer as data.

It runs in the page's own Python (Pyodide), where there is SymPy and no NumPy. A form becomes the
words of a command line, and the command answers; so what stands on the page, errors too, is what
a terminal says.
"""

from __future__ import annotations

import io
import json
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlcalc.cli import FINE, main
from rlcalc.cli.formula import common_options, read_inputs
from rlcalc.cli.pages import domain_words, facts, in_a_form, quoted
from rlcalc.exact import parse_number, to_latex
from rlcalc.nested import map_nested
from rlcalc.site.markdown import mathml
from rlcalc.specs import Formula, Parameter, load_formula

BACKENDS = ("--backends", "sympy")
CHECK = "--check"  # an option for a student's own answer
INFINITE = {"infinity": r"\infty", "-infinity": r"-\infty"}
_MOST_MATHML = 400  # characters of a number that is still drawn


def form(spec: Formula) -> dict[str, Any]:
    """What a page needs to know to draw the form of a formula."""
    return {
        "name": spec.name,
        "command": spec.command,
        "title": spec.title,
        "group": spec.group,
        "math": mathml(spec.latex, "block"),
        "fields": [_field(spec, parameter) for parameter in spec.parameters],
        "check": any(common.option == CHECK for common in common_options(spec)),
        "examples": [example_fields(spec, example["args"]) for example in spec.examples],
    }


def _field(spec: Formula, parameter: Parameter) -> dict[str, Any]:
    large = (
        parameter.kind == "mdp" or len(parameter.shape) > 1 or (parameter.kind == "word" and parameter.shape)
    )
    return {
        "name": parameter.name,
        "option": parameter.option,
        "symbol": parameter.symbol,
        "help": parameter.help,
        "facts": facts(spec, parameter),
        "domain": domain_words(parameter),
        "choices": list(parameter.choices) if parameter.kind == "choice" else [],
        "switch": parameter.is_switch,
        "large": bool(large),
        "default": parameter.default or "",
        "required": parameter.required and not in_a_form(spec, parameter),
    }


def example_fields(spec: Formula, args: str) -> dict[str, str]:
    """An example of a specification as the texts of the fields."""
    found = read_inputs(spec, shlex.split(args))
    return {name: _as_typed(value) for name, value in found.items()}


def _as_typed(value: Any) -> str:
    if value is True:
        return "1"
    if isinstance(value, list):
        nested = any(isinstance(part, list) for part in value)
        return ("\n" if nested else " ").join(map(_as_typed, value))
    return str(value)


def words_of(spec: Formula, fields: Mapping[str, str], folder: Path) -> list[str]:
    """The command line that a filled-in form stands for; a text of several lines becomes a file."""
    words = [spec.command]
    for parameter in spec.parameters:
        text = fields.get(parameter.name, "").strip()
        if not text or (parameter.is_switch and text in ("0", "false")):
            continue
        if parameter.is_switch:
            words.append(parameter.option)
        elif parameter.kind == "mdp" and ("\n" in text or "=" in text.partition(":")[0]):
            path = folder / f"{parameter.name}.toml"
            path.write_text(text + "\n", "utf-8")
            words += [parameter.option, str(path)]
        elif parameter.takes_many:
            values = text.splitlines() if "\n" in text else text.split()
            words += [parameter.option, *(value.strip() for value in values if value.strip())]
        else:
            words += [parameter.option, text]
    return words


def calculate(formula: str, fields: Mapping[str, str], check: str = "") -> dict[str, Any]:
    """The answer of a form, or its error, as data for the page.

    Args:
        formula: Python name.
        fields: what was typed, by parameter; empty ones are left out.
        check: a student's own answer, where the command takes one.

    Returns:
        ``command`` and ``python``, which give the same elsewhere; then ``outputs``, ``steps`` and
        ``notes``, or ``error`` with its ``code``.
    """
    spec = load_formula(formula)
    with tempfile.TemporaryDirectory() as folder:
        words = words_of(spec, fields, Path(folder))
        asked = [CHECK, *check.split()] if check.strip() else []
        status, out, err = _run([*words, "--json", *BACKENDS])
        found: dict[str, Any] = {"command": " ".join(["rlcalc", *map(quoted, _named([*words, *asked]))])}
        if status != FINE:
            return {**found, **_error(err)}
        given = read_inputs(spec, words[1:])
        several = any(p.samples and len(given.get(p.name, [])) > 1 for p in spec.parameters)
        found["python"] = "" if several else _python(spec, given)  # derive takes one sample
        found["said"] = _checked([*words, *asked]) if asked else ""
    document = json.loads(out)
    return {
        **found,
        "outputs": [_output(spec, name, value) for name, value in document["outputs"].items()],
        "steps": [
            {"math": mathml(s["latex"], "block"), "note": s.get("note", "")} for s in document["steps"]
        ],
        "notes": document["notes"],
    }


def _checked(words: list[str]) -> str:
    """What the command says of a student's own answer."""
    _, out, err = _run([*words, *BACKENDS])
    return (out.strip() or err.strip()).strip()


def _named(words: list[str]) -> list[str]:
    """Words with the names of files alone: a page keeps them nowhere that a reader could go."""
    return [Path(word).name if word.endswith(".toml") else word for word in words]


def _run(words: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(words)
    return status, out.getvalue(), err.getvalue()


def _error(said: str) -> dict[str, str]:
    """What a terminal says, with the code from the last line."""
    *lines, last = said.strip().splitlines() or [""]
    try:
        code = json.loads(last)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return {"error": said.strip(), "code": ""}
    return {"error": "\n".join(lines), "code": code}


def _python(spec: Formula, given: Mapping[str, Any]) -> str:
    inputs = "".join(f", {name}={value!r}" for name, value in given.items())
    return f"rlcalc.derive({spec.name!r}{inputs}).outputs"


def _output(spec: Formula, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    mean = replace(spec.answer, name="mean", about="Mean over the samples.", latex=r"\text{mean}")
    output = next((output for output in spec.outputs if output.name == name), mean)
    return {
        "name": name,
        "about": output.about,
        "symbol": mathml(output.latex),
        "exact": value["exact"],
        "decimal": value["decimal"],
        "math": map_nested(_drawn, value["exact"]) if output.kind == "number" else None,
    }


def _drawn(exact: Any) -> str:
    text = str(exact)
    if len(text) > _MOST_MATHML:
        return ""
    return mathml(INFINITE.get(text) or to_latex(parse_number(text)))
