"""What a parameter may be whose name says nothing: one of the roles that no other place has.

A number that stands in the body is assumed only after every parameter has
been tried for it. What was guessed is accepted only where an answer agrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rlcalc.conform.binding.words.names import family
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.signature import Argument
from rlcalc.specs import Formula

# left as it is
DEFAULT = "default"
# more parameters than this are asked for with --map
MOST_GUESSED = 3

SCALARS = {"sequence": ("gamma", "lam", "n"), "ppo_clip": ("eps",)}
# roles of arrays; of those of one group a function has one
ARRAYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "sequence": (("rewards",), ("values",), ("last_value", "next_values"), ("done", "mask")),
    "ppo_clip": (("ratio", "new_log"), ("old_log",), ("adv",)),
    "ratio": (("new_log", "new"), ("old_log", "old")),
    "critic_loss": (("values",), ("returns",)),
    "kl": (("p", "log_p", "logits_p"), ("q", "log_q", "logits_q")),
    "entropy": (("p", "logits_p", "log_p"),),
    "grpo_advantage": (("rewards",),),
}
# roles of one group that another role stands for
STANDS_FOR = {
    "terminated": "done",
    "first": "done",
    "ends": "done",
    "discounts": "done",
    "critic": "last_value",
    "td_errors": "values",
    "log_ratio": "new_log",
    "minus_log_ratio": "new_log",
    "new_neg": "new_log",
    "old_neg": "old_log",
    "token_rewards": "rewards",
}
# of two that only their names distinguish, one is guessed where the other is known
PAIRED = ("kl", "ratio", "ppo_clip")
# roles that a formula has no use for
WITHOUT = {"discounted_return": ("values",)}


def guesses(
    facts: Facts,
    formula: Formula,
    known: Mapping[str, tuple[str, ...]],
    unknown: Sequence[str],
    dropped: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """Roles to try, by parameter, the likeliest first; empty where there are too many parameters.

    Args:
        known: roles of the other places.
        unknown: parameters without a default whose names say nothing.
        dropped: those with a default.
    """
    of = family(formula.name)
    have = {STANDS_FOR.get(roles[0], roles[0]) for roles in known.values()}
    if any({"ratio", "log_ratio", "minus_log_ratio"} & set(roles) for roles in known.values()):
        have.add("old_log")  # a ratio is made of both
    scalars = _scalars(formula, of, have, {role for roles in known.values() for role in roles[:1]})
    groups = [g for g in ARRAYS.get(of, ()) if not have & set(g) and not set(g) & set(_absent(formula))]
    own = {a.name: a for a in facts.arguments or ()}
    numbers = [name for name in dropped if _is_number(own[name])] if scalars else []
    if len(unknown) + len(numbers) > MOST_GUESSED or (of in PAIRED and len(groups) > 1 and unknown):
        return {}
    found = {name: _of_kind(own[name], scalars, groups) for name in unknown}
    found |= dict.fromkeys(numbers, (*scalars, DEFAULT))
    if "log_probs" in have:  # a loss may take more than its returns are made of
        found |= {name: ("observations", *found[name]) for name in unknown}
    return found if all(found.values()) else {}


def _scalars(formula: Formula, of: str, have: set[str], first: set[str]) -> tuple[str, ...]:
    own = formula.names
    open_ = [role for role in SCALARS.get(of, ()) if role in own and role not in have]
    return tuple(role for role in open_ if not (role == "gamma" and "discounts" in first))


def _absent(formula: Formula) -> tuple[str, ...]:
    return WITHOUT.get(formula.name, ())


def _is_number(argument: Argument) -> bool:
    return isinstance(argument.default, int | float) and not isinstance(argument.default, bool)


def _of_kind(
    argument: Argument, scalars: tuple[str, ...], groups: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Roles that its annotation allows."""
    arrays = tuple(role for group in groups for role in group)
    words = argument.annotation.lower()
    if words in ("float", "int"):
        return scalars
    if any(word in words for word in ("tensor", "array", "list", "sequence")):
        return arrays
    return (*scalars, *arrays)
