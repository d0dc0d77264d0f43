"""Names of parameters and what they may mean, from ``specs/aliases.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from rlcalc.conform.binding.words.spelling import dashed, forms, network_words, plain_words, spoken, word_set
from rlcalc.conform.binding.words.titles import SHARED_WORDS, aliases
from rlcalc.conform.target.facts import Facts

SEQUENCE = ("gae", "discounted_return", "lambda_return", "n_step_return", "td_error")
# value targets of single transitions: the names that all of them know, besides their own
TRANSITIONS = (
    "c51_projection",
    "double_q_target",
    "expected_sarsa_target",
    "q_target",
    "sac_target",
    "sarsa_target",
)
# tables that are learnt step by step, a step a call
UPDATES = ("q_learning", "sarsa", "expected_sarsa", "td")
# ... and those that only an object learns, which keeps something between the calls
KEPT_BY_AGENTS = ("double_q", "mc", "bandit")
# dynamic programming on all states of a process
PROCESSES = ("bellman", "value_iteration", "policy_iteration", "policy_eval")
# rewards in time as well, whose names they know besides their own
OFF_POLICY = ("retrace", "vtrace")
_NO_PART_OF_IT = frozenset(
    {"advantages_buffer", "at", "ends", "n", "returns_buffer", "td_errors", "truncated"}
)
# what double Q-learning and Monte Carlo have no use for
_NO_AGENT = {
    "double_q": ("table", "lam", "n", "traces"),
    "mc": ("next_state", "next_action", "lam", "n", "traces"),
}
_NO_STATES = frozenset({"critic", "last_value", "next_values", "values"})
_NEXT = "next|nxt|succ|successor|following"
_IS_NEXT = re.compile(rf"(^|-)({_NEXT}|tp1)(-|$)")
_OLD = "old|prev|previous|behavior|behaviour|rollout|sampled|sample"
_REFERENCE = "ref|reference|base"
# a role that is another one with a word before or after it, whatever that one is called
_RELATED = {
    ("next_values", "values"): re.compile(rf"^({_NEXT})-|-({_NEXT}|prime|p|tp1|plus-1)$"),
    ("old_log", "new_log"): re.compile(rf"^({_OLD})-|-({_OLD})$"),
    ("old_logp", "logp"): re.compile(rf"^({_OLD})-|-({_OLD})$"),
    ("ref_logp", "logp"): re.compile(rf"^({_REFERENCE})-|-({_REFERENCE})$"),
    ("old_values", "values"): re.compile(rf"^({_OLD})-|-({_OLD})$|^old(?=[a-z])"),
}


def family(formula: str) -> str:
    """The table of names that a formula reads."""
    if formula in PROCESSES:
        return "processes"
    return "sequence" if formula in SEQUENCE else formula


@cache
def table(name: str) -> Mapping[str, tuple[str, ...]]:
    """Names by role; empty for a formula without a table."""
    known = aliases()
    named = known["roles"]
    common = named["transitions"] if name in TRANSITIONS else {}
    if name in UPDATES:
        common = {
            **named["updates"],
            "table": named["updates_of_states" if name == "td" else "updates"]["table"],
        }
    if name in ("double_q", "mc"):
        more = {"double_q": (), "mc": [*named["updates"]["table"], *named["updates_of_states"]["table"]]}[
            name
        ]
        common = {role: names for role, names in named["updates"].items() if role not in _NO_AGENT[name]}
        common |= {"table": more} if more else {}
    if name in OFF_POLICY:
        less = _NO_PART_OF_IT | (_NO_STATES if name == "retrace" else frozenset())
        common = {role: names for role, names in named["sequence"].items() if role not in less}
    roles = {**named.get(name, {}), **common} or _of_tokens(name, known["tokens"])
    return {role: tuple(names) for role, names in roles.items()}


def of_tokens(formula: str) -> bool:
    """Whether it is a formula of language-model training that functions are bound to by what names mean."""
    tokens = aliases()["tokens"]
    return formula in tokens and formula != SHARED_WORDS


def tokens_tables() -> tuple[str, ...]:
    """The formulas of language-model training that functions are bound to by what names mean."""
    return tuple(name for name in aliases()["tokens"] if name != SHARED_WORDS)


def _of_tokens(name: str, tokens: Mapping[str, Any]) -> dict[str, Any]:
    """A formula's own names, then those that it shares with others of language-model training."""
    if name not in tokens:
        return {}
    own = dict(tokens[name])
    for other in own.pop("same_as", ()):
        own = {**tokens[other], **own}
    return {**own, **{role: names for role, names in tokens[SHARED_WORDS].items() if role not in own}}


