"""The last page: what its takeaways and its table say that no chapter has said before."""

from __future__ import annotations

from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch2_definition import lambda1_mc
from rlcalc.audit.lecture.ch2_weights import lambda0
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import ACTOR_CRITIC, POLICY_BASED, algorithms

ITERATION = "ppo_count/lecture-8.4"


@claim(
    "L9-takeaway-tdlambda",
    lam=0,
    relation="=",
    episodic=True,
    terminal=0,
    corruptions=[Corruption("TD(0) at λ = 1/2", "an integer has no half", lam="1/2")],
)
def tdlambda(s: Statement) -> ev.Findings:
    """Both ends are claims of chapter 2."""
    low, high = lambda0(s), lambda1_mc(s)
    return ev.Findings(
        says=[*low.says, *high.says], against=high.against, repair=[*low.literal, *_pieces(high)]
    )


def _pieces(found: ev.Findings) -> list[ev.Evidence]:
    return found.repair if isinstance(found.repair, list) else []


@claim(
    "L9-categories-agree",
    before=Choice(ACTOR_CRITIC, "simplified PPO"),
    critic=Choice("no", "yes", "optional"),
)
def categories(s: Statement) -> ev.Findings:
    """GRPO is a simplified PPO here and an actor-critic method in section 3.2."""
    literal = ev.Fact("kind of GRPO in section 3.2", s.before, "=", "simplified PPO", "the lecture's tables")
    if literal.status == "holds":
        return ev.Findings(literal=[literal])
    grpo, ppo = algorithms()["GRPO"], algorithms()["PPO"]
    return ev.Findings(
        literal=[literal],
        repair=[
            ev.Fact("whether GRPO has a critic", grpo.critic, "=", s.critic, grpo.source),
            ev.Fact("so that it is", grpo.category, "=", POLICY_BASED, grpo.source),
            ev.Fact("while PPO is", ppo.category, "=", s.before, ppo.source),
        ],
    )


@claim("L9-table-reuse", passes=4, relation=">")
def reuse(s: Statement) -> ev.Findings:
    """The same trajectories, one update by REINFORCE and as many as there are passes by PPO."""
    case = vector(ITERATION)
    return ev.Findings(
        literal=[
            ev.Exact("passes over the trajectories of 8.4", case.given["epochs"], "=", s.passes),
            ev.Exact(
                f"updates from them: PPO {s.relation} REINFORCE",
                case.answer("gradient_steps"),
                s.relation,
                algorithms()["REINFORCE"].passes,
            ),
        ]
    )


@claim("L9-table-grpo-reuse", passes=4, relation="=")
def grpo_reuse(s: Statement) -> ev.Findings:
    """GRPO's paper makes one update for each sampling, as REINFORCE does."""
    case, grpo, ppo = vector("ppo_count/one-epoch"), algorithms()["GRPO"], algorithms()["PPO"]
    wanted = vector(ITERATION).answer("gradient_steps")
    return ev.Findings(
        against=case.refutes(
            "100 trajectories; GRPO with one pass over them, as its paper ran it, PPO with the 4 of 8.4",
            ev.Exact(f"updates: GRPO {s.relation} PPO", case.answer("gradient_steps"), s.relation, wanted),
            also=(vector(ITERATION),),
            premises=(ev.Exact("passes of GRPO's paper", grpo.passes, "=", case.given["epochs"]),),
            violates=ev.Exact("they are fewer than PPO's", case.given["epochs"], "<", wanted),
        ),
        repair=[
            ev.Exact(
                "updates with as many passes",
                case.answer("gradient_steps", epochs=s.passes),
                s.relation,
                wanted,
            ),
            ev.Fact("its steps are bounded as PPO's are", grpo.limit, "=", ppo.limit, grpo.source),
        ],
    )
