"""Names of parameters and what they may mean, from ``specs/aliases.toml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from rlcalc.conform.target.facts import Facts
from rlcalc.data import data_folder, read_toml
from rlcalc.specs import formula_names

SHARED_WORDS = "shared"
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
# rewards in time as well, whose names they know besides their own
OFF_POLICY = ("retrace", "vtrace")
_NO_PART_OF_IT = frozenset({"advantages_buffer", "n", "returns_buffer", "td_errors", "truncated"})
_NO_STATES = frozenset({"critic", "last_value", "next_values", "values"})
_BEFORE = re.compile(r"^(batch|mb|b|rollout|traj|all|ep|episode)-")
_AFTER = re.compile(
    r"-(t|tm1|arr|array|buf|buffer|list|batch|tensor|seq|b|np|history|traj|episode|trajectory)$"
)
_NEXT = "next|nxt|succ|successor|following"
_OLD = "old|prev|previous|behavior|behaviour|rollout|sampled|sample"
_REFERENCE = "ref|reference|base"
# a role that is another one with a word before or after it, whatever that one is called
_RELATED = {
    ("next_values", "values"): re.compile(rf"^({_NEXT})-|-({_NEXT}|prime|p|tp1|plus-1)$"),
    ("old_log", "new_log"): re.compile(rf"^({_OLD})-|-({_OLD})$"),
    ("old_logp", "logp"): re.compile(rf"^({_OLD})-|-({_OLD})$"),
    ("ref_logp", "logp"): re.compile(rf"^({_REFERENCE})-|-({_REFERENCE})$"),
    ("old_values", "values"): re.compile(rf"^({_OLD})-|-({_OLD})$"),
}


def family(formula: str) -> str:
    """The table of names that a formula reads."""
    return "sequence" if formula in SEQUENCE else formula


@cache
def _aliases() -> Mapping[str, Any]:
    """The file of names, read once: every target asks for it several times."""
    return read_toml(data_folder("specs") / "aliases.toml")


@cache
def table(name: str) -> Mapping[str, tuple[str, ...]]:
    """Names by role; empty for a formula without a table."""
    known = _aliases()
    named = known["roles"]
    common = named["transitions"] if name in TRANSITIONS else {}
    if name in OFF_POLICY:
        less = _NO_PART_OF_IT | (_NO_STATES if name == "retrace" else frozenset())
        common = {role: names for role, names in named["sequence"].items() if role not in less}
    roles = {**named.get(name, {}), **common} or _of_tokens(name, known["tokens"])
    return {role: tuple(names) for role, names in roles.items()}


def of_tokens(formula: str) -> bool:
    """Whether it is a formula of language-model training that functions are bound to by what names mean."""
    tokens = _aliases()["tokens"]
    return formula in tokens and formula != SHARED_WORDS


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
    known = _aliases()["words"]
    return (choice, *known.get(parameter, {}).get(choice, ()))


@cache
def roles_of(name: str, of: str) -> tuple[str, ...]:
    """Roles that a name can play, the likeliest first; empty where it says nothing."""
    known = table(of)
    for word in _forms(name):
        found = tuple(role for role, names in known.items() if word in names)
        if found:
            return found
    for (role, of), affix in _RELATED.items():
        plain = affix.sub("", _dashed(name))
        known_here = {role, of} <= known.keys() and plain != _dashed(name)
        if known_here and any(word in known[of] for word in _forms(plain)):
            return ("next_values", "last_value") if role == "next_values" else (role,)
    return ()


def _dashed(name: str) -> str:
    return name.replace("_", "-").lower().strip("-")


def _forms(name: str) -> list[str]:
    """A name as it is, then with less and less around it."""
    word = name.strip("_").replace("_", "-").lower() + ("-" if name.endswith("s_") else "")
    plain = word.strip("-")
    found = [word, plain]
    for less in (_AFTER.sub("", plain), _BEFORE.sub("", plain), _AFTER.sub("", _BEFORE.sub("", plain))):
        found += [less, less.removesuffix("s"), f"{less}s"]
    return found


def guessed_formula(name: str, facts: Facts | None = None) -> str:
    """The likeliest of ``guessed_formulas``; empty where name and arguments say nothing."""
    return next(iter(guessed_formulas(name, facts)), "")


def guessed_formulas(name: str, facts: Facts | None = None) -> tuple[str, ...]:
    """The formulas that a function may be, by its name and its arguments, the likeliest first.

    A function of returns that takes λ and values is one of advantages; a clip with two bounds and a
    divergence from a reference are those of tokens. A target may be of a table of action values or of
    the values of states: two names of one sort, which trying tells apart.
    """
    found = _by_name(name)
    if facts is None or found not in ("discounted_return", "n_step_return", *_TOKENS_OWN, ""):
        return (found,) if found else ()
    names = [a.name for a in facts.arguments or ()] + list(facts.paths.values()) + list(facts.constants)
    if found in _TOKENS_OWN:
        of_tokens, own = _TOKENS_OWN[found]
        roles = {role for one in names for role in roles_of(one, of_tokens)[:1]}
        # one that has a choice of estimators need not have all of them; its default is one of the divergence
        if roles & own and "kind" not in roles:
            return (of_tokens,)
        without_ratio = found == "ppo_clip" and _takes(names, "actor_loss", ("log_probs", "advantages"))
        return ("actor_loss" if without_ratio and not _takes(names, found, _RATIOS, any) else found,)
    roles = {role for one in names for role in roles_of(one, "sequence")[:1]}
    if found == "n_step_return":
        # a rollout of n steps, each with its return from there on, has no n
        return (found,) if "n" in roles else (found, "discounted_return")
    if {"lam", "values"} <= roles:
        return ("gae",)
    by_arguments = "" if found or "lam" in roles or {"rewards", "values"} <= roles else _by_arguments(names)
    if "target" in name.lower() and "values" not in roles and any(_may_be_next(one) for one in names):
        # of one step: a return would go on, from a value after the last step
        return tuple(filter(None, (by_arguments, "n_step_return", "discounted_return")))
    found = found or by_arguments
    if not found and {"rewards", "gamma"} <= roles and "values" not in roles:
        found = "discounted_return"
    return (found,) if found else ()


def _takes(
    names: list[str], formula: str, roles: Iterable[str], how: Callable[[Iterable[bool]], bool] = all
) -> bool:
    """Whether all of some roles, or any, are among the arguments."""
    found = {role for name in names for role in roles_of(name, formula)[:1]}
    return how(role in found for role in roles)


def _may_be_next(name: str) -> bool:
    return "next_values" in roles_of(name, "sequence")


# what trainers of language models have by the same name, known by arguments that the other has not: two
# bounds of the clip or a third, the log-probabilities of a reference
_TOKENS_OWN: Mapping[str, tuple[str, set[str]]] = {
    "ppo_clip": ("policy_clip", {"eps_low", "eps_high", "dual"}),
    "kl": ("kl_estimate", {"ref_logp", "old_logp"}),
    "critic_loss": ("value_clip_loss", {"old_values", "eps", "eps_both"}),
}
# what a clip has and an objective of log-probabilities alone has not
_RATIOS = ("ratio", "old_log", "log_ratio", "minus_log_ratio", "old_neg", "eps")

# arguments that only one formula has; the first that fits
_OWN_ARGUMENTS = (
    ("sac_target", {"next_q1", "next_q2", "next_log_probs"}),
    ("double_q_target", {"next_q_online", "next_q_target"}),
    ("sarsa_target", {"next_q", "next_actions"}),
    ("expected_sarsa_target", {"q_values", "policy"}),
    ("expected_sarsa_target", {"q_values", "epsilon"}),
    ("c51_projection", {"next_probs", "atoms"}),
    ("q_target", {"next_q"}),
    ("gaussian_log_prob", {"x", "mean", "log_std"}),
    ("gaussian_log_prob", {"x", "mean", "std"}),
)


def _by_arguments(names: list[str]) -> str:
    return next((f for f, wanted in _OWN_ARGUMENTS if _takes(names, f, wanted)), "")


@cache
def _by_name(name: str) -> str:
    owner, _, words = name.rpartition(":")[2].rpartition(".")
    if words in ("forward", "__call__"):  # a layer is called after what it computes
        words = owner.rpartition(".")[2]
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    if of_tokens(words):
        return words
    for formula, patterns in _aliases()["functions"].items():
        if any(re.search(pattern, words) for pattern in patterns):
            return str(formula)
    return words if words in formula_names() else ""
