"""Which role each place of a function can play, by its name alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from rlcalc.conform.binding.families.agent_places import AROUND_AN_AGENT, WITH_AGENTS
from rlcalc.conform.binding.families.sequence import ENDINGS, WINDOW_VALUE
from rlcalc.conform.binding.guesses import DEFAULT, guesses
from rlcalc.conform.binding.held import (
    FACTOR,
    inside_roles,
    kept,
    numbers_kept,
    some_known,
)
from rlcalc.conform.binding.model import constant
from rlcalc.conform.binding.words.names import (
    PROCESSES,
    family,
    of_tokens,
    table,
    whole_tables,
    with_steps_named,
    words_for,
)
from rlcalc.conform.binding.words.roles import OF_ACTIONS, roles_by_name
from rlcalc.conform.binding.words.token_roles import AROUND_A_TERM, TERMS, WEIGHTS
from rlcalc.conform.target.facts import MODULE, Facts
from rlcalc.conform.target.source import RECEIVERS
from rlcalc.conform.target.syntax import last_name
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.specs import Formula

CONSTANTS = ("gamma", "lam", "n", "alpha", "batch_size")
# of clips, which settings hold as well
WIDTHS, LEAST_WIDTH = ("eps", "eps_both"), 0.01
# what a default is better for
LEFT_ALONE = frozenset(
    {
        "on",
        "off",
        "zero",
        "valid",
        "device",
        "observations",
        "next_observations",
        "length",
        "batch_size",
        "option",
        "small",
        "ipo",
        "reference_free",
        "vocabulary",
        "ignored",
        "attended",
        "parameters",
        "none",
    }
)
# of a function of tokens these are no side issue
OF_TOKENS = frozenset({"valid"})
# roles that several places can have at once
SHARED = frozenset(
    {*LEFT_ALONE, *TERMS.values(), *WEIGHTS, *AROUND_A_TERM, "none", "gamma", "lam", "length", "network"}
    | {"prediction"}
)
# what a controller keeps, and is asked for after a step
STATE = frozenset({"coef"})
LASTS = frozenset({"last_done", "last_mask"})
MOST = 32
# inputs that something may be multiplied by
SCALARS = frozenset(["gamma", "lam", "n", "eps", "beta"])
# what td_error calls the numbers of one transition
SINGLE = frozenset({"reward", "value", "next_value"})


@dataclass(frozen=True)
class Slots:
    """Places with their possible roles.

    Attributes:
        open: roles by place, the likeliest first.
        unknown: parameters that it insists on and whose names say nothing.
        read: places to read after a call.
        dropped: optional parameters that are left at their default.
        guessed: parameters whose names say nothing, with roles that no other place has.
    """

    open: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    dropped: tuple[str, ...] = field(default=())
    guessed: tuple[str, ...] = ()

    def assignments(self) -> Iterator[dict[str, str]]:
        """One role a place, no role twice; the likeliest first."""
        paths = list(self.open)
        ranked = sorted(
            product(*(range(len(self.open[path])) for path in paths)),
            key=lambda places: (sum(places), places),
        )
        found = [
            dict(zip(paths, (self.open[p][k] for p, k in zip(paths, ks, strict=True)), strict=True))
            for ks in ranked[:4096]
        ]
        good = [one for one in found if not (_odd(one) or self.twice(one))]
        for one in (good or found)[:MOST]:
            yield {path: role for path, role in one.items() if role != DEFAULT}

    def twice(self, roles: Mapping[str, str]) -> bool:
        """Whether a guess is a role that another place has."""
        given = list(roles.values())
        return any(given.count(roles[path]) > 1 for path in self.guessed if roles[path] != DEFAULT)


def _odd(roles: Mapping[str, str]) -> bool:
    """Whether two places have one role, or a role lacks the one that it goes with."""
    own = [role for role in roles.values() if role not in SHARED and constant(role) is None]
    # the flag after the last step goes with flags of the steps before it
    lonely = LASTS & set(own) and not {"done", "mask", "first"} & set(own)
    # who takes lengths is given sums: averages would be right for one that forgets to divide
    averages = {role.removesuffix("_average") for role in own if role.endswith("_average")}
    plain = [role.removesuffix("_always") for role in own]
    lengths = {role.removesuffix("_lengths") for role in plain if role.endswith("_lengths")}
    # of action values one is meant, the one that was taken
    unsaid = OF_ACTIONS & set(own) and not {"q_rows", "actions_taken"} <= set(own)
    # a critic of next states alone is one of values
    alone = "next_critic" in own and "prediction" not in roles.values()
    return bool(lonely or unsaid or alone) or len(own) != len(set(own)) or bool(averages & lengths)


def slots_of(facts: Facts, formula: Formula, mapped: Mapping[str, str]) -> Slots:
    """What names say about a function.

    Args:
        mapped: roles that the user gave.

    Raises:
        InputError: ``unknown_role``, ``unknown_place``.
    """
    own = formula.names
    facts = whole_tables(facts) if formula.name in PROCESSES else facts
    if of_tokens(formula.name):
        facts = replace(facts, paths={p: _of_holder(p, n, formula, own) for p, n in facts.paths.items()})
    facts = with_steps_named(facts) if formula.name == "mc" else facts
    if facts.needs - own:
        own -= SINGLE  # it is no function of these names, so that they may mean whole arrays
    open_: dict[str, tuple[str, ...]] = {}
    unknown: list[str] = []
    dropped: list[str] = []
    for argument in facts.arguments or ():
        if facts.method and argument.name in RECEIVERS:
            continue
        inside = {
            p: n for p, n in facts.paths.items() if p.startswith(tuple(argument.name + way for way in ".[("))
        }
        roles = roles_by_name(argument.name, formula, own, argument.name in facts.written)
        if not argument.optional or isinstance(argument.default, int | float):  # seldom made for None
            roles = tuple(sorted(roles, key=lambda role: not role.endswith("_always")))
        if argument.name in mapped:
            open_[argument.name] = (mapped[argument.name],)
        elif (
            inside
            and (not roles or any("['" in p or "." in p for p in inside))
            and some_known(inside, formula, own)
        ):
            open_.update(inside_roles(inside, facts, formula, own))
        elif roles and not (argument.optional and set(roles) <= _left_alone(formula, own)):
            open_[argument.name] = roles
        elif argument.optional:
            dropped.append(argument.name)
        elif argument.name in facts.switches:
            open_[argument.name] = ("true", "none")
        else:
            unknown.append(argument.name)
    if facts.method:
        inside = {p: n for p, n in facts.paths.items() if p.partition(".")[0] in RECEIVERS}
        open_.update(inside_roles(inside, facts, formula, own))
        open_.update(kept(facts, formula, own, open_))
    asked = any(path.endswith("()") and roles != ("none",) for path, roles in open_.items())
    if asked and (family(formula.name) != "sequence" or _have_rewards(open_)):
        # a network that stands for its answer does not look at what it is asked about, such as an action
        open_.update({n: ("none" if f"{n}()" in facts.paths else "observations",) for n in unknown})
        unknown = []
    have = {role for roles in open_.values() for role in roles[:1]}
    for name in facts.constants:
        # of a constant alone nobody knows whether it clips or keeps from a division by 0
        known = (*CONSTANTS, *(WIDTHS if "." in name and facts.constants[name] >= LEAST_WIDTH else ()))
        roles = tuple(r for r in roles_by_name(last_name(name), formula, own) if r in known)
        if roles and roles[0] not in have:
            open_[MODULE + name] = roles[:1]
    lacking = formula.names & SCALARS - {r for roles in open_.values() for r in roles}
    if lacking:
        # what something is multiplied by may be one of these, which must not be taken for 1
        open_ = {path: tuple(r for r in roles if r != FACTOR) or roles for path, roles in open_.items()}
        open_ |= numbers_kept(open_, facts, sorted(lacking))
    _either_way(open_, formula)
    _averages_first(open_)
    for path, role in mapped.items():
        if path not in open_:
            _known_place(path, facts)
        open_[path] = (known_role(role, formula),)
    read = tuple(p for p in facts.written if "." in p or "[" in p or p in open_)
    found = Slots(open_, tuple(n for n in unknown if n not in mapped), read, tuple(dropped))
    guessed = guesses(facts, formula, open_, found.unknown, [n for n in dropped if n not in mapped])
    return replace(
        found,
        open={**open_, **guessed},
        unknown=tuple(n for n in found.unknown if n not in guessed),
        dropped=tuple(n for n in dropped if n not in guessed),
        guessed=tuple(guessed),
    )


def _of_holder(path: str, name: str, formula: Formula, own: frozenset[str]) -> str:
    """The name of a number: of ``kl_ctl.value`` that of the controller, where it says what it controls."""
    holder = last_name(path.rpartition(".")[0])
    return holder if name == "value" and roles_by_name(holder, formula, own) else name


def _have_rewards(open_: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether some place holds rewards: else what is unknown is that, and nothing that a network looks at."""
    return any({"rewards", "reward", "td_errors"} & set(roles) for roles in open_.values())


