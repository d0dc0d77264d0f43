"""Functions that make log-probabilities themselves, read as functions of log-probabilities.

``loss(logits, actions, returns)`` is ``loss(log_probs, returns)`` of another
function: what a policy says and the actions that were taken are one place,
``log_prob(logits=logits, actions=actions)`` (``target.policies``). What a
network says may be several things; as with everything else the reading is
taken that agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import product

from rlcalc.conform.binding.words.names import roles_of
from rlcalc.conform.binding.words.spelling import WHICH, dashed, forms
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.policies import (
    ALONE,
    COLUMN,
    EXPONENTIATED,
    LESS_ENTROPY,
    ODD,
    TAKEN,
    is_policy,
    parts_of,
    place_of,
)
from rlcalc.conform.target.signature import Argument
from rlcalc.conform.target.source import RECEIVERS
from rlcalc.conform.target.syntax import last_name

_ACTIONS = frozenset("actions action acts act a action-ids action-idx taken-actions actions-taken".split())  # noqa: SIM905
_SPREADS = {
    "log_std": "log-std logstd log-stds log-sigma logsigma log-scale ls action-log-std actor-logstd",
    "std": "std stds sigma sigmas scale stddev action-std",
    "var": "var vars variance action-var",
    "log_var": "log-var logvar log-variance",
}
_SPREAD = {word: kind for kind, words in _SPREADS.items() for word in words.split()}
# what tables of a policy are called, by what they hold
_KINDS = (
    ("logits", re.compile(r"(^|-)(logits?|action-scores|action-logits|preferences)$|^(logits?|prefs)(-|$)")),
    ("log_probs", re.compile(r"(^|-)(log-?probs?|logp|logps|log-pi|log-probabilities|log-policy)$")),
    ("probs", re.compile(r"(^|-)(probs?|probabilities|pi|policy|p|prob-dist)$")),
    ("mean", re.compile(r"(^|-)(mean|means|mu|mus|loc)$")),
    ("dist", re.compile(r"(^|-)(dist|dists|distribution|distrib|m|pi|policy)$")),
)
_POLICY = re.compile(
    r"(^|-)(policy|actor|pi|model|net|network|agent|ac|brain|mlp|policynet|actorcritic)(-|$)"
)
_NO_POLICY = re.compile(r"(^|-)(q|value|v|critic|vf|qf|baseline|reward)(-|\d|$)")
_SURE = ("logits", "mean", "dist")
# of a distribution, which says so by what it is asked for
DENSITY = ".log_prob()"
# what a network may say whose name for it says nothing
_ANY = ("logits", "probs", "dist", "log_probs")


def ways(target: Target, ran: Sequence[Target]) -> Iterator[Target]:
    """A function as it stands, then ways to read it as one of log-probabilities.

    Args:
        ran: those that gave an answer so far; what differs from one of them in the layout is not tried.
    """
    yield target
    tried = []
    for way in lifted(target):
        if not (ran and _second(way)):
            tried.append(way)
            yield way
    for flag in (LESS_ENTROPY, ODD):
        yield from (less for way in tried if (less := flagged(way, flag)) is not None)
    if place := _beside_a_critic(target):
        yield with_places(target, (place,))


def _beside_a_critic(target: Target) -> str:
    """The place of log-probabilities that stand beside values and returns, so that squares are left out."""
    facts = target.facts
    if facts is None or facts.arguments is None or facts.open or target.backend == "lists":
        return ""
    every = {**{a.name: a.name for a in facts.arguments}, **facts.paths}
    names = {p: n for p, n in every.items() if "(" not in p}
    logs = next((p for p, n in names.items() if "log_probs" in roles_of(n, "actor_loss")), "")
    critic = {role for n in names.values() for role in roles_of(n, "critic_loss")}
    probs = next((p for p, n in names.items() if "probs" in roles_of(n, "actor_loss")), "")
    if not critic >= {"values", "returns"} or not (logs or probs):
        return ""
    return place_of({TAKEN: logs}, ODD) if logs else place_of({TAKEN: probs}, EXPONENTIATED, ODD)


def lifted(target: Target) -> Iterator[Target]:
    """A target with the log-probabilities that it makes as its inputs, the likeliest reading first."""
    facts = target.facts
    if facts is None or facts.arguments is None or facts.open:
        return
    for places in _places(facts):
        yield with_places(target, places)


def flagged(target: Target, flag: str) -> Target | None:
    """A lifted target whose loss is taken without what it adds of an entropy, or of squares."""
    arguments = target.facts.arguments if target.facts is not None else ()
    places = [a.name for a in arguments or () if is_policy(a.name)]
    first = next((p for p in places if flag == ODD or "mean" not in parts_of(p)[0]), "")
    if not first:
        return None
    parts, flags = parts_of(first)
    found = with_places(target, ())
    assert found.facts is not None
    own = tuple(a for a in found.facts.arguments or () if a.name != first)
    place = place_of(parts, *sorted({*flags, flag}))
    found.facts = replace(found.facts, arguments=(*own, Argument(place)))
    found.needs = found.facts.needs
    return found


def with_places(target: Target, places: tuple[str, ...]) -> Target:
    """A target some of whose places are one each."""
    facts = target.facts
    assert facts is not None
    consumed = {part for path in places for part in parts_of(path)[0].values()}
    own = tuple(a for a in facts.arguments or () if a.name not in consumed)
    paths = {p: name for p, name in facts.paths.items() if not _below(p, consumed)}
    arguments = (*own, *(Argument(path) for path in places))
    found = copy(target)
    found.facts = replace(facts, arguments=arguments, paths=paths)
    found.searched = {}
    found.accepts, found.needs = found.facts.accepts, found.facts.needs
    return found


def _second(target: Target) -> bool:
    """Whether a reading is for functions that the plain one of the same places is none of."""
    arguments = target.facts.arguments if target.facts is not None else ()
    return any(is_policy(a.name) and parts_of(a.name)[1] for a in arguments or ())


def _below(path: str, consumed: set[str]) -> bool:
    whole = {place.partition("()")[0] + "()" for place in consumed if "()" in place}
    return (
        path in consumed
        or path in whole
        or any(path.startswith((f"{c}.", f"{c}[", f"{c}(")) for c in consumed)
    )


def _places(facts: Facts) -> Iterator[tuple[str, ...]]:
    """Places that stand for others, of each way to read a function."""
    names = {a.name: a.name for a in facts.arguments or () if not (facts.method and a.name in RECEIVERS)}
    inner = {p: n for p, n in facts.paths.items() if not _holds(p, facts.paths)}
    plain = {p: n for p, n in {**names, **inner}.items() if "()" not in p and not _holds(p, inner)}
    actions = next((p for p, n in plain.items() if _ACTIONS & {*forms(n)}), "")
    if not actions:
        return
    spreads = {p: kind for p, n in {**plain, **inner}.items() if (kind := _spread(p, n, facts))}
    states = next((p for p, n in plain.items() if _is_state(n) and p != actions), "")
    tables = {
        p: kinds for p, n in plain.items() if p != actions and p not in spreads and (kinds := _of_table(n))
    }
    sure = {p: kinds for p, kinds in tables.items() if kinds[0] in _SURE}
    asked = {p[: -len(DENSITY)]: ("dist",) for p in facts.paths if p.endswith(DENSITY)}
    networks = {p: kinds for p in inner if (kinds := _of_network(p, facts))}
    # what is given beside a new one is no table, such as the old log-probabilities of the actions alone
    weak = {p: kinds for p, kinds in tables.items() if p not in sure and not WHICH.search(dashed(p))}
    for found in (sure, asked or networks, weak):
        if found and (found is not weak or not (sure or asked or networks)):
            yield from _of_tables(found, actions, states, spreads)


def _holds(path: str, paths: Mapping[str, str]) -> bool:
    return any(other.startswith((f"{path}.", f"{path}[", f"{path}(")) for other in paths)


def _of_tables(
    found: Mapping[str, tuple[str, ...]], actions: str, states: str, spreads: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    for flags, chosen in product(((), (COLUMN,)), product(*found.values())):
        if "mean" in chosen and not spreads:
            continue
        yield tuple(
            place_of(
                {
                    kind: path,
                    **({of: place for place, of in spreads.items()} if kind == "mean" else {}),
                    "actions": actions,
                    **({"states": states} if "()" in path and states else {}),
                },
                *(flags if kind != "mean" else (ALONE,) if flags else ()),
            )
            for path, kind in zip(found, chosen, strict=True)
        )


def _of_table(name: str) -> tuple[str, ...]:
    """What a table may hold by its name, the likeliest first."""
    return next(((kind,) for kind, words in _KINDS if words.search(dashed(name))), ())


def _of_network(path: str, facts: Facts) -> tuple[str, ...]:
    """What a network of a policy may say; empty for another one."""
    network = dashed(last_name(path.partition("()")[0] + "()"))
    name = facts.paths[path] if path.endswith("]") else facts.results.get(path, "")
    if not path.endswith(("()", "]")) or _NO_POLICY.search(network) or _spread(path, name, facts):
        return ()
    kinds = tuple(kind for kind, words in _KINDS if name and words.search(dashed(name)))
    kinds = kinds[:1] if kinds[:1] in (("log_probs",), ("logits",), ("mean",)) else kinds
    if not _POLICY.search(network) and not kinds:
        return ()
    if path.endswith("]") and not kinds and (roles_of(name, "critic_loss") or not path.endswith("[0]")):
        return ()
    return kinds if kinds[:1] in (("logits",), ("mean",)) else tuple(dict.fromkeys((*kinds, *_ANY)))


def _spread(path: str, name: str, facts: Facts) -> str:
    return next((_SPREAD[word] for word in forms(facts.results.get(path, name)) if word in _SPREAD), "")


def _is_state(name: str) -> bool:
    found = roles_of(name, "sequence")
    return found[:1] == ("observations",) and "next_observations" not in found
