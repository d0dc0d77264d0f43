"""What a found reading makes of a target: bound, called as it stands, or asked about."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from rlcalc.conform.binding.bound import BoundTarget
from rlcalc.conform.binding.families.base import Family
from rlcalc.conform.binding.families.family import family_of
from rlcalc.conform.binding.families.named import Named
from rlcalc.conform.binding.families.updates import Updates
from rlcalc.conform.binding.model import CANONICAL, Binding
from rlcalc.conform.binding.policies import ways, with_places
from rlcalc.conform.binding.remarks import read
from rlcalc.conform.binding.search import Search
from rlcalc.conform.binding.slots import known_role
from rlcalc.conform.binding.which import OF_POLICIES, searched
from rlcalc.conform.binding.words.likely import OF_TOKENS
from rlcalc.conform.binding.words.roles import AT
from rlcalc.conform.faults import catalogue
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.policies import is_policy, place_of
from rlcalc.conform.vectors import answer_name, golden_vectors
from rlcalc.errors import InputError, RlcalcError
from rlcalc.specs import Formula, load_formula

# a reading under which a function is right
MOST_AGREED = 2
# layouts that are the formula's own, with a batch or without
AS_IT_STANDS = (CANONICAL, "[T]", "[...]", "[..., G]", "[G]")
# what is asked for by the name of the textbook, where trainers have a formula of many answers, or of tokens
# under a mask; and places of such functions, of which the textbook's formula knows nothing: it asks with one
# group, or with every token there, and would not see what a function does with others
OF_TEXTBOOK = {
    "ppo_clip": (OF_TOKENS["ppo_clip"], frozenset()),
    "gae": ("token_gae", frozenset(["valid"])),
    "grpo_advantage": ("group_advantage", frozenset(["group", "index"])),
}
# places by which such a formula is known
OF_MANY = frozenset(["mask", "valid", "padding", "groups", "group_size"])


def bind(
    target: Target, formula: Formula, mapped: Mapping[str, str] | None = None, given: Binding | None = None
) -> Target:
    """A target whose parameters are known by what they mean.

    Args:
        target: as loaded.
        formula: that it is read as.
        mapped: roles by place that the user gave.
        given: a whole binding that the user gave; nothing is tried then.

    Raises:
        InputError: ``target_signature`` where names say nothing; ``unknown_role``, ``unknown_place``.
    """
    if mapped and (places := tuple(filter(is_policy, mapped))):
        target = with_places(target, places)
    if mapped or given is not None or isinstance(target, BoundTarget):
        return _bound(target, formula, mapped, given)
    found: Target | None = None
    refused: InputError | None = None
    lifted_refused = False
    ran: list[Target] = []
    for way in ways(target, ran):
        try:
            other = _bound(way, formula)
        except InputError as error:
            # the likeliest reading says most of what is missing
            refused = error if refused is None or (way is not target and not lifted_refused) else refused
            lifted_refused = way is not target
            continue
        ran += [way] * (way is not target)
        closer = _agreement(other) - (0 if found is None else _agreement(found))
        # of two that agree with nothing the one with the log-probabilities is nearer
        if found is None or closer > 0 or (not closer and _has_logs(other) > _has_logs(found)):
            found = other
        if _agreement(found) == MOST_AGREED:
            break
    if found is None:
        assert refused is not None
        raise refused
    return found


def _has_logs(target: Target) -> bool:
    return isinstance(target, BoundTarget) and any(map(is_policy, target.reading.inputs))


def _agreement(target: Target) -> int:
    """How much speaks for a reading; what is called by the formula's own names needs none."""
    if not isinstance(target, BoundTarget):
        return MOST_AGREED
    return {"formula": MOST_AGREED, "convention": MOST_AGREED, "fault": 1}.get(target.reading.agreed, 0)


