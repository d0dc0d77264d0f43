"""What can be answered to probing arguments, rightly, under conventions and with faults, and what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import combinations, product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.naming.composition import composed, pairs, together
from rlcalc.conform.target.call import quiet
from rlcalc.conform.target.policies import SENT
from rlcalc.conform.vectors import golden_vectors, reference
from rlcalc.specs import Formula, load_formula

# single precision inside, and small ε, are no reason to doubt what an argument means
NEAR = 2e-4
MOST_TOGETHER = 3
# arguments whose answers are kept
MOST_ASKED = 64
# of a constant that may be 0; 0 itself would be no number where it divides
UNSEEN = 1e-8

Outputs = Mapping[str, Any]


@dataclass
class Answers:
    """What can be answered to probing arguments: rightly, under conventions, with faults."""

    formula: Formula
    known: dict[Any, Asked] = field(default_factory=dict)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """What the formula takes where nothing is given."""
        vectors = golden_vectors(self.formula.name)
        return {
            p.name: next((v.arrays[p.name] for v in vectors if p.name not in v.given), None)
            for p in self.formula.parameters
        }

    @cached_property
    def ways(self) -> dict[tuple[str, ...], tuple[Convention, ...]]:
        """Conventions that can hold together, by their names."""
        ways = [c for c in (*catalogue(self.formula.name).conventions, *self.unseen) if c.call is None]
        some = [tuple(x) for k in range(MOST_TOGETHER + 1) for x in combinations(ways, k) if together(x)]
        return {tuple(c.name for c in chosen): chosen for chosen in some}

    @property
    def conventions(self) -> list[tuple[str, ...]]:
        return list(self.ways)

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

    @cached_property
    def by_name(self) -> dict[str, Fault]:
        return {fault.name: fault for fault in catalogue(self.formula.name).faults}

    def asked(self, given: Mapping[str, Any]) -> Asked:
        """The answers to arguments; who asks again gets those that are known."""
        key = tuple((name, _bytes(value)) for name, value in given.items() if value is not None)
        if key not in self.known:
            if len(self.known) >= MOST_ASKED:
                self.known.clear()
            self.known[key] = Asked(self, dict(given))
        return self.known[key]

    def right(self, given: Mapping[str, Any], names: tuple[str, ...]) -> Outputs:
        return self.asked(given).right(names)


@cache
def answers_of(formula: str) -> Answers:
    """Those of a formula, which every search for a reading shares."""
    return Answers(load_formula(formula))


@dataclass
class Asked:
    """The answers to some arguments, each computed when it is first looked at."""

    of: Answers
    given: Mapping[str, Any]
    known: dict[tuple[str, ...], Outputs] = field(default_factory=dict)

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """All arguments of the form, those that are not given as the formula's vectors leave them."""
        own = (p.name for p in self.of.formula.parameters)
        return {p: self.given[p] if p in self.given else self.of.defaults.get(p) for p in own}

    def right(self, ways: tuple[str, ...]) -> Outputs:
        """Under conventions."""
        return self._of(ways, (), ways)

    def faulty(self, names: tuple[str, ...]) -> Outputs:
        """With a fault, or two with a plus between, and then conventions."""
        return self._of(names, tuple(self.of.by_name[name] for name in names[0].split(" + ")), names[1:])

    def _of(self, names: tuple[str, ...], faults: tuple[Fault, ...], ways: tuple[str, ...]) -> Outputs:
        if names not in self.known:
            form = composed(faults, self.of.ways[ways], reference(self.of.formula))
            try:
                with quiet(RuntimeWarning):  # the mean of nothing
                    found = form(**{n: v.copy() if hasattr(v, "copy") else v for n, v in self.arrays.items()})
            except Exception:  # a fault may be one that raises
                found = {}
            whole = {n: np.asarray(v) for n, v in found.items() if v is not None}
            firsts = {o.name: whole[o.of][..., 0] for o in self.of.formula.outputs if o.of in whole}
            self.known[names] = {**whole, **firsts}
        return self.known[names]


def _bytes(value: Any) -> Any:
    """A value as part of a key: numbers by their bytes, tables and steps as they are written."""
    array = None if hasattr(value, "label") else np.asarray(value)
    if array is None or array.dtype.hasobject:
        return repr(value)
    return array.dtype.str, array.shape, array.tobytes()


def matched(parts: Mapping[str, Any], right: Outputs, names: Sequence[str]) -> dict[str, str]:
    """Places of the parts of an answer that are right, by the output that they are."""
    found: dict[str, str] = {}
    for name in (name for name in names if name in right):
        for place, array in parts.items():
            # what is sent back is there as an objective, so that its sign counts
            sent = place.startswith(SENT) and name in ("loss", "losses")
            if place not in found.values() and not sent and alike(array, right[name]):
                found[name] = place
                break
    return found


def alike(array: Any, right: Any) -> bool:
    """Whether all entries are right; most that are not differ in the first already, which costs least."""
    if array.shape != right.shape:
        return False
    first = (0,) * array.ndim
    return not array.size or bool(near(array[first], right[first]) and near(array, right).all())


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
