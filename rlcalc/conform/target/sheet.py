"""A call that is laid out place by place: parameters, attributes of objects, constants of the module.

``perform_sheet`` makes the objects that the places need, calls, and reads
back everything that came: each entry of a tuple, each key of a dictionary,
and the places that the function wrote to. Like ``call``, this runs where the
target runs; values and answers are data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cache
from typing import Any

from rlcalc.conform.target.call import (
    Part,
    Reply,
    as_part,
    first_line,
    keep_float64,
    native,
    quiet,
    raised,
    same,
)
from rlcalc.conform.target.facts import MODULE, cells_of, owner_of
from rlcalc.conform.target.slopes import GRADIENT, derivatives
from rlcalc.time_limit import TimedOut

SLOPE = "slope "
MOST_PARTS = 24
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\['([^']*)'\]|\[(\d*)\]|(\(\))")


class Bag(dict[str, Any]):
    """An object of which attributes and keys are the same."""

    def __getattribute__(self, name: str) -> Any:
        # also where a dictionary has a method of this name, such as values
        return self[name] if dict.__contains__(self, name) else super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


@cache
def _as_tree() -> None:
    """Let JAX scan over an object as it does over a tuple with names."""
    from jax.tree_util import register_pytree_node

    def whole(names: tuple[str, ...], values: Sequence[Any]) -> Bag:
        return Bag(zip(names, values, strict=True))

    register_pytree_node(Bag, lambda bag: (tuple(dict.values(bag)), tuple(dict.keys(bag))), whole)


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


def perform_sheet(function: Callable[..., Any], sheet: Mapping[str, Any]) -> Reply:
    """One call.

    Args:
        function: as it was loaded; the method of a class gets an object made without its constructor.
        sheet: ``backend``, ``backends`` of places that have another one, ``values`` by place, ``read``:
            places to read after the call, ``inputs``: those that are compared with what they were,
            ``positional``: parameters that take no keyword, ``brief``: an exception comes without its frames,
            ``slopes``: derivatives to find by autograd, which are parts with ``SLOPE`` before their names.
    """
    backend = sheet["backend"]
    if backend == "jax":
        keep_float64(sheet["values"])
        _as_tree()

    def copies() -> dict[str, Any]:
        own = sheet.get("backends", {})
        return {path: native(value, own.get(path, backend)) for path, value in sheet["values"].items()}

    values = copies()
    owner = owner_of(function)
    space = getattr(getattr(function, "__wrapped__", function), "__globals__", {})
    around_it = cells_of(function)
    held = {**space, **{name: cell.cell_contents for name, cell in around_it.items()}}
    module = _module({p[len(MODULE) :]: v for p, v in values.items() if p.startswith(MODULE)}, held)
    cells = {name: cell for name, cell in around_it.items() if name in module}
    around = {name: cell.cell_contents for name, cell in cells.items()}
    kept = {name: space[name] for name in module if name in space}
    try:
        space.update({name: value for name, value in module.items() if name not in cells})
        for name, cell in cells.items():
            cell.cell_contents = module[name]
        arguments = _objects({p: v for p, v in values.items() if not p.startswith(MODULE)}, owner)
        with quiet():
            first = [arguments.pop(name) for name in sheet.get("positional", ()) if name in arguments]
            called = {**dict(zip(sheet.get("positional", ()), first, strict=False)), **arguments}
            answer = function(*first, **arguments)
        form, parts = read_all(answer)
        for path in sheet["read"]:
            found = _look(called, path)
            if found is not None:
                parts[path] = as_part(found)
        changed = tuple(p for p in sheet["inputs"] if not same(sheet["values"][p], _look(called, p)))
        if sheet.get("slopes") and backend == "torch":

            def again(given: Mapping[str, Any]) -> Any:
                every = _objects({p: v for p, v in given.items() if not p.startswith(MODULE)}, owner)
                firsts = [every.pop(name) for name in sheet.get("positional", ()) if name in every]
                return function(*firsts, **every)

            with quiet():
                found = derivatives(again, copies, sheet["slopes"])
            parts |= {SLOPE + n: replace(as_part(value), kind=GRADIENT) for n, value in found.items()}
    except (KeyboardInterrupt, TimedOut):
        raise
    except BaseException as error:
        return Reply("raises", detail=first_line(error)) if sheet.get("brief") else raised(error)
    finally:
        space.update(kept)
        for name, cell in cells.items():
            cell.cell_contents = around[name]
    return Reply("answer", dict(list(parts.items())[:MOST_PARTS]), form, changed)


def _module(values: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """Names around a function with their values; of configurations copies, with some numbers changed."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        root, way = steps_of(path)
        if not way:
            found[root] = value
            continue
        holder = found.setdefault(root, copy(held[root]))
        kind, name = way[0]
        if kind == "key":
            holder[name] = value
        else:
            setattr(holder, name, value)
    return found


