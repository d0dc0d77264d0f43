"""The gradient of REINFORCE from whole episodes, for preferences in a table.

    G_t = R_{t+1} + γ G_{t+1} up to the end of the episode
    ∂ log π(A_t|S_t)/∂θ_{s,b} = [s = S_t] ([b = A_t] − π(b|s))
    g = (1/E) Σ_t (G_t − b(S_t)) ∂ log π(A_t|S_t)/∂θ

over all steps of E episodes; with γ^t in front of each term it is the gradient of the discounted objective,
without it what most code computes.

Source: Williams (1992), section 6; Sutton and Barto, 2nd edition, section 13.3 and exercise 13.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._indices import check_arrays_below, check_below
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Symbol, Term, term, total


def check(i: Inputs) -> None:
    """Refuse a state or an action that the table does not have.

    Raises:
        InputError: ``states_out_of_range``, ``actions_out_of_range``.
    """
    check_below("actions", i.actions, len(i.theta[0]), "theta")
    check_below("states", i.states, len(i.theta), "theta")


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    check_arrays_below(a, "actions", "theta")
    found = a.look("states")
    if found is not None and found[0].size:
        check_below("states", [int(found[0].min()), int(found[0].max())], a.theta.shape[-2], "theta")


def exact_form(d: Derivation, i: Inputs) -> None:
    steps = len(i.rewards)
    over = [bool(i.terminated and i.terminated[t]) or t == steps - 1 for t in range(steps)]
    gamma = d.given("γ", i.gamma)
    returns: list[Symbol] = []
    for t in reversed(range(steps)):
        reward = d.given(Name("R", str(t + 1)), i.rewards[t])
        returns.append(d.step(Name("G", str(t)), reward if over[t] else reward + gamma * returns[-1]))
    returns.reverse()
    policy = {s: _policy(d, i, s) for s in sorted(set(i.states))}
    gains = [_gain(d, i, t, returns[t]) for t in range(steps)]
    ages = _ages(over)
    count = sum(over)
    for output, sup, weights in (
        ("gradient", "", [term(1)] * steps),
        ("discounted_gradient", "γ", [gamma**age if age else term(1) for age in ages]),
    ):
        rows = [
            [
                d.step(Name("g", f"{s},{b}", sup), _mean(_entry(i, policy, gains, weights, s, b), count))
                for b in range(len(i.theta[0]))
            ]
            for s in range(len(i.theta))
        ]
        d.output(output, rows)
    d.output("returns", returns)


def _policy(d: Derivation, i: Inputs, s: int) -> list[Symbol]:
    logits = [d.given(Name("θ", f"{s},{b}"), value) for b, value in enumerate(i.theta[s])]
    return [d.step(Name("π", arg=Name(f"{b} | {s}")), share) for b, share in enumerate(softmax_terms(logits))]


def _gain(d: Derivation, i: Inputs, t: int, gained: Symbol) -> Term:
    if i.baseline is None:
        return gained
    state = i.states[t]
    return d.step(Name("A", str(t)), gained - d.given(Name("b", arg=Name(str(state))), i.baseline[state]))


def _mean(whole: Term, episodes: int) -> Term:
    return whole if episodes == 1 else whole / episodes


def _ages(over: list[bool]) -> list[int]:
    """Steps since the start of the episode."""
    found, age = [], 0
    for last in over:
        found.append(age)
        age = 0 if last else age + 1
    return found


def _entry(i: Inputs, policy: Any, gains: list[Term], weights: list[Term], s: int, b: int) -> Term:
    parts = []
    for t, (state, action) in enumerate(zip(i.states, i.actions, strict=True)):
        if state == s:
            score = int(action == b) - policy[s][b]
            parts.append(gains[t] * score if weights[t].value == 1 else weights[t] * gains[t] * score)
    return total(parts)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """theta [..., S, A], the steps [..., T] -> gradients [..., S, A], returns [..., T]."""
    steps, rows, columns = a.rewards.shape[-1], a.theta.shape[-2], a.theta.shape[-1]
    nothing = xp.zeros_like(a.rewards)
    going = nothing + 1 if a.terminated is None else xp.where(a.terminated, nothing, nothing + 1)
    returns = scan(a.rewards, a.gamma * going)
    here = xp.cast(a.states[..., None] == xp.indices(rows, a.theta), a.theta.dtype)
    taken = xp.cast(a.actions[..., None] == xp.indices(columns, a.theta), a.theta.dtype)
    gains = returns if a.baseline is None else returns - (here * a.baseline[..., None, :]).sum(-1)
    policy = xp.softmax(a.theta, -1)
    # onehot of the action less the policy of the state, per step [..., T, S, A]
    scores = here[..., None] * (taken[..., None, :] - policy[..., None, :, :])
    ended = 1 - going[..., :-1]
    episodes = 1 + ended.sum(-1)
    position = xp.cast(xp.indices(steps, a.rewards), a.rewards.dtype) + nothing
    starts = xp.concatenate([nothing[..., :1], ended * position[..., 1:]], -1)
    age = position - _running_maximum(xp, starts)
    found = {"returns": returns}
    for name, weight in (("gradient", nothing + 1), ("discounted_gradient", a.gamma**age)):
        whole = ((weight * gains)[..., None, None] * scores).sum(-3)
        found[name] = whole / episodes[..., None, None]
    return found


def _running_maximum(xp: Backend, x: Any) -> Any:
    """The largest entry so far, along the last axis."""
    found = [x[..., 0]]
    for k in range(1, x.shape[-1]):
        found.append(xp.maximum(found[-1], x[..., k]))
    return xp.stack(found, -1)
