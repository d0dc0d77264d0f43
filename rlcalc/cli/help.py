"""Every ``-h`` page: examples first, then options, then what comes out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from rlcalc.cli.formula import SHORTS, common_options, takes
from rlcalc.cli.screen import page_width
from rlcalc.specs import GROUPS, Formula, Parameter, heads

Row = tuple[str, Sequence[str]]
_LEFT = 2
_MOST_LEFT = 26  # wider names stand on a line of their own


def formula_page(spec: Formula) -> str:
    """Help of one formula's command."""
    from rlcalc.cli.render import lecture

    parts = [
        "\n".join(filled(f"{spec.title} ({lecture(spec.sections)})", "")),
        section("Examples", examples(spec)),
        section("Formula", [*indented(spec.text, hang=4), *indented(spec.about)]),
        section("Inputs", rows([(left(p), [facts(spec, p), p.help]) for p in spec.parameters])),
        section("Printing", rows(printing(spec))),
        section("Outputs", rows([(o.name, [_about(o.symbol, o.name, o.about)]) for o in spec.outputs])),
    ]
    if spec.conventions:
        told = [(c["name"], [c["about"]]) for c in spec.conventions]
        parts.append(section("Conventions", rows(told, below=True)))
    lists = "A list takes blanks, commas, or @file, @file.csv:column and @- (standard input)."
    numbers = "Numbers are exact: 0.1, 1/3, 1e-3, sqrt(2), exp(-1)."
    if spec.symbolic:
        numbers += " A letter stays a symbol."
    many = any(p.takes_many for p in spec.parameters)
    parts.append("\n".join(filled(f"{numbers} {lists if many else ''}".strip(), "")))
    return "\n\n".join(parts)


def _about(symbol: str, name: str, about: str) -> str:
    return about if symbol == name else f"{symbol}: {about}"


def examples(spec: Formula) -> list[str]:
    lines = []
    for example in spec.examples:
        lines += [f"  rlcalc {spec.command} {example['args']}"]
        lines += indented(f"{example['answer']}    {example['about']}", by=6)
    return lines


def left(parameter: Parameter) -> str:
    kinds = {"nothing": "", "one": " X", "many": " X...", "any": " [X...]"}
    return parameter.option + kinds[takes(parameter)]


def facts(spec: Formula, parameter: Parameter) -> str:
    """Shape, domain and default of an input, in words."""
    if parameter.is_switch:
        return "Switch."
    found = []
    if parameter.shape:
        found.append(
            " × ".join(parameter.shape) + (" rows × columns" if len(parameter.shape) > 1 else " of them")
        )
    elif parameter.each:
        found.append(f"one, or {parameter.each} of them")
    found.append(domain_words(parameter))
    special = any(parameter.name in form.parameters for form in spec.forms)
    if parameter.default is not None:
        found.append(f"default {parameter.default}")
    else:
        found.append("optional" if parameter.optional else "required in its form" if special else "required")
    text = "; ".join(found)
    return text[0].upper() + text[1:] + "."


def domain_words(parameter: Parameter) -> str:
    """What may be given: the interval, or the kind where there is none."""
    words = " or ".join(parameter.choices)
    if parameter.distribution:
        return "probabilities that sum to 1"
    if parameter.kind == "number":
        return parameter.domain.words() + (f", or {words}" if words else "")
    if parameter.kind == "choice":
        return words
    plain = {
        "integer": "whole number"
        if parameter.domain.text == "real"
        else f"whole number {parameter.domain.words()}",
        "count": "whole number at least 1, or inf",
        "flag": "0 or 1",
        "word": "word",
        "mdp": "built-in name or TOML file",
    }
    return plain[parameter.kind]


def printing(spec: Formula) -> list[Row]:
    found: list[Row] = []
    for option, _, metavar, text in common_options(spec):
        short = "".join(f"{key}, " for key, long in SHORTS.items() if long == option)
        found.append((f"{short}{option} {metavar}".strip(), [text]))
    return [*found, ("-h, --help", ["Print this page."])]


def front_page(ctx: Any) -> str:
    """Help of ``rlcalc`` itself, without loading any command."""
    from rlcalc.cli.app import BUILT_IN

    parts = [
        "rlcalc: exact answers for reinforcement-learning formulas",
        section(
            "Examples",
            [
                "  rlcalc lambda-return --rewards 1 2 3 --lam 0.5",
                "  rlcalc ppo-clip --ratio 1.5 --adv 5",
                "  rlcalc lambda-return -h",
            ],
        ),
    ]
    for group in GROUPS:
        found = [(head.command, [head.title]) for head in heads() if head.group == group]
        if found:
            parts.append(section(group, rows(found)))
    parts.append(section("Other commands", rows([(name, [entry.about]) for name, entry in BUILT_IN.items()])))
    options: list[Row] = []
    for parameter in ctx.command.get_params(ctx):
        options.append((", ".join(parameter.opts), [str(parameter.help or "")]))
    parts.append(section("Options", rows(options)))
    parts.append("'rlcalc COMMAND -h' shows what a command takes and prints.")
    return "\n\n".join(parts)


def command_page(usage: str, about: str, lines: Sequence[str], ctx: Any) -> str:
    """Help of a command that is no formula: what it does, examples, options."""
    options: list[Row] = []
    for parameter in ctx.command.get_params(ctx):
        if parameter.param_type_name == "argument":
            continue
        options.append((", ".join(parameter.opts), [str(parameter.help or "")]))
    shown = [f"  {line}" for line in lines]
    return "\n\n".join([f"{usage}: {about}", section("Examples", shown), section("Options", rows(options))])


# layout


def section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title, *lines])


def filled(text: str, first: str, rest: str | None = None) -> list[str]:
    """Running text broken between words only; a long word is never cut."""
    return textwrap.wrap(
        text,
        page_width(),
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(text: str, by: int = _LEFT, hang: int = 0) -> list[str]:
    lines = []
    for line in text.split("\n"):
        lines += filled(line, " " * by, " " * (by + hang))
    return lines


def rows(found: Sequence[Row], below: bool = False) -> list[str]:
    """Names on the left, paragraphs on the right (or ``below`` the name)."""
    widths = [len(name) for name, _ in found if len(name) <= _MOST_LEFT]
    column = _LEFT + (2 if below else max(widths, default=0) + 2)
    lines: list[str] = []
    for name, paragraphs in found:
        body = [line for text in paragraphs for line in filled(text, " " * column)]
        head = " " * _LEFT + name
        if below or len(head) + 2 > column or not body:
            lines += [head, *body]
        else:
            lines += [head.ljust(column) + body[0][column:], *body[1:]]
    return lines