def words_for(choice: str, parameter: str) -> tuple[str, ...]:
    """Words that functions take for a choice of a parameter."""
    known = aliases()["words"]
    return (choice, *known.get(parameter, {}).get(choice, ()))


@cache
def roles_of(name: str, of: str) -> tuple[str, ...]:
    """Roles that a name can play, the likeliest first; empty where it says nothing."""
    known, name = table(of), spoken(name)
    if name.endswith("()") and of in TRANSITIONS:
        words = network_words(name)
        networks = {role: [one for one in names if one.endswith("()")] for role, names in known.items()}
        return tuple(role for role, names in networks.items() if words in map(network_words, names))
    for word in forms(name):
        found = tuple(role for role, names in known.items() if word in names)
        if found:
            return _either_next(found, name, known)
    for (role, other), affix in _RELATED.items():
        plain = affix.sub("", dashed(name))
        known_here = {role, other} <= known.keys() and plain != dashed(name)
        if known_here and any(word in known[other] for word in forms(plain)):
            return ("next_values", "last_value") if role == "next_values" else (role,)
    if not of_tokens(of) and of not in TRANSITIONS:
        return ()
    found = _by_words(of).get(word_set(name), ())
    return found or (_by_words(of).get(plain_words(name), ()) if of_tokens(of) else ())


def first_roles(names: Iterable[str], of: str) -> set[str]:
    """What names most likely are."""
    return {role for name in names for role in roles_of(name, of)[:1]}


@cache
def _by_words(of: str) -> Mapping[frozenset[str], tuple[str, ...]]:
    """Roles by the words of their names, in whatever order and spelling.

    What is left alone is known by its whole name: a limit of steps is nothing, to limit a step is a switch.
    """
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for role, names in table(of).items():
        for some in {word_set(name) for name in names if role != "none"}:
            found[some] = (*found.get(some, ()), role)
    return found


def _either_next(found: tuple[str, ...], name: str, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """With the other reading of "next": the values after every step, or the one after the last."""
    pair = ("next_values", "last_value")
    if not {*pair} <= known.keys() or not {*pair} & {*found} or not _IS_NEXT.search(dashed(name)):
        return found
    return (*found, *(role for role in pair if role not in found))


def with_steps_named(facts: Facts) -> Facts:
    """Facts in which entries of the steps of an episode that have no name have that of their place."""
    unnamed: dict[str, dict[str, int]] = {}
    for path, name in facts.paths.items():
        entry = _ENTRY.match(path)
        if entry and "[" in name:
            unnamed.setdefault(entry[1], {})[path] = int(entry[2])
    names = {
        path: _IN_ORDER[max(places.values())][place]
        for places in unnamed.values()
        if max(places.values()) in _IN_ORDER
        for path, place in places.items()
    }
    return replace(facts, paths={**facts.paths, **names}) if names else facts


# an entry of each step, and what it is by its place among so many
_ENTRY = re.compile(r"^(\w+)\[\]\[(\d)\]$")
_IN_ORDER = {1: ("state", "reward"), 2: ("state", "action", "reward")}


def plural(name: str) -> bool:
    """Whether something is called after what many steps have."""
    return dashed(name) in aliases()["episodes"]["plural"]


def whole_tables(facts: Facts) -> Facts:
    """Facts in which the transitions of a process are one place, whatever is read of them."""
    names = {path: _of_space(path, word) for path, word in facts.paths.items()}
    every = {**dict(zip(facts.names, facts.names, strict=True)), **names}
    whole = [p for p, w in every.items() if roles_of(w, "processes")[:1] in _IN_ONE_PIECE]
    below = tuple(f"{path}{way}" for path in whole for way in ".[(")
    return replace(facts, paths={p: w for p, w in names.items() if not p.startswith(below)})


# tables of a process that are no objects with parts
_IN_ONE_PIECE = (("transitions",), ("rewards",), ("policy",), ("values",))


def _of_space(path: str, word: str) -> str:
    """How many there are of something, by what it is: ``observation_space.n``."""
    return ".".join(path.split(".")[-2:]) if word == "n" and "." in path else word
