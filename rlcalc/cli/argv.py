"""Words as typed -> values by option.

People type ``--rewards -1 2 -3/4``, which Typer's parser refuses. This module
knows which words are values and which are options, and refuses what is left
over. It sees words only: what a value means is decided where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from rlcalc.errors import InputError, UnknownName, shown, suggestion

# how many values an option takes: "any" is many or none at all, "each" is one every time it is given
Takes = Literal["nothing", "one", "many", "any", "each"]

# the key under which words that belong to no option are collected, where a command takes some
POSITIONAL = ""
HELP_WORDS = ("-h", "--help")
# -l, -l1*2, -alpha/2, -pi: a minus and a symbol; -sqrt(2): a minus and a call
_SYMBOL = r"-([A-Za-z](?:_?[0-9]+)?|[A-Za-z]{2,}(?:_?[0-9]+)?)(?![A-Za-z0-9_-])"
_NOT_FINITE = frozenset({"inf", "infinity", "nan", "oo"})


def is_value(word: str, options: Mapping[str, Takes], shorts: Mapping[str, str]) -> bool:
    """Whether a word is a value rather than an option.

    A word that does not start with ``-`` is one. After the minus, digits,
    brackets and dots start a number. Letters are a symbol when there is one
    letter (``-l``) or a Greek name (``-alpha``), and a call when a bracket
    follows (``-sqrt(2)``); a short option or the name of a long one is never
    taken for a symbol (``--lam=-q`` says that it is).
    """
    if not word.startswith("-") or word == "-":
        return True
    rest = word.lstrip("-")
    if word in shorts or word in HELP_WORDS or "-" + word in options or rest == "":
        return False
    if not rest[0].isalpha():
        return rest[0] != "_" and rest[0] != "="
    if word.startswith("--"):
        return False
    match = re.match(_SYMBOL, word)
    if match is None:
        return False
    name = match[1]
    if name.lower() in _NOT_FINITE or len(name) == 1 or name[1:].strip("_").isdigit():
        return True
    if word[match.end() :].startswith("("):
        return True
    from rlcalc.exact import GREEK

    return re.sub(r"_?[0-9]+$", "", name) in (*GREEK, "pi")


def wants_help(words: Sequence[str]) -> bool:
    return any(word in HELP_WORDS for word in words)


def parse(
    words: Sequence[str], options: Mapping[str, Takes], shorts: Mapping[str, str], example: str = ""
) -> dict[str, list[str]]:
    """Words as typed -> the values of every option that was given.

    Args:
        words: what stands after the command.
        options: every long option and how many values it takes. With the key
            ``POSITIONAL`` words that belong to no option are collected under it.
        shorts: short option -> long option.
        example: a line that works, for hints.

    Raises:
        UnknownName: ``unknown_option``.
        InputError: ``stray_word``, ``option_twice``, ``option_empty``,
            ``option_takes_nothing``.
    """
    found: dict[str, list[str]] = {}
    current, count = "", 0
    for word in words:
        if is_value(word, options, shorts):
            full = not current or (options[current] in ("one", "each") and count > 0)
            if not full:
                found[current].append(word)
                count += 1
            elif POSITIONAL in options:
                found.setdefault(POSITIONAL, []).append(word)
            else:
                raise _stray(word, current, options, example)
            continue
        _refuse_empty(current, count, options)
        name, has_value, value = word.partition("=")
        name = _known(name, current, options, shorts)
        if options[name] == "one" and name in found:
            raise InputError("option_twice", f"{name} is given twice, and takes one value.")
        found.setdefault(name, [])
        if options[name] == "nothing":
            if has_value:
                raise InputError(
                    "option_takes_nothing",
                    f"{name} takes no value, not {shown(value)}.",
                    f"Write {name} alone.",
                )
            current = ""
            continue
        # a repeated flag must bring something too, so that its values are counted from 0
        current, count = name, 0
        if has_value:
            found[name].append(value)
            count = 1
    _refuse_empty(current, count, options)
    return found


def _refuse_empty(current: str, count: int, options: Mapping[str, Takes]) -> None:
    if current and not count and options[current] != "any":
        what = "at least one value" if options[current] == "many" else "one value"
        raise InputError("option_empty", f"{current} has nothing after it; it takes {what}.")


def _known(name: str, current: str, options: Mapping[str, Takes], shorts: Mapping[str, str]) -> str:
    """The long option that was meant, by its own name or by another name for the same."""
    name = shorts.get(name, name)
    if name in options:
        return name
    if name.startswith("--") and len(name) > 2:
        from rlcalc.cli.aliases import same_option

        same = same_option(name, options)
        if same is not None:
            return same
    raise _unknown(name, current, options)


def _unknown(word: str, current: str, options: Mapping[str, Takes]) -> UnknownName:
    from rlcalc.cli.aliases import option_hint

    known = [option for option in options if option != POSITIONAL]
    if word == "--":
        return UnknownName("unknown_option", "'--' is not supported.", "Negative numbers need no '--'.")
    hint = option_hint(word, known)
    if word == "--plot":
        hint = "This formula draws no picture."
    elif not hint:
        hint = f"It takes {', '.join(known)}." if known else "No option here; -h shows the commands."
    elif current and f"-{word}" in options:
        hint += f" As a value it is written {current}={word}."
    return UnknownName("unknown_option", f"Unknown option {shown(word)}.", hint)


def _stray(word: str, current: str, options: Mapping[str, Takes], example: str) -> InputError:
    message = f"Unexpected argument {shown(word)}"
    message += f": {current} takes one value." if current else ": it follows no option."
    hint = ""
    if word[:1].isalpha() and len(word) > 1:
        hint = suggestion("--" + word.replace("_", "-"), list(options))
    return InputError("stray_word", message, hint or (f"For example: {example}" if example else ""))


def rewritten(found: Mapping[str, Sequence[str]], options: Mapping[str, Takes]) -> list[str]:
    """Values by option -> words that Typer's own parser reads: one ``--option=value`` each."""
    words = []
    for option, values in found.items():
        if option != POSITIONAL:
            words += [option] if options[option] == "nothing" else [f"{option}={value}" for value in values]
    return [*words, "--", *found.get(POSITIONAL, ())]


def split_commas(text: str) -> list[str]:
    """Parts between commas that stand in no bracket: ``max(1,2),3`` is two.

    One comma at an end is no part: ``1, 2, 3`` arrives as ``1,`` ``2,`` ``3``.
    """
    if "," not in text:
        return [text]
    parts = [part.strip() for part in split_outside_brackets(text, ",".__eq__)]
    if parts[-1] == "":
        parts.pop()
    if parts and parts[0] == "":
        parts.pop(0)
    return parts


def split_outside_brackets(text: str, separates: Callable[[str], bool]) -> list[str]:
    """Parts between the letters that separate them and stand in no round bracket."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth = max(0, depth + (char == "(") - (char == ")"))
        if depth == 0 and separates(char):
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
