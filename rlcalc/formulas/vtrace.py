"""V-trace: values and advantages of a policy from what another one did.

    ρ = min(ρ_max, r),   c = λ min(c_max, r),   r = π/μ of the action taken,
    v_t = V_t + δ_t + γ_t c_t (v_{t+1} − V_{t+1}),   δ_t = ρ_t (R_{t+1} + γ_t V_{t+1} − V_t),
    A_t = min(ρ_pg, r_t) (R_{t+1} + γ_t v_{t+1} − V_t)

Source: Espeholt et al., arXiv:1802.01561, equation 1 and section 4.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Term, apply, term


def exact_form(d: Derivation, i: Inputs) -> None:
    lam = d.given("λ", i.lam)
    of_values = d.given(Name("ρ", "max"), i.rho_bar)
    of_traces = d.given(Name("c", "max"), i.c_bar)
    of_policy = d.given(Name("ρ", "pg"), i.rho_bar_pg)
    values = [d.given(Name("V", str(t)), value) for t, value in enumerate(i.values)]
    excess: Term = term(0)
    following: Term = values[-1]
    found, advantages = list[Term](), list[Term]()
    for t in reversed(range(len(i.rewards))):
        name = str(t)
        reward, gamma = d.given(Name("R", str(t + 1)), i.rewards[t]), d.given(Name("γ", name), i.discounts[t])
        ratio = d.step(Name("r", name), apply("exp", d.given(Name("x", name), i.log_rhos[t])))
        rho = d.step(Name("ρ", name), apply("min", of_values, ratio))
        trace = d.step(Name("c", name), lam * apply("min", of_traces, ratio))
        advantages.append(
            d.step(Name("A", name), apply("min", of_policy, ratio) * (reward + gamma * following - values[t]))
        )
        error = d.step(Name("δ", name), rho * (reward + gamma * values[t + 1] - values[t]))
        excess = d.step(Name("e", name), error + gamma * trace * excess)
        following = d.step(Name("v", name), values[t] + excess)
        found.append(following)
    d.output("vs", found[::-1])
    d.output("advantages", advantages[::-1])


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards, discounts, log-ratios [..., T], values [..., T+1] -> vs, advantages [..., T]."""
    old, after = a.values[..., :-1], a.values[..., 1:]
    errors = truncated(xp, a.log_rhos, a.rho_bar) * (a.rewards + a.discounts * after - old)
    vs = old + scan(errors, a.discounts * a.lam * truncated(xp, a.log_rhos, a.c_bar))
    following = xp.concatenate([vs[..., 1:], vs[..., :1] * 0 + after[..., -1:]], -1)
    advantages = truncated(xp, a.log_rhos, a.rho_bar_pg) * (a.rewards + a.discounts * following - old)
    return {"vs": vs, "advantages": advantages}


def truncated(xp: Backend, log_ratio: Any, bar: Any) -> Any:
    """min(bar, exp(x)), whose derivative is 0 and not nan where the exponential is beyond the range."""
    short = xp.exp(log_ratio) < bar
    zero = xp.zeros_like(log_ratio)
    return xp.where(short, xp.exp(xp.where(short, log_ratio, zero)), zero + bar)
