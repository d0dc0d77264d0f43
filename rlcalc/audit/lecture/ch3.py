"""Chapter 3: which algorithm is of which kind, beyond what rows of the table say; the grid; values."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.policies import FAMILY, TwoSteps
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import ACTOR_CRITIC, POLICY_BASED, algorithms, recipes
from rlcalc.specs import load_formula

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
    gap, kept = positives("d"), sympy.Rational(s.explores)
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


# what GRPO does without, by the formulas of its update and of PPO's


# the formulas that one update is computed by; both have aggregation of the losses besides
GRPO = ("group_advantage", "policy_clip", "kl_estimate")
PPO = ("token_gae", "policy_clip", "value_clip_loss")
# inputs that are what a function says which the update changes; a reference policy stays as it is
SAID_BY = {"logp": "policy", "values": "value function"}
GROUP = "group_advantage/three-of-eight-centred"
EPISODE = "token_gae/one-reward-at-the-end"


def functions(update: tuple[str, ...]) -> frozenset[str]:
    """The functions that are learned, as the inputs of an update's formulas show them."""
    inputs = {one.name for name in update for one in load_formula(name).parameters}
    return frozenset(function for name, function in SAID_BY.items() if name in inputs)


def no_critic(share: int) -> list[ev.Evidence]:
    """What a critic would say of the prompt changes no advantage of GRPO; PPO's it changes."""
    case, episode = vector(GROUP), vector(EPISODE)
    (reward, total, value), size = reals("r S v"), index("G")
    rewards = [one - sympy.Rational(1, 3) for one in case.number("rewards")]
    shifted = case.answer(rewards=[str(one) for one in rewards])
    other = episode.answer(values=[["0" for _ in row] for row in episode.given["values"]])
    return [
        ev.Identity(
            "GRPO: any value v of the prompt, taken off all rewards, leaves the advantage as it is",
            (reward - value) - share * (total - size * value) / size,
            reward - share * total / size,
            "any reward r, sum S of a group of G rewards, and v; its deviations from the mean, so its scale",
        ),
        ev.Exact(
            "three right answers of eight, less 1/3 each: advantage of the first",
            shifted[0],
            "=",
            case.answer()[0],
        ),
        ev.Exact(
            "PPO: the first token's advantage under one critic against another",
            episode.answer()[0][0],
            "!=",
            other[0][0],
        ),
    ]


@claim("L3.2-grpo-simpler", relation="<", share=1, penalty=Choice("kl", "clip"))
def grpo_simpler(s: Statement, show: ev.Findings) -> None:
    """One function less, since the mean of a group does what a critic's value of the prompt would."""
    grpo = algorithms()["GRPO"]
    show.literal.exact(
        "functions that an update learns: GRPO against PPO",
        sympy.Integer(len(functions(GRPO))),
        s.relation,
        sympy.Integer(len(functions(PPO))),
    )
    show.literal += no_critic(s.share)
    show.literal.fact("its loss has a penalty besides", grpo.penalty, "=", s.penalty, grpo.source)


# the grid, and what values are


@claim("L3.4-table-ragged", rows=Choice((3, 2, 3), (3, 3, 3)))
def table_ragged(s: Statement, show: ev.Findings) -> None:
    """Cells per row, the head first."""
    both = algorithms()["A2C"]
    show.literal.fact("cells of the rows, where the head has", set(s.rows), "=", {s.rows[0]})
    show.repair.fact("what an actor-critic method learns, a policy", both.policy, "=", True, both.source)
    show.repair.fact("and values", bool(both.values), "=", True, both.source)


@claim("L3.4-argmax-sample", best=1, learned=True)
def argmax_sample(s: Statement, show: ev.Findings) -> None:
    """Learning that only ever takes the best-looking action may never see the goal."""
    case = vector("policy_eval/grid-never-ends")
    world = {"mdp": case.given["mdp"], "gamma": case.given["gamma"]}
    largest, p = reals("m p")
    worse = positives("e") if s.learned else -positives("e")  # an action may look worse than it is
    show.against += case.refutes(
        f"{GRID}; Q-learning from Q = 0 that takes the first of its best actions: U bumps, earns 0 "
        "and Q stays 0, for ever",
        ev.Exact("it earns V*(0,0)", case.answer()[0], "=", answer("bellman", **world)[0]),
        premises=(
            ev.Exact("Q(start, U) after the update", answer("td_update", value="0", target="0"), "=", 0),
        ),
        violates=ev.Exact(
            "its Q is not Q*: Q*(start, U)", answer("bellman", "q_values", **world)[0][0], "!=", 0
        ),
    )
    show.repair.sign(
        "the action of largest Q has a larger true value than any other, by e",
        s.best * (positives("m") - (positives("m") - worse)),
        "an action whose learned value is e > 0 below the largest",
    )
    show.repair.identity(
        "sampling earns the mean of Q under π, which is V of the policy",
        p * largest + (1 - p) * (largest - worse),
        largest - (1 - p) * worse,
        "two actions",
    )


@claim("L3.4-grid-unspecified", determined=True)
def grid_unspecified(s: Statement, show: ev.Findings) -> None:
    """Two ways to complete it, two values of the start."""
    values, slips = vector("bellman/lecture-3.4-grid").answer(), vector("bellman/grid-slip").answer()
    relation = "=" if s.determined else "!="
    show.literal.exact(
        "value of the start, moves that succeed and moves that slip", values[0], relation, slips[0]
    )
    show.repair.exact("V*(0,0)", values[0], "=", "9/10")
    show.repair.exact("V*(0,1)", values[1], "=", 1)


@claim("L3.5-vpi", given=Choice("state", "other state", "nothing"))
def state_value(s: Statement, show: ev.Findings) -> None:
    """The mean return from a state on, over the trajectories that pass it, whatever came before."""
    world = TwoSteps()
    at, condition = {
        "state": ((1,), r"\mid S_t = s"),
        "other state": ((2,), r"\mid S_t = s'"),
        "nothing": ((1, 2), ""),
    }[s.given]
    passing = [path for path in world.paths() if path.steps[1].state in at]
    show.fill(condition=condition)
    show.literal.identity(
        "Σ chance · G_1 = (chance of passing state 1) · (mean reward there), whatever led to it",
        sum(path.chance * world.to_go(path, 1) for path in passing),
        sum(path.chance for path in passing) * world.value(1),
        FAMILY,
    )


@claim("L3.5-qpi", weighted=1, first_only=True)
def action_value(s: Statement, show: ev.Findings) -> None:
    """Trajectories that begin with L, and the mean of Q over the first action."""
    world = TwoSteps()
    p = world.left[0]
    kept: list[Any] = [
        path
        for path in world.paths()
        if path.steps[0].reward == world.first["L"]
        and (s.first_only or path.steps[1].reward in (world.second[1, "L"], world.second[2, "L"]))
    ]
    show.literal.identity(
        "mean return of the trajectories that begin with L, times their chance",
        sum(path.chance * world.to_go(path, 0) for path in kept),
        p * world.worth("L"),
        FAMILY,
    )
    show.literal.identity(
        "V is the mean of Q under the policy",
        p**s.weighted * world.worth("L") + (1 - p) ** s.weighted * world.worth("R"),
        world.objective(),
        FAMILY,
    )
