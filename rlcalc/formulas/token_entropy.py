"""Entropy of the next token, from tempered logits that may be cut.

    H = −Σ q log q,   q = softmax(z/τ) over what top-k and then top-p leave,
    ∂H/∂z_v = −q_v (log q_v + H)/τ.

Arrays count from the largest logit down: with g_v = (z_max − z_v)/τ ≥ 0,

    H = log1p(Σ_{v ≠ max} exp(−g_v)) + E,   E = Σ q_v g_v,   ∂H/∂z_v = q_v (g_v − E)/τ,

where nothing cancels, however certain the choice is.

Sources: Shannon (1948), section 6; Holtzman et al., arXiv:1904.09751, section 3.1.
"""

from __future__ import annotations

from functools import cmp_to_key, partial
from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas._lines import by_lines
from rlcalc.formulas._softmax import softmax_terms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term, total

_FAR = 1e4  # a distance from the largest logit whose exponential is 0 in every dtype
_SLACK = 8  # steps of rounding by which a mass may miss the bound that it reaches


def exact_form(d: Derivation, i: Inputs) -> None:
    tau = d.given("τ", i.temperature)
    found: list[Term] = []
    kept: list[list[Term]] = []
    slopes: list[list[Term]] = []
    for t, row in enumerate(i.logits):
        logits = [d.given(Name("z", f"{t},{v}"), value) for v, value in enumerate(row)]
        scaled: list[Term] = [logit if i.temperature == 1 else logit / tau for logit in logits]
        left = _left(scaled, i.top_k, i.top_p)
        chances: dict[int, Term] = {
            v: d.step(Name("q", f"{t},{v}"), chance, shown=v < 8)
            for v, chance in zip(left, softmax_terms([scaled[v] for v in left]), strict=True)
        }
        logs = {v: apply("log", chance) for v, chance in chances.items()}
        entropy = d.step(Name("H", str(t)), -total(chances[v] * logs[v] for v in left))
        found.append(entropy)
        kept.append([term(int(v in chances)) for v in range(len(row))])
        slopes.append(
            [-chances[v] * (logs[v] + entropy) / tau if v in chances else term(0) for v in range(len(row))]
        )
    d.output("entropy", found)
    d.output("kept", kept)
    d.output("d_logits", slopes)


def _left(scaled: list[Term], top_k: int | None, top_p: Any) -> list[int]:
    """Indices of the tokens that the cuts leave, in the order of the vocabulary."""
    if top_k is None and top_p is None:
        return list(range(len(scaled)))

    def order(u: int, v: int) -> int:
        return -(compare(scaled[u].value, scaled[v].value) or 0)

    ranked = sorted(range(len(scaled)), key=cmp_to_key(order))[:top_k]
    if top_p is not None:
        mass = total(())
        # the last is not asked about: with it the mass is 1, which is never below the bound
        for count, chance in enumerate(softmax_terms([scaled[v] for v in ranked])[:-1], start=1):
            mass = mass + chance
            if compare(mass.value, top_p) in (0, 1):
                ranked = ranked[:count]
                break
    return sorted(ranked)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Logits [..., K, V] -> entropy [..., K], kept and derivative [..., K, V]."""
    if a.top_k is None and a.top_p is None:
        found = by_lines(xp, partial(_of_all, xp, temperature=a.temperature), a.logits, inside=True)
        return {**found, "entropy": found["entropy"][..., 0]}
    scaled = a.logits / a.temperature
    places = xp.indices(a.logits.shape[-1], a.logits)
    largest = xp.argmax(scaled, -1)[..., None]
    most = xp.take(scaled, largest)
    possible = scaled > -xp.inf
    zero = xp.zeros_like(scaled)
    gaps = xp.where(possible, most - scaled, zero)
    left = possible & _left_array(xp, xp.constant(gaps), possible, places, a.top_k, a.top_p)
    gaps = xp.where(left, gaps, zero)
    others = xp.where(left & (places != largest), xp.exp(-gaps), zero)
    rest = others.sum(-1)[..., None]
    chances = others / (1 + rest)
    mean = (chances * gaps).sum(-1)[..., None]
    own = left & (places == largest)
    slopes = xp.where(own, -mean / (1 + rest), chances * (gaps - mean)) / a.temperature
    entropy = (xp.log1p(rest) + mean)[..., 0]
    return {"entropy": entropy, "kept": xp.cast(left, a.logits.dtype), "d_logits": slopes}


def _of_all(xp: Backend, logits: Any, temperature: Any, out: Any) -> dict[str, Any]:
    """The same where nothing is cut off, in fewer passes over the vocabulary; entropy is [..., K, 1].

    ``out`` is where the derivative is made.
    """
    heights: Any = xp.divide(logits, temperature, out=out)
    largest = xp.argmax(heights, -1)[..., None]
    most = xp.take(heights, largest)
    # there is mostly no logit of −inf: then every token is kept, and no distance has to be bounded
    some = xp.any_or_unknown(~(xp.amin(heights, axis=-1, keepdims=True) > most - _FAR))
    kept = xp.cast(xp.greater(heights, -xp.inf), heights.dtype) if some else xp.ones_like(heights)
    chances = xp.softmax(heights, -1)
    heights = xp.subtract(heights, most, out=xp.over(heights))  # −g
    if some:
        heights = xp.clip(heights, -_FAR, None, out=xp.over(heights))
    # how much the others have of what the largest has
    first = xp.take(chances, largest)
    chances = xp.put_into(chances, largest, xp.zeros_like(most))
    rest = chances.sum(-1)[..., None] / first
    products = chances * heights
    mean = -products.sum(-1)[..., None]
    entropy = xp.log1p(rest) + mean
    # the derivative is an answer of its own, through which no gradient goes
    chances, products, first, mean = (xp.constant(value) for value in (chances, products, first, mean))
    slopes: Any = xp.product_plus(chances, mean, products, out=xp.over(chances, mean, products))
    slopes = xp.divide(slopes, -temperature, out=xp.over(slopes) if out is None else out)
    slopes = xp.put_into(slopes, largest, -mean * first / temperature)
    return {"entropy": entropy, "kept": kept, "d_logits": slopes}


def _left_array(xp: Backend, gaps: Any, possible: Any, places: Any, top_k: Any, top_p: Any) -> Any:
    """What the cuts leave of tokens with these distances from the largest logit: flags [..., K, V]."""
    ranked = xp.argsort(xp.where(possible, gaps, xp.zeros_like(gaps) + xp.inf), stable=True)
    left = xp.take(possible, ranked)
    if top_k is not None:
        left = left & (places < xp.placed(xp.asarray(top_k), gaps))
    if top_p is not None:
        powers = xp.where(left, xp.exp(-xp.take(gaps, ranked)), xp.zeros_like(gaps))
        reached = xp.cumsum(powers, -1)
        before = reached - powers
        bound = top_p * reached[..., -1:]
        # a share of 1 is everything, also what rounding no longer sees
        left = left & ((before < bound - _SLACK * xp.eps(gaps) * reached[..., -1:]) | (top_p >= 1))
    return xp.take(left, xp.argsort(ranked, stable=True))
