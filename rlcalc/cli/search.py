"""Commands by what they are about: a word counts by where it stands, from the name to the small print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rlcalc.cli.aliases import command_names, command_words
from rlcalc.cli.commands import BUILT_IN
from rlcalc.heads import heads
from rlcalc.specs import load_formula

MOST = 8
# what a word counts where it stands, from the name down to the small print
_NAME, _TITLE, _TEXT, _SMALL = 12, 6, 3, 1
_WHOLE = 4  # times as much where it is the whole name
_GREEK = {"λ": " lambda ", "γ": " gamma ", "ε": " epsilon ", "α": " alpha ", "π": " policy ", "δ": " delta "}
# the longest that fits is taken off
_ENDINGS = (
    "isation", "ization", "ations", "ation", "ising", "izing", "ised", "ized", "ing", "ies", "ed", "es",
    "s", "e", "y",
)  # fmt: skip
_IDLE = ("a", "an", "and", "by", "for", "from", "how", "in", "is", "of", "on", "the", "to", "what", "with")


@dataclass(frozen=True)
class Hit:
    """A command with its title, and how well it fits."""

    command: str
    title: str
    score: int


def search(words: Sequence[str]) -> list[Hit]:
    """The commands that fit best: those that fit most words, then by how much the words count there.

    Where some fit every word, others follow only if a word is part of their name.
    """
    wanted = [stem(word) for text in words for word in _split(text) if word not in _IDLE]
    found: list[tuple[int, bool, Hit]] = []
    for command, title, places in _commands():
        points = [_points(word, places) for word in wanted]
        met = sum(map(bool, points))
        if met:
            found.append(
                (met, max(points) == _NAME, Hit(command, title, sum(points) + _joined(words, places)))
            )
    best = sorted(found, key=lambda one: (-one[0], -one[2].score))
    most = best[0][0] if best else 0
    return [hit for met, named, hit in best if met == most or most < len(wanted) or named][:MOST]


Places = Mapping[int, Iterable[str]]


def _commands() -> Iterable[tuple[str, str, dict[int, list[str]]]]:
    """Every command, its title, and its texts by what a word in them counts."""
    others, words = command_names(), command_words()
    for head in heads():
        spec = load_formula(head.name)
        small = [*(p.help for p in spec.parameters), *(o.about for o in spec.outputs), *spec.references]
        small += [f"{way['name']} {way['about']}" for way in spec.conventions]
        yield head.command, head.title, {
            _NAME: [head.command, *others.get(head.command, ())],
            _TITLE: [head.title],
            _TEXT: [spec.about, head.group, *words.get(head.command, ())],
            _SMALL: small,
        }  # fmt: skip
    for command, entry in BUILT_IN.items():
        names, texts = [command, *others.get(command, ())], list(words.get(command, ()))
        yield command, entry.about, {_NAME: names, _TITLE: [entry.about], _TEXT: texts}


def _points(word: str, places: Places) -> int:
    return max((weight for weight, texts in places.items() if word in _stems(texts)), default=0)


def _joined(words: Sequence[str], places: Places) -> int:
    """More where all words together are the name, or another name: ``value iteration``."""
    name = "-".join(part for word in words for part in _split(word))
    return _NAME * _WHOLE if name in places[_NAME] else 0


def _stems(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(one for text in texts for one in _stems_of(text))


@cache
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _split(text))


def _split(text: str) -> list[str]:
    for letter, word in _GREEK.items():
        text = text.replace(letter, word)
    return re.findall(r"[a-z0-9]+", text.lower())


def stem(word: str) -> str:
    """A word without the ending that varies: discount, discounts, discounted."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            rest = word.removesuffix(ending)
            doubled = len(ending) > 1 and len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "ls"
            return rest[:-1] if doubled else rest
    return word


def about(word: str, commands: Iterable[str]) -> str:
    """For an unknown command, those that are about it; empty where none is."""
    known = set(commands)
    found = [hit.command for hit in search([word]) if hit.command in known][:3]
    return f"About that: {', '.join(found)}. 'rlcalc find {word}' shows more." if found else ""
