"""What the formulas on a finite MDP share: names, rows per state, action values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy, torch
from rlcalc.errors import InputError, many
from rlcalc.exact import is_symbolic, rational, to_unicode
from rlcalc.inputs.array_checks import Arrays
from rlcalc.mdp.model import MDP, Value
from rlcalc.mdp.planning import ONE, never_ends, system
from rlcalc.mdp.policies import check_actions, uniform
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Number, Symbol, Term, product, total

UNDISCOUNTED = Number(ONE)  # is not written


def rational_gamma(value: Any) -> Fraction:
    """The discount as a Fraction.

    Raises:
        InputError: ``gamma_not_rational``.
    """
    gamma = rational(value)
    if gamma is None:
        raise InputError(
            "gamma_not_rational",
            f"{spelled('gamma')} must be rational here: the system is solved by exact elimination.",
        )
    return gamma


def short(name: str) -> str:
    """A state's name inside brackets: the cell (0,1) gives V(0,1), not V((0,1))."""
    inner = name[1:-1]
    return inner if name[:1] == "(" and name[-1:] == ")" and not set("()") & set(inner) else name


def state_name(mdp: MDP, s: int) -> Name:
    return Name(short(mdp.states[s]))


def pair_name(mdp: MDP, s: int, a: int) -> Name:
    return Name(f"{short(mdp.states[s])}; {mdp.actions[a]}")


def transition_name(mdp: MDP, s: int, a: int, t: int) -> Name:
    return Name(f"{short(mdp.states[t])} | {short(mdp.states[s])}; {mdp.actions[a]}")


Parts = dict[tuple[int, int], tuple[Symbol, list[tuple[int, Symbol | None]]]]


def backup_term(
    d: Derivation, mdp: MDP, values: Sequence[Symbol], gamma: Term, pair: tuple[int, int], known: Parts
) -> Term:
    """R(s,a) + γ (P(s'|s,a) V(s') + …), over the states that can follow and are not terminal.

    Args:
        known: the reward and the chances of every pair written so far, for the sweeps that follow.
    """
    if pair not in known:
        s, a = pair
        chances: list[tuple[int, Symbol | None]] = [
            (t, None if chance == 1 else d.given(Name("P", arg=transition_name(mdp, s, a, t)), chance))
            for t, chance in mdp.moves[s][a] or ()
            if not mdp.terminal[t]
        ]
        known[pair] = d.given(Name("R", arg=pair_name(mdp, s, a)), mdp.r[s][a]), chances
    earned, ways = known[pair]
    ahead = [values[t] if chance is None else product([chance, values[t]]) for t, chance in ways]
    if not ahead:
        return earned
    return earned + (total(ahead) if gamma is UNDISCOUNTED else gamma * total(ahead))


def action_values(
    d: Derivation,
    mdp: MDP,
    values: Sequence[Symbol],
    gamma: Term,
    s: int,
    name: Name,
    known: Parts | None = None,
) -> dict[int, Symbol]:
    """Q of every action that a state has, as steps; ``name`` is Q with its marks."""
    return {
        a: d.step(
            Name(name.base, name.sub, name.sup, pair_name(mdp, s, a)),
            backup_term(d, mdp, values, gamma, (s, a), {} if known is None else known),
        )
        for a in mdp.available(s)
    }


def whole_row(mdp: MDP, found: Mapping[int, Term]) -> list[Term]:
    """Values by action as a row of a table: −∞ where the state does not have the action."""
    return [found[a] if a in found else Number(-sympy.oo) for a in range(len(mdp.actions))]


def best_actions(mdp: MDP, q: Mapping[int, Any]) -> str:
    """Names of all actions that attain the maximum."""
    best = max(q.values())
    return " ".join(mdp.actions[a] for a, value in q.items() if value == best)


