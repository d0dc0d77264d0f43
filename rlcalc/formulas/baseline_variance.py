"""Mean and variance of the one-sample policy gradient under a baseline.

One state, softmax policy π over A actions, return G(a) for each:

    s(a)  = ∇_θ log π(a) = e_a − π                  (e_a: unit vector of action a)
    g(a)  = (G(a) − b) s(a)
    E g   = Σ_a π(a) g(a),  component i:  π(i) (G(i) − V),  V = Σ_a π(a) G(a)
    Var g = Σ_a π(a) |g(a) − E g|²                  (trace of the covariance)

b drops out of the mean, since Σ_a π(a) s(a) = 0. The variance is a parabola in
b with its lowest point at b* = Σ_a π(a)|s(a)|² G(a) / Σ_a π(a)|s(a)|².

Source: Sutton and Barto, 2nd edition, sections 2.8 and 13.4; Greensmith,
Bartlett and Baxter, JMLR 5 (2004).
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, total

_WEIGHT = "probability times squared length of the score"
_SAME = "a component of the mean, the same for every baseline"


def exact_form(d: Derivation, i: Inputs) -> None:
    actions = [Name("a", str(k)) for k in range(1, len(i.policy) + 1)]
    policy = [d.given(Name("π", arg=a), p) for a, p in zip(actions, i.policy, strict=True)]
    returns = [d.given(Name("G", arg=a), g) for a, g in zip(actions, i.returns, strict=True)]
    # written out for two actions and for three; beyond that the page would drown in components
    small = len(actions) <= 3
    if not small:
        d.note(
            "Not written out: the scores s_j(a_k) = [j = k] − π(a_j), and g_j(a_k) = (G(a_k) − b)·s_j(a_k)."
        )
    value = d.step("V", _average(policy, returns), "the mean return", shown=isinstance(i.baseline, str))
    scores = [
        [
            d.step(Name("s", str(j + 1), arg=a), (1 - policy[j]) if j == k else -policy[j], shown=small)
            for j in range(len(actions))
        ]
        for k, a in enumerate(actions)
    ]
    best = _best(d, i, actions, policy, returns, scores, value)
    baseline = {"value": value, "best": best}.get(i.baseline) if isinstance(i.baseline, str) else None
    if baseline is None:
        baseline = d.given("b", i.baseline)
    gradients = [
        [
            d.step(Name("g", str(j + 1), arg=a), (returns[k] - baseline) * scores[k][j], shown=small)
            for j in range(len(actions))
        ]
        for k, a in enumerate(actions)
    ]
    mean = [
        d.step(Name("m", str(j + 1)), _average(policy, [row[j] for row in gradients]), _SAME)
        for j in range(len(actions))
    ]
    squares = [total((g - m) ** 2 for g, m in zip(row, mean, strict=True)) for row in gradients]
    variance = d.step(Name("Var", arg=Name("g")), _average(policy, squares), "summed over the components")
    d.output("mean_gradient", mean)
    d.output("variance", variance)
    d.output("subtracted", baseline)
    d.output("best", best)


def _average(policy: list[Symbol], what: list[Any]) -> Term:
    return total(p * x for p, x in zip(policy, what, strict=True))


def _best(
    d: Derivation,
    i: Inputs,
    actions: list[Name],
    policy: list[Symbol],
    returns: list[Symbol],
    scores: list[list[Symbol]],
    value: Symbol,
) -> Symbol:
    """b*, shown only where it is what was asked for."""
    shown = i.baseline == "best"
    weights = [
        d.step(Name("w", arg=a), p * total(part**2 for part in row), _WEIGHT, shown=shown)
        for a, p, row in zip(actions, policy, scores, strict=True)
    ]
    if compare(total(weights).value, 0) == 0:
        d.note("The policy always takes the same action: every baseline gives the variance 0.")
        return value
    if any(map(is_symbolic, i.policy)):
        d.note("Where a symbol makes the policy certain, every baseline gives the variance 0.")
    return d.step(Name("b", sup="*"), _average(weights, returns) / total(weights), shown=shown)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Moments of g over the actions: policy, returns [..., A] -> mean_gradient [..., A], the rest [...].

    By deviations from V, with gradients that are finite for a certain policy.
    """
    policy, returns = xp.broadcast_arrays(a.policy, a.returns)
    value = (policy * returns).sum(-1)
    centred = returns - value[..., None]
    own = xp.placed(xp.eye(policy.shape[-1], dtype=policy.dtype), policy)
    # |e_a − π|² without the cancellation of 1 − 2π_a + Σπ²
    others = policy[..., None, :] * (1 - own)
    weights = policy * (xp.square(1 - policy) + xp.square(others).sum(-1))
    weight = weights.sum(-1)
    # b* − V as a mean of deviations; the safe divisor keeps nan out of the gradient
    best = value + (weights * centred).sum(-1) / xp.where(weight == 0, xp.ones_like(weight), weight)
    if isinstance(a.baseline, str):
        subtracted = value if a.baseline == "value" else best
    else:
        subtracted = a.baseline + xp.zeros_like(value)
    mean = policy * centred
    above = returns - subtracted[..., None]
    gradients = above[..., None] * (own - policy[..., None, :])
    spread = xp.square(gradients - mean[..., None, :]).sum(-1)
    return {
        "mean_gradient": mean + xp.zeros_like(above),
        "variance": (policy * spread).sum(-1),
        "subtracted": subtracted,
        "best": best,
    }
