"""TD error: how far one step's target lies from the value that stood for it.

    δ_t = R_{t+1} + γ_t V'(S_{t+1}) − V(S_t),   t = 0 … T−1,

V' being the value of the true successor, 0 after a terminated step. The
target is the part in front of − V(S_t). One step may be given by three
numbers instead of sequences.

Source: Sutton and Barto, 2nd edition, equation 6.5.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.formulas._sequence import exact_episode, prepare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, total


def check(i: Inputs) -> None:
    """Refuse several discounts for a single step.

    Raises:
        InputError: ``gamma_wrong_length``.
    """
    if i.reward is not None and isinstance(i.gamma, list):
        raise _one_gamma(len(i.gamma))


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays: a batch of single steps may have one discount each, in its own shape."""
    if a.reward is not None and a.gamma.ndim > max(x.ndim for x in (a.reward, a.value, a.next_value)):
        raise _one_gamma(a.gamma.shape[-1])


def _one_gamma(count: int) -> InputError:
    return InputError(
        "gamma_wrong_length",
        f"{spelled('gamma')} has {count} entries, expected 1 for a single step.",
        f"One discount per step goes with {spelled('rewards')}.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.reward is not None:
        _one_step(d, i)
        return
    e = exact_episode(d, i)
    # the definition is written out whole; the target is its part that is learned towards
    errors = [d.step(Name("δ", str(t)), e.td_error(t)) for t in range(e.steps)]
    targets = [d.step(Name("target", str(t)), e.td_target(t), shown=False) for t in range(e.steps)]
    d.output("td_error", errors)
    d.output("target", targets)


def _one_step(d: Derivation, i: Inputs) -> None:
    reward, gamma = d.given("R", i.reward), d.given("γ", i.gamma)
    value = d.given(Name("V", arg=Name("S")), i.value)
    successor = d.given(Name("V", arg=Name("S'")), i.next_value)
    target = d.step("target", reward + gamma * successor)
    d.output("td_error", d.step("δ", total([reward, gamma * successor, -value])))
    d.output("target", target)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """δ_t = R_{t+1} + γ_t V'(S_{t+1}) − V(S_t) for rewards [..., T], or one step of numbers [...]."""
    if a.reward is not None:
        target = a.reward + a.gamma * a.next_value
        return {"td_error": target - a.value, "target": target}
    p = prepare(xp, a.rewards, a.values, a.gamma, a.terminated, a.truncated, a.next_values)
    target = p.rewards + p.gamma * p.bootstrap
    return {"td_error": target - p.values[..., :-1], "target": target}
