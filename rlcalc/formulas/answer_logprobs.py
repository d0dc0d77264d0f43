"""Log-probability of whole answers: the sum of those of their tokens, or the average.

    L_n = Σ_{t: m=1} ℓ_{n,t},   divided by the number of valid tokens where the average is asked for.

Source: Rafailov et al., arXiv:2305.18290, section 4; the average: Meng et al., arXiv:2405.14734, equation 3.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, term, total
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    tokens = [
        [d.given(Name("ℓ", f"{n},{t}"), value) for t, value in enumerate(row)]
        for n, row in enumerate(i.logps)
    ]
    found: list[Term] = []
    for n, row in enumerate(tokens):
        valid = [token for token, there in zip(row, i.mask[n], strict=True) if there]
        whole = total(valid) if valid else term(0)
        if i.average and valid:
            whole = whole / len(valid)
        found.append(d.step(Name("L", str(n)), whole, "" if valid else "no token is valid"))
    d.output("logprobs", found)
    leaves = [token for row in tokens for token in row]
    slopes = iter(gradient(total(found), leaves) or ())
    d.output("d_logps", [[next(slopes) for _ in row] for row in tokens])


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Sums or averages [..., N] of log-probabilities and mask [..., N, T]."""
    number = xp.cast(a.mask, a.logps.dtype) + xp.zeros_like(a.logps)
    lengths = number.sum(-1)
    one = xp.ones_like(lengths)
    divided = xp.placed(xp.asarray(a.average), a.logps) & (lengths > 0)
    divisor = xp.where(divided, lengths, one)
    # what is masked is 0 already
    return {"logprobs": a.logps.sum(-1) / divisor, "d_logps": number / divisor[..., None]}
