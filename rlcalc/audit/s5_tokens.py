"""Chapter 5, sections 5.3 to 5.5: writing text as a decision process."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from rlcalc.audit.algorithms import recipes, tokenizers
from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

PROMPT = "Janet has 3 apples. She buys 2 more. How many apples does she have?"
ANSWER = ["Janet", "starts", "with", "3", "apples", "and", "buys", "2", "more,", "so", "she", "has", "5"]
EXAMPLE: dict[str, Any] = {"prompt": PROMPT, "tokens": ANSWER}
_TYPED = f'rlcalc token-mdp --prompt "{PROMPT}" --tokens ' + " ".join(ANSWER).replace(",", "")


def answers(longest: int = 4) -> list[tuple[str, ...]]:
    """All texts of up to so many tokens out of two."""
    return [text for n in range(1, longest + 1) for text in product("ab", repeat=n)]


@claim(
    "L5.3-state",
    upto=0,
    corruptions=[
        Corruption("the next token included", upto=1),
        Corruption("the last token forgotten", upto=-1),
    ],
)
def state(s: Statement) -> Findings:
    """Appending token by token gives the first t tokens; no two histories share a state."""
    failed: list[str] = []
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    n = index()
    for text in answers():
        held: tuple[str, ...] = ()
        for t, token in enumerate(text):
            if held != text[: max(t + s.upto, 0)] or seen.setdefault(held, text[:t]) != text[:t]:
                failed.append(f"{' '.join(text)} at {t}")
            held = (*held, token)
    shown = answer("token_mdp", "states", **EXAMPLE)
    return Findings(
        literal=[
            Exhaustive(
                "the state at t is the prompt with the first t tokens, and names its history",
                sum(len(text) for text in answers()),
                tuple(failed),
                "the moments of all answers of 1 to 4 tokens out of two",
            ),
            Induction(
                "the state at t holds t tokens of the answer",
                base=(Identity("t = 0: none", 0 * n, 0 * n + s.upto),),
                step=(Identity("t → t + 1: A_t is appended", n + 1, n + 1 + s.upto),),
                over="t ≥ 0, any vocabulary",
                variable="t",
            ),
            Fact("the second state of 5.4", shown[1], "=", f"{PROMPT} {ANSWER[0]}"),
        ]
    )


@claim(
    "L5.3-vocab",
    size=100_000,
    corruptions=[Corruption("about 10 000", size=10_000), Corruption("about a million", size=1_000_000)],
)
def vocabulary(s: Statement) -> Findings:
    """'About' is taken as one per cent; the example needs one real vocabulary."""
    real = tokenizers()["cl100k_base"]
    off = abs(Fraction(real.size, s.size) - 1)
    return Findings(
        literal=[
            Exact(f"size of {real.name}, {real.size}, relative to {s.size}: off by", off, "<=", "1/100"),
            Exact(
                "log-probability of the answer of 5.4, all tokens equally likely",
                answer("token_mdp", "log_probability", **EXAMPLE, vocabulary=s.size),
                "=",
                f"-13*log({s.size})",
            ),
        ]
    )


@claim(
    "L5.3-deterministic",
    world="tokens",
    appended=1,
    corruptions=[
        Corruption("an environment with chance in it", world="grid2x2:slip=1/5"),
        Corruption("two tokens appended at once", appended=2),
    ],
)
def deterministic(s: Statement) -> Findings:
    """Appending is a function, so the chances of a text are the policy's alone."""
    from rlcalc.mdp import read_mdp

    world = read_mdp(s.world)
    moves = list(product(world.live, range(len(world.actions))))
    n = index()
    return Findings(
        literal=[
            Exhaustive(
                "one successor, with probability 1",
                len(moves),
                tuple(f"{world.states[i]}, {world.actions[a]}" for i, a in moves if 1 not in world.p[i][a]),
                f"the states and actions of {s.world}",
            ),
            Induction(
                "the state after n actions has n more tokens than the prompt",
                base=(Identity("n = 0", 0 * n, 0),),
                step=(Identity("n → n + 1: one is appended", n + s.appended, n + 1),),
                over="n ≥ 0, any vocabulary",
            ),
            Exact(
                "trajectories of the token game = its texts, two tokens out of three",
                answer("policy_gradient", "trajectories", mdp="tokens", theta=[["0", "0", "0"]]),
                "=",
                3**2,
            ),
        ]
    )


