"""A specification -> its command.

Options, their help and their examples all come from the specification; the
options that every formula has stand in ``COMMON`` below.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rlcalc.cli.argv import Takes, parse, split_commas, wants_help
from rlcalc.cli.command import Command
from rlcalc.errors import CheckFailed, InputError, UnknownName, shown, suggestion
from rlcalc.plotting import check_file
from rlcalc.specs import Formula, Parameter

DTYPES = ("float64", "float32", "float16", "bfloat16")
SHORTS = {"-q": "--quiet"}
STEPS = ("none", "short", "all")
MOST_DIGITS = 1000
NUMERIC = ("number", "integer", "count")


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
    Common("--solve", "one", "NAME=X", "Find the input NAME for which the answer is X."),
    Common("--row", "one", "K", "Show how row K of a table of steps comes about."),
    Common("--output", "one", "NAME", "Print this output only; with -q in place of the first one."),
    Common(
        "--check", "many", "X...", "Check an answer: exact, right as rounded, or wrong and by which mistake."
    ),
    Common("--backends", "many", "NAME...", "Backends: sympy, numpy, torch. Default: sympy numpy."),
    Common("--dtype", "one", "NAME", f"Type of the numeric results: {', '.join(DTYPES)}. Default: float64."),
    Common("--device", "one", "NAME", "Device of Torch: cpu, cuda, cuda:1, mps or auto. Default: cpu."),
)
PLOT = Common("--plot", "one", "FILE", "Save a plot as .png, .svg or .pdf.")

Given = Mapping[str, list[str]]  # the values of every option that was typed


def common_options(spec: Formula) -> tuple[Common, ...]:
    """The options beside the inputs; an input's own option has precedence over one of that name."""
    own = {parameter.option for parameter in spec.parameters}
    options: tuple[Common, ...] = (*COMMON, PLOT) if spec.plot else COMMON
    absent = {"--row": not spec.has_rows, "--solve": not spec.symbolic}
    options = tuple(common for common in options if not absent.get(common.option))
    return tuple(common for common in options if common.option not in own)


def takes(parameter: Parameter) -> Takes:
    if parameter.is_switch:
        return "nothing"
    if not parameter.takes_many:
        return "one"
    return "many"


class FormulaCommand(Command):
    """The command of one formula.

    Typer learns nothing of its options: its parser refuses lists with spaces,
    and its conversion of text to text loads pydantic.
    """

    def __init__(self, spec: Formula) -> None:
        super().__init__(spec.command, help=f"{spec.title}.")
        self.spec = spec

    def options(self, ctx: Any) -> dict[str, Takes]:
        found = {parameter.option: takes(parameter) for parameter in self.spec.parameters}
        return found | {common.option: common.takes for common in common_options(self.spec)}

    def choices(self, option: str) -> Sequence[str]:
        """Words that an input accepts, for the shell to offer."""
        return next((p.choices for p in self.spec.parameters if p.option == option), ())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:
            self.prepare_completion(ctx, args)
            return args
        if wants_help(args):
            self.print_help(ctx, args)
        example = f"rlcalc {self.spec.command} {self.spec.examples[0]['args']}"
        ctx.params = {"given": parse(args, self.options(ctx), SHORTS, example)}
        return []

    def invoke(self, ctx: Any) -> None:
        run(self.spec, ctx.params["given"])

    def page(self, ctx: Any, full: bool) -> Any:
        from rlcalc.cli.help import Row
        from rlcalc.cli.pages import formula_page

        rows = []
        for common in common_options(self.spec):
            short = "".join(f"{key}, " for key, long in SHORTS.items() if long == common.option)
            rows.append(Row(f"{short}{common.option} {common.metavar}".strip(), [common.help]))
        return formula_page(self.spec, full, rows, takes)


def run(spec: Formula, given: Given) -> None:
    """Read the inputs, evaluate, print.

    Raises:
        RlcalcError: bad input, or ``backends_disagree`` after everything was printed.
    """
    own = {parameter.option for parameter in spec.parameters}
    common = {option: values for option, values in given.items() if option not in own}
    form, view = _form(common), _view(spec, given, common)
    backends = [part for word in common.get("--backends", ()) for part in split_commas(word)]
    dtype, device = _dtype(_value(common, "--dtype")), _value(common, "--device") or "cpu"
    plot = _value(common, "--plot")
    if plot is not None:
        check_file(plot)
    raw = _inputs(spec, given)
    if "--solve" in common:
        from rlcalc.cli.solve import show_solution

        output = (_value(common, "--output") or "").replace("-", "_")
        show_solution(spec, raw, common["--solve"][0], output, form, view)
        return

    from rlcalc.cli import render
    from rlcalc.cli.samples import evaluate_samples, sample_count
    from rlcalc.evaluation import check_backends, evaluate

    chosen, count = check_backends(backends or ("sympy", "numpy")), sample_count(spec, raw)
    if count > 1 and plot is not None:
        raise InputError(
            "plot_one_sample", f"A picture is of one sample, not of {count}.", "Leave --plot out."
        )
    if count > 1:
        found = evaluate_samples(spec, raw, count, chosen, dtype, device)
    else:
        found = evaluate(spec, raw, chosen, dtype, device)
    _ = found.answer  # refuses to print nothing
    _choose_row(found, _value(common, "--row"))
    output = _value(common, "--output") or ""
    if output:
        found.choose(output.replace("-", "_"))
    if "--check" in common:
        from rlcalc.cli.answers import show_check

        show_check(found, common["--check"], form, view)
        return
    remarks = [*found.notes, *_idle_options(common, found.backends)]
    if plot is not None:  # drawn first, so that what cannot be drawn is refused before an answer stands there
        from rlcalc.cli.plots import draw

        remarks.append(draw(found, plot))
    render.SHOW[form](found, view)
    for remark in remarks:
        render.note(remark)
    if found.agree is False:
        raise CheckFailed("backends_disagree", *render.disagreement(found))


