"""The command ``rlcalc``: finds a command by its name, calls it, and turns the parser's errors into ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from itertools import chain, pairwise
from typing import Any

import typer

from rlcalc._version import __version__
from rlcalc.cli.command import Group
from rlcalc.cli.commands import BUILT_IN
from rlcalc.errors import InputError, RlcalcError, UnknownName, shown

_COMPLETING = "_RLCALC_COMPLETE"


class Front(Group):
    """Knows the names of all commands and loads the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        from rlcalc.heads import heads

        return [*(head.command for head in heads()), *BUILT_IN]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in BUILT_IN:
            module, _, attribute = BUILT_IN[cmd_name].target.partition(":")
            command = typer.main.get_command(getattr(import_module(module), attribute))
            command.name = cmd_name
            return command
        from rlcalc.specs import find_formula

        spec = find_formula(cmd_name)
        if spec is None:
            return None
        from rlcalc.cli.formula import FormulaCommand

        return FormulaCommand(spec)

    def page(self, ctx: Any, full: bool) -> Any:
        from rlcalc.cli.pages import front_page

        return front_page(self, ctx, full)


def _front(
    ctx: typer.Context,
    version: bool = typer.Option(
        False, "-V", "--version", help="Print the version; with -v those of Python, NumPy and Torch too."
    ),
) -> None:
    """Exact answers for reinforcement-learning formulas, and a check of code that computes them."""


def _group(words: Sequence[str]) -> Any:
    """The command ``rlcalc``.

    Typer's two options for completion are there when they are asked for or
    listed: their mere presence makes every start load pydantic.
    """
    front = [word for word in words[:1] if word.startswith("-") and word != "-h"]
    app = typer.Typer(
        cls=Front, rich_markup_mode=None, add_completion=bool(front) or _COMPLETING in os.environ
    )
    app.callback(invoke_without_command=True)(_front)
    return typer.main.get_command(app)


def run(words: Sequence[str]) -> int:
    """Parse and run; errors of our own pass through, those of the parser become ours.

    The parser's own ``main`` is left out, except for completion scripts: it
    prints errors in its own way and hides interrupts and closed pipes.
    """
    words = list(words) or ["-h"]
    if words[0] == "help":
        words = [*words[1:], "--help"]
    if words[0] in ("version", "-V", "--version"):
        print(versions("-v" in words or "--verbose" in words))
        return 0
    group = _group(words)
    if os.environ.get(_COMPLETING):
        return _complete(group, words)
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
        raise _as_ours(error, words) from None
    return 0


def versions(verbose: bool) -> str:
    """``rlcalc 0.1.0``; in full, what it runs on, one a line."""
    first = f"rlcalc {__version__}"
    if not verbose:
        return first
    import platform
    from importlib.metadata import PackageNotFoundError, version

    lines = [first, f"Python {platform.python_version()} ({platform.platform()})"]
    for name, package in (("SymPy", "sympy"), ("NumPy", "numpy"), ("Torch", "torch")):
        try:
            lines.append(f"{name} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{name} is not installed")
    return "\n".join(lines)


def _complete(group: Any, words: Sequence[str]) -> int:
    try:
        group.main(args=list(words), prog_name="rlcalc")
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(
            "completion_environment",
            f"{_COMPLETING} is set, but {error} is missing or wrong.",
            "Shells set these variables together; 'unset _RLCALC_COMPLETE' if you are no shell.",
        ) from None
    except SystemExit as stop:
        return 2 if stop.code else 0
    return 0


def _code(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    raise UnknownName("stopped", str(stop.code))


def _is_usage_error(error: Exception) -> bool:
    # the class lives in click or, since 0.26, inside Typer; both have these two
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _typed(param: Any, words: Sequence[str]) -> str:
    """What was typed for an option; empty where that is not seen."""
    names = tuple(getattr(param, "opts", ()))
    after = (word for name, word in pairwise(words) if name in names)
    joined = (word.partition("=")[2] for word in words if word.partition("=")[0] in names and "=" in word)
    return next(chain(after, joined), "")


def _as_ours(error: Any, words: Sequence[str]) -> UnknownName:
    message = str(error.format_message()).replace("\n", " ").strip()
    typed = _typed(getattr(error, "param", None), words)
    # what is wrong with it is said, and not what it is, or not in the quotes of every other error
    if typed and shown(typed) not in message:
        message = message.replace(": ", f" {shown(typed)}: ", 1)
    if message and message[-1] not in ".?!)":
        message += "."
    ctx = getattr(error, "ctx", None)
    hint = f"'{ctx.command_path} -h' shows how it is used." if ctx is not None else ""
    return UnknownName("usage", message or "This is not how it is used.", hint)
