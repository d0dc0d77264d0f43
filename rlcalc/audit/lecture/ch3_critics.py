"""Chapter 3, section 3.2: actors, critics, and what tunes language models."""

from __future__ import annotations

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Replay,
    condition,
    correction,
    reading,
)
from rlcalc.audit.lecture.ch3 import TABLE, all_are
from rlcalc.audit.proofs import answer, reals
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import (
    ACTOR_CRITIC,
    POLICY_BASED,
    algorithms,
    recipes,
)


@claim(
    "L3.2-actor-critic-row",
    names=("A2C", "A3C", "PPO"),
    corruptions=[
        Corruption("GRPO among them", names=("A2C", "A3C", "PPO", "GRPO")),
        Corruption("REINFORCE among them", names=("PPO", "REINFORCE")),
    ],
)
def actor_critic_row(s: Statement) -> Findings:
    return Findings(literal=[all_are(s.names, ACTOR_CRITIC)])


@claim(
    "L3.2-grpo-actor-critic",
    name="GRPO",
    corruptions=[Corruption("PPO instead", name="PPO")],
)
def grpo_actor_critic(s: Statement) -> Findings:
    """Its advantage is made of the rewards of a group; nothing in it is a value."""
    from rlcalc.specs import load_formula

    one = algorithms()[s.name]
    literal = Fact(f"{s.name} learns a value function", one.critic, "=", "yes", one.source)
    if literal.status == "holds":
        return Findings(literal=[literal])
    inputs = {each.name for each in load_formula("grpo_advantage").parameters}
    return Findings(
        against=[
            Counterexample(
                "two answers to one prompt, rewards 1 and 0: the advantages 1 and −1 follow from the rewards "
                "alone",
                given={"rewards": "1 0"},
                claimed=Exact("functions learned, where a policy and values make 2", one.learned, "=", 2),
                premises=(Fact(f"{s.name} has a critic", one.critic, "=", "no", one.source),),
                replay=(Replay("rlcalc grpo-advantage --rewards 1 0", ["1", "-1"]),),
                golden="grpo_advantage/audit-no-critic",
                search="groups: two answers",
            )
        ],
        repair=correction(
            "GRPO has an actor and no critic: the mean reward of a group of answers to the same prompt "
            "stands in for the value. By the table's own columns it is policy-based.",
            [
                Fact("its class by what it learns", one.category, "=", POLICY_BASED, TABLE),
                Fact("its advantage needs", inputs, "=", {"rewards", "ddof", "eps"}, "its formula"),
                Exact(
                    "two answers, rewards 1 and 0: the first one's advantage",
                    answer("grpo_advantage", rewards=["1", "0"])[0],
                    "=",
                    1,
                ),
            ],
        ),
    )


@claim(
    "L3.2-trpo-actor-critic",
    added="yes",
    corruptions=[Corruption("condition dropped: the method as published", added="no")],
)
def trpo_actor_critic(s: Statement) -> Findings:
    """The paper estimates Q by sums of rewards; most programs add a learned baseline."""
    from dataclasses import replace

    one = algorithms()["TRPO"]
    extended = replace(one, critic=s.added)
    return Findings(
        against=[
            Fact("TRPO as published needs no critic", one.critic, "!=", "yes", one.source),
        ],
        repair=condition(
            "It holds for TRPO with a learned value function as baseline, as it is mostly run since the "
            "paper on generalised advantage estimation; the original paper estimates action values by sums "
            "of sampled rewards.",
            [
                Fact("its class with a critic added", extended.category, "=", ACTOR_CRITIC, one.source),
                Fact("the paper leaves that open", one.critic, "=", "optional", one.source),
            ],
        ),
    )


