"""Which formula a function computes: by its name, else by what it takes and what it answers.

A name that says nothing, or names a formula that the arguments do not fit,
is no reason to stop: every formula whose inputs are all there is tried. What
is found in this way has to agree with the right answers, or with those of a
known bug where a word of the name speaks for the formula; a function that
agrees with none is not judged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from rlcalc.conform.binding.body import IN_BODY
from rlcalc.conform.binding.families.base import Family
from rlcalc.conform.binding.families.family import family_of
from rlcalc.conform.binding.model import Agreement, Binding
from rlcalc.conform.binding.plays import played
from rlcalc.conform.binding.policies import ways
from rlcalc.conform.binding.remarks import Reading, read
from rlcalc.conform.binding.search import LONGEST
from rlcalc.conform.binding.slots import LEFT_ALONE, Slots, slots_of
from rlcalc.conform.binding.words.likely import OF_TOKENS, guessed_formulas
from rlcalc.conform.binding.words.names import tokens_tables
from rlcalc.conform.binding.words.spelling import spellings
from rlcalc.conform.binding.words.titles import hints, named_by, of_class
from rlcalc.conform.target.base import Target
from rlcalc.errors import InputError
from rlcalc.specs import Formula, load_formula

# formulas besides those of tokens whose arguments say enough
OTHERS = ("actor_loss", "critic_loss", "entropy", "grpo_advantage", "kl", "ppo_clip")
# losses of policies, of which a function may be any, with what they call the log-probabilities
OF_POLICIES = {"actor_loss": "log_probs", "ppo_clip": "new_log", "policy_clip": "logp"}
MOST_TRIED = 6
# what sweeps lead to, and after how many
SWEPT, SWEEPS = ("bellman",), "value_iteration"
_AGREES: Mapping[Agreement, int] = {"formula": 0, "convention": 0, "fault": 1}
RIGHT: tuple[Agreement, ...] = ("formula", "convention")


def found_formula(target: Target, called: str) -> str:
    """The formula of a function whose user names none.

    Args:
        called: the function's name, with its file and class.

    Raises:
        InputError: ``formula_missing``, with what was tried.
    """
    if play := played(target, called):
        return play.formula
    best, least, refused = "", len(_AGREES), None
    ran: list[Target] = []
    until = time.monotonic() + LONGEST
    for way in ways(target, ran):
        if ran and time.monotonic() > until:
            break
        try:
            found = _formula_of(way, called)
        except InputError as error:
            refused = refused or error
            continue
        ran += [way] * (way is not target)
        agreed = _AGREES.get(_reading(way, load_formula(found)), len(_AGREES)) if way.facts else 0
        # of two that agree with nothing the one with the log-probabilities is nearer
        nearer = bool(ran) and agreed == least and {best, found} <= OF_POLICIES.keys()
        if not best or agreed < least or nearer:
            best, least = found, agreed
        if not least:
            break
    if not best:
        assert refused is not None
        raise refused
    return best


def _formula_of(target: Target, called: str) -> str:
    """The same of a function as it stands."""
    named = guessed_formulas(called, target.facts)
    best, doubted, agreed = likeliest(target, named), [], ""
    named_so = named_by(called)
    if best and (target.facts is None or not named_so or fits(target, load_formula(best))):
        # what arguments alone speak for has to agree with something
        agreed = "" if named_so == best or target.facts is None else _reading(target, load_formula(best))
        if agreed in RIGHT or (agreed not in _AGREES and (named_so or target.facts is None)):
            return best
        if agreed not in _AGREES:
            named, best, doubted = (), "", [best]
    others = [of_class(called), *by_arguments(target, called)]
    others = [name for name in dict.fromkeys(others) if name and name not in named]
    # a bug of one formula may be another formula
    found = _right(target, others) if agreed in _AGREES else _agreeing(target, others, called)
    if found or best:
        return found or best
    raise InputError(
        "formula_missing",
        f"--formula is missing: name and arguments of {called} do not tell it.",
        _advice(target, [*doubted, *named, *others]),
    )


def told_by(called: str, formula: str) -> str:
    """What told the formula of a function: its ``name``, or its ``arguments``."""
    named = guessed_formulas(called)
    return "name" if formula in (*named, *map(OF_TOKENS.get, named)) else "arguments"


def likeliest(target: Target, formulas: Sequence[str]) -> str:
    """Of formulas that a function may be the first that it is right for, else the first with a known bug."""
    if len(formulas) < 2:
        return next(iter(formulas), "")
    best = min(formulas, key=lambda name: _AGREES.get(_reading(target, load_formula(name)), len(_AGREES)))
    counted = SWEEPS if best in SWEPT and SWEEPS in formulas else best
    return counted if _counts_sweeps(target, counted) else best


def _counts_sweeps(target: Target, name: str) -> bool:
    """Whether it is told how many sweeps to make, and is right or has a known bug by what it answers then."""
    formula = load_formula(name)
    family = family_of(formula)
    if name != SWEEPS or family is None:
        return False
    found = searched(target, formula, family)[1]
    if found is None or found.agreed not in _AGREES:
        return False
    return "sweeps" in found.roles and "theta" not in found.roles


def searched(target: Target, formula: Formula, family: Family) -> Reading:
    """The reading of a function by its names alone; a formula is searched once, whoever asks."""
    key = formula.name, target.backend
    if key not in target.searched:
        target.searched[key] = read(target, formula, family, {})
    found: Reading = target.searched[key]
    return found


def fits(target: Target, formula: Formula) -> bool:
    """Whether every argument that a function insists on has a meaning in a formula, and none is lacking."""
    family, facts = family_of(formula), target.facts
    if family is None or facts is None or facts.arguments is None or facts.open:
        return True
    slots = slots_of(facts, formula, {})
    return not slots.unknown and _covers(slots, formula, family, frozenset(IN_BODY))


def by_arguments(target: Target, called: str) -> list[str]:
    """Formulas whose inputs are all among a function's arguments, the likeliest first."""
    facts = target.facts
    if facts is None or facts.arguments is None or facts.open:
        return []
    found = []
    for name in (*tokens_tables(), *OTHERS):
        formula = load_formula(name)
        family = family_of(formula)
        slots = slots_of(facts, formula, {})
        if family is None or slots.unknown or slots.guessed or not slots.open:
            continue
        if _covers(slots, formula, family):
            used = sum(not set(roles) <= LEFT_ALONE for roles in slots.open.values())
            found.append((not hinted(name, called), -used, -len(family.core(formula)), name))
    names = [name for *_, name in sorted(found)]
    # a clip that only one of them looks at is not made so wide for the other that it hides
    hidden = {"critic_loss"} if OF_TOKENS["critic_loss"] in names else set()
    return [name for name in names if name not in hidden][:MOST_TRIED]


