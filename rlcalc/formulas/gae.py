"""Generalized advantage estimation.

    δ_t = R_{t+1} + γ_t V'(S_{t+1}) − V(S_t)
    A_t = Σ_{k=0}^{N−1} (γλ)^k δ_{t+k},   t = 0 … T−1,

with N the number of steps from t to the end of the episode; where discounts
differ, (γλ)^k is γ_t · … · γ_{t+k−1} · λ^k. A_t + V(S_t) is the λ-return, the
target of the critic. The numeric forms run

    A_t = δ_t + γ_t λ A_{t+1},   without the last summand after a cut.

Source: Schulman et al., arXiv:1506.02438, equations 11 to 16.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rlcalc.backends import NUMPY, Backend, is_tensor
from rlcalc.exact import equal
from rlcalc.formulas import Later
from rlcalc.formulas._sequence import Episode, exact_episode, power, prepare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence import compiled, time_major
from rlcalc.recurrence.scan import scan
from rlcalc.recurrence.slabs import SLAB, by_slabs
from rlcalc.steps import Derivation, Name, Symbol, Term, product, total


def exact_form(d: Derivation, i: Inputs) -> None:
    e = exact_episode(d, i)
    for t in range(e.steps - 1):
        if not e.ends(t) and not equal(e.next_values[t].value, e.values[t + 1].value):
            d.note(
                f"Step {t} goes on, but next-values has another value for S_{t + 1} than values: "
                "the advantages are then not the λ-return minus the value."
            )
    weigh = _weights(e, d.given("λ", i.lam))
    errors = [d.step(Name("δ", str(t)), e.td_error(t)) for t in range(e.steps)]
    advantages = [
        d.step(Name("A", str(t)), total(weigh(t, k, errors[t + k]) for k in range(e.horizon(t))))
        for t in range(e.steps)
    ]
    returns = [
        d.step(Name("G", str(t), "λ"), advantage + value)
        for t, (advantage, value) in enumerate(zip(advantages, e.values[:-1], strict=True))
    ]
    d.output("advantages", advantages)
    d.output("returns", returns)


def _weights(e: Episode, lam: Symbol) -> Callable[[int, int, Term], Term]:
    """What k steps of delay leave of a TD error; with one discount all t share the powers."""
    if e.one_gamma:
        gamma = e.gammas[0]
        powers = [power(gamma * lam, k) for k in range(2, e.steps)]

        def weigh(t: int, k: int, error: Term) -> Term:
            if k < 2:
                return product([gamma, lam, error]) if k else error
            return powers[k - 2] * error
    else:

        def weigh(t: int, k: int, error: Term) -> Term:
            return product([*e.gammas[t : t + k], power(lam, k), error]) if k else error

    return weigh


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """A_t = δ_t + γ_t λ A_{t+1}: rewards [..., T], values [..., T+1] -> advantages, returns [..., T]."""
    given = a.rewards, a.values, a.next_values, a.gamma, a.lam, a.terminated, a.truncated
    seen = _seen(xp, *given)
    advantages = _recursion(xp, *given) if seen is None else xp.asarray(_in_one_pass(*seen))
    return {
        "advantages": advantages,
        "returns": Later(lambda: advantages if a.values is None else advantages + a.values[..., :-1]),
    }


def _recursion(
    xp: Backend,
    rewards: Any,
    values: Any,
    after: Any,
    gamma: Any,
    lam: Any,
    terminated: Any,
    truncated: Any,
    last: Any = 0.0,
) -> Any:
    """A [..., T], from ``last`` on, that of the step after; ``after`` is V of the true successors."""
    p = prepare(xp, rewards, values, gamma, terminated, truncated, after)
    old, delta = p.values[..., :-1], p.gamma * p.bootstrap
    delta = xp.add(delta, p.rewards, out=xp.over(delta, p.rewards))
    delta = xp.subtract(delta, old, out=xp.over(delta, old))
    return scan(delta, p.gamma * lam * p.carry, last)


def _seen(xp: Backend, *given: Any) -> list[Any] | None:
    """What `_recursion` takes, as NumPy sees it; ``None`` where that may not be, or dtypes differ."""
    rewards, *others, _, _ = given
    dtype = rewards.dtype
    if not xp.values_only(*given) or dtype not in (xp.float32, xp.float64):
        return None
    if any(getattr(x, "dtype", dtype) != dtype for x in others):
        return None
    return [x.detach().numpy() if is_tensor(x) else x for x in given]


def _in_one_pass(*seen: Any) -> Any:
    """`_recursion` of arrays, in the compiled loop or in parts, of which nothing leaves the cache."""
    found = compiled.advantages(*seen)
    if found is not None:
        return found
    if time_major.lies(seen[0]):
        return time_major.by_spans(partial(_recursion, NUMPY), SLAB // 2, *seen)
    return by_slabs(partial(_recursion, NUMPY), *seen)
