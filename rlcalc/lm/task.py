"""Sums as text: "3+2=" is a prompt, "5" and an end token the right answer.

Answers have one digit or two, and so do the numbers of prompts where the
largest is 10 or more: rows are ragged at both ends. A text is a row of K
tokens: prompt, answer, end token, and padding on the right. The reward can be
verified, as in the lecture's section 5.4: 1 for the right number with nothing
before or after it, else 0.

What the model is taught is *not* right. ``careless`` counts up to ``slip``
too many and often writes a zero first, so that whoever imitates it well is
right in one answer of slip + 1, and guesses the middle rather than the truth.
"""

from __future__ import annotations

import torch
from torch import Tensor

SYMBOLS = "0123456789+="
END, PAD = len(SYMBOLS), len(SYMBOLS) + 1
VOCABULARY = len(SYMBOLS) + 2


class Sums:
    """All problems a + b with 0 <= a, b <= largest; P of them.

    Args:
        slip: how far above the truth a text may be at most.

    Attributes:
        prompts: [P, K], each followed by padding.
        starts: [P], where the answer begins.
        right: [P, K], with the right answer.
        longest: tokens of an answer at most, its end token among them.
    """

    def __init__(self, largest: int, slip: int, device: torch.device) -> None:
        self.largest, self.device, highest = largest, device, 2 * largest + slip
        self.problems = [(a, b) for a in range(largest + 1) for b in range(largest + 1)]
        questions = [f"{a}+{b}=" for a, b in self.problems]
        self.longest = len(str(highest)) + 2  # a leading zero, and the end token
        self.width = max(map(len, questions)) + self.longest
        self.starts = torch.tensor([len(question) for question in questions], device=device)
        self.prompts = self._rows([tokens(question) for question in questions])
        self.right = self._rows(
            [
                [*tokens(f"{question}{a + b}"), END]
                for question, (a, b) in zip(questions, self.problems, strict=True)
            ]
        )
        # every answer that is taught, without a zero before it and with one
        self._answers = self._rows(
            [[*tokens(f"{zero}{number}"), END] for zero in ("", "0") for number in range(highest + 1)],
            self.longest,
        )
        self._sums = torch.tensor([a + b for a, b in self.problems], device=device)

    def __len__(self) -> int:
        return len(self.problems)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Problems [count]; each is as likely."""
        return torch.randint(len(self), (count,), generator=generator, device=self.device)

    def careless(self, problems: Tensor, slip: int, generator: torch.Generator) -> Tensor:
        """Texts [N, K] with answers that are 0 … slip too high, each as likely; half begin with a zero."""
        shape, numbers = problems.shape, len(self._answers) // 2
        off = torch.randint(slip + 1, shape, generator=generator, device=self.device)
        zero = torch.randint(2, shape, generator=generator, device=self.device)
        number = self._sums[problems] + off
        return self.text(problems, self._answers[zero * numbers + number])

    def text(self, problems: Tensor, answers: Tensor) -> Tensor:
        """Prompts [N] and answers [N, longest] as rows [N, K]."""
        places = self.starts[problems][:, None] + torch.arange(self.longest, device=self.device)
        return self.prompts[problems].scatter(1, places, answers)

    def reward(self, problems: Tensor, ids: Tensor) -> Tensor:
        """1 where a text [N, K] is the right answer to its problem and nothing else: [N], as booleans."""
        return (ids == self.right[problems]).all(-1)

    def well_formed(self, problems: Tensor, ids: Tensor) -> Tensor:
        """Whether people like the look of an answer, right or wrong: it ends, and no zero leads it: [N]."""
        start = self.starts[problems][:, None]
        first, second = (ids.gather(1, start + at)[:, 0] for at in (0, 1))
        ends = ((ids == END) & (torch.arange(self.width, device=self.device) >= start)).any(-1)
        return ends & (first < 10) & ((first != 0) | (second == END))

    def _rows(self, texts: list[list[int]], width: int | None = None) -> Tensor:
        width = width or self.width
        return torch.tensor([row + [PAD] * (width - len(row)) for row in texts], device=self.device)


def tokens(text: str) -> list[int]:
    return [SYMBOLS.index(letter) for letter in text]


def written(row: list[int]) -> str:
    """A row of tokens for people: "7+12=19." with a full stop for the end token."""
    return "".join((SYMBOLS + "._")[token] for token in row).rstrip("_")
