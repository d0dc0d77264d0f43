"""Discounted return: the rewards to come, each worth γ times less per step of delay.

    G_t = Σ_{k=0}^{N−1} γ^k R_{t+k+1} + γ^N V(S_{t+N}),   t = 0 … T−1,

with N the number of steps from t to the end of the episode. The last summand
is the bootstrap: 0 unless a value of the state after the last reward is
given, and absent after a terminated step. The numeric forms run

    G_t = R_{t+1} + γ_t G_{t+1}.

Source: Sutton and Barto, 2nd edition, equations 3.8 and 3.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import equal, to_text
from rlcalc.formulas._sequence import exact_episode, prepare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, term, total


def check(i: Inputs) -> None:
    """Refuse two different values for the state after the last reward.

    Raises:
        InputError: ``bootstrap_conflict``, ``endless_conflict``, ``endless_without_discount``.
    """
    _check_endless(i.tail, i.repeat, {name: i.given[name] for name in _ENDS if name in i.typed}, i.gamma)
    if i.bootstrap is None:
        return
    for name in ("next_values", "values"):
        if name in i.typed:
            last = i.given[name][-1]
            if not equal(last, i.bootstrap):
                raise _conflict(name, f"{to_text(i.bootstrap)} and {to_text(last)}")
            return


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays; a 0 at the end of values counts as not said, nan as no value."""
    _check_endless(a.tail, a.repeat, {name: getattr(a, name) for name in _ENDS}, _looked(a))
    name = "values" if a.next_values is None else "next_values"
    if a.bootstrap is None or getattr(a, name) is None:
        return
    found = a.look("bootstrap", name)
    if found is not None:
        bootstrap, last = found[0], found[1][..., -1]
        said = last == last if name == "next_values" else (last == last) & (last != 0)
        if (said & (last != bootstrap)).any():
            raise _conflict(name, "different numbers")


_ENDS = ("bootstrap", "values", "next_values", "terminated", "truncated")


def _looked(a: Arrays) -> Any:
    """The discount as a list or a number; 0 where no look at it is possible."""
    found = a.look("gamma") if a.gamma is not None else None
    return 0 if found is None else found[0].tolist()


def _check_endless(tail: Any, repeat: Any, ends: Mapping[str, Any], gamma: Any) -> None:
    """Rewards that never end have no other end, and need one discount below 1."""
    if tail is None and not repeat:
        return
    name = "tail" if tail is not None else "repeat"
    others = [spelled(other) for other, value in ends.items() if value is not None]
    others += [spelled("repeat")] if repeat and name == "tail" else []
    if others:
        raise InputError(
            "endless_conflict",
            f"{spelled(name)} says what follows the last reward, and so does {others[0]}.",
            "Give one of them.",
        )
    if isinstance(gamma, list) or (not hasattr(gamma, "free_symbols") and gamma == 1):
        raise InputError(
            "endless_without_discount",
            f"{spelled(name)} needs one {spelled('gamma')} below 1: rewards for ever add up to no number.",
            f"For example {spelled('gamma')} 0.9.",
        )


def _conflict(name: str, what: str) -> InputError:
    return InputError(
        "bootstrap_conflict",
        f"{spelled('bootstrap')} and the last of {spelled(name)} are {what}; "
        "both are the value after the last reward.",
        "Give one of them, or the same number twice.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    endless = _endless(d, i)
    if endless is not None:
        i = replace(i, given={**i.given, "bootstrap": endless}, typed=i.typed | {"bootstrap"})
    e = exact_episode(d, _with_bootstrap(i))
    if not i.typed & {"bootstrap", "values", "next_values"}:
        # no value was spoken of: the sum ends with the last reward
        e.terminated[-1] = True
    elif i.bootstrap is not None and e.terminated[-1]:
        d.note("The last step is terminated, so the bootstrap is not used.")
    returns = [d.step(Name("G", str(t)), e.n_step(t, e.steps)) for t in range(e.steps)]
    d.output("return", returns[0])
    d.output("returns", returns)


def _endless(d: Derivation, i: Inputs) -> Any:
    """The value after the last reward where steps go on for ever, as a step; ``None`` elsewhere."""
    gamma = d.given("γ", i.gamma)
    after = Name("V", arg=Name("S", str(len(i.rewards))))
    if i.tail is not None:
        tail = d.given(Name("R", "tail"), i.tail)
        return d.step(after, tail / (1 - gamma), "the same reward for ever").value
    if not i.repeat:
        return None
    rewards = [d.given(Name("R", str(t)), reward) for t, reward in enumerate(i.rewards, start=1)]
    powers: list[Term] = [term(1), gamma, *(gamma**t for t in range(2, len(rewards)))]
    once = total([rewards[0], *(power * r for power, r in zip(powers[1:], rewards[1:], strict=False))])
    return d.step(after, once / (1 - gamma ** len(i.rewards)), "the same rewards again and again").value


def _with_bootstrap(i: Inputs) -> Inputs:
    """The inputs with ``bootstrap`` where the episode looks for the value after its last step."""
    values = {**i.given, "values": i.values or [Fraction(0)] * (len(i.rewards) + 1)}
    if i.bootstrap is not None:
        name = "values" if i.next_values is None else "next_values"
        values[name] = [*values[name][:-1], i.bootstrap]
    return replace(i, given=values)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """G_t = R_{t+1} + γ_t G_{t+1}: rewards [..., T] -> returns [..., T]."""
    bootstrap, truncated = a.bootstrap, a.truncated
    if bootstrap is not None and truncated is not None:
        # a cut at the last step and a bootstrap there are the same thing
        truncated = truncated & (xp.indices(a.rewards.shape[-1], a.rewards) < a.rewards.shape[-1] - 1)
    if a.tail is not None:
        bootstrap = a.rewards[..., 0] * 0 + a.tail / (1 - a.gamma)
    elif a.repeat:
        once = scan(a.rewards, a.gamma + a.rewards * 0, a.rewards[..., 0] * 0)[..., 0]
        bootstrap = once / (1 - a.gamma ** a.rewards.shape[-1])
    p = prepare(xp, a.rewards, a.values, a.gamma, a.terminated, truncated, a.next_values)
    base = p.rewards if truncated is None else p.rewards + p.gamma * (1 - p.carry) * p.bootstrap
    last = p.bootstrap[..., -1] if bootstrap is None else bootstrap
    returns = scan(base, p.gamma * p.carry, last)
    return {"returns": returns}
