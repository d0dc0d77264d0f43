"""Chapter 3, section 3.3: the optimality equation and the other objectives."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
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
from rlcalc.audit.lecture.ch3_values import GRID, value_of_start
from rlcalc.audit.policies import TwoSteps
from rlcalc.audit.proofs import answer, nothing_printed, positives, powers_vanish, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim

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
            unchanged=[nothing_printed("3")],
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
            _grid_plans(s.best),
            Exact(f"{GRID}, γ = 9/10: V*(0,0) = 9/10 · V*(0,1)", grid[0], "=", grid[1] * Fraction(9, 10)),
        ]
    )


def _grid_plans(sign: int) -> Exhaustive:
    """Every fixed choice of moves on the grid against the solution of the equation."""
    from itertools import product

    from rlcalc.formulas._tabular import evaluate_exact
    from rlcalc.formulas.bellman import iterate_policies
    from rlcalc.mdp.reading import read_mdp

    grid, gamma = read_mdp("grid2x2"), Fraction(9, 10)
    best, _ = iterate_policies(grid, gamma)
    failed, attained = [], False
    for plan in product(range(4), repeat=3):
        rows = [[Fraction(move == chosen) for move in range(4)] for chosen in (*plan, 0)]
        worth = evaluate_exact(grid, rows, gamma) or []
        attained |= worth == best
        if not worth or any(sign * (top - value) < 0 for top, value in zip(best, worth, strict=True)):
            failed.append(" ".join(grid.actions[move] for move in plan))
    if not attained:
        failed.append("no plan attains the solution")
    return Exhaustive(
        "no choice of moves is worth more than the solution, anywhere, and one attains it",
        4**3,
        tuple(failed),
        f"the choices of one move per cell on {GRID}, γ = 9/10",
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
    from rlcalc.mdp.reading import read_mdp

    mdp = read_mdp("grid2x2")
    return [
        max(backup(mdp, values, Fraction(1), s, a) for a in range(len(mdp.actions))) for s in mdp.non_terminal
    ]


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
                value_of_start(world),
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
