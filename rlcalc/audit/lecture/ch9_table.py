"""The last page: the table of algorithms."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Fact,
    Findings,
    Replay,
    condition,
    reading,
)
from rlcalc.audit.proofs import answer, nothing_printed
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import ACTOR_CRITIC, algorithms, recipes

TABLE = "specs/claims/algorithms.toml"


@claim(
    "L9-table-grpo-category",
    simple="GRPO",
    of="PPO",
    corruptions=[
        Corruption("a simplified TRPO", of="TRPO"),
        Corruption("PPO as a simplified GRPO", simple="PPO", of="GRPO"),
    ],
)
def simplified(s: Statement) -> Findings:
    one, other = algorithms()[s.simple], algorithms()[s.of]
    return Findings(
        literal=[
            Fact(
                "what stays: the bound on steps, fresh samples, no model",
                (one.limit, one.on_policy, one.model),
                "=",
                (other.limit, other.on_policy, other.model),
                TABLE,
            ),
            Exact("what goes: functions learned", one.learned, "<", other.learned),
            Exact("it came later", one.year, ">", other.year),
        ]
    )


@claim(
    "L9-categories-agree",
    grpo="simplified PPO",
    before=ACTOR_CRITIC,
    corruptions=[Corruption("section 3.2 calls GRPO a simplified PPO too", before="simplified PPO")],
)
def categories(s: Statement) -> Findings:
    literal = Fact("kind of GRPO in section 3.2", s.before, "=", s.grpo, "both tables of the lecture")
    if literal.status == "holds":
        return Findings(literal=[literal])
    one, other = algorithms()["GRPO"], algorithms()["PPO"]
    return Findings(
        literal=[literal],
        repair=reading(
            "Here GRPO stands as a simplified PPO, which is right; section 3.2 lists it as actor-critic, but "
            "the critic is what was left out.",
            [
                Fact("GRPO has no critic", one.critic, "=", "no", one.source),
                Fact("PPO has one", other.critic, "=", "yes", other.source),
            ],
            unchanged=[nothing_printed("9")],
        ),
    )


@claim("L9-table-efficiency")
def efficiency(s: Statement) -> Findings:
    return Findings(
        unknowable="Low, medium and high have no scale here, and no task or measurement is named. What the "
        "counts of 8.4 say is looked at in L9-table-reuse and L9-table-grpo-reuse."
    )


def steps(passes: int) -> Any:
    """Gradient steps from one batch of 100 trajectories."""
    return answer("ppo_count", "gradient_steps", trajectories=100, epochs=passes)


@claim(
    "L9-table-reuse",
    passes=4,
    relation=">",
    corruptions=[
        Corruption("one pass, as REINFORCE", passes=1),
        Corruption("REINFORCE above PPO", relation="<"),
    ],
)
def reuse(s: Statement) -> Findings:
    once = algorithms()["REINFORCE"].passes
    return Findings(
        literal=[
            Exact(
                f"updates from 100 trajectories: PPO {s.relation} REINFORCE",
                steps(s.passes),
                s.relation,
                once,
            )
        ]
    )


@claim(
    "L9-table-grpo-reuse",
    passes=4,
    corruptions=[Corruption("condition dropped: one pass", passes=1)],
)
def grpo_reuse(s: Statement) -> Findings:
    """The paper makes one update per sampling, as REINFORCE does."""
    one = algorithms()["GRPO"]
    return Findings(
        against=[
            Counterexample(
                "100 trajectories; GRPO with one pass over them, as its paper ran it, PPO with the 4 of 8.4",
                given={"trajectories": 100, "GRPO": one.passes, "PPO": 4},
                claimed=Exact("updates: GRPO = PPO", steps(one.passes), "=", steps(4)),
                violates=Exact("GRPO's passes are fewer than 4", one.passes, "<", 4),
                replay=(
                    Replay("rlcalc ppo-count --trajectories 100 --epochs 1", "1", "gradient_steps"),
                    Replay("rlcalc ppo-count --trajectories 100 --epochs 4", "4", "gradient_steps"),
                ),
                golden="ppo_count/one-epoch",
            )
        ],
        repair=condition(
            "It holds when GRPO makes as many passes over a batch as PPO does, which its formula allows.",
            [
                Exact("updates with the same number of passes", steps(s.passes), "=", steps(4)),
                Fact("its steps are bounded as PPO's are", one.limit, "=", algorithms()["PPO"].limit, TABLE),
            ],
        ),
    )


@claim(
    "L9-table-complexity",
    low=("REINFORCE", "GRPO"),
    medium=("one-step actor-critic", "PPO"),
    corruptions=[
        Corruption("the other way round", low=("one-step actor-critic", "PPO"), medium=("REINFORCE", "GRPO")),
        Corruption("GRPO medium", low=("REINFORCE",), medium=("one-step actor-critic", "PPO", "GRPO")),
    ],
)
def complexity(s: Statement) -> Findings:
    """Complexity taken as the number of functions that are learned."""
    return Findings(
        literal=[
            Fact("functions learned, low", {algorithms()[name].learned for name in s.low}, "=", {1}, TABLE),
            Fact("medium", {algorithms()[name].learned for name in s.medium}, "=", {2}, TABLE),
        ]
    )


@claim(
    "L9-table-llm-usage",
    ppo="ChatGPT",
    grpo="DeepSeek",
    corruptions=[
        Corruption("ChatGPT by GRPO", grpo="OpenAI"),
        Corruption("DeepSeek-R1 by PPO", ppo="DeepSeek-R1"),
    ],
)
def usage(s: Statement) -> Findings:
    users = {one.by for one in recipes().values() if "GRPO" in one.optimisers}
    system = recipes()[s.ppo]
    return Findings(
        literal=[
            Fact(f"{s.ppo} was tuned by", "PPO", "in", system.optimisers, system.source),
            Fact("models tuned by GRPO come from", s.grpo, "in", users, recipes()["DeepSeek-R1"].source),
            Exact("the table and 3.2 name the same maker of PPO", int(system.by == "OpenAI"), "=", 1),
        ]
    )
