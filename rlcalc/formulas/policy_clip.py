"""PPO's clipped surrogate of tokens, from log-probabilities.

    r = exp(log π − log π_old),   o = min(r·A, clip(r, 1−ε, 1+ε')·A),
    and o = max(o, c·A) where A < 0, with a dual clip c > 1.

The derivative by log π is r·A where the plain product acts, else 0.

Sources: Schulman et al., arXiv:1707.06347, equation 7; Ye et al.,
arXiv:1912.09729, equation 5.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, term
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    tokens = [_token(d, i, k) for k in range(len(i.logp))]
    d.output("objective", [objective for _, objective, _, _ in tokens])
    slopes = [gradient(objective, [logp]) for logp, objective, _, _ in tokens]
    if all(slopes):
        d.output("d_logp", [slope[0] for slope in slopes if slope])
    else:
        d.note("The derivative needs numbers: with symbols it is not decided which side acts.")
    d.output("ratio", [ratio for _, _, ratio, _ in tokens])
    held = [which for *_, which in tokens]
    if None not in held:
        d.output("clipped", [term(which) for which in held if which is not None])


def _token(d: Derivation, i: Inputs, k: int) -> tuple[Symbol, Symbol, Symbol, int | None]:
    """Log-probability, objective and ratio of one token, and what holds it."""
    at = str(k)
    logp, old, adv = (
        d.given(Name(n, at), row[k]) for n, row in zip("abA", (i.logp, i.old_logp, i.adv), strict=True)
    )
    x = d.step(Name("x", at), logp - old)
    if i.log_clamp is not None:
        bound = d.given("d", i.log_clamp)
        x = d.step(Name("x'", at), apply("clip", x, -bound, bound))
    ratio = d.step(Name("r", at), apply("exp", x))
    low = d.given("ε", i.eps_low)
    high = low if i.eps_high is None else d.given(Name("ε'", tex=r"\epsilon'"), i.eps_high)
    objective, held = clipped_step(d, at, ratio, adv, (low, high))
    if i.dual is not None:
        sign = compare(i.adv[k], 0)
        if sign is None:
            d.note("The dual clip needs advantages that are numbers.")
            return logp, objective, ratio, None
        if sign < 0:
            floor = d.given("c", i.dual) * adv
            above = compare(floor.value, objective.value)
            held = 2 if above == 1 else held if above is not None else None
            objective = d.step(Name("o'", at), apply("max", objective, floor))
    return logp, objective, ratio, held


def clipped_step(
    d: Derivation, at: str, ratio: Term, adv: Term, eps: tuple[Term, Term]
) -> tuple[Symbol, int | None]:
    """Step o = min(r·A, clip(r, 1−ε, 1+ε')·A), and whether the range holds it (1, else 0)."""
    inner = d.step(Name("s", at), apply("clip", ratio, 1 - eps[0], 1 + eps[1]), "the ratio within its range")
    plain = ratio * adv
    objective = d.step(Name("o", at), apply("min", plain, inner * adv))
    order = compare(plain.value, (inner * adv).value)
    return objective, None if order is None else int(order > 0)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Objective, derivative by ``logp``, ratio and what holds it, token by token: [..., K]."""
    x: Any = a.logp - a.old_logp
    beyond = None
    if a.log_clamp is not None:
        beyond = xp.abs(x) > a.log_clamp
        x = xp.clip(x, -a.log_clamp, a.log_clamp)
    ratio = xp.exp(x, out=xp.over(x))
    upper = 1 + (a.eps_low if a.eps_high is None else a.eps_high)
    plain = ratio * a.adv
    # no derivative goes through the bound, and none through a ratio out of the range of the dtype
    bounded: Any = xp.clip(xp.constant(ratio), 1 - a.eps_low, upper)
    bounded = xp.multiply(bounded, a.adv, out=xp.over(bounded, a.adv))
    held = xp.greater(plain, bounded)
    objective = xp.smaller(plain, bounded)
    still, floored = held if beyond is None else held | beyond, None
    if a.dual is not None:
        floored = (a.adv < 0) & (a.dual * a.adv > objective)
        objective = xp.where(floored, a.dual * a.adv, objective)
        still = still | floored
    plain = xp.where(still, 0.0, plain, out=xp.over(plain, still))  # its own derivative by log π
    clipped = xp.cast(held, plain.dtype)
    if floored is not None:
        clipped = xp.where(floored, 2.0, clipped)
    return {"objective": objective, "d_logp": plain, "ratio": ratio, "clipped": clipped}
