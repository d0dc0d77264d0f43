"""Which formulas a function may be: by its name and its arguments, without a call of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from rlcalc.conform.binding.words.names import (
    KEPT_BY_AGENTS,
    PROCESSES,
    TRANSITIONS,
    UPDATES,
    first_roles,
    plural,
    roles_of,
    whole_tables,
    with_steps_named,
)
from rlcalc.conform.binding.words.titles import named_by, of_class
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.source import RECEIVERS


def guessed_formula(name: str, facts: Facts | None = None) -> str:
    """The likeliest of ``guessed_formulas``; empty where name and arguments say nothing."""
    return next(iter(guessed_formulas(name, facts)), "")


def guessed_formulas(name: str, facts: Facts | None = None) -> tuple[str, ...]:
    """The formulas that a function may be, by its name and its arguments, the likeliest first.

    A function of returns that takes λ and values is one of advantages; a clip with two bounds and a
    divergence from a reference are those of tokens. A target may be of a table of action values or of
    the values of states: two names of one sort, which trying tells apart.
    """
    found = named_by(name)
    if facts is not None and (tables := _tables(name, found, facts)):
        return tables
    if facts is None:
        return (found,) if found else ()
    # what a network gives is an input of a target; a loss asks networks for more than that
    asks = "target" in name.rpartition(":")[2].lower()
    read = [
        word + "()" * (asks and path.endswith("()"))
        for path, word in facts.paths.items()
        if not any(other.startswith((f"{path}.", f"{path}[")) for other in facts.paths)
    ]
    taken = facts.names
    names = taken + read + list(facts.constants)
    learnt = _of_networks(facts) if found in ("", "td_error", "critic_loss", "ppo_clip", *TRANSITIONS) else ()
    if found == "td_error" or _of_errors(name, found, names):
        return ("td_error", *learnt)
    if learnt and not asks:
        return learnt
    if found == "q_target" and not _takes(taken, found, ("next_q",)) and _onward(taken):
        of_networks = _by_arguments(names)
        # else the values of next states, of whatever network
        return (of_networks,) if of_networks in TRANSITIONS else ("n_step_return", "discounted_return")
    if found == "gae" and _without_values(name, names):
        return (of_class(name) if of_class(name) in _OF_GROUPS else "grpo_advantage",)
    if found in TRANSITIONS and (target := _by_arguments(names)) in TRANSITIONS:
        # all of them are targets of q; the arguments say of which sort, but for two critics of one action
        two = {"sac_target": ("next_q1", "next_q2"), "double_q_target": ("next_q_online", "next_q_target")}
        both = found != target and found in two and _takes(names, found, two[found])
        # which of two networks chooses may be a switch
        return (found, target) if both else (target, *(("q_target",) if found == "q_target" else ()))
    if found not in ("discounted_return", "n_step_return", "gae", *OF_TOKENS, ""):
        return (found,)
    if found in OF_TOKENS:
        of_tokens = OF_TOKENS[found]
        roles = first_roles(names, of_tokens)
        # one that has a choice of estimators need not have all of them; its default is one of the divergence
        if roles & _THEIR_OWN[of_tokens] and "kind" not in roles:
            return (of_tokens,)
        without_ratio = found == "ppo_clip" and _takes(names, "actor_loss", ("log_probs", "advantages"))
        return ("actor_loss" if without_ratio and not _takes(names, found, _RATIOS, any) else found,)
    if not found and (corrected := _by_arguments(names, _CORRECTED)):
        return (corrected,)
    roles = first_roles(names, "sequence")
    if found == "n_step_return":
        # a rollout of n steps, each with its return from there on, has no n; rewards of a target may be
        # summed over n steps already
        ready = ("q_target",) if _takes(names, "q_target", ("next_best", "next_q"), any) else ()
        return (found, *ready) if "n" in roles else (found, "discounted_return", *ready)
    if found == "gae":
        return _of_advantages(roles | ({"values"} if _asks_a_critic(facts) else set()))
    if found in ("", "discounted_return") and "lam" in roles and "values" not in roles and _onward(names):
        return ("lambda_return",)
    if {"lam", "values"} <= roles:
        # by its name it gives returns, or nothing is known of what it gives
        return ("gae", "lambda_return")
    by_arguments = "" if found or "lam" in roles or {"rewards", "values"} <= roles else _by_arguments(names)
    if "target" in name.rpartition(":")[2].lower() and _onward(names):
        # of one step: a return would go on, from a value after the last step
        return tuple(filter(None, (by_arguments, "n_step_return", "discounted_return")))
    if not found and {"rewards", "values"} <= roles and "lam" not in roles and _onward(names):
        return ("td_error",)
    found = found or by_arguments
    if not found and {"rewards", "gamma"} <= roles:
        if {"values", "log_probs"} <= roles:
            return ("gae", "discounted_return")  # the loss of an episode, whose critic is looked at or not
        found = "" if "values" in roles else "discounted_return"
    return (found,) if found else ()


def _updates(found: str, facts: Facts) -> tuple[str, ...]:
    """The rules that update a table by one step, where that is what its places are; else nothing."""
    places = _named_places(facts)
    roles = first_roles(places.values(), "q_learning")
    of_states = any(roles_of(name, "td")[:1] == ("table",) for name in places.values())
    # an episode says what follows by itself
    follows = found in _OF_EPISODES and any(plural(name) and name in places for name in places.values())
    if not {"state", "reward"} <= roles or not ("next_state" in roles or follows):
        return ()
    # of an object that asks no network, whatever it changes may be its table, which trying tells
    taken = first_roles(facts.names, "q_learning")
    asks = any(path.endswith("()") for path in facts.paths)
    keeps = facts.method and "self." in " ".join(facts.written) and not asks
    keeps = keeps and {"state", "reward", "next_state"} <= taken and not (of_states or "table" in roles)
    if ("table" in roles or keeps) and "action" in roles:
        rules = ("sarsa", "q_learning") if "next_action" in roles else ("q_learning",)
        if found.startswith("sarsa"):  # with the maximum it is no other rule, but wrong
            rules = ("sarsa",)
        expected = ("expected_sarsa",) if "epsilon" in roles or found.startswith("expected") else ()
        return (*expected, *rules)
    return ("td", *({"lambda_return"} & {found})) if of_states or keeps else ()


def _named_places(facts: Facts) -> dict[str, str]:
    """Arguments, and places that are read of them and of an object, by what they are called."""
    return dict(zip(facts.names, facts.names, strict=True)) | {
        path: name for path, name in facts.paths.items() if not path.endswith("()")
    }


def _tables(name: str, found: str, facts: Facts) -> tuple[str, ...]:
    """The formulas that a function of tables may be: of a process, or learnt."""
    kept = _of_agents(found, with_steps_named(facts))
    if not kept:
        return _processes(name, found, facts) or _updates(found, facts)
    # an episode is as much for returns as for steps
    return (*_updates(found, facts), *kept) if kept == ("mc",) else kept


def _of_agents(found: str, facts: Facts) -> tuple[str, ...]:
    """What only an object learns, by what its method takes, what it keeps and what of that it changes."""
    if found not in (*_OF_EPISODES, *KEPT_BY_AGENTS, "gradient_bandit", "mc_update", "double_q_target"):
        return ()
    places = _named_places(facts)
    changed = [name for path, name in places.items() if path in facts.written]
    # of an object whatever it changes may be its table, which trying tells
    asks = any(path.endswith("()") for path in facts.paths)
    keeps = facts.method and any(path.startswith("self.") for path in facts.written) and not asks
    two = {"q1", "q2", "state", "action", "reward", "next_state"} <= first_roles(places.values(), "double_q")
    if two and (changed or not facts.returns or "alpha" in first_roles(places.values(), "q_learning")):
        return ("double_q",)
    taken = [name for name in facts.names if name not in RECEIVERS]
    given = [name for path, name in places.items() if path.partition("[")[0].partition(".")[0] in taken]
    onward = first_roles(given, "q_learning") & {"next_state", "next_action", "done", "mask"}
    along = [name for path, name in places.items() if "[]" in path or (plural(name) and path in taken)]
    tabled = keeps or "table" in first_roles(changed, "mc")
    if {"state", "reward"} <= first_roles(along, "mc") and tabled and not onward:
        return ("mc",)
    if not facts.method or onward or "state" in first_roles(given, "mc"):
        return ()
    of_pulls = {"actions", "rewards"} <= first_roles(taken, "gradient_bandit")
    if of_pulls and "preferences" in first_roles(changed, "gradient_bandit"):
        return ("gradient_bandit",)
    return ("bandit",) if keeps and {"action", "reward"} <= first_roles(taken, "bandit") else ()


# what functions of an episode may be called after that learn a table; returns and advantages are none
_OF_EPISODES = (
    "",
    "lambda_return",
    "td_update",
    "sarsa_target",
    "q_target",
    "expected_sarsa_target",
    *UPDATES,
)
# an entry of one of many tuples; a table of transitions is deeper
_OF_A_LIST = re.compile(r"^[^\[]*\[\]\[\d+\]$")


def _processes(name: str, found: str, facts: Facts) -> tuple[str, ...]:
    """The formulas of a whole process that a function of its transitions may be, the likeliest first."""
    if found not in ("", *PROCESSES) or any(_OF_A_LIST.search(path) for path in facts.paths):
        return ()  # a p or a t of another formula, or steps of an episode, one after another
    facts = whole_tables(facts)
    places = facts.names + [word for path, word in facts.paths.items() if not path.endswith("()")]
    roles = first_roles(places, "processes")
    if "transitions" not in roles or not roles & {
        "gamma",
        "rewards",
        "values",
        "theta",
        "policy",
        "n_states",
    }:
        return ()
    words = name.rpartition(":")[2].rpartition(".")[2].lower()
    if re.search("(policy|howard|^pi).*iter", words) and "eval" not in words:
        return ("policy_iteration",)
    if "values" in roles and re.search("improve|greedy|extract|argmax", words):
        return ("value_iteration",)
    averaged = any("pi" in re.split("[-_ ]", word.lower()) for word in places)
    if "policy" in roles or averaged or re.search("eval|expect|mrp|v_pi|markov_reward|policy_value", words):
        return ("policy_eval",)
    if "values" in roles and "theta" not in roles:
        return ("value_iteration", "bellman")
    return ("value_iteration", "bellman") if "sweeps" in roles and "theta" not in roles else ("bellman",)


def _of_advantages(roles: set[str]) -> tuple[str, ...]:
    """What a function of advantages is by what it takes: without λ TD errors, which are those of one step,
    and without values returns.
    """
    if not roles & {"values", "td_errors"} and "rewards" in roles:
        return ("discounted_return", "gae")
    return ("gae",) if roles & {"lam", "td_errors"} else ("gae", "td_error")


def _asks_a_critic(facts: Facts) -> bool:
    """Whether it is a network that gives the values."""
    calls = [f"{word}()" for path, word in facts.paths.items() if path.endswith("()")]
    return any({"critic", "network"} & set(roles_of(call, "sequence")) for call in calls)


# advantages of answers to one prompt, among each other: no values, no time
_OF_GROUPS = ("grpo_advantage", "rloo_advantage", "reinforce_pp_advantage")


def _without_values(name: str, names: list[str]) -> bool:
    """Whether advantages that are called no more than that are those of a group: of rewards alone."""
    roles = {role for one in names for role in roles_of(one, "sequence")}
    return "gae" not in name.rpartition(".")[2].lower() and not roles - _OF_REWARDS and "rewards" in roles


_OF_REWARDS = frozenset(
    ["rewards", "n", "length", "batch_size", "valid", "mask", "device", "observations", "small"]
)


def _takes(
    names: list[str], formula: str, roles: Iterable[str], how: Callable[[Iterable[bool]], bool] = all
) -> bool:
    """Whether all of some roles, or any, are among the arguments."""
    found = first_roles(names, formula)
    return how(role in found for role in roles)


def _of_errors(name: str, found: str, names: list[str]) -> bool:
    """Whether a loss is one of TD errors: it takes rewards and what comes next, and no finished target."""
    words = name.rpartition(":")[2].rpartition(".")[2].lower()
    meant = found in ("", "critic_loss", "td_error", *TRANSITIONS) and re.search("loss|huber|mse", words)
    onward = _onward(names) or _takes(names, "sequence", ["next_q_rows"])
    return bool(meant) and onward and _takes(names, "sequence", ["rewards"])


def _of_networks(facts: Facts) -> tuple[str, ...]:
    """Targets that an update of networks may learn from: it asks them about states and about next states."""
    words = facts.names + [w for p, w in facts.paths.items() if "()" not in p[-2:]]
    networks = [f"{word}()" for path, word in facts.paths.items() if path.endswith("()")]
    parts = [word for path, word in facts.paths.items() if "()[" in path]
    if not (_takes(words, "q_target", ("rewards", "observations", "next_observations")) and networks):
        return ()
    asked = [*networks, *parts]
    if _takes(asked, "sac_target", ("next_q1", "next_q2")):
        return ("sac_target",)
    both = _takes(asked, "double_q_target", ("next_q_online", "next_q_target"))
    found = ("q_target", *(("double_q_target",) if both else ()))
    return found if _takes(asked, "q_target", ("next_q", "next_critic", "prediction"), any) else ()


def _onward(names: list[str]) -> bool:
    after = {"next_values", "next_observations"}
    return any(after & set(roles_of(name, "sequence")) for name in names)


# what trainers of language models have by the name of another formula
OF_TOKENS: Mapping[str, str] = {
    "ppo_clip": "policy_clip",
    "kl": "kl_estimate",
    "critic_loss": "value_clip_loss",
}
# ... and are known by, arguments that the other has not: two bounds of the clip or a third, the
# log-probabilities of a reference
_THEIR_OWN: Mapping[str, set[str]] = {
    "policy_clip": {"eps_low", "eps_high", "dual"},
    "kl_estimate": {"ref_logp", "old_logp"},
    "value_clip_loss": {"old_values", "eps", "eps_both"},
}
# what a clip has and an objective of log-probabilities alone has not
_RATIOS = ("ratio", "old_log", "log_ratio", "minus_log_ratio", "old_neg", "eps")
# arguments that only one formula has; the first that fits
_OWN_ARGUMENTS = (
    ("sac_target", {"next_q1", "next_q2", "next_log_probs", "rewards"}),
    ("sac_target", {"next_q1", "next_q2", "policy", "rewards"}),
    ("double_q_target", {"next_q_online", "next_q_target", "rewards"}),
    ("sarsa_target", {"next_q", "next_actions", "rewards"}),
    ("expected_sarsa_target", {"q_values", "policy", "rewards"}),
    ("expected_sarsa_target", {"q_values", "epsilon", "rewards"}),
    ("c51_projection", {"next_probs", "atoms"}),
    ("q_target", {"next_q", "rewards"}),
    ("gaussian_log_prob", {"x", "mean", "log_std"}),
    ("gaussian_log_prob", {"x", "mean", "std"}),
)
# steps of another policy in time, with what says how far the policies are apart
_CORRECTED = tuple(
    (formula, {*taken, *ratios})
    for formula, taken in (("vtrace", ("rewards", "values")), ("retrace", ("rewards", "q", "expected_q")))
    for ratios in (("log_rhos",), ("rhos",), ("new_log", "old_log"), ("new_probs", "old_probs"))
)


def _by_arguments(names: list[str], known: tuple[tuple[str, set[str]], ...] = _OWN_ARGUMENTS) -> str:
    return next((f for f, wanted in known if _takes(names, f, wanted)), "")
