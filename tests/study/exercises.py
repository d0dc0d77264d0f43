"""The collected exercises: command lines, answers, and the page that shows them.

``python -m tests.study.exercises`` writes the page.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.command import run

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "exercises.toml"
PAGE = ROOT / "docs" / "tutorials" / "exercises.md"


def grid_with_15(changed: bool) -> str:
    """The 4×4 grid of example 4.1 with state 15 below 13 (exercise 4.2)."""
    lines = []
    for s in range(1, 15):
        row, column = divmod(s, 4)
        for name, there in {
            "U": (row - 1, column),
            "D": (row + 1, column),
            "L": (row, column - 1),
            "R": (row, column + 1),
        }.items():
            inside = 0 <= there[0] < 4 and 0 <= there[1] < 4
            after = 4 * there[0] + there[1] if inside else s
            target = "end" if after in (0, 15) else str(after)
            if changed and s == 13 and name == "D":
                target = "15"
            lines.append(f"{s} {name} -> {target} 1 -1")
    lines += [f"15 {name} -> {after} 1 -1" for name, after in zip("LURD", (12, 13, 14, 15), strict=True)]
    return "; ".join([*lines, "terminal: end", "gamma: 1"])


@dataclass(frozen=True)
class Line:
    """A command line, what of its answer is asked for, and the answer."""

    exercise: str
    typed: str
    place: str
    answer: str

    def words(self, processes: dict[str, str]) -> list[str]:
        """The words of the line, with processes in place of their names."""
        words = shlex.split(self.typed)
        return [processes.get(word[1:-1], word) for word in words]


@dataclass(frozen=True)
class Exercise:
    """An exercise: its lines, or why it has none, and how its command is looked for."""

    id: str
    title: str
    find: str
    commands: tuple[str, ...]
    lines: tuple[Line, ...]
    why: str


def _table() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))


def processes() -> dict[str, str]:
    """Every process that is written by its name."""
    return {**_table()["process"], "OLD": grid_with_15(False), "NEW": grid_with_15(True)}


def exercises() -> Iterator[Exercise]:
    """All exercises, in their order."""
    for entry in _table()["exercise"]:
        lines = tuple(Line(entry["id"], *line) for line in entry.get("lines", ()))
        yield Exercise(
            entry["id"], entry["title"], entry["find"], tuple(entry["command"]), lines, entry.get("why", "")
        )


def printed(line: Line, known: dict[str, str]) -> list[str]:
    """What the line answers where it is asked: numbers and names, in the order of the page."""
    words = line.words(known)
    if not line.place:
        code, out, err = run(*words, "-q")
        assert code == 0, err
        return _words(out.splitlines()[0])
    code, out, err = run(*words, "--json")
    assert code == 0, err
    output, *indices = line.place.split()
    found = json.loads(out)["outputs"][output]["exact"]
    for index in indices:
        several = [found[int(i)] for i in index.split(",")]
        found = several if "," in index else several[0]
    return _flat(found)


def _flat(found: Any) -> list[str]:
    if isinstance(found, list):
        return [number for part in found for number in _flat(part)]
    return _words(str(found))


def _words(text: str) -> list[str]:
    """Numbers and names of a printed answer; a sum is one number."""
    return re.sub(r" ([-+]) ", r"\1", text.replace(";", " ")).split()


@cache
def found(exercise: Exercise) -> int | None:
    """Where ``rlcalc find`` lists a command of the exercise; None where it does not."""
    code, out, _ = run("find", *exercise.find.split(), "--json")
    hits = [hit["command"] for hit in json.loads(out)["found"]] if code == 0 else []
    return next((place for place, hit in enumerate(hits) if hit in exercise.commands), None)


# queries that were written down, then asked once: asked, first, among the first three, listed (2026-11-29)
HELD_OUT = (55, 34, 41, 47)


def page() -> str:
    """The page of the site: every exercise with its commands and answers."""
    known, all_of_them = _table()["process"], list(exercises())
    places = [found(exercise) for exercise in all_of_them]
    whole = sum(not exercise.why for exercise in all_of_them)
    text = [
        "# Exercises of the field, answered",
        "",
        f"{len(all_of_them)} exercises of textbooks, courses and exams, each with its line and the answer: "
        f"{whole} are answered whole, and what is left of the others is said below. "
        "Every line is run by the tests, and its answer held to one derived by other code.",
        "",
        f"`rlcalc find` with two or three words of the question (third column) lists a right command for "
        f"{sum(place is not None for place in places)} of {len(places)}, "
        f"as the first for {places.count(0)}; the search was given words of these exercises. "
        f"Before it was given any of theirs, {HELD_OUT[0]} queries of our own, in the words of such sheets, "
        f"found a right command {HELD_OUT[3]} times, {HELD_OUT[2]} times among the first three and "
        f"{HELD_OUT[1]} times as the first.",
        "",
        "Processes that stand in braces below are typed as they are here:",
        "",
        "```text",
        *(f"{name}  {process}" for name, process in known.items()),
        "OLD    the 4×4 grid with a state 15 below 13; NEW  the same, and down leads from 13 to 15",
        "```",
        "",
        "| exercise | answer | rlcalc find | command |",
        "|---|---|---|---|",
    ]
    for exercise, place in zip(all_of_them, places, strict=True):
        where = "not found" if place is None else f"{place + 1}."
        head, sought = f"{exercise.id} {exercise.title}", f"{exercise.find} ({where})"
        for line in exercise.lines:
            asked = f"`{line.answer}`" + (f" ({line.place})" if line.place else "")
            text.append(f"| {head} | {asked} | {sought} | `{line.typed}` |")
            head = sought = ""
        if not exercise.lines:
            text.append(f"| {head} | – | {sought} | – |")
    text += ["", "Not answered, or not whole:", ""]
    text += [f"- {exercise.id}: {exercise.why}." for exercise in all_of_them if exercise.why]
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
