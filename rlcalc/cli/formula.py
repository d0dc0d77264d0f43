"""A specification -> its command.

Options, their help and their examples all come from the specification; the
options that every formula has stand in ``COMMON`` below.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import typer

from rlcalc.cli.argv import Takes, parse, split_commas, wants_help
from rlcalc.cli.command import Command
from rlcalc.errors import CheckFailed, InputError, UnknownName, shown, suggestion
from rlcalc.specs import Formula, Parameter

BACKENDS = ("sympy", "numpy", "torch")
DTYPES = ("float64", "float32", "float16", "bfloat16")
SHORTS = {"-q": "--quiet"}


class Common(NamedTuple):
    """An option that every formula has."""

    option: str
    takes: Takes
    metavar: str
    help: str


COMMON = (
    Common("--quiet", "nothing", "", "Print the answer alone."),
    Common("--json", "nothing", "", "Print everything as JSON."),
    Common("--latex", "nothing", "", "Print the steps as LaTeX."),
    Common("--steps", "one", "none|short|all", "Steps to show. Default: short at a terminal, all in a pipe."),
    Common("--all", "nothing", "", "Shorten nothing: every step, and every entry of a list."),
    Common("--digits", "one", "N", "Significant digits of decimals. Default: 10, or up to 30 to the end."),
    Common("--decimal", "nothing", "", "Print decimals in place of fractions and roots."),
    Common("--backends", "many", "NAME...", "Backends: sympy, numpy, torch. Default: sympy numpy."),
    Common("--dtype", "one", "NAME", f"Type of the numeric results: {', '.join(DTYPES)}. Default: float64."),
    Common("--device", "one", "NAME", "Device of Torch: cpu, cuda, cuda:1, mps or auto. Default: cpu."),
)
PLOT = Common("--plot", "one", "FILE", "Save a plot as .png, .svg or .pdf.")
STEPS = ("none", "short", "all")
MOST_DIGITS = 1000
NUMERIC = ("number", "integer", "count")
_PREFIX = "cli_"  # keeps the names of the common options apart from a formula's parameters


def common_options(spec: Formula) -> tuple[Common, ...]:
    """The options beside the inputs; an input's own option has precedence over one of that name."""
    own = {parameter.option for parameter in spec.parameters}
    options = (*COMMON, PLOT) if spec.plot else COMMON
    return tuple(common for common in options if common.option not in own)


def takes(parameter: Parameter) -> Takes:
    if parameter.is_switch:
        return "nothing"
    if not parameter.takes_many:
        return "one"
    return "any" if parameter.may_be_empty else "many"


class FormulaCommand(Command):
    """Takes lists with spaces, and hands values over as they are.

    Typer only learns the names of the options, to complete them: its
    conversion of text to text would load pydantic.
    """

    spec: Formula

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """Words that the shell offers after an input's option."""
        return {p.option: p.choices for p in self.spec.parameters if p.choices}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:
            self.prepare_completion(ctx, args)
            return args
        if wants_help(args):
            self.print_help(ctx, args)
        ctx.params = _params(self.spec, args)
        return []

    def invoke(self, ctx: Any) -> None:
        run(self.spec, ctx.params)

    def page(self, ctx: Any, full: bool) -> Any:
        from rlcalc.cli.help import Row, formula_page

        rows = []
        for option, _, metavar, text in common_options(self.spec):
            short = "".join(f"{key}, " for key, long in SHORTS.items() if long == option)
            rows.append(Row(f"{short}{option} {metavar}".strip(), [text]))
        rows.append(Row("-h, --help", ["A short help, or this page."]))
        return formula_page(self.spec, full, rows, takes)


