"""Chapter 3, sections 3.3 to 3.5: objectives, the grid, and what values are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.policies import TwoSteps
from rlcalc.audit.proofs import answer, positives, powers_vanish, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim

GRID = "the grid of 3.4: 2×2 cells, bumping stays, +1 on entering the goal"
ANY_MDP = "finite decision processes with any number of states and actions"


@claim(
    "L3.3-markdown-star",
    printed=("Q^_(s,a)", "V^_(s)"),
    scope="structure",  # how two symbols are printed
    corruptions=[Corruption("printed as they were meant", printed=("Q^*(s,a)", "V^*(s)"))],
)
def markdown_star(s: Statement) -> Findings:
    """Two stars in one line of Markdown are emphasis; a converter wrote them as underscores."""
    import re

    from rlcalc.audit.latex import LatexError, to_text

    def readable(formula: str) -> bool:
        try:
            to_text(formula)
        except LatexError:
            return False
        return True

    meant = ("Q^*(s,a)", "V^*(s)")
    literal = Exhaustive(
        "each is a formula", 2, tuple(each for each in s.printed if not readable(each)), "the two printed"
    )
    if literal.status == "holds":
        return Findings(literal=[literal])
    between = " $ or $ "
    return Findings(
        literal=[literal],
        repair=reading(
            "Q* and V*, the optimal value functions.",
            [
                Fact(
                    "the stars of one line, taken for emphasis marks and rewritten",
                    re.sub(r"\*(.+?)\*", r"_\1_", between.join(meant)),
                    "=",
                    between.join(s.printed),
                ),
                Exhaustive(
                    "each is a formula", 2, tuple(one for one in meant if not readable(one)), "the two meant"
                ),
            ],
            unchanged=[Fact("numbers printed in 3.3", (), "=", ())],
            latex="Q^{*}(s,a), V^{*}(s)",
        ),
    )


@claim(
    "L3.3-bellman-optimality",
    best=1,
    reward_late=0,
    discount_late=0,
    corruptions=[
        Corruption("the smallest over the actions", best=-1),
        Corruption("the reward discounted too", reward_late=1),
        Corruption("what follows discounted twice", discount_late=1),
    ],
)
def bellman_optimality(s: Statement) -> Findings:
    """By induction on the number of steps left; then the discount makes the rest vanish.

    A plan takes an action worth e less than the best one and goes on with a
    plan worth d less than the best one in the state reached.
    """
    reward, gamma, chance, first, other = reals("R gamma p v w")
    worse, lost, g, p = positives("e d gamma p")
    step = gamma**s.reward_late * reward + gamma ** (1 + s.discount_late) * (
        chance * first + (1 - chance) * other
    )
    returns = chance * (reward + gamma * first) + (1 - chance) * (reward + gamma * other)
    grid = answer("bellman", mdp="grid2x2", gamma="9/10")
    return Findings(
        literal=[
            Identity(
                "the mean return of an action is its reward plus γ times the mean of what follows",
                step,
                returns,
                "any reward, discount, chances and two successors (more by splitting one)",
            ),
            Induction(
                "no plan for n steps is worth more than n look-aheads from 0, and one attains it",
                base=(Identity("n = 0: nothing is gained by any plan", 0 * lost, 0),),
                step=(
                    Sign(
                        "n → n + 1: the best action and the best continuation lose nothing to another plan",
                        s.best * worse + g * p * lost,
                        "an action e worse, a continuation d worse in the mean, γp > 0",
                        False,
                    ),
                    Identity(
                        "with e = d = 0 it is attained",
                        (s.best * worse + g * p * lost).subs({worse: 0, lost: 0}),
                        0,
                    ),
                ),
                over=f"{ANY_MDP}, every γ from 0 to 1, every number of steps",
            ),
            powers_vanish("γ"),
            Exact(f"{GRID}, γ = 9/10: V*(0,0) = 9/10 · V*(0,1)", grid[0], "=", grid[1] * Fraction(9, 10)),
        ]
    )


@claim(
    "L3.3-bellman-contraction",
    discount="below 1",
    corruptions=[Corruption("condition dropped: γ = 1 as well", discount="1")],
)
def bellman_contraction(s: Statement) -> Findings:
    """Two solutions that differ by at most d differ by at most γd."""
    gamma = unit("g") if s.discount == "below 1" else 1
    worse, share, below, apart = positives("e p x d")
    one, two = (_grid_backup([Fraction(c)] * 3 + [Fraction(0)]) for c in (1, 2))
    return Findings(
        against=[
            Counterexample(
                f"{GRID}, γ = 1: with c = 1 and with c = 2 in the three cells before the goal (c = 0 at the "
                "goal) "
                "the equation is satisfied",
                given={"γ": 1, "V": "c c c 0"},
                claimed=Exact("the two solutions are one: at the start", 1, "=", 2),
                premises=(
                    *(Exact("c = 1 solves it", left, "=", 1) for left in one),
                    *(Exact("c = 2 solves it", left, "=", 2) for left in two),
                ),
                violates=Exact("γ is not below 1", 1, ">=", 1),
                replay=(Replay("rlcalc bellman --mdp grid2x2 --gamma 1", "solution_not_unique", "error"),),
                golden="bellman/grid-gamma-one",
                search="values of c: every c ≥ 1 is a solution, V* is c = 1",
            )
        ],
        repair=condition(
            "For γ < 1 it has exactly one solution, V*. At γ = 1 there may be others, unless every policy "
            "that never ends loses by it.",
            [
                Sign(
                    "if V ≤ W + d everywhere, a look-ahead from V is at most one from W plus γd",
                    # best of W = m; an action of W is worth m − e; there V = W + d − x
                    gamma * apart - (-worse + gamma * apart - gamma * share * below),
                    f"{ANY_MDP}, 0 < γ < 1: an action e worse than the best, V below W + d by x in the mean",
                ),
                Sign(
                    "so two solutions are no d > 0 apart: d is more than γd",
                    apart - gamma * apart,
                    "d > 0, 0 < γ < 1 (γ = 0 leaves nothing to differ)",
                ),
                powers_vanish("γ"),
            ],
            latex=r"|TV - TW| \le \gamma \max |V - W|",
        ),
    )


def _grid_backup(values: list[Fraction]) -> list[Fraction]:
    """One look-ahead with γ = 1 in the cells before the goal."""
    from rlcalc.formulas._tabular import backup
    from rlcalc.mdp import read_mdp

    mdp = read_mdp("grid2x2")
    return [max(backup(mdp, values, Fraction(1), s, a) for a in range(len(mdp.actions))) for s in mdp.live]


@claim(
    "L3.3-J",
    weighted=True,
    from_start=True,
    corruptions=[
        Corruption("all trajectories count the same", weighted=False),
        Corruption("the return after the first step", from_start=False),
    ],
)
def objective(s: Statement) -> Findings:
    """The sum over all trajectories is the value of the start, step by step."""
    world = TwoSteps()
    paths = list(world.paths())
    begin = 0 if s.from_start else 1
    total = sum((path.chance if s.weighted else 1) * world.to_go(path, begin) for path in paths)
    return Findings(
        literal=[
            Identity(
                "mean over all trajectories = value of the start, by recursion",
                total,
                _value_of_start(world),
                "two decisions between two actions, a random successor, every policy, reward and discount "
                "(8 trajectories, all summed)",
            ),
            Exact(
                "the token game, both ways",
                answer("policy_gradient", "objective", mdp="tokens", theta=[["0", "0", "0"]]),
                "=",
                answer("policy_eval", mdp="tokens", gamma="1")[0],
            ),
        ]
    )


def _value_of(world: TwoSteps, state: int) -> Any:
    """Value of one of the two later states."""
    p = world.left[state]
    return p * world.second[state, "L"] + (1 - p) * world.second[state, "R"]


def _worth(world: TwoSteps, action: str) -> Any:
    """Value of an action at the start."""
    c = world.to_one[action]
    return world.first[action] + world.gamma * (c * _value_of(world, 1) + (1 - c) * _value_of(world, 2))


def _value_of_start(world: TwoSteps) -> Any:
    p = world.left[0]
    return p * _worth(world, "L") + (1 - p) * _worth(world, "R")


@claim(
    "L3.3-ac-objective",
    per_action=0,
    fits=0,
    corruptions=[
        Corruption("what is subtracted depends on the action", per_action=1),
        Corruption("the critic aims elsewhere", fits=1),
    ],
)
def actor_critic_objective(s: Statement) -> Findings:
    """Any function of the state may be subtracted; the critic's loss is least at the mean return.

    By how much the variance falls, and when it rises, is looked at in chapter 6.
    """
    import sympy

    world = TwoSteps()
    base = sympy.symbols("b_0:3", real=True)

    def weight(path: Any, t: int) -> Any:
        step = path.steps[t]
        shift = s.per_action * step.reward  # of the action taken
        return world.gamma**t * (world.to_go(path, t) - base[step.state] - shift)

    p, x, y, v = reals("p x y v")
    mean = p * x + (1 - p) * y
    loss = p * (x - v) ** 2 + (1 - p) * (y - v) ** 2
    before, after = (
        answer("baseline_variance", "variance", policy=["1/2", "1/2"], returns=["15", "7"], baseline=b)
        for b in ("0", "10")
    )
    return Findings(
        literal=[
            *world.gradient_is("actor: with any b(s) subtracted, still the gradient of J", weight),
            Identity(
                "critic: its squared error is least at the mean return",
                loss - p * (1 - p) * (x - y) ** 2,
                (v - mean - s.fits) ** 2,
                "two returns x, y of chances p, 1 − p, any estimate v",
            ),
            Exact("variance in the example of 6.4, V = 10 subtracted < without", after, "<", before),
        ]
    )


@claim(
    "L3.4-table-ragged",
    rows=(3, 2, 3),
    scope="structure",  # how a table is laid out
    corruptions=[Corruption("every row complete", rows=(3, 3, 3))],
)
def table_ragged(s: Statement) -> Findings:
    """Cells per row, the head first."""
    from rlcalc.audit.algorithms import ACTOR_CRITIC, algorithms

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
            unchanged=[Fact("numbers printed in the table", (), "=", ())],
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
            unchanged=[Fact("numbers printed in the example", (), "=", ())],
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
