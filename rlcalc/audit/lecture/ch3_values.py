"""Chapter 3, sections 3.4 and 3.5: the grid, and what values are."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch3 import GRID
from rlcalc.audit.policies import FAMILY, TwoSteps
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import algorithms


@claim("L3.4-table-ragged", rows=Choice((3, 2, 3), (3, 3, 3)), scope="structure")
def table_ragged(s: Statement, show: ev.Findings) -> None:
    """Cells per row, the head first."""
    both = algorithms()["A2C"]
    show.literal.fact("cells of the rows, where the head has", set(s.rows), "=", {s.rows[0]})
    show.repair.fact("what an actor-critic method learns, a policy", both.policy, "=", True, both.source)
    show.repair.fact("and values", bool(both.values), "=", True, both.source)


@claim(
    "L3.4-argmax-sample",
    best=1,
    learned=True,
    harmless={"best: 1 → 2": "twice the values are largest at the same action"},
)
def argmax_sample(s: Statement, show: ev.Findings) -> None:
    """Learning that only ever takes the best-looking action may never see the goal."""
    case = vector("policy_eval/grid-never-ends")
    world = {"mdp": case.given["mdp"], "gamma": case.given["gamma"]}
    largest, p = reals("m p")
    worse = positives("e") if s.learned else -positives("e")  # an action may look worse than it is
    show.against += case.refutes(
        f"{GRID}; Q-learning from Q = 0 that takes the first of its best actions: U bumps, earns 0 "
        "and Q stays 0, for ever",
        ev.Exact("it earns V*(0,0)", case.answer()[0], "=", answer("bellman", **world)[0]),
        premises=(
            ev.Exact("Q(start, U) after the update", answer("td_update", value="0", target="0"), "=", 0),
        ),
        violates=ev.Exact(
            "its Q is not Q*: Q*(start, U)", answer("bellman", "q_values", **world)[0][0], "!=", 0
        ),
    )
    show.repair.sign(
        "the action of largest Q has a larger true value than any other, by e",
        s.best * (positives("m") - (positives("m") - worse)),
        "an action whose learned value is e > 0 below the largest",
    )
    show.repair.identity(
        "sampling earns the mean of Q under π, which is V of the policy",
        p * largest + (1 - p) * (largest - worse),
        largest - (1 - p) * worse,
        "two actions",
    )


@claim("L3.4-grid-unspecified", determined=True)
def grid_unspecified(s: Statement, show: ev.Findings) -> None:
    """Two ways to complete it, two values of the start."""
    values, slips = vector("bellman/lecture-3.4-grid").answer(), vector("bellman/grid-slip").answer()
    relation = "=" if s.determined else "!="
    show.literal.exact(
        "value of the start, moves that succeed and moves that slip", values[0], relation, slips[0]
    )
    show.repair.exact("V*(0,0)", values[0], "=", "9/10")
    show.repair.exact("V*(0,1)", values[1], "=", 1)


@claim("L3.5-vpi", given=Choice("state", "other state", "nothing"))
def state_value(s: Statement, show: ev.Findings) -> None:
    """The mean return from a state on, over the trajectories that pass it, whatever came before."""
    world = TwoSteps()
    at, condition = {
        "state": ((1,), r"\mid S_t = s"),
        "other state": ((2,), r"\mid S_t = s'"),
        "nothing": ((1, 2), ""),
    }[s.given]
    passing = [path for path in world.paths() if path.steps[1].state in at]
    show.fill(condition=condition)
    show.literal.identity(
        "Σ chance · G_1 = (chance of passing state 1) · (mean reward there), whatever led to it",
        sum(path.chance * world.to_go(path, 1) for path in passing),
        sum(path.chance for path in passing) * world.value(1),
        FAMILY,
    )


@claim("L3.5-qpi", weighted=1, first_only=True)
def action_value(s: Statement, show: ev.Findings) -> None:
    """Trajectories that begin with L, and the mean of Q over the first action."""
    world = TwoSteps()
    p = world.left[0]
    kept: list[Any] = [
        path
        for path in world.paths()
        if path.steps[0].reward == world.first["L"]
        and (s.first_only or path.steps[1].reward in (world.second[1, "L"], world.second[2, "L"]))
    ]
    show.literal.identity(
        "mean return of the trajectories that begin with L, times their chance",
        sum(path.chance * world.to_go(path, 0) for path in kept),
        p * world.worth("L"),
        FAMILY,
    )
    show.literal.identity(
        "V is the mean of Q under the policy",
        p**s.weighted * world.worth("L") + (1 - p) ** s.weighted * world.worth("R"),
        world.objective(),
        FAMILY,
    )