def read_all(answer: Any) -> tuple[str, dict[str, Part]]:
    """Every array of an answer by its place in it: ``""``, ``[0]``, ``advantages``."""
    if answer is None:
        return "mapping", {}
    if isinstance(answer, Mapping):
        return "mapping", {str(key)[:100]: as_part(value) for key, value in answer.items()}
    if isinstance(answer, tuple) and hasattr(answer, "_fields"):
        return "mapping", {str(n): as_part(v) for n, v in zip(answer._fields, answer, strict=True)}
    if isinstance(answer, tuple) or (isinstance(answer, list) and answer and hasattr(answer[0], "ndim")):
        found = {f"[{place}]": as_part(value) for place, value in enumerate(answer)}
        if isinstance(answer, list):  # the steps of one array, or several arrays
            found = {"": as_part(answer), **found}
        return "tuple", found
    fields = getattr(answer, "__dataclass_fields__", None)
    if fields and not hasattr(answer, "shape"):
        return "mapping", {name: as_part(getattr(answer, name, None)) for name in fields}
    return "array", {"": as_part(answer)}


def _objects(values: Mapping[str, Any], owner: type | None) -> dict[str, Any]:
    """Parameters with all that lies below them."""
    roots: dict[str, Any] = {}
    if owner is not None:
        roots["self"] = object.__new__(owner)
    for path in sorted(values, key=len):
        root, way = steps_of(path)
        if not way:
            roots[root] = values[path]
            continue
        if root not in roots:
            roots[root] = _container(way[0])
        _put(roots[root], way, values[path])
    return roots


def _container(step: tuple[str, str]) -> Any:
    return Sequence_() if step[0] in ("each", "entry") else Bag()


def _put(holder: Any, way: list[tuple[str, str]], value: Any) -> None:
    (kind, name), rest = way[0], way[1:]
    if kind == "each":
        for place, one in enumerate(value):
            if not rest:
                holder.append(one)
                continue
            if place == len(holder):
                holder.append(_container(rest[0]))
            _put(holder[place], rest, one)
        return
    if kind == "entry":
        while len(holder) <= int(name):
            holder.append(None)
        if not rest:
            holder[int(name)] = value
        else:
            if holder[int(name)] is None:
                holder[int(name)] = _container(rest[0])
            _put(holder[int(name)], rest, value)
        return
    if rest and rest[0][0] == "call":
        value, rest = _giving(value), []
    if not rest:
        _set(holder, kind, name, value)
        return
    inner = holder.get(name) if isinstance(holder, dict) else holder.__dict__.get(name)
    if inner is None:
        inner = _container(rest[0])
        _set(holder, kind, name, inner)
    _put(inner, rest, value)


def _giving(value: Any) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        return value

    return call


def _set(holder: Any, kind: str, name: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[name] = value
        return
    try:
        setattr(holder, name, value)
    except AttributeError:  # a property that is computed from the others
        holder.__dict__[name] = value


def _look(called: Mapping[str, Any], path: str) -> Any:
    """What stands at a place now; ``None`` where nothing does."""
    root, way = steps_of(path)
    found = called.get(root)
    for kind, name in way:
        if found is None:
            return None
        if kind == "each":
            rest = path[path.index("[]") + 2 :]
            found = [_look({"x": one}, f"x{rest}") for one in found]
            return None if any(one is None for one in found) else found
        if kind in ("key", "attr") and isinstance(found, Mapping):
            found = found.get(name)
        elif kind == "entry":
            found = found[int(name)] if len(found) > int(name) else None
        else:
            found = getattr(found, name, None)
    return found