@claim(
    "L3.2-llm-uses-ac",
    named=("ChatGPT", "Claude"),
    corruptions=[
        Corruption("DeepSeek-R1 and Llama 3 are named", named=("DeepSeek-R1", "Llama 3")),
        Corruption("Qwen2.5 is named", named=("Qwen2.5",)),
    ],
)
def llm_uses_actor_critic(s: Statement) -> Findings:
    """True of the two systems as far as anything was published, not of later recipes."""

    def by_critic(name: str) -> list[bool]:
        return [algorithms()[each].category == ACTOR_CRITIC for each in recipes()[name].optimisers]

    later = [name for name, one in recipes().items() if one.year >= 2024]
    stages = [each for name in later for each in by_critic(name)]
    return Findings(
        against=[
            Exact(
                f"published since 2024 ({', '.join(later)}): stages by an actor-critic method, doubled, are "
                "fewer than all",
                2 * sum(stages),
                "<",
                len(stages),
            )
        ],
        repair=condition(
            "It holds for the systems named, as they were first described: both by PPO. Recipes published "
            "since 2024 mostly do without a critic (DPO in Llama 3, GRPO in DeepSeek-R1, both in "
            "Qwen2.5).",
            [
                Exhaustive(
                    "tuned by an actor-critic method",
                    len(s.named),
                    tuple(name for name in s.named if not all(by_critic(name))),
                    f"the systems named: {', '.join(s.named)}",
                )
            ],
        ),
    )


@claim(
    "L3.2-critic-evaluates-quality",
    judges="response",
    corruptions=[
        Corruption("it estimates the value of the state so far", judges="state"),
    ],
)
def critic_evaluates(s: Statement) -> Findings:
    """In the small token game the critic's number is the same before a good and a bad last token."""
    first = answer("policy_eval", mdp="tokens", gamma="1")
    game = "two tokens out of 3, 4, 5, rewarded if the last is 5"
    p, x, y = reals("p x y")
    value = p * x + (1 - p) * y
    estimates = Identity(
        "what the returns still to come deviate from V is 0 in the mean",
        p * (x - value) + (1 - p) * (y - value),
        0,
        "two continuations of chances p, 1 − p and returns x, y",
    )
    numbers = Exact(f"{game}: V after any first token", first[1], "=", "1/3")
    if s.judges == "state":
        return Findings(literal=[estimates, numbers])
    return Findings(
        literal=[
            Exact(f"{game}: what V says where the answer 5 is complete = its reward", first[4], "=", 1),
        ],
        repair=reading(
            "The critic estimates the return to be expected from the text so far, before the rest is "
            "written; it is the reward (of a reward model or a checker) that judges a response. Section 6.2 "
            "says it that way.",
            [estimates, numbers],
            unchanged=[
                Exact("advantage of 15 in 6.4", answer("advantage", return_="15", value="10"), "=", 5),
                Exact("and 7", answer("advantage", return_="7", value="10"), "=", -3),
            ],
        ),
    )


@claim(
    "L3.2-ppo-openai-grpo-deepseek",
    ppo="OpenAI",
    grpo="DeepSeek",
    corruptions=[
        Corruption("the other way round", ppo="DeepSeek", grpo="OpenAI"),
        Corruption("GRPO by Meta", grpo="Meta"),
    ],
)
def who(s: Statement) -> Findings:
    users = {one.by for one in recipes().values() if "PPO" in one.optimisers}
    return Findings(
        literal=[
            Fact("models tuned with PPO come from", s.ppo, "in", users, recipes()["ChatGPT"].source),
            Fact("GRPO was introduced by", algorithms()["GRPO"].by, "=", s.grpo, algorithms()["GRPO"].source),
        ]
    )


@claim(
    "L3.2-grpo-simpler",
    simpler="GRPO",
    other="PPO",
    corruptions=[Corruption("PPO is the simpler one", simpler="PPO", other="GRPO")],
)
def grpo_simpler(s: Statement) -> Findings:
    """'More efficient' is looked at in L9-table-efficiency."""
    simple, other = algorithms()[s.simpler], algorithms()[s.other]
    return Findings(
        literal=[
            Exact(f"functions learned by {s.simpler} < by {s.other}", simple.learned, "<", other.learned),
            Fact("what keeps the steps small is the same", simple.limit, "=", other.limit, TABLE),
            Exact("the simpler one came later", simple.year, ">", other.year),
        ]
    )
