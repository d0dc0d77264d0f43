"""Returns of another policy's episodes, weighted by importance ratios.

    ordinary       (1/N) Σ_i ρ_i G_i
    weighted       Σ_i ρ_i G_i / Σ_i ρ_i,   0 where all ratios are 0
    per decision   (1/N) Σ_i Σ_t γ^t ρ_{i,1} … ρ_{i,t+1} R_{i,t+1}

ρ_i is the product of π/μ over the steps of episode i. Give the ratio and the return of every episode, or the
ratio and the reward of every step.

Source: Sutton and Barto, 2nd edition, equations 5.5, 5.6 and 5.14; Precup, Sutton and Singh (2000).
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare, is_symbolic
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, product, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    if i.ratios is not None:
        ratios = [d.given(Name("ρ", str(k)), rho) for k, rho in enumerate(i.ratios, start=1)]
        returns = [d.given(Name("G", str(k)), g) for k, g in enumerate(i.returns, start=1)]
    else:
        ratios, returns = _episodes(d, i)
    parts = [rho * gained for rho, gained in zip(ratios, returns, strict=True)]
    d.output("ordinary", d.step("ordinary", total(parts) / len(parts)))
    whole = d.step(Name("W"), total(ratios), "sum of the ratios")
    if not is_symbolic(whole.value) and compare(whole.value, 0) == 0:
        d.output("weighted", d.step("weighted", term(0), "no episode counts"))
    else:
        d.output("weighted", d.step("weighted", total(parts) / whole))
    if i.ratios is None:
        d.output("per_decision", _per_decision(d, i))


def _episodes(d: Derivation, i: Inputs) -> tuple[list[Symbol], list[Symbol]]:
    """ρ and G of every episode from its steps."""
    ratios, returns = [], []
    for k in range(len(i.rewards)):
        name = str(k + 1)
        steps = [d.given(Name("r", f"{name},{t}"), r) for t, r in enumerate(i.step_ratios[k], start=1)]
        ratios.append(d.step(Name("ρ", name), product(steps), "over the steps of the episode"))
        paid = [_discounted(d, i, k, t) for t in range(len(i.rewards[k]))]
        returns.append(d.step(Name("G", name), total(paid)))
    return ratios, returns


def _discounted(d: Derivation, i: Inputs, k: int, t: int) -> Term:
    reward = d.given(Name("R", f"{k + 1},{t + 1}"), i.rewards[k][t])
    return reward if t == 0 else d.given("γ", i.gamma) ** t * reward


def _per_decision(d: Derivation, i: Inputs) -> Symbol:
    sums = []
    for k in range(len(i.rewards)):
        so_far: list[Term] = []
        parts = []
        for t, ratio in enumerate(i.step_ratios[k]):
            so_far.append(d.given(Name("r", f"{k + 1},{t + 1}"), ratio))
            parts.append(product(so_far) * _discounted(d, i, k, t))
        sums.append(d.step(Name("D", str(k + 1)), total(parts), "each reward with the ratios up to it"))
    return d.step("per decision", total(sums) / len(sums))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Ratios and returns [..., N], or ratios and rewards of steps [..., N, T] -> estimates [...]."""
    ratios, returns = a.ratios, a.returns
    found = {}
    if ratios is None:
        powers = a.gamma ** xp.cast(xp.indices(a.rewards.shape[-1], a.rewards), a.rewards.dtype)
        products = xp.cumprod(a.step_ratios, -1)
        found["per_decision"] = (powers * products * a.rewards).sum(-1).mean(-1)
        ratios, returns = products[..., -1], (powers * a.rewards).sum(-1)
    weighted, whole = ratios * returns, ratios.sum(-1)
    some = whole > 0
    share = weighted.sum(-1) / xp.where(some, whole, xp.ones_like(whole))
    zero = xp.zeros_like(share)
    return {"ordinary": weighted.mean(-1), "weighted": xp.where(some, share, zero), **found}
