"""Sweeps of dynamic programming over the states: with two arrays, or in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.formulas._tabular import Parts, action_values, state_name
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.model import MDP
from rlcalc.mdp.sparse import Sparse
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term

Q = dict[int, Symbol]
Join = Callable[[int, Q], Term]  # state and action values -> the new value, as a term


def check_sweeps(mdp: MDP, sweeps: Any, values: Any, in_place: Any, order: Any) -> None:
    """Refuse an order without sweeps in place, and one that names no state; at both doors.

    Raises:
        InputError: ``order_without_in_place``, ``sweeps_missing``, ``sweeps_out_of_range``.
        UnknownName: ``mdp_unknown_state``.
    """
    if sweeps is None:
        for name, given in {"values": values, "in_place": in_place, "order": order}.items():
            if given is not None and given is not False:
                raise InputError(
                    "sweeps_missing",
                    f"{spelled(name)} is for sweeps, and {spelled('sweeps')} is not given.",
                    f"Add {spelled('sweeps')} 3.",
                )
        return
    if order is not None and len(order) and not in_place:
        raise InputError(
            "order_without_in_place",
            f"{spelled('order')} changes nothing without {spelled('in_place')}: all states of a sweep use "
            "the values of the sweep before.",
            f"Add {spelled('in_place')}, or leave {spelled('order')} out.",
        )
    order_of(mdp, order)


def order_of(mdp: MDP, order: Sequence[str] | None) -> list[int]:
    """Indices of the states that a sweep visits, in its order.

    Raises:
        UnknownName: ``mdp_unknown_state``.
        InputError: ``order_wrong_length``.
    """
    if order is None or not len(order):
        return list(mdp.non_terminal)
    known = list(mdp.states)
    for word in order:
        if word not in known:
            hint = suggestion(word, known) or f"The states are {', '.join(known[:12])}."
            raise UnknownName("mdp_unknown_state", f"{spelled('order')} names no state {shown(word)}.", hint)
    found = [known.index(word) for word in order if not mdp.terminal[known.index(word)]]
    if sorted(found) != list(mdp.non_terminal):
        raise InputError(
            "order_wrong_length",
            f"{spelled('order')} must name every state once that is not terminal, not "
            f"{shown(' '.join(order))}.",
            f"They are {' '.join(mdp.states[s] for s in mdp.non_terminal[:12])}.",
        )
    return found


def write_sweeps(d: Derivation, i: Inputs, gamma: Symbol, join: Join) -> tuple[list[list[Symbol]], list[Q]]:
    """The values of every sweep as steps, V_0 first, and the action values of the last sweep by state."""
    mdp = i.mdp
    first = [0] * len(mdp.states) if i.values is None else i.values
    now = [
        d.given(Name("V", "0", arg=state_name(mdp, s)), 0 if over else first[s])
        for s, over in enumerate(mdp.terminal)
    ]
    if (
        i.values is not None
        and any(mdp.terminal)
        and any(v for v, o in zip(first, mdp.terminal, strict=True) if o)
    ):
        d.note("The value of a terminal state is 0, whatever is given for it.")
    found, q_values = [now], [dict[int, Symbol]() for _ in mdp.states]
    known: Parts = {}
    order = order_of(mdp, i.order)
    for k in range(1, int(i.sweeps) + 1):
        new = list(now)
        for s in order:
            before = new if i.in_place else now
            q_values[s] = action_values(d, mdp, before, gamma, s, Name("Q", str(k)), known)
            new[s] = d.step(Name("V", str(k), arg=state_name(mdp, s)), join(s, q_values[s]))
        now = new
        found.append(now)
    return found, q_values


def sweep_arrays(
    xp: Any,
    mdp: Any,
    gamma: Any,
    sweeps: int,
    values: Any,
    in_place: Any,
    order: Any,
    join: Callable[..., Any],
) -> tuple[Any, Any]:
    """V after the sweeps, and the action values of the last one.

    Args:
        join: action values [..., S, A] (or of one state, with its index) -> values.
    """
    live = ~xp.as_tensor(mdp.mdp.terminal) if xp.name == "torch" else ~np.asarray(mdp.mdp.terminal)
    live = xp.placed(live, mdp.r)
    r = mdp.r if mdp.allowed is None else xp.where(mdp.allowed, mdp.r, -xp.inf)
    start = xp.new_zeros(mdp.r, (mdp.r.shape[0],)) if values is None else values
    now = xp.where(live, start, xp.new_zeros(start, start.shape))
    q_values = r
    for _ in range(int(sweeps)):
        if not in_place:
            q_values = r + gamma * _ahead(mdp.p, now)
            now = join(q_values, None)
            continue
        rows: dict[int, Any] = {}
        entries = [now[..., s] for s in range(now.shape[-1])]
        for s in order_of(mdp.mdp, order):
            rows[s] = r[s] + gamma * _ahead(mdp.p[s], xp.stack(entries, -1))
            entries[s] = join(rows[s], s)
        now = xp.stack(entries, -1)
        over = xp.new_zeros(r, now.shape[:-1] + r.shape[-1:])
        q_values = xp.stack([rows.get(s, over) for s in range(now.shape[-1])], -2)
    return now, q_values


def _ahead(p: Any, values: Any) -> Any:
    """Σ_{s'} P(s'|s,a) V(s') for values [..., S]."""
    if isinstance(p, Sparse):
        return p @ values
    if p.ndim == 2:
        return (p @ values[..., None])[..., 0]
    return (p @ values[..., None, :, None])[..., 0]


def of_states(mdp: MDP, q_values: Sequence[Mapping[int, Symbol]], zero: Symbol) -> list[Mapping[int, Term]]:
    """Action values by state; zeros in a terminal one, for every action."""
    return [
        dict.fromkeys(range(len(mdp.actions)), zero) if over else q
        for over, q in zip(mdp.terminal, q_values, strict=True)
    ]
