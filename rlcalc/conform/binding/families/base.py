"""What every family of formulas has: how arguments are laid out, what is tried, and numbers to probe with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Protocol

from rlcalc._lazy import np
from rlcalc.conform.binding.model import Binding
from rlcalc.specs import Formula

Arrays = dict[str, Any]
# roles that hold the same in every call: what a function has no use for, or takes as a switch
PLAIN: Mapping[str, Any] = {"none": None, "on": True, "off": False, "device": "cpu"}


class Unfit(Exception):
    """Inputs that a binding has no way to hand over."""


class Family(Protocol):
    """How the arguments of some formulas are handed over."""

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place; raises ``Unfit``."""

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; unchanged where its shape says that it is something else."""

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that the binding has a place for."""

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart."""

    def single(self, binding: Binding) -> frozenset[str]:
        """Parameters of which it takes one number only."""
        return frozenset()

    def core(self, formula: Formula) -> frozenset[str]:
        """Roles without which nothing can be computed."""
        return frozenset()


def ways(binding: Binding, **choices: Iterable[Any]) -> Iterator[Binding]:
    """The binding with every choice of some of its fields, of which the last changes first.

    Args:
        choices: what to try, by field; of ``laid`` each is a layout with its form.
    """
    for some in product(*choices.values()):
        changes = dict(zip(choices, some, strict=True))
        if "laid" in changes:
            changes["layout"], changes["form"] = changes.pop("laid")
        yield replace(binding, **changes)


def in_order(laid: Sequence[tuple[str, str]], lists_first: bool) -> Sequence[tuple[str, str]]:
    """Layouts with their forms as they are tried."""
    return sorted(laid, key=lambda pair: pair[1] != "list") if lists_first else laid


def flagged(binding: Binding, flags: Any, kind: Any) -> Any:
    """Flags in the type that a binding has for them.

    Args:
        kind: of numbers.
    """
    return flags.astype({"bool": bool, "float": kind, "int": np.int64}[binding.flags])


def listed(binding: Binding, array: Any) -> Any:
    """An array of its own, or lists of numbers."""
    return array.tolist() if binding.form == "list" else array.copy()


def unlike(shape: tuple[int, ...], seed: int) -> Any:
    """Sixteenths without a pattern."""
    count = math.prod(shape)
    return np.array([(seed * 29 + k * k * 23 + 47 * k) % 101 - 50 for k in range(count)]).reshape(shape) / 16