@claim(
    "L5.3-policy",
    normalised=True,
    corruptions=[Corruption("exponentials that are not divided by their sum", normalised=False)],
)
def policy(s: Statement) -> Findings:
    """exp(z) is written as a positive number; the rest of the vocabulary is one more."""
    token, rest = positives("u w")
    total = token + rest if s.normalised else 1
    three = answer("softmax", theta=["1", "2", "0"])
    return Findings(
        literal=[
            Identity("all probabilities add up to 1", token / total + rest / total, 1, "any vocabulary"),
            Sign("each is positive", token / total, "any preferences"),
            Sign("and below 1", 1 - token / total, "at least two tokens"),
            Exact("three tokens: their sum", sum(three), "=", 1),
        ]
    )


@claim(
    "L5.3-sparse-reward",
    stage="rules",
    scope="structure",  # which reward belongs to which stage
    corruptions=[Corruption("condition dropped: any stage", stage="score")],
)
def sparse_reward(s: Statement) -> Findings:
    """Right for stage 4; the stage before it is rewarded by a model, with any number."""
    scored = recipes()["InstructGPT"]
    checked = [one.name for one in recipes().values() if one.reward.startswith(s.stage)]
    return Findings(
        against=[
            Fact("the reward of stage 3", scored.reward, "!=", "0 or 1", scored.source),
        ],
        repair=condition(
            "It holds for tasks whose answer can be checked, stage 4. In stage 3 the reward is the score of "
            "a reward model, any real number, mostly less a penalty for leaving the reference policy.",
            [
                Exhaustive(
                    "rewarded by a rule that is met or not",
                    len(checked),
                    tuple(name for name in checked if not recipes()[name].reward.startswith("rules")),
                    f"the recipes chosen: {', '.join(checked)}",
                ),
                Exact("R in 5.4, for the answer 5: 1 if it equals", Fraction(3) + 2, "=", ANSWER[-1]),
            ],
        ),
    )


@claim(
    "L5.3-chain",
    last=0,
    corruptions=[
        Corruption("terminal state S_{T+1}", last=1),
        Corruption("terminal state S_{T−1}", last=-1),
    ],
)
def chain(s: Statement) -> Findings:
    """T actions A_0 … A_{T−1} lead from S_0 to S_T."""
    n = index("T")
    states = answer("token_mdp", "states", **EXAMPLE)
    return Findings(
        literal=[
            Induction(
                "after T actions the state is S_T",
                base=(Identity("T = 1: A_0 leads from S_0 to S_1", 0 + 1, 1 + s.last),),
                step=(Identity("T → T + 1: A_T leads from S_T to S_{T+1}", n + 1, n + 1 + s.last),),
                over="T ≥ 1",
                variable="T",
            ),
            Exact(
                "the answer of 5.4 in 13 words: index of its last state", len(states) - 1, "=", 13 + s.last
            ),
        ]
    )


@claim(
    "L5.4-off-by-one",
    action=0,
    corruptions=[Corruption("the last action is A_{T−1}", action=-1)],
)
def off_by_one(s: Statement) -> Findings:
    """By the rule of 5.3 an action A_k leads to S_{k+1}."""
    end = index("T")
    literal = Identity(
        "index of the state to which the last action leads", (end + s.action) + 1, end, "T ≥ 1"
    )
    if literal.status == "holds":
        return Findings(literal=[literal])
    returns = answer("token_mdp", "returns", **EXAMPLE)
    return Findings(
        literal=[literal],
        repair=reading(
            "The last action is A_{T−1}; it leads to S_T. (An answer of 13 tokens has the actions A_0 … A_12 "
            "and ends in S_13.)",
            [
                Identity("A_{T−1} leads to S_T", (end - 1) + 1, end, "T ≥ 1"),
                Fact("A_12 of 13", answer("token_mdp", "actions", **EXAMPLE)[12], "=", "5"),
            ],
            unchanged=[
                Exact("return of the first token", returns[0], "=", 1),
                Exact("R", returns[-1], "=", 1),
            ],
            latex=r"S_T = S_{T-1} \oplus A_{T-1}",
        ),
    )