def _bound(
    target: Target, formula: Formula, mapped: Mapping[str, str] | None = None, given: Binding | None = None
) -> Target:
    """A target as it stands, with its places known by what they mean; as ``bind``."""
    family = family_of(formula)
    if family is None or target.facts is None or isinstance(target, BoundTarget):
        return target
    if given is not None:
        for role in given.roles:
            known_role(role, formula)
        return BoundTarget(target, given, family)
    facts = target.facts
    if isinstance(family, Updates) and by_name(target, formula):
        return target
    if facts.arguments is None or (facts.open and not mapped and target.needs <= formula.names):
        return target
    search, found = read(target, formula, family, mapped) if mapped else searched(target, formula, family)
    if search.slots.unknown:
        raise _unknown(target, formula, search, family)
    if search.slots.guessed and (found is None or _doubtful(found) or search.unused(found)):
        raise _unknown(target, formula, search, family)
    if found is None or (
        by_name(target, formula)
        and not mapped
        and found.agreed in ("part", "names", "fault")
        and _own_outputs(formula, found)
        and all(target.takes(p.name) for p in formula.parameters if p.required)
        and not _passes_on_more(target, formula, found)
        and not _refuses_by_name(target, formula)
    ):
        if found is None and not by_name(target, formula):
            raise _unknown(target, formula, search, family)
        return target
    own = by_name(target, formula) and not (isinstance(family, Named) and _insists(target, formula))
    if own and not set(search.slots.dropped) & formula.names and _as_it_stands(target, formula, found):
        target.binding = replace(found, outputs={}, notes=(), excludes=())
        return target
    return BoundTarget(target, found, family)


def bind_as(target: Target, formula: Formula, declared: Sequence[str] = ()) -> tuple[Target, Formula]:
    """A bound target and what it is judged as: of tokens, where it is right, or known, as that alone.

    Args:
        declared: conventions of what it is judged as.

    Raises:
        InputError: as ``bind``.
    """
    if formula.name not in OF_TEXTBOOK:
        return bind(target, formula), formula
    name, beyond = OF_TEXTBOOK[formula.name]
    if not _has(name, declared):
        return bind(target, formula), formula
    refused: InputError | None = None
    found = target
    try:
        found = bind(target, formula)
    except InputError as error:
        refused = error
    if refused is None and _is_read(found) and not (beyond & _roles(found)):
        return found, formula
    spec = load_formula(name)
    with contextlib.suppress(InputError):
        other = bind(target, spec)
        # of one group, what takes many is right however it mixes them
        grouped = formula.name == "grpo_advantage" and bool(beyond & _roles(found))
        if _roles(other) & OF_MANY and (_is_read(other) or grouped):
            of = "tokens under a mask" if formula.name != "grpo_advantage" else "several groups"
            other.notes.append(
                f"asked for {formula.name}; it is another formula, of {of}: judged as {name} "
                f"(--formula {spec.command})"
            )
            return other, spec
    if refused is not None:
        raise refused
    return found, formula


def _has(formula: str, declared: Sequence[str]) -> bool:
    """Whether a formula has these conventions."""
    try:
        catalogue(formula).chosen(declared)
    except RlcalcError:
        return False
    return True


def _is_read(target: Target) -> bool:
    """Whether some answer speaks for the reading, or none was needed."""
    return target.binding is None or target.binding.agreed not in ("part", "names")


def _roles(target: Target) -> frozenset[str]:
    return frozenset() if target.binding is None else target.binding.roles


def _doubtful(found: Binding) -> bool:
    """Whether a guess is all that speaks for a reading; a bug beside assumed numbers is no more than that."""
    return found.agreed in ("part", "names") or (found.agreed == "fault" and bool(found.fixed))


def _as_it_stands(target: Target, formula: Formula, found: Binding) -> bool:
    """Whether a call by the formula's own names, in its own layout, says all that a binding says."""
    known = found.layout in AS_IT_STANDS and not found.fixed
    renamed = any(path != role for path, role in found.inputs.items())
    return (
        known
        and _own_outputs(formula, found)
        and not renamed
        and found.form == "array"
        and found.flags == "bool"
        and found.backend == target.backend
        and not _passes_on_more(target, formula, found)
    )


