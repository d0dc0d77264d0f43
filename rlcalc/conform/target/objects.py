"""The objects that the places of a call are parts of: attributes, keys, entries, and what calls of them give.

Like ``call``, this runs where the target runs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from rlcalc.conform.target.networks import Anything, Rows

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\['([^']*)'\]|\[(\d*)\]|(\(\))")


class Bag(dict[str, Any]):
    """An object of which attributes and keys are the same."""

    def __getattribute__(self, name: str) -> Any:
        # also where a dictionary has a method of this name, such as values
        return self[name] if dict.__contains__(self, name) else super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Open(Bag):
    """One that has whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(Anything(), name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return Anything()(*given, **named)

    def __len__(self) -> int:
        return len(Anything())  # a buffer has enough to learn from

    __missing__ = __getattr__


@cache
def as_tree() -> None:
    """Let JAX scan over an object as it does over a tuple with names."""
    from jax.tree_util import register_pytree_node

    def whole(names: tuple[str, ...], values: Sequence[Any]) -> Bag:
        return Bag(zip(names, values, strict=True))

    register_pytree_node(Bag, lambda bag: (tuple(dict.values(bag)), tuple(dict.keys(bag))), whole)


# the value of a network that makes of an observation what the observation is
GIVEN = "what it is given"


class Sequence_(list[Any]):
    """A list with attributes, for a storage that is indexed and asked for its settings."""


def steps_of(path: str) -> tuple[str, list[tuple[str, str]]]:
    """A place as its parameter and the way from there, as ``attr``, ``key``, ``entry``, ``each`` or ``call``.

    Raises:
        ValueError: it is no place.
    """
    root = re.match(r"[^\W\d]\w*", path)
    if not root:
        raise ValueError(path)
    at, found = root.end(), []
    while at < len(path):
        step = _STEP.match(path, at)
        if not step:
            raise ValueError(path)
        attribute, key, entry, call = step.groups()
        if attribute is not None:
            found.append(("attr", attribute))
        elif key is not None:
            found.append(("key", key))
        elif call:
            found.append(("call", ""))
        else:
            found.append(("entry", entry) if entry else ("each", ""))
        at = step.end()
    return root[0], found


def _receiver(owner: type, name: str, open_: bool) -> dict[str, Any]:
    """The object that a method belongs to, made without its constructor; for a class method a class.

    Args:
        open_: it has anything that it is asked for.
    """
    if isinstance(inspect.getattr_static(owner, name, None), classmethod):
        return {"cls": _derived(owner)}
    if open_:
        owner = _derived(owner)
        owner.__getattr__ = lambda _, name: getattr(Anything(), name)  # type: ignore[attr-defined]
    try:
        return {"self": object.__new__(owner)}
    except TypeError:  # of an abstract class there are no objects
        return {"self": object.__new__(_derived(owner))}


def _derived(owner: type) -> type:
    made = type(owner)(owner.__name__, (owner,), {})
    if getattr(made, "__abstractmethods__", None):
        made.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
    return made


def objects(values: Mapping[str, Any], owner: type | None, name: str, open_: bool = False) -> dict[str, Any]:
    """Parameters with all that lies below them."""
    roots: dict[str, Any] = {}
    if owner is not None:
        roots |= _receiver(owner, name, open_)
    made = Open if open_ else Bag
    for path in sorted(values, key=len):
        root, way = steps_of(path)
        if not way or way[0][0] == "call":
            roots[root] = answering(roots.get(root), way[1:], values[path], made) if way else values[path]
            continue
        if root not in roots:
            roots[root] = _container(way[0], made)
        _put(roots[root], way, values[path], made)
    return roots


def _container(step: tuple[str, str], made: type[Bag]) -> Any:
    return Sequence_() if step[0] in ("each", "entry") else made()


def _put(holder: Any, way: list[tuple[str, str]], value: Any, made: type[Bag]) -> None:
    (kind, name), rest = way[0], way[1:]
    if kind == "each":
        for place, one in enumerate(value):
            if not rest:
                holder.append(one)
                continue
            if place == len(holder):
                holder.append(_container(rest[0], made))
            _put(holder[place], rest, one, made)
        return
    if kind == "entry":
        while len(holder) <= int(name):
            holder.append(None)
        if not rest:
            holder[int(name)] = value
        else:
            if holder[int(name)] is None:
                holder[int(name)] = _container(rest[0], made)
            _put(holder[int(name)], rest, value, made)
        return
    inner = holder.get(name) if isinstance(holder, dict) else holder.__dict__.get(name)
    if rest and rest[0][0] == "call":
        value, rest = answering(inner, rest[1:], value, made), []
    if not rest:
        _set(holder, kind, name, value)
        return
    if inner is None:
        inner = _container(rest[0], made)
        _set(holder, kind, name, inner)
    _put(inner, rest, value, made)


def _giving(value: Any) -> Callable[..., Any]:
    """A function that always gives one value; of ``GIVEN``, one that gives back what it is given."""

    def call(*given: Any, **named: Any) -> Any:
        return _given_back(value, (*given, *named.values()))

    return call


def _given_back(value: Any, given: tuple[Any, ...]) -> Any:
    if isinstance(value, str) and value == GIVEN:
        return given[0]
    if isinstance(value, Rows):
        return value.of(given)
    if isinstance(value, Sequence_) and any(isinstance(part, Rows) for part in value):
        return tuple(_given_back(part, given) for part in value)
    return value


def answering(known: Any, way: list[tuple[str, str]], value: Any, made: type[Bag]) -> Callable[..., Any]:
    """A function that gives a value, or what it gives already with the value at a place of it."""
    if not way:
        return _giving(value)
    gives = getattr(known, "gives", None) or _container(way[0], made)
    _put(gives, way, value, made)
    call = _giving(gives)
    call.gives = gives  # type: ignore[attr-defined]
    return call


def _set(holder: Any, kind: str, name: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[name] = value
        return
    try:
        setattr(holder, name, value)
    except AttributeError:  # a property; what nothing is known of is computed from the others
        if value is not None:
            holder.__class__ = type(type(holder).__name__, (type(holder),), {name: None})
            setattr(holder, name, value)
