"""A call that is laid out place by place: parameters, attributes of objects, constants of the module.

``perform_sheet`` makes the objects that the places need, calls, and reads
back everything that came: each entry of a tuple, each key of a dictionary,
and the places that the function wrote to. Like ``call``, this runs where the
target runs; values and answers are data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from rlcalc.conform.target.agents import CALLS, Agent, played, same_numbers
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
from rlcalc.conform.target.environment import perform_play
from rlcalc.conform.target.facts import MODULE, cells_of, owner_of
from rlcalc.conform.target.networks import ANYTHING, NOW, Anything, Losses, Rows, targets
from rlcalc.conform.target.objects import Bag, answering, as_tree, objects, steps_of
from rlcalc.conform.target.policies import (
    LESS_ENTROPY,
    SHARES,
    Sent,
    calls,
    expanded,
    is_policy,
    parts_of,
    without_entropy,
)
from rlcalc.conform.target.slopes import GRADIENT, Leaves, derivatives
from rlcalc.conform.target.tabular import flattened, shaped, unfolded
from rlcalc.time_limit import TimedOut

SLOPE = "slope "
MOST_PARTS = 24


def perform_sheet(function: Callable[..., Any], sheet: Mapping[str, Any]) -> Reply:
    """One call.

    Args:
        function: as it was loaded; the method of a class gets an object made without its constructor.
        sheet: ``backend``, ``backends`` of places that have another one, ``values`` by place, ``read``:
            places to read after the call, ``inputs``: those that are compared with what they were,
            ``process``: tables are those of a decision process, and its answers may be dicts by state,
            ``positional``: parameters that take no keyword, ``brief``: an exception comes without its frames,
            ``slopes``: derivatives to find by autograd, which are parts with ``SLOPE`` before their names,
            ``leaves``: places of log-probabilities whose weights in a loss are parts, ``beside``: of values
            that stand beside them,
            ``stacked``: those of them whose entries are numbers,
            ``networks``: places of networks that tell observations apart, of which what they learn is a part.
    """
    if sheet.get("plays"):
        return perform_play(function, sheet)
    if any(is_policy(path) and LESS_ENTROPY in parts_of(path)[1] for path in sheet["values"]):
        return without_entropy(lambda shares: _perform(function, sheet, shares), sheet["values"])
    return _perform(function, sheet)


def _perform(
    function: Callable[..., Any], sheet: Mapping[str, Any], shares: tuple[float, ...] = SHARES
) -> Reply:
    """One call, of which a policy's other actions have these shares."""
    backend, tables = sheet["backend"], sheet.get("tables", {})
    if backend == "jax":
        keep_float64(sheet["values"])
        as_tree()

    def copies() -> dict[str, Any]:
        own = sheet.get("backends", {})
        found = {path: native(value, own.get(path, backend)) for path, value in sheet["values"].items()}
        return {**found, **{path: shaped(found[path], form) for path, form in tables.items()}}

    values = copies()
    turns = values.pop(CALLS, None)
    asks = any(is_policy(path) and calls(path) for path in values)
    sent = Sent()
    owner, own_name = owner_of(function), getattr(function, "__name__", "")
    space = getattr(getattr(function, "__wrapped__", function), "__globals__", {})
    around_it = cells_of(function)
    held = {**space, **{name: cell.cell_contents for name, cell in around_it.items()}}
    cells, around, kept = dict[str, Any](), dict[str, Any](), dict[str, Any]()

    def laid_out(given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments that have no name in a call, and those that have one."""
        every = objects(_outside_module(given), owner, own_name, open_=asks)
        return [every.pop(name) for name in sheet.get("positional", ()) if name in every], every

    try:
        leaves = Leaves(values, sheet.get("leaves", ()), sheet.get("beside", ()), sheet.get("stacked", ()))
        values = expanded(values, shares)
        module = _module({p[len(MODULE) :]: v for p, v in values.items() if p.startswith(MODULE)}, held)
        cells |= {name: cell for name, cell in around_it.items() if name in module}
        around |= {name: cell.cell_contents for name, cell in cells.items()}
        kept |= {name: space[name] for name in module if name in space}
        space.update({name: value for name, value in module.items() if name not in cells})
        for name, cell in cells.items():
            cell.cell_contents = module[name]
        if turns is not None:
            with quiet(), same_numbers():
                agent = Agent(_outside_module(values), owner)
                played(function, agent, turns)
            return Reply("answer", _read_tables(agent.roots, sheet))
        first, arguments = laid_out(values)
        with quiet():
            called = {**dict(zip(sheet.get("positional", ()), first, strict=False)), **arguments}
            if sheet.get("networks"):
                answer, learnt = _learnt(function, copies, sheet, owner, own_name)
            elif asks:
                answer, learnt = None, sent.found
                with sent.caught():
                    answer = function(*first, **arguments)
            else:
                answer, learnt = function(*first, **arguments), {}
        if sheet.get("process"):
            answer = unfolded(answer)
        size = next((sheet["values"][path].shape for path in tables if not sheet.get("process")), ())
        form, parts = read_all(flattened(answer, size) if size else answer)
        learnt = {name: as_part(value) for name, value in {**leaves.weights(answer), **learnt}.items()}
        if asks and sent.found:  # what is returned besides is for people to look at
            parts = {}
        parts |= learnt
        for path in sheet["read"]:
            found = _look({**called, MODULE[:-1]: module}, path)
            if found is not None:
                parts[path] = as_part(flattened(found, size) if path in tables else found)
        before = {**sheet["values"], **{p: shaped(sheet["values"][p], form) for p, form in tables.items()}}
        changed = tuple(p for p in sheet["inputs"] if not _same(before[p], _look(called, p)))
        if sheet.get("slopes") and backend == "torch":

            def again(given: Mapping[str, Any]) -> Any:
                unnamed, named = laid_out(expanded(given, shares))
                return function(*unnamed, **named)

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


def _read_tables(roots: Mapping[str, Any], sheet: Mapping[str, Any]) -> dict[str, Part]:
    """Tables of an agent after its last call."""
    found = {}
    for path in sheet["tables"]:
        value = _look(roots, path)
        if value is not None:
            found[path] = as_part(flattened(value, sheet["values"][path].shape))
    return found


def _learnt(
    function: Callable[..., Any],
    copies: Callable[[], dict[str, Any]],
    sheet: Mapping[str, Any],
    owner: type | None,
    name: str,
) -> tuple[Any, dict[str, Any]]:
    """The answer, and what networks learn from the losses that are made of it."""

    def once(predicted: Mapping[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
        values = copies()
        rows = {path: Rows({**values[path], NOW: predicted[path]}) for path in predicted}
        losses = Losses(rows)
        own = _outside_module(values).items()
        filled = {p: Anything() if isinstance(v, str) and v == ANYTHING else v for p, v in own}
        answer = None
        with losses.sent_back():
            answer = function(**objects({**filled, **rows}, owner, name, open_=True))
        if not losses.found:
            every = answer.values() if isinstance(answer, Mapping) else answer
            for part in every if isinstance(answer, Mapping | tuple | list) else (answer,):
                losses.add(part)
        return answer, losses.found

    start = {path: sheet["values"][path][NOW] for path in sheet["networks"]}
    answer = once(start)[0]
    return answer, targets(lambda predicted: once(predicted)[1], start)


def _outside_module(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of what a call is given, without those of its module."""
    return {path: value for path, value in values.items() if not path.startswith(MODULE)}


def _same(before: Any, after: Any) -> bool:
    """Whether an argument is what it was; a function stays what it is."""
    return callable(before) or same(before, after)


def _module(values: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """Names around a function with their values; of configurations copies, with some numbers changed."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        root, way = steps_of(path)
        if not way:
            found[root] = value
            continue
        if way[0][0] == "call":
            found[root] = answering(found.get(root), way[1:], value, Bag)
            continue
        holder = found.setdefault(root, _copied(held[root]))
        kind, name = way[0]
        if kind == "key":
            holder[name] = value
        else:
            setattr(holder, name, value)
    return found


def _copied(holder: Any) -> Any:
    """Settings of its own; of a class one below it, since a class is its own copy."""
    return type(holder)(holder.__name__, (holder,), {}) if isinstance(holder, type) else copy(holder)


def read_all(answer: Any) -> tuple[str, dict[str, Part]]:
    """Every array of an answer by its place in it: ``""``, ``[0]``, ``advantages``."""
    if isinstance(answer, Iterator | deque):  # of a generator what it yields
        answer = list(answer)
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
