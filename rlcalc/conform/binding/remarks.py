"""What a reader has to know of a reading: what was assumed, and what else it could mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rlcalc._lazy import np
from rlcalc.conform.binding.families.agent_play import is_agent
from rlcalc.conform.binding.families.base import Family
from rlcalc.conform.binding.families.sequence import ENDINGS, ONE
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.families.updates import Updates
from rlcalc.conform.binding.held import FLAGS
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.notes import notes_on
from rlcalc.conform.binding.search import Search
from rlcalc.conform.binding.words.names import TRANSITIONS, roles_of
from rlcalc.conform.binding.words.roles import promises
from rlcalc.conform.faults import catalogue
from rlcalc.conform.target.agents import FRESH
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.networks import APART, LEAST
from rlcalc.conform.target.policies import SENT, is_policy, parts_of
from rlcalc.conform.target.syntax import last_name
from rlcalc.specs import Formula

Reading = tuple[Search, Binding | None]
NEAREST = (
    "no reading of its parameters gives an answer that is right, declared or a known bug's; "
    "judged by the one that is nearest"
)
# attributes that a caller may set back
MOST_SET_BACK = 4
SIDE_BY_SIDE = (
    "right for one sequence a call, and tested so: to sequences side by side, [T, N], it gives an answer of "
    "that shape that mixes them"
)


def read(target: Target, formula: Formula, family: Family, mapped: Mapping[str, str]) -> Reading:
    """Search for the reading of a function, and say what has to be known of it."""
    search = Search(target, formula, family, mapped)
    found = None if search.slots.unknown else search.find()
    return search, found and said(search, found)


def said(search: Search, binding: Binding) -> Binding:
    """With what a reader has to know."""
    notes = []
    guessed = [f"{p} = {binding.inputs[p]}" for p in search.slots.guessed if p in binding.inputs]
    if guessed:
        notes.append(f"names say nothing of {', '.join(guessed)}: found by trying")
    if search.slots.dropped:
        notes.append(f"left at their defaults: {', '.join(search.slots.dropped)}")
    notes += notes_on(binding, isinstance(search.family, Tokens | Updates))
    learnt = [place for place in binding.outputs.values() if place.startswith(LEAST)]
    if learnt and {"next_q1", "next_q2"} <= binding.roles and APART not in search.ran_parts:
        notes.append(
            f"of two critics it trains one, {learnt[0].removeprefix(LEAST)}: look for the other's loss"
        )
    if binding.layout == ONE and search.answers_several():
        row = "transition" if "rewards" in binding.roles else "row"
        notes.append(f"right for one {row} a call; what it gives for several at once is wrong")
    plain = replace(binding, notes=(), outputs={}, agreed="", like=())
    if binding.layout == "[T]" and binding.form == "array" and search.answers_as(plain, "[T, B]"):
        notes.append(SIDE_BY_SIDE)
    if "no-bootstrap" in binding.like and promises(binding.inputs):
        last = binding.places_of("last_value", "critic")[0]
        notes.append(f"{last} is taken and never used: the value after the last step is lost")
        binding = replace(binding, excludes=("no-bootstrap",))
    if any(place.startswith(SENT) for place in binding.outputs.values()):
        binding = replace(binding, excludes=(*binding.excludes, "loss"))  # it is a loss, and no objective
    stacked = search.facts.stacked if binding.form == "list" else ()
    if logs := [path for path in binding.places_of("log_probs") if path in stacked]:
        notes.append(
            f"{logs[0]} is read as a list of single numbers: stacking entries of shape [1] makes a column, "
            "[T, 1], which returns of shape [T] turn into [T, T]"
        )
    notes += _of_networks(binding)
    notes += _appended(search, binding)
    notes += _never_read(search, binding)
    notes += _of_states_reached(search, binding)
    notes += _begun_by_its_caller(search, binding)
    if set(binding.outputs) == {"returns"} and "advantages" in search.outputs.names:
        notes.append(
            "its answer is the returns, advantage + value, and is judged as such; "
            "a caller who takes it for the advantages is wrong by the value"
        )
    turned = [path for path in binding.places_of("mask", "valid") if _of_padding(path)]
    if turned and isinstance(search.family, Tokens):
        notes.append(f"{turned[0]} is read as 1 for what counts, whatever its name says")
    notes += _seen_under_the_mask(search, binding)
    if binding.masked == "left":
        masks = binding.places_of("mask", "padding")
        notes.append(f"what it answers where {masks[0]} says nothing is, is not 0: its caller masks it")
    if binding.agreed in ("part", "names"):
        notes.append(NEAREST)
    # what a convention would change about the arguments is known already, and would only hide a bug
    calls = [way.name for way in catalogue(search.formula.name).conventions if way.call is not None]
    return replace(binding, notes=tuple(notes), excludes=(*binding.excludes, *calls))


def _of_networks(binding: Binding) -> list[str]:
    """What networks of policies are taken to give, by which alone the function is judged."""
    found = []
    for path in filter(is_policy, binding.inputs):
        parts, _ = parts_of(path)
        kind = next((kind for kind in _SAID if kind in parts and "()" in parts[kind]), "")
        if kind:
            found.append(f"read as a network that gives {_SAID[kind]}: {parts[kind]}")
    return found


# what networks of policies may give
_SAID = {
    "logits": "logits",
    "probs": "probabilities",
    "log_probs": "log-probabilities already: of logits log_softmax is missing",
    "dist": "a distribution",
}


def _seen_under_the_mask(search: Search, binding: Binding) -> list[str]:
    """That what a mask hides changes the answer, if it does: any number, of a right one nan."""
    if not isinstance(search.family, Tokens):
        return []
    given, right = search.family.probes(binding)[0], binding.agreed in ("formula", "convention")
    other = search.family.disturbed(binding, given, np.nan if right else 0.0)
    if other is None:
        return []
    usual = search.parts(binding, given) or {}
    family, search.family = search.family, other[0]
    moved = search.parts(binding, other[1]) or {}
    search.family = family
    alike = [np.allclose(a, moved[p], equal_nan=True) for p, a in usual.items() if p in moved]
    masks = binding.places_of("mask", "valid", "padding")
    if all(alike):
        return []
    if right:
        return [f"a nan under {masks[0]} reaches the answer, since 0·nan is nan: where() leaves it out"]
    return [f"numbers that {masks[0]} hides change the answer: they must not count"]


def _appended(search: Search, binding: Binding) -> list[str]:
    """That values are taken for T + 1 of them, and that T of them are given a 0 to follow, if they are."""
    known = ("no-bootstrap",) in search.answers.conventions and "values" in binding.roles
    if not known or binding.agreed != "formula" or binding.values != "T+1":
        return []
    shorter = replace(binding, values="T")
    # a sum of arrays is a longer list where they are lists
    for other in (shorter, replace(shorter, layout="[T]", form="list", backend="numpy")):
        given = search.family.probes(other)[0]
        found = search.outputs.match(search.parts(other, given) or {}, given, ("no-bootstrap",))
        if found.keys() >= binding.outputs.keys():
            place = binding.places_of("values")[0]
            return [
                f"{place} is read with T + 1 entries, the last of them after the last step; with T entries "
                "the value after the last step counts as 0 (no-bootstrap)"
            ]
    return []


def _never_read(search: Search, binding: Binding) -> list[str]:
    """That flags of episodes are kept beside the rewards, and the method does not look at them."""
    if binding.roles & ENDINGS or "rewards" not in binding.roles or search.formula.name in TRANSITIONS:
        return []
    handed = [p for p in search.facts.handed_on if FLAGS & {*roles_of(last_name(p), "sequence")}]
    if handed:
        return [f"{handed[0]} is handed on as it is: right where no episode ends before the last step"]
    kept = [name for name in search.facts.unread if FLAGS & {*roles_of(name, "sequence")}]
    return [f"self.{kept[0]} is kept and never read: right for one episode a call"] if kept else []


def _of_states_reached(search: Search, binding: Binding) -> list[str]:
    """That a reading with a bug is right where its values are those of the states that steps lead to."""
    if binding.agreed != "fault" or "values" not in binding.roles or "next_values" in binding.roles:
        return []
    if all(p.name != "next_values" for p in search.formula.parameters):
        return []
    place = binding.places_of("values")[0]
    other = replace(binding, inputs={**binding.inputs, place: "next_values"}, values="T")
    given = search.family.probes(other)
    if not all(search.outputs.match(search.parts(other, one) or {}, one, ()) for one in given):
        return []
    return [f"right where {place}[t] is the value of the state after step t; --map {place}=next_values"]


def _begun_by_its_caller(search: Search, binding: Binding) -> list[str]:
    """That an agent with a bug is right where its caller sets something back before each episode."""
    if binding.agreed != "fault" or not is_agent(binding):
        return []
    kept = [path for path in search.facts.written if path.startswith("self.") and path not in binding.inputs]
    for path in kept[:MOST_SET_BACK]:
        other = replace(binding, inputs={**binding.inputs, path: FRESH})
        given = search.family.probes(other)
        if all(search.outputs.match(search.parts(other, one) or {}, one, ()) for one in given):
            return [f"right where its caller sets {path} back before each episode; --map {path}={FRESH}"]
    return []


def _of_padding(path: str) -> bool:
    """Whether a name says that 1 marks what is not there."""
    return "padding" in roles_of(last_name(path), "loss_aggregation")
