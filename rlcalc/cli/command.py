"""The classes of all commands: one way to read argv, one voice, one help page.

Typer reads types and defaults of a built-in command; which words are values
is decided in ``argv`` for every command alike. A list option is declared by a
metavar that ends in ``...`` (``--backends NAME...``) and takes words up to
the next option. Examples of a command stand in its ``epilog``, one a line,
each with what it shows after ``#``.

    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(cls=Command, epilog="rlcalc verify --section 2.4  # one section")
    def verify(...): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from rlcalc.cli.argv import HELP_WORDS, POSITIONAL, Takes, parse, rewritten, wants_help
from rlcalc.errors import UnknownName, shown


def takes(parameter: Any) -> Takes:
    """How many values one of Typer's options takes."""
    if parameter.is_flag:
        return "nothing"
    if not parameter.multiple:
        return "one"
    return "many" if str(parameter.metavar or "").endswith("...") else "each"


class _Page:
    """Help that stands in for Typer's: ``-h`` is short, ``--help`` is everything."""

    def get_help_option(self, ctx: Any) -> None:
        # handled before parsing; Typer's own has no default, for want of which every start loads pydantic
        return None

    def get_help(self, ctx: Any) -> str:
        return str(self.page(ctx, full=True).text())

    def page(self, ctx: Any, full: bool) -> Any:
        from rlcalc.cli.pages import command_page

        return command_page(self, ctx, full)

    def print_help(self, ctx: Any, words: Sequence[str]) -> None:
        """Print the page that was asked for and end the command."""
        self.page(ctx, full="--help" in words).show()
        raise typer.Exit()


class Command(_Page, TyperCommand):
    """A command that is called with options and, perhaps, arguments."""

    def options(self, ctx: Any) -> dict[str, Takes]:
        """Every long option, and ``POSITIONAL`` where words without one are taken."""
        found: dict[str, Takes] = {}
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "argument":
                found[POSITIONAL] = "any"
            else:
                names = [*parameter.opts, *parameter.secondary_opts]
                found |= dict.fromkeys((name for name in names if name.startswith("--")), takes(parameter))
        return found

    def shorts(self, ctx: Any) -> dict[str, str]:
        """Short option -> long option."""
        options = [p for p in self.get_params(ctx) if p.param_type_name == "option"]
        return {
            name: next(long for long in p.opts if long.startswith("--"))
            for p in options
            for name in p.opts
            if not name.startswith("--")
        }

    def choices(self, option: str) -> Sequence[str]:
        """Words that are known for an option of this command alone."""
        return ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # a shell completes words, which are not complete
            self.prepare_completion(ctx, args)
        elif wants_help(args):
            self.print_help(ctx, args)
        else:
            options = self.options(ctx)
            args = rewritten(parse(args, options, self.shorts(ctx)), options)
        return list(super().parse_args(ctx, args))

    def prepare_completion(self, ctx: Any, args: list[str]) -> None:
        from rlcalc.cli.completion import prepare

        prepare(self, ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        from rlcalc.cli.completion import offers

        return offers(self, ctx, incomplete)


class Group(_Page, TyperGroup):
    """Several commands under one name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            first = args[0] if args else ""
            if first in HELP_WORDS:
                self.print_help(ctx, args)
            known = [name for p in self.get_params(ctx) for name in p.opts]
            if first.startswith("-") and first.partition("=")[0] not in known:
                parse([first], dict.fromkeys(known, "one"), {})  # refuses it
        return list(super().parse_args(ctx, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        name, *rest = args
        command = self.get_command(ctx, name)  # once: a command is made when it is asked for
        if command is None:
            self._refuse(ctx, name)
        return name, command, rest

    def _refuse(self, ctx: Any, name: str) -> NoReturn:
        """Raise the error of an unknown command, with what may have been meant."""
        from rlcalc.cli.aliases import command_hint, dashed

        known = self.list_commands(ctx)
        hint = command_hint(name, known)
        if not hint and not ctx.parent:
            from rlcalc.cli.search import about

            hint = about(dashed(name), known)
        hint = hint or f"'{ctx.command_path} -h' shows all commands."
        raise UnknownName("unknown_command", f"Unknown command {shown(name)}.", hint)
