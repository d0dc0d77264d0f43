"""Group sequence policy optimisation: one ratio an answer, clipped as a whole.

    s_n = exp(Σ_t (log π − log π_old) / L_n)   over the valid tokens of row n,
    o_n = min(s_n·A_n, clip(s_n, 1−ε, 1+ε')·A_n),   loss = −(1/N) Σ_n o_n.

The derivative by a valid log π is −s·A/(N·L) in a row that is not clipped, else 0.

Source: Zheng et al., arXiv:2507.18071, equations 5 to 7.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, term, total
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    tokens = [
        [d.given(Name("a", f"{n},{t}"), value) for t, value in enumerate(row)] for n, row in enumerate(i.logp)
    ]
    ratios: list[Term] = []
    objectives: list[Term] = []
    live = 0
    for n, flags in enumerate(i.mask):
        if not any(flags):
            ratios.append(term(1))
            objectives.append(term(0))
            continue
        ratio, objective = _answer(d, i, n, tokens[n])
        ratios.append(ratio)
        objectives.append(objective)
        live += 1
    if not live:
        d.note("No token is valid: the loss is 0.")
    loss = d.step("loss", -total(objectives) / d.given("N", i.sequences or live or 1))
    d.output("loss", loss)
    d.output("objective", objectives)
    d.output("ratio", ratios)
    slopes = gradient(loss, [token for row in tokens for token in row])
    if slopes is None:
        d.note("The derivative needs numbers: with symbols it is not decided which rows are clipped.")
        return
    found = iter(slopes)
    d.output("d_logp", [[next(found) for _ in row] for row in tokens])


def _answer(d: Derivation, i: Inputs, n: int, tokens: list[Symbol]) -> tuple[Symbol, Symbol]:
    """Ratio and objective of a row with a valid token."""
    gaps = [
        token - d.given(Name("b", f"{n},{t}"), i.old_logp[n][t])
        for t, token in enumerate(tokens)
        if i.mask[n][t]
    ]
    mean = d.step(Name("x", str(n)), total(gaps) / d.given(Name("L", str(n)), len(gaps)))
    ratio = d.step(Name("s", str(n)), apply("exp", mean), "geometric mean of the ratios of the tokens")
    adv = d.given(Name("A", str(n)), i.adv[n])
    low, high = d.given("ε", i.eps_low), d.given(Name("ε'", tex=r"\epsilon'"), i.eps_high)
    inner = d.step(Name("s'", str(n)), apply("clip", ratio, 1 - low, 1 + high), "within its range")
    return ratio, d.step(Name("o", str(n)), apply("min", ratio * adv, inner * adv))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Log-probabilities and mask [..., N, T], advantages [..., N] -> loss, rows and derivative."""
    gaps = xp.subtract(a.logp, a.old_logp, out=xp.spare(a.logp))
    flags = xp.cast(a.mask, gaps.dtype, out=xp.spare(a.old_logp))
    if flags.shape != gaps.shape:
        flags = flags + xp.zeros_like(gaps)
    lengths = flags.sum(-1)
    live = lengths > 0
    divisors = xp.where(live, lengths, xp.ones_like(lengths))
    mean = gaps.sum(-1) / divisors
    # the advantage of a row that is not there may be anything
    adv = a.adv + xp.zeros_like(mean)
    adv = xp.where(live, adv, xp.zeros_like(adv))
    ratio = xp.exp(mean)
    lower, upper = 1 - a.eps_low, 1 + a.eps_high
    held = ((adv > 0) & (ratio > upper)) | ((adv < 0) & (ratio < lower))
    # a ratio beyond the range of the dtype must not reach the gradient of a row that is held
    plain = xp.exp(xp.where(held, xp.zeros_like(mean), mean)) * adv
    objective = xp.where(held, xp.clip(xp.constant(ratio), lower, upper) * adv, plain)
    count = xp.cast(live, gaps.dtype).sum(-1)
    count = xp.where(count > 0, count, xp.ones_like(count))
    if a.sequences is not None:
        count = xp.zeros_like(count) + xp.cast(xp.asarray(a.sequences), gaps.dtype)
    slope = xp.where(held, xp.zeros_like(plain), -plain / (count[..., None] * divisors))
    slope = slope[..., None]
    return {
        "loss": -objective.sum(-1) / count,
        "objective": objective,
        "ratio": ratio,
        "d_logp": xp.multiply(flags, slope, out=xp.over(flags, slope)),
    }
