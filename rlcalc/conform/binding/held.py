"""What places inside of objects can be: attributes, entries, numbers that are kept and not looked at."""

from __future__ import annotations

from collections.abc import Mapping

from rlcalc.conform.binding.model import EMPTY
from rlcalc.conform.binding.words.names import family, table
from rlcalc.conform.binding.words.roles import roles_by_name
from rlcalc.conform.binding.words.spelling import dashed
from rlcalc.conform.target.facts import Facts
from rlcalc.specs import Formula

# what an object has for all its methods, and roles that such a γ is part of already
KEPT = ("gamma", "lam", "eps_high")
GAMMA_WITHIN = frozenset({"discounts", "target_atoms", "td_errors"})
# of the end of an episode
FLAGS = frozenset({"done", "first", "mask", "terminated"})
FEW_SWITCHES = 3
MOST_KEPT = 3
# a number in a body that may be the discount
LEAST_DECAY = 0.5
# what multiplies something and is no input of the formula
FACTOR = "number:1"


def numbers_kept(
    open_: Mapping[str, tuple[str, ...]], facts: Facts, lacking: list[str]
) -> dict[str, tuple[str, ...]]:
    """Numbers that an object keeps under names that say nothing: each may be what has no other place."""
    kept = [
        path
        for path in facts.paths
        if not path.endswith("()")
        and path not in facts.written
        and _keeps_number(path, open_.get(path, ()), facts)
    ]
    # what is 1.0 at first is no number of steps
    may_be = {p: [n for n in lacking if n != "n" or not isinstance(facts.set_up.get(p), float)] for p in kept}
    return {path: (*may_be[path], *open_[path]) for path in kept} if len(kept) <= MOST_KEPT else {}


def _keeps_number(path: str, roles: tuple[str, ...], facts: Facts) -> bool:
    if isinstance(facts.set_up.get(path), float):
        return roles[:1] == (_as_set_up(facts, path),)
    return roles[:1] == ("none",) and path in facts.factors


def some_known(inside: Mapping[str, str], formula: Formula, own: frozenset[str]) -> bool:
    return any(roles_by_name(_as_called(path, name), formula, own) for path, name in inside.items())


def _as_called(path: str, name: str) -> str:
    """A name, with brackets where the place is what a call of it gives."""
    return name + "()" * path.endswith("()")


def inside_roles(
    inside: Mapping[str, str], facts: Facts, formula: Formula, own: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Places below a parameter; what nothing is known of is ``None``, which a condition takes for no."""
    found = {}
    for path, name in inside.items():
        if any(other.startswith((f"{path}.", f"{path}[")) for other in facts.paths):
            continue  # a container of others
        roles = roles_by_name(_as_called(path, name), formula, own, path in facts.written)
        if path in facts.handed_on and {*roles} & FLAGS and family(formula.name) == "sequence":
            roles = ("none",)  # whoever gets it looks at it, and not this method
        more = (FACTOR,) * (roles == ("factor",) and path in facts.factors)  # of the loss, or beside its own
        found[path] = (*roles, *more) or (*_by_last_words(name, formula, own), *_by_use(path, facts, formula))
    # what is switched on may be no part of the formula, such as whitening, which an ε may switch on as well
    switches = {p: roles for p, roles in found.items() if roles == ("true",) or _switches(p, roles, facts)}
    off = {path: (*roles, "none") for path, roles in switches.items()}
    return found | (off if len(off) <= FEW_SWITCHES else {})


def _switches(path: str, roles: tuple[str, ...], facts: Facts) -> bool:
    return roles == ("small",) and path in facts.switches


def kept(
    facts: Facts, formula: Formula, own: frozenset[str], known: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Numbers that an object has and its method does not look at: who ignores γ is not right for a γ of 1."""
    have = {role for roles in known.values() for role in roles}
    have |= {"gamma"} if have & GAMMA_WITHIN or any(LEAST_DECAY <= n < 1 for n in facts.numbers) else set()
    found: dict[str, tuple[str, ...]] = {}
    for name in facts.unread:
        roles = tuple(role for role in roles_by_name(name, formula, own) if role in KEPT)
        if roles and roles[0] not in have:
            found[f"self.{name}"] = roles[:1]
            have.add(roles[0])
    return found


def _by_last_words(name: str, formula: Formula, own: frozenset[str]) -> tuple[str, ...]:
    """What a longer name of arrays in time may mean: ``many_episode_rewards``; it need not."""
    if family(formula.name) != "sequence":
        return ()
    words = dashed(name).split("-")
    ends = ("-".join(words[k:]) for k in range(1, len(words)))
    return next((roles for end in ends if (roles := roles_by_name(end, formula, own))), ())


def _as_set_up(facts: Facts, path: str) -> str:
    """What an object has in a place that says nothing to a formula, as its constructor leaves it."""
    value = facts.set_up.get(path)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"text:{value}" if isinstance(value, str) else f"number:{value!r}"


def _by_use(path: str, facts: Facts, formula: Formula) -> tuple[str, ...]:
    """What a place may be whose name says nothing, by what is done with it."""
    if path in facts.grown:
        return (EMPTY,)
    if path in facts.counts and "length" in table(family(formula.name)):
        return ("length", "batch_size")
    if (value := _as_set_up(facts, path)) != "none":
        return (value,)
    if path in facts.switches:
        return ("none", "true")
    return ("none", FACTOR) if path in facts.factors else ("none",)
