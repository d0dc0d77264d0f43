"""``--check``: what is said of an answer that was typed."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from math import isfinite
from typing import Any

import typer

from rlcalc._version import __version__
from rlcalc.cli.argv import split_commas
from rlcalc.cli.numbers import View, exact_text, map_entries, shown
from rlcalc.cli.render import value_lines
from rlcalc.cli.screen import ALARM, ANSWER, CAUTION, FAINT, Screen, write_json
from rlcalc.errors import InputError, visible
from rlcalc.evaluation import Evaluation
from rlcalc.exact import symbols_of, to_float
from rlcalc.study.answers import Judged, judge
from rlcalc.study.mistakes import Mistake, mistakes

SCHEMA = "rlcalc-check-1"
_WORDS = {"exact": "exact", "rounded": "right as rounded", "wrong": "wrong"}
_STYLES = {"exact": ANSWER, "rounded": ANSWER, "wrong": ALARM}
_LABELS = {
    "bug": "known bug",
    "convention": "convention",
    "output": "mixed up",
    "input": "input",
    "sign": "sign",
}


def show_check(found: Evaluation, typed: Sequence[str], form: str, view: View) -> None:
    """Say whether the answer is right, and which mistake gives it where it is not.

    Raises:
        InputError: ``check_wrong_length``, ``check_has_no_steps``, and the codes of the number grammar.
        typer.Exit: with code 1 where it is wrong.
    """
    if form == "latex":
        raise InputError("check_has_no_steps", "--check and --latex do not go together.", "Choose one.")
    names, values = named_entries(typed)
    if not names:
        values = entries(typed, found.answer.output.kind == "word")
    judged = judge(found, values, found.chosen, names)
    named = mistakes(found, judged) if judged.verdict == "wrong" else []
    if form == "json":
        write_json(_document(found, judged, named))
    elif form == "quiet":
        Screen(sys.stdout).line(judged.verdict)
    else:
        _show_text(Screen(sys.stdout), found, judged, named, view)
    if judged.verdict == "wrong":
        raise typer.Exit(1)


_PAIR = re.compile(r"\s*([^=;]+?)\s*=\s*([^=,;\s]+)[\s,;]*")


def named_entries(typed: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names and values of a part of an answer: ``s1=3 s2=4``; empty without names.

    Raises:
        InputError: ``check_mixed``.
    """
    text = " ".join(typed).replace("−", "-")
    if "=" not in text:
        return [], []
    pairs = _PAIR.findall(text)
    if _PAIR.sub("", text).strip():
        raise InputError(
            "check_mixed",
            f"--check has entries with and without a name: {visible(text)}.",
            "Give some by name, as in --check s1=3 's2 left=1/2', or all without.",
        )
    return [name for name, _ in pairs], [value for _, value in pairs]


def entries(typed: Sequence[str], words: bool = False) -> list[str]:
    """Entries of an answer as people write one: ``1 2``, ``1, 2``, ``[1, 2]``, ``1 2; 3 4``.

    Raises:
        InputError: ``check_empty``.
    """
    text = [word.replace("−", "-").strip("[]") for word in typed]
    if not words:
        rows = [row for word in text for row in word.replace(";", " ").split()]
        text = [part for row in rows for part in split_commas(row)]
    found = [part.strip("[]") for part in text if part.strip("[],")]
    if not found:
        raise InputError(
            "check_empty", "--check has no answer after it.", "Type it after the option: --check 11/4"
        )
    return found


def _show_text(
    screen: Screen, found: Evaluation, judged: Judged, named: Sequence[Mistake], view: View
) -> None:
    output = judged.result.output
    given = [answer.text for answer in judged.answers]
    if judged.places is not None:
        given = [f"{name}={text}" for name, text in zip(judged.names, given, strict=True)]
    typed = visible(" ".join(given))
    screen.segments((_WORDS[judged.verdict], _STYLES[judged.verdict]), (f": {output.name} = {typed}", ""))
    if judged.verdict != "exact":
        known = list(judged.truth) if len(judged.truth) > 1 else judged.truth[0]
        start = f"  {'right' if judged.verdict == 'wrong' else 'exactly'}: {output.symbol} = "
        if judged.places is not None:
            within = judged.names[0].strip("()") if len(judged.names) == 1 else ", ".join(judged.names)
            start = start.replace(" =", f"({within}) =")
        screen.lines(value_lines(start, known, found.dtype, view))
    if judged.verdict == "wrong" and len(judged.entries) > 1:
        screen.lines(_wrong_entries(judged, view))
    for mistake in named[:1]:
        _show_mistake(screen, mistake)
    if named[1:]:
        screen.paragraph(f"or: {'; '.join(m.name or m.about for m in named[1:])}", "  ", "    ", FAINT)
    if judged.verdict == "wrong":
        _show_next(screen, found, judged, named)


def _wrong_entries(judged: Judged, view: View) -> list[str]:
    wrong = [k for k, verdict in enumerate(judged.entries) if verdict == "wrong"]
    if len(wrong) == len(judged.entries):
        return []
    first = wrong[0]
    right = judged.truth[first]
    words = right if isinstance(right, str | float) else shown(right, view)
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    which = judged.names[first] if judged.names else f"entry {first} (from 0)"
    return [f"  wrong at {which}: {visible(judged.answers[first].text)}, right is {words}{more}"]


def _show_mistake(screen: Screen, mistake: Mistake) -> None:
    label = f"  {_LABELS.get(mistake.kind, mistake.kind)}: "
    text = f"{mistake.name}. {mistake.about}" if mistake.name else mistake.about
    screen.headed(label, text, CAUTION, "    ")
    if mistake.fix:
        screen.paragraph(f"fix: {mistake.fix}", "    ", "    ")


def _apart(judged: Judged) -> str:
    """How far the first wrong entry lies from the right one; nothing where it is no number."""
    first = judged.entries.index("wrong")
    pair = (judged.answers[first].value, judged.truth[first])
    if any(isinstance(value, str) or (not isinstance(value, float) and symbols_of(value)) for value in pair):
        return ""
    typed, right = (value if isinstance(value, float) else to_float(value) for value in pair)
    if not isfinite(typed - right):
        return ""
    side = "large" if typed > right else "small"
    return f": {visible(judged.answers[first].text)} is {abs(typed - right):.4g} too {side}"


def _show_next(screen: Screen, found: Evaluation, judged: Judged, named: Sequence[Mistake]) -> None:
    if not named:
        screen.line(f"  No known mistake gives this{_apart(judged)}.", FAINT)
    bugs = [mistake.name for mistake in named if mistake.name and " + " not in mistake.name]
    if bugs:
        screen.line(f"  'rlcalc explain {bugs[0]}' tells more.", FAINT)
    screen.line("  Without --check the steps are shown.", FAINT)


def _document(found: Evaluation, judged: Judged, named: Sequence[Mistake]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": __version__,
        "formula": found.formula.name,
        "inputs": found.inputs.texts(),
        "output": judged.result.output.name,
        "verdict": judged.verdict,
        "entries": [
            {
                **({"name": judged.names[place]} if judged.names else {}),
                "typed": answer.text,
                "exact": _plain(right),
                "verdict": verdict,
            }
            for place, (answer, right, verdict) in enumerate(
                zip(judged.answers, judged.truth, judged.entries, strict=True)
            )
        ],
        "mistakes": [mistake.as_json() for mistake in named],
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str | float) else map_entries(exact_text, value)
