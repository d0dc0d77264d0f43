"""The collected exercises as a student types them, and whether a student finds the command."""

from __future__ import annotations

import pytest

from rlcalc.exact import equal, parse_number
from tests.command import run
from tests.study import exercises

PROCESSES = exercises.processes()
ALL = list(exercises.exercises())
LINES = [line for exercise in ALL for line in exercise.lines]


@pytest.mark.parametrize("line", LINES, ids=[f"{line.exercise}-{n}" for n, line in enumerate(LINES)])
def test_an_exercise_is_answered_as_it_is_typed(line: exercises.Line) -> None:
    found = exercises.printed(line, PROCESSES)
    wanted = line.answer.replace(";", " ").split()
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one == other or equal(parse_number(one), parse_number(other)), (one, other)


def test_no_answer_is_wider_than_a_terminal() -> None:
    for line in LINES:
        if line.exercise in ("E04", "E07", "E31", "E57", "E93"):  # long fractions, long rows, seventy states
            code, out, _ = run(*line.words(PROCESSES))
            assert code == 0
            assert max(map(len, out.splitlines())) <= 80, line.typed


def test_all_are_here_and_each_has_lines_or_says_why_not() -> None:
    assert len({exercise.id for exercise in ALL}) == 75
    assert all(exercise.lines or exercise.why for exercise in ALL)


@pytest.mark.parametrize("exercise", ALL, ids=[exercise.id for exercise in ALL])
def test_words_of_the_question_lead_to_the_command(exercise: exercises.Exercise) -> None:
    assert 2 <= len(exercise.find.replace("-", " ").split()) <= 3
    assert exercises.found(exercise) is not None


def test_the_page_is_of_today() -> None:
    """``python -m tests.study.exercises`` writes it."""
    assert exercises.PAGE.read_text("utf-8") == exercises.page()
