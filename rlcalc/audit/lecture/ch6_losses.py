"""Chapter 6, sections 6.3 and 6.4: two forms of the advantage, the two losses, the worked example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import printed, vector
from rlcalc.audit.formula import read
from rlcalc.audit.formula.reader import Node
from rlcalc.audit.lecture.ch4 import ANY_SOFTMAX
from rlcalc.audit.lecture.ch4_theorem import sum_ends
from rlcalc.audit.lecture.ch6 import CRITIC
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, index, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.exact import symbol

LOSSES = "actor_loss/lecture-6.4-even-policy"  # both episodes of 6.4 at even chances


@claim("L6.3-A-uses-R", letter=Choice("R", "G"), sign=1)
def advantage_of_reward(s: Statement, show: ev.Findings) -> None:
    """Everywhere else in the lecture R is a reward: one of them is not what the state's value predicts."""
    reward, later, value, gamma = reals("R_1 G_1 V gamma")
    full, over = reward + gamma * later, "every reward and what follows it"
    meant = {"R": reward, "G": full}[s.letter]
    show.literal.identity(f"{s.letter} − V = G − V", s.sign * (meant - value), full - value, over)
    show.repair.identity("G_t = R_{t+1} + γ G_{t+1} less V", s.sign * (full - value), full - value, over)


@claim("L6.3-td-advantage", discount=1, sign=-1, exact=True)
def td_advantage(s: Statement, show: ev.Findings) -> None:
    """It is the TD error; for a given action its mean is the advantage if the critic is right."""
    case, t = vector("td_error/audit-critic-wrong-ahead"), index("t")
    rewards, critic, w = sequence("R"), sequence("V_phi"), reals("w")
    reward, here, after, other, gamma = reals("r v x y g")
    d, e, f = reals("d e f")  # what the critic errs by

    def estimate(reward: Any, here: Any, after: Any, gamma: Any) -> Any:
        return reward + gamma**s.discount * after + s.sign * here

    def mean(here: Any, after: Any, other: Any) -> Any:
        return w * estimate(reward, here, after, gamma) + (1 - w) * estimate(reward, here, other, gamma)

    advantage = reward + gamma * (w * after + (1 - w) * other) - here
    better = answer("advantage", return_="1", value=case.given["value"])
    ahead = case.given["next_value"]
    show.fill(estimate=estimate(rewards(t + 1), critic(t), critic(t + 1), reals("gamma")))
    show.against += case.refutes(
        "two equally likely actions with the returns 1 and 1/2; the critic is right about the state "
        "and says 0 about the one from which 1 follows",
        ev.Exact("TD error of the better action = its advantage", case.answer(), "=", better),
        violates=ev.Exact("the critic's value of a state worth 1", ahead, "!=", 1),
    )
    show.repair.identity(
        "it is the TD error",
        estimate(*map(symbol, "rvxg")),
        answer("td_error", reward="r", value="v", next_value="x", gamma="g"),
        "every reward, value and discount",
    )
    show.repair.identity(
        "with exact values its mean is Q − V",
        mean(here, after if s.exact else after + e, other),
        advantage,
        "two next states with chances w and 1 − w",
    )
    show.repair.identity(
        "a critic that errs by d here, by e and f ahead, shifts the mean by γ(we + (1−w)f) − d",
        mean(here + d, after + e, other + f),
        advantage + gamma * (w * e + (1 - w) * f) - d,
        "all errors; d is the same for every action",
    )


@claim("L6.3-more-generally", lam="0", low=0, high=1)
def more_generally(s: Statement, show: ev.Findings) -> None:
    """Neither contains the other: they are the two ends of generalized advantage estimation."""
    case, one = vector("gae/audit-one-step-is-not-general"), vector("gae/audit-lambda-one-is-the-return")
    full = answer("discounted_return", "returns", rewards=case.given["rewards"], gamma=case.given["gamma"])
    reward, here, after, later, gamma = reals("r v x G gamma")
    delta, target = reward + gamma * after - here, reward + gamma * later - here

    def estimate(lam: int) -> Any:
        return delta + gamma * lam * (later - after)

    last = {later: 0, after: 0}  # after the end
    show.against += case.refutes(
        "rewards 0 and 1, all values 0, no discount: the first step",
        ev.Exact("the form gives the return less the value", case.answer(lam=s.lam)[0], "=", full[0]),
        also=(one,),
    )
    show.repair.identity("λ = 0: δ_t + γλ A_{t+1} is the TD error", estimate(s.low), delta, "every step")
    show.repair.induction(
        "λ = 1: A_t = δ_t + γ A_{t+1} is the return less the value",
        base=(ev.Identity("the last step", estimate(s.high).subs(last), target.subs(last)),),
        step=(ev.Identity("one step earlier", estimate(s.high), target),),
        over="episodes of any length, backwards from the end; every reward, value and discount",
        variable="t",
    )


