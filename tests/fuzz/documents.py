"""Damaged files: shipped ones with a few bytes, lines or values changed."""

from __future__ import annotations

import random
import re
from pathlib import Path

from rlcalc.data import data_folder
from rlcalc.specs import formula_names

VALUES = [
    "1", "-1", "0", "[]", "{}", "[[]]", '""', '"x"', "true", "1.5", "nan", "inf", "9" * 5000,
    "0x" + "f" * 5000,
    '"1e999999999"', '"1/0"', '"nan"', '"six"', '"zoo"', '"exp(1e11)"', f'"{"(" * 300}"', '["1", ["2"]]',
    '"\\ufffe"', '"\\u001b[31m"', '[["f"]]', '{ a = { b = "1" } }', "1979-05-27T07:32:00Z", f'"{"9" * 4500}"',
    '"sqrt(2)"', '"a"', '"1/3"', '"10**10**10"', '"__import__(\'os\')"',
]  # fmt: skip
MDP = """
name = "three"
states = ["a", "b", "c"]
actions = ["go", "stay"]
start = "a"
terminal = ["c"]
P = [
  [["0", "1/2", "1/2"], ["1", "0", "0"]],
  [["0", "0.1", "0.9"], ["1/3", "2/3", "0"]],
  [[0, 0, 1], [0, 0, 1]],
]
R = [["1/2", "-1"], [2, 0.25], [0, 0]]
"""


def damaged(text: str, chance: random.Random) -> bytes:
    """The text with one to four changes; the result need not be a text at all."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        text = chance.choice([_value, _value, _value, _line, _twice, _character, _swap, _cut])(text, chance)
    raw = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        place = chance.randrange(len(raw) + 1)
        raw = raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :]
    return raw


def _value(text: str, chance: random.Random) -> str:
    places = list(re.finditer(r'"[^"\n]*"|(?<=[=\[ ])-?\d+\b', text))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + chance.choice(VALUES) + text[place.end() :]


def _line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]  # another change may have left nothing
    lines.pop(chance.randrange(len(lines)))
    return "".join(lines)


def _twice(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    line = chance.choice(lines)
    lines.insert(chance.randrange(len(lines) + 1), line)
    return "".join(lines)


def _character(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice("\"[]{}=.,\n\\\x00éλ#'\ufffe") + text[place + chance.randrange(2) :]


def _swap(text: str, chance: random.Random) -> str:
    keys = re.findall(r"^[\w.-]+(?= *=)", text, re.M)
    if not keys:
        return text
    return text.replace(chance.choice(keys), chance.choice([*keys, "nosuch", "T", "given", "want"]), 1)


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def file_command(chance: random.Random, folder: Path) -> list[str]:
    """Write a damaged golden or MDP file into a folder, and name a command that reads it."""
    path = folder / f"{chance.randrange(10**9)}.toml"
    if chance.random() < 0.4:
        path.write_bytes(damaged(MDP, chance))
        command = chance.choice(["bellman", "policy-eval", "policy-gradient"])
        words = [command, "--mdp", str(path), "--gamma", "1/2"]
        return words + (["--policy", "uniform"] if command == "policy-eval" else [])
    formula = chance.choice(formula_names())
    text = (data_folder("golden") / f"{formula}.toml").read_text("utf-8")
    # a few cases are enough, and quick: the head and some of what follows it
    head, *cases = re.split(r"(?=^\[\[case\]\])", text, flags=re.M)
    path.write_bytes(damaged(head + "".join(chance.sample(cases, min(3, len(cases)))), chance))
    return chance.choice(
        [
            ["verify", str(path), "--backends", "sympy", "numpy"],
            ["verify", str(path), "--backends", "sympy", "--json"],
            ["golden", "certify", "--check", str(path)],
            ["golden", "certify", str(path)],
        ]
    )
