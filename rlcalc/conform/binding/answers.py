"""What can be answered to probing arguments, rightly, under conventions and with faults, and what was."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.composition import composed, pairs, together
from rlcalc.conform.convention import Convention
from rlcalc.conform.faults import catalogue
from rlcalc.conform.vectors import golden_vectors, reference
from rlcalc.specs import Formula

# single precision inside, and small ε, are no reason to doubt what an argument means
NEAR = 2e-4
MOST_TOGETHER = 3
# of a constant that may be 0; 0 itself would be no number where it divides
UNSEEN = 1e-8

Outputs = Mapping[str, Any]


@dataclass
class Answers:
    """What can be answered to probing arguments: rightly, under conventions, with faults."""

    formula: Formula
    known: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What the formula takes where nothing is given."""
        vectors = golden_vectors(self.formula.name)
        return {
            p.name: next((v.arrays[p.name] for v in vectors if p.name not in v.given), None)
            for p in self.formula.parameters
        }

    @cached_property
    def conventions(self) -> list[tuple[str, ...]]:
        ways = [c for c in (*catalogue(self.formula.name).conventions, *self.unseen) if c.call is None]
        some = [tuple(x) for k in range(MOST_TOGETHER + 1) for x in combinations(ways, k) if together(x)]
        self._ways = {tuple(c.name for c in chosen): chosen for chosen in some}
        return list(self._ways)

    @cached_property
    def unseen(self) -> list[Convention]:
        """Open conventions whose constants may be too small to be seen, with such: they are found later."""
        known = catalogue(self.formula.name)
        named = {way.name for way in known.conventions}
        return [
            replace(way, values=(UNSEEN,) * len(way.constants))
            for way in known.families
            if all(constant.zero for constant in way.constants) and way.name not in named
        ]

    def sees_all(self, names: tuple[str, ...]) -> bool:
        """Whether conventions are the whole reading, without a constant that is found later."""
        return not any(way.name in names for way in self.unseen)

    @cached_property
    def sets(self) -> dict[str, str]:
        """Parameters that conventions give one value, by convention."""
        return {way.name: way.sets for way in (*catalogue(self.formula.name).conventions, *self.unseen)}

    @cached_property
    def faults(self) -> list[tuple[str, ...]]:
        """A fault, alone or under a convention, or two where one of them is about batches."""
        known = catalogue(self.formula.name).conventions
        most = 2 if any(way.reduces for way in known) else 1
        under = [names for names in self.conventions if len(names) <= most]
        return [(f.name, *names) for names, f in product(under, catalogue(self.formula.name).faults)]

    @cached_property
    def pairs(self) -> list[tuple[str, ...]]:
        """Two faults at once, as they are and where one flag says that an episode is over."""
        both = [" + ".join(f.name for f in pair) for pair in pairs(catalogue(self.formula.name).faults)]
        ways = [names for names in self.conventions if names in ((), ("truncation-as-termination",))]
        return [(names, *way) for way in ways for names in both]

    def right(self, given: Mapping[str, Any], names: tuple[str, ...]) -> Outputs:
        return self._of(given, names, (), self._ways[names])

    def faulty(self, given: Mapping[str, Any], names: tuple[str, ...]) -> Outputs:
        known = {fault.name: fault for fault in catalogue(self.formula.name).faults}
        faults = tuple(known[name] for name in names[0].split(" + "))
        return self._of(given, names, faults, self._ways[names[1:]])

    def _of(self, given: Mapping[str, Any], names: tuple[str, ...], faults: Any, ways: Any) -> Outputs:
        arrays = [np.asarray(value) for value in given.values() if value is not None]
        key = (names, bool(faults), *((array.shape, array.tobytes()) for array in arrays))
        if key not in self.known:
            form = composed(faults, ways, reference(self.formula))
            own = {p.name for p in self.formula.parameters}
            asked: dict[str, Any] = {p: given[p] if p in given else self.defaults.get(p) for p in own}
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing
                    found = form(**{n: v.copy() if hasattr(v, "copy") else v for n, v in asked.items()})
            except Exception:  # a fault may be one that raises
                found = {}
            self.known[key] = {n: np.asarray(v) for n, v in found.items() if v is not None}
        outputs: Outputs = self.known[key]
        return outputs


def matched(parts: Mapping[str, Any], right: Outputs, names: Sequence[str]) -> dict[str, str]:
    """Places of the parts of an answer that are right, by the output that they are."""
    found: dict[str, str] = {}
    for name in (name for name in names if name in right):
        for place, array in parts.items():
            fits = place not in found.values() and array.shape == right[name].shape
            if fits and near(array, right[name]).all():
                found[name] = place
                break
    return found


def near(array: Any, right: Any) -> Any:
    """Which entries are right, within what single precision and small ε may cost."""
    with np.errstate(all="ignore"):
        size = 1 + np.abs(right)
        return np.abs(array.astype(np.float64) - right) <= NEAR * size


def whitened(array: Any, right: Outputs, valid: Any = None) -> bool:
    """Whether a part is the advantages over their deviation, with their mean taken away or kept."""
    plain = right.get("advantages")
    if plain is None or plain.shape != array.shape or plain.size < 2:
        return False
    if valid is not None:
        plain, array = plain[valid], array[valid]
    wanted = (plain - plain.mean()) / plain.std()
    got = array.astype(np.float64)
    scales, means = (1.0, np.sqrt(1 - 1 / plain.size)), (0.0, plain.mean())
    return any(np.allclose(got, wanted * k + mean, atol=1e-3) for k, mean in product(scales, means))