def row_of_state(mdp: MDP, rows: int, parameter: str, *, shared: bool = False) -> list[int]:
    """Which row of a table belongs to each state.

    A table has one row per state, or one per state that is not terminal (a
    terminal state then gets row 0, which nothing uses), or, if ``shared``, one
    row for all.

    Raises:
        InputError: ``<parameter>_wrong_length``.
    """
    count, live = len(mdp.states), mdp.non_terminal
    if rows == count:
        return list(range(count))
    if rows == len(live):
        return [live.index(s) if s in live else 0 for s in range(count)]
    if shared and rows == 1:
        return [0] * count
    wanted = f"{len(live)} (one per state that is not terminal) or {count} (one per state)"
    wanted = f"1 (shared by all), {wanted}" if shared else wanted
    raise InputError(
        f"{parameter}_wrong_length",
        f"{spelled(parameter)} has {many(rows, 'row')}, expected {wanted}.",
        f"One row has {many(len(mdp.actions), 'entry', 'entries')}, for {', '.join(mdp.actions)}; "
        "write ';' between rows.",
    )


def check_columns(mdp: MDP, columns: int, parameter: str) -> None:
    """Refuse a table whose rows do not have one entry per action.

    Raises:
        InputError: ``<parameter>_wrong_length``.
    """
    if columns != len(mdp.actions):
        raise InputError(
            f"{parameter}_wrong_length",
            f"{spelled(parameter)} has {many(columns, 'entry', 'entries')} in a row, "
            f"expected {len(mdp.actions)}, one per action.",
        )


def half_as_float32(tensor: Any) -> Any:
    """LAPACK has no half precision: solve in float32, and round at the end."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def policy_of(mdp: MDP, policy: Any) -> list[dict[int, Value]]:
    """π by state: the actions that are taken, each with its probability.

    Raises:
        InputError: ``policy_wrong_length``, ``policy_no_such_action``.
    """
    if policy == "uniform":
        return uniform(mdp)
    check_columns(mdp, max(map(len, policy)), "policy")
    rows = row_of_state(mdp, len(policy), "policy")
    check_actions(mdp, [policy[row] for row in rows])
    return [{a: chance for a, chance in enumerate(policy[row]) if chance != 0} for row in rows]


def check_policy_arrays(a: Arrays, ends: bool) -> None:
    """Refuse a policy [..., S, A] that takes an action where there is none.

    Args:
        ends: without discount, refuse one that never ends as well.

    Raises:
        InputError: ``policy_wrong_length``, ``policy_no_such_action``, ``singular_system``.
    """
    mdp = a.mdp.mdp
    if isinstance(a.policy, str):
        found = a.look("gamma")
        policies: Any = [[dict.fromkeys(row, 1) for row in uniform(mdp)]]
    else:
        check_columns(mdp, a.policy.shape[-1], "policy")
        rows, found = row_of_state(mdp, a.policy.shape[-2], "policy"), a.look("gamma", "policy")
        policies = []
        if found is not None and (found[0] == 1 or not mdp.full):
            tables = found[1].reshape(-1, *a.policy.shape[-2:])[:, rows].tolist()
            for table in tables:
                check_actions(mdp, table)
            policies = [[dict(enumerate(row)) for row in table] for table in tables]
    if ends and found is not None and found[0] == 1:
        for policy in policies:
            if stuck := mdp.stuck(policy):
                raise never_ends([mdp.states[s] for s in stuck])


def equations(mdp: MDP, policy: Sequence[Mapping[int, Value]], gamma: Value, letter: str = "V") -> list[str]:
    """The linear system as text, one equation for each state that is not terminal."""
    live = mdp.non_terminal
    lines = []
    for row, value in zip(*system(mdp, policy, gamma), strict=True):
        parts = [
            f"{'−' if sign else '+'} {size}{letter}({short(mdp.states[live[k]])})"
            for k, entry in sorted(row.items())
            if entry != 0
            for sign, size in [_factor(entry)]
        ]
        text = " ".join(parts).removeprefix("+ ")
        text = text.replace("− ", "−", 1) if text.startswith("−") else text
        lines.append(f"{text or '0'} = {to_unicode(value)}")
    return lines


def _factor(entry: Value) -> tuple[bool, str]:
    """Whether a coefficient is negative, and its size before a variable."""
    if is_symbolic(entry):
        return False, f"({to_unicode(entry)})·"
    size = abs(entry)
    return entry < 0, "" if size == 1 else f"{to_unicode(size)}·"
