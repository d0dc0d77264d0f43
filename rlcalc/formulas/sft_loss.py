"""Causal cross-entropy: line t of the logits predicts label t + 1, and −100 is no label.

    loss = −(1/M) Σ log softmax(z_{n,t−1})[y_{n,t}]   over t ≥ 1 with y_{n,t} ≠ −100.

Source: Ouyang et al., arXiv:2203.02155, appendix C.1.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.formulas._lines import height_of
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.nested import flatten
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, apply, term, total

NO_LABEL = -100


def check(i: Inputs) -> None:
    for label in flatten(i.labels):
        _check(label, len(i.logits[0][0]))


def check_arrays(a: Arrays) -> None:
    found = a.look("labels")
    if found is not None and found[0].size:
        real = found[0][found[0] != NO_LABEL]
        for label in (real.min(), real.max()) if real.size else ():
            _check(int(label), a.logits.shape[-1])


def _check(label: int, count: int) -> None:
    if label != NO_LABEL and not 0 <= label < count:
        raise InputError(
            "labels_out_of_range",
            f"{spelled('labels')} must be from 0 to {count - 1}, or −100, not {label}.",
            "−100 is a label that is not learned from.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    terms: list[Term] = []
    s = d.given("s", i.smoothing)
    for n, labels in enumerate(i.labels):
        for t in range(1, len(labels)):
            if labels[t] == NO_LABEL:
                continue
            line = i.logits[n][t - 1]
            logits = [d.given(Name("z", f"{n},{t - 1},{v}"), value) for v, value in enumerate(line)]
            chances = [
                d.step(Name("p", f"{n},{t},{v}"), chance, shown=bool(i.smoothing) or v == labels[t])
                for v, chance in enumerate(softmax_terms(logits))
            ]
            found = -apply("log", chances[labels[t]])
            if i.smoothing:
                mean = total(apply("log", chance) for chance in chances) / len(chances)
                found = (1 - s) * found - s * mean
            terms.append(d.step(Name("e", f"{n},{t}"), found, "" if terms else "a term of the loss"))
    if not terms:
        d.note("There is nothing to learn: the loss is 0.")
    loss = total(terms) / d.given("M", i.tokens or len(terms) or 1)
    d.output("loss", d.step("loss", loss))
    d.output("count", term(len(terms)))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Logits [..., N, K, V] and labels [..., N, K] -> loss and count [...]."""
    lines = a.logits[..., :-1, :]
    labels = xp.placed(a.labels, a.logits)[..., 1:]
    labels, _ = xp.broadcast_arrays(labels, lines[..., 0])
    learned = labels != NO_LABEL
    taken = xp.cast(xp.where(learned, labels, xp.zeros_like(labels)), xp.int64)[..., None]
    if lines.shape[:-1] == learned.shape and (seen := xp.look(learned)) is not None:
        terms = _of_learned(xp, a.logits, np.nonzero(seen), taken, a.smoothing)
    else:
        # what is not learned from is not looked at, whatever its logits hold
        hidden = xp.where(learned[..., None], lines, xp.zeros_like(lines))
        terms = _errors(xp, hidden, taken, a.smoothing)[..., 0]
        terms = xp.where(learned, terms, xp.zeros_like(terms))
    count = xp.cast(learned, a.logits.dtype).sum(-1).sum(-1)
    below = xp.where(count > 0, count, xp.ones_like(count))
    if a.tokens is not None:
        below = xp.zeros_like(count) + xp.cast(xp.asarray(a.tokens), a.logits.dtype)
    return {"loss": terms.sum(-1).sum(-1) / below, "count": count}


def _of_learned(xp: Backend, logits: Any, places: tuple[Any, ...], taken: Any, smoothing: Any) -> Any:
    """The errors of the lines at these places, and 0 elsewhere: what is not learned from is not touched."""
    rows = xp.asarray(np.ravel_multi_index(places, logits.shape[:-1]))
    places = tuple(xp.asarray(axis) for axis in places)
    flat, taken = logits.reshape(-1, logits.shape[-1]), taken[places]
    terms, height = xp.new_zeros(logits, (*logits.shape[:-2], logits.shape[-2] - 1)), height_of(xp, logits)
    pieces = [
        _errors(xp, flat[rows[top : top + height]], taken[top : top + height], smoothing)
        for top in range(0, max(len(rows), 1), height)
    ]
    terms[places] = xp.concatenate(pieces)[..., 0]
    return terms


def _errors(xp: Backend, lines: Any, taken: Any, smoothing: Any) -> Any:
    """−log of the chance of each token taken [..., K, 1], or smoothed with that of the others."""
    every = xp.log_softmax(lines, -1)
    own = -xp.take(every, taken)
    smooth = xp.placed(xp.asarray(smoothing), lines) > 0
    if not xp.any_or_unknown(smooth):
        return own
    mixed = (1 - smoothing) * own - smoothing * every.mean(-1)[..., None]
    return xp.where(smooth, mixed, own)
