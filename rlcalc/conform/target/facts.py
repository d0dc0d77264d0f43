"""What a function says about itself: parameters, defaults, what it reads of objects, constants of its module.

Found where the function is loaded, by looking at its signature and its
source; nothing is called. A place that it reads from is written as Python
writes it, from a parameter on: ``self.gamma``, ``batch['rewards']``,
``memory[].reward`` (of every entry of a list), ``memory[][2]``,
``self.critic()`` (what a call gives), ``module.GAMMA``.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from types import ModuleType
from typing import Any

from rlcalc.conform.target.resets import resets_of
from rlcalc.conform.target.rows import takes_rows
from rlcalc.conform.target.signature import Argument, arguments_of, plain, read_argument
from rlcalc.conform.target.sizes import sizes_of
from rlcalc.conform.target.source import Reader
from rlcalc.conform.target.syntax import NOTHING, kept_by, last_name, of_plain_numbers, tree_of

# before the names of what stands around a function: numbers, and configurations that hold them
MODULE = "module."
# of what comes over a pipe, how many entries are read, and how much of a text
MOST, LONGEST = 500, 200
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True)
class Facts:
    """What is known of a function without a call.

    Attributes:
        arguments: in order; ``None`` where it says nothing about them.
        open: it takes any keyword besides.
        method: its first parameter is the object, or the class, that it belongs to.
        paths: places that it reads of its parameters, with the name that it gives to what it finds.
        written: places that it writes to.
        counts: places that it counts up to, or makes arrays of.
        switches: places that decide what it does.
        factors: places that it multiplies by.
        tensors: places that it asks for what tensors alone have.
        unread: attributes that its class keeps and that it does not look at.
        constants: numbers of its module, or of the function around it, that it reads.
        numbers: between 0 and 1, that stand in its source.
        framework: ``torch``, ``jax`` or ``numpy``, as far as its source tells; or ``either``, or ``called``.
        returns: it returns something.
        words: texts that it compares an argument with.
        returned: what its source calls the one value that it returns; empty for several or an expression.
        set_up: flags, words and numbers that its object has unless told otherwise, by place.
        results: what it calls that which a call gives, by place.
        grown: places that it adds entries to.
        handed_on: places that it returns as they are, and does nothing else with.
        sizes: the first dimension of arrays that its class makes, as it is written, by place.
        stacked: places whose entries it sets side by side, as numbers are.
        rows: something in it speaks of several rows, such as a batch of groups.
        made_with: parameters of the constructor of its class.
        made_from: places that the constructor reads of them, with the name of what it finds.
        resets: what of its object starts over with every episode, with the attributes that are set then.
    """

    arguments: tuple[Argument, ...] | None = None
    open: bool = False
    method: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[float, ...] = ()
    framework: str = ""
    returns: bool = True
    returned: str = ""
    words: tuple[str, ...] = ()
    set_up: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    grown: tuple[str, ...] = ()
    handed_on: tuple[str, ...] = ()
    stacked: tuple[str, ...] = ()
    rows: bool = False
    made_with: tuple[Argument, ...] = ()
    made_from: Mapping[str, str] = field(default_factory=dict)
    resets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of its parameters, in order."""
        return [a.name for a in self.arguments or ()]

    @property
    def accepts(self) -> frozenset[str] | None:
        """Names that a call may use; ``None`` for any."""
        if self.arguments is None or self.open:
            return None
        return frozenset(a.name for a in self.arguments if not a.positional)

    @property
    def needs(self) -> frozenset[str]:
        """Names without a default."""
        return frozenset(a.name for a in self.arguments or () if not (a.optional or a.positional))

    @property
    def mixed(self) -> dict[str, str]:
        """The framework of each parameter that says it, where they are of several."""
        found = {a.name: of for a in self.arguments or () if (of := _annotated(a.annotation))}
        if self.framework == "numpy":
            found = dict.fromkeys(self.tensors, "torch") | {"": "numpy"} | found
        return found if len(set(found.values())) > 1 else {}

    def table(self) -> dict[str, Any]:
        """As plain data, to cross a pipe."""
        return asdict(self)


def read_facts(raw: Any) -> Facts:
    """Facts that came over a pipe, with the bounds that such data need.

    Raises:
        ValueError, TypeError: they are none.
    """
    return Facts(**{fact.name: _READ[str(fact.type)](raw[fact.name]) for fact in fields(Facts)})


