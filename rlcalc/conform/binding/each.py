"""Functions of one entry: called once for each, with plain numbers, and their answers put side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Family, Unfit
from rlcalc.conform.binding.families.family import laid_out
from rlcalc.conform.binding.families.processes import Processes, in_common
from rlcalc.conform.binding.families.sequence import AT_STEP
from rlcalc.conform.binding.families.token_layouts import EACH
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.roles import AT
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.policies import ODD, is_policy, parts_of

# the formula that is linear in its advantages
LINEAR = "actor_loss"
# entries of one call of the formula; each is a call of the function
MOST_ENTRIES = 64


def answer_of(
    family: Family, binding: Binding, given: Mapping[str, Any], call: Callable[[dict[str, Any]], Reply]
) -> Reply:
    """What comes back for the formula's arguments, entry by entry where the function takes one.

    Raises:
        Unfit: the arguments cannot be handed over.
    """
    if isinstance(family, Processes):
        return family.play(binding, given, call)
    if any(is_policy(path) and ODD in parts_of(path)[1] for path in binding.inputs):
        return _odd(family, binding, given, call)
    if AT in binding.roles:
        return _by_step(family, binding, given, call)
    if binding.layout != EACH:
        return call(laid_out(family, binding, given))
    assert isinstance(family, Tokens)
    like = np.shape(given[family.main.name])
    if not 0 < int(np.prod(like)) <= MOST_ENTRIES:
        raise Unfit(f"at most {MOST_ENTRIES} entries, one a call")
    replies = []
    for place in np.ndindex(*like):
        replies.append(call(laid_out(family, binding, _entry(family, given, like, place))))
        if replies[-1].kind != "answer":
            return replies[-1]
    numbers = in_common(replies, lambda arrays: np.array(arrays).reshape((*like, *arrays[0].shape)))
    parts = {name: part for name, part in numbers.items() if part.shape == like}
    return replace(replies[0], parts={**replies[0].parts, **parts})


def _by_step(
    family: Family, binding: Binding, given: Mapping[str, Any], call: Callable[[dict[str, Any]], Reply]
) -> Reply:
    """Of a function of a whole sequence that is asked for one step, the answers to all of them."""
    replies = []
    for step in range(np.shape(given["rewards"])[-1]):
        replies.append(call(laid_out(family, binding, {**given, AT_STEP: step})))
        if replies[-1].kind != "answer":
            return replies[-1]
    if not replies:
        raise Unfit("no step to ask about")
    axis = 0 if binding.layout.startswith("[T") else -1
    return replace(replies[0], parts=in_common(replies, lambda arrays: np.stack(arrays, axis)))


def _odd(
    family: Family, binding: Binding, given: Mapping[str, Any], call: Callable[[dict[str, Any]], Reply]
) -> Reply:
    """What of a loss changes its sign with the advantages: not a loss of values, nor an entropy."""
    if binding.formula != LINEAR:
        raise Unfit("what has no part that is linear in the advantages is taken whole")
    turned = {**given, "advantages": -given["advantages"]}
    one, two = (call(laid_out(family, binding, some)) for some in (given, turned))
    if one.kind != "answer" or two.kind != "answer":
        return one if one.kind != "answer" else two
    parts = dict(one.parts)
    for name, part in one.parts.items():
        other = two.parts.get(name)
        whole = other is None or other.array is None or part.array is None
        if not whole and part.array.dtype.kind == "f":
            parts[name] = replace(part, array=(part.array - other.array) / 2)  # type: ignore[union-attr]
    return replace(one, parts=parts)


def _entry(
    family: Tokens, given: Mapping[str, Any], like: tuple[int, ...], place: tuple[int, ...]
) -> dict[str, Any]:
    shapes = {p.name: p.shape for p in family.formula.parameters}
    found = dict(given)
    for name, value in given.items():
        if value is not None and shapes.get(name) == family.main.shape:
            found[name] = np.broadcast_to(value, like)[place]
    return found
