"""Dynamic programming on a finite process, exactly: backups, the value of a policy, the optimal values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rlcalc.errors import InputError
from rlcalc.exact.linear import solve
from rlcalc.mdp.model import MDP, Value
from rlcalc.spelling import spelled

ZERO, ONE = Fraction(0), Fraction(1)
MOST_EXACT = 500  # states of a process whose optimal values are found exactly

Policy = Sequence[Mapping[int, Value]]  # by state, the actions that are taken and their chances
System = tuple[list[dict[int, Value]], list[Value]]  # rows by unknown, and the right sides


def backup(mdp: MDP, values: Sequence[Value], gamma: Value, s: int, a: int) -> Value:
    """R(s,a) + γ Σ_{s'} P(s'|s,a) V(s')."""
    ahead = sum((chance * values[t] for t, chance in mdp.moves[s][a] or ()), ZERO)
    return mdp.r[s][a] + gamma * ahead


def chosen(actions: Sequence[int]) -> list[dict[int, Value]]:
    """The policy that takes one action in each state."""
    return [{a: ONE} for a in actions]


def system(mdp: MDP, policy: Policy, gamma: Value) -> System:
    """(I − γ P_π) V = R_π over the states that are not terminal."""
    place = {s: k for k, s in enumerate(mdp.non_terminal)}
    rows, right = [], []
    for s, k in place.items():
        row: dict[int, Value] = {k: ONE}
        earned = ZERO
        for a, weight in policy[s].items():
            earned = earned + weight * mdp.r[s][a]
            for t, chance in mdp.moves[s][a] or ():
                if t in place:
                    row[place[t]] = row.get(place[t], ZERO) - gamma * weight * chance
        rows.append(row)
        right.append(earned)
    return rows, right


def evaluate(mdp: MDP, policy: Policy, gamma: Value) -> list[Value] | None:
    """V of a policy; ``None`` where the system is singular."""
    if gamma == 1 and mdp.stuck(policy):
        return None
    found = solve(*system(mdp, policy, gamma))
    if found is None:
        return None
    values: list[Value] = [ZERO] * len(mdp.states)
    for s, value in zip(mdp.non_terminal, found, strict=True):
        values[s] = value
    return values


@dataclass(frozen=True)
class Round:
    """One round of policy iteration: the policy, its values, its action values, and the next policy."""

    policy: tuple[int, ...]
    values: list[Value]
    q_values: list[dict[int, Value]]
    better: tuple[int, ...]


def rounds(mdp: MDP, gamma: Value, first: Sequence[int]) -> Iterator[Round]:
    """Policy iteration until nothing changes; a tie keeps the action of before.

    An action is replaced only by a strictly better one, so that no policy
    comes twice and, with γ = 1, a tie never leads from a policy that ends to
    one that loops.

    Args:
        first: by state, the action of the first policy.

    Raises:
        InputError: ``singular_system`` where γ = 1 and the first policy never ends;
            ``values_unbounded`` where γ = 1 and a loop earns more than nothing on average.
    """
    policy = tuple(first)
    begun = False
    while True:
        values = evaluate(mdp, chosen(policy), gamma)
        if values is None:
            # only γ = 1 comes here; a strict improvement made this loop, if it was not there from the start
            raise unbounded() if begun else _never_ends(mdp, policy)
        begun = True
        q_values = [
            {} if ends else {a: backup(mdp, values, gamma, s, a) for a in mdp.available(s)}
            for s, ends in enumerate(mdp.terminal)
        ]
        better = tuple(
            policy[s] if not q or max(q.values()) <= q[policy[s]] else max(q, key=q.__getitem__)
            for s, q in enumerate(q_values)
        )
        yield Round(policy, values, q_values, better)
        if better == policy:
            return
        policy = better


def first_policy(mdp: MDP) -> list[int]:
    """A policy that ends wherever one does, and otherwise takes the first action of a state."""
    return [mdp.available(s)[0] if action is None else action for s, action in enumerate(mdp.proper_policy())]


def optimal(mdp: MDP, gamma: Value) -> tuple[list[Value], int]:
    """V* and the number of policies that were evaluated.

    With γ = 1 these are the values of the best policy that ends.

    Raises:
        InputError: as ``rounds``.
    """
    if gamma not in mdp.solved:
        count, values = 0, []
        for found in rounds(mdp, gamma, first_policy(mdp)):
            count, values = count + 1, found.values
        mdp.solved[gamma] = values, count
    return mdp.solved[gamma]


def check_undiscounted(mdp: MDP) -> None:
    """Refuse γ = 1 where no policy ends the episode from everywhere.

    Raises:
        InputError: ``no_proper_policy``.
    """
    way_out = mdp.proper_policy()
    closed = [mdp.states[s] for s in mdp.non_terminal if way_out[s] is None]
    if closed:
        raise InputError(
            "no_proper_policy",
            f"With gamma 1 every policy may go on for ever from {', '.join(closed[:6])}"
            f"{' …' if len(closed) > 6 else ''}, so the equation does not determine the values.",
            "Take a gamma below 1, or give every state a way to a terminal one.",
        )


def free_loop(mdp: MDP, values: Sequence[Value]) -> list[tuple[int, int]]:
    """State–action pairs, all optimal at γ = 1, with which an episode can be kept from ending.

    At a solution V no loop gains on average, and one gains nothing exactly
    when each of its actions attains the maximum; adding a constant to V there
    then solves the equation again.
    """
    pairs = {
        (s, a)
        for s in mdp.non_terminal
        for a in mdp.available(s)
        if backup(mdp, values, ONE, s, a) == values[s]
    }
    while True:
        states = {s for s, _ in pairs}
        closed = {(s, a) for s, a in pairs if set(mdp.successors(s, a)) <= states}
        if closed == pairs:
            return sorted(pairs)
        pairs = closed


def unbounded() -> InputError:
    """The error for a loop that earns without discount."""
    return InputError(
        "values_unbounded",
        "With gamma 1 the values have no bound: some policy loops for ever and earns by it.",
        "Take a gamma below 1.",
    )


def _never_ends(mdp: MDP, policy: Sequence[int]) -> InputError:
    return never_ends([mdp.states[s] for s in mdp.stuck(chosen(policy))])


def never_ends(stuck: Sequence[str]) -> InputError:
    """The error for a policy without discount that loops for ever from these states."""
    where = f" from {', '.join(stuck[:6])}{' …' if len(stuck) > 6 else ''}" if stuck else ""
    return InputError(
        "singular_system",
        f"With {spelled('gamma')} 1 the linear system (I − γ P_π) V = R_π is singular: "
        f"the policy never ends{where}.",
        "The values may exist all the same, but the system does not determine them. "
        "Take a gamma below 1, or a policy that reaches a terminal state from everywhere.",
    )