def build(spec: Formula) -> Any:
    """The Typer command of a formula."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(spec.command, cls=FormulaCommand, short_help=f"{spec.title}.")(_declaration(spec))
    command = typer.main.get_command(app)
    command.spec = spec  # type: ignore[attr-defined]
    return command


def _params(spec: Formula, words: list[str]) -> dict[str, Any]:
    """Values by name of parameter, as ``run`` takes them."""
    names = {parameter.option: (parameter.name, takes(parameter)) for parameter in spec.parameters}
    names |= {option: (_PREFIX + option[2:], kind) for option, kind, _, _ in common_options(spec)}
    example = f"rlcalc {spec.command} {spec.examples[0]['args']}"
    given = parse(words, {option: kind for option, (_, kind) in names.items()}, SHORTS, example)
    found: dict[str, Any] = {name: False if kind == "nothing" else None for name, kind in names.values()}
    for option, values in given.items():
        name, kind = names[option]
        found[name] = True if kind == "nothing" else values[0] if kind == "one" else values
    return found


def _declaration(spec: Formula) -> Callable[..., None]:
    """A function with one parameter per option: what Typer lists and completes."""

    def declaration(**given: Any) -> None:
        run(spec, given)

    parameters = [_option(p.name, p.option, takes(p), p.help) for p in spec.parameters]
    for option, kind, _, text in common_options(spec):
        shorts = [short for short, long in SHORTS.items() if long == option]
        parameters.append(_option(_PREFIX + option[2:], option, kind, text, shorts))
    declaration.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    declaration.__annotations__ = {p.name: p.annotation for p in parameters}
    declaration.__name__ = spec.name
    return declaration


def _option(name: str, option: str, kind: Takes, text: str, shorts: Sequence[str] = ()) -> inspect.Parameter:
    annotation: Any = {"nothing": bool, "one": str}.get(kind, list[str])
    metavar = "X..." if kind in ("many", "any") else None
    default = typer.Option(False if kind == "nothing" else None, option, *shorts, help=text, metavar=metavar)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def run(spec: Formula, given: dict[str, Any]) -> None:
    """Read the inputs, evaluate, print.

    Raises:
        RlcalcError: bad input, or ``backends_disagree`` after everything was printed.
    """
    common = {name.removeprefix(_PREFIX): value for name, value in given.items() if name.startswith(_PREFIX)}
    form, view = _form(common), _view(common)
    backends = _names(common["backends"]) or ("sympy", "numpy")
    dtype, device = _dtype(common["dtype"]), common["device"] or "cpu"
    plot = common.get("plot")
    if plot is not None:
        from rlcalc.cli.plots import check_file

        check_file(plot)
    raw = _inputs(spec, given)

    from rlcalc.cli import render
    from rlcalc.evaluation import check_backends, evaluate

    found = evaluate(spec, raw, check_backends(backends), dtype, device)
    _ = found.answer  # refuses to print nothing
    remarks = [*found.notes, *_idle_options(common, found.backends)]
    if plot is not None:  # drawn first, so that what cannot be drawn is refused before an answer stands there
        from rlcalc.cli.plots import draw

        remarks.append(draw(found, plot))
    render.SHOW[form](found, view)
    for remark in remarks:
        render.note(remark)
    if found.agree is False:
        raise CheckFailed("backends_disagree", *render.disagreement(found))


def _view(common: dict[str, Any]) -> Any:
    """How much to show, from the options and from where it goes."""
    from rlcalc.cli.numbers import View
    from rlcalc.cli.screen import Screen, page_width

    steps, everything = common.get("steps"), bool(common["all"])
    if steps is not None and steps not in STEPS:
        raise InputError("steps_unknown", f"--steps is none, short or all, not {shown(steps)}.")
    terminal = Screen(sys.stdout).terminal
    return View(
        digits=_digits(common["digits"]),
        decimal=bool(common["decimal"]),
        steps=steps or ("short" if terminal and not everything else "all"),
        whole=everything or not terminal,
        width=page_width(),
        cut=terminal,
    )


def _digits(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DIGITS):
        raise InputError(
            "digits_out_of_range", f"--digits takes an integer from 1 to {MOST_DIGITS}, not {shown(text)}."
        )
    return int(text)


def _form(common: dict[str, Any]) -> str:
    wanted = [name for name in ("quiet", "json", "latex") if common[name]]
    if len(wanted) > 1:
        listed = " and ".join(f"--{name}" for name in wanted)
        raise InputError("forms_of_output_mixed", f"{listed} do not go together.", "Choose one of them.")
    return wanted[0] if wanted else "text"


def _names(words: list[str] | None) -> tuple[str, ...]:
    return tuple(part for word in words or () for part in split_commas(word))


def _dtype(name: str | None) -> str:
    if name is not None and name not in DTYPES:
        hint = suggestion(name, list(DTYPES)) or f"Use {', '.join(DTYPES)}."
        raise UnknownName("unknown_dtype", f"There is no dtype {shown(name)} here.", hint)
    return name or "float64"


def _inputs(spec: Formula, given: dict[str, Any]) -> dict[str, Any]:
    from rlcalc.cli.input_files import Reader

    reader = Reader(spec.symbolic)
    raw: dict[str, Any] = {}
    for parameter in spec.parameters:
        value = given[parameter.name]
        if value is None or value is False:
            continue
        if parameter.kind in NUMERIC:
            value = _ascii_minus(value)
        if isinstance(value, list):
            raw[parameter.name] = reader.expand(parameter, value)
        elif isinstance(value, str) and value.startswith("@") and parameter.kind in NUMERIC:
            raw[parameter.name] = _one(parameter, reader.expand(parameter, [value]))
        else:
            raw[parameter.name] = value
    return raw


def _ascii_minus(value: Any) -> Any:
    """Our own output, typed back: the sign of people for the sign of programs."""
    if isinstance(value, list):
        return [_ascii_minus(word) for word in value]
    return value if not isinstance(value, str) or value.startswith("@") else value.replace("−", "-")


def _one(parameter: Parameter, entries: list[Any]) -> Any:
    if len(entries) != 1:
        raise InputError(
            f"{parameter.name.rstrip('_')}_wrong_length",
            f"{parameter.option} takes one value, and the file holds {len(entries)}.",
            parameter.help,
        )
    return entries[0]


def _idle_options(common: dict[str, Any], ran: Sequence[str]) -> list[str]:
    """Options that were given and had nothing to act on."""
    idle = []
    if common["dtype"] and not {"numpy", "torch"} & set(ran):
        idle.append("--dtype had no effect: neither NumPy nor Torch ran.")
    if common["device"] and "torch" not in ran:
        idle.append("--device had no effect: Torch did not run.")
    if common["json"] or common["latex"]:
        form = "--json" if common["json"] else "--latex"
        for name in ("steps", "digits", "decimal"):
            if common.get(name):
                idle.append(f"--{name} had no effect: {form} always prints all.")
    return idle
