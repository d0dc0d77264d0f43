"""Chapter 3, sections 3.1 and 3.2: which algorithm is of which kind, beyond what rows of the table say."""

from __future__ import annotations

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import ACTOR_CRITIC, POLICY_BASED, algorithms, recipes
from rlcalc.audit.zero import as_expression

TABLE = "specs/claims/algorithms.toml"
RECIPES = "specs/claims/language_models.toml"
GRID = "the grid of 3.4: 2×2 cells, bumping stays, +1 on entering the goal"
UNIFORM = "policy_eval/grid-uniform"  # that grid, all moves equally likely, γ = 9/10


@claim("L3.1-positions-pick-moves", known=Choice("V^*", "Q^*"), with_model=True)
def positions_pick_moves(s: Statement, show: ev.Findings) -> None:
    """Two games in which every position is worth the same, and the good moves differ."""
    case = vector("bellman/audit-mirrored-bandit")
    game = case.given["mdp"]
    other = {**game, "R": [game["R"][0][::-1], []]}
    output = "values" if s.known == "V^*" else "q_values"
    known, theirs = (case.answer(output, **changes)[0] for changes in ({}, {"mdp": other}))
    moves = [case.answer("greedy", **changes)[0] for changes in ({}, {"mdp": other})]
    with_left = sum(sympy.Integer("L" in move.split()) for move in moves)
    reward, gamma, p, v, w = reals("R gamma p v w")
    seen = (reward, gamma) if s.with_model else (0, 1)
    show.against += case.refutes(
        "one position, two moves L and R that end the game; R pays 10 in one game, L in the other",
        # what the values determine is the same in both games
        ev.Exact("number of games, of two with these values, in which L is a best move", with_left, "=", 2),
        premises=(ev.Fact("what is known is the same in both games", known, "=", theirs),),
        violates=ev.Fact("the moves' rewards differ between the games", game["R"], "!=", other["R"]),
    )
    show.repair.identity(
        "rewards, chances and V give the value of every move",
        seen[0] + seen[1] * (p * v + (1 - p) * w),
        reward + gamma * p * v + gamma * (1 - p) * w,
        "any reward, discount, chances and values of two successors",
    )


@claim("L3.2-sarsa-optimality", relation="=", explores="0")
def sarsa_optimality(s: Statement, show: ev.Findings) -> None:
    """SARSA's fixed point is Q of the policy that it follows; on the grid of 3.4 that is less than Q*."""
    case, move_right = vector(UNIFORM), 3
    best = answer("bellman", "q_values", mdp=case.given["mdp"], gamma=case.given["gamma"])[0]
    largest, mean = reals("m mu")
    gap, kept = positives("d"), as_expression(s.explores)
    own = [name for name in ("Q-learning", "DQN") if algorithms()[name].values != "optimal"]
    show.against += case.refutes(
        f"{GRID}; behaviour that never stops to explore: move R from the start",
        ev.Exact(
            f"Q that SARSA converges to {s.relation} Q*",
            case.answer("q_values")[0][move_right],
            s.relation,
            best[move_right],
        ),
        violates=ev.Exact("chance of a move that is a best one", 1 / sympy.Integer(len(best)), "<", 1),
    )
    show.repair.ordered(
        "greedy but for a share ε of random moves: the target's mean of Q against m, at ε = 0",
        (1 - kept) * largest + kept * mean,
        s.relation,
        largest,
        "any number of actions, whose values have maximum m and mean μ",
    )
    show.repair.sign(
        "for ε > 0 it stays below, where not all values are equal",
        gap - (1 - positives("eps")) * gap,
        "ε > 0, maximum d above the mean (put at 0)",
    )
    show.repair.fact("of Q-learning and DQN, those that do not aim at Q*", own, "=", [], TABLE)


@claim("L3.2-grpo-actor-critic", name=Choice("GRPO", "PPO"))
def grpo_actor_critic(s: Statement, show: ev.Findings) -> None:
    """Its advantage is made of the rewards of a group; nothing in it is a value."""
    from rlcalc.specs import load_formula

    one = algorithms()[s.name]
    literal = ev.Fact(f"{s.name} learns a value function", one.critic, "=", "yes", one.source)
    if literal.status == "holds":
        show.literal.append(literal)
        return
    case = vector("grpo_advantage/audit-no-critic")
    inputs = {each.name for each in load_formula("grpo_advantage").parameters}
    show.against += case.refutes(
        "two answers to one prompt: the advantages 1 and −1 follow from the rewards alone",
        ev.Fact("functions learned, where a policy and values make 2", one.learned, "=", 2, one.source),
        premises=(ev.Fact(f"{s.name} has a critic", one.critic, "=", "no", one.source),),
    )
    show.repair.fact("its class by what it learns", one.category, "=", POLICY_BASED, TABLE)
    show.repair.fact("its advantage needs", inputs, "=", {"rewards", "ddof", "eps"})
    show.repair.exact("the first answer's advantage", case.answer()[0], "=", 1)


@claim("L3.2-llm-uses-ac", named=Choice("ChatGPT and Claude", "DeepSeek-R1 and Llama 3", "Qwen2.5"))
def llm_uses_actor_critic(s: Statement, show: ev.Findings) -> None:
    """True of the two systems as far as anything was published, not of later recipes."""

    def by_critic(name: str) -> list[bool]:
        return [algorithms()[each].category == ACTOR_CRITIC for each in recipes()[name].optimisers]

    later = [name for name, one in recipes().items() if one.year >= 2024]
    stages = [each for name in later for each in by_critic(name)]
    others = [name for name in s.named.split(" and ") if not all(by_critic(name))]
    show.against.fact(
        f"published since 2024 ({', '.join(later)}): stages by an actor-critic method, doubled, are "
        "fewer than all",
        2 * sum(stages),
        "<",
        len(stages),
        RECIPES,
    )
    show.repair.fact(f"of {s.named}, those not tuned by an actor-critic method", others, "=", [], RECIPES)


@claim("L3.2-critic-evaluates-quality", judges=Choice("response", "state"))
def critic_evaluates(s: Statement, show: ev.Findings) -> None:
    """In the small token game the critic's number is the same before a good and a bad last token."""
    values = vector("policy_eval/tokens-uniform").answer()
    game = "two tokens out of 3, 4, 5, rewarded if the last is 5"
    p, x, y = reals("p x y")
    mean = p * x + (1 - p) * y
    estimates = show.literal if s.judges == "state" else show.repair
    estimates.identity(
        "what the returns still to come deviate from V is 0 in the mean",
        p * (x - mean) + (1 - p) * (y - mean),
        0,
        "two continuations of chances p, 1 − p and returns x, y",
    )
    estimates.exact(f"{game}: V after any first token", values[1], "=", "1/3")
    if s.judges == "state":
        return
    worked = vector("advantage/lecture-6.4-episode-1")
    show.literal.exact(f"{game}: what V says where the answer 5 is complete = its reward", values[4], "=", 1)
    show.unchanged.exact("advantage of 15 in 6.4", worked.answer(), "=", 5)