@claim("L6.3-actor-loss-sign", sign=1)
def actor_loss_sign(s: Statement, show: ev.Findings) -> None:
    """A loss is made smaller, and this one smaller means good actions less likely."""
    case, uphill = vector(LOSSES), odds_gain(s.sign * positives("alpha") * positives("a"))
    probs, advantages = map(case.number, ("probs", "advantages"))
    example = sum(s.sign * sympy.log(p) * a for p, a in zip(probs, advantages, strict=True))
    over = f"{ANY_SOFTMAX}, A > 0"
    show.literal.sign("a step that makes it smaller raises an action with A > 0", -uphill, over)
    show.repair.sign("a step that makes it larger raises an action with A > 0", uphill, over)
    show.unchanged.exact("both episodes of 6.4: it is the objective", example, "=", case.answer("objective"))
    show.unchanged.exact("and its negative the loss", -example, "=", case.answer("loss"))


@claim("L6.3-actor-loss-detach", held=True, sign=1)
def actor_loss_detach(s: Statement, show: ev.Findings) -> None:
    """One parameter w with V = w and preference w of L: the product rule adds −log π."""
    extra, score = vector("actor_loss/audit-gradient-through-advantage"), vector("score/lecture-4.4")
    log, slope, advantage, moves = reals("l dl A dA")
    half = score.answer()[0]
    show.against += extra.refutes(
        "one parameter w for both: preference w of L against 0, value V = w; at w = 0 L returns 1",
        ev.Exact("derivative of log π · A = A ∂ log π", half + extra.answer(), "=", s.sign * half),
        violates=ev.Exact("slope of the advantage along w", extra.given["advantages"][0], "!=", 0),
        also=(score,),
    )
    show.repair.identity(
        "product rule for one step",
        slope * advantage + log * (0 if s.held else moves),
        s.sign * advantage * slope,
        "every policy and advantage; the sum is term by term",
    )


def _roles(latex: str, letter: str) -> set[str]:
    """What a letter stands for: in the brackets of the policy an action, outside a number."""

    def walk(node: Node, role: str) -> Iterator[str]:
        if node.name == letter:
            yield role
        for part in node.parts:
            yield from walk(part, "action" if node.name == "pi_theta" else role)

    return {role for chain in read(latex) for side in chain.sides for role in walk(side, "advantage")}


@claim("L6.3-A-overloaded", action=Choice("A", "a"))
def overloaded(s: Statement, show: ev.Findings) -> None:
    """Read as a formula: in which places the letter stands."""
    latex = rf"\log \pi_\theta({s.action}_t|S_t) A_t"
    show.literal.fact("what A_t stands for", _roles(latex, "A"), "=", {"advantage"})
    show.repair.fact("what A_t stands for then", _roles(latex.replace("(A", "(a"), "A"), "=", {"advantage"})
    show.unchanged.exact("the sum for 6.4 at even chances", vector(LOSSES).answer(), "=", "-2*log(2)")


@claim("L6.3-sum-to-T", last=0)
def sums_to_end(s: Statement, show: ev.Findings) -> None:
    """At time T there is no action any more; a terminal state has value 0 and return 0."""
    sum_ends(show, s.last)


@claim("L6.3-critic-loss", sign=1, target=Choice("G", "R"))
def critic_loss(s: Statement, show: ev.Findings) -> None:
    """n(V − m)² more than at the mean m, for every number of returns."""
    n, (value, mean, squares) = index(), reals("V m Q")
    loss = n * value**2 - 2 * s.sign * value * n * mean + squares
    rewards = ["0", "15"]
    full = answer("discounted_return", rewards=rewards, gamma="1")
    taught = [str(full) if s.target == "G" else rewards[0]]
    learnt = answer("critic_loss", "minimiser", values="10", returns=taught)
    show.literal.identity(
        "loss at V − loss at the mean = n (V − m)²",
        loss - loss.subs(value, mean),
        n * (value - mean) ** 2,
        "n ≥ 1 returns with mean m and sum of squares Q",
    )
    show.literal.exact("value learnt for a state that is followed by the rewards 0 and 15", learnt, "=", full)
    show.literal += printed("critic_loss/lecture-6.4")


@claim("L6.4-directions", first=">", second="<")
def directions(s: Statement, show: ev.Findings) -> None:
    """Each step by itself, and both episodes in one step."""
    step, start = positives("alpha"), {"theta": ["0", "0"], "alpha": "1/10", "baseline": "10"}
    for action, (relation, full, advantage) in enumerate(((s.first, "15", 5), (s.second, "7", -3))):
        gain, moves = odds_gain(advantage * step), f"advantage {advantage}: change of the odds {relation} 0"
        chance = answer("reinforce_step", "policy", action=action, return_=full, **start)[action]
        show.literal.ordered(moves, gain, relation, 0, ANY_SOFTMAX)
        show.literal.exact("its chance from 1/2 on, α = 1/10", chance, relation, "1/2")
        show.literal.exact("its slope with both in one step", vector(CRITIC).answer()[action], relation, 0)


@claim("L6.4-critic-average", start="10", mean="11", alpha="1/10")
def critic_average(s: Statement, show: ev.Findings) -> None:
    """The mean is 11 exactly, and a gradient step of moderate size goes towards it."""
    case = vector("critic_loss/lecture-6.4")
    best, moved = (case.answer(name, values=s.start, alpha=s.alpha) for name in ("minimiser", "updated"))
    returns = case.number("returns")
    show.fill(average=sum(returns) / len(returns))
    show.literal.exact("mean of the returns", best, "=", s.mean)
    show.literal.exact(f"a step of size {s.alpha} raises the prediction", moved, ">", s.start)
    show.literal.exact("and does not pass the mean", moved, "<=", best)
