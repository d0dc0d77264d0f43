"""Chapter 5, section 5.3: writing text as a decision process."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from rlcalc.audit.evidence import (
    Exact,
    Exhaustive,
    Fact,
    Findings,
    Identity,
    Induction,
    Sign,
    condition,
)
from rlcalc.audit.proofs import answer, index, positives
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import recipes, tokenizers

PROMPT = "Janet has 3 apples. She buys 2 more. How many apples does she have?"
ANSWER = ["Janet", "starts", "with", "3", "apples", "and", "buys", "2", "more,", "so", "she", "has", "5"]
EXAMPLE: dict[str, Any] = {"prompt": PROMPT, "tokens": ANSWER}


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
    from rlcalc.mdp.reading import read_mdp

    world = read_mdp(s.world)
    moves = list(product(world.non_terminal, range(len(world.actions))))
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
            Fact(f"in stage 3 it is the {scored.reward}", scored.reward, "!=", "0 or 1", scored.source),
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
