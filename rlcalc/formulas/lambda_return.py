"""λ-return: the geometrically weighted average of all n-step returns.

    G_t^λ = (1−λ) Σ_{n=1}^{N−1} λ^{n−1} G_t^(n) + λ^{N−1} G_t^(N),   t = 0 … T−1,

with N the number of steps from t to the end of the episode. The numeric forms
run the equivalent recursion

    G_t^λ = R_{t+1} + γ_t [(1−λ) V'(S_{t+1}) + λ G_{t+1}^λ],

which divides by nothing and so holds at λ = 0 and λ = 1.

Source: Sutton and Barto, 2nd edition, sections 12.1 and 12.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlcalc.formulas._sequence import (
    Episode,
    check_terminal,
    exact_episode,
    prepare_numpy,
    prepare_torch,
)
from rlcalc.recurrence import scan_numpy, scan_torch
from rlcalc.terms import Name, Symbol, Term, total

if TYPE_CHECKING:
    from rlcalc.derivation import Derivation
    from rlcalc.inputs import Inputs


def check(i: Inputs) -> None:
    check_terminal(i)


def exact_form(d: Derivation, i: Inputs) -> None:
    e = exact_episode(d, i)
    lam = d.given("λ", i.lam)
    returns, weights = n_step_returns_and_weights(d, e, lam, 0)
    contributions = [
        d.step(Name("c", str(n)), weight * value)
        for n, (weight, value) in enumerate(zip(weights, returns, strict=True), start=1)
    ]
    first = d.step(
        Name("G", "0", "λ"),
        total(contributions),
        "the last return takes the remaining weight, so the weights sum to 1",
    )
    later = [_lambda_return(d, e, lam, t) for t in range(1, e.steps)]
    d.output("return", first)
    d.output("returns", [first, *later])
    d.output("n_step_returns", returns)
    d.output("weights", weights)
    if i.alpha is not None:
        alpha, old = d.given("α", i.alpha), e.values[0]
        d.output("updated", d.step(Name("V", "new", arg=Name("S", "0")), old + alpha * (first - old)))


def n_step_returns_and_weights(
    d: Derivation, e: Episode, lam: Symbol, t: int, *, shown: bool = True
) -> tuple[list[Term], list[Term]]:
    """G_t^(n) and its weight for n = 1 … N, as steps."""
    last = e.horizon(t)
    returns: list[Term] = []
    weights: list[Term] = []
    for n in range(1, last + 1):
        returns.append(d.step(Name("G", str(t), f"({n})"), e.n_step(t, n), shown=shown))
    for n in range(1, last + 1):
        weight = (1 - lam) * lam ** (n - 1) if n < last else lam ** (n - 1)
        note = "all the weight that is left" if n == last else ""
        weights.append(d.step(Name("w", str(n)), weight, note, shown=shown))
    return returns, weights


def _lambda_return(d: Derivation, e: Episode, lam: Symbol, t: int) -> Term:
    returns, weights = n_step_returns_and_weights(d, e, lam, t, shown=False)
    average = total(weight * value for weight, value in zip(weights, returns, strict=True))
    return d.step(Name("G", str(t), "λ"), average, shown=False)


def numpy_form(
    rewards: Any,
    values: Any,
    gamma: Any,
    lam: Any,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
    alpha: Any = None,
    terminal: bool = False,
) -> dict[str, Any]:
    p = prepare_numpy(rewards, values, gamma, terminated, truncated, next_values, terminal)
    # the last and every cut step bootstrap fully; a step that goes on, by 1 − λ
    base = p.rewards + p.gamma * (1 - lam * p.carry) * p.bootstrap
    returns = scan_numpy(base, p.gamma * lam * p.carry, p.bootstrap[..., -1])
    return {"returns": returns, "updated": _updated(p.values, returns, alpha)}


def torch_form(
    rewards: Any,
    values: Any,
    gamma: Any,
    lam: Any,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
    alpha: Any = None,
    terminal: bool = False,
) -> dict[str, Any]:
    p = prepare_torch(rewards, values, gamma, terminated, truncated, next_values, terminal)
    base = p.rewards + p.gamma * (1 - lam * p.carry) * p.bootstrap
    returns = scan_torch(base, p.gamma * lam * p.carry, p.bootstrap[..., -1])
    return {"returns": returns, "updated": _updated(p.values, returns, alpha)}


def _updated(values: Any, returns: Any, alpha: Any) -> Any:
    old = values[..., 0]
    return None if alpha is None else old + alpha * (returns[..., 0] - old)
