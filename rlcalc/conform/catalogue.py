"""What is known about a formula besides its right answer: its faults and its conventions, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import CLASSES, Fault
from rlcalc.errors import UnknownName, shown, suggestion


@dataclass(frozen=True)
class Catalogue:
    """What is declared about one formula.

    Attributes:
        conventions: those that say all by their name.
        families: open ones, each with constants that are found or declared.
        excuses: those that take inputs away, and are only declared.
    """

    formula: str
    faults: tuple[Fault, ...] = ()
    conventions: tuple[Convention, ...] = ()
    families: tuple[Convention, ...] = ()
    excuses: tuple[Convention, ...] = ()
    _names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # a family may share its name with what it is without a constant
        names = [fault.name for fault in self.faults] + [way.name for way in self.conventions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.formula}: declared twice: {', '.join(twice)}")
        object.__setattr__(self, "_names", frozenset(fault.name for fault in self.faults))

    @classmethod
    def declared(cls, formula: str, faults: Iterable[Any], conventions: Iterable[Any]) -> Catalogue:
        """The faults and conventions among some values, in order.

        Args:
            faults: values of the module of the formula's faults; a tuple of them counts as its entries.
            conventions: values of the module of all conventions.
        """
        ways = [c for c in conventions if isinstance(c, Convention) and formula in c.used_by]
        ways = [replace(c, formula=formula, order=order) for order, c in enumerate(ways)]
        return cls(
            formula,
            tuple(replace(f, formula=formula) for f in _flat(faults) if isinstance(f, Fault)),
            tuple(c for c in ways if not (c.open or c.excuses)),
            tuple(c for c in ways if c.open),
            tuple(c for c in ways if c.excuses),
        )

    @property
    def named(self) -> tuple[Convention, ...]:
        """All conventions by name; one that says all by its name stands for the family of that name."""
        plain = {way.name for way in self.conventions}
        return (*self.conventions, *self.excuses, *(w for w in self.families if w.name not in plain))

    def is_fault(self, name: str) -> bool:
        return name in self._names

    def of_class(self, kind: str) -> Catalogue:
        """The same with the faults of one class only.

        Raises:
            UnknownName: ``unknown_fault_class``.
        """
        if kind not in CLASSES:
            hint = suggestion(kind, list(CLASSES)) or f"There are {', '.join(CLASSES)}."
            raise UnknownName("unknown_fault_class", f"There is no class of faults {shown(kind)}.", hint)
        return replace(self, faults=tuple(fault for fault in self.faults if fault.kind == kind))

    def chosen(self, names: Sequence[str]) -> tuple[Convention, ...]:
        """Conventions by name; those with constants as ``name=value`` or ``name=value,value``.

        Raises:
            UnknownName: ``unknown_convention``.
            InputError: ``bad_constant``.
        """
        return tuple(self._chosen(name) for name in names)

    def _chosen(self, name: str) -> Convention:
        plain = {convention.name: convention for convention in (*self.conventions, *self.excuses)}
        families = {family.name: family for family in self.families}
        if name in plain:
            return plain[name]
        bare, equals, text = name.partition("=")
        if bare in families:
            return families[bare].read_values(text if equals else "")
        typed = [*plain, *(f"{family}=…" for family in families)]
        hint = suggestion(name, [*plain, *families]) or (
            f"There are {', '.join(typed)}." if typed else "It has no declared conventions."
        )
        raise UnknownName("unknown_convention", f"{self.formula} has no convention {shown(name)}.", hint)


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Values, and those of tuples among them."""
    for value in values:
        yield from value if isinstance(value, tuple) else (value,)