def _text(raw: Any) -> str:
    return str(raw)[:LONGEST]


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(map(_text, raw[:MOST]))


def _arguments(raw: Any) -> tuple[Argument, ...]:
    return tuple(map(read_argument, raw[:MOST]))


def _table(read: Callable[[Any], Any], raw: Any) -> dict[str, Any]:
    return {_text(name): read(value) for name, value in list(raw.items())[:MOST]}


def _known(raw: Any) -> dict[str, Any]:
    return {name: value for name, value in _table(plain, raw).items() if value is not None}


# how a fact is read, by its annotation
_READ: Mapping[str, Callable[[Any], Any]] = {
    "bool": bool,
    "str": _text,
    "tuple[str, ...]": _texts,
    "tuple[float, ...]": lambda raw: tuple(map(float, raw[:MOST])),
    "tuple[Argument, ...]": _arguments,
    "tuple[Argument, ...] | None": lambda raw: None if raw is None else _arguments(raw),
    "Mapping[str, str]": partial(_table, _text),
    "Mapping[str, float]": partial(_table, float),
    "Mapping[str, bool | int | float | str]": _known,
    "Mapping[str, tuple[str, ...]]": partial(_table, _texts),
}


def owner_of(function: Callable[..., Any]) -> type | None:
    """The class that a plain function of a class body belongs to."""
    names = getattr(function, "__qualname__", "").split(".")
    if len(names) < 2 or "<locals>" in names or inspect.ismethod(function):
        return None
    found: Any = sys.modules.get(getattr(function, "__module__", ""))
    for name in names[:-1]:
        found = getattr(found, name, None)
    if not isinstance(found, type):
        return None
    static = inspect.getattr_static(found, names[-1], None)
    return None if isinstance(static, staticmethod) else found


def cells_of(function: Any) -> dict[str, Any]:
    """Variables of the function around a nested one, which it reads; those that have a value."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found = dict(zip(names, getattr(function, "__closure__", None) or (), strict=False))
    return {name: cell for name, cell in found.items() if _filled(cell)}


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds_settings(value: Any) -> bool:
    """Whether it may be a configuration: a mapping, or an object that holds numbers and does nothing."""
    if isinstance(value, Mapping):
        return True
    kept = getattr(value, "__dict__", None)
    if isinstance(value, type):  # a class that holds settings has nothing to call
        own = {name: part for name, part in vars(value).items() if not name.startswith("__")}
        return bool(own) and not any(map(callable, own.values())) and any(map(_is_number, own.values()))
    odd = isinstance(value, ModuleType) or callable(value)
    return isinstance(kept, dict) and not odd and any(map(_is_number, kept.values()))


def _settings(reader: Reader, holders: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of configurations around a function, by place; nothing else of them is an input."""
    found = {}
    for path in [path for path in reader.paths if path.startswith(MODULE)]:
        del reader.paths[path]
        name: str = path[len(MODULE) :]
        value: Any = None
        root, _, key = name.partition("['") if "['" in name else name.partition(".")
        holder = holders.get(root)
        if isinstance(holder, Mapping):
            value = holder.get(key.removesuffix("']")) if "['" in name else None
        elif "['" not in name:
            value = getattr(holder, "__dict__", {}).get(key)
        if _is_number(value):
            found[name] = float(value)
    reader.written -= {path for path in reader.written if path.startswith(MODULE)}
    return found