def _insists(target: Target, formula: Formula) -> bool:
    """Whether it cannot do without what the formula can, such as the time of a bandit: its count of pulls."""
    return any(p.name in target.needs for p in formula.parameters if not p.required and p.default is None)


def _passes_on_more(target: Target, formula: Formula, found: Binding) -> bool:
    """Whether a reading passes on what a call by the formula's own names would leave at a default.

    That is what has another name, the step that is asked about, and values to a function that asks for those
    of the next states alone.
    """
    if AT in found.roles:
        return True
    own, family = formula.names, family_of(formula)
    renamed = any(role in own and path not in own for path, role in found.inputs.items())
    return renamed or (family is not None and not all(map(target.takes, family.conveys(found) & own)))


def _own_outputs(formula: Formula, found: Binding) -> bool:
    """Whether what comes back may be the answer itself: not the mean of it, say, which has another shape."""
    shapes = {output.name: output.shape for output in formula.outputs}
    alone = [name for name, place in found.outputs.items() if not place]
    return all(shapes[name] == shapes[answer_name(formula)] for name in alone)


def by_name(target: Target, formula: Formula) -> bool:
    """Whether it can be called by the formula's own names as it stands."""
    facts = target.facts
    return facts is not None and not facts.method and target.needs <= formula.names


def _refuses_by_name(target: Target, formula: Formula) -> bool:
    """Whether the first call by the formula's own names fails, where a reading of it gives an answer.

    One value for many returns has no methods of an array, say.
    """
    plain = (vector for vector in golden_vectors(formula.name) if not target.unable(vector))
    return any(target.call(vector).kind == "raises" for vector in islice(plain, 1))


def _unknown(target: Target, formula: Formula, search: Search, family: Family) -> InputError:
    """Where names say nothing: what there is to map, and what to type."""
    guessed = search.slots.guessed
    unknown = search.slots.unknown or guessed
    open_ = {path: roles for path, roles in search.slots.open.items() if path not in guessed}
    have = {role for roles in open_.values() for role in roles[:1]}
    lacking = sorted(family.core(formula) - have)
    if not unknown:
        why = f": {search.failure}" if search.failure else ""
        # places whose names say nothing, which are nothing until a user says more
        silent = [path for path, roles in search.slots.open.items() if roles[0] == "none"]
        ask = "".join(f" --map {path}=number:1" for path in silent[:3])
        return InputError(
            "target_signature",
            f"No reading of the parameters of {target.name} as {formula.name} gave an answer{why}.",
            f"Read as {', '.join(f'{p} = {r[0]}' for p, r in search.slots.open.items())}. If it is another "
            "formula, say so with --formula; if a parameter means something else, with --map NAME=ROLE."
            + (f" Say what the others are, a role of {formula.name} or a number:{ask}" if ask else ""),
        )
    roles = lacking or ["none"]
    typed = " ".join(f"--map {name}={roles[min(k, len(roles) - 1)]}" for k, name in enumerate(unknown))
    missing = f" It still lacks {', '.join(lacking)}." if lacking else ""
    logs = OF_POLICIES.get(formula.name, "")
    if len(unknown) > 1 and logs and logs not in have:
        place = place_of({"logits": unknown[0], "actions": unknown[1]})
        missing += f" Logits and the actions taken would be one place: --map '{place}={logs}'."
    if guessed:
        tried = ", ".join(f"{n} as {' or '.join(search.slots.open[n])}" for n in guessed)
        missing += f" Tried: {tried}; no answer is right, declared or a known bug's, so it is not judged."
    return InputError(
        "target_signature",
        f"{target.name} needs {', '.join(unknown)}, whose name says nothing about {formula.name}.{missing}",
        f"Say what they are, for example {typed}; none, true, number:3 and text:k3 pass just that.",
    )
