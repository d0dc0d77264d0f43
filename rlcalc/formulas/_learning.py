"""Learning from experience step by step, as terms: what a row of the table says, and how it comes about.

    Q(S, A) ← Q(S, A) + α (target − Q(S, A)),   target = R + γ R' + … + γ^m · (what follows),

and with traces, for every pair at once,

    δ = R + γ · (what follows) − Q(S, A),   Q ← Q + α δ z,   z ← γλ z,   z(S, A) one more or set to 1.

A value keeps the number of the step that set it: Q_3(s, a) was set by step 3, Q_0(s, a) is the initial one.
What follows a step is the only thing that the methods differ in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, shown
from rlcalc.exact import to_sympy
from rlcalc.experience import Experience, Step, Table, Universe, universe
from rlcalc.experience.model import Key
from rlcalc.formulas._words import word_name
from rlcalc.inputs.bind import Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Number, Symbol, Term, term, total

ONE_OVER_K = "1/k"
ZERO = Table({}, Fraction(0), "0")
Following = Callable[[Step], Term]
Cut = Callable[[Step], str]


def check_learning(x: Any, tables: Sequence[str], actions: str = "") -> None:
    """Match names across the inputs, exact ones or arrays; exact ones are told what rows are called.

    Raises:
        InputError: ``n_and_lam``, ``replacing_without_lam``, ``action_unknown``.
    """
    lam = getattr(x, "lam", None)
    if lam is not None and getattr(x, "n", 1) not in (None, 1):
        raise InputError(
            "n_and_lam",
            f"{spelled('n')} and {spelled('lam')} do not go together.",
            "A method with λ mixes all n already.",
        )
    if lam is None and getattr(x, "replacing", None):
        raise InputError(
            "replacing_without_lam", f"{spelled('replacing')} is about traces.", f"Give {spelled('lam')} too."
        )
    known = world(x, tables, actions)
    if isinstance(x, Inputs):
        x.names.update(known.names)
        x.dims.update({"state": len(known.states), "action": len(known.actions)})


def world(x: Any, tables: Sequence[str], actions: str = "") -> Universe:
    """The states and actions of all inputs."""
    declared = getattr(x, actions) if actions else None
    return universe(experience_of(x), [getattr(x, name) for name in tables], declared)


def experience_of(x: Any) -> Experience:
    """The steps, however they were given."""
    steps = getattr(x, "steps", None)
    return steps if steps is not None else x.episodes  # type: ignore[no-any-return]


class Ledger:
    """A table in the making: each entry as the symbol of the step that set it last."""

    def __init__(self, d: Derivation, letter: str, keys: Sequence[Key], initial: Table | None) -> None:
        self.d, self.letter = d, letter
        table = ZERO if initial is None else initial
        self.now = {key: d.given(self.name(key, 0), table.get(key)) for key in keys}

    def name(self, key: Key, number: int) -> Name:
        return Name(self.letter, str(number), arg=word_name(", ".join(key)))

    def __getitem__(self, key: Key) -> Symbol:
        return self.now[key]

    def set(self, key: Key, number: int, found: Term, note: str = "") -> Symbol:
        self.now[key] = self.d.step(self.name(key, number), found, note)
        return self.now[key]


class Rates:
    """The step size: a number, or 1/k at the k-th update of an entry."""

    def __init__(self, d: Derivation, alpha: Any) -> None:
        self.d, self.alpha = d, alpha
        self.count: dict[Key, int] = {}

    def at(self, key: Key) -> Term:
        self.count[key] = self.count.get(key, 0) + 1
        if self.alpha == ONE_OVER_K:
            return term(Fraction(1, self.count[key]))
        return self.d.given("α", self.alpha)


class Rows:
    """What every step gave, for the outputs."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Term]] = {"target": [], "error": [], "new_value": []}

    def add(self, *entries: Term) -> None:
        for column, entry in zip(self.columns.values(), entries, strict=True):
            column.append(entry)

    def declare(self, d: Derivation) -> None:
        for name, column in self.columns.items():
            d.output(name, column)


def learn(d: Derivation, i: Inputs, steps: Sequence[Step], table: Ledger, following: Following) -> Rows:
    """One update a step towards its n-step target, in order; each target sees the updates before it."""
    rows, rates = Rows(), Rates(d, i.alpha)
    for t, step in enumerate(steps):
        d.row = t + 1
        end = last_of_window(steps, t, i.n)
        target = d.step(Name("target", str(t + 1)), window(d, steps, t, end, i.gamma, following))
        old, alpha = table[step.key], rates.at(step.key)
        error = d.step(Name("δ", str(t + 1)), target - old)
        rows.add(target, error, table.set(step.key, t + 1, old + alpha * error))
    d.row = 0
    return rows


def last_of_window(steps: Sequence[Step], t: int, n: Any) -> int:
    """The step whose successor state is bootstrapped from: n − 1 later, or the last of the episode."""
    end = t
    while end - t + 1 < n and not steps[end].last:
        end += 1
    return end


def window(
    d: Derivation, steps: Sequence[Step], t: int, end: int, gamma: Any, following: Following | None
) -> Term:
    """R_{t+1} + γ R_{t+2} + … + γ^m · (what follows), or without the last summand at the end."""
    discount = d.given("γ", gamma)
    parts: list[Term] = []
    for k in range(t, end + 1):
        reward = d.given(Name("R", str(k + 1)), steps[k].reward)
        parts.append(reward if k == t else _power(discount, k - t) * reward)
    if following is not None and steps[end].after is not None:
        parts.append(_power(discount, end - t + 1) * following(steps[end]))
    return total(parts)


