"""Eligibility traces, and TD(λ) with all updates made at the end of the episode.

    z_t(s) = γλ z_{t−1}(s) + 1[S_t = s]                  accumulating, z_{−1} = 0
    z_t(s) = 1 if S_t = s, else γλ z_{t−1}(s)            replacing
    ΔV(s)  = α Σ_{t=0}^{T−1} δ_t z_t(s),   δ_t = R_{t+1} + γ V(S_{t+1}) − V(S_t)

With accumulating traces and V fixed during the episode this equals, state by
state, the forward view α Σ_{t: S_t=s} (G_t^λ − V(s)): the λ-return's error is
a discounted sum of later TD errors, and exchanging the two sums turns one
view into the other.

Where another policy acted, the ratio ρ_t of each step multiplies its whole trace, and the return is

    G_t^λ = ρ_t (R_{t+1} + γ ((1−λ) V(S_{t+1}) + λ G_{t+1}^λ)) + (1−ρ_t) V(S_t),

with which the two views agree in the same way.

A trace is the recurrence of the returns run forward in time, once per state.

Source: Sutton and Barto, 2nd edition, equations 12.4 to 12.7, 12.12 and 12.22 to 12.25.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import TORCH, Backend, is_tensor
from rlcalc.errors import InputError, many, shown
from rlcalc.exact import equal
from rlcalc.formulas._sequence import Episode
from rlcalc.formulas._words import word_name
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, product, total


def check(i: Inputs) -> None:
    """Match states, rewards and values, whose lengths depend on names.

    Raises:
        InputError: ``rewards_missing``, ``states_wrong_length``, ``values_wrong_length``.
    """
    visited = len(i.states)
    for each in ("rewards", "ratios"):
        steps = visited if i.given[each] is None else len(i.given[each])
        if visited not in (steps, steps + 1):
            raise _wrong_states(visited, steps, each)
    if i.rewards is None:
        for name in ("values", "alpha"):
            if i.given[name] is not None:
                raise _rewards_missing(name)
        return
    names = _distinct(i.states)
    values = i.values
    if values is not None and len(values) != len(names):
        known = " ".join(names) if len(names) <= 12 else f"{len(names)} states"
        raise _wrong_values(len(values), len(names), f"each of {shown(known)}")


def _wrong_values(given: int, expected: int, which: str) -> InputError:
    return InputError(
        "values_wrong_length",
        f"{spelled('values')} has {many(given, 'entry', 'entries')}, expected {expected}, one for {which}.",
        "Give the value of each different state once, in the order of first visit.",
    )


def check_arrays(a: Arrays) -> None:
    """``check`` for words, or for indices [..., T] into ``values``, an array or a tensor of integers.

    Raises:
        InputError: as ``check``, and ``states_not_states``, ``states_out_of_range``.
    """
    index, words = (a.states, None) if is_tensor(a.states) else _indices(a.states)
    for each in ("rewards", "ratios"):
        along = getattr(a, each)
        if along is not None and index.shape[-1] - along.shape[-1] not in (0, 1):
            raise _wrong_states(index.shape[-1], along.shape[-1], each)
    if a.rewards is None:
        for name in ("values", "alpha"):
            if getattr(a, name) is not None:
                raise _rewards_missing(name)
    seen = TORCH.look(index) if is_tensor(index) else index
    if seen is None:
        return
    if seen.dtype.kind not in "iu":
        raise _not_states(a.states)
    values = a.values
    _check_count(seen, words, None if values is None else values.shape[-1])


def _rewards_missing(given: str) -> InputError:
    return InputError(
        "rewards_missing",
        f"{spelled(given)} is given, but {spelled('rewards')} is missing: "
        "without rewards there is no TD error.",
        f"Give one reward for each step, or leave out {spelled('values')} and {spelled('alpha')} "
        "to see the traces alone.",
    )


def _wrong_states(visited: int, steps: int, each: str) -> InputError:
    return InputError(
        "states_wrong_length",
        f"There {'is' if visited == 1 else 'are'} {many(visited, 'state')} for {many(steps, each[:-1])}; "
        f"expected {steps} or {steps + 1}.",
        f"Name the state before each {each[:-1]}, and optionally the one that the episode stopped in.",
    )


def _distinct(states: list[str]) -> list[str]:
    return list(dict.fromkeys(states))


# exact


def exact_form(d: Derivation, i: Inputs) -> None:
    gamma, lam = d.given("γ", i.gamma), d.given("λ", i.lam)
    names = _distinct(i.states)
    steps = next((len(each) for each in (i.rewards, i.ratios) if each is not None), len(i.states))
    ratios = [d.given(Name("ρ", str(t)), ratio) for t, ratio in enumerate(i.ratios or ())]
    traces = _exact_traces(d, i.states[:steps], names, gamma * lam, bool(i.replacing), ratios)
    d.output("eligibility", [[row[name] for name in names] for row in traces])
    d.output("columns", names)
    if i.rewards is None:
        return
    given = i.values or [0] * len(names)
    values = {name: d.given(Name("V", arg=word_name(name)), v) for name, v in zip(names, given, strict=True)}
    episode = _episode(d, i, values, gamma)
    errors = [d.step(Name("δ", str(t)), episode.td_error(t)) for t in range(steps)]
    backward = {
        name: d.step(
            Name("credit", arg=word_name(name)),
            # a trace is 0 until the first visit
            total(errors[t] * traces[t][name] for t in range(_first(i.states, name), steps)),
            "backward view",
        )
        for name in names
    }
    if ratios:
        returns = _weighted_returns(d, episode, lam, ratios)
    else:
        returns = [_lambda_return(d, episode, lam, t) for t in range(steps)]
    forward = {
        name: d.step(
            Name("forward", arg=word_name(name)),
            total(returns[t] - values[name] for t in range(steps) if i.states[t] == name),
            "forward view",
        )
        for name in names
    }
    d.output("td_errors", errors)
    d.output("credit", list(backward.values()))
    d.output("lambda_returns", returns)
    d.output("forward_credit", list(forward.values()))
    d.output("views", _views(d, backward, forward))
    if i.alpha is not None:
        alpha = d.given("α", i.alpha)
        updates = {
            n: d.step(Name("ΔV", arg=word_name(n), tex=r"\Delta V"), alpha * backward[n]) for n in names
        }
        d.output("updates", list(updates.values()))
        d.output(
            "new_values",
            [d.step(Name("V", "new", arg=word_name(n)), values[n] + updates[n]) for n in names],
        )


def _exact_traces(
    d: Derivation, states: list[str], names: list[str], decay: Term, replacing: bool, ratios: list[Symbol]
) -> list[dict[str, Symbol]]:
    """Rows z_t(s); a trace that is still 0 is not printed."""
    row = {name: d.given(Name("z", "-1", arg=word_name(name)), 0) for name in names}
    rows = []
    for t, state in enumerate(states):
        seen = set(states[: t + 1])
        new = {}
        for name in names:
            kept = decay * row[name]
            if name == state:
                kept = total([1]) if replacing else kept + 1
            if ratios:
                kept = ratios[t] * kept
            new[name] = d.step(Name("z", str(t), arg=word_name(name)), kept, shown=name in seen)
        row = new
        rows.append(row)
    return rows


def _episode(d: Derivation, i: Inputs, values: dict[str, Symbol], gamma: Symbol) -> Episode:
    """The visited states as an episode; V(S_t) stands under the name of the state."""
    steps = len(i.rewards)
    along = [values[name] for name in i.states]
    ends = len(i.states) == steps
    return Episode(
        rewards=[d.given(Name("R", str(t + 1)), reward) for t, reward in enumerate(i.rewards)],
        values=along[:steps],
        next_values=along[1:],
        gammas=[gamma] * steps,
        terminated=[False] * (steps - 1) + [ends],
        truncated=[False] * steps,
        one_gamma=True,
    )


def _first(states: list[str], name: str) -> int:
    return states.index(name)


def _lambda_return(d: Derivation, episode: Episode, lam: Symbol, t: int) -> Symbol:
    """G_t^λ by its definition, the weighted n-step returns, as one printed step."""
    last = episode.horizon(t)
    summands = []
    for n in range(1, last + 1):
        value = d.step(Name("G", str(t), f"({n})"), episode.n_step(t, n), shown=False)
        factors: list[Term] = [1 - lam] if n < last else []
        factors += [lam if n == 2 else lam ** (n - 1)] if n > 1 else []
        summands.append(product([*factors, value]))
    return d.step(Name("G", str(t), "λ"), total(summands))


def _weighted_returns(d: Derivation, episode: Episode, lam: Symbol, ratios: list[Symbol]) -> list[Symbol]:
    """G_t^λ under importance ratios, from the last step back: what a ratio leaves goes to V(S_t)."""
    found: list[Symbol] = []
    for t in reversed(range(episode.steps)):
        target = episode.td_target(t)
        if found:
            after = (1 - lam) * episode.next_values[t] + lam * found[0]
            target = episode.rewards[t] + episode.gammas[t] * after
        value = episode.values[t]
        found.insert(0, d.step(Name("G", str(t), "λ"), ratios[t] * target + (1 - ratios[t]) * value))
    return found


def _views(d: Derivation, backward: dict[str, Symbol], forward: dict[str, Symbol]) -> str:
    different = [name for name in backward if not equal(backward[name].value, forward[name].value)]
    if different:
        # symbols of either side: at some of their values the two may agree
        general = any((backward[name].value - forward[name].value).free_symbols for name in different)
        d.note(
            f"Replacing traces: {'in general ' if general else ''}the forward and the backward view "
            f"differ for {', '.join(different)}."
        )
        return "different"
    d.note("The backward view (traces) and the forward view (λ-returns) give the same update of every state.")
    return "equal"


# numeric


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Traces and both views: states [..., T] or [..., T+1], rewards and ratios [..., T].

    The eligibility is [..., T, S].

    Without values, the number of states is read from the indices, which on another device waits for it.
    """
    values = a.values
    indices, count = (a.states, None) if is_tensor(a.states) else _indices(a.states)
    along_steps = a.rewards if a.rewards is not None else a.ratios
    like = along_steps if along_steps is not None else a.states if is_tensor(a.states) else a.lam
    index = xp.placed(xp.cast(xp.asarray(indices), xp.int64), like)
    steps = index.shape[-1] if along_steps is None else along_steps.shape[-1]
    if values is not None:
        count = values.shape[-1]
    elif count is None:
        count = 0 if 0 in index.shape else int(index.max()) + 1
    visited = xp.cast(index[..., :steps, None] == xp.indices(count, like), a.lam.dtype)
    # recurrence over time, one row per state
    rows = xp.flip(xp.swapaxes(visited, -1, -2), (-1,))
    decay = a.gamma * a.lam * (1 - rows) if a.replacing else a.gamma * a.lam
    if a.ratios is not None:
        weights = xp.flip(a.ratios, (-1,))[..., None, :]
        rows, decay = rows * weights, decay * weights
    eligibility = xp.swapaxes(xp.flip(scan(rows, decay), (-1,)), -1, -2)
    if a.rewards is None:
        return {"eligibility": eligibility}
    if values is None:
        values = xp.new_zeros(a.rewards, (count,))
    batch = np.broadcast_shapes(*(tuple(x.shape[:-1]) for x in (index, values, a.rewards)))
    along = xp.take(
        xp.broadcast_to(values, (*batch, count)), xp.broadcast_to(index, (*batch, index.shape[-1]))
    )
    if index.shape[-1] == steps:  # the state after the last step is terminal
        along = xp.concatenate([along, xp.zeros_like(along[..., :1])], -1)
    now, after = along[..., :-1], along[..., 1:]
    errors = a.rewards + a.gamma * after - now
    base, decay = a.rewards + a.gamma * (1 - a.lam) * after, a.gamma * a.lam
    if a.ratios is not None:
        base, decay = a.ratios * base + (1 - a.ratios) * now, a.ratios * decay
    returns = scan(base, decay, after[..., -1])
    found = {
        "eligibility": eligibility,
        "td_errors": errors,
        "credit": (errors[..., None] * eligibility).sum(axis=-2),
        "lambda_returns": returns,
        "forward_credit": ((returns - now)[..., None] * visited).sum(axis=-2),
    }
    if a.alpha is not None:
        found["updates"] = a.alpha * found["credit"]
        found["new_values"] = values + found["updates"]
    return found


