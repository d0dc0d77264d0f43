"""Faults of the projection of a distributional target."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _targets as shared

of_every_target = tuple(f for f in shared.OF_EVERY_TARGET if f is not shared.reward_lost_at_the_end)


def _support(arrays: Arrays) -> Any:
    """The atoms, with an axis for the steps."""
    if arrays.get("atoms") is not None:
        return arrays["atoms"][..., None, :]
    count = arrays["next_probs"].shape[-1]
    places = np.arange(count, dtype=arrays["next_probs"].dtype)
    return arrays["v_min"] + (arrays["v_max"] - arrays["v_min"]) / (count - 1) * places


def _moved(arrays: Arrays) -> Any:
    """Shifted atoms before they are held inside the support."""
    gamma = arrays["gamma"] ** np.asarray(arrays["n"], arrays["gamma"].dtype) + arrays["rewards"] * 0
    if arrays.get("terminated") is not None:
        gamma = np.where(arrays["terminated"], np.zeros_like(gamma), gamma)
    return arrays["rewards"][..., None] + gamma[..., None] * _support(arrays)


def _shared_out(arrays: Arrays, shares: Any) -> Outputs:
    """What becomes of the probabilities by shares [..., T, K, K], of the atoms on the last axis."""
    probs = (arrays["next_probs"][..., None] * shares).sum(-2).astype(arrays["next_probs"].dtype)
    return {"probs": probs, "mean": (probs * _support(arrays)).sum(-1)}


def _places(arrays: Arrays, moved: Any) -> tuple[Any, Any, Any, Any]:
    """Numbers of the atoms, the place of each shifted one, its lower and its upper neighbour."""
    z = _support(arrays)
    count = z.shape[-1]
    place = (np.clip(moved, z[..., :1], z[..., -1:]) - z[..., :1]) / (z[..., -1:] - z[..., :1]) * (count - 1)
    # within rounding of an atom it is on it
    near = np.round(place)
    place = np.where(np.abs(place - near) < 1e-6 * count, near, place)
    return np.arange(count), place, np.floor(place)[..., None], np.ceil(place)[..., None]


@fault("indexing", "Curt-Park/rainbow-is-all-you-need PR #76")
def mass_lost_on_atoms(form: Form, /, **arrays: Any) -> Outputs:
    """Loses the mass of a shifted atom that falls exactly on an atom.

    Shown when: A reward and a discount that move an atom onto another one; every terminal reward that is one.
    Cause: Floor and ceiling are the same, so that both weights, u − b and b − l, are 0.
    Fix: Take the atom below and the next one, which always differ.
    - lower, upper = b.floor().long(), b.ceil().long()
    + lower = b.floor().long().clamp(max=n_atoms - 2)
    + upper = lower + 1
    """
    index, place, low, high = _places(arrays, _moved(arrays))
    b = place[..., None]
    return _shared_out(arrays, (low == index) * (high - b) + (high == index) * (b - low))


@fault("swapped")
def weights_swapped(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the lower neighbour the share of the upper one.

    Shown when: A shifted atom that falls between two atoms, and not in their middle.
    Cause: b − l and u − b are mixed up.
    Fix: The lower neighbour gets u − b, the upper one b − l.
    - m[lower] += p * (b - lower)
    - m[upper] += p * (upper - b)
    + m[lower] += p * (upper - b)
    + m[upper] += p * (b - lower)
    """
    index, place, low, high = _places(arrays, _moved(arrays))
    b, same = place[..., None], low == high
    apart = (low == index) * (b - low) + (high == index) * (high - b)
    return _shared_out(arrays, np.where(same, low == index, apart))


@fault("indexing")
def nearest_atom(form: Form, /, **arrays: Any) -> Outputs:
    """Moves the whole mass to the nearest atom.

    Shown when: A shifted atom that falls between two atoms.
    Cause: The index is rounded; the mean of the distribution is not kept.
    Fix: Share the mass between both neighbours.
    - m[b.round().long()] += p
    + m[lower] += p * (upper - b)
    + m[upper] += p * (b - lower)
    """
    index, place, _, _ = _places(arrays, _moved(arrays))
    return _shared_out(arrays, np.round(place)[..., None] == index)


@fault("indexing")
def lower_atom(form: Form, /, **arrays: Any) -> Outputs:
    """Moves the whole mass to the atom below.

    Shown when: A shifted atom that falls between two atoms.
    Cause: A conversion to integers takes the place of the projection.
    Fix: Share the mass between both neighbours.
    - m[((tz - v_min) / delta).long()] += p
    + m[lower] += p * (upper - b)
    + m[upper] += p * (b - lower)
    """
    index, _, low, _ = _places(arrays, _moved(arrays))
    return _shared_out(arrays, low == index)


@fault("clipping")
def mass_outside_lost(form: Form, /, **arrays: Any) -> Outputs:
    """Drops the mass that is shifted beyond the ends.

    Shown when: A reward that moves an atom with mass outside of the support.
    Cause: Shifted atoms are not clipped, and indices beyond the ends are masked.
    Fix: Hold shifted atoms between v_min and v_max first.
    - tz = rewards + gamma * (1 - dones) * atoms
    + tz = (rewards + gamma * (1 - dones) * atoms).clamp(v_min, v_max)
    """
    moved, z = _moved(arrays), _support(arrays)
    inside = (moved >= z[..., :1]) & (moved <= z[..., -1:])
    index, place, low, high = _places(arrays, moved)
    b, same = place[..., None], low == high
    apart = (low == index) * (high - b) + (high == index) * (b - low)
    return _shared_out(arrays, np.where(same, low == index, apart) * inside[..., None])


@fault("counting")
def step_of_one_atom_more(form: Form, /, **arrays: Any) -> Outputs:
    """Takes (v_max − v_min)/K for the step between K atoms.

    Shown when: A shifted atom with mass above the first one.
    Cause: K atoms have K − 1 gaps between them.
    Fix: (v_max − v_min)/(K − 1).
    - delta = (v_max - v_min) / n_atoms
    + delta = (v_max - v_min) / (n_atoms - 1)
    """
    z = _support(arrays)
    count = z.shape[-1]
    moved = np.clip(_moved(arrays), z[..., :1], z[..., -1:])
    b = ((moved - z[..., :1]) / (z[..., -1:] - z[..., :1]) * count)[..., None]
    index = np.arange(count)
    low = np.floor(b + 1e-6)
    # what lies beyond the last atom is held there
    low, high = np.minimum(low, count - 1), np.minimum(low + 1, count - 1)
    share = np.clip(b - low, 0, 1)
    return _shared_out(arrays, (low == index) * (1 - share) + (high == index) * share)


@argument_fault("indexing")
def probabilities_reversed(arrays: Arrays) -> Arrays:
    """Lets the atoms fall where the probabilities rise.

    Shown when: Probabilities that are not symmetric.
    Cause: The support is built from v_max down to v_min.
    Fix: linspace(v_min, v_max, n_atoms).
    - atoms = torch.linspace(v_max, v_min, n_atoms)
    + atoms = torch.linspace(v_min, v_max, n_atoms)
    """
    return {"next_probs": arrays["next_probs"][..., ::-1].copy()}
