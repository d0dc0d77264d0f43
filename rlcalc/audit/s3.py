"""Chapter 3, sections 3.1 and 3.2: which algorithm is of which kind."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.algorithms import (
    ACTOR_CRITIC,
    POLICY_BASED,
    VALUE_BASED,
    Algorithm,
    algorithms,
    recipes,
)
from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    correction,
    reading,
)
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

TABLE = "specs/claims/algorithms.toml"
# the rows of the lecture's table, by name in ours
NAMED = {
    VALUE_BASED: ("SARSA", "DQN", "Q-learning"),
    POLICY_BASED: ("REINFORCE",),
    ACTOR_CRITIC: ("A2C", "A3C", "PPO", "TRPO", "GRPO"),
}


def all_are(names: tuple[str, ...], category: str) -> Exhaustive:
    """Whether the attributes of each put it into this class."""
    return Exhaustive(
        f"each is {category} by what it learns",
        len(names),
        tuple(name for name in names if algorithms()[name].category != category),
        f"the algorithms named: {', '.join(names)}",
    )


@claim(
    "L3.1-chess-analogy",
    values=VALUE_BASED,
    policy=POLICY_BASED,
    corruptions=[Corruption("value-based methods learn the moves", values=POLICY_BASED, policy=VALUE_BASED)],
)
def chess(s: Statement) -> Findings:
    """What the picture says of the first two classes is what puts an algorithm into them."""

    def learns(one: Algorithm) -> str:
        return str(s.policy if one.policy else s.values)

    simple = [one for one in algorithms().values() if one.critic == "no"]
    return Findings(
        literal=[
            Exhaustive(
                "what it learns, values or a policy, gives its class",
                len(simple),
                tuple(one.name for one in simple if learns(one) != one.category),
                f"the algorithms without a critic in {TABLE}",
            ),
            Fact(
                "and a model that is learned makes Dyna-Q model-based",
                (algorithms()["Dyna-Q"].model, algorithms()["Dyna-Q"].model_free),
                "=",
                ("learned", False),
                algorithms()["Dyna-Q"].source,
            ),
        ]
    )


@claim(
    "L3.1-positions-pick-moves",
    with_model=True,
    corruptions=[
        Corruption("condition dropped: the moves' consequences are unknown", with_model=False),
    ],
)
def positions_pick_moves(s: Statement) -> Findings:
    """Two games in which every position is worth the same, and the good moves differ."""
    game: dict[str, Any] = {"P": [[["0", "1"]] * 2, []], "terminal": [1], "actions": ["L", "R"]}
    one, other = (
        {**game, "R": [rewards, []], "states": ["s", "end"]} for rewards in (["10", "0"], ["0", "10"])
    )
    worth = [answer("bellman", mdp=mdp, gamma="1")[0] for mdp in (one, other)]
    moves = [answer("bellman", "greedy", mdp=mdp, gamma="1")[0] for mdp in (one, other)]
    reward, gamma, p, v, w = reals("R gamma p v w")
    look_ahead = reward + gamma * (p * v + (1 - p) * w) if s.with_model else p * v + (1 - p) * w
    same = Exact("both games: value of s", worth[0], "=", worth[1])
    return Findings(
        against=[
            Counterexample(
                "one position, two moves L and R that end the game; L pays 10 in one game, R in the other",
                given={"V*(s)": worth[0], "good move": " and ".join(moves)},
                # what the values determine is the same in both games
                claimed=Exact(
                    "number of games, of two with these values, in which L is a best move",
                    sum("L" in move.split() for move in moves),
                    "=",
                    2,
                ),
                premises=(same,),
                violates=Fact("the moves' rewards differ between the games", one["R"], "!=", other["R"]),
                replay=(
                    Replay("rlcalc bellman --mdp bandit --gamma 1", ["10", "0"]),
                    Replay("rlcalc bellman --mdp bandit --gamma 1", ["L", "terminal"], "greedy"),
                ),
                golden="bellman/audit-mirrored-bandit",
                search="decision processes: one state, two actions",
            )
        ],
        repair=condition(
            "Position values choose moves when the consequences of each move are known too, as the rules of "
            "chess are; without a model action values Q are needed.",
            [
                Identity(
                    "rewards, chances and V give the value of every move",
                    look_ahead,
                    reward + gamma * p * v + gamma * (1 - p) * w,
                    "any reward, discount, chances and values of two successors",
                )
            ],
            latex=r"Q(s,a) = R(s,a) + \gamma \sum_{s'} P(s' \mid s,a) V(s')",
        ),
    )


@claim(
    "L3.2-axes",
    names=tuple(name for row in NAMED.values() for name in row),
    corruptions=[Corruption("Dyna-Q among them", names=("SARSA", "Dyna-Q"))],
)
def axes(s: Statement) -> Findings:
    """None of the algorithms in the table uses a model, and others do."""
    found = algorithms()
    return Findings(
        literal=[
            Exhaustive(
                "uses no model",
                len(s.names),
                tuple(name for name in s.names if not found[name].model_free),
                "the algorithms in the table of 3.2",
            ),
            Fact(
                "methods on the other side of the axis",
                {"Dyna-Q", "AlphaZero", "policy iteration"},
                "=",
                {name for name, one in found.items() if not one.model_free},
                TABLE,
            ),
        ]
    )


@claim(
    "L3.2-model-is-learned",
    kinds=("learned",),
    corruptions=[
        Corruption("or given", kinds=("learned", "given")),
        Corruption("no model at all", kinds=("none",)),
    ],
)
def model_is_learned(s: Statement) -> Findings:
    """Planning with rules that are known is model-based too."""
    planners = {name for name, one in algorithms().items() if one.model != "none"}
    learners = {name for name, one in algorithms().items() if one.model in s.kinds}
    literal = Fact("model-based by this description: all that plan", learners, "=", planners, TABLE)
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "A model-based method plans with a model, which it learned (Dyna-Q) or was given (AlphaZero, "
            "policy iteration).",
            [
                # the description must be at least part of the right one
                Fact("what it describes is model-based", learners, "subset", planners, TABLE),
                Fact(
                    "a model is",
                    {one.model for one in algorithms().values()} - {"none"},
                    "=",
                    {"learned", "given"},
                    TABLE,
                ),
            ],
            unchanged=[
                Exhaustive(
                    "model-free all the same",
                    9,
                    tuple(n for row in NAMED.values() for n in row if not algorithms()[n].model_free),
                    "the algorithms in the table of 3.2",
                )
            ],
        ),
    )


@claim(
    "L3.2-value-based",
    names=NAMED[VALUE_BASED],
    corruptions=[Corruption("REINFORCE among them", names=("SARSA", "REINFORCE"))],
)
def value_based(s: Statement) -> Findings:
    return Findings(literal=[all_are(s.names, VALUE_BASED)])


@claim(
    "L3.2-policy-based",
    names=NAMED[POLICY_BASED],
    corruptions=[
        Corruption("Q-learning among them", names=("REINFORCE", "Q-learning")),
        Corruption("PPO among them", names=("REINFORCE", "PPO")),
    ],
)
def policy_based(s: Statement) -> Findings:
    return Findings(literal=[all_are(s.names, POLICY_BASED)])


@claim(
    "L3.2-sarsa-optimality",
    explores=0,
    corruptions=[Corruption("condition dropped: exploring for ever", explores="1/10")],
)
def sarsa_optimality(s: Statement) -> Findings:
    """SARSA's fixed point is Q of the policy that it follows; on the grid of 3.4 that is less than Q*."""
    from rlcalc.audit.zero import as_expression

    own = answer("policy_eval", "q_values", mdp="grid2x2", gamma="9/10")[0][3]
    best = answer("bellman", "q_values", mdp="grid2x2", gamma="9/10")[0][3]
    (largest, mean), (gap, eps) = reals("m mu"), positives("d eps")
    kept = as_expression(s.explores)
    return Findings(
        against=[
            Counterexample(
                "the grid of 3.4, behaviour that never stops to explore (all moves equally likely): move R "
                "from the start",
                given={"γ": "9/10", "π": "1/4 each"},
                claimed=Exact("Q that SARSA converges to = Q*", own, "=", best),
                violates=Exact("share of random moves, which should be 0", 1, ">", 0),
                replay=(
                    Replay(
                        "rlcalc policy-eval --mdp grid2x2 --gamma 0.9", ["90/161", "110/161", "110/161", "0"]
                    ),
                    Replay("rlcalc bellman --mdp grid2x2 --gamma 0.9", ["9/10", "1", "1", "0"]),
                ),
                golden="policy_eval/grid-uniform",
            ),
            Fact(
                "SARSA's values are those of a policy of its",
                algorithms()["SARSA"].values,
                "!=",
                "optimal",
                algorithms()["SARSA"].source,
            ),
        ],
        repair=condition(
            "Q-learning and DQN aim at Q*. SARSA learns Q of the policy it follows, and Q* only if that "
            "policy becomes greedy in the limit.",
            [
                Identity(
                    "greedy but for a share ε of random moves: the target's mean of Q is m at ε = 0",
                    (1 - kept) * largest + kept * mean,
                    largest,
                    "any number of actions, whose values have maximum m and mean μ",
                ),
                Sign(
                    "for ε > 0 it stays below, where not all values are equal",
                    gap - ((1 - eps) * gap + eps * 0),
                    "ε > 0, maximum d above the mean (put at 0)",
                ),
                all_values("optimal", ("Q-learning", "DQN")),
            ],
        ),
    )