def _either_way(open_: dict[str, tuple[str, ...]], formula: Formula) -> None:
    """Roles that a name leaves open, where the formula decides.

    Of a new policy and an old one, an estimate of their divergence may take the tokens from either; the one
    value of an n-step return stands behind the last reward, or behind the first n.
    """
    if formula.name == "kl_estimate" and ("ref_logp", "logp") in open_.values():
        for path, roles in open_.items():
            open_[path] = ("logp", "ref_logp") if roles == ("logp",) else roles
    for new, old in (("new_log", "old_log"), ("logp", "old_logp")):
        # of two log-probabilities the one that a network is asked for is new, and the one that is kept old
        have = {
            path: path.endswith(("()", "]")) and "()" in path for path, r in open_.items() if r[:1] == (new,)
        }
        takes = any(old in roles for roles in open_.values()) or old not in table(family(formula.name))
        if len(set(have.values())) == 2 and not takes:
            open_ |= {path: (old,) for path, asked in have.items() if not asked}
    every = {role for roles in open_.values() for role in roles[:1]}
    if formula.name == "n_step_return" and not every & {"values", "next_values", "critic", *ENDINGS}:
        # without a value of each step it may be that of the state that n rewards lead to
        for path, roles in open_.items():
            open_[path] = (*roles, WINDOW_VALUE) if roles[:1] == ("last_value",) else roles


