"""The last page: formulas to take away, further reading."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
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
)
from rlcalc.audit.lecture.ch8_settings import SOURCE as SETTINGS
from rlcalc.audit.lecture.ch8_settings import settings
from rlcalc.audit.policies import FAMILY, TwoSteps
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import recipes, works

TABLE = "specs/claims/algorithms.toml"


@claim(
    "L9-takeaway-tdlambda",
    low=0,
    episodic=True,
    terminal=0,
    corruptions=[
        Corruption("TD(0) at λ = 1/2", low="1/2"),
        Corruption("condition dropped: the endless sum", episodic=False),
        Corruption("condition dropped: the last state may be worth anything", terminal="z"),
    ],
)
def tdlambda(s: Statement) -> Findings:
    """At λ = 0 it holds; at λ = 1 the sum as written is 0 times a sum without end."""
    from rlcalc.audit.zero import as_expression

    low, n, last = as_expression(s.low), index(), index("N")
    gamma, full = reals("gamma G")
    weight = 1 ** (last - 1) if s.episodic else (1 - 1) * 1 ** (last - 1)
    right = answer("lambda_return", rewards=["1"], gamma="1", lam="1")
    return Findings(
        against=[
            Counterexample(
                "one step, reward 1, λ = 1: every term has the factor 1 − 1",
                given={"rewards": "1", "V": "0 0", "γ": 1, "λ": 1},
                claimed=Exact("the sum as written = the return", (1 - 1) * right, "=", right),
                violates=Exact("weight of the complete return in the sum as written", 0, "!=", 1),
                replay=(Replay("rlcalc lambda-return --rewards 1 --lam 1", "1"),),
                golden="lambda_return/audit-sum-at-one",
                search="episodes: one step, reward 1",
            )
        ],
        repair=condition(
            "λ = 0 gives TD(0). λ = 1 gives Monte Carlo in the episodic form, where the complete return has "
            "the weight λ^(N−1), and when the state at the end is worth 0.",
            [
                Identity("λ = 0: weight of the one-step return", (1 - low) * low**0, 1),
                Identity("λ = 0: weights of the others", (1 - low) * low**n, 0, "n + 1 ≥ 2"),
                Identity("λ = 1: weight of the complete return", weight, 1, "N ≥ 1"),
                Identity(
                    "and nothing is bootstrapped behind it",
                    full + gamma**last * (reals(s.terminal) if s.terminal else 0),
                    full,
                    "every γ and G",
                ),
            ],
            latex=r"G_t^{\lambda} = (1-\lambda) \sum_{n=1}^{N-1} \lambda^{n-1} G_t^{(n)} + \lambda^{N-1} G_t",
        ),
    )


@claim(
    "L9-takeaway-pg",
    undiscounted=True,
    sign=1,
    corruptions=[
        Corruption("condition dropped: any discount", undiscounted=False),
        Corruption("sign flipped", sign=-1),
    ],
)
def gradient(s: Statement) -> Findings:
    """As in section 4.3: without γ^t it is no gradient of a discounted return."""
    game: dict[str, Any] = {"mdp": "tokens", "theta": [["0", "0", "0"]], "gamma": "1/2"}
    written = answer("policy_gradient", form="no-gamma-t", **game)[0][2]
    true = answer("policy_gradient", **game)[0][2]
    world = TwoSteps(1 if s.undiscounted else None)
    typed = "rlcalc policy-gradient --mdp tokens --theta 0 0 0 --gamma 1/2"
    return Findings(
        against=[
            Counterexample(
                "two tokens, reward 1 if the last one is 5, discount 1/2: component of token 5",
                given={"γ": "1/2", "θ": "0 0 0"},
                claimed=Exact("E Σ G_t ∂ log π = ∂J", written, "=", true),
                violates=Exact("there is a discount", "1/2", "<", 1),
                replay=(
                    Replay(f"{typed} --form no-gamma-t", [["-1/9", "-1/9", "2/9"]]),
                    Replay(typed, [["-1/18", "-1/18", "1/9"]]),
                ),
                golden="policy_gradient/audit-missing-gamma-t",
                search="the built-in processes: two decisions are needed",
            )
        ],
        repair=condition(
            "It holds for γ = 1; with a discount the weight of step t is γ^t G_t.",
            list(world.gradient_is("E[Σ G_t ∇ log π] = ∇J", lambda path, t: s.sign * world.to_go(path, t))),
            latex=r"\nabla J = \mathbb{E}[\sum_{t} \gamma^{t} G_t \nabla \log \pi_\theta(a_t|s_t)]",
        ),
    )


@claim(
    "L9-takeaway-advantage-unbiased",
    per_action=0,
    corruptions=[Corruption("what is subtracted depends on the action", per_action=1)],
)
def unbiased(s: Statement) -> Findings:
    """Any function of the state has mean 0 once it is multiplied with the score."""
    import sympy

    world = TwoSteps()
    base = sympy.symbols("b_0:3", real=True)
    proofs: list[Evidence] = [
        Identity(
            f"what is subtracted adds nothing to the mean gradient, preference of state {state}",
            world.mean(
                lambda path, t: base[path.steps[t].state] + s.per_action * path.steps[t].reward, state
            ),
            0,
            f"any value of every state; {FAMILY}",
        )
        for state in range(3)
    ]
    return Findings(literal=proofs)


@claim(
    "L9-takeaway-advantage-variance",
    within=True,
    corruptions=[Corruption("condition dropped: any baseline", within=False)],
)
def variance(s: Statement) -> Findings:
    """Two actions: the squared length of the sample gradient, in the mean."""
    p, x, y, b = reals("p x y b")

    def size(baseline: Any) -> Any:
        left, right = 2 * (1 - p) ** 2, 2 * p**2
        return p * left * (x - baseline) ** 2 + (1 - p) * right * (y - baseline) ** 2

    best = (1 - p) * x + p * y
    long, weighted = positives("n m")
    inputs: dict[str, Any] = {"policy": ["3/4", "1/4"], "returns": ["1", "0"]}
    none, value = (
        answer("baseline_variance", "variance", **inputs, baseline=each) for each in ("0", "value")
    )
    low, room = positives("b r")
    twice_best = low + room if s.within else low - room
    typed = "rlcalc baseline-variance --policy 3/4 1/4 --returns 1 0 --baseline"
    return Findings(
        against=[
            Counterexample(
                "two actions, chances 3/4 and 1/4, returns 1 and 0; their mean, V = 3/4, as baseline",
                given={"π": "3/4 1/4", "G": "1 0", "V": "3/4"},
                claimed=Exact("variance with V < without", value, "<", none),
                violates=Exact("V is not below twice the best baseline, 1/4", "3/4", ">=", "1/2"),
                replay=(
                    Replay(f"{typed} value", "3/32", "variance"),
                    Replay(f"{typed} 0", "3/128", "variance"),
                ),
                golden="baseline_variance/audit-value-raises-variance",
            )
        ],
        repair=condition(
            "It holds in one decision exactly when V lies strictly between 0 and twice the best baseline, "
            "the mean of the returns weighted by the squared lengths of the scores.",
            [
                Identity(
                    "change of the mean squared length (the mean gradient stays)",
                    size(b) - size(0),
                    2 * p * (1 - p) * b * (b - 2 * best),
                    "two actions of chances p and 1 − p, returns x and y, any baseline b",
                ),
                Identity(
                    "the same with n = E|∇ log π|² and m = E|∇ log π|² G, where b* = m/n",
                    b**2 * long - 2 * b * weighted,
                    long * b * (b - 2 * weighted / long),
                    "any number of actions",
                ),
                Sign(
                    "so it falls: b(2b* − b) is positive",
                    low * (twice_best - low),
                    "b > 0, 2b* = b + r, r > 0",
                ),
            ],
        ),
    )


@claim(
    "L9-takeaway-lclip",
    inner=min,
    eps="1/5",
    scope="structure",  # one formula printed in two chapters
    corruptions=[
        Corruption("the larger of the two", inner=max),
        Corruption("clipped at twice ε", eps="2/5"),
    ],
)
def clipped(s: Statement) -> Findings:
    """The formula of this page in fractions, the calculator's for chapter 7."""
    eps = Fraction(s.eps)
    cases = list(product(("1/2", "4/5", "1", "6/5", "3/2"), ("-3", "0", "5")))
    failed = []
    for ratio, adv in cases:
        r, a = Fraction(ratio), Fraction(adv)
        here = s.inner(r * a, max(1 - eps, min(r, 1 + eps)) * a)
        if (
            Exact("objective", here, "=", answer("ppo_clip", ratio=ratio, adv=adv, eps="1/5")).status
            != "holds"
        ):
            failed.append(f"r = {ratio}, A = {adv}")
    return Findings(
        literal=[
            Exhaustive(
                "both formulas give the same objective",
                len(cases),
                tuple(failed),
                "ratios on each side of both bounds and on them, each with A = −3, 0 and 5, ε = 1/5",
            )
        ]
    )


