"""Masked aggregation: one loss a token to one loss a batch.

    loss = Σ_{n,t: m=1} w_{n,t} ℓ_{n,t},   w_{n,t} = D / (a · b_n),

where a counts tokens, sequences or prompts of the whole batch, and b_n is what
is divided by within row n. All modes are rows of one table; the weights are
d loss / d ℓ.

Sources: Yu et al., arXiv:2503.14476, section 3.3; Liu et al., arXiv:2503.20783, section 3.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._groups import Groups
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, term, total
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    rows = range(len(i.loss))
    losses = [
        [d.given(Name("ℓ", f"{n},{t}"), value) for t, value in enumerate(row)] for n, row in enumerate(i.loss)
    ]
    valid = [[entry for entry, there in zip(losses[n], i.mask[n], strict=True) if there] for n in rows]
    if not any(valid):
        d.note("No token is valid: the loss is 0.")
    sums = [d.step(Name("s", str(n)), total(valid[n]), "of row n" if n == 0 else "") for n in rows]
    loss = d.step("loss", _loss(d, i, sums, [len(row) for row in valid]))
    d.output("loss", loss)
    leaves = [entry for row in losses for entry in row]
    found = iter(gradient(loss, leaves) or ())
    weights = [[next(found) for _ in row] for row in losses]
    d.output("weights", weights)


def _loss(d: Derivation, i: Inputs, sums: list[Any], lengths: list[int]) -> Term:
    """The sums of the rows, divided as the mode says."""
    ranks = d.given("D", i.ranks)
    live = [n for n, length in enumerate(lengths) if length]
    if not live:
        return term(0)
    whole = total(sums)
    count = i.sequences or (len(lengths) if i.count_all else len(live))
    divisor = i.divisor or len(i.loss[0])
    if i.mode == "token-mean":
        return ranks * whole / d.given("S", i.tokens or sum(lengths))
    if i.mode == "token-sum":
        return ranks * whole
    if i.mode == "seq-mean-token-sum":
        return ranks * whole / d.given("N", count)
    if i.mode == "seq-mean-token-mean":
        means = [d.step(Name("a", str(n)), sums[n] / lengths[n], "mean of a row") for n in live]
        return ranks * total(means) / d.given("N", count)
    if i.mode == "fixed-divisor":
        return ranks * whole / (d.given("N", count) * d.given("C", divisor))
    if i.mode == "fixed-divisor-sum":
        return ranks * whole / d.given("C", divisor)
    groups = i.groups or list(range(len(lengths)))
    means = []
    for k, group in enumerate(dict.fromkeys(groups[n] for n in live)):
        own = [n for n in live if groups[n] == group]
        inner = total(sums[n] for n in own) / sum(lengths[n] for n in own)
        means.append(d.step(Name("p", str(k)), inner, "mean of a prompt's tokens"))
    return ranks * total(means) / len(means)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Σ w ℓ and w for losses and mask [..., N, T]."""
    weights = aggregation_weights(xp, a)
    shares = xp.multiply(weights, a.loss, out=xp.spare(a.loss, weights))
    return {"loss": shares.sum(-1).sum(-1), "weights": weights}


def aggregation_weights(xp: Backend, a: Arrays) -> Any:
    """w [..., N, T] of a mask, in the dtype of the losses; 0 where nothing is valid."""
    like, mode = a.loss, a.mode
    tokens, sequences, divisor, ranks = (
        None if value is None else xp.cast(xp.asarray(value), like.dtype)
        for value in (a.tokens, a.sequences, a.divisor, a.ranks)
    )
    number = xp.cast(a.mask, like.dtype)
    if number.shape != like.shape:
        number = number + xp.zeros_like(like)
    lengths = number.sum(-1)[..., None]  # [..., N, 1]
    live = xp.cast(lengths > 0, like.dtype)
    if a.count_all:
        live = xp.ones_like(live)
    rows = sequences if sequences is not None else live.sum(-2)[..., None]
    width = divisor if divisor is not None else like.shape[-1]
    below: Any
    if mode == "token-mean":
        below = tokens if tokens is not None else lengths.sum(-2)[..., None]
    elif mode == "token-sum":
        below = xp.ones_like(lengths)
    elif mode == "seq-mean-token-sum":
        below = rows
    elif mode == "seq-mean-token-mean":
        below = rows * lengths
    elif mode == "fixed-divisor":
        below = rows * width
    elif mode == "fixed-divisor-sum":
        below = width
    else:
        below = _of_prompts(xp, like, lengths, a.groups)
    below = xp.zeros_like(lengths) + below
    below = xp.where(below > 0, below, xp.ones_like(below))
    share = ranks / below
    return xp.multiply(number, share, out=xp.over(number, share))


def _of_prompts(xp: Backend, like: Any, lengths: Any, groups: Any) -> Any:
    """Prompts that have a valid token, times the tokens of each row's prompt: [..., N, 1]."""
    if groups is None:
        groups = xp.indices(lengths.shape[-2], like)
    lengths = lengths[..., 0]
    apart = Groups(xp, groups, lengths)
    of_rows = apart.apart(lengths)
    live = xp.cast(of_rows > 0, like.dtype)
    others = apart.sums(live)  # live rows of the prompt, which count as one together
    prompts = (live / xp.where(others > 0, others, 1.0)).reshape(lengths.shape).sum(-1)[..., None]
    of_prompt = (apart.sums(of_rows) + xp.zeros_like(of_rows)).reshape(lengths.shape)
    return (prompts * of_prompt)[..., None]
