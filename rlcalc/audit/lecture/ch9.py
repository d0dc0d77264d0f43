"""The last page: what its takeaways and its table say that no chapter has said before."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch2_return import lambda0, lambda1_mc
from rlcalc.audit.lecture.ch3 import GRPO, PPO, functions, no_critic
from rlcalc.audit.lecture.ch7_clip import SCENARIOS, Place, in_six_cases, slope
from rlcalc.audit.proofs import answer, real, reals, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import ACTOR_CRITIC, POLICY_BASED, algorithms

ITERATION = "ppo_count/lecture-8.4"
RATIOS = [*SCENARIOS, *(f"ppo_clip/{name}" for name in ("good-action-less-likely", "bad-action-more-likely"))]


@claim("L9-takeaway-tdlambda", lam=0, relation="=", episodic=True, terminal=0)
def tdlambda(s: Statement, show: ev.Findings) -> None:
    """Both ends are claims of chapter 2."""
    low, high = lambda0(s), lambda1_mc(s)
    show.fill(**high.holes)
    show.against += high.against
    show.repair += low.literal
    show.repair += high.repair


@claim(
    "L9-categories-agree",
    before=Choice(ACTOR_CRITIC, "simplified PPO"),
    critic=Choice("no", "yes", "optional"),
)
def categories(s: Statement, show: ev.Findings) -> None:
    """GRPO is a simplified PPO here and an actor-critic method in section 3.2."""
    grpo, ppo = algorithms()["GRPO"], algorithms()["PPO"]
    show.literal.fact("kind of GRPO in section 3.2", s.before, "=", "simplified PPO", "the lecture's tables")
    show.repair.fact("whether GRPO has a critic", grpo.critic, "=", s.critic, grpo.source)
    show.repair.fact("so that it is", grpo.category, "=", POLICY_BASED, grpo.source)
    show.repair.fact("while PPO is", ppo.category, "=", s.before, ppo.source)


@claim(
    "L9-table-category",
    critic=0,
    values=1,
    flat=0,
    without=Choice(POLICY_BASED, ACTOR_CRITIC),
    hybrid=Choice(ACTOR_CRITIC, POLICY_BASED),
)
def kinds(s: Statement, show: ev.Findings) -> None:
    """By what moves each update: returns alone, a value besides, and nothing past the bound of the clip."""
    x, y, alpha, gained, value = reals("x y alpha G V")
    first = answer("reinforce_step", theta=["x", "y"], action=0, return_="G", alpha="alpha")[0]
    advantage = answer("advantage", return_="G", value="V")
    rows = algorithms()
    show.literal.identity(
        "REINFORCE moves the preference of what was done by α G (1 − π), whatever a critic says",
        real(first) - x,
        alpha * (gained - s.critic * value) * (1 - sympy.exp(x) / (sympy.exp(x) + sympy.exp(y))),
        "softmax over two actions, any preferences, return and step size",
    )
    show.literal.identity(
        "actor-critic weights it with an advantage, which falls as the critic's value rises",
        real(advantage).diff(value),
        -s.values,
        "any return and value",
    )
    in_six_cases(
        show.literal,
        "PPO's objective has the slope A, and none where A drives r past its bound",
        lambda at: ev.Identity(f"A {at.sign} 0, r {at.side}", slope(at), past(at, s.flat)),
    )
    show.literal.fact("so REINFORCE is", rows["REINFORCE"].category, "=", s.without, rows["REINFORCE"].source)
    for name in ("one-step actor-critic", "PPO"):
        show.literal.fact(f"{name} is", rows[name].category, "=", s.hybrid, rows[name].source)


def past(place: Place, flat: Any) -> Any:
    """The slope that the clip leaves: A, but ``flat`` above the interval for A > 0, below it for A < 0."""
    return flat if place[:2] in ((">", "above"), ("<", "below")) else place.a


@claim(
    "L9-table-grpo-category",
    same="=",
    goes=Choice("value function", "policy"),
    limit=Choice("clip", "kl"),
    penalty=Choice("kl", "clip"),
)
def simplified(s: Statement, show: ev.Findings) -> None:
    """The clip is computed on tokens; what it goes without is a function that its formulas do not take."""
    grpo = algorithms()["GRPO"]
    show.literal.append(same_clip(s.same))
    show.literal.fact("what keeps its steps small", grpo.limit, "=", s.limit, grpo.source)
    show.literal.fact(
        "functions of PPO's update that its has not", functions(PPO) - functions(GRPO), "=", {s.goes}
    )
    show.literal += no_critic(1)
    show.literal.fact("what its loss adds", grpo.penalty, "=", s.penalty, grpo.source)
    show.literal.append(mean_estimate())


def same_clip(relation: str) -> ev.Exhaustive:
    """The objective of a token, from its log-probabilities, against PPO's at the same ratio."""
    seen = []
    for case in map(vector, RATIOS):
        token = {
            "logp": [f"log({case.number('ratio') / 2})"],
            "old_logp": ["log(1/2)"],
            "adv": [case.given["adv"]],
            "eps_low": case.given.get("eps", "1/5"),
        }
        value, slopes = answer("policy_clip", **token)[0], answer("policy_clip", "d_logp", **token)[0]
        agrees = ev.Exact("", value, relation, case.answer()).status == "holds"
        # by log π the derivative has the ratio as a factor
        rises = ev.Exact("", slopes, "=", case.number("ratio") * case.answer("d_ratio")).status == "holds"
        seen.append((case.id, agrees and rises))
    return ev.Exhaustive(
        "the clip on the tokens of a group has PPO's value and slope",
        seen,
        "the scenarios of 7.4 and the two that it leaves out",
    )