def read_inputs(spec: Formula, words: Sequence[str]) -> dict[str, Any]:
    """The inputs among the words after a command, by parameter name, as ``derive`` takes them.

    Raises:
        InputError: as ``parse``; a file that cannot be read.
    """
    options = {parameter.option: takes(parameter) for parameter in spec.parameters}
    options |= {common.option: common.takes for common in common_options(spec)}
    return _inputs(spec, parse(words, options, SHORTS))


def _value(given: Given, option: str) -> str | None:
    """The value of an option that takes one."""
    return given[option][0] if option in given else None


def _choose_row(found: Any, text: str | None) -> None:
    """Keep the steps of one row only.

    Raises:
        InputError: ``row_out_of_range``.
    """
    if text is None:
        return
    rows = found.derivation.rows if found.derivation is not None else 0
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= rows):
        known = f"from 1 to {rows}" if rows else "where the exact backend ran"
        raise InputError("row_out_of_range", f"--row takes the number of a row, {known}, not {shown(text)}.")
    found.derivation = found.derivation.of_row(int(text))


def _view(spec: Formula, given: Given, common: Given) -> Any:
    """How much to show, from the options and from where it goes."""
    from rlcalc.cli.numbers import View
    from rlcalc.cli.screen import Screen, page_width

    steps, everything = _value(common, "--steps"), "--all" in common
    if steps is not None and steps not in STEPS:
        raise InputError("steps_unknown", f"--steps is none, short or all, not {shown(steps)}.")
    terminal = Screen(sys.stdout).terminal
    # who types decimals reads decimals
    decimals = any(
        "." in word for p in spec.parameters for word in given.get(p.option, ()) if p.kind == "number"
    )
    return View(
        digits=_digits(_value(common, "--digits")),
        decimal="--decimal" in common,
        steps=steps or _usual_steps(spec, common, terminal),
        whole=everything or not terminal,
        fractions=everything or not decimals,
        width=page_width(),
        cut=terminal,
    )


def _usual_steps(spec: Formula, common: Given, terminal: bool) -> str:
    """A table says what the steps would repeat; those of one row are asked for."""
    if spec.has_rows and not {"--all", "--row"} & set(common):
        return "none"
    return "short" if terminal and "--all" not in common and "--row" not in common else "all"


def _digits(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_DIGITS):
        raise InputError(
            "digits_out_of_range", f"--digits takes an integer from 1 to {MOST_DIGITS}, not {shown(text)}."
        )
    return int(text)


def _form(common: Given) -> str:
    wanted = [name for name in ("quiet", "json", "latex") if f"--{name}" in common]
    if len(wanted) > 1:
        listed = " and ".join(f"--{name}" for name in wanted)
        raise InputError("forms_of_output_mixed", f"{listed} do not go together.", "Choose one of them.")
    return wanted[0] if wanted else "text"


def _dtype(name: str | None) -> str:
    if name is not None and name not in DTYPES:
        hint = suggestion(name, list(DTYPES)) or f"Use {', '.join(DTYPES)}."
        raise UnknownName("unknown_dtype", f"There is no dtype {shown(name)} here.", hint)
    return name or "float64"


def _inputs(spec: Formula, given: Given) -> dict[str, Any]:
    from rlcalc.cli.input_files import Reader

    reader = Reader(spec.symbolic)
    raw: dict[str, Any] = {}
    for parameter in spec.parameters:
        if parameter.option not in given:
            continue
        words = given[parameter.option]
        if parameter.kind in NUMERIC:  # our own output, typed back, has the sign of people
            words = [word if word.startswith("@") else word.replace("−", "-") for word in words]
        if parameter.is_switch:
            raw[parameter.name] = True
        elif parameter.is_text:
            raw[parameter.name] = reader.text(words)
        elif parameter.kind == "mdp":
            raw[parameter.name] = reader.process(words[0])
        elif parameter.takes_many:
            raw[parameter.name] = reader.expand(parameter, words)
        elif words[0].startswith("@") and parameter.kind in NUMERIC:
            raw[parameter.name] = _one(parameter, reader.expand(parameter, words))
        else:
            raw[parameter.name] = words[0]
    return raw


def _one(parameter: Parameter, entries: list[Any]) -> Any:
    if len(entries) != 1:
        raise InputError(
            f"{parameter.label}_wrong_length",
            f"{parameter.option} takes one value, and the file holds {len(entries)}.",
            parameter.help,
        )
    return entries[0]


def _idle_options(common: Given, ran: Sequence[str]) -> list[str]:
    """Options that were given and had nothing to act on."""
    idle = []
    if "--dtype" in common and not {"numpy", "torch"} & set(ran):
        idle.append("--dtype had no effect: neither NumPy nor Torch ran.")
    if "--device" in common and "torch" not in ran:
        idle.append("--device had no effect: Torch did not run.")
    for form in ("--json", "--latex"):
        if form in common:
            unused = [option for option in ("--steps", "--digits", "--decimal") if option in common]
            idle += [f"{option} had no effect: {form} always prints all." for option in unused]
    return idle
