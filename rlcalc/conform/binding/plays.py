"""Functions that play an environment by themselves, judged by the steps that they took.

A training loop such as ``q_learning(env, num_episodes, alpha, epsilon)``
chooses its actions itself, so that no vector can be put to it. It is given an
environment that writes down what happens there, and each of its runs is a
vector: the formula's answer for the very steps that were taken, against the
table that came back.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.words.names import roles_of
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.target.base import Target, from_function
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.environment import ACTIONS, COLUMNS, PLAYED, POLICY, STATES, STEPS, TABLE
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.signature import Argument
from rlcalc.conform.target.source import RECEIVERS
from rlcalc.conform.target.syntax import last_name
from rlcalc.conform.vectors import Vector
from rlcalc.errors import InputError
from rlcalc.experience import Experience, universe
from rlcalc.nested import flatten
from rlcalc.specs import load_formula

# formulas of tables, and what a function of theirs is called; the first that it is right for
CALLED = {
    "expected_sarsa": r"expected",
    "sarsa": r"sarsa",
    "q_learning": r"q_?(learn|agent|table)|ql\b|^q$",
    "mc": r"mc|monte|first_?visit|every_?visit",
    "td": r"td|temporal",
}
OF_STATES = frozenset({"td", "mc"})
# what must have a place; who has none for γ does not discount
NEEDED = {"mc": (), "expected_sarsa": ("alpha", "epsilon")}
EPISODES = re.compile(r"(?i)episode|^n_?(eps|trials|iters?|runs)$|num_(trials|iter\w*|runs)|iterations")
STEPS_AT_MOST = re.compile(r"(?i)max_?(steps|t|len)|t_?max|horizon|steps_?max")
# the first is short, so that a case that fails can be followed
EPISODES_OF_RUNS, MOST_STEPS = (1, 3, 5), 100
SIZES = {"n_states": STATES + 1, "n_actions": ACTIONS}
NUMBERS = {
    "alpha": (Fraction(1, 4), Fraction(1, 2), Fraction(1, 8)),
    "gamma": (Fraction(3, 4), Fraction(1, 2), Fraction(7, 8)),
    "epsilon": (Fraction(1, 4), Fraction(1, 2), Fraction(1, 8)),
    "lam": (Fraction(1, 2), Fraction(3, 4), Fraction(1, 4)),
    "n": (Fraction(2), Fraction(3), Fraction(1)),
}
# algorithms of their own, which are no wrong ones of those above; traces and windows where they have a place
OTHERS = re.compile(
    r"double|dyna|priorit|off_?policy|true_?online|planning|replay|approx|linear|tile|weighted"
)
KNOWN_BY = {"lam": re.compile(r"lambda|lam\b|trace"), "n": re.compile(r"n_?step|multi_?step")}
# what may stay as it is: it is about which actions are chosen, or about what is printed
HARMLESS = re.compile(r"(?i)eps|explor|seed|print|log|eval|render|verbose|plot|every|freq|window|rng|debug")
VISITS = ("first", "every")
NEAR = 1e-9


class Replay(Target):
    """A function that has played: it answers once more what it has answered, and knows no other steps."""


@dataclass(frozen=True)
class Played:
    """A function that played, as a target that can be judged: it answers what it has answered.

    Attributes:
        formula: that it is held to.
        vectors: one for each run.
        share: of entries that are right.
    """

    target: Target
    formula: str
    vectors: tuple[Vector, ...]
    share: float


@dataclass(frozen=True)
class _Run:
    """What a run did, what it began with, and what came of it."""

    rows: Any
    first: Any
    table: Any
    numbers: Mapping[str, Fraction]
    told: frozenset[str]


def environment_of(facts: Facts | None) -> str:
    """The place of what a function plays in, a parameter or an attribute; empty for none."""
    if facts is None or facts.arguments is None:
        return ""
    steps = [path.removesuffix(".step()") for path in facts.paths if path.endswith(".step()")]
    own = {a.name for a in facts.arguments}
    return next((p for p in steps if f"{p}.reset()" in facts.paths and (p in own or _ATTRIBUTE.match(p))), "")


_ATTRIBUTE = re.compile(r"self\.\w+$")


def played(target: Target, called: str, formula: str = "") -> Played | None:
    """A function that plays an environment, after it has played; ``None`` for any other.

    Args:
        called: its name, with its file.
        formula: that its user asks for; else the likeliest by its name, and by what it is right for.

    Raises:
        InputError: ``target_signature`` where it cannot be called, or gives back no table.
    """
    place = environment_of(target.facts)
    if not place or (formula and formula not in CALLED):
        return None
    key = "environment", place  # it plays once, whoever asks
    if key not in target.searched:
        target.searched[key] = [_run(target, place, number) for number in range(len(EPISODES_OF_RUNS))]
    runs: list[_Run] = target.searched[key]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", called.rpartition(":")[2]).lower()
    hinted = [name for name, pattern in CALLED.items() if re.search(pattern, words)]
    wide = np.ndim(runs[0].table) > 1
    names = [formula] if formula else [n for n in (hinted or CALLED) if (n in OF_STATES) != wide]
    found = [_as_formula(target, name, runs, visit) for name in names for visit in _visits(name, words)]
    some = [one for one in found if one is not None]
    best = max(some, key=lambda one: one.share, default=None)  # the first of several
    if best is None:
        raise _refusal(target, f"what it gives back is no table of {' or '.join(names) or 'any formula'}")
    if best.share < 1 and not formula and not (hinted and _is_plain(target.facts, words, runs[0])):
        tried = dict.fromkeys(load_formula(one.formula).command for one in some)
        held = f" If it should be {best.formula}, say so: --formula {load_formula(best.formula).command}."
        raise _refusal(target, f"is right for none of {', '.join(tried)}", held)
    best.target.notes.append(
        f"{place} is an environment of ours: {len(EPISODES_OF_RUNS)} runs, of up to {EPISODES_OF_RUNS[-1]} "
        "episodes, are judged by the steps that it took there"
    )
    return best


def _is_plain(facts: Facts | None, words: str, run: _Run) -> bool:
    """Whether what it is called and told leaves no doubt which algorithm it should be."""
    assert facts is not None
    more = [role for role, pattern in KNOWN_BY.items() if pattern.search(words) and role not in run.numbers]
    names = [a.name for a in (*(facts.arguments or ()), *facts.made_with)]
    unknown = [n for n in names if n not in run.told and n not in RECEIVERS and not HARMLESS.search(n)]
    return not (OTHERS.search(words) or more or unknown)


def _visits(formula: str, words: str) -> tuple[str, ...]:
    if formula != "mc":
        return ("",)
    return tuple(visit for visit in VISITS if visit in words) or VISITS


def _run(target: Target, place: str, number: int) -> _Run:
    """One run, with numbers of its own."""
    facts = target.facts
    assert facts is not None
    numbers: dict[str, Fraction] = {}

    def values(arguments: Iterable[Argument]) -> dict[str, Any]:
        asked = [argument for argument in arguments if argument.name not in RECEIVERS]
        found = {a.name: _value(a, facts, place, number, numbers) for a in asked}
        lacking = [a.name for a in asked if found[a.name] is None and not a.optional]
        if lacking:
            raise _refusal(target, f"nothing is known of its {lacking[0]}")
        return {name: value for name, value in found.items() if value is not None}

    given, made = values(facts.arguments or ()), values(facts.made_with)
    sheet = {**_sheet(facts, place), "seed": 3 * number + 1, "made": made}
    reply = target.lay_out(given, sheet)
    if reply.kind == "raises":  # with five of a step come two of a reset, unless a wrapper took one away
        sheet["info"] = not sheet["info"]
        other = target.lay_out(given, sheet)
        reply = other if other.kind == "answer" else reply
    if reply.kind != "answer":
        raise _refusal(target, f"it gave no answer there ({reply.detail or reply.kind})")
    rows, table = _array(reply, STEPS), _array(reply, TABLE)
    if rows is None or table is None or not len(rows):
        raise _refusal(target, "it gives back no table of values")
    # of no episode comes what it begins with: it may be drawn, with the same random numbers as before
    none = {n: 0 if EPISODES.search(n) and v == EPISODES_OF_RUNS[number] else v for n, v in given.items()}
    begun = [_array(target.lay_out(none, sheet), TABLE) for _ in range(2)] if none != given else []
    known = [table for table in begun if table is not None]
    if any(not np.array_equal(known[0], table, equal_nan=True) for table in known):
        raise _refusal(target, "it begins with random numbers that are others whenever it is asked")
    first = known[0] if known else None
    return _Run(rows, first, table, numbers, frozenset(given) | frozenset(made))


def _array(reply: Reply, name: str) -> Any:
    part = reply.parts.get(name) if reply.kind == "answer" else None
    return None if part is None else part.array


def _sheet(facts: Facts, place: str) -> dict[str, Any]:
    """What the environment is like, by what is asked of it, and where a learner keeps what."""
    five = f"{place}.step()[4]" in facts.paths
    named = {p.removeprefix("self."): n for p, n in facts.paths.items() if _ATTRIBUTE.match(p)}
    return {
        "backend": "numpy",
        "plays": True,
        "five": five,
        "info": five,
        "at": place.removeprefix("self.") if place.startswith("self.") else "",
        "tables": [
            p for p, n in named.items() if "table" in (*roles_of(n, "q_learning"), *roles_of(n, "td"))
        ],
    }


def _value(argument: Argument, facts: Facts, place: str, number: int, numbers: dict[str, Fraction]) -> Any:
    """What stands for a parameter of the function, or of its class; ``None`` where nothing is known of it."""
    name = argument.name
    role, size = (next(iter(roles_of(name, of)), "") for of in ("q_learning", "agents"))
    if name == last_name(place) or size == "environment":
        return PLAYED
    if f"{name}()" in facts.paths:
        return POLICY
    if role in NUMBERS:
        numbers[role] = NUMBERS[role][number]
        return int(numbers[role]) if role == "n" else float(numbers[role])
    if size in SIZES:
        return SIZES[size]
    if EPISODES.search(name):
        return EPISODES_OF_RUNS[number]
    return MOST_STEPS if STEPS_AT_MOST.search(name) else None


def _refusal(target: Target, why: str, more: str = "") -> InputError:
    return InputError(
        "target_signature",
        f"{target.name} plays an environment by itself, and {why}.",
        "What can be judged of it is its update: a function of one step, such as "
        f"update(q, s, a, r, s2, done), or of an episode.{more}",
    )


def _as_formula(target: Target, formula: str, runs: list[_Run], visit: str) -> Played | None:
    """The runs as vectors of a formula, and the function that answers them; ``None`` where they are none."""
    if any(set(NEEDED.get(formula, ("alpha",))) - run.numbers.keys() for run in runs):
        return None
    spec = load_formula(formula)
    own = spec.names
    answers: dict[Any, Any] = {}
    vectors = []
    for number, run in enumerate(runs):
        given: dict[str, Any] = {n: v for n, v in run.numbers.items() if n in own}
        given |= {"gamma": given.get("gamma", Fraction(1)), "steps": _text(run.rows, formula)}
        given |= {"actions": [f"a{k}" for k in range(ACTIONS)]} if "actions" in own else {}
        given |= {"visit": visit} if visit else {}
        given |= _begun(run, "values" if "values" in own else "q")
        drawn = Draft("float64", (), given, [{}]).vector(spec, f"{formula}/run-{number + 1}")
        if drawn is None:
            return None
        texts = {name: value if isinstance(value, list) else str(value) for name, value in given.items()}
        vector = replace(drawn, texts=texts)
        seen: Experience = vector.arrays["steps"]
        tables = [vector.arrays[name] for name in ("values", "q") if name in own]
        states = seen.left if formula == "mc" else universe(seen, tables).states
        vectors.append(vector)
        answers[tuple(seen.plain("steps"))] = run.table[[int(state[1:]) for state in states]]
    output = spec.outputs[0].name

    def answer(**given: Any) -> dict[str, Any]:
        return {output: answers[tuple(given["steps"])]}

    names = [p.name for p in spec.parameters if p.name in vectors[0].given]
    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    answer.__name__ = formula
    right = [_right(answers[tuple(v.arrays["steps"].plain("steps"))], v.truth[output]) for v in vectors]
    made = from_function(answer)
    again = Replay(**{**vars(made), "name": target.name, "called": target.called, "source": target.source})
    return Played(again, formula, tuple(vectors), float(np.mean(np.concatenate(right))))


def _begun(run: _Run, name: str) -> dict[str, str]:
    """The table that it began with, as it is typed; nothing where all of it is 0."""
    if run.first is None or run.first.shape != run.table.shape or not run.first[:-1].any():
        return {}
    entries = [
        " ".join([f"s{place[0]}", *(f"a{action}" for action in place[1:]), str(Fraction(float(value)))])
        for place, value in np.ndenumerate(run.first[:-1])
    ]
    return {name: "; ".join(entries)}


def _right(table: Any, truth: Any) -> Any:
    """Which entries are right."""
    numbers = np.array([float(number) for number in flatten(truth)])
    return (
        np.isclose(np.ravel(table), numbers, NEAR, NEAR) if table.size == len(numbers) else numbers < -np.inf
    )


def _text(rows: Any, formula: str) -> str:
    """What happened, as it is typed."""
    found = []
    for row in rows.tolist():
        step = dict(zip(COLUMNS, row, strict=True))
        reward = Fraction(step["reward"])
        after = "end" if step["after"] == STATES else f"s{step['after']:.0f}"
        acted = "" if formula in OF_STATES else f"a{step['action']:.0f} "
        found.append(f"s{step['state']:.0f} {acted}{reward} {after}")
    return "; ".join(found)
