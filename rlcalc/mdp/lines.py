"""The text format of a process: one transition a line.

    # the racing car
    cool  slow -> cool  1    1
    cool  fast -> cool  1/2  2
    cool  fast -> warm  1/2  2
    warm  slow -> cool  1/2  1
    warm  slow -> warm  1/2  1
    warm  fast -> broken 1 -10
    terminal: broken
    start: cool
    gamma: 9/10

A line is ``state action -> next [probability] [reward]`` separated by spaces; the probability is 1 and the
reward 0 where they are left out. What has one action only may leave out its name. ``reward-of: state 5`` is
a reward that belongs to a state and is paid on leaving it. ``start: A 1/2 B 1/2`` starts at random;
``states: A B`` and ``actions: l r`` fix an order. An action that is not listed in a state does not exist
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rlcalc.errors import InputError, RlcalcError, UnknownName, shown, suggestion
from rlcalc.mdp.draft import Draft
from rlcalc.mdp.model import MDP
from rlcalc.mdp.numbers import check_name, number

_KEY = re.compile(r"([A-Za-z][A-Za-z-]*)\s*:\s*(.*)")
_ARROW = re.compile(r"->|→")
_FORM = "A line is 'state action -> next [probability] [reward]', or one of terminal:, start:, gamma:."
ONLY = "go"  # the action of a line that names none

_Handler = Callable[["_Text", list[str]], None]


def is_lines(text: str) -> bool:
    """Whether a text looks like this format."""
    return "->" in text or "→" in text


def from_lines(text: str, label: str = "", symbols: bool = False) -> MDP:
    """Read a process.

    Args:
        text: lines as above; ``;`` ends a line as well.
        label: how a person would name it again; by default its size.
        symbols: whether letters may stand in its numbers.

    Raises:
        InputError: ``mdp_bad_line`` with the number of the line, and those of ``Draft.build``.
    """
    reader = _Text(label, symbols)
    for count, line in enumerate(text.replace(";", "\n").splitlines(), start=1):
        plain = line.partition("#")[0].strip()
        if plain:
            try:
                reader.read(plain)
            except RlcalcError as error:
                raise type(error)(
                    error.code, f"Line {count} of the process: {error.message}", error.hint
                ) from None
    made = reader.draft.build()
    if label:
        return made
    return replace(made, label=f"MDP of {len(made.states)} states and {len(made.actions)} actions")


class _Text:
    """Lines into a draft."""

    def __init__(self, label: str, symbols: bool) -> None:
        self.draft = Draft(label or "the process")
        self.symbols = symbols
        self.order: dict[str, list[str]] = {"states": [], "actions": []}

    def read(self, line: str) -> None:
        key = _KEY.fullmatch(line)
        if key is not None and not _ARROW.search(line):
            self._key(key[1].lower(), [word.strip(",") for word in key[2].split()])
            return
        left, *rest = _ARROW.split(line, maxsplit=1)
        if not rest:
            raise InputError("mdp_bad_line", f"{shown(line)} has no arrow '->'.", _FORM)
        names, after = left.split(), rest[0].split()
        if len(names) not in (1, 2):
            raise InputError(
                "mdp_bad_line",
                f"{shown(left.strip())} stands before the arrow; expected a state and an action.",
                "Names have no spaces: write cool_down, or cool-down.",
            )
        if not after:
            raise InputError("mdp_bad_line", f"Nothing stands after the arrow in {shown(line)}.", _FORM)
        if len(after) > 3:
            raise InputError(
                "mdp_bad_line",
                f"{shown(' '.join(after[3:]))} is unexpected in {shown(line)}.",
                _FORM,
            )
        state, action = names if len(names) == 2 else (names[0], ONLY)
        for name in (state, action, after[0]):
            check_name(name)
        chance, reward = self._numbers(line, after[1:])
        self.draft.add(state, action, after[0], chance, reward)

    def _numbers(self, line: str, words: list[str]) -> tuple[Any, Any]:
        found = {"p": "1", "r": "0"}
        for key, word in zip("pr", words, strict=False):
            name, sign, text = word.partition("=")
            if sign and name not in found:
                raise InputError(
                    "mdp_bad_line", f"{shown(word)} in {shown(line)} is neither p= nor r=.", _FORM
                )
            found[name if sign else key] = text if sign else word
        return self._number(found["p"], "the probability"), self._number(found["r"], "the reward")

    def _number(self, text: str, what: str) -> Any:
        return number(text, what, self.symbols)

    def _key(self, key: str, words: list[str]) -> None:
        handler = _KEYS.get(key)
        if handler is None:
            hint = suggestion(key, list(_KEYS)) or f"The keys are {', '.join(_KEYS)}."
            raise UnknownName("mdp_unknown_key", f"A process has no key {shown(key)}.", hint)
        if not words:
            raise InputError(
                "mdp_bad_line", f"Nothing stands after '{key}:'.", f"For example: {_EXAMPLE[key]}"
            )
        handler(self, words)

    def terminal(self, words: list[str]) -> None:
        for word in words:
            check_name(word)
        self.draft.terminal += [word for word in words if word not in self.draft.terminal]

    def start(self, words: list[str]) -> None:
        """States, each with its probability where there are several."""
        if len(words) == 1:
            self.draft.start = {words[0]: number("1", "the probability")}
            return
        if len(words) % 2:
            raise InputError(
                "mdp_bad_line",
                f"'start:' takes a state, or states with probabilities, not {shown(' '.join(words))}.",
                f"For example: {_EXAMPLE['start']}",
            )
        self.draft.start = {
            state: self._number(chance, "the probability")
            for state, chance in zip(words[::2], words[1::2], strict=True)
        }

    def discount(self, words: list[str]) -> None:
        if len(words) != 1:
            raise InputError(
                "mdp_bad_line", f"'gamma:' takes one number, not {shown(' '.join(words))}.",
                f"For example: {_EXAMPLE['gamma']}",
            )  # fmt: skip
        self.draft.gamma = self._number(words[0], "gamma")

    def reward_of(self, words: list[str]) -> None:
        if len(words) % 2:
            raise InputError(
                "mdp_bad_line",
                f"'reward-of:' takes a state and a number, not {shown(' '.join(words))}.",
                f"For example: {_EXAMPLE['reward-of']}",
            )
        for state, reward in zip(words[::2], words[1::2], strict=True):
            self.draft.rewards_of[state] = self._number(reward, "the reward")

    def states(self, words: list[str]) -> None:
        self.draft.first = (words, self.draft.first[1])

    def actions(self, words: list[str]) -> None:
        self.draft.first = (self.draft.first[0], words)


_KEYS: dict[str, _Handler] = {
    "terminal": _Text.terminal,
    "start": _Text.start,
    "gamma": _Text.discount,
    "discount": _Text.discount,
    "reward-of": _Text.reward_of,
    "states": _Text.states,
    "actions": _Text.actions,
}
_EXAMPLE = {
    "terminal": "terminal: goal hole",
    "start": "start: A 1/2 B 1/2",
    "gamma": "gamma: 9/10",
    "discount": "discount: 9/10",
    "reward-of": "reward-of: cool 5",
    "states": "states: A B C",
    "actions": "actions: left right",
}
