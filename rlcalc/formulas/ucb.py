"""Upper confidence bounds: what an arm may be worth at best, given how often it was pulled.

    score(a) = Q(a) + c sqrt(log t / N(a)),   infinite for an arm that was never pulled

t is the number of pulls before the choice, Σ_a N(a), unless it is given; the first largest score is chosen.

Source: Auer, Cesa-Bianchi and Fischer (2002), with c = √2; Sutton and Barto, 2nd edition, equation 2.10.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare
from rlcalc.formulas._targets import largest_index
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Number, Term, apply, term


def check(i: Inputs) -> None:
    """Refuse a t below the number of pulls, which are counted in it.

    Raises:
        InputError: ``t_out_of_range``.
    """
    if i.t is not None:
        _check_time(i.t, sum(i.counts))


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    found = a.look("t", "counts") if a.t is not None else None
    if found is not None and found[1].size:
        _check_time(int(found[0]), int(found[1].sum(-1).max()))


def _check_time(time: int, pulls: int) -> None:
    if time < pulls:
        raise InputError(
            "t_out_of_range",
            f"{spelled('t')} must be at least {pulls}, the sum of {spelled('counts')}, not {time}.",
            f"Leave {spelled('t')} out for the number of pulls so far; one more counts this pull as well.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    c = d.given("c", i.c)
    counts = [d.given(Name("N", arg=Name("a", str(a))), n) for a, n in enumerate(i.counts)]
    time: Term
    if i.t is None:
        pulls = counts[0] if len(counts) == 1 else sum(counts[1:], start=counts[0])
        time = d.step("t", pulls, "pulls so far")
    else:
        time = d.given("t", i.t)
    scores = []
    for a, (q, count) in enumerate(zip(i.q, counts, strict=True)):
        name = Name("score", arg=Name("a", str(a)))
        if i.counts[a] == 0:
            scores.append(d.step(name, Number(sympy.oo), "never pulled: it comes first"))
            continue
        value = d.given(Name("Q", arg=Name("a", str(a))), q)
        scores.append(d.step(name, value + c * apply("sqrt", apply("log", time) / count)))
    d.output("scores", scores)
    best = 0
    for a in range(1, len(scores)):
        fresh = i.counts[a] == 0 < i.counts[best]
        if fresh or (i.counts[best] and i.counts[a] and compare(scores[a].value, scores[best].value) == 1):
            best = a
    d.output("action", term(best))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """q, counts [..., A] -> scores [..., A], action [...]."""
    counts = xp.placed(xp.cast(a.counts, a.q.dtype), a.q)
    time = counts.sum(-1)[..., None] if a.t is None else xp.placed(xp.cast(xp.asarray(a.t), a.q.dtype), a.q)
    pulled = counts > 0
    # without a pull there is no logarithm and no quotient
    safe = xp.where(pulled, counts, xp.ones_like(counts))
    log = xp.log(xp.where(time > 0, time, xp.ones_like(time)))
    scores = xp.where(pulled, a.q + a.c * xp.sqrt(log / safe), xp.zeros_like(a.q) + xp.inf)
    return {"scores": scores, "action": xp.cast(largest_index(xp, scores), a.q.dtype)}
