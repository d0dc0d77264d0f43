"""Every help page: of a formula, of a built-in command, of ``rlcalc`` itself.

``-h`` fits on a screen: how it is called, two examples, what it takes.
``--help`` is everything.
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rlcalc._version import __version__
from rlcalc.cli.aliases import other_names
from rlcalc.cli.argv import Takes
from rlcalc.cli.commands import BUILT_IN, CALCULATE, CHECK, GROUPS, MAINTAIN, TRAIN
from rlcalc.cli.help import HELP, Line, Page, Row, cut, example, indented, rows, short_rows
from rlcalc.cli.screen import clauses, filled, page_width
from rlcalc.heads import GROUPS as CHAPTERS
from rlcalc.heads import heads

if TYPE_CHECKING:  # the front page reads no specification whole
    from rlcalc.specs import Formula, Parameter

_MOST_NAMES = 6  # lines of names of formulas on the short front page

EXIT_CODES = {
    0: "fine",
    1: "a check failed",
    2: "wrong use or input",
    70: "a fault of rlcalc",
    130: "interrupted",
    141: "the reader of the output went away",
}
ENVIRONMENT = {
    "NO_COLOR": "no colour, whatever it is set to",
    "FORCE_COLOR": "colour in a pipe too",
    "CLICOLOR_FORCE": "the same",
    "RLCALC_TRACEBACK=1": "where a fault of rlcalc itself happened",
}

# a formula


def formula_page(
    spec: Formula, full: bool, common: Sequence[Row], takes: Callable[[Parameter], Takes]
) -> Page:
    """Help of one formula's command.

    Args:
        spec: what it is about.
        full: everything, or one screen.
        common: the options that all formulas have.
        takes: how many values an input takes.
    """
    page = Page()
    page.add("", [spec.title])
    required = [left(p, takes(p)) for p in spec.parameters if p.required and not in_a_form(spec, p)]
    page.add("", usage(f"rlcalc {spec.command}", required))
    if not full:
        lines = [example(command_line(spec, entry["args"])) for entry in spec.examples[:2]]
        page.add("Examples", [part for line in lines for part in line])
        outputs = cut(", ".join(o.name for o in spec.outputs), page_width() - 8)
        footer = [f"Prints  {outputs}", f"All options: rlcalc {spec.command} --help"]
        inputs = [Row(left(p, takes(p)), [p.help, _default(spec, p)]) for p in spec.parameters]
        page.add("Inputs", short_rows(inputs, page.room() - len(footer) - 1))
        page.add("", footer)
        return page
    page.add("Examples", examples(spec))
    page.add("Formula", [*clauses(spec.text, "  "), *indented(spec.about)])
    inputs = [Row(left(p, takes(p)), [facts(spec, p), p.help, _others(p)]) for p in spec.parameters]
    page.add("Inputs", rows(inputs))
    page.add("Output options", rows([*common, HELP]))
    page.add("Outputs", rows([Row(o.name, [_about(o.symbol, o.name, o.about)]) for o in spec.outputs]))
    page.add("Conventions", rows([Row(c["name"], [c["about"]]) for c in spec.conventions], below=True))
    page.add("", filled(_numbers(spec), ""))
    return page


def show_page(spec: Formula) -> Page:
    """Everything that is known about a formula; a line of LaTeX is to be copied, so it is never broken."""
    page = Page()
    names = f"rlcalc {spec.command}, in Python rlcalc.{spec.name}"
    page.add(spec.title, [*filled(f"{spec.origin}.", ""), names])
    page.add("Formula", [*clauses(spec.text, "  "), *indented(spec.about)])
    page.add("LaTeX", [f"  {spec.latex}"])
    inputs = [Row(f"{p.option}  {p.symbol}", [facts(spec, p), p.help, _caution(p)]) for p in spec.parameters]
    page.add("Inputs", rows(inputs, below=True))
    forms = [", ".join(spec.parameter(name).option for name in form.parameters) for form in spec.forms]
    page.add("Ways of calling", [f"  {form}" for form in forms])
    page.add("Outputs", rows([Row(f"{o.name}  {o.symbol}", [o.about]) for o in spec.outputs], below=True))
    page.add("Conventions", rows([Row(c["name"], [c["about"]]) for c in spec.conventions], below=True))
    page.add("References", [line for r in spec.references for line in indented(r, hang=2)])
    page.add("Examples", examples(spec))
    return page


def _caution(parameter: Parameter) -> str:
    return f"Above {parameter.caution.above}: {parameter.caution.note}" if parameter.caution else ""


def usage(command: str, required: Sequence[str]) -> list[str]:
    return filled(f"Usage: {' '.join([command, *required, '[OPTIONS]'])}", "", " " * 7)


def in_a_form(spec: Formula, parameter: Parameter) -> bool:
    """Whether an input belongs to one way of calling, and is no input of another."""
    return any(parameter.name in form.parameters for form in spec.forms)


def command_line(spec: Formula, args: str) -> str:
    """An example of a specification as a line for the shell."""
    words = " ".join(quoted(word) for word in shlex.split(args))
    return f"rlcalc {spec.command} {words}"


def quoted(word: str) -> str:
    """A word for bash, PowerShell and, where double quotes do, cmd."""
    plain = shlex.quote(word)
    if plain == word or any(char in word for char in '"$`!\\'):
        return plain
    return f'"{word}"'


def examples(spec: Formula) -> list[Line]:
    """The command lines, each with its answer and what it shows."""
    lines: list[Line] = []
    for entry in spec.examples:
        lines += example(command_line(spec, entry["args"]))
        about = f"{entry['answer']}    {entry['about']}"
        lines += [Line("", "", line) for line in indented(about, by=6)]
    return lines


def _about(symbol: str, name: str, about: str) -> str:
    return about if symbol == name else f"{symbol}: {about}"


def left(parameter: Parameter, kind: Takes) -> str:
    kinds = {"nothing": "", "one": " X", "many": " X...", "any": " [X...]"}
    return parameter.option + kinds[kind]


def _others(parameter: Parameter) -> str:
    names = other_names(parameter.option)
    return f"Also {', '.join(names)}." if names else ""


def facts(spec: Formula, parameter: Parameter) -> str:
    """Shape, domain and default of an input, in words."""
    if parameter.is_switch:
        return "Switch."
    found = []
    if parameter.shape:
        rank = " rows × columns" if len(parameter.shape) > 1 else " values"
        found.append(" × ".join(parameter.shape) + rank)
    elif parameter.each:
        found.append(f"one value, or {parameter.each}")
    default = _default(spec, parameter).rstrip(".")
    found += [domain_words(parameter), default[:1].lower() + default[1:]]
    text = "; ".join(part for part in found if part)
    return text[0].upper() + text[1:] + "."


def _default(spec: Formula, parameter: Parameter) -> str:
    if parameter.is_switch:
        return ""
    if parameter.default is not None:
        return f"Default {parameter.default}{f', {parameter.usual}' if parameter.usual else ''}."
    if parameter.optional:
        return "Optional."
    return "Required in its form." if in_a_form(spec, parameter) else "Required."


def domain_words(parameter: Parameter) -> str:
    """What may be given: the interval, or the kind where there is none."""
    words = " or ".join(parameter.choices)
    if parameter.distribution:
        return "probabilities that sum to 1"
    if parameter.kind == "number":
        return parameter.domain.words() + (f", or {words}" if words else "")
    if parameter.kind == "choice":
        return words
    interval = "" if parameter.domain.text == "real" else f" {parameter.domain.words()}"
    return {
        "integer": f"integer{interval}",
        "count": f"integer{interval}" if parameter.finite else "integer at least 1, or inf",
        "flag": "0 or 1",
        "word": "word",
        "mdp": "built-in name or TOML file",
        "steps": "steps between semicolons, or @file",
        "episodes": "episodes between semicolons, or @file",
        "table": "one number, or entries between semicolons",
    }[parameter.kind]


def _numbers(spec: Formula) -> str:
    text = "Numbers are exact: 0.1, 1/3, 1e-3, sqrt(2), exp(-1); the shell wants quotes around brackets."
    if spec.symbolic:
        text += " A letter stays a symbol."
    if any(p.takes_many for p in spec.parameters):
        text += (
            " Separate the entries of a list by spaces or commas, or read them from a file:"
            " @file, @file.csv:column, @- (standard input), @batch.jsonl:field, @array.npy,"
            " @tensors.safetensors:name."
        )
    return text


# commands that are no formulas


def command_page(command: Any, ctx: Any, full: bool) -> Page:
    """Help of a built-in command or of a group of them."""
    path = ctx.command_path
    about, _, more = str(command.help or "").strip().partition("\n\n")
    page = Page()
    page.add("", filled(" ".join(about.split()), ""))
    params = command.get_params(ctx)
    arguments = [p for p in params if p.param_type_name == "argument"]
    members = [
        Row(name, [_first_sentence(command.get_command(ctx, name))])
        for name in (command.list_commands(ctx) if hasattr(command, "list_commands") else ())
    ]
    page.add("", usage(path, [*map(_argument, arguments), *(["COMMAND"] if members else [])]))
    lines = [line.strip() for line in str(command.epilog or "").strip().splitlines() if line.strip()]
    shown = lines if full else lines[:2]
    page.add("Examples", [part for line in shown for part in example(line)])
    if full:
        for text in more.split("\n\n"):
            # lines of a file stay lines
            page.add("", text.split("\n") if text.startswith("    ") else filled(" ".join(text.split()), ""))
    page.add("Commands", rows(members))
    told = [Row(_argument(p), [p.help]) for p in arguments if p.help]
    options = [
        Row(_names(command, p), [f"{p.help or ''} {_given(p)}".strip()]) for p in params if p not in arguments
    ]
    if full:
        page.add("Arguments", rows(told))
        page.add("Options", rows([*options, HELP]))
        return page
    footer = f"'{path} {'COMMAND -h' if members else '--help'}' shows everything."
    page.add("Options", short_rows([*told, *options], page.room() - 2))
    page.add("", [footer])
    return page


def _first_sentence(command: Any) -> str:
    return " ".join(str(command.help or "").split("\n\n")[0].split())


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper())
    if name.startswith("[") or parameter.required:
        return name
    many = parameter.nargs == -1 and not name.endswith("...")
    return f"[{name}{'...' * many}]"


def _names(command: Any, parameter: Any) -> str:
    names = sorted(parameter.opts, key=lambda name: (name.startswith("--"), parameter.opts.index(name)))
    text = ", ".join(names)
    if parameter.secondary_opts:
        text += "/" + ", ".join(parameter.secondary_opts)
    return text if parameter.is_flag else f"{text} {_metavar(command, parameter)}"


_METAVARS = {"int": "N", "float": "X", "Path": "FILE"}


def _metavar(command: Any, parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    declared = inspect.signature(command.callback).parameters.get(parameter.name)
    kind = str(getattr(declared, "annotation", "")).removesuffix(" | None")
    name = str(parameter.opts[-1]).lstrip("-")
    return _METAVARS.get(kind, name.replace("-", "_").upper())


def _given(parameter: Any) -> str:
    """The default, where the text has not said it."""
    value = parameter.default
    silent = parameter.is_flag or not parameter.show_default
    if silent or value is None or callable(value) or value in ([], ()):
        return ""
    return "" if "default" in str(parameter.help or "").lower() else f"Default {value}."


# rlcalc itself


def front_page(group: Any, ctx: Any, full: bool) -> Page:
    """Help of ``rlcalc`` itself, without loading any command."""
    page = Page()
    page.add("", [f"rlcalc {__version__}: exact reinforcement-learning formulas, and a check of your code"])
    page.add("", usage("rlcalc", ["COMMAND"]), tight=True)
    for name in GROUPS if full else (CHECK,):
        page.add(name, rows(_built_in(name)))
    if not full:
        formulas = filled(" ".join(head.command for head in heads()), "  ")
        if len(formulas) > _MOST_NAMES:
            formulas[_MOST_NAMES - 1 :] = [f"  … {len(heads())} in all: rlcalc list"]
        page.add(CALCULATE, [*(Line(line) for line in formulas)], tight=True)
        others = [row.name for name in (CALCULATE, TRAIN, MAINTAIN) for row in _built_in(name)]
        page.add("Other", [Line(line) for line in filled(" ".join(others), "  ")], tight=True)
    if full:
        for chapter in CHAPTERS:
            found = [Row(head.command, [head.title]) for head in heads() if head.group == chapter]
            page.add(chapter, rows(found))
        options = [Row(_names(group, p), [str(p.help or "")]) for p in group.get_params(ctx)]
        page.add("Options", rows([*options, HELP]))
    lines = (
        "rlcalc gae --rewards 1 2 3 --lam 0.5  # an exercise, with its steps",
        "rlcalc conform my_agent.py:gae --formula gae  # is your code right?",
        "rlcalc list  # every formula with its title",
    )
    page.add("Examples", [part for line in lines[: 3 if full else 2] for part in example(line)])
    footer = ["'rlcalc list' names the formulas, 'rlcalc COMMAND -h' says how to call them."]
    page.add("", footer + (_facts() if full else []))
    return page


def _built_in(group: str) -> list[Row]:
    return [Row(command, [entry.about]) for command, entry in BUILT_IN.items() if entry.group == group]


def _facts() -> list[str]:
    codes = ", ".join(f"{code} {said}" for code, said in EXIT_CODES.items())
    return [*filled(f"Exit code: {codes}.", ""), *filled(f"Environment: {', '.join(ENVIRONMENT)}.", "")]