@claim(
    "L5.4-sum",
    parts=(3, 2),
    total="5",
    corruptions=[Corruption("one bought", parts=(3, 1)), Corruption("the answer 6", total="6")],
)
def apples(s: Statement) -> Findings:
    return Findings(literal=[Exact("apples", sum(s.parts), "=", s.total)])


@claim(
    "L5.4-single-reward-all-params",
    discounted=False,
    late=0,
    corruptions=[
        Corruption("condition dropped: any discount", discounted=True),
        Corruption("the reward comes one step after the last token", late=1),
    ],
)
def single_reward(s: Statement) -> Findings:
    """G_t = γ^(T−1−t) R: the reward itself for every token only without discount."""
    gamma, reward = reals("gamma R")
    g = gamma if s.discounted else 1
    k = index("k")
    returns = answer("token_mdp", "returns", prompt="2 + 3", tokens=["=", "5"], gamma="1/2")
    closed = Induction(
        "the token k places before the last one has the return γ^k R",
        base=(Identity("k = 0: the last token", gamma**0 * gamma**s.late * reward, reward),),
        step=(Identity("k → k + 1: no reward, then γ times the next", gamma * gamma**k, gamma ** (k + 1)),),
        over="every answer length, γ and R",
        variable="k",
    )
    return Findings(
        against=[
            Counterexample(
                "an answer of two tokens",
                given={"prompt": "2 + 3", "tokens": "= 5", "γ": "1/2", "R": 1},
                claimed=Exact("weight of the first token's score = R", returns[0], "=", 1),
                violates=Exact("γ is not 1", "1/2", "!=", 1),
                replay=(
                    Replay(
                        'rlcalc token-mdp --prompt "2 + 3" --tokens = 5 --gamma 1/2', ["1/2", "1"], "returns"
                    ),
                    Replay(f"{_TYPED} --gamma 0.99", "886384871716129280658801/1000000000000000000000000"),
                ),
                golden="token_mdp/audit-first-token-discounted",
                search="answers: with one token the weight is R",
            )
        ],
        repair=condition(
            "For γ = 1 every token has the weight R. With a discount the token k places before the last "
            "has γ^k R: in 13 words at γ = 0.99 the first one has 0.886, and at γ = 0 only the last one "
            "learns.",
            [
                closed,
                Identity("γ = 1: the weight is R", g**k * reward, reward, "every token of every answer"),
                Exact(
                    "13 words, γ = 0.99: weight of the first",
                    answer("token_mdp", **EXAMPLE, gamma="99/100"),
                    "=",
                    Fraction(99, 100) ** 12,
                ),
            ],
            latex=r"G_t = \gamma^{T-1-t} R_T",
        ),
    )


@claim(
    "L5.5-mdp-tuple",
    parts=("S", "A", "P", "R", "γ"),
    averaged=True,
    corruptions=[
        Corruption("without the discount", parts=("S", "A", "P", "R")),
        Corruption("without the transitions", parts=("S", "A", "R", "γ")),
        Corruption("R(s,a) is a plain mean over the successors", averaged=False),
    ],
)
def mdp_tuple(s: Statement) -> Findings:
    """What the equation for values needs; R(s,a) stands for the mean over successors.

    Objectives such as J need a start besides.
    """
    gamma, p, v, w, r1, r2 = reals("gamma p v w r_1 r_2")
    mean = p * r1 + (1 - p) * r2 if s.averaged else (r1 + r2) / 2
    needed = {"s": "S", "a": "A", "P": "P", "R": "R", "gamma": "γ"}
    return Findings(
        literal=[
            Fact("what the optimality equation contains", set(needed.values()), "=", set(s.parts)),
            Identity(
                "with rewards that depend on the successor too, their mean R(s,a) gives the same value",
                mean + gamma * (p * v + (1 - p) * w),
                p * (r1 + gamma * v) + (1 - p) * (r2 + gamma * w),
                "any discount, two successors (more by splitting one)",
            ),
        ]
    )


