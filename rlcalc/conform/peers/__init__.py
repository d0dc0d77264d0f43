"""Released libraries under test: one module per library, used only when it is installed.

A module ``rlcalc.conform.peers.<name>`` has ``DISTRIBUTION`` (what is
installed), and ``ADAPTERS``. An adapter's ``load`` imports the library and
returns a function of the canonical keyword arguments; it translates names,
shapes and flags, and repairs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rlcalc.errors import UnknownName, shown, suggestion

if TYPE_CHECKING:
    from rlcalc.conform.target.base import Target
    from rlcalc.conform.vectors import Vector

LIBRARIES = ("rlax", "torchrl", "stable_baselines3", "tianshou", "pfrl", "trl", "verl")


@dataclass(frozen=True)
class Adapter:
    """One function of a library as a target.

    Attributes:
        function: dotted name in the library, for the report.
        formula: the formula that it is held to.
        load: imports the library and returns the function to call; it is given ``variant``, if there is one.
        variant: which one of several functions, or settings, that are called in the same way.
        backend: arrays that it takes.
        conventions: those that the library documents, as names of declared conventions.
        note: where it documents them, or what the adapter had to choose.
        dtypes: floating dtypes that the library promises to keep.
        helpers: functions of the adapter's module that ``load`` uses; a counterexample repeats them.
        outside: says why a vector asks for what the function does not offer; empty when it does not.
    """

    function: str
    formula: str
    load: Callable[..., Callable[..., Any]]
    backend: str = "numpy"
    conventions: tuple[str, ...] = ()
    note: str = ""
    dtypes: tuple[str, ...] = ("float64", "float32")
    helpers: tuple[Callable[..., Any], ...] = ()
    outside: Callable[[Vector], str] | None = None
    variant: str = ""

    def target(self, limit: float = 60.0) -> Target:
        """The library's function as a target; this imports the library.

        The limit is generous: a first call may compile.
        """
        from inspect import getsource

        from rlcalc.conform.target.base import from_function

        chosen = (self.variant,) if self.variant else ()
        found = from_function(self.load(*chosen), self.function, self.backend, limit, self.dtypes)
        parts = [getsource(part).rstrip() for part in (*self.helpers, self.load)]
        words = ", ".join(f'"{word}"' for word in chosen)
        found.source = "\n\n\n".join([*parts, f"call = {self.load.__name__}({words})"])
        found.called = "call"
        if self.outside is not None:
            from rlcalc.conform.peers.scope import scoped

            return scoped(found, self.outside)
        return found


@dataclass(frozen=True)
class Library:
    """A library and its adapters."""

    name: str
    distribution: str
    version: str
    adapters: tuple[Adapter, ...]

    @property
    def installed(self) -> bool:
        return bool(self.version)


def library(name: str) -> Library:
    """One library; without a version when it is not installed.

    Raises:
        UnknownName: ``unknown_library``.
    """
    word = name.replace("-", "_")
    if word not in LIBRARIES:
        hint = suggestion(word, list(LIBRARIES)) or f"There are {', '.join(LIBRARIES)}."
        raise UnknownName("unknown_library", f"There is no adapter for {shown(name)}.", hint)
    place = f"{__name__}.{word}"
    if find_spec(place) is None:
        return Library(word, word, "", ())
    module = import_module(place)
    return Library(word, module.DISTRIBUTION, _version(module.DISTRIBUTION), tuple(module.ADAPTERS))


def libraries() -> list[Library]:
    return [library(name) for name in LIBRARIES]


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
