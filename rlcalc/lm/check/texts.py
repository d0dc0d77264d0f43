"""What stands in a text, read off its letters: nothing of the task's tables or the sampler's flags.

An answer begins after the equals sign and goes to the first end token, or as
far as answers may go.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlcalc.lm.task import END, PAD, SYMBOLS, written

EQUALS = SYMBOLS.index("=")


def bounds(ids: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """Where the answers of texts [N, K] begin, and the place after their last token: [N, 1] each."""
    places = torch.arange(ids.shape[1], device=ids.device)
    start = (ids == EQUALS).long().argmax(-1, keepdim=True) + 1
    ends = (ids == END) & (places >= start)
    stop = torch.where(ends.any(-1, keepdim=True), ends.long().argmax(-1, keepdim=True) + 1, start + longest)
    return start, stop


def answer_mask(ids: Tensor, longest: int) -> Tensor:
    """The tokens of the answers, their end tokens among them: [N, K−1], column t being token t + 1."""
    start, stop = bounds(ids, longest)
    places = torch.arange(ids.shape[1], device=ids.device)
    return ((places >= start) & (places < stop))[:, 1:]


def labels(ids: Tensor, longest: int, whole: bool, nothing: int) -> Tensor:
    """What is learned of texts [N, K] that a teacher wrote."""
    start, stop = bounds(ids, longest)
    places = torch.arange(ids.shape[1], device=ids.device)
    return torch.where((places < stop) & (whole | (places >= start)), ids, nothing)


def padded(ids: Tensor, longest: int) -> Tensor:
    """Whether nothing but padding follows the answers: [N]."""
    _, stop = bounds(ids, longest)
    places = torch.arange(ids.shape[1], device=ids.device)
    return ((places < stop) | (ids == PAD)).all(-1)


def rewards(ids: Tensor) -> list[float]:
    """1 for "a+b=c." where c is a + b, in plain Python; 0 for any other text."""
    found = []
    for row in ids.tolist():
        question, _, answer = written(row).partition("=")
        first, _, second = question.partition("+")
        found.append(float(answer == f"{int(first) + int(second)}."))
    return found


def well_formed(ids: Tensor) -> list[float]:
    """1 where the answer ends and is a number without a leading zero, in plain Python."""
    found = []
    for row in ids.tolist():
        answer = written(row).partition("=")[2]
        number = answer.removesuffix(".")
        whole = number[:1].isdigit() and (number[0] != "0" or len(number) == 1)
        found.append(float(answer.endswith(".") and whole))
    return found
