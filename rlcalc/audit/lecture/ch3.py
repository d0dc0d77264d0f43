"""Chapter 3, sections 3.1 and 3.2: which algorithm is of which kind."""

from __future__ import annotations

from typing import Any

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
    reading,
)
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import (
    ACTOR_CRITIC,
    POLICY_BASED,
    VALUE_BASED,
    Algorithm,
    algorithms,
)

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
