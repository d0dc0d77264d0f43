"""Which roles a name can have in a formula."""

from __future__ import annotations

from collections.abc import Mapping

from rlcalc.conform.binding.words.names import family, of_tokens, roles_of
from rlcalc.conform.binding.words.token_roles import TERMS, derived_roles
from rlcalc.conform.target.syntax import last_name
from rlcalc.specs import Formula

BUFFERS = frozenset({"advantages_buffer", "returns_buffer"})
# the step of which alone a function of a whole sequence is asked for the answer
AT = "at"
# of the sequences an error alone is made of action values, of the one that was taken and of the best
OF_ACTIONS = frozenset({"q_rows", "next_q_rows", "actions_taken"})
# roles that only a formula with this parameter has
OF_PARAMETER = {"n": "n", "lam": "lam"}
# roles of what is no part of the formula, but of a loss that is made of its answer
OF_LOSSES = {"discounted_return": "log_probs", "gae": "log_probs"}


def roles_by_name(name: str, formula: Formula, own: frozenset[str], written: bool = False) -> tuple[str, ...]:
    """Roles of a name in a formula."""
    if name in own and family(formula.name) == "sequence":
        # the formula's own names mean what they say; next_values may be those after the last step alone
        return (name, "last_value") if name == "next_values" else (name,)
    found = roles_of(name, family(formula.name))
    if of_tokens(formula.name):
        known = own | derived_roles(formula)
        terms = tuple(dict.fromkeys(TERMS[role] for role in found if TERMS.get(role) in known))
        found = tuple(role for role in found if role in known) or terms
        found = (name, *found) if name in own and name not in found else found
        if formula.name == "kl_estimate" and "old_logp" in roles_of(name, formula.name):
            found = ("ref_logp", "logp")
        if "padding" in found:  # some call what is there by the name of what is not
            masks = ("padding", "mask" if "mask" in own else "valid")
            found = (*masks, *(role for role in found if role not in masks))
        if "small" in found:  # an ε of this formula keeps from dividing by 0, and is no width
            found = ("small",)
        # where the formula has nothing, a function may insist on something that changes nothing
        return (*found, *(f"{role}_always" for role in found if f"{role}_always" in known))
    of_actions = tuple(r for r in found if r in OF_ACTIONS)
    found = tuple(r for r in found if r not in OF_ACTIONS)
    found = (*of_actions, *found) if formula.name == "td_error" else found
    found = tuple(r for r in found if OF_PARAMETER.get(r, r) in own or r not in OF_PARAMETER)
    found = tuple(r for r in found if r != "log_probs" or r in own or OF_LOSSES.get(formula.name) == r)
    if AT in found:  # of t and T the one is a step and the other how many there are
        others = tuple(r for r in found if r != AT)
        found = others if name == "T" else (AT, *others)
    buffers = tuple(r for r in found if r in BUFFERS)
    if written and buffers:
        return buffers
    return tuple(r for r in found if r not in BUFFERS) if not written else found


def promises(inputs: Mapping[str, str]) -> bool:
    """Whether a value after the last step is handed over by itself."""
    return bool(set(inputs.values()) & {"last_value", "critic"})


def loose(inputs: Mapping[str, str]) -> list[str]:
    """Masks that are read as masks of tokens and could be masks of episodes, by their name."""
    return [
        p for p, role in inputs.items() if role == "valid" and "mask" in roles_of(last_name(p), "sequence")
    ]
