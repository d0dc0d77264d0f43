"""Projection of a distributional target onto its atoms (C51).

    z_i = v_min + (i − 1) Δ,   Δ = (v_max − v_min)/(K − 1),   i = 1 … K
    y_j = clip(R_{t+1} + γ_t^n z_j, v_min, v_max),   y_j = clip(R_{t+1}, v_min, v_max) after a terminated step
    m_i = Σ_j p_j clip(1 − |y_j − z_i|/Δ, 0, 1)

The mass of a shifted atom goes to its two neighbours, the more the nearer; one that falls on an atom stays
there whole. The masses sum to 1, and the mean is that of the shifted atoms.

Source: Bellemare, Dabney and Munos, arXiv:1707.06887, equation 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError, many
from rlcalc.exact import compare, to_text
from rlcalc.formulas._targets import discount, ended, powered
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, product, total


def check(i: Inputs) -> None:
    """Refuse a support that is no row of evenly spaced atoms.

    Raises:
        InputError: ``next_probs_too_short``, ``v_max_out_of_range``, ``atoms_not_even``.
    """
    _check_count(len(i.next_probs[0]))
    if i.atoms is None:
        if compare(i.v_max, i.v_min) in (0, -1):
            raise _crossed(to_text(i.v_min), to_text(i.v_max))
        return
    widths = [b - a for a, b in zip(i.atoms, i.atoms[1:], strict=False)]
    if compare(widths[0], 0) in (0, -1) or any(compare(width, widths[0]) for width in widths):
        raise _uneven()


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays, within a thousandth of the spacing."""
    _check_count(a.next_probs.shape[-1])
    if a.atoms is None:
        found = a.look("v_min", "v_max")
        if found is not None and not (found[1] > found[0]).all():
            raise _crossed(f"{found[0].min():g}", f"{found[1].max():g}")
        return
    atoms = a.look("atoms")
    if atoms is not None:
        widths = np.diff(atoms[0].astype(float), axis=-1)
        mean = widths.mean(-1, keepdims=True)
        if not ((mean > 0) & (np.abs(widths - mean) <= 1e-3 * mean)).all():
            raise _uneven()


def _check_count(count: int) -> None:
    if count < 2:
        raise InputError(
            "next_probs_too_short",
            f"{spelled('next_probs')} has {many(count, 'atom')} in a row, expected at least 2.",
            "Atoms are spaced evenly from the smallest to the largest value.",
        )


def _crossed(low: str, high: str) -> InputError:
    return InputError(
        "v_max_out_of_range",
        f"{spelled('v_max')} must be above {spelled('v_min')}, not {high} with {low} below it.",
        f"They are the first and the last atom, such as {spelled('v_min')} −10 and {spelled('v_max')} 10.",
    )


def _uneven() -> InputError:
    return InputError(
        "atoms_not_even",
        f"{spelled('atoms')} must rise by the same step from each to the next.",
        "For example −1 0 1 2.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    atoms, width = _support(d, i)
    rows, means = list[Sequence[Term]](), list[Term]()
    for t, reward in enumerate(i.rewards):
        paid = d.given(Name("R", str(t + 1)), reward)
        shifted = [_shifted(d, i, t, paid, atoms, j) for j in range(len(atoms))]
        chances = [d.given(Name("p", f"{t + 1},{j}"), p) for j, p in enumerate(i.next_probs[t], start=1)]
        masses = []
        for k, atom in enumerate(atoms, start=1):
            parts = [
                product([p, apply("clip", 1 - apply("abs", y - atom) / width, 0, 1)])
                for p, y in zip(chances, shifted, strict=True)
                if compare(p.value, 0) != 0 and not _far(y, atom, width)
            ]
            masses.append(d.step(Name("m", f"{t},{k}"), total(parts)))
        rows.append(masses)
        mean = total(m * atom for m, atom in zip(masses, atoms, strict=True))
        means.append(d.step(Name("mean", str(t)), mean))
    d.output("probs", rows)
    d.output("mean", means)


def _support(d: Derivation, i: Inputs) -> tuple[list[Symbol], Term]:
    """The atoms and the step between them."""
    if i.atoms is not None:
        atoms = [d.given(Name("z", str(k)), atom) for k, atom in enumerate(i.atoms, start=1)]
        return atoms, d.step("Δ", atoms[1] - atoms[0], "step from atom to atom")
    low, high = d.given(Name("v", "min"), i.v_min), d.given(Name("v", "max"), i.v_max)
    count = len(i.next_probs[0])
    width = d.step("Δ", (high - low) / (count - 1), "step from atom to atom")
    return [d.step(Name("z", str(k + 1)), low + k * width) for k in range(count)], width


def _shifted(d: Derivation, i: Inputs, t: int, paid: Term, atoms: Sequence[Symbol], j: int) -> Symbol:
    """Where atom j lies after the step, held inside the support."""
    moved = paid if ended(i, t) else paid + discount(d, i, t) * atoms[j]
    return d.step(Name("y", f"{t},{j + 1}"), apply("clip", moved, atoms[0], atoms[-1]))


def _far(y: Term, atom: Term, width: Term) -> bool:
    """Whether an atom is no neighbour of a shifted one, and has no share in its mass."""
    apart = y.value - atom.value
    return compare(apart, width.value) in (0, 1) or compare(-apart, width.value) in (0, 1)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards [..., T] and probabilities [..., T, K] -> probs [..., T, K], mean [..., T]."""
    count = a.next_probs.shape[-1]
    places = xp.cast(xp.indices(count, a.next_probs), a.next_probs.dtype)
    # one support for all steps
    support = (
        a.atoms[..., None, :] if a.v_min is None else a.v_min + (a.v_max - a.v_min) / (count - 1) * places
    )
    low, high = support[..., :1], support[..., -1:]
    onward = powered(xp, a.gamma, a.n) + xp.zeros_like(a.rewards)
    if a.terminated is not None:
        onward = xp.where(a.terminated, xp.zeros_like(onward), onward)
    moved = a.rewards[..., None] + onward[..., None] * support
    held = xp.minimum(xp.maximum(moved, low), high)
    place = (held - low) / (high - low) * (count - 1)
    below = xp.floor(place)
    above = place - below  # the share of the upper neighbour
    # by atom on the last axis; the upper neighbour of the last one has no share
    left = xp.cast(below[..., None] == places, place.dtype) * (1 - above[..., None])
    right = xp.cast(below[..., None] + 1 == places, place.dtype) * above[..., None]
    probs = (a.next_probs[..., None] * (left + right)).sum(-2)
    return {"probs": probs, "mean": (probs * support).sum(-1)}