@claim(
    "L9-takeaway-rl-stages",
    optimisers=("PPO", "GRPO"),
    corruptions=[
        Corruption("condition dropped: whatever tunes the model", optimisers=("PPO", "GRPO", "DPO"))
    ],
)
def rl_stages(s: Statement) -> Findings:
    """Preferences can be learned without reinforcement learning, and often are."""
    chosen = [one for one in recipes().values() if any(each in s.optimisers for each in one.optimisers)]
    without = "Llama 3"
    return Findings(
        against=[
            Fact(
                f"steps of {without}",
                "reinforcement learning",
                "not in",
                recipes()[without].steps,
                recipes()[without].source,
            )
        ],
        repair=condition(
            "It holds for the recipes that use PPO or GRPO. Others learn preferences by supervised losses on "
            "comparisons (DPO in Zephyr and Llama 3).",
            [
                Exhaustive(
                    "reinforcement learning is among the steps",
                    len(chosen),
                    tuple(one.name for one in chosen if "reinforcement learning" not in one.steps),
                    f"the recipes with {', '.join(s.optimisers)}: {', '.join(one.name for one in chosen)}",
                )
            ],
        ),
    )


@claim(
    "L9-further-study",
    section="2.3.1",
    year=2017,
    corruptions=[
        Corruption("section 2.4", section="2.4"),
        Corruption("the paper of 2015, which is TRPO's", year=2015),
    ],
)
def further_study(s: Statement) -> Findings:
    """Two of the three are where they were; PPO was taken out of TRL."""
    entry = f"foundations-{s.section}"
    titles = {name: work.title for name, work in works().items()}
    trl = works()["trl"]
    return Findings(
        against=[
            Fact("last version of TRL with PPO", trl.last or "the present", "!=", "the present", trl.source)
        ],
        repair=condition(
            f"Book and paper stand where they are said to. TRL has PPO up to version {trl.last} only; "
            "OpenRLHF and verl have it.",
            [
                Fact(
                    f"section {s.section} of the book",
                    titles.get(entry, "another one"),
                    "=",
                    "Policy Gradient Derivation",
                    works()["foundations-2.3.1"].source,
                ),
                Fact("year of the PPO paper", works()["ppo"].year, "=", s.year, works()["ppo"].source),
                Fact("its first author", works()["ppo"].by[0], "=", "Schulman", works()["ppo"].source),
                Fact("TRL comes from", trl.by, "=", ["Hugging Face"], trl.source),
                Fact(
                    "libraries for language models with settings for PPO",
                    ["OpenRLHF", "verl"],
                    "subset",
                    [one["name"] for one in settings()],
                    SETTINGS,
                ),
            ],
        ),
    )
