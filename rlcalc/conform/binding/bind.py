"""What a found reading makes of a target: bound, called as it stands, or asked about."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from rlcalc.conform.binding.bound import BoundTarget
from rlcalc.conform.binding.families import Family, family_of
from rlcalc.conform.binding.model import CANONICAL, Agreement, Binding
from rlcalc.conform.binding.search import Search
from rlcalc.conform.target.base import Target
from rlcalc.conform.vectors import answer_name, golden_vectors
from rlcalc.errors import InputError
from rlcalc.specs import Formula, load_formula

# layouts that are the formula's own, with a batch or without
AS_IT_STANDS = (CANONICAL, "[T]", "[...]", "[..., G]", "[G]")
# what is asked for by the name of the textbook, where trainers have a formula of tokens: what that one is of
OF_TOKENS = {"ppo_clip": ("policy_clip", "log-probabilities of tokens under a mask")}


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
    family = family_of(formula)
    if family is None or target.facts is None or isinstance(target, BoundTarget):
        return target
    if given is not None:
        return BoundTarget(target, given, family)
    facts = target.facts
    if facts.arguments is None or (facts.open and not mapped and target.needs <= _own(formula)):
        return target
    search = Search(target, formula, family, mapped or {})
    if search.slots.unknown:
        raise _unknown(target, formula, search, family)
    found = search.find()
    if search.slots.guessed and (found is None or _doubtful(found) or search.unused(found)):
        raise _unknown(target, formula, search, family)
    if found is None or (
        by_name(target, formula)
        and not mapped
        and found.agreed in ("part", "names", "fault")
        and _own_outputs(formula, found)
        and all(target.takes(p.name) for p in formula.parameters if p.required)
        and not _refuses_by_name(target, formula)
    ):
        if found is None and not by_name(target, formula):
            raise _unknown(target, formula, search, family)
        return target
    if not set(search.slots.dropped) & _own(formula) and _as_it_stands(target, formula, found):
        target.binding = replace(found, outputs={}, notes=(), excludes=())
        return target
    return BoundTarget(target, found, family)


def likeliest(target: Target, formulas: Sequence[str]) -> str:
    """Of formulas that a function may be the first that it is right for, else the first with a known bug."""
    if len(formulas) < 2:
        return next(iter(formulas), "")
    return min(formulas, key=lambda name: _AGREES.get(_reading(target, load_formula(name)), len(_AGREES)))


_AGREES = {"formula": 0, "convention": 0, "fault": 1}


def _reading(target: Target, formula: Formula) -> Agreement:
    family = family_of(formula)
    if family is None or target.facts is None:
        return ""
    search = Search(target, formula, family, {})
    found = None if search.slots.unknown else search.find()
    return found.agreed if found else ""


def bind_as(target: Target, formula: Formula) -> tuple[Target, Formula]:
    """A bound target and what it is judged as: of tokens, where it is right, or known, as that alone.

    Raises:
        InputError: as ``bind``.
    """
    if formula.name not in OF_TOKENS:
        return bind(target, formula), formula
    name, words = OF_TOKENS[formula.name]
    refused: InputError | None = None
    found = target
    try:
        found = bind(target, formula)
    except InputError as error:
        refused = error
    if refused is None and (found.binding is None or found.binding.agreed not in ("part", "names")):
        return found, formula
    spec = load_formula(name)
    with contextlib.suppress(InputError):
        other = bind(target, spec)
        read = other.binding
        if read is not None and read.roles & {"valid", "padding"} and read.agreed not in ("part", "names"):
            other.notes.append(
                f"asked for {formula.name}; it is another formula, of {words}: judged as {name} "
                f"(--formula {spec.command})"
            )
            return other, spec
    if refused is not None:
        raise refused
    return found, formula


def _doubtful(found: Binding) -> bool:
    """Whether a guess is all that speaks for a reading; a bug beside assumed numbers is no more than that."""
    return found.agreed in ("part", "names") or (found.agreed == "fault" and bool(found.fixed))


def _own(formula: Formula) -> frozenset[str]:
    return frozenset(p.name for p in formula.parameters)


def _as_it_stands(target: Target, formula: Formula, found: Binding) -> bool:
    """Whether a call by the formula's own names, in its own layout, says all that a binding says."""
    known = by_name(target, formula) and found.layout in AS_IT_STANDS and not found.fixed
    renamed = any(path != role for path, role in found.inputs.items())
    return (
        known
        and _own_outputs(formula, found)
        and not renamed
        and found.form == "array"
        and found.flags == "bool"
        and found.backend == target.backend
    )


def _own_outputs(formula: Formula, found: Binding) -> bool:
    """Whether what comes back may be the answer itself: not the mean of it, say, which has another shape."""
    shapes = {output.name: output.shape for output in formula.outputs}
    alone = [name for name, place in found.outputs.items() if not place]
    first = {output.name for output in formula.outputs if output.of}  # the first entry of the answer
    return all(name in first or shapes[name] == shapes[answer_name(formula)] for name in alone)


def by_name(target: Target, formula: Formula) -> bool:
    """Whether it can be called by the formula's own names as it stands."""
    facts = target.facts
    return facts is not None and not facts.method and target.needs <= _own(formula)


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
        return InputError(
            "target_signature",
            f"No reading of the parameters of {target.name} as {formula.name} gave an answer{why}.",
            "read as: " + ", ".join(f"{p} = {r[0]}" for p, r in search.slots.open.items()),
        )
    roles = lacking or ["none"]
    typed = " ".join(f"--map {name}={roles[min(k, len(roles) - 1)]}" for k, name in enumerate(unknown))
    missing = f" It still lacks {', '.join(lacking)}." if lacking else ""
    if guessed:
        tried = ", ".join(f"{n} as {' or '.join(search.slots.open[n])}" for n in guessed)
        missing += f" Tried: {tried}; no answer is right, declared or a known bug's, so it is not judged."
    return InputError(
        "target_signature",
        f"{target.name} needs {', '.join(unknown)}, whose name says nothing about {formula.name}.{missing}",
        f"Say what they are, for example {typed}; none, true, number:3 and text:k3 pass just that.",
    )
