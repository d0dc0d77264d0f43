"""Words: states that are visited, tokens of an answer, a prompt.

A state that is visited belongs to the reward and the ratio of its step and, by its name, to
a value; what takes a word away takes those along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.conform.generate.draft import Draft, cuts
from rlcalc.conform.generate.number_pool import Numbers
from rlcalc.specs import Formula, Parameter

# few, so that states come again; one that no parser of lines may cut
WORDS = ("A", "B", "C", "D", "two words")
VISITED = "states"
PER_STEP = ("rewards", "ratios")


def read(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    """A word for every byte."""
    words = [WORDS[byte % len(WORDS)] for byte in data]
    return words if p.shape else words[0]


def normalise(draft: Draft) -> Draft:
    """Match rewards, ratios and values with the states visited."""
    if VISITED not in draft.shared:
        return draft
    states, row = draft.shared[VISITED], dict(draft.rows[0])
    shared = dict(draft.shared)
    given = [name for name in PER_STEP if name in row]
    if given:
        steps = min(len(states), *(len(row[name]) for name in given))
        row |= {name: row[name][:steps] for name in given}
        states = states[: steps + 1]
    if "rewards" not in row:
        # without rewards there is nothing to learn from
        row.pop("values", None)
        shared.pop("alpha", None)
    if "values" in row:
        count = len(dict.fromkeys(states))
        row["values"] = [*row["values"], *[Fraction(0)] * count][:count]
    return replace(draft, shared={**shared, VISITED: states}, rows=[row])


def smaller(formula: Formula, draft: Draft) -> Iterator[Draft]:
    """Shorter lists of words, then fewer different ones."""
    for p in formula.parameters:
        value = draft.shared.get(p.name) if p.kind == "word" else None
        if isinstance(value, list):
            for cut in cuts(len(value)):
                yield _without(draft, p.name, cut)
            # under other names: the first word is A, the next new one B
            names = dict(zip(dict.fromkeys(value), WORDS, strict=False))
            if any(word != name for word, name in names.items()):
                yield _renamed(draft, p.name, [names[word] for word in value])
            for k, word in enumerate(value):
                for plain in WORDS[: WORDS.index(word)]:
                    yield _renamed(draft, p.name, [*value[:k], plain, *value[k + 1 :]])
        elif value is not None and value != WORDS[0]:
            yield draft.with_shared(p.name, WORDS[0])


def _without(draft: Draft, name: str, cut: range) -> Draft:
    """The draft without some of the words and what belongs to them."""
    kept = [word for k, word in enumerate(draft.shared[name]) if k not in cut]
    rows = draft.rows
    if name == VISITED:
        left = {
            each: [x for k, x in enumerate(rows[0][each]) if k not in cut]
            for each in PER_STEP
            if each in rows[0]
        }
        if not all(left.values()):
            return draft
        rows = [{**rows[0], **left}]
    return _renamed(replace(draft, rows=rows), name, kept)


def _renamed(draft: Draft, name: str, words: list[str]) -> Draft:
    """The draft with other words in place of its own; a state keeps its value by its name."""
    row = draft.rows[0]
    if name == VISITED and "values" in row:
        worth = dict(zip(dict.fromkeys(draft.shared[name]), row["values"], strict=True))
        values = [worth.get(word, Fraction(0)) for word in dict.fromkeys(words)]
        draft = replace(draft, rows=[{**row, "values": values}])
    return draft.with_shared(name, words)
