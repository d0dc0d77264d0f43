"""Rewards of tokens: −β k for every valid one, and the score at the last of a row.

    R_{n,t} = m_{n,t}·(−β k_{n,t}) + [t = t_n] score_n,   t_n the last t with m_{n,t} = 1.

Source: Ziegler et al., arXiv:1909.08593, equation 2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas.kl_estimate import estimate, estimate_step
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term


def exact_form(d: Derivation, i: Inputs) -> None:
    beta = d.given("β", i.beta)
    found: list[list[Term]] = []
    for n, flags in enumerate(i.mask):
        row: list[Term] = [term(0) for _ in flags]
        valid = [t for t, there in enumerate(flags) if there]
        if not valid:
            d.note(f"Row {n} has no valid token: its score goes nowhere.")
        for t in valid:
            at = f"{n},{t}"
            logp, reference = d.given(Name("a", at), i.logp[n][t]), d.given(Name("b", at), i.ref_logp[n][t])
            reward: Term = -(beta * estimate_step(d, i, at, logp, reference))
            if t == valid[-1]:
                score: Term = d.given(Name("u", str(n)), i.score[n])
                if i.clip_score is not None:
                    bound = d.given("q", i.clip_score)
                    score = d.step(Name("u'", str(n)), apply("clip", score, -bound, bound))
                reward = score + reward
            row[t] = d.step(Name("R", at), reward)
        found.append(row)
    d.output("rewards", found)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Scores [..., N], log-probabilities and mask [..., N, T] -> rewards [..., N, T]."""
    score = a.score
    if a.clip_score is not None:
        score = xp.clip(score, -a.clip_score, a.clip_score)
    value: Any = estimate(xp, xp.subtract(a.logp, a.ref_logp, out=xp.spare(a.logp)), a.kind)[0]
    # what is masked is 0 in both, and so is what is estimated of it
    penalty: Any = xp.multiply(value, a.beta, out=xp.over(value, a.beta))
    penalty = xp.subtract(xp.new_zeros(penalty, ()), penalty, out=xp.over(penalty))
    score, _ = xp.broadcast_arrays(score[..., None], penalty[..., :1])
    if score.shape[:-1] != penalty.shape[:-1]:
        penalty = penalty + xp.zeros_like(score)
    last, _ = xp.broadcast_arrays(xp.last_set(a.mask)[..., None], score)
    some = last >= 0
    last = xp.where(some, last, 0)
    ends = xp.take(penalty, last) + xp.where(some, score, xp.new_zeros(score, ()))
    return {"rewards": xp.put_into(penalty, last, ends)}