def all_values(of: str, names: tuple[str, ...]) -> Exhaustive:
    failed = tuple(name for name in names if algorithms()[name].values != of)
    return Exhaustive(f"their values are {of} ones", len(names), failed, ", ".join(names))


@claim(
    "L3.2-policy-gradient-example",
    disjoint=True,
    corruptions=[Corruption("the rows may overlap", disjoint=False)],
)
def policy_gradient_example(s: Statement) -> Findings:
    """Policy gradient is a family that contains the next row."""
    family = {one.name for one in algorithms().values() if one.policy and one.on_policy and one.model_free}
    row = {"A2C", "A3C", "PPO"}
    inside: list[Evidence] = [
        Fact("the actor-critic methods follow policy gradients", row, "subset", family, TABLE)
    ]
    if not s.disjoint:
        return Findings(literal=inside)
    return Findings(
        literal=[Fact("members of the family in the next row", family & row, "=", set(), TABLE)],
        repair=reading(
            "Policy gradient is the family to which REINFORCE belongs, and A2C, A3C and PPO as well; the row "
            "means those without a critic.",
            [*inside, Fact("REINFORCE too", "REINFORCE", "in", family, TABLE)],
            unchanged=[all_are(NAMED[POLICY_BASED], POLICY_BASED)],
        ),
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
        against=[Fact(f"{s.name} has no critic", one.critic, "=", "no", one.source)],
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
