"""Which part of an answer is which output: by its value first, by its name where no value fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.answers import Answers, matched, near, whitened
from rlcalc.conform.binding.families.base import Family
from rlcalc.conform.binding.families.named import Named
from rlcalc.conform.binding.families.processes import Processes
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.slopes import WEIGHT
from rlcalc.conform.target.syntax import last_name
from rlcalc.conform.vectors import answer_name, numeric_outputs
from rlcalc.specs import Formula

# what returns are called, and functions that compute them
_RETURNS = re.compile("ret|target|rtg|to_?go")
_ADVANTAGES = re.compile("gae|adv")
# formulas whose answer is all that an agent keeps
OF_TWO_TABLES = ("double_q",)


def _kept(one: str, other: str) -> bool:
    """Whether two equal parts may be one that is kept and returned, and not two that are returned."""
    return not (one.strip("[]").isdigit() and other.strip("[]").isdigit())


class OutputsByValue:
    """Finds the outputs of a formula among the parts of an answer."""

    def __init__(
        self, formula: Formula, family: Family, answers: Answers, target: Target, facts: Facts
    ) -> None:
        self.names = [output.name for output in numeric_outputs(formula)]
        self.answer, self.formula = answer_name(formula), formula
        self.family, self.answers, self.target, self.facts = family, answers, target, facts

    def match(
        self, parts: Mapping[str, Any], given: Mapping[str, Any], names: tuple[str, ...]
    ) -> dict[str, str]:
        """Places of the outputs that an answer under conventions has."""
        found = matched(parts, self.answers.right(given, names), self.names)
        if isinstance(self.family, Processes) and not self.family.whole(found, parts, given):
            return {}
        if self.formula.name in OF_TWO_TABLES and len(found) < len(parts):
            return {}  # one side of the coin may be right alone
        if isinstance(self.family, Tokens | Named):
            found.pop("clipped_fraction", None)  # of a batch, for people to look at: in whatever precision
            return found if self.wanted & found.keys() else {}
        returns = self.answer == "advantages" and "returns" in found and self.gives_returns(found["returns"])
        returns = returns and not self._of_returns_alone(given, names)
        # the first entry of many answers is no answer by itself; a number beside something else is
        many = "" in parts or len(parts) >= np.size(given.get("rewards", 0))
        if isinstance(self.family, Processes):
            return found if self.wanted & found.keys() else {}
        alone = {n for n in self.wanted & found.keys() if n == self.answer or not (found[n] and many)}
        return found if alone or returns else {}

    def _of_returns_alone(self, given: Mapping[str, Any], names: tuple[str, ...]) -> bool:
        """Whether conventions change the returns and not the advantages: these returns speak for no λ."""
        other = self.answers.right(given, names)
        for way in names:
            less = self.answers.right(given, tuple(name for name in names if name != way))
            both = [n for n in ("advantages", "returns") if n in less and n in other]
            alike = [np.array_equal(less[n], other[n]) for n in both]
            if alike == [True, False]:
                return True
        return False

    @cached_property
    def first(self) -> tuple[str, ...]:
        """Outputs that are the first entry of the answer."""
        return tuple(output.name for output in self.formula.outputs if output.of == self.answer)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Outputs of which an answer has one: those that the function is called after, or any.

        Of a sequence the first entry of the answer is enough: the return from where an episode begins.
        """
        if isinstance(self.family, Named):
            possible = self.family.possible(self.facts.names)
            return frozenset(name for name in possible if name in self.called) or possible
        if isinstance(self.family, Tokens | Processes):
            return self.family.answers
        return frozenset({self.answer, *(o.name for o in self.formula.outputs if o.of == self.answer)})

    @property
    def called(self) -> str:
        """The function's own name."""
        return (self.target.called or self.target.name).rpartition(":")[2].rpartition(".")[2].lower()

    def gives_returns(self, place: str) -> bool:
        """Whether returns at this place are called so: what is given as the advantages must be these.

        One of several parts of an answer has no name of its own, and needs none.
        """
        if place.strip("[]").isdigit():
            return True
        if place:
            return bool(_RETURNS.search(last_name(place).lower()))
        inside = "" if "adv" in self.called else self.facts.returned.lower()
        return bool(_RETURNS.search(self.called) or _RETURNS.search(inside))

    def share(self, parts: Mapping[str, Any], given: Mapping[str, Any]) -> float:
        """The largest share of right entries that any part has; −1 where no shape fits.

        What is 0 throughout has none: an array that was never written to is no answer.
        """
        found = -1.0
        for names in self.answers.conventions:
            for name, right in self.answers.right(given, names).items():
                if name in self.names:
                    fits = [a for a in parts.values() if a.shape == right.shape and a.size]
                    found = max([found, *(float(near(a, right).mean()) if a.any() else 0.0 for a in fits)])
        return found

    def rest(
        self,
        parts: Mapping[str, Any],
        known: Mapping[str, str],
        given: Mapping[str, Any],
        names: tuple[str, ...] = (),
    ) -> dict[str, str]:
        """Outputs that are none by value, by their name, or because they are what is left of a pair.

        Args:
            names: conventions under which the others are right.
        """
        right = self.answers.right(given, names)
        left = [n for n in self.names if n not in known and n in right and right[n].ndim]
        taken = {place: parts[place] for place in known.values() if place in parts}
        places = [
            p
            for p, a in parts.items()
            if p not in known.values()
            and not p.startswith(WEIGHT)
            and (any(a.shape == right[n].shape for n in left) or self._promised(left))
            and not whitened(a, right, given.get("mask"))
            and not any(_kept(p, q) and np.array_equal(a, b, equal_nan=True) for q, b in taken.items())
        ]
        found = {}
        for name in left:
            named = [
                p
                for p in places
                if p.rpartition(".")[2].strip("[]'").lower() in (name, name.removesuffix("s"))
            ]
            if named:
                found[name] = named[0]
            elif (
                len(left) == 1
                and len(places) == 1
                and len(parts) == 2
                and (not isinstance(self.family, Tokens) or "returns" in known)
                and not isinstance(self.family, Processes)  # a policy may have the shape of action values
            ):
                found[name] = places[0]
        return found

    def _promised(self, left: list[str]) -> bool:
        """Whether the advantages are missing, which the function is called after: they have another shape."""
        return self.answer == "advantages" and self.answer in left and bool(_ADVANTAGES.search(self.called))

    def by_shape(self, parts: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, str]:
        """The first output, the answer before others, that some part has the shape of; else the answer.

        What is 0 everywhere comes last: it may be an observation that is handed on.
        """
        filled = sorted(parts.items(), key=lambda named: not np.any(named[1]))
        names = [self.answer, *(name for name in self.names if name != self.answer)]
        fitting = (
            {name: place}
            for name in names
            if name in right
            for place, part in filled
            if part.shape == right[name].shape
        )
        return next(fitting, {self.answer: next(iter(parts))})