def mean_estimate() -> ev.Identity:
    """Two outcomes show what any number does: the sum over outcomes is taken term by term."""
    own, other = unit("x"), unit("y")
    estimate = answer("kl_estimate", logp=["a"], ref_logp=["b"])[0]
    a, b = sorted(estimate.free_symbols, key=str)
    mean = sum(
        p * estimate.subs({a: sympy.log(p), b: sympy.log(q)}) for p, q in ((own, other), (1 - own, 1 - other))
    )
    divergence = answer("kl", p=["p", "1-p"], q=["q", "1-q"])
    p, q = sorted(divergence.free_symbols, key=str)
    return ev.Identity(
        "its KL term is on average the divergence from the reference",
        mean,
        divergence.subs({p: own, q: other}),
        "two outcomes, every policy and reference",
    )


@claim("L9-table-reuse", passes=4, relation=">")
def reuse(s: Statement, show: ev.Findings) -> None:
    """The same trajectories, one update by REINFORCE and as many as there are passes by PPO."""
    case = vector(ITERATION)
    show.literal.exact("passes over the trajectories of 8.4", case.given["epochs"], "=", s.passes)
    show.literal.exact(
        f"updates from them: PPO {s.relation} REINFORCE",
        case.answer("gradient_steps"),
        s.relation,
        algorithms()["REINFORCE"].passes,
    )


@claim("L9-table-grpo-reuse", passes=4, relation="=")
def grpo_reuse(s: Statement, show: ev.Findings) -> None:
    """GRPO's paper makes one update for each sampling, as REINFORCE does."""
    case, grpo, ppo = vector("ppo_count/one-epoch"), algorithms()["GRPO"], algorithms()["PPO"]
    wanted = vector(ITERATION).answer("gradient_steps")
    show.against += case.refutes(
        "100 trajectories; GRPO with one pass over them, as its paper ran it, PPO with the 4 of 8.4",
        ev.Exact(f"updates: GRPO {s.relation} PPO", case.answer("gradient_steps"), s.relation, wanted),
        also=(vector(ITERATION),),
        premises=(ev.Exact("passes of GRPO's paper", grpo.passes, "=", case.given["epochs"]),),
        violates=ev.Exact("they are fewer than PPO's", case.given["epochs"], "<", wanted),
    )
    show.repair.exact(
        "updates with as many passes", case.answer("gradient_steps", epochs=s.passes), s.relation, wanted
    )
    show.repair.fact("its steps are bounded as PPO's are", grpo.limit, "=", ppo.limit, grpo.source)
