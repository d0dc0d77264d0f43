"""What the shell offers where the values are known: formulas, conventions, claims, ...

One table by the name of the option, or by the metavar of the argument, serves
every command. A lookup never fails: a shell that gets nothing offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from rlcalc.cli.argv import HELP_WORDS, POSITIONAL


class Item(NamedTuple):
    """One offer, as the scripts of the shells read it."""

    value: str
    help: str | None = None
    type: str = "plain"


def _formulas(_: Any) -> Iterable[str]:
    from rlcalc.heads import heads

    return [head.command for head in heads()]


def _conventions(ctx: Any) -> Iterable[str]:
    from rlcalc.conform.faults import catalogue, formulas_with_faults
    from rlcalc.specs import load_formula

    chosen = ctx.params.get("formula")
    names = [load_formula(chosen).name] if chosen else formulas_with_faults()
    return sorted({c.name for name in names for c in catalogue(name).conventions})


# the words, or where they stand, or what finds them
KNOWN: Mapping[str, tuple[str, ...] | str | Callable[[Any], Iterable[str]]] = {
    "--backends": ("sympy", "numpy", "torch"),
    "--claim": "rlcalc.audit.claims:load_claims",
    "--convention": _conventions,
    "--device": ("cpu", "cuda", "mps", "auto"),
    "--dtype": ("float64", "float32", "float16", "bfloat16"),
    "--env": ("cartpole", "bandit", "grid2x2", "tokens", "gym:"),
    "--formula": _formulas,
    "--mdp": "rlcalc.mdp.builtin:BUILT_IN",
    "--steps": ("none", "short", "all"),
    "--verdict": "rlcalc.audit.verdict:VERDICTS",
    "FORMULA": _formulas,
}
_WORDS = "rlcalc.words"


def prepare(command: Any, ctx: Any, words: Iterable[str]) -> None:
    """Have every option and argument of a command offer what is known here.

    What was typed before the word to complete is kept: Typer drops what it could parse.
    """
    ctx.meta[_WORDS] = list(words)
    for parameter in command.params:
        parameter.shell_complete = partial(_offers_of, parameter, command, parameter.shell_complete)


def offers(command: Any, ctx: Any, incomplete: str) -> list[Item]:
    """Names of options, or values of the option that was typed last."""
    options = command.options(ctx)
    if incomplete.startswith("-"):
        names = [*options, *HELP_WORDS]
        return [Item(name) for name in names if name.startswith(incomplete) and name != POSITIONAL]
    words = ctx.meta.get(_WORDS, [])
    last = next((word for word in reversed(words) if word.startswith("-")), "")
    follows = bool(words) and words[-1] == last
    if follows or options.get(last) in ("many", "any"):
        return _values(command, ctx, last, incomplete)
    return []


def _offers_of(
    parameter: Any, command: Any, usual: Callable[..., Any], ctx: Any, incomplete: str
) -> list[Any]:
    """``shell_complete`` of one of Typer's parameters."""
    if parameter.param_type_name == "argument":
        found = offers(command, ctx, incomplete) or _values(command, ctx, str(parameter.metavar), incomplete)
    else:
        found = _values(command, ctx, parameter.opts[0], incomplete)
    return found or list(usual(ctx, incomplete))


def _values(command: Any, ctx: Any, key: str, incomplete: str) -> list[Item]:
    """Known values after an option, or for an argument of that metavar."""
    try:
        words = command.choices(key) or _known(KNOWN.get(key, ()), ctx)
    except Exception:  # a broken file must not print into a command line
        return []
    return [Item(word) for word in words if word.startswith(incomplete)]


def _known(where: tuple[str, ...] | str | Callable[[Any], Iterable[str]], ctx: Any) -> Iterable[str]:
    if callable(where):
        return where(ctx)
    if isinstance(where, tuple):
        return where
    module, _, name = where.partition(":")
    found = getattr(import_module(module), name)
    return list(found() if callable(found) else found)
