"""Chapter 5, sections 5.4 and 5.5: the apples, and what makes a process Markov."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    condition,
    reading,
)
from rlcalc.audit.lecture.ch5_tokens import ANSWER, EXAMPLE, PROMPT
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

_TYPED = f'rlcalc token-mdp --prompt "{PROMPT}" --tokens ' + " ".join(ANSWER).replace(",", "")


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
    from rlcalc.mdp.reading import read_mdp

    grid = read_mdp("grid2x2")
    keys: list[Any] = [
        (i,) if s.given == "state" else (i, a) for i, a in product(grid.non_terminal, range(4))
    ]
    rows = [grid.p[i][a] for i, a in product(grid.non_terminal, range(4))]
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
