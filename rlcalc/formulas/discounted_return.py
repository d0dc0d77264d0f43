"""Discounted return: the rewards to come, each worth γ times less per step of delay.

    G_t = Σ_{k=0}^{N−1} γ^k R_{t+k+1} + γ^N V(S_{t+N}),   t = 0 … T−1,

with N the number of steps from t to the end of the episode. The last summand
is the bootstrap: 0 unless a value of the state behind the last reward is
given, and absent after a terminated step. The numeric forms run

    G_t = R_{t+1} + γ_t G_{t+1}.

Source: Sutton and Barto, 2nd edition, equations 3.8 and 3.9.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import equal, to_text
from rlcalc.formulas._sequence import exact_episode, prepare_numpy, prepare_torch
from rlcalc.recurrence.scan import scan_numpy, scan_torch
from rlcalc.steps.terms import Name

if TYPE_CHECKING:
    from rlcalc.inputs.bind import Inputs
    from rlcalc.steps.derivation import Derivation


def check(i: Inputs) -> None:
    """Refuse two different values for the state behind the last reward.

    Raises:
        InputError: ``bootstrap_conflict``.
    """
    if i.bootstrap is None:
        return
    for name, option in (("next_values", "--next-values"), ("values", "--values")):
        if name in i.given:
            last = i.values[name][-1]
            if not equal(last, i.bootstrap):
                raise InputError(
                    "bootstrap_conflict",
                    f"--bootstrap says {to_text(i.bootstrap)}, the last of {option} says {to_text(last)}; "
                    "both are the value after the last reward.",
                    "Give one of them, or the same number twice.",
                )
            return


def exact_form(d: Derivation, i: Inputs) -> None:
    e = exact_episode(d, _with_bootstrap(i))
    if not i.given & {"bootstrap", "values", "next_values"}:
        # no value was spoken of: the sum ends with the last reward
        e.terminated[-1] = True
    elif i.bootstrap is not None and e.terminated[-1]:
        d.note("The last step is terminated, so the bootstrap is not used.")
    returns = [d.step(Name("G", str(t)), e.n_step(t, e.steps)) for t in range(e.steps)]
    d.output("return", returns[0])
    d.output("returns", returns)


def _with_bootstrap(i: Inputs) -> Inputs:
    """The inputs with ``bootstrap`` where the episode looks for the value after its last step."""
    values = {**i.values, "values": i.values["values"] or [Fraction(0)] * (len(i.rewards) + 1)}
    if i.bootstrap is not None:
        name = "values" if i.next_values is None else "next_values"
        values[name] = [*values[name][:-1], i.bootstrap]
    return replace(i, values=values)


def numpy_form(
    rewards: Any,
    values: Any = None,
    gamma: Any = 1.0,
    bootstrap: Any = None,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
) -> dict[str, Any]:
    if bootstrap is not None:
        _refuse_conflict(bootstrap, values, next_values)
    if bootstrap is not None and truncated is not None:
        # a cut at the last step and a bootstrap there are the same thing
        truncated = truncated & (np.arange(rewards.shape[-1]) < rewards.shape[-1] - 1)
    p = prepare_numpy(rewards, values, gamma, terminated, truncated, next_values)
    base = p.rewards if truncated is None else p.rewards + p.gamma * (1 - p.carry) * p.bootstrap
    last = p.bootstrap[..., -1] if bootstrap is None else bootstrap
    returns = scan_numpy(base, p.gamma * p.carry, last)
    return {"returns": returns}


def _refuse_conflict(bootstrap: Any, values: Any, next_values: Any) -> None:
    """``check`` for arrays; a 0 at the end of values counts as not said, nan as no value."""
    if next_values is not None:
        last = next_values[..., -1]
        said = last == last
    elif values is not None:
        last = values[..., -1]
        said = (last == last) & (last != 0)
    else:
        return
    if (said & (last != bootstrap)).any():
        raise InputError(
            "bootstrap_conflict",
            "bootstrap and the last of values (next_values) differ; both are V after the last reward.",
            "Give one of them, or the same number twice.",
        )


def torch_form(
    rewards: Any,
    values: Any = None,
    gamma: Any = 1.0,
    bootstrap: Any = None,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
) -> dict[str, Any]:
    if bootstrap is not None and truncated is not None:
        # a cut at the last step and a bootstrap there are the same thing
        steps = rewards.shape[-1]
        truncated = truncated & (torch.arange(steps, device=rewards.device) < steps - 1)
    p = prepare_torch(rewards, values, gamma, terminated, truncated, next_values)
    base = p.rewards if truncated is None else p.rewards + p.gamma * (1 - p.carry) * p.bootstrap
    last = p.bootstrap[..., -1] if bootstrap is None else bootstrap
    return {"returns": scan_torch(base, p.gamma * p.carry, last)}
