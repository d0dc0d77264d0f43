"""What the shell offers where the values are known: formulas, conventions, claims, ...

One table by the name of the option, or by the metavar of the argument, serves
every command. A lookup never fails: a shell that gets nothing offers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple


class Item(NamedTuple):
    """One offer, as the scripts of the shells read it."""

    value: str
    help: str | None = None
    type: str = "plain"


def _formulas(_: Any) -> Iterable[str]:
    from rlcalc.specs import heads

    return [head.command for head in heads()]


def _conventions(ctx: Any) -> Iterable[str]:
    from rlcalc.conform.faults import catalogue, formulas_with_faults
    from rlcalc.specs import load_formula

    chosen = ctx.params.get("formula")
    names = [load_formula(chosen).name] if chosen else formulas_with_faults()
    return sorted({c.name for name in names for c in catalogue(name).conventions})


def _environments(_: Any) -> Iterable[str]:
    return ("cartpole", "bandit", "grid2x2", "tokens", "gym:")


def _verdicts(_: Any) -> Iterable[str]:
    from rlcalc.audit.verdict import VERDICTS

    return VERDICTS


def _claims(_: Any) -> Iterable[str]:
    from rlcalc.audit.claims import load_claims

    return list(load_claims())


def _mdps(_: Any) -> Iterable[str]:
    from rlcalc.mdp.builtin import BUILT_IN

    return list(BUILT_IN)


def _fixed(*words: str) -> Callable[[Any], Iterable[str]]:
    return lambda ctx: words


KNOWN: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "--backends": _fixed("sympy", "numpy", "torch"),
    "--claim": _claims,
    "--convention": _conventions,
    "--device": _fixed("cpu", "cuda", "mps", "auto"),
    "--dtype": _fixed("float64", "float32", "float16", "bfloat16"),
    "--env": _environments,
    "--formula": _formulas,
    "--mdp": _mdps,
    "--steps": _fixed("none", "short", "all"),
    "--verdict": _verdicts,
    "FORMULA": _formulas,
}
_WORDS = "rlcalc.words"


def remember(ctx: Any, words: Iterable[str]) -> None:
    """Keep what was typed before the word to complete: Typer drops what it could parse."""
    ctx.meta[_WORDS] = list(words)


def offers(command: Any, ctx: Any, key: str, incomplete: str) -> list[Item]:
    """Known values after an option, or for an argument of that metavar."""
    choices = getattr(command, "choices", {}).get(key)
    try:
        words = choices or (KNOWN[key](ctx) if key in KNOWN else ())
    except Exception:  # a broken file must not print into somebody's command line
        return []
    return [Item(word) for word in words if word.startswith(incomplete)]


def complete(parameter: Any, command: Any, usual: Callable[..., Any]) -> Callable[..., list[Any]]:
    """A ``shell_complete`` of one of Typer's parameters that knows the table."""

    def shell_complete(ctx: Any, incomplete: str) -> list[Any]:
        argument = parameter.param_type_name == "argument"
        key = _list_option(command, ctx) if argument else parameter.opts[0]
        key = key or str(parameter.metavar or "")
        return offers(command, ctx, key, incomplete) or list(usual(ctx, incomplete))

    return shell_complete


def complete_command(command: Any, ctx: Any, incomplete: str, usual: Callable[..., Any]) -> list[Any]:
    """Names of options, or one more value of the list option that was typed last."""
    key = "" if incomplete.startswith("-") else _list_option(command, ctx)
    return offers(command, ctx, key, incomplete) or list(usual(ctx, incomplete))


def _list_option(command: Any, ctx: Any) -> str:
    """The option that still takes words, if the last one typed is one that takes many."""
    from rlcalc.cli.command import takes

    options = [word for word in ctx.meta.get(_WORDS, ()) if word.startswith("-")]
    if not options:
        return ""
    for parameter in command.get_params(ctx):
        if options[-1] in parameter.opts and parameter.param_type_name == "option":
            return str(parameter.opts[0]) if takes(parameter) == "many" else ""
    return ""