def _averages_first(open_: dict[str, tuple[str, ...]]) -> None:
    """Without a place for lengths, answers are given by their averages, where a loss is made for these."""
    every = {role for roles in open_.values() for role in roles}
    if not any("_lengths" in role for role in every):
        for path, roles in open_.items():
            open_[path] = tuple(sorted(roles, key=lambda role: not role.endswith("_average")))


def _left_alone(formula: Formula, own: frozenset[str]) -> frozenset[str]:
    """Roles of optional parameters that are left at their defaults."""
    if not of_tokens(formula.name):
        return LEFT_ALONE | _own_eps(formula)
    return (LEFT_ALONE | ({"mode"} - own)) - OF_TOKENS


def _own_eps(formula: Formula) -> frozenset[str]:
    """An ε against a division by 0 is part of what a function does; a clip width is an input."""
    return frozenset({"eps"} if formula.name == "grpo_advantage" else ())


def known_role(role: str, formula: Formula) -> str:
    """The role, where a formula has it.

    Raises:
        InputError: ``unknown_role``.
    """
    if constant(role) is not None:
        return role
    known = [*table(family(formula.name)), "none", *(p.name for p in formula.parameters)]
    known += [*AROUND_A_TERM, *([WINDOW_VALUE] if formula.name == "n_step_return" else [])]
    known += AROUND_AN_AGENT if formula.name in WITH_AGENTS else ()
    if role not in known:
        raise InputError(
            "unknown_role",
            f"{formula.name} has no role {shown(role)}.",
            suggestion(role, known) or f"There are {', '.join(dict.fromkeys(known))}.",
        )
    return role


def _known_place(path: str, facts: Facts) -> None:
    names = facts.names
    if path.partition(".")[0].partition("[")[0] in (*names, *RECEIVERS, "module", "__init__") or facts.open:
        return
    raise InputError(
        "unknown_place",
        f"There is no parameter {shown(path)} to map.",
        suggestion(path, names) or f"It has {', '.join(names) or 'none'}.",
    )


def words_of(facts: Facts, formula: Formula) -> dict[str, str]:
    """What a function calls the choices of a formula, by the texts that it compares with."""
    defaults = {a.default for a in facts.arguments or () if isinstance(a.default, str)}
    known = {*facts.words, *defaults}
    found = {}
    for p in formula.parameters:
        for choice in p.choices if p.kind == "choice" else ():
            word = next((word for word in words_for(choice, p.name) if word in known), None)
            if word is not None:
                found[choice] = word
        if p.default in p.choices and found.keys() & {*p.choices}:  # what is left where nothing else is asked
            found.setdefault(str(p.default), str(p.default))
    if "mode" not in formula.names:
        word = next((word for word in words_for("token-mean", "mode") if word in known), None)
        found |= {"token-mean": word} if word is not None else {}
    return found