def _power(discount: Term, exponent: int) -> Term:
    return discount if exponent == 1 else discount**exponent


@dataclass(frozen=True)
class Visit:
    """A visit that counts: the step, the last one of its episode, and their numbers for a reader."""

    t: int
    end: int
    episode: int
    step: int


def visits(experience: Experience, which: str) -> list[Visit]:
    """The first visit of every state in every episode, or every visit."""
    found = []
    for number, episode in enumerate(experience.episodes(), start=1):
        seen: set[str] = set()
        for place, t in enumerate(episode, start=1):
            state = experience.steps[t].state
            if which == "every" or state not in seen:
                found.append(Visit(t, episode[-1], number, place))
            seen.add(state)
    return found


class Traces:
    """z of every entry; those that are 0 are not written out."""

    def __init__(self, d: Derivation, letter: str, i: Inputs) -> None:
        self.d, self.replacing = d, bool(i.replacing)
        self.decay = d.given("γ", i.gamma) * d.given("λ", i.lam)
        self.now: dict[Key, Term] = {}

    def visit(self, key: Key, number: int) -> None:
        """Decay all since the step before, and credit the entry that is visited."""
        before, self.now = self.now, {}
        for other in dict.fromkeys([*before, key]):
            old = before.get(other)
            decayed = None if old is None else self.decay * old
            if other == key:
                found = term(1) if self.replacing or decayed is None else decayed + 1
            elif decayed is None or decayed.value == 0:
                continue
            else:
                found = decayed
            self.now[other] = self.d.step(Name("z", str(number), arg=word_name(", ".join(other))), found)

    def clear(self) -> None:
        self.now = {}


def learn_with_traces(
    d: Derivation, i: Inputs, steps: Sequence[Step], table: Ledger, following: Following, cut: Cut
) -> Rows:
    """One update of all entries a step, each by its trace."""
    rows, rates, traces = Rows(), Rates(d, i.alpha), Traces(d, table.letter, i)
    keys = list(table.now)
    history: list[list[Term]] = []
    credit: list[list[Term]] = []
    for t, step in enumerate(steps):
        d.row = t + 1
        target = d.step(Name("target", str(t + 1)), window(d, steps, t, t, i.gamma, following))
        error = d.step(Name("δ", str(t + 1)), target - table[step.key])
        alpha, why = rates.at(step.key), cut(step)
        traces.visit(step.key, t + 1)
        for key, z in traces.now.items():
            note = why and key == step.key and f"{why}: the traces are cut after it"
            table.set(key, t + 1, table[key] + alpha * error * z, note or "")
        rows.add(target, error, table[step.key])
        history.append([table[key] for key in keys])
        credit.append([traces.now.get(key, Number(to_sympy(0))) for key in keys])
        if step.last or why:
            traces.clear()
    d.row = 0
    d.output("traces", credit)
    d.output("history", history)
    return rows


def learned(
    d: Derivation, i: Inputs, table: Ledger, following: Following, cut: Cut = lambda step: ""
) -> Rows:
    """What each step teaches, by ``alpha``, ``gamma``, ``n`` and, where there is a λ, by traces.

    Args:
        cut: of a step, why no trace outlives it; empty where it does not.
    """
    steps = experience_of(i).steps
    if i.given.get("lam") is None:
        return learn(d, i, steps, table, following)
    return learn_with_traces(d, i, steps, table, following, cut)


def _never(table: Ledger, step: Step, actions: Sequence[str]) -> str:
    return ""


def learned_pairs(
    d: Derivation, i: Inputs, following: Callable[..., Term], cut: Callable[..., str] = _never
) -> None:
    """The table of action values from ``q`` on, and the rows, as outputs.

    Args:
        following, cut: of the table, a step and the actions.
    """
    known = world(i, ["q"], "actions")
    table = Ledger(d, "Q", known.entries(), i.q)
    looks = (lambda step, look=look: look(table, step, known.actions) for look in (following, cut))
    rows = learned(d, i, table, *looks)
    d.output("q_values", grid(table, known))
    rows.declare(d)


def check_next_actions(x: Any) -> None:
    """Every step that goes on must say with which action, where a window ends in it.

    Raises:
        InputError: ``next_action_missing``.
    """
    steps = experience_of(x).steps
    n = getattr(x, "n", None) or 1
    for t in range(len(steps)):
        end = last_of_window(steps, t, n)
        step = steps[end]
        if step.after is not None and not step.then:
            raise InputError(
                "next_action_missing",
                f"Step {end + 1}, {shown(step.text())}, does not say which action follows in {step.after}.",
                f"Write it as the fifth word, or 'end' in place of {step.after} if the episode is over.",
            )


def action_values(table: Ledger, state: str, actions: Sequence[str]) -> list[Symbol]:
    """Q(state, ·) as it stands."""
    return [table[(state, action)] for action in actions]


def grid(table: Ledger, known: Universe) -> list[list[Symbol]]:
    """The table as rows of states."""
    return [action_values(table, state, known.actions) for state in known.states]