def _joint(memory: bool) -> Callable[..., Any]:
    """Chance of s_0, a_0, s_1, a_1, s_2, each 0 or 1, as a product of symbols.

    The policy's second choice may depend on all that happened. With ``memory``
    the second transition may depend on the first state.
    """
    start, first, second = positives("m_0:2"), positives("f_0:4"), positives("h_0:8")
    move, later = positives("p_0:8"), positives("q_0:16")

    def chance(s0: int, a0: int, s1: int, a1: int, s2: int) -> Any:
        step = later[8 * s0 + 4 * s1 + 2 * a1 + s2] if memory else move[4 * s1 + 2 * a1 + s2]
        choice = second[4 * s0 + 2 * a0 + s1]
        acts = choice if a1 else 1 - choice
        return start[s0] * first[2 * s0 + a0] * move[4 * s0 + 2 * a0 + s1] * acts * step

    return chance


def same_odds(memory: bool, condition_on: str) -> Identity:
    """Odds of the two next states, given the history, and given the present alone.

    The policy remembers; a world of the form P(s'|s,a) forgets all the same.
    Cross-multiplied, nothing is divided.
    """
    chance = _joint(memory)
    history = [chance(0, 0, 1, 1, s2) for s2 in (0, 1)]
    acts = (1,) if condition_on == "state and action" else (0, 1)
    present = [
        sum(chance(s0, a0, 1, a1, s2) for s0, a0, a1 in product((0, 1), (0, 1), acts)) for s2 in (0, 1)
    ]
    return Identity(
        f"given the {condition_on}, the odds of the next states are the same with the history and without",
        history[0] * present[1],
        history[1] * present[0],
        "two states, two actions, two steps; every P(s'|s,a), start and policy, one that remembers too",
    )


@claim(
    "L5.5-markov",
    memory=False,
    condition_on="state and action",
    corruptions=[
        Corruption("a world that remembers its first state", memory=True),
        Corruption("given the state alone", condition_on="state"),
    ],
)
def markov(s: Statement) -> Findings:
    """A definition; processes given by P(s'|s,a) have the property."""
    return Findings(literal=[same_odds(s.memory, s.condition_on)])


@claim(
    "L5.5-present-state-only",
    given="state",
    corruptions=[Corruption("on present state and action", given="state and action")],
)
def present_state(s: Statement) -> Findings:
    """On the grid two actions in one state have two futures."""
    from rlcalc.mdp import read_mdp

    grid = read_mdp("grid2x2")
    keys: list[Any] = [(i,) if s.given == "state" else (i, a) for i, a in product(grid.live, range(4))]
    rows = [grid.p[i][a] for i, a in product(grid.live, range(4))]
    futures = {key: {row for k, row in zip(keys, rows, strict=True) if k == key} for key in keys}
    literal = Exhaustive(
        f"one distribution of the next state, given the {s.given}",
        len(futures),
        tuple(grid.states[key[0]] for key, found in futures.items() if len(found) > 1),
        "the states before the goal of the grid of 3.4",
    )
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "The next state depends on the present state and action; on the state alone only under a "
            "policy that looks at nothing else.",
            [same_odds(False, "state and action")],
            unchanged=[Exact("R in 5.4", answer("token_mdp", "returns", **EXAMPLE)[-1], "=", 1)],
        ),
    )
