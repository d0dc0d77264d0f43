"""Log-probabilities of the tokens taken: the row before a token predicts it.

    logp_t = z_{t−1}[y_t]/τ − log Σ_v exp(z_{t−1}[v]/τ),   t = 1 … K−1,
    ∂ logp_t / ∂ z_{t−1}[v] = ([v = y_t] − p_v)/τ.

The largest logit is subtracted first, so that nothing overflows.

Source: Vaswani et al., arXiv:1706.03762, section 3.4.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.formulas._lines import by_lines
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, apply


def check(i: Inputs) -> None:
    _check(max(i.ids), len(i.logits[0]))


def check_arrays(a: Arrays) -> None:
    found = a.look("ids")
    if found is not None and found[0].size:
        _check(int(found[0].max()), a.logits.shape[-1])


def _check(largest: int, count: int) -> None:
    if largest >= count:
        raise InputError(
            "ids_out_of_range",
            f"{spelled('ids')} must be from 0 to {count - 1}, not {largest}: a row has {count} logits.",
            "Tokens are counted from 0.",
        )


def exact_form(d: Derivation, i: Inputs) -> None:
    tau = d.given("τ", i.temperature)
    found, slopes = [], []
    for t in range(1, len(i.ids)):
        logits = [d.given(Name("z", f"{t - 1},{v}"), value) for v, value in enumerate(i.logits[t - 1])]
        scaled = logits if i.temperature == 1 else [logit / tau for logit in logits]
        chances = [
            d.step(Name("p", f"{t},{v}"), chance, shown=v == i.ids[t])
            for v, chance in enumerate(softmax_terms(scaled))
        ]
        taken = i.ids[t]
        found.append(d.step(Name("logp", str(t), tex=r"\mathrm{logp}"), apply("log", chances[taken])))
        slopes.append([(int(v == taken) - chance) / tau for v, chance in enumerate(chances)])
    d.output("logps", found)
    d.output("d_logits", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Logits [..., K, V] and tokens [..., K] -> logps [..., K−1] and their slopes [..., K−1, V]."""
    lines = a.logits[..., :-1, :]
    taken = xp.placed(a.ids, a.logits)[..., 1:]
    taken, _ = xp.broadcast_arrays(taken, lines[..., 0])
    lines, _ = xp.broadcast_arrays(lines, taken[..., None])
    form = partial(_of_lines, xp, temperature=a.temperature)
    found = by_lines(xp, form, lines, taken[..., None], inside=True)
    return {"logps": found["logps"][..., 0], "d_logits": found["d_logits"]}


def _of_lines(xp: Backend, lines: Any, taken: Any, temperature: Any, out: Any) -> dict[str, Any]:
    """Lines [..., K, V] and the token taken after each [..., K, 1]; the slopes are made in ``out``."""
    taken = xp.cast(taken, xp.int64)
    every = xp.log_softmax(xp.divide(lines, temperature, out=out), -1)
    logps = xp.take(every, taken)
    # the derivative is an answer of its own, through which no gradient goes; p − 1 does not cancel
    chances = xp.exp(xp.constant(every), out=xp.over(every) if out is None else out)
    chances = xp.put_into(chances, taken, xp.expm1(xp.constant(logps)))
    return {"logps": logps, "d_logits": xp.divide(chances, -temperature, out=xp.over(chances))}
