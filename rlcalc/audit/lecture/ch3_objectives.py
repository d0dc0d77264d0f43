"""Chapter 3, section 3.3: the optimality equation and the other objectives."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.formula import LatexError, read
from rlcalc.audit.lecture.ch3 import GRID
from rlcalc.audit.policies import FAMILY, TwoSteps
from rlcalc.audit.proofs import answer, positives, powers_vanish, reals, unit
from rlcalc.audit.registry import Statement, claim

ANY_MDP = "finite decision processes with any number of states and actions"


@claim("L3.3-markdown-star", mark=Choice("_", "*"))
def markdown_star(s: Statement, show: ev.Findings) -> None:
    """Two stars in one line of Markdown are emphasis; a converter wrote them as underscores."""
    import re

    def unreadable(mark: str) -> list[str]:
        return [one for one in (f"Q^{mark}(s,a)", f"V^{mark}(s)") if not _is_formula(one)]

    line = "Q^*(s,a) $ or $ V^*(s)"
    show.literal.fact("of the two as printed, those that are no formula", unreadable(s.mark), "=", [])
    show.repair.fact(
        "the stars of one line, taken for emphasis marks and rewritten",
        re.sub(r"\*(.+?)\*", r"_\1_", line),
        "=",
        line.replace("*", s.mark),
    )
    show.repair.fact("of the two as meant, those that are none", unreadable("*"), "=", [])


def _is_formula(latex: str) -> bool:
    try:
        read(latex)
    except LatexError:
        return False
    return True


@claim("L3.3-bellman-optimality", best=1, reward_late=0, discount_late=0)
def bellman_optimality(s: Statement, show: ev.Findings) -> None:
    """By induction on the number of steps left; then the discount makes the rest vanish.

    A plan takes, with some chance, an action worth e less than the best one, and goes on with a
    plan worth d less than the best one in the state reached.
    """
    reward, gamma, chance, first, other = reals("R gamma p v w")
    now, later = gamma**s.reward_late, gamma ** (1 + s.discount_late)
    largest, worse, lost, discount, share = positives("m e d gamma q")
    plan = largest - share * worse - discount * lost
    show.fill(now=now, later=later)
    show.literal.identity(
        "the mean return of an action is its reward plus γ times the mean of what follows",
        now * reward + later * (chance * first + (1 - chance) * other),
        chance * (reward + gamma * first) + (1 - chance) * (reward + gamma * other),
        "any reward, discount, chances and two successors (more by splitting one)",
    )
    show.literal.induction(
        "no plan for n steps is worth more than n look-aheads from 0, and one attains it",
        base=(ev.Identity("n = 0: nothing is gained by any plan", s.best * 0 * largest, 0),),
        step=(
            ev.Sign(
                "n → n + 1: the largest look-ahead m is no less than any plan",
                s.best * largest - plan,
                "a worse action with the chance q, e below m; a continuation d below the best",
                strict=False,
            ),
            ev.Identity(
                "and it is attained, with e = d = 0", s.best * largest, plan.subs({worse: 0, lost: 0})
            ),
        ),
        over=f"{ANY_MDP}, every γ from 0 to 1, every number of steps",
    )
    show.literal.append(powers_vanish("γ"))
    show.literal.append(_grid_plans(int(s.best)))


def _grid_plans(best: int) -> ev.Exhaustive:
    """Every fixed choice of moves on the grid against the solution of the equation."""
    from rlcalc.mdp.planning import chosen, evaluate, optimal
    from rlcalc.mdp.reading import read_mdp

    grid, gamma = read_mdp("grid2x2"), Fraction(9, 10)
    solution = [best * value for value in optimal(grid, gamma)[0]]
    seen, attained = [], False
    for plan in product(range(4), repeat=3):
        worth = evaluate(grid, chosen((*plan, 0)), gamma) or []
        attained |= worth == solution
        is_less = bool(worth) and all(top >= value for top, value in zip(solution, worth, strict=True))
        seen.append((" ".join(grid.actions[move] for move in plan), is_less))
    if not attained:
        seen.append(("no plan attains the solution", False))
    return ev.Exhaustive(
        "no choice of moves is worth more than the solution, anywhere, and one attains it",
        seen,
        f"the choices of one move per cell on {GRID}, γ = 9/10",
    )


@claim("L3.3-bellman-contraction", only_one=True, below_one=True)
def bellman_contraction(s: Statement, show: ev.Findings) -> None:
    """Two solutions that differ by at most d differ by at most γd."""
    case = vector("bellman/grid-gamma-one")
    gamma = unit("g") if s.below_one else 1
    worse, share, below, apart = positives("e p x d")
    one, two = (_grid_backup([Fraction(c)] * 3 + [Fraction(0)]) for c in (1, 2))
    relation = "=" if s.only_one else "!="
    show.fill(relation=relation)
    show.against += case.refutes(
        f"{GRID}, γ = 1: with c = 1 and with c = 2 in the three cells before the goal (c = 0 at the "
        "goal) the equation is satisfied",
        ev.Exact(f"the two solutions at the start: one {relation} the other", one[0], relation, two[0]),
        premises=(
            *(ev.Exact("c = 1 solves it", value, "=", 1) for value in one),
            *(ev.Exact("c = 2 solves it", value, "=", 2) for value in two),
        ),
        violates=ev.Exact("γ is not below 1", case.given["gamma"], ">=", 1),
    )
    show.repair.sign(
        "if V ≤ W + d everywhere, a look-ahead from V is at most one from W plus γd",
        # best of W = m; an action of W is worth m − e; there V = W + d − x
        gamma * apart - (-worse + gamma * apart - gamma * share * below),
        f"{ANY_MDP}, 0 < γ < 1: an action e worse than the best, V below W + d by x in the mean",
    )
    show.repair.sign(
        "so two solutions are no d > 0 apart: d is more than γd",
        apart - gamma * apart,
        "d > 0, 0 < γ < 1 (γ = 0 leaves nothing to differ)",
    )
    show.repair.append(powers_vanish("γ"))


def _grid_backup(values: list[Fraction]) -> list[Any]:
    """One look-ahead with γ = 1 in the cells before the goal."""
    from rlcalc.mdp.planning import backup
    from rlcalc.mdp.reading import read_mdp

    mdp = read_mdp("grid2x2")
    moves = range(len(mdp.actions))
    return [
        sympy.Rational(max(backup(mdp, values, Fraction(1), state, move) for move in moves))
        for state in mdp.non_terminal
    ]


@claim("L3.3-J", weighted=1, gain=Choice("G", "R"))
def objective(s: Statement, show: ev.Findings) -> None:
    """The sum over all trajectories is the value of the start, step by step."""
    world, p = TwoSteps(), TwoSteps().left[0]
    total = sum(
        path.chance**s.weighted * (world.to_go(path, 0) if s.gain == "G" else path.steps[0].reward)
        for path in world.paths()
    )
    show.literal.identity(
        "mean over all trajectories = value of the start, by recursion",
        total,
        p * world.worth("L") + (1 - p) * world.worth("R"),
        FAMILY,
    )
    show.literal.exact(
        "the token game, both ways",
        answer("policy_gradient", "objective", mdp="tokens", theta=[["0", "0", "0"]]),
        "=",
        vector("policy_eval/tokens-uniform").answer()[0],
    )


@claim("L3.3-ac-objective", per_action=0, fits=0, near_enough=True)
def actor_critic_objective(s: Statement, show: ev.Findings) -> None:
    """Any function of the state may be subtracted; whether that lowers the variance is another question."""
    world = TwoSteps()
    base = sympy.symbols("b_0:3", real=True)

    def weight(path: Any, at: int) -> Any:
        step = path.steps[at]
        return world.gamma**at * (world.to_go(path, at) - base[step.state] - s.per_action * step.reward)

    p, x, y, v = reals("p x y v")
    loss = p * (x - v) ** 2 + (1 - p) * (y - v) ** 2
    one, two = reals("s_L s_R")
    k, value, beyond = positives("k V d")
    best = (value + beyond) / 2 if s.near_enough else value / (2 * (1 + beyond))
    case = vector("baseline_variance/audit-value-raises-variance")
    without = case.answer("variance", baseline="0")
    show.against += case.refutes(
        "two actions of chances 3/4 and 1/4 that pay 1 and 0: the value 3/4 scatters more than none",
        ev.Exact("variance with V < without", case.answer("variance"), "<", without),
        violates=ev.Exact("V ≥ 2b*", case.answer("subtracted"), ">=", 2 * case.answer("best")),
    )
    show.repair += world.gradient_is("actor: with any b(s) subtracted, still the gradient of J", weight)
    show.repair.identity(
        "critic: its squared error is least at the mean return",
        loss - p * (1 - p) * (x - y) ** 2,
        (v - (p * x + (1 - p) * y) - s.fits) ** 2,
        "two returns x, y of chances p, 1 − p, any estimate v",
    )
    show.repair.identity(
        "what V changes E[|G ∇ log π|²] by, where k = E|∇ log π|² and k b* = E[G |∇ log π|²]",
        p * one**2 * ((x - v) ** 2 - x**2) + (1 - p) * two**2 * ((y - v) ** 2 - y**2),
        v**2 * (p * one**2 + (1 - p) * two**2) - 2 * v * (p * one**2 * x + (1 - p) * two**2 * y),
        "two actions with any scores and returns",
    )
    show.repair.sign("what it saves, k V(2b* − V)", k * value * (2 * best - value), "0 < V < 2b*")
