"""The sums, their texts and rewards: against strings and sums of Python."""

from __future__ import annotations

import pytest
import torch

from rlcalc.lm.check import texts
from rlcalc.lm.task import END, PAD, Sums, tokens, written

CPU = torch.device("cpu")


@pytest.fixture
def sums() -> Sums:
    return Sums(10, 4, CPU)


def test_prompts_and_right_answers_are_these_texts(sums: Sums) -> None:
    assert len(sums) == 121
    for (a, b), prompt, right in zip(sums.problems, sums.prompts.tolist(), sums.right.tolist(), strict=True):
        assert written(prompt) == f"{a}+{b}="
        assert written(right) == f"{a}+{b}={a + b}."
    # neither prompts nor answers are of one length
    assert {len(written(row)) for row in sums.prompts.tolist()} == {4, 5, 6}
    assert {len(written(row).partition("=")[2]) for row in sums.right.tolist()} == {2, 3}


def test_the_careless_teacher_counts_too_many_and_likes_zeros(sums: Sums) -> None:
    generator = torch.Generator().manual_seed(0)
    problems = sums.draw(4000, generator)
    seen = []
    for problem, row in zip(problems.tolist(), sums.careless(problems, 4, generator).tolist(), strict=True):
        question, _, answer = written(row).partition("=")
        assert question == "{}+{}".format(*sums.problems[problem])
        assert answer.endswith(".")
        seen.append((int(answer[:-1]) - sum(sums.problems[problem]), answer[0] == "0" and len(answer) > 2))
    for off in range(5):  # each as likely: five deviations of a share of 4000
        assert abs(sum(x == off for x, _ in seen) / 4000 - 0.2) < 5 * (0.2 * 0.8 / 4000) ** 0.5
    assert abs(sum(zero for _, zero in seen) / 4000 - 0.5) < 5 * 0.5 / 4000**0.5
    assert {off for off, _ in seen} == set(range(5))


@pytest.mark.parametrize(
    ("answer", "right", "formed"),
    [("15.", 1, 1), ("015.", 0, 0), ("15", 0, 0), ("155.", 0, 1), ("16.", 0, 1), (".", 0, 0), ("0.", 0, 1),
     ("15._", 1, 1), ("1+5.", 0, 1), ("+15.", 0, 0), ("5151", 0, 0)],
)  # fmt: skip
def test_what_is_paid_and_what_people_like(sums: Sums, answer: str, right: int, formed: int) -> None:
    problem = torch.tensor([sums.problems.index((7, 8))])
    spelt = [{".": END, "_": PAD}.get(letter) or tokens(letter)[0] for letter in answer]
    row = sums.text(problem, torch.tensor([spelt + [PAD] * (sums.longest - len(spelt))]))
    assert sums.reward(problem, row).tolist() == [bool(right)]
    assert texts.rewards(row) == [right]
    assert sums.well_formed(problem, row).tolist() == [bool(formed)]
    assert texts.well_formed(row) == [formed]


def test_where_an_answer_stands_is_read_off_its_letters(sums: Sums) -> None:
    rows = torch.tensor(
        [tokens("7+8=15") + [END] + [PAD] * 3, tokens("10+10=2020"), tokens("1+2=3456") + [PAD] * 2]
    )
    assert texts.answer_mask(rows, 4).int().tolist() == [
        [0, 0, 0, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1, 1],
        [0, 0, 0, 1, 1, 1, 1, 0, 0],
    ]
