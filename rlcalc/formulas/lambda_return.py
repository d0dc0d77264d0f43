"""λ-return: the geometrically weighted average of all n-step returns.

    G_t^λ = (1−λ) Σ_{n=1}^{N−1} λ^{n−1} G_t^(n) + λ^{N−1} G_t^(N),   t = 0 … T−1,

with N the number of steps from t to the end of the episode. The numeric forms
run the equivalent recursion

    G_t^λ = R_{t+1} + γ_t [(1−λ) V'(S_{t+1}) + λ G_{t+1}^λ],

which divides by nothing and so holds at λ = 0 and λ = 1.

Source: Sutton and Barto, 2nd edition, sections 12.1 and 12.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._sequence import (
    Episode,
    check_terminal,
    check_terminal_arrays,
    exact_episode,
    power,
    prepare,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Term, total

check = check_terminal
check_arrays = check_terminal_arrays


def exact_form(d: Derivation, i: Inputs) -> None:
    e = exact_episode(d, i)
    weights = geometric_weights(d.given("λ", i.lam), e.steps)
    horizon = range(1, e.horizon(0) + 1)
    returns = [d.step(Name("G", "0", f"({n})"), e.n_step(0, n)) for n in horizon]
    shares = [
        d.step(Name("w", str(n)), weight, "all the weight that is left" if n == len(horizon) else "")
        for n, weight in zip(horizon, weights(len(horizon)), strict=True)
    ]
    contributions = [
        d.step(Name("c", str(n)), share * value, "what this return contributes" if n == 1 else "")
        for n, share, value in zip(horizon, shares, returns, strict=True)
    ]
    first = d.step(
        Name("G", "0", "λ"),
        total(contributions),
        "the last return takes the remaining weight, so the weights sum to 1",
    )
    later = [_lambda_return(d, e, weights(e.horizon(t)), t) for t in range(1, e.steps)]
    d.output("return", first)
    d.output("returns", [first, *later])
    d.output("n_step_returns", returns)
    d.output("weights", shares)
    if i.alpha is not None:
        alpha, old = d.given("α", i.alpha), e.values[0]
        d.output("updated", d.step(Name("V", "new", arg=Name("S", "0")), old + alpha * (first - old)))


def geometric_weights(lam: Term, longest: int) -> Callable[[int], list[Term]]:
    """The weights of the N n-step returns of an episode, for every N up to ``longest``.

    (1−λ)λ^{n−1}, and λ^{N−1} for the last. Episodes of all lengths share the terms.
    """
    rest = [lam**0 if n == 1 else power(lam, n - 1) for n in range(1, longest + 1)]
    geometric = [1 - lam, *((1 - lam) * tail for tail in rest[1:])]
    return lambda count: [*geometric[: count - 1], rest[count - 1]]


def _lambda_return(d: Derivation, e: Episode, weights: list[Term], t: int) -> Term:
    average = total(weight * e.n_step(t, n) for n, weight in enumerate(weights, start=1))
    return d.step(Name("G", str(t), "λ"), average, shown=False)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """The recursion above: rewards [..., T], values [..., T+1] -> returns [..., T], updated [...]."""
    p = prepare(xp, a.rewards, a.values, a.gamma, a.terminated, a.truncated, a.next_values, a.terminal)
    # the last and every cut step bootstrap fully; a step that goes on, by 1 − λ
    base = p.rewards + p.gamma * (1 - a.lam * p.carry) * p.bootstrap
    returns = scan(base, p.gamma * a.lam * p.carry, p.bootstrap[..., -1])
    return {"returns": returns, "updated": _updated(p.values, returns, a.alpha)}


def _updated(values: Any, returns: Any, alpha: Any) -> Any:
    old = values[..., 0]
    return None if alpha is None else old + alpha * (returns[..., 0] - old)
