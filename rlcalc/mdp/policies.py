"""Policies that people write: by names of actions, greedy, with a share of chance, or as probabilities.

uniform                          uniform over the actions that a state has
right                            one action in every state
search recharge                  one action a state, in the order of the states
high=search low=recharge         the same by name
epsilon=1/10,prefer=right        that action, but with probability 1/10 any, drawn uniformly
'greedy:1 2; 3 4'                the best of these action values, one row a state; ties share
'epsilon=1/10,greedy:1 2; 3 4'   both
'1/2 1/2; 1 0'                   probabilities, one row a state (or one row for all)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rlcalc.errors import InputError, UnknownName, many, shown, suggestion
from rlcalc.exact import compare, is_symbolic, parse_number
from rlcalc.mdp.draft import unknown_state
from rlcalc.mdp.model import MDP, Value
from rlcalc.mdp.planning import ONE, ZERO
from rlcalc.spelling import spelled

UNIFORM = "uniform"
_SOFT = re.compile(r"(?:epsilon|eps)=([^,]*)(?:,|$)")
_EXAMPLE = "For example: uniform; search recharge; high=search low=recharge; epsilon=1/10,prefer=right."

Rows = list[list[Value]]


def named_policy(mdp: MDP, raw: Any) -> Any:
    """Rows [S][A] for a policy that is written by names; one in numbers, or ``uniform``, stays as it is.

    Raises:
        InputError: ``policy_unknown``, ``policy_wrong_length``, ``policy_no_such_action`` and those of the
            number grammar.
        UnknownName: ``mdp_unknown_state``, ``mdp_unknown_action``.
    """
    if isinstance(raw, Mapping):
        return _by_state(mdp, {str(state): action for state, action in raw.items()})
    words = _words(raw)
    if words is None or not words or words == [UNIFORM]:
        return raw
    text = " ".join(words)
    soft = _SOFT.match(text)
    epsilon = _epsilon(soft[1]) if soft else ZERO
    rest = text[soft.end() :].strip() if soft else text
    if rest.startswith("greedy:"):
        return _soft(mdp, _greedy(mdp, rest.removeprefix("greedy:")), epsilon)
    if rest.startswith("prefer="):
        preferred = _assigned(mdp, rest.removeprefix("prefer=").split())
        return _soft(mdp, [{a: ONE} for a in preferred], epsilon)
    if soft:
        raise InputError(
            "policy_unknown",
            f"{spelled('policy')} {shown(text)} does not say what is done apart from chance.",
            "Write epsilon=1/10,prefer=right or 'epsilon=1/10,greedy:1 2; 3 4'.",
        )
    if all("=" in word for word in words):
        pairs = _pairs(words)
        if set(pairs) <= set(mdp.actions) - set(mdp.states):
            return _everywhere(mdp, pairs)
        return _by_state(mdp, pairs)
    if any(word in mdp.actions for word in words) and not all(map(_is_number, words)):
        return _rows(mdp, [{a: ONE} for a in _assigned(mdp, words)])
    if all(map(_is_name, words)) and not _symbols(words):
        raise _unknown_action(mdp, words[0])
    return raw


def uniform(mdp: MDP) -> list[dict[int, Value]]:
    """Every action that a state has, equally often."""
    return [
        dict.fromkeys(found, Fraction(1, len(found)))
        for found in (mdp.available(s) for s in range(len(mdp.states)))
    ]


def check_actions(mdp: MDP, rows: Sequence[Sequence[Value]]) -> None:
    """Refuse rows [S][A] that take an action which a state does not have.

    Raises:
        InputError: ``policy_no_such_action``.
    """
    for s in mdp.non_terminal:
        for a, chance in enumerate(rows[s]):
            if chance and mdp.moves[s][a] is None:
                raise InputError(
                    "policy_no_such_action",
                    f"State {mdp.states[s]} does not have the action {mdp.actions[a]}, which "
                    f"{spelled('policy')} takes there with probability {chance}.",
                    f"It has {', '.join(mdp.actions[b] for b in mdp.available(s))}.",
                )


def _words(raw: Any) -> list[str] | None:
    """The words of a policy as text; ``None`` where it is no text."""
    if isinstance(raw, str):
        return raw.split()
    if isinstance(raw, list | tuple) and raw and all(isinstance(word, str) for word in raw):
        return " ".join(raw).split()
    return None


def _is_number(word: str) -> bool:
    return word.strip(";")[:1] in tuple("0123456789.+-(") or word == ";"


def _is_name(word: str) -> bool:
    return word[:1].isalpha()


def _symbols(words: Sequence[str]) -> bool:
    """Whether these may be letters for probabilities."""
    return all(len(word.strip(";,")) == 1 for word in words)


def _epsilon(text: str) -> Value:
    value = parse_number(text, name="epsilon")
    if not is_symbolic(value) and (compare(value, 0) == -1 or compare(value, 1) == 1):
        raise InputError("policy_unknown", f"epsilon must be in [0, 1], not {text}.", _EXAMPLE)
    return value


def _pairs(words: Sequence[str]) -> dict[str, str]:
    return dict(word.strip(",").rsplit("=", 1) for word in words)


def _by_state(mdp: MDP, given: Mapping[str, Any]) -> Rows:
    """One action, or chances by action, for every state that is not terminal."""
    states = list(mdp.states)
    for state in given:
        if state not in states:
            raise unknown_state(state, states)
    missing = [mdp.states[s] for s in mdp.non_terminal if mdp.states[s] not in given]
    if missing:
        raise InputError(
            "policy_wrong_length",
            f"{spelled('policy')} says nothing of {', '.join(missing[:6])}{' …' * (len(missing) > 6)}.",
            "Every state that is not terminal needs an action.",
        )
    found: list[dict[int, Value]] = [{} for _ in states]
    for s in mdp.non_terminal:
        choice = given[mdp.states[s]]
        if isinstance(choice, Mapping):
            found[s] = {_action(mdp, str(word)): chance for word, chance in choice.items()}
        else:
            found[s] = {_action(mdp, str(choice)): ONE}
    return _rows(mdp, found)


def _everywhere(mdp: MDP, given: Mapping[str, str]) -> Rows:
    """The same chances of the actions in every state."""
    chances = {_action(mdp, word): parse_number(text, name=word) for word, text in given.items()}
    return _rows(mdp, [chances for _ in mdp.states])


def _assigned(mdp: MDP, words: Sequence[str]) -> list[int]:
    """An action for every state: one for all, one for each that is not terminal, or one for each."""
    actions = [_action(mdp, word.strip(",;")) for word in words]
    live = mdp.non_terminal
    if len(actions) == 1:
        return actions * len(mdp.states)
    if len(actions) == len(mdp.states):
        return actions
    if len(actions) == len(live):
        by_state = dict(zip(live, actions, strict=True))
        return [by_state.get(s, 0) for s in range(len(mdp.states))]
    raise InputError(
        "policy_wrong_length",
        f"{spelled('policy')} names {many(len(actions), 'action')}, expected {len(live)} "
        "(one per state that is not terminal) or 1 (in all of them).",
        f"The order is {' '.join(mdp.states[s] for s in live[:12])}{' …' * (len(live) > 12)}.",
    )


def _action(mdp: MDP, word: str) -> int:
    if word not in mdp.actions:
        raise _unknown_action(mdp, word)
    return mdp.actions.index(word)


def _unknown_action(mdp: MDP, word: str) -> UnknownName:
    known = list(mdp.actions)
    hint = suggestion(word, known) or f"The actions are {', '.join(known[:12])}. {_EXAMPLE}"
    return UnknownName("mdp_unknown_action", f"There is no action {shown(word)}.", hint)


def _greedy(mdp: MDP, text: str) -> list[dict[int, Value]]:
    """The best actions of a table of action values; ties share."""
    rows = [row.replace(",", " ").split() for row in text.split(";") if row.strip()]
    live = mdp.non_terminal
    if len(rows) not in (len(live), len(mdp.states)) or any(len(row) != len(mdp.actions) for row in rows):
        raise InputError(
            "policy_wrong_length",
            f"The action values after 'greedy:' must be {len(live)} rows (one per state that is not "
            f"terminal) of {len(mdp.actions)} (one per action: {', '.join(mdp.actions)}).",
            "Write ';' between rows, and any number for an action that a state does not have.",
        )
    by_state = dict(zip(live if len(rows) == len(live) else range(len(mdp.states)), rows, strict=True))
    found: list[dict[int, Value]] = [{} for _ in mdp.states]
    for s in live:
        values = {a: parse_number(by_state[s][a], name="greedy", symbols=False) for a in mdp.available(s)}
        best: list[int] = []
        for a, value in values.items():
            order = compare(value, values[best[0]]) if best else 1
            best = [a] if order == 1 else [*best, a] if order == 0 else best
        found[s] = dict.fromkeys(best, Fraction(1, len(best)))
    return found


def _soft(mdp: MDP, policy: Sequence[Mapping[int, Value]], epsilon: Value) -> Rows:
    """With probability ε any of the actions that the state has, else the policy."""
    mixed: list[dict[int, Value]] = []
    for s, chances in enumerate(policy):
        found = mdp.available(s)
        mixed.append(
            {a: (1 - epsilon) * chances.get(a, ZERO) + epsilon * Fraction(1, len(found)) for a in found}
            | {a: (1 - epsilon) * chance for a, chance in chances.items() if a not in found}
        )
    return _rows(mdp, mixed)


def _rows(mdp: MDP, policy: Sequence[Mapping[int, Value]]) -> Rows:
    """A row for every state; in a terminal one, where nothing is chosen, the first action."""
    rows = [
        [Fraction(a == 0) if ends else chances.get(a, ZERO) for a in range(len(mdp.actions))]
        for ends, chances in zip(mdp.terminal, policy, strict=True)
    ]
    check_actions(mdp, rows)
    return rows
