"""Conventions: other answers that are right where they are declared, some with numbers that users choose.

One is one decorated function in a module of ``rlcalc.conform.conventions``,
whose docstring says what is computed::

    @convention("loss", {"ppo_clip": "nearly every library"})
    def loss(form: Form, /, **arrays: Any) -> Outputs:
        '''The negative of the objective, to be minimised.'''
        return {name: -value for name, value in form(**arrays).items()}
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rlcalc.conform.forms import Arrays, Change, Form
from rlcalc.errors import InputError, shown


@dataclass(frozen=True)
class Constant:
    """A number that users of a convention choose, found from the answers of a target.

    Attributes:
        low, high: between which it may lie; the answers must rise or fall with it all the way.
        zero: what is too small to be seen may be 0.
    """

    name: str
    low: float
    high: float
    zero: bool = False

    @property
    def usual(self) -> float:
        """One value that it may have, for an example."""
        middle = math.sqrt(self.low * self.high) if self.low > 0 else self.high / 2
        return float(f"{middle:.1g}")


# the absolute error that right code may make, in roundings of its dtype
Slack = Callable[..., Any]


@dataclass(frozen=True)
class Convention:
    """A declared interpretation under which other answers are right: not a fault.

    Attributes:
        about: what is computed.
        used_by: who uses it, by formula. A formula without an entry does not have the convention.
        change: as that of a fault; gives the answers of the convention. Its constants follow the form.
        call: changes the arguments that the target is called with (a library that takes no value of the
            last state).
        reduces: it gives one number for a whole batch. It is then seen on batches alone, stands around
            all others, and never together with another of its sort.
        constants: what its users choose; a convention with constants and no values is *open*.
        values: of the constants.
        excuses: inputs of which nothing is asked under it; it has to be declared, and is never found.
        undefined: where it gives nan it says that there is no number: one that is given there has to be the
            formula's own. Others give nan for what is not asked.
        sets: the parameter that has one value under it; no convention of a function that takes it.
        value: that value, where it is one of the parameter's own.
        slack: of the form, the arguments and the values, where rounding is magnified; broadcast to the
            answer.
        rounds: it is the formula itself, with fewer digits; no excuse where all digits are required.
        formula: filled in by the catalogue.
        order: place among those of the formula; the first of several stands around the others.
    """

    name: str
    about: str
    used_by: Mapping[str, str]
    change: Change
    call: Callable[[Arrays], Arrays] | None = None
    reduces: bool = False
    constants: tuple[Constant, ...] = ()
    values: tuple[float, ...] = ()
    slack: Slack | None = None
    rounds: bool = False
    excuses: str = ""
    undefined: bool = False
    sets: str = ""
    value: Any = None
    formula: str = ""
    order: int = 0

    @property
    def users(self) -> str:
        """Who uses it for this formula; may be empty."""
        return self.used_by.get(self.formula, "")

    @property
    def open(self) -> bool:
        """Whether its constants have no values yet."""
        return len(self.values) < len(self.constants)

    def around(self, form: Form) -> Form:
        """The form seen through this convention."""
        return partial(self.change, form, *self.values)

    def with_values(self, values: Sequence[float]) -> Convention:
        """The same with its constants; its name is what a user types to declare it."""
        words = [as_typed(value) for value in values]
        said = ", ".join(f"{c.name} = {word}" for c, word in zip(self.constants, words, strict=True))
        return replace(
            self, name=f"{self.name}={','.join(words)}", about=f"{self.about} Here {said}.", values=(*values,)
        )

    def instance(self, name: str, used_by: Mapping[str, str], *values: float) -> Convention:
        """One of this sort that has a name of its own, by which it was known before."""
        return replace(self.with_values(values), name=name, used_by=used_by)

    def read_values(self, text: str) -> Convention:
        """The same with constants as a user types them.

        Raises:
            InputError: ``bad_constant``.
        """
        names = ",".join(constant.name for constant in self.constants)
        example = ",".join(as_typed(constant.usual) for constant in self.constants)
        values = [_number(part) for part in text.split(",")]
        if len(values) != len(self.constants) or None in values:
            raise InputError(
                "bad_constant",
                f"{shown(self.name + '=' + text)} gives no {names}.",
                f"Type {self.name}=<{names}>, as in {self.name}={example}.",
            )
        numbers = [value for value in values if value is not None]
        for constant, value in zip(self.constants, numbers, strict=True):
            if not (constant.low <= value <= constant.high or (constant.zero and value == 0)):
                raise InputError(
                    "bad_constant",
                    f"{constant.name} of {self.name} lies between {as_typed(constant.low)} and "
                    f"{as_typed(constant.high)}, not at {as_typed(value)}.",
                )
        return self.with_values(numbers)


def as_typed(value: float) -> str:
    """A number in few characters: 1e-5, 0.28, 20."""
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _number(text: str) -> float | None:
    found = re.fullmatch(r"\s*([+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?)\s*", text, re.ASCII)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def convention(
    name: str, used_by: Mapping[str, str], *, constants: Sequence[Constant] = (), **more: Any
) -> Callable[[Change], Convention]:
    """Declare a function of the form, its constants and its arguments as a convention of some formulas.

    ``more`` are attributes of ``Convention``, as the others.
    """

    def declare(change: Change) -> Convention:
        about = " ".join((change.__doc__ or "").split())
        return Convention(name, about, used_by, change, constants=tuple(constants), **more)

    return declare
