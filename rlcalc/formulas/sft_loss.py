"""Causal cross-entropy: line t of the logits predicts label t + 1, and −100 is no label.

    loss = −(1/M) Σ log softmax(z_{n,t−1})[y_{n,t}]   over t ≥ 1 with y_{n,t} ≠ −100.

Source: Ouyang et al., arXiv:2203.02155, appendix C.1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs.array_checks import Seen
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import flatten
from rlcalc.spelling import spelled
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Term, apply, term, total

NO_LABEL = -100


def check(i: Inputs) -> None:
    for label in flatten(i.labels):
        _check(label, len(i.logits[0][0]))


def check_arrays(a: Seen) -> None:
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


def array_form(
    xp: Backend, logits: Any, labels: Any, tokens: Any = None, smoothing: Any = 0.0
) -> dict[str, Any]:
    """Logits [..., N, K, V] and labels [..., N, K] -> loss and count [...]."""
    lines = logits[..., :-1, :]
    labels = xp.placed(labels, logits)[..., 1:]
    labels, _ = xp.broadcast_arrays(labels, lines[..., 0])
    learned = (labels != NO_LABEL)[..., None]
    # what is not learned from is not looked at, whatever its logits hold
    lines = xp.where(learned, lines, xp.zeros_like(lines))
    taken = xp.cast(xp.where(learned[..., 0], labels, xp.zeros_like(labels)), xp.int64)[..., None]
    most = xp.constant(xp.amax(lines, axis=-1, keepdims=True)) if lines.shape[-2] else lines[..., :1]
    whole = xp.log(xp.exp(lines - most).sum(-1))
    own = whole - xp.take(lines - most, taken)[..., 0]
    mean = whole - (lines - most).mean(-1)
    terms = xp.where(
        xp.placed(xp.asarray(smoothing), logits) > 0, (1 - smoothing) * own + smoothing * mean, own
    )
    terms = xp.where(learned[..., 0], terms, xp.zeros_like(terms))
    count = xp.cast(learned[..., 0], logits.dtype).sum(-1).sum(-1)
    below = xp.where(count > 0, count, xp.ones_like(count))
    if tokens is not None:
        below = xp.zeros_like(count) + xp.cast(xp.asarray(tokens), logits.dtype)
    return {"loss": terms.sum(-1).sum(-1) / below, "count": count}