def hinted(formula: str, called: str) -> bool:
    """Whether a word of a function's name, or of its class, speaks for a formula."""
    words = spellings(called.rpartition(":")[2])
    return formula == of_class(called) or any(
        re.search(pattern, word) for pattern in hints(formula) for word in words
    )


def _covers(slots: Slots, formula: Formula, family: Family, within: frozenset[str] = frozenset()) -> bool:
    """Whether all that nothing can be computed without has a place, but for numbers that stand within."""
    core = family.core(formula) - within
    readings = (Binding(formula.name, inputs) for inputs in slots.assignments())
    return bool(core) and any(core <= family.conveys(one) for one in readings)


def _agreeing(target: Target, formulas: Sequence[str], called: str) -> str:
    """The first that a function is right for, else one whose known bug it has, if its name may mean it."""
    buggy = ""
    for name in formulas:
        agreed = _reading(target, load_formula(name))
        if agreed in RIGHT:
            return name
        if agreed == "fault" and hinted(name, called):
            buggy = buggy or name
    return buggy


def _right(target: Target, formulas: Sequence[str]) -> str:
    """The first that a function is right for."""
    return next((name for name in formulas if _reading(target, load_formula(name)) in RIGHT), "")


def _reading(target: Target, formula: Formula) -> Agreement:
    family = family_of(formula)
    if family is None or target.facts is None:
        return ""
    found = searched(target, formula, family)[1]
    return found.agreed if found else ""


def _advice(target: Target, tried: Sequence[str]) -> str:
    tried = list(dict.fromkeys(tried))
    if not tried:
        return "For example: --formula gae; 'rlcalc list' shows all of them."
    commands = ", ".join(load_formula(name).command for name in tried)
    search = target.searched.get((tried[0], target.backend), (None,))[0]
    failed = search.failure if search and not search.ran else ""
    if failed:
        failed = f" As {load_formula(tried[0]).command} it gave no answer: {failed}."
    return (
        f"By its arguments it may be {commands}, but it agrees with none of them and has no known bug of "
        f"theirs.{failed} Say which it should be, for example --formula {load_formula(tried[0]).command}"
    )