def _not_states(states: Any) -> InputError:
    return InputError(
        "states_not_states",
        f"states must be words or integers, [..., T], not {shown(states)}.",
        "Give names, or an integer array of indices into values.",
    )


def _indices(states: Any) -> tuple[Any, int | None]:
    """States as an integer array, and how many there are; ``None`` for indices, which do not say."""
    if isinstance(states, str):  # "A B A", as on the command line
        states = states.split()
    try:
        array = np.asarray(states)
    except ValueError:  # rows of different lengths
        array = np.asarray(0.0)
    if array.shape == (0,) and isinstance(states, list | tuple):
        raise InputError("states_empty", f"{spelled('states')} is empty; it takes at least one state.")
    if array.ndim and np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int64), None
    if not array.ndim or array.dtype.kind not in "UO":
        raise _not_states(states)
    found: dict[str, int] = {}
    index = [found.setdefault(str(word), len(found)) for word in np.asarray(states, object).ravel()]
    return np.asarray(index, np.int64).reshape(array.shape), len(found)


def _check_count(index: Any, words: int | None, count: int | None) -> None:
    """Every index must have a value if there are values, and every word exactly one."""
    if words is not None and count is not None and words != count:
        raise _wrong_values(count, words, "each different state")
    low, high = (index.min(), index.max()) if index.size else (0, -1)
    if low < 0 or (count is not None and high >= count):
        most = "" if count is None else f" to {count - 1}"
        raise InputError(
            "states_out_of_range",
            f"states must index values, 0{most}; they reach from {low} to {high}.",
        )
