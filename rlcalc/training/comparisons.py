"""What the checks on a training run compare, and the verdict on it.

Everything is compared on the device; once per update the largest deviations
come to the host together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import CheckFailed
from rlcalc.evaluation import checked
from rlcalc.reference import exact_answer
from rlcalc.specs import load_formula

WITHOUT_DOUBLE = ("mps",)


@dataclass(frozen=True)
class Record:
    """One comparison; ``deviation`` is found against expected, relative where that is larger than 1."""

    name: str
    what: str
    found: Tensor
    expected: Tensor
    deviation: Tensor
    tolerance: float


class Comparisons:
    """Comparisons of an update, and what the checks have come to so far.

    Args:
        about: what each check says, by name, in the order of the report.

    Attributes:
        worst: the largest deviation so far of every check that ran, by name.
        tolerance: what was allowed, by name.
    """

    def __init__(self, about: Mapping[str, str]) -> None:
        self.about = about
        self.worst: dict[str, float] = {}
        self.tolerance: dict[str, float] = {}
        self.failed: set[str] = set()
        self._records: list[Record] = []

    def equal(self, name: str, what: str, found: Tensor, expected: Tensor, tolerance: float) -> None:
        """Two tensors of one shape are equal up to a tolerance, relative where they are larger than 1.

        Raises:
            CheckFailed: ``check_<name>``, at once, when the shapes differ.
        """
        found, expected = _wide(found), _wide(expected)
        if found.shape != expected.shape:
            raise self._failure(name, what, f"shape {list(expected.shape)}", f"shape {list(found.shape)}", "")
        deviation = (found - expected).abs() / expected.abs().clamp_min(1.0)
        self._records.append(Record(name, what, found, expected, deviation, tolerance))

    def between(self, name: str, what: str, found: Tensor | float, low: float, high: float) -> None:
        """Numbers lie in an interval."""
        found = _wide(found if isinstance(found, Tensor) else torch.tensor(found, dtype=torch.float64))
        nearest = found.clamp(low, high)
        self._records.append(Record(name, what, found, nearest, (found - nearest).abs(), 0.0))

    def compare(self, when: str, device: torch.device) -> None:
        """One look at everything that was compared since the last one.

        Raises:
            CheckFailed: ``check_<name>`` of the first check that failed.
        """
        records, self._records = self._records, []
        if not records:
            return
        deviations = [record.deviation for record in records]
        # the sum of nothing is 0
        tops = torch.stack([(d.max() if d.numel() else d.sum()).to(_home(device)) for d in deviations])
        first: Record | None = None
        for record, top in zip(records, tops.tolist(), strict=True):
            worst = self.worst.get(record.name, 0.0)
            # nan must win, whichever side it stands on
            self.worst[record.name] = top if not top <= worst else worst
            self.tolerance[record.name] = max(record.tolerance, self.tolerance.get(record.name, 0.0))
            if not top <= record.tolerance:
                self.failed.add(record.name)
                first = first or record
        if first is not None:
            raise self._at(first, when)

    def report(self) -> list[dict[str, Any]]:
        """Name, verdict and largest deviation of every check that ran, in a fixed order."""
        return [
            {
                "name": name,
                "passed": name not in self.failed,
                "worst": self.worst[name] if math.isfinite(self.worst[name]) else None,
            }
            for name in self.about
            if name in self.worst
        ]

    def _at(self, record: Record, when: str) -> CheckFailed:
        deviation = torch.nan_to_num(record.deviation, nan=math.inf).reshape(-1)
        at = int(deviation.argmax())
        place = [int(x) for x in torch.unravel_index(torch.tensor(at), record.deviation.shape)]
        where = f"{record.what} at {place}" if place else record.what
        return self._failure(
            record.name,
            f"{where}, {when}",
            f"{record.expected.reshape(-1)[at].item():.10g}",
            f"{record.found.reshape(-1)[at].item():.10g}",
            f"; the difference may be {record.tolerance:.0e}" if record.tolerance else "",
        )

    def _failure(self, name: str, where: str, expected: str, found: str, allowed: str) -> CheckFailed:
        self.worst.setdefault(name, math.inf)
        self.failed.add(name)
        return CheckFailed(
            f"check_{name}",
            f"Check {name} failed: {self.about[name]}. "
            f"Expected {expected}, found {found} ({where}{allowed}).",
            "The run stopped; its last checkpoint was written before this iteration.",
        )


def tolerance(like: Tensor, single: float = 1e-5, double: float = 1e-12) -> float:
    """How far rounding alone may lead, in the dtype of a tensor."""
    return double if like.dtype == torch.float64 else single


def exact_outputs(formula: str, **given: Any) -> dict[str, Any]:
    """Exact outputs in rational arithmetic: what the calculator's steps come to.

    The steps themselves would be SymPy's, whose import costs a fifth of a run.
    """
    return exact_answer(checked(load_formula(formula), given))


def _home(device: torch.device) -> torch.device:
    """Where numbers of a device are compared in float64: there, or on the CPU if it has no such numbers."""
    return torch.device("cpu") if device.type in WITHOUT_DOUBLE else device


def _wide(x: Tensor) -> Tensor:
    return x.detach().to(_home(x.device)).double()
