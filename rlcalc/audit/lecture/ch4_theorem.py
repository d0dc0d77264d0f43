"""Chapter 4, section 4.3: the policy gradient, and what its sums run over."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch4 import BANDIT
from rlcalc.audit.policies import Path, TwoSteps
from rlcalc.audit.proofs import answer, index, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.zero import as_expression

WORKED = "reinforce_step/lecture-4.4"
NO_GAMMA = "policy_gradient/audit-missing-gamma-t"  # two tokens, discount 1/2
TOKEN_5 = 2


def no_score_on_average(logarithm: bool) -> ev.Induction:
    """E[∇ log π(A|s)] = 0: the partial sums are ∇ of the sum of the probabilities, which is 1 in the end."""
    p = positives("pi")
    slope, total = reals("dpi D")
    term = p * sympy.diff(sympy.log(p) if logarithm else p, p) * slope
    return ev.Induction(
        "Σ π(a) ∇ log π(a) over some actions is ∇ Σ π(a), and over all of them ∇1 = 0",
        base=(ev.Identity("one action", term, slope),),
        step=(ev.Identity("one action more", total + term, total + slope),),
        over="any number of actions, every differentiable policy",
    )


@claim("L4.3-log-derivative-pointwise", power=1, sign=1)
def pointwise(s: Statement, show: ev.Findings) -> None:
    """f · f′/f = f′ wherever log f exists, that is for f > 0."""
    p, slope = positives("f"), reals("df")
    right = s.sign * p**s.power * sympy.diff(sympy.log(p), p) * slope
    density = sequence("p_theta")(reals("x"))
    show.fill(factor=s.sign * density**s.power)
    show.literal.identity(
        "f ∇ log f = ∇f", right, slope, "every f > 0 and every slope of it, in each component of θ"
    )


@claim("L4.3-pg-theorem", sign=1, weight=Choice("G", "R"), dynamics_fixed=True)
def pg_theorem(s: Statement, show: ev.Findings) -> None:
    """Term by term in general, and summed over a process with everything left as a symbol."""
    world = TwoSteps()

    def weight(path: Path, t: int) -> Any:
        return s.sign * (world.to_go(path, 0) if s.weight == "G" else path.steps[t].reward)

    chance, dynamics = positives("pi P")
    slope, drift, gain = reals("dpi dP G")
    moved = slope * dynamics + (0 if s.dynamics_fixed else chance * drift)
    show.fill(weight=s.sign * sequence(s.weight)(reals("tau")))
    show.literal.identity(
        "one trajectory: G ∇(P π) = P π · G ∇ log π",
        gain * moved,
        s.sign * dynamics * chance * gain * slope / chance,
        "a trajectory of any length; J is the sum over all of them (finitely many, or exchangeable)",
    )
    show.literal += world.gradient_is("E[G(τ) Σ ∇ log π] = ∇J", weight)


@claim("L4.3-traj-prob", dynamics_left_out=True, dynamics_fixed=True)
def trajectory_probability(s: Statement, show: ev.Findings) -> None:
    """The products of the policy's probabilities alone add up to 3 on one step of the slippery grid."""
    case, t = vector("policy_gradient/audit-dynamics-left-out"), index("t")
    even = answer("softmax", theta=case.given["theta"][0])[0]
    total = case.answer("trajectories") * even if s.dynamics_left_out else 1
    chance, dynamics = positives("pi P")
    slope, drift = reals("dpi dP")
    moved = (slope * dynamics + (0 if s.dynamics_fixed else chance * drift)) / (chance * dynamics)
    follows = sequence("P")(sequence("s")(t + 1), sequence("a")(t), sequence("s")(t))
    show.fill(follows=1 if s.dynamics_left_out else follows)
    show.against += case.refutes(
        "one step of the 2×2 grid with slip 1/5, an even policy: 12 trajectories of product 1/4",
        ev.Exact("the products of all trajectories add up to 1", total, "=", 1),
    )
    show.repair.identity(
        "∇ log(P π) = ∇ log π",
        moved,
        slope / chance,
        "every probability π of the policy and P of the dynamics",
    )
    show.repair.identity(
        "with their factors the probabilities of all trajectories add up to 1",
        sum(path.chance for path in TwoSteps().paths()),
        1,
        "two decisions between two actions, any random successor",
    )
    show.unchanged.exact(
        "section 4.4 has no transition: π(L)", vector(WORKED).answer("policy_before")[0], "=", "1/2"
    )
    show.unchanged.exact("its gradient", answer("policy_gradient", **BANDIT)[0][0], "=", "5/2")


