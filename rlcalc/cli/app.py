"""The table of commands, loaded lazily.

To add a command that is no formula, add a line to ``BUILT_IN``: its name, the
``module:attribute`` of a ``typer.Typer`` (with one command, which is then
called directly, or with several), and one line of help. The module is
imported when that command is called, never to print a list. Formulas are not
listed here: every file in ``specs/formulas`` is a command.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from rlcalc._version import __version__
from rlcalc.errors import RlcalcError, UnknownName, shown, suggestion


class BuiltIn(NamedTuple):
    """A command that is no formula."""

    target: str
    about: str


BUILT_IN = {
    "audit": BuiltIn("rlcalc.cli.audit:app", "Prove or refute every statement of the lecture."),
    "list": BuiltIn("rlcalc.cli.listing:list_app", "All formulas, by chapter of the lecture."),
    "show": BuiltIn("rlcalc.cli.listing:show_app", "Everything about one formula."),
    "verify": BuiltIn("rlcalc.cli.verify:app", "Run the golden vectors on every backend."),
    "golden": BuiltIn("rlcalc.cli.golden:app", "Certify, check and export the golden vectors."),
    "ppo-run": BuiltIn("rlcalc.cli.ppo_run:app", "Train an agent by PPO with these formulas, checked."),
    "conform": BuiltIn("rlcalc.cli.conform:app", "Hold your own function to the vectors; name its fault."),
    "peers": BuiltIn("rlcalc.cli.peers:app", "Which released libraries conform, and which faults they have."),
}
_COMPLETING = "_RLCALC_COMPLETE"


class LazyGroup(TyperGroup):
    """Knows the names of all commands and loads the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        from rlcalc.specs import heads

        return [*(head.command for head in heads()), *BUILT_IN]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in BUILT_IN:
            module, _, attribute = BUILT_IN[cmd_name].target.partition(":")
            command = typer.main.get_command(getattr(import_module(module), attribute))
            command.name = cmd_name
            return command
        if cmd_name not in self.list_commands(ctx):
            return None
        from rlcalc.cli.formula import build

        return build(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not ctx.resilient_parsing:
            hint = suggestion(name.lower().replace("_", "-"), known)
            hint = hint or "'rlcalc list' shows the formulas, 'rlcalc -h' all commands."
            raise UnknownName("unknown_command", f"There is no command {shown(name)}.", hint)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: Any) -> str:
        from rlcalc.cli.help import front_page

        return front_page(ctx)


def help_option() -> Any:
    """``-h`` as an option of our own.

    Typer's has no default, for want of which every start loads pydantic.
    """

    def show(ctx: typer.Context, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            print(ctx.get_help())
            raise typer.Exit()

    return typer.Option(False, "-h", "--help", is_eager=True, callback=show, help="Print this page.")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"rlcalc {__version__}")
        raise typer.Exit()


def _front(
    ctx: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    help: bool = help_option(),
) -> None:
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


def _group(words: Sequence[str]) -> Any:
    """The command ``rlcalc``.

    Typer's two options for completion are there when they are asked for or
    listed: their mere presence makes every start load pydantic.
    """
    front = [word for word in words[:1] if word.startswith("-")]
    app = typer.Typer(
        cls=LazyGroup,
        rich_markup_mode=None,
        add_completion=bool(front) or _COMPLETING in os.environ,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True, add_help_option=False)(_front)
    return typer.main.get_command(app)


def run(words: Sequence[str]) -> int:
    """Parse and run; errors of our own pass through, those of the parser become ours.

    The parser's own ``main`` is left out, except for completion scripts: it
    prints errors in its own way and hides interrupts and closed pipes.
    """
    words = words or ["--help"]
    group = _group(words)
    if os.environ.get(_COMPLETING):
        group.main(args=list(words), prog_name="rlcalc")
        return 0
    try:
        with group.make_context("rlcalc", list(words)) as ctx:
            group.invoke(ctx)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 130
    except SystemExit as stop:
        return _code(stop)
    except Exception as error:
        if isinstance(error, RlcalcError) or not _is_usage_error(error):
            raise
        raise _as_ours(error) from None
    return 0


def _code(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    raise UnknownName("stopped", str(stop.code))


def _is_usage_error(error: Exception) -> bool:
    # the class lives in click or, since 0.26, inside Typer; both have these two
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _as_ours(error: Any) -> UnknownName:
    message = str(error.format_message()).replace("\n", " ").strip()
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help page
        message = "A command is missing."
    if message and message[-1] not in ".?!)":
        message += "."
    ctx = getattr(error, "ctx", None)
    hint = f"'{ctx.command_path} -h' shows how it is used." if ctx is not None else ""
    return UnknownName("usage", message or "This is not how it is used.", hint)