def facts_of(function: Callable[..., Any]) -> Facts:
    """Everything at once; what cannot be seen is left out."""
    arguments, open_ = arguments_of(function)
    owner = owner_of(function)
    inner: Any = inspect.unwrap(getattr(function, "func", function))
    around = {name: cell.cell_contents for name, cell in cells_of(inner).items()}
    space = {**getattr(inner, "__globals__", {}), **around}
    reader = Reader({a.name for a in arguments or ()}, owner, space)
    holders = {name: value for name, value in space.items() if _holds_settings(value)}
    reader.alias |= {name: MODULE + name for name in holders if name not in reader.alias}
    tree = tree_of(inner)
    if tree is not None:
        reader.follow(tree)
    settings = _settings(reader, holders)
    constants = {
        name: float(space[name]) for name in sorted(reader.names) if _is_number(space.get(name))
    } | settings
    return Facts(
        arguments,
        open_,
        owner is not None,
        reader.paths,
        tuple(sorted(reader.written)),
        tuple(sorted(reader.counts)),
        tuple(sorted(reader.switches)),
        tuple(sorted(reader.factors)),
        tuple(sorted(reader.tensors)),
        tuple(sorted(kept_by(owner) - {last_name(path) for path in reader.paths})) if owner else (),
        constants,
        tuple(sorted(reader.numbers)),
        _plain_first(_framework(arguments or (), space, reader), tree),
        reader.returns,
        reader.returned,
        tuple(sorted({*reader.words, *_literals(arguments or ())})),
        _set_up(owner),
        reader.results,
        sizes_of(owner) if owner else {},
        tuple(sorted(reader.grown)),
        tuple(sorted(reader.handed_on)),
        tuple(sorted(reader.stacked)),
        takes_rows(inner),
        (arguments_of(owner)[0] or ()) if owner else (),
        _made_from(owner) if owner else {},
        _resets(owner, getattr(inner, "__name__", ""), reader.written) if owner else {},
    )


def _made_from(owner: type) -> dict[str, str]:
    made: Any = owner.__init__  # type: ignore[misc]
    reader = Reader({a.name for a in arguments_of(owner)[0] or ()}, owner, getattr(made, "__globals__", {}))
    reader.follow(tree_of(made) or NOTHING)
    return reader.paths


def _resets(owner: type, method: str, written: Iterable[str]) -> dict[str, tuple[str, ...]]:
    changed = {path.removeprefix("self.") for path in written if path.startswith("self.")}
    return resets_of(owner, method, changed) if changed else {}


def _set_up(owner: type | None) -> dict[str, bool | int | float | str]:
    """Defaults of a constructor, which usually keeps a parameter under its own name."""
    if owner is None:
        return {}
    arguments, _ = arguments_of(owner)
    return {f"self.{a.name}": a.default for a in arguments or () if a.optional and a.default is not None}


def _literals(arguments: tuple[Argument, ...]) -> set[str]:
    """Words of annotations such as ``Literal["mean", "sum"]``."""
    return {a or b for x in arguments if "Literal" in x.annotation for a, b in _QUOTED.findall(x.annotation)}


_HINTS = {"torch": ("Tensor", "torch"), "jax": ("jax", "jnp"), "numpy": ("ndarray",)}


def _annotated(words: str) -> str:
    """The framework whose arrays an annotation names; empty for none."""
    return next((name for name, hints in _HINTS.items() if any(hint in words for hint in hints)), "")


def _framework(arguments: tuple[Argument, ...], space: Mapping[str, Any], reader: Reader) -> str:
    """By the annotations, then by what the function itself uses.

    ``either`` is Torch or NumPy, where only its module tells; ``called`` is NumPy, or Torch as what it calls
    knows it.
    """
    names = reader.names
    annotated = {of for a in arguments if (of := _annotated(a.annotation))}
    if annotated == {"torch", "numpy"}:
        return "either"
    if annotated:
        return next(name for name in _HINTS if name in annotated)
    own, all_ = (
        {str(getattr(space.get(name), "__name__", "")).partition(".")[0] for name in used}
        for used in (names, set(space))
    )
    found = next((name for name in ("torch", "jax", "numpy") if name in own), "")
    if not found and not all_ & {*_HINTS} and any(_brings_torch(space.get(name)) for name in names):
        return "called"
    if found or "torch" not in all_:
        others = "jax" if "jax" in all_ else "numpy" if "numpy" in all_ else ""
        return found or others or ("torch" if reader.of_tensors else "")
    return "either"


def _plain_first(framework: str, tree: ast.AST | None) -> str:
    """Numbers before tensors where only the module has Torch: list(h) of a tensor copies no entry."""
    return "called" if framework == "either" and tree is not None and of_plain_numbers(tree) else framework


def _brings_torch(value: Any) -> bool:
    """Whether a module, or what comes from one, is of a package some part of which has Torch."""
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    package = str(module).partition(".")[0]
    if package in ("numpy", "jax") or package in sys.stdlib_module_names:
        return False
    parts = [part for name, part in list(sys.modules.items()) if name.partition(".")[0] == package]
    return any(isinstance(vars(part).get("torch"), ModuleType) for part in parts if part is not None)
