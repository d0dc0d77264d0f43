"""Estimates of a bandit's arms after every pull, and which choices cannot have been greedy.

    Q_{k+1}(a) = Q_k(a) + α (R − Q_k(a)),   α = 1/k for the mean of the arm's rewards

Source: Sutton and Barto, 2nd edition, equations 2.3 and 2.5, and exercise 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import to_unicode
from rlcalc.formulas._greedy import largest
from rlcalc.formulas._learning import Ledger, Rates
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, term

_MOST_ARMS = 100


def arms_of(actions: Sequence[str], arms: Sequence[str] | None) -> list[str]:
    """Names of all arms: as given, 1 to N for a number, or those that were pulled.

    Raises:
        InputError: ``action_unknown``, ``arms_out_of_range``.
    """
    if not arms:
        return list(dict.fromkeys(map(str, actions)))
    names = list(dict.fromkeys(map(str, arms)))
    if len(names) == 1 and names[0].isdigit():
        if not 1 <= int(names[0][:9]) <= _MOST_ARMS:
            raise InputError(
                "arms_out_of_range", f"{spelled('arms')} is at most {_MOST_ARMS}, not {shown(names[0])}."
            )
        names = [str(number) for number in range(1, int(names[0]) + 1)]
    for action in map(str, actions):
        if action not in names:
            hint = suggestion(action, names) or f"There are {' '.join(names)}."
            raise InputError("action_unknown", f"There is no arm {shown(action)}.", hint)
    return names


def check(i: Inputs) -> None:
    """Match arms and pulls, and say what rows and columns are called."""
    names = arms_of(i.actions, i.arms)
    i.dims["arm"] = len(names)
    i.names["arm"] = tuple(names)
    i.names["step"] = tuple(
        f"{k}  arm {action}, reward {to_unicode(reward)}"
        for k, (action, reward) in enumerate(zip(i.actions, i.rewards, strict=True), start=1)
    )


def check_arrays(a: Any) -> None:
    arms_of(a.actions, a.arms)
    if len(a.actions) != a.rewards.shape[-1]:
        raise InputError(
            "rewards_wrong_length",
            f"{spelled('rewards')} has {a.rewards.shape[-1]} entries, expected {len(a.actions)}.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    keys = [(name,) for name in arms_of(i.actions, i.arms)]
    table, rates = Ledger(d, "Q", keys, None), Rates(d, i.alpha)
    if i.initial != 0:
        table.now = {key: d.given(table.name(key, 0), i.initial) for key in keys}
    history: list[list[Term]] = []
    new: list[Term] = []
    choices: list[str] = []
    for k, (action, reward) in enumerate(zip(i.actions, i.rewards, strict=True), start=1):
        d.row = k
        key = (str(action),)
        best = [keys[at] for at in largest([table[arm].value for arm in keys], "rewards")]
        choices.append("perhaps" if key in best else "surely")
        old, alpha = table[key], rates.at(key)
        new.append(table.set(key, k, old + alpha * (d.given(Name("R", str(k)), reward) - old)))
        history.append([table[arm] for arm in keys])
    d.row = 0
    d.output("estimates", [table[key] for key in keys])
    d.output("pulls", [term(rates.count.get(key, 0)) for key in keys])
    d.output("new_value", new)
    d.output("exploratory", choices)
    d.output("history", history)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Pull by pull, for rewards [..., T]."""
    names = arms_of(a.actions, a.arms)
    places = [names.index(str(action)) for action in a.actions]
    now = [a.rewards[..., 0] * 0 + a.initial for _ in names]
    count = [0] * len(names)
    history, new = [], []
    for t, arm in enumerate(places):
        count[arm] += 1
        reward = a.rewards[..., t]
        if isinstance(a.alpha, str):  # the mean, by the pulls before
            before = count[arm] - 1
            now[arm] = (now[arm] * before + reward) / count[arm] if before else reward
        else:
            now[arm] = (1 - a.alpha) * now[arm] + a.alpha * reward
        new.append(now[arm])
        history.append(xp.stack(now, -1))
    pulls = [a.rewards[..., 0] * 0 + number for number in count]
    found = {
        "estimates": history[-1],
        "pulls": xp.stack(pulls, -1),
        "new_value": xp.stack(new, -1),
        "history": xp.stack(history, -2),
    }
    return {name: xp.cast(array, a.rewards.dtype) for name, array in found.items()}
