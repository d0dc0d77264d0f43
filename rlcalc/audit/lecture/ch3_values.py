"""Chapter 3, sections 3.4 and 3.5: the grid, and what values are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.policies import TwoSteps
from rlcalc.audit.proofs import answer, nothing_printed, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

GRID = "the grid of 3.4: 2×2 cells, bumping stays, +1 on entering the goal"


def _value_of(world: TwoSteps, state: int) -> Any:
    """Value of one of the two later states."""
    p = world.left[state]
    return p * world.second[state, "L"] + (1 - p) * world.second[state, "R"]


def _worth(world: TwoSteps, action: str) -> Any:
    """Value of an action at the start."""
    c = world.to_one[action]
    return world.first[action] + world.gamma * (c * _value_of(world, 1) + (1 - c) * _value_of(world, 2))


def value_of_start(world: TwoSteps) -> Any:
    p = world.left[0]
    return p * _worth(world, "L") + (1 - p) * _worth(world, "R")


@claim(
    "L3.4-table-ragged",
    rows=(3, 2, 3),
    scope="structure",  # how a table is laid out
    corruptions=[Corruption("every row complete", rows=(3, 3, 3))],
)
def table_ragged(s: Statement) -> Findings:
    """Cells per row, the head first."""
    from rlcalc.audit.tables import ACTOR_CRITIC, algorithms

    literal = Fact("cells of the rows, where the head has", set(s.rows), "=", {s.rows[0]}, "section 3.4")
    if literal.status == "holds":
        return Findings(literal=[literal])
    both = algorithms()["A2C"]
    return Findings(
        literal=[literal],
        repair=reading(
            "The row 'learns' lacks its third cell: an actor-critic method learns both a policy and a value "
            "function.",
            [
                Fact("a policy and values are learned", (both.policy, bool(both.values)), "=", (True, True)),
                Fact("which is what makes it", both.category, "=", ACTOR_CRITIC, both.source),
            ],
            unchanged=[nothing_printed("3")],
        ),
    )


@claim(
    "L3.4-argmax-sample",
    learned=True,
    corruptions=[
        Corruption("condition dropped: while the values are being learned", learned=False),
    ],
)
def argmax_sample(s: Statement) -> Findings:
    """Learning that only ever takes the best-looking action may never see the goal."""
    stuck = answer("policy_eval", mdp="grid2x2", policy=_ALL_UP, gamma="9/10")[0]
    best = answer("bellman", mdp="grid2x2", gamma="9/10")[0]
    p, largest = reals("p m")
    worse = positives("e") if s.learned else -positives("e")  # an action may look worse than it is
    return Findings(
        against=[
            Counterexample(
                f"{GRID}; Q-learning from Q = 0 that takes the first of its best actions: U bumps, earns 0 "
                "and Q "
                "stays 0, for ever",
                given={"γ": "9/10", "Q": "0", "actions": "U D L R"},
                claimed=Exact("it earns V*(0,0)", stuck, "=", best),
                premises=(
                    Exact("Q(start, U) after the update", answer("td_update", value="0", target="0"), "=", 0),
                ),
                violates=Exact("its Q is not Q*: Q*(start, U) is", Fraction(81, 100), "!=", 0),
                replay=(
                    Replay("rlcalc td-update --value 0 --target 0", "0"),
                    Replay(
                        'rlcalc policy-eval --mdp grid2x2 --gamma 0.9 --policy "1 0 0 0; 1 0 0 0; 1 0 0 0"',
                        ["0", "0", "0", "0"],
                    ),
                    Replay("rlcalc bellman --mdp grid2x2 --gamma 0.9", ["9/10", "1", "1", "0"]),
                ),
                golden="policy_eval/grid-never-ends",
            )
        ],
        repair=condition(
            "An action of largest Q is right once Q is learned. While learning, Q-learning must try the "
            "others too (it is mostly run ε-greedy).",
            [
                Sign(
                    "no other action has a larger true value",
                    largest_gap(worse),
                    "an action whose learned value is e > 0 below the largest",
                ),
                Identity(
                    "sampling earns the mean of Q under π, which is V of the policy",
                    p * largest + (1 - p) * (largest - worse),
                    largest - (1 - p) * worse,
                    "two actions",
                ),
            ],
        ),
    )


_ALL_UP = [["1", "0", "0", "0"]] * 3


def largest_gap(worse: Any) -> Any:
    """Largest value minus that of an action."""
    value = positives("m")
    return value - (value - worse)


@claim(
    "L3.4-grid-unspecified",
    determined=True,
    corruptions=[Corruption("it does not say enough", determined=False)],
)
def grid_unspecified(s: Statement) -> Findings:
    """Two ways to complete it, two values of the start."""
    sure = answer("bellman", mdp="grid2x2", gamma="9/10")[0]
    slips = answer("bellman", mdp="grid2x2:slip=1/5", gamma="9/10")[0]
    relation = "=" if s.determined else "!="
    literal = Exact("value of the start, moves that succeed and moves that slip", sure, relation, slips)
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "Start, goal, moves, rewards and discount have to be said. With +1 on entering the goal (1,1), "
            "bumps that stay and γ = 9/10 the optimal values are 9/10, 1, 1, 0.",
            [
                Exact("V*(0,0)", sure, "=", "9/10"),
                Exact("V*(0,1)", answer("bellman", mdp="grid2x2", gamma="9/10")[1], "=", 1),
            ],
            unchanged=[nothing_printed("3")],
        ),
    )


@claim(
    "L3.5-vpi",
    given="state",
    corruptions=[
        Corruption("not conditioned on the state", given="nothing"),
        Corruption("conditioned on another state", given="other state"),
    ],
)
def state_value(s: Statement) -> Findings:
    """The mean return from a state on, over the trajectories that pass it, whatever came before."""
    world = TwoSteps()
    at = {"state": (1,), "other state": (2,), "nothing": (1, 2)}[s.given]
    passing = [path for path in world.paths() if path.steps[1].state in at]
    chance = sum(path.chance for path in passing)
    mean = sum(path.chance * world.to_go(path, 1) for path in passing)
    return Findings(
        literal=[
            Identity(
                "Σ chance · G_1 = (chance of passing state 1) · (mean reward there), whatever led to it",
                mean,
                chance * _value_of(world, 1),
                "two decisions, every policy, reward, random successor and discount",
            ),
            Exact(
                f"{GRID}, all moves equally likely, γ = 9/10: V of the start",
                answer("policy_eval", mdp="grid2x2", gamma="9/10")[0],
                "=",
                "90/161",
            ),
        ]
    )


@claim(
    "L3.5-qpi",
    then="policy",
    first_only=True,
    corruptions=[
        Corruption("V is the largest Q", then="best"),
        Corruption("every action is prescribed", first_only=False),
    ],
)
def action_value(s: Statement) -> Findings:
    """Trajectories that begin with L, and the mean of Q over the first action."""
    world = TwoSteps()
    p = world.left[0]
    kept: list[Any] = [
        (path, path.chance)
        for path in world.paths()
        if path.steps[0].reward == world.first["L"]
        and (s.first_only or path.steps[1].reward in (world.second[1, "L"], world.second[2, "L"]))
    ]
    mean = sum(chance * world.to_go(path, 0) for path, chance in kept)
    weights = (p, 1 - p) if s.then == "policy" else (1, 0)
    value = sum(w * _worth(world, a) for w, a in zip(weights, "LR", strict=True))
    start: list[Evidence] = [
        Identity(
            "mean return of the trajectories that begin with L, times their chance",
            mean,
            p * _worth(world, "L"),
            "two decisions, every policy, reward, random successor and discount",
        ),
        Identity("V is the mean of Q under the policy", value, world.objective(), "the same family"),
    ]
    return Findings(literal=start)