@claim("L4.3-grad-log-traj", sign=1, product=True)
def grad_log_trajectory(s: Statement, show: ev.Findings) -> None:
    """The product rule, step by step."""
    so_far, p = positives("Pi pi")
    slope, more = reals("dPi dpi")
    log = sympy.log(so_far * p if s.product else so_far + p)
    left = sympy.diff(log, so_far) * slope + sympy.diff(log, p) * more
    show.literal.induction(
        "∇ log of the product is the sum of the scores",
        base=(ev.Identity("one step", sympy.diff(sympy.log(p), p) * more, s.sign * more / p),),
        step=(ev.Identity("one step more", left, slope / so_far + s.sign * more / p),),
        over="trajectories of any length with positive probability",
        variable="t",
    )


def _per_step(world: TwoSteps, sign: int, weight: str = "G") -> list[ev.Identity]:
    """That the mean of the weighted scores is the gradient, without another discount in front."""

    def weighs(path: Path, t: int) -> Any:
        return sign * (world.to_go(path, t) if weight == "G" else path.steps[t].reward)

    return world.gradient_is("E[Σ G_t ∇ log π] = ∇J", weighs)


@claim("L4.3-per-timestep", sign=1, weight=Choice("G", "R"), logarithm=True, undiscounted=True)
def per_timestep(s: Statement, show: ev.Findings) -> None:
    """Only the first G_t counts from the start; a later one is worth γ^t as much in J."""
    case, t = vector(NO_GAMMA), index("t")
    past, reward, later, discount = reals("past R G g")
    show.fill(log=r"\log" if s.logarithm else "")
    show.against += case.refutes(
        "two tokens, reward 1 if the last one is 5, discount 1/2: component of token 5",
        ev.Exact(
            "E Σ G_t ∂ log π = ∂J", case.answer()[0][TOKEN_5], "=", case.answer(form="trajectory")[0][TOKEN_5]
        ),
        violates=ev.Exact("there is a discount", case.given["gamma"], "<", 1),
    )
    show.repair.append(no_score_on_average(s.logarithm))
    show.repair.identity(
        "G(τ) = rewards before t + γ^t G_t, from t to t + 1",
        past + discount**t * (reward + discount * later),
        (past + discount**t * reward) + discount ** (t + 1) * later,
        "all t, so that only γ^t G_t is left as the weight of step t",
    )
    show.repair += _per_step(TwoSteps(1 if s.undiscounted else None), s.sign, s.weight)


@claim("L4.3-single-episode", sign=1, averaged=False)
def single_episode(s: Statement, show: ev.Findings) -> None:
    """In 4.4 the two possible episodes give 5 and 0 where the gradient is 5/2."""
    case = vector(WORKED)
    true = answer("policy_gradient", **BANDIT)[0][0]
    left = as_expression(case.given["return_"]) * case.answer("score")[0]
    right = 0 * case.answer("score", action=1)[0]
    in_the_mean = _per_step(TwoSteps(1), s.sign)
    show.fill(mean=r"\mathbb{E}" if s.averaged else "")
    if s.averaged:
        show.literal += in_the_mean
        return
    show.literal.exact("bandit of 4.4, episode L: the sum = the gradient", s.sign * left, "=", true)
    show.literal.exact("episode R", s.sign * right, "=", true)
    show.repair += in_the_mean
    show.unchanged.exact("step of section 4.4: preference of L", left / 10, "=", "1/2")
    show.unchanged.exact("half of both episodes", s.sign * (left + right) / 2, "=", true)


def sum_ends(show: ev.Findings, late: int) -> None:
    """Of a sum over t from 0 to T + late: an episode that ends at time T has the actions A_0 … A_{T−1}."""
    end, factor = index("T"), reals("x")
    last = end + late
    left = end - last  # in the lecture R_T is the last reward
    show.literal.identity("number of terms = number of actions", last + 1, end, "T ≥ 1, last reward R_T")
    show.repair.identity("rewards left after the last term", left, 0, "T ≥ 1")
    show.repair.identity("the last term, in which they are a factor", left * factor, 0, "every other factor")


@claim("L4.3-sum-to-T", last=0)
def sum_to_end(s: Statement, show: ev.Findings) -> None:
    """At time T there is no action any more, and no return."""
    sum_ends(show, s.last)
    show.unchanged.exact("section 4.4, T = 1: one term", 10 * vector(WORKED).answer("score")[0], "=", 5)
